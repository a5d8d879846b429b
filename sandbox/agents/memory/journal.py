"""What all memories share: a change is applied, and kept until it is recorded."""

from sandbox.core.decision import Edit


class Journal:
    """Changes of a memory; subclasses implement them in ``apply``."""

    def __init__(self):
        self._fresh: list[Edit] = []

    def edit(self, edit: Edit) -> None:
        """Make a change, to be recorded."""
        self.apply(edit)
        self._fresh.append(edit)

    def taken(self) -> tuple[Edit, ...]:
        """The changes since this was last asked."""
        edits, self._fresh = tuple(self._fresh), []
        return edits

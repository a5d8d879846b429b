"""The common part of memories: an edit is applied, and kept until it is recorded."""

from sandbox.core.decision import Edit


class Journal:
    """The edits of a memory; subclasses implement ``apply``."""

    def __init__(self):
        self._fresh: list[Edit] = []

    def edit(self, edit: Edit) -> None:
        """Apply an edit and note it for the record."""
        self.apply(edit)
        self._fresh.append(edit)

    def taken(self) -> tuple[Edit, ...]:
        """The edits since the last call."""
        edits, self._fresh = tuple(self._fresh), []
        return edits

"""The scripted reasoner: verbs from a list, then the first verb (a no-op) for ever. A script is first-class."""

from collections.abc import Sequence

from sandbox.core.decision import Decision, Percept


class Scripted:
    """Plays ``script``, names of ``verbs``, one a tick."""

    def __init__(self, script: Sequence[str], verbs: Sequence[str]):
        self._script = [verbs.index(verb) for verb in script]

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [Decision(self._script[p.tick] if p.tick < len(self._script) else 0) for p in percepts]

"""The scripted reasoner: actions from a list, then the no-op for ever. A script is first-class."""

from collections.abc import Sequence

from sandbox.core.decision import Decision, Percept
from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import World


def parse_script(script: Sequence[str], world: World, where: str) -> list[Decision]:
    """``script`` as decisions: each line is a verb, or a verb and the number of its target ("click 3")."""
    decisions = []
    for number, line in enumerate(script):
        verb, _, target = line.strip().partition(" ")
        if verb not in world.verbs:
            raise unknown("verb", verb, world.verbs, f"{where}[{number}]")
        if target and not (target.isdecimal() and int(target) < world.targets):
            raise UsageError(f"{where}[{number}]: target '{target}' of '{verb}', expected 0..{world.targets - 1}")
        decisions.append(Decision(world.verbs.index(verb), int(target or 0)))
    return decisions


class Scripted:
    """Plays ``script``, one decision a tick, then ``noop``."""

    def __init__(self, script: Sequence[Decision], noop: int):
        self._script, self._after = script, Decision(noop)

    def decide(self, percepts: list[Percept]) -> list[Decision]:
        return [self._script[p.tick] if p.tick < len(self._script) else self._after for p in percepts]

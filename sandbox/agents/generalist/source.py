"""The answers of agents that are told in a sentence what to do (``Own`` asks them, and a record keeps them)."""

from collections.abc import Sequence
from functools import cache

from sandbox.agents import wordllama
from sandbox.agents.generalist.options import GENERALIST, GeneralistOptions
from sandbox.agents.odds import ILLEGAL, chances, dice
from sandbox.agents.python.api import Setting
from sandbox.core.decision import Answered, Percept
from sandbox.core.errors import UsageError
from sandbox.engine.trained import codes_of
from sandbox.nets.generalist import Generalist, arranged
from sandbox.nets.weights import read, shipped

DICE = 1 << 21  # stream of the draws


def generalist_of(options: GeneralistOptions) -> Generalist:
    """The net of these options; raises UsageError for a missing file, and for other weights than the SHA-256 says."""
    path = options.weights or shipped(GENERALIST)
    if path is None:
        raise UsageError("generalist.weights: the package has none; expected a file of 'sandbox learn generalist'")
    found = read(path)
    if options.sha256 and options.sha256 != found.sha256:
        raise UsageError(f"generalist.sha256: {path}: {found.sha256[:12]}..., expected {options.sha256[:12]}...")
    return Generalist(found)


class Told:
    """Agents of a group, all of which are told the same; raises UsageError for a world that the net has not learned."""

    def __init__(self, options: GeneralistOptions, net: Generalist, world: str, setting: Setting):
        net.check(world, setting.channels, setting.verbs, setting.targets)
        self._net, self._world, self._targets = net, world, setting.targets
        self._places = cache(lambda side: net.senses[world].places(side, setting.vector))
        self.version = net.sha256
        self._drawn, self._sentence = dice(setting.seed, DICE), wordllama.embed([options.instruction])

    def answers(self, percepts: Sequence[Percept]) -> list[Answered]:
        return [self._answer(percept) for percept in percepts]

    def close(self) -> None:
        """There is nothing to give back."""

    def _answer(self, percept: Percept) -> Answered:
        if not percept.mask.any():
            return Answered(None, printed=ILLEGAL)
        seen = codes_of(percept.window, percept.vector)[None]
        codes = arranged(seen, self._places(percept.window.shape[-1]))
        odds = chances(self._net.logits(self._world, codes, self._sentence)[0].astype(float), percept.mask)
        return Answered(divmod(self._drawn(odds, percept), self._targets))

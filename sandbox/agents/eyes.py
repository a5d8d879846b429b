"""What an agent's program sees: its own belief as a plain dict, never the state of the world."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sandbox.core.decision import Percept
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.imagine import believe
from sandbox.engine.stage import Stage


class Eyes:
    """Beliefs of the agents of one lane, from a percept and the rows of ``memory`` that are the agent's own.

    Every world has ``see()``, ``legal()`` and ``me()``; one with a ladder also ``have``, ``knows`` and ``toward``.
    """

    def __init__(self, stage: Stage, memory):
        self._stage, self._memory, self._view = stage, memory, stage.observation(1)

    def functions(self, percept: Percept) -> dict[str, Callable[[], Any]]:
        """The functions by which a program perceives; each answers at once, and for this tick only."""
        believed, agent, ladder = cache(lambda: self.believed(percept)), percept.agent, self._stage.world.ladder
        found = {
            "see": lambda: self._seen(believed()), "legal": lambda: self.legal(percept.mask), "me": lambda: agent,
        }  # fmt: skip
        if ladder:
            holding = cache(lambda: ladder.holding(believed(), 0, agent))
            found["have"] = lambda what: holding()[what]
            found["toward"] = lambda kind, by=None: ladder.toward(believed(), 0, agent, kind, by)
            found["knows"] = lambda kind: ladder.knows(believed(), 0, kind)
            found["began"] = lambda what: None  # of interest where skills are learned
        return found

    def _seen(self, believed) -> dict:
        """The believed world as ``Stage.describe`` puts it, less the seed: dice are nobody's to see."""
        told = self._stage.describe(believed)
        told.pop("seed", None)
        return told

    def legal(self, mask: np.ndarray) -> dict[str, list[int]]:
        """The verbs that have an effect now, each with its targets."""
        rows = mask.reshape(len(self._stage.verbs), self._stage.world.targets)
        pairs = zip(self._stage.verbs, rows, strict=True)
        return {verb: np.flatnonzero(row).tolist() for verb, row in pairs if row.any()}

    def believed(self, percept: Percept):
        """A state of one lane: what the agent takes the world to be, with dice that are not the world's."""
        agent = percept.agent
        for field, part in zip(self._view, percept[2:], strict=True):
            field[:] = 0  # nothing of the others
            field[0, agent] = part
        seed = draw(0, percept.tick, IMAGINED, agent)
        return believe(self._stage, self._view, self._memory, agent, [seed]).state

"""What an agent's program sees: its own belief as a plain dict, never the state of the world."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.core.decision import Percept


class Eyes:
    """The functions by which the programs of one lane's agents perceive.

    Every world has ``see()``, ``legal()`` and ``me()``; one with a ladder also ``have``, ``knows`` and ``toward``.
    """

    def __init__(self, beliefs: Beliefs):
        self._beliefs, self._stage = beliefs, beliefs.stage

    def functions(self, percept: Percept) -> dict[str, Callable[[], Any]]:
        """Functions by name; each answers at once, and for this tick only."""
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
        self._beliefs.perceive(percept)
        return self._beliefs.of(percept.agent, 1).state

"""What agents believe of their world now, for reasoners of the hosted tier: from their own percept and memory."""

from typing import Any

import numpy as np

from sandbox.core.decision import Percept
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.imagine import Belief, believe
from sandbox.engine.stage import Stage

DICE = 1 << 16  # of the stream of imagined lanes: draws that no search makes


class Beliefs:
    """Beliefs of the agents of one lane, drawn as often as is asked for.

    ``memory`` is the policies' own: what is noted of an agent is noted by its fallback policy. ``seed`` keys the dice
    of what is imagined, which are draws of their own.
    """

    def __init__(self, stage: Stage, memory, seed: int):
        self.stage, self.memory, self._seed = stage, memory, seed
        self._percepts: dict[int, Percept] = {}  # the latest of each agent

    def perceive(self, percept: Percept) -> None:
        self._percepts[percept.agent] = percept

    def of(self, agent: int, draws: int) -> Belief:
        """The world as an agent takes it to be, ``draws`` times; it sees its own percept and nothing of the others."""
        percept, view = self._percepts[agent], self.stage.observation(1)
        for field, part in zip(view, percept.view, strict=True):
            field[0, agent] = part
        seed = np.uint64(self._seed)
        seeds = [int(draw(seed, percept.tick, IMAGINED, DICE * k + agent)) for k in range(draws)]
        return believe(self.stage, view, self.memory, agent, seeds)

    def described(self, agent: int, draws: int) -> list[dict[str, Any]]:
        """The same as JSON values."""
        state = self.of(agent, draws).state
        return [self.stage.describe(state, lane) for lane in range(draws)]

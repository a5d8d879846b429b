"""What agents believe of their world now, for reasoners of the hosted tier: from their own observation and memory."""

from typing import Any

import numpy as np

from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.imagine import Belief, believe
from sandbox.engine.stage import Stage

DICE = 1 << 16  # of the stream of imagined lanes: draws that no search makes


class Beliefs:
    """The arrays of a model of one lane, as they stand in each tick; ``policy`` plays on in what is imagined.

    ``memory`` is the policies' own: what is noted of an agent is noted by its fallback policy. ``seed`` keys the dice
    of what is imagined, which are draws of their own.
    """

    def __init__(self, stage: Stage, observation, memory, seed: int):
        self.stage, self._observation, self._memory, self._seed = stage, observation, memory, seed
        self.tick = 0

    def of(self, agent: int, draws: int) -> Belief:
        """The world as an agent takes it to be, ``draws`` times."""
        seeds = [int(draw(np.uint64(self._seed), self.tick, IMAGINED, DICE * (agent + 1) + k)) for k in range(draws)]
        return believe(self.stage, self._observation, self._memory, agent, seeds)

    def described(self, agent: int, draws: int) -> list[dict[str, Any]]:
        """The same as JSON values."""
        state = self.of(agent, draws).state
        return [self.stage.describe(state, lane) for lane in range(draws)]

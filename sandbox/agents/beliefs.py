"""Beliefs of agents in the hosted tier, from their own percepts and memory."""

from typing import Any

import numpy as np

from sandbox.core.decision import Percept
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.environment import Environment
from sandbox.engine.imagine import Belief, believe

DICE = 1 << 16  # of the stream of imagined lanes: draws that no search makes


class Beliefs:
    """Beliefs of the agents of one lane, with a given number of draws.

    ``memory`` is the memory of the policies; an agent's notes in it come from its fallback policy. ``seed`` keys the
    random draws of imagined lanes, which no other stream shares.
    """

    def __init__(self, env: Environment, memory, seed: int):
        self.env, self.memory, self._seed = env, memory, seed
        self._percepts: dict[int, Percept] = {}  # the latest of each agent

    def perceive(self, percept: Percept) -> None:
        self._percepts[percept.agent] = percept

    def of(self, agent: int, draws: int) -> Belief:
        """``draws`` beliefs of an agent about the world, made from its own percept alone."""
        percept, view = self._percepts[agent], self.env.observation(1)
        for field, part in zip(view, percept.view, strict=True):
            field[0, agent] = part
        seed = np.uint64(self._seed)
        seeds = [int(draw(seed, percept.tick, IMAGINED, DICE * k + agent)) for k in range(draws)]
        return believe(self.env, view, self.memory, agent, seeds)

    def described(self, agent: int, draws: int) -> list[dict[str, Any]]:
        """The same beliefs as JSON values."""
        state = self.of(agent, draws).state
        return [self.env.describe(state, lane) for lane in range(draws)]

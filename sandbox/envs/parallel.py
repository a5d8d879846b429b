"""A team as a PettingZoo parallel environment."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pettingzoo
from gymnasium import spaces

from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import digested
from sandbox.engine.environment import make
from sandbox.envs.episodes import (
    MODES,
    ONE_LANE,
    Episodes,
    action_space,
    checked_mode,
    lane_of,
    observation_space,
    observed,
)


class ParallelEnv(pettingzoo.ParallelEnv):
    """A team: agents ``agent_0`` ... act at once, each with its own observation and reward.

    An agent without an action does nothing. ``state()`` is the full state for centralised training: the bytes of its
    arrays without the cached ones, (S,) uint8.
    """

    def __init__(self, world: str, render_mode: str | None = None, flat: bool = False, **options: Any):
        self.metadata = {"name": f"sandbox_{world}_v0", "render_modes": list(MODES), "is_parallelizable": True}
        self.render_mode, self.flat, env = checked_mode(render_mode), flat, make(world, **options)
        self._episodes = Episodes(env)
        self.possible_agents = [f"agent_{k}" for k in range(env.agents)]
        self.agents: list[str] = []
        self._row = {name: k for k, name in enumerate(self.possible_agents)}
        self._observations = {name: observation_space(env, flat) for name in self.possible_agents}
        self._actions = {name: action_space(env) for name in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space:
        return self._of(self._observations, agent)

    def action_space(self, agent: str) -> spaces.Discrete:
        return self._of(self._actions, agent)

    def _of(self, known: dict[str, Any], agent: str) -> Any:
        if agent not in known:
            raise unknown("agent", agent, known)
        return known[agent]

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self._episodes.reset(ONE_LANE, [seed])
        self.agents = list(self.possible_agents)
        return self._seen(self.agents), self._told(self.agents)

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        episodes, present = self._episodes, self.agents
        if not actions and episodes.over.all():  # wrappers that keep agents alive do this
            return {}, {}, {}, {}, {}
        episodes.check_running()
        episodes.step(self._pairs(actions))
        rewards = {name: float(episodes.state.reward[0, self._row[name]]) for name in present}
        ends = (dict.fromkeys(present, bool(end[0])) for end in (episodes.terminated, episodes.truncated))
        self.agents = [] if episodes.over[0] else present
        return self._seen(present), rewards, *ends, self._told(present)

    def _pairs(self, actions: dict[str, int]) -> np.ndarray:
        if not isinstance(actions, Mapping):
            raise UsageError(f"step: expected an action for each agent, by name, got {repr(actions)[:60]}")
        pairs = np.full((1, len(self._row)), self._episodes.idle)
        for name, action in actions.items():
            pairs[0, self._of(self._row, name)] = self._episodes.checked_pair(action, f"action of {name}")
        return pairs

    def _seen(self, names: list[str]) -> dict[str, Any]:
        return {name: lane_of(observed(self._episodes, self._row[name], self.flat), 0) for name in names}

    def _told(self, names: list[str]) -> dict[str, dict]:
        return {name: lane_of(self._episodes.info(self._row[name]), 0) for name in names}

    def action_masks(self) -> dict[str, np.ndarray]:
        """(A,) bool for each agent: the actions that have an effect now."""
        return {name: self._episodes.view.mask[0, self._row[name]].copy() for name in self.agents}

    def state(self) -> np.ndarray:
        self._episodes.check_begun("state")
        state = self._episodes.state
        fields = (np.atleast_2d(getattr(state, name)) for name in digested(type(state)))
        fields = [field[0].reshape(-1).view(np.uint8) for field in fields]
        return np.concatenate(fields)

    def render(self) -> np.ndarray | str | None:
        return self._episodes.render(self.render_mode)

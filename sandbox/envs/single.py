"""A world with one agent as a Gymnasium environment."""

from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sandbox.core.errors import UsageError
from sandbox.engine.environment import Environment, make
from sandbox.envs.episodes import MODES, Episodes, checked_mode, lane_of
from sandbox.envs.spaces import action_space, observation_space, observed

ALL = np.ones(1, np.bool_)


def alone(world: str, options: dict[str, Any]) -> Environment:
    """A world with one agent."""
    if options.get("agents", 1) != 1:
        raise UsageError(f"agents: expected 1, got {options['agents']!r}; for a team there is parallel_env")
    return make(world, **{**options, "agents": 1})


class SingleEnv(gymnasium.Env):
    """A world with one agent."""

    def __init__(self, world: str, render_mode: str | None = None, flat: bool = False, **options: Any):
        self.metadata = {"render_modes": list(MODES), "render_fps": 12}
        self.render_mode, self.flat = checked_mode(render_mode), flat
        self._episodes = Episodes(alone(world, options))

    @cached_property
    def observation_space(self) -> spaces.Space:
        return observation_space(self._episodes.env, self.flat)

    @cached_property
    def action_space(self) -> spaces.Discrete:
        return action_space(self._episodes.env)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[Any, dict]:
        self._episodes.reset(ALL, [seed])
        super().reset(seed=None if seed is None else int(seed))
        return self._given()

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict]:
        episodes = self._episodes
        episodes.check_running()
        episodes.step(np.array([[episodes.checked_pair(action)]]))
        given, info = self._given()
        ends = bool(episodes.terminated[0]), bool(episodes.truncated[0])
        return given, float(episodes.state.reward[0, 0]), *ends, info

    def _given(self) -> tuple[Any, dict]:
        episodes = self._episodes
        return lane_of(observed(episodes, 0, self.flat), 0), lane_of(episodes.info(0), 0)

    def action_masks(self) -> np.ndarray:
        """(A,) bool: the actions that have an effect now."""
        return self._episodes.view.mask[0, 0].copy()

    def render(self) -> np.ndarray | str | None:
        return self._episodes.render(self.render_mode)

"""A world with one agent as a Gymnasium environment; or many lanes of it, stepped by one compiled call."""

import operator
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from sandbox.core.errors import UsageError, unknown
from sandbox.core.plain import checked_seed
from sandbox.engine.environment import Environment, make
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
        self._episodes.reset(ONE_LANE, [seed])
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


class VectorEnv(gymnasium.vector.VectorEnv):
    """``num_envs`` lanes. Each equals a lane of a ``SyncVectorEnv`` of ``gym_env`` with equal seeds and actions."""

    def __init__(
        self, world: str, num_envs: int, render_mode: str | None = None, flat: bool = False,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP, **options: Any,
    ):  # fmt: skip
        self.num_envs, self.autoreset_mode = _checked_count(num_envs), _checked_reset(autoreset_mode)
        self.metadata = {"render_modes": list(MODES), "render_fps": 12, "autoreset_mode": self.autoreset_mode}
        self.render_mode, self.flat = checked_mode(render_mode), flat
        self._episodes = Episodes(alone(world, options), self.num_envs)

    @cached_property
    def single_observation_space(self) -> spaces.Space:
        return observation_space(self._episodes.env, self.flat)

    @cached_property
    def single_action_space(self) -> spaces.Discrete:
        return action_space(self._episodes.env)

    @cached_property
    def observation_space(self) -> spaces.Space:
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> spaces.Space:
        return batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict]:
        """Start an episode in each lane, with ``seed``, ``seed`` + 1, ..., or with a list of seeds.

        With ``options={"reset_mask": lanes}``, (L,) bool, only those lanes are reset.
        """
        lanes = self._checked_mask((options or {}).get("reset_mask"))
        self._episodes.reset(lanes, self._seeds(seed))
        super().reset(seed=int(seed) if isinstance(seed, int | np.integer) else None)
        return observed(self._episodes, 0, self.flat), self._told(lanes)

    def step(self, actions: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict]:
        episodes, mode = self._episodes, self.autoreset_mode
        anew = self._anew()
        episodes.step(self._pairs(actions), anew)
        reward = np.where(anew, 0, episodes.state.reward[:, 0]).astype(np.float64)
        terminated, truncated = episodes.terminated, episodes.truncated
        final, over = {}, terminated | truncated
        if mode == AutoresetMode.SAME_STEP and over.any():
            final = self._final(over)
            episodes.reset(over, [None] * self.num_envs)
        told = final | self._told(np.ones(self.num_envs, np.bool_))
        return observed(episodes, 0, self.flat), reward, terminated, truncated, told

    def _anew(self) -> np.ndarray:
        """The lanes in which this step starts an episode."""
        if self.autoreset_mode != AutoresetMode.NEXT_STEP:
            self._episodes.check_running()
        self._episodes.check_begun("step")
        return self._episodes.over

    def _final(self, over: np.ndarray) -> dict[str, Any]:
        """The last observations and infos of ended episodes, in Gymnasium's form."""
        given, last = observed(self._episodes, 0, self.flat), np.full(self.num_envs, None, object)
        for lane in np.flatnonzero(over):
            last[lane] = lane_of(given, lane)
        final = {"final_obs": last, "final_info": self._told(over)}
        return final | {f"_{key}": over.copy() for key in final}

    def _told(self, lanes: np.ndarray) -> dict[str, Any]:
        """The infos of these lanes (L,) bool; entries of other lanes are empty."""
        return _masked(self._episodes.info(0), lanes)

    def _pairs(self, actions: np.ndarray) -> np.ndarray:
        pairs, most = np.asarray(actions), self._episodes.pairs
        if pairs.shape != (self.num_envs,) or pairs.dtype.kind not in "iu":
            what = f"{pairs.dtype} of shape {pairs.shape}"
            raise UsageError(f"step: actions: expected {self.num_envs} whole numbers, one for each lane, got {what}")
        wrong = (pairs < 0) | (pairs >= most)
        if wrong.any():
            lane = int(wrong.argmax())
            raise UsageError(f"step: action in lane {lane}: expected a whole number 0..{most - 1}, got {pairs[lane]}")
        return pairs[:, None]

    def _seeds(self, seed: Any) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, list | tuple | range | np.ndarray):
            if len(seed) != self.num_envs:
                raise UsageError(f"reset: seed: expected {self.num_envs} seeds, one for each lane, got {len(seed)}")
            return list(seed)
        first = checked_seed(seed, "reset: seed")
        return [first + lane for lane in range(self.num_envs)]

    def _checked_mask(self, mask: Any) -> np.ndarray:
        if mask is None:
            return np.ones(self.num_envs, np.bool_)
        if not isinstance(mask, np.ndarray) or mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise UsageError(f"reset: reset_mask: expected an array ({self.num_envs},) of bool, got {repr(mask)[:60]}")
        return mask

    def action_masks(self) -> np.ndarray:
        """(L, A) bool: the actions that have an effect now."""
        return self._episodes.view.mask[:, 0].copy()

    def render(self) -> tuple[np.ndarray | str | None, ...]:
        return tuple(self._episodes.render(self.render_mode, lane) for lane in range(self.num_envs))


def _masked(told: dict[str, Any], lanes: np.ndarray) -> dict[str, Any]:
    """Infos in the form of Gymnasium's vector environments: each with the mask of lanes that have it."""
    found: dict[str, Any] = {}
    for key, value in told.items():
        if isinstance(value, dict):
            found[key] = _masked(value, lanes)
        else:
            found[key] = value
            value[~lanes] = None if value.dtype == object else 0
        found[f"_{key}"] = lanes.copy()
    return found


def _checked_count(count: Any) -> int:
    try:
        number = 0 if isinstance(count, bool) else operator.index(count)
    except TypeError:
        number = 0
    if number < 1:
        raise UsageError(f"num_envs: expected a whole number from 1 on, got {count!r}")
    return number


def _checked_reset(mode: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        raise unknown("autoreset_mode", mode, [known.value for known in AutoresetMode]) from None

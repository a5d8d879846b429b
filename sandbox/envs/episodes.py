"""Episodes in lanes, side by side, and the spaces of their agents: the common part of environments for learners."""

import operator
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.core.plain import checked_seed
from sandbox.core.world import InboxColumn, TaskColumn
from sandbox.engine.environment import Environment
from sandbox.engine.play import FINISHES, Due

MODES = ("rgb_array", "ansi")
ONE_LANE = np.ones(1, np.bool_)  # for ``reset``
_FULL = np.iinfo(np.int32)
_RUNNING, _COMPLETED, _TICK_LIMIT = int(Finish.RUNNING), int(Finish.COMPLETED), int(Finish.TICK_LIMIT)
_WAIT, _TICK, _RESET = (int(due) for due in Due)  # plain integers: comparing arrays with members may lose Ctrl-C


class Episodes:
    """Lanes of one world, each with its episode. An episode started with a seed equals the trial of that seed."""

    def __init__(self, env: Environment, lanes: int = 1):
        self.env, self.lanes = env, lanes
        self.state, self.view = env.allocate(lanes), env.observation(lanes)
        self.pairs = len(env.verbs) * env.world.targets
        self._actions = np.zeros((lanes, env.agents, 2), np.int32)
        self._stats, self._faults = env.stats(lanes), env.faults(lanes)
        self._generators = [np.random.default_rng() for _ in range(lanes)]
        self._begun = np.zeros(lanes, np.bool_)

    @cached_property
    def _turn(self):
        """The compiled call that steps all lanes; it is looked up anew after unpickling."""
        return self.env.assign_policies([None] * self.env.agents)[1].turn

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "_turn"}

    # -- episodes ------------------------------------------------------------------------------------------------------

    def reset(self, lanes: np.ndarray, seeds: Sequence[int | None]) -> None:
        """Begin an episode in each of these ``lanes`` (L,) bool; ``seeds`` has a seed for every lane.

        Without a seed, the lane draws one from the generator of its last seed.
        """
        seeds = [seed if seed is None else checked_seed(seed, "reset: seed") for seed in seeds]
        for lane in np.flatnonzero(lanes):
            if seeds[lane] is not None:
                self._generators[lane] = np.random.default_rng(seeds[lane])
        self._begin(lanes, seeds)
        self._go_on(np.where(lanes, _RESET, _WAIT))
        self._begun |= lanes

    def _begin(self, lanes: np.ndarray, seeds: Sequence[int | None]) -> None:
        for lane in np.flatnonzero(lanes):
            seed = seeds[lane]
            self.state.seed[lane] = self._generators[lane].integers(2**32) if seed is None else seed
        self._faults.mail[lanes] = 0

    def step(self, pairs: np.ndarray, anew: np.ndarray | None = None) -> None:
        """One tick of every lane with the actions ``pairs`` (L, N); lanes in ``anew`` (L,) bool are reset instead."""
        self._actions[..., 0], self._actions[..., 1] = np.divmod(pairs, self.env.world.targets)
        if anew is None or not anew.any():
            self._go_on(np.full(self.lanes, _TICK))
            return
        self._begin(anew, [None] * self.lanes)
        self._go_on(np.where(anew, _RESET, _TICK))

    def _go_on(self, due: np.ndarray) -> None:
        own = self.state, self.view, self._actions, self._stats, self.env.params, self._faults
        self._turn(*own, due.astype(np.int8))

    # -- checks --------------------------------------------------------------------------------------------------------

    def check_begun(self, what: str) -> None:
        if not self._begun.all():
            raise UsageError(f"{what}: no episode has begun; call reset() first")

    def check_running(self) -> None:
        """Raise an error unless every lane can be stepped."""
        self.check_begun("step")
        if self.over.any():
            lane = int(self.over.argmax())
            where = f" in lane {lane}" if self.lanes > 1 else ""
            raise UsageError(
                f"step: the episode{where} is over ({FINISHES[self.state.done[lane]]}); call reset() first"
            )

    @property
    def idle(self) -> int:
        """The pair of the no-op."""
        return self.env.params.noop * self.env.world.targets

    def checked_pair(self, action: Any, what: str = "action") -> int:
        """An action as the number of a pair."""
        try:
            pair = -1 if isinstance(action, bool) else operator.index(action)
        except TypeError:
            pair = -1
        if not 0 <= pair < self.pairs:
            raise UsageError(f"step: {what}: expected a whole number 0..{self.pairs - 1}, got {repr(action)[:60]}")
        return pair

    # -- results -------------------------------------------------------------------------------------------------------

    @property
    def over(self) -> np.ndarray:
        return self.state.done != _RUNNING

    @property
    def truncated(self) -> np.ndarray:
        """(L,) bool: ended by the clock."""
        return self.state.done == _TICK_LIMIT

    @property
    def terminated(self) -> np.ndarray:
        """(L,) bool: ended for another reason than the clock."""
        return self.over & ~self.truncated

    def info(self, agent: int) -> dict[str, Any]:
        """The infos of one agent in all lanes, as copies; the first axis is the lane."""
        state, success = self.state, self.state.done == _COMPLETED
        told = {
            "action_mask": self.view.mask[:, agent].astype(np.int8),
            "tick": state.tick.copy(), "finish": FINISHES[state.done],
            "success": success, "is_success": success.copy(),  # the second is what Stable-Baselines3 logs
            "tasks_done": self._stats.progress[:, 0].copy(), "tasks_total": self._stats.progress[:, 1].copy(),
        }  # fmt: skip
        own = self.env.world.info
        return told | _copied(own(state, agent, self.env.params)) if own else told

    def render(self, mode: str | None, lane: int = 0) -> np.ndarray | str | None:
        """A picture (H, W, 3) uint8, or the observations of all agents as text."""
        self.check_begun("render")
        if mode == "rgb_array":
            return self.env.render(self.state, lane)
        if mode == "ansi":
            return "\n\n".join(self.env.render_text(self.state, lane, agent) for agent in range(self.env.agents))
        return None


def _copied(told: dict[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value.copy() for key, value in told.items()}


def lane_of(told: Any, lane: int) -> Any:
    """The values of one lane; plain values for arrays of one entry."""
    if isinstance(told, dict):
        return {key: lane_of(value, lane) for key, value in told.items()}
    own = told[lane]
    return own.item() if isinstance(own, np.generic) else own


def checked_mode(mode: str | None) -> str | None:
    """A render mode, or None."""
    if mode is not None and mode not in MODES:
        raise unknown("render_mode", mode, MODES)
    return mode


# -- spaces ------------------------------------------------------------------------------------------------------------


def _parts(env: Environment) -> dict[str, spaces.Box]:
    spec = env.spec
    parts = {
        "window": spaces.Box(spec.low, spec.high, (len(spec.channels), spec.side, spec.side), np.int8),
        "vector": spaces.Box(-np.inf, np.inf, (len(spec.vector),), np.float32),
        "task": spaces.Box(_FULL.min, _FULL.max, (len(TaskColumn),), np.int32),
    }
    return parts | (
        {"inbox": spaces.Box(_FULL.min, _FULL.max, (spec.messages, len(InboxColumn)), np.int32)}
        if spec.messages
        else {}
    )


def _flat(parts: dict[str, spaces.Box]) -> spaces.Box:
    low, high = ([getattr(part, end).ravel() for part in parts.values()] for end in ("low", "high"))
    return spaces.Box(*(np.concatenate(end, dtype=np.float32) for end in (low, high)), dtype=np.float32)


def observation_space(env: Environment, flat: bool) -> spaces.Space:
    """The space of one agent; a new object for each call, because each space is seeded separately."""
    if flat:
        return _flat(_parts(env))
    mask = spaces.Box(0, 1, (len(env.verbs) * env.world.targets,), np.int8)
    return spaces.Dict({"observation": spaces.Dict(_parts(env)), "action_mask": mask})


def action_space(env: Environment) -> spaces.Discrete:
    return spaces.Discrete(len(env.verbs) * env.world.targets)


def observed(episodes: Episodes, agent: int, flat: bool) -> Any:
    """The observations of one agent in all lanes, as copies; the first axis is the lane."""
    view = episodes.view
    parts = {name: getattr(view, name)[:, agent] for name in ("window", "vector", "task")}
    if episodes.env.spec.messages:
        parts["inbox"] = view.inbox[:, agent]
    if flat:
        return np.concatenate([part.reshape(len(part), -1) for part in parts.values()], axis=1, dtype=np.float32)
    kept = {name: part.copy() for name, part in parts.items()}
    return {"observation": kept, "action_mask": view.mask[:, agent].astype(np.int8)}

"""Worlds for learners: a PettingZoo parallel environment for a team, a Gymnasium environment for one agent.

An action is the number of a (verb, target) pair, ``verb * targets + target``. What an agent is given is a dict:
``observation`` holds its window (C, K, K) int8, vector (V,) float32 and, where the world has messages, inbox (M, 4)
int32; ``action_mask`` (A,) int8 is 1 for the pairs that have an effect. Others may be taken: they are no-ops.
"""

from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
from gymnasium import spaces

from sandbox.core.finish import Finish
from sandbox.engine.stage import Stage, make

FULL = np.iinfo(np.int32)
MODES = ["rgb_array", "ansi"]


class Episodes:
    """Episodes of one world, one after the other; the one begun with ``seed`` is the trial of that seed."""

    def __init__(self, stage: Stage):
        self.stage, self.state = stage, stage.allocate(1)
        self.generator = np.random.default_rng()
        self.targets = stage.world.targets
        self._view, self._actions = stage.observation(1), np.zeros((1, stage.agents, 2), np.int32)
        self._tally, (_, self._loops) = stage.tally(1), stage.cast([None] * stage.agents)

    def reset(self, seed: int | None) -> None:
        """Begin the episode of ``seed``; without one, the next of those that the last seed leads to."""
        if seed is None:
            seed = int(self.generator.integers(2**32))
        else:
            self.generator = np.random.default_rng(seed)
        self.stage.reset([seed], self.state)
        self._faults = self.stage.faults(1)

    def step(self, pairs: dict[int, int]) -> None:
        """One tick; agents that are not among ``pairs`` do nothing."""
        self._actions[0] = self.stage.rules.noop, 0
        for agent, pair in pairs.items():
            self._actions[0, agent] = divmod(int(pair), self.targets)
        own = self.stage.rules, self._actions, self._tally, self._faults
        self._loops.act(self.state, self._view, 0, *own)

    @property
    def finish(self) -> Finish:
        return Finish(self.state.done[0])

    def observe(self) -> None:
        self._loops.sense(self.state, 0, self.stage.rules, self._view, self._faults)

    def seen(self, agent: int) -> dict[str, Any]:
        """What one agent is given, in arrays of its own."""
        view = self._view
        parts = {"window": view.window[0, agent].copy(), "vector": view.vector[0, agent].copy()}
        if self.stage.spec.messages:
            parts["inbox"] = view.inbox[0, agent].copy()
        return {"observation": parts, "action_mask": view.mask[0, agent].astype(np.int8)}

    @property
    def terminated(self) -> bool:
        """The episode is over, by its own doing and not by the clock."""
        return self.finish not in (Finish.RUNNING, Finish.TICK_LIMIT)

    @property
    def truncated(self) -> bool:
        return self.finish == Finish.TICK_LIMIT

    def info(self) -> dict[str, Any]:
        return {"finish": self.finish.words, "tick": int(self.state.tick[0])}


def _spaces(stage: Stage) -> tuple[spaces.Dict, spaces.Discrete]:
    spec, pairs = stage.spec, len(stage.verbs) * stage.world.targets
    parts = {
        "window": spaces.Box(spec.low, spec.high, (len(spec.channels), spec.side, spec.side), np.int8),
        "vector": spaces.Box(-np.inf, np.inf, (len(spec.vector),), np.float32),
    }
    if spec.messages:
        parts["inbox"] = spaces.Box(FULL.min, FULL.max, (spec.messages, 4), np.int32)
    mask = spaces.Box(0, 1, (pairs,), np.int8)
    return spaces.Dict({"observation": spaces.Dict(parts), "action_mask": mask}), spaces.Discrete(pairs)


class ParallelEnv(pettingzoo.ParallelEnv):
    """A team: agents ``agent_0`` ... act at once, each is given its own observation and reward.

    ``state()`` is the whole truth for centralised training: the bytes of the state's arrays, (S,) uint8.
    """

    def __init__(self, world: str, render_mode: str | None = None, **options: Any):
        stage = make(world, **options)
        self.metadata = {"name": f"sandbox_{world}_v0", "render_modes": MODES, "is_parallelizable": True}
        self.render_mode, self._episodes = render_mode, Episodes(stage)
        self.possible_agents = [f"agent_{k}" for k in range(stage.agents)]
        self.agents: list[str] = []
        self._row = {name: k for k, name in enumerate(self.possible_agents)}
        made = [_spaces(stage) for _ in self.possible_agents]  # each agent's own: spaces are seeded one by one
        self._observations = {name: pair[0] for name, pair in zip(self.possible_agents, made, strict=True)}
        self._actions = {name: pair[1] for name, pair in zip(self.possible_agents, made, strict=True)}

    def observation_space(self, agent: str) -> spaces.Dict:
        return self._observations[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self._episodes.reset(seed)
        self._episodes.observe()
        self.agents = list(self.possible_agents)
        return self._seen(self.agents), self._told(self.agents)

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        episodes, present = self._episodes, self.agents
        episodes.step({self._row[name]: pair for name, pair in actions.items()})
        episodes.observe()
        rewards = {name: float(episodes.state.reward[0, self._row[name]]) for name in present}
        ends = dict.fromkeys(present, episodes.terminated), dict.fromkeys(present, episodes.truncated)
        self.agents = [] if episodes.finish != Finish.RUNNING else present
        return self._seen(present), rewards, *ends, self._told(present)

    def _seen(self, names: list[str]) -> dict[str, dict]:
        return {name: self._episodes.seen(self._row[name]) for name in names}

    def _told(self, names: list[str]) -> dict[str, dict]:
        return {name: self._episodes.info() for name in names}

    def state(self) -> np.ndarray:
        fields = [field[0].reshape(-1).view(np.uint8) for field in map(np.atleast_2d, self._episodes.state)]
        return np.concatenate(fields)

    def render(self) -> np.ndarray | str | None:
        return _render(self._episodes, self.render_mode)


class SingleEnv(gymnasium.Env):
    """A world with one agent."""

    def __init__(self, world: str, render_mode: str | None = None, **options: Any):
        self.metadata = {"render_modes": MODES, "render_fps": 12}
        self.render_mode, self._episodes = render_mode, Episodes(make(world, **{**options, "agents": 1}))

    @cached_property
    def observation_space(self) -> spaces.Dict:
        return _spaces(self._episodes.stage)[0]

    @cached_property
    def action_space(self) -> spaces.Discrete:
        return _spaces(self._episodes.stage)[1]

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        super().reset(seed=seed)
        self._episodes.reset(seed)
        self._episodes.observe()
        return self._episodes.seen(0), self._episodes.info()

    def step(self, action: int) -> tuple[dict, float, bool, bool, dict]:
        episodes = self._episodes
        episodes.step({0: action})
        episodes.observe()
        reward = float(episodes.state.reward[0, 0])
        return episodes.seen(0), reward, episodes.terminated, episodes.truncated, episodes.info()

    def render(self) -> np.ndarray | str | None:
        return _render(self._episodes, self.render_mode)


def _render(episodes: Episodes, mode: str | None) -> np.ndarray | str | None:
    """A picture (H, W, 3) uint8, or what every agent sees in words."""
    stage = episodes.stage
    if mode == "rgb_array":
        return stage.paint(episodes.state)
    if mode == "ansi":
        return "\n\n".join(stage.words(episodes.state, 0, agent) for agent in range(stage.agents))
    return None

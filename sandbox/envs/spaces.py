"""The spaces of actions and observations, and observations that fit them."""

from typing import Any

import numpy as np
from gymnasium import spaces

from sandbox.engine.environment import Environment
from sandbox.envs.episodes import Episodes

FULL = np.iinfo(np.int32)


def _parts(env: Environment) -> dict[str, spaces.Box]:
    spec = env.spec
    parts = {
        "window": spaces.Box(spec.low, spec.high, (len(spec.channels), spec.side, spec.side), np.int8),
        "vector": spaces.Box(-np.inf, np.inf, (len(spec.vector),), np.float32),
        "task": spaces.Box(FULL.min, FULL.max, (4,), np.int32),
    }
    return parts | ({"inbox": spaces.Box(FULL.min, FULL.max, (spec.messages, 4), np.int32)} if spec.messages else {})


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

"""A lane as a list of facts, and which of them a robot sees: what its imagination is measured by."""

import numpy as np

from sandbox.core.maps import around
from sandbox.worlds.warehouse.state import Rules, State


def facts(s: State, lane: int, rules: Rules) -> np.ndarray:
    """(4 H W + N,) int: for each cell robot, shelf, request, closed; for each robot whether it is loaded."""
    who, shelf = s.agent_at[lane], s.shelf_at[lane]
    robot = np.where(who > 0, s.facing[lane][who - 1] + 1, 0)
    wanted = np.where(shelf > 0, s.requested[lane][shelf - 1], 0)
    layers = robot, shelf > 0, wanted, s.grid[lane]
    return np.concatenate([*(np.ravel(layer) for layer in layers), s.carrying[lane] > 0]).astype(np.int64)


def in_view(s: State, lane: int, agent: int, rules: Rules) -> np.ndarray:
    """The cells of its window, but for what is closed, which it learns where it is stopped; its own load."""
    near = around(rules.plan.shape, s.pos[lane, agent], rules.sight, rules.sight).ravel()
    return np.concatenate([near, near, near, np.zeros_like(near), np.arange(rules.agents) == agent])

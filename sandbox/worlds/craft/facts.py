"""A lane as a list of facts, and which of them a player sees: what its imagination is measured by."""

import numpy as np

from sandbox.core.maps import around
from sandbox.worlds.craft.state import ACROSS, DOWN, ITEMS, Kind, Mob, Rules, State


def facts(s: State, lane: int, rules: Rules) -> np.ndarray:
    """(2 H W + 16 N,) int: each cell's material and what stands there; each player's items."""
    kinds = np.concatenate([[Kind.NONE], np.full(rules.agents, Kind.PLAYER), s.mobs[lane, :, Mob.KIND]])
    parts = s.grid[lane], kinds[s.object_at[lane]], s.body[lane][:, ITEMS]
    return np.concatenate([part.ravel() for part in parts]).astype(np.int64)


def in_view(s: State, lane: int, agent: int, rules: Rules) -> np.ndarray:
    """The cells of its window, and its own items."""
    near = around(rules.plan.shape, s.pos[lane, agent], DOWN, ACROSS).ravel()
    return np.concatenate([near, near, np.repeat(np.arange(rules.agents) == agent, len(ITEMS))])

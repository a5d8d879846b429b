"""A lane as a list of facts, and which of them a crew sees: what its imagination is measured by."""

import numpy as np

from sandbox.core.maps import around
from sandbox.worlds.wildfire.state import Crew, Rules, State


def facts(s: State, lane: int, rules: Rules) -> np.ndarray:
    """(2 H W + N,) int: each cell's land and whether a crew is there; each crew's tanks."""
    crews = np.zeros((rules.height, rules.width), np.int64)
    there = s.pos[lane][s.pos[lane, :, 0] >= 0]
    crews[there[:, 0], there[:, 1]] = 1
    return np.concatenate([s.land[lane].ravel(), crews.ravel(), s.crew[lane, :, Crew.TANKS]]).astype(np.int64)


def in_view(s: State, lane: int, agent: int, rules: Rules) -> np.ndarray:
    """The cells of its window, and its own tanks."""
    near = around((rules.height, rules.width), s.pos[lane, agent], rules.sight, rules.sight).ravel()
    return np.concatenate([near, near, np.arange(rules.agents) == agent])

"""A lane as a list of facts, and which of them a cook sees: what his imagination is measured by."""

import numpy as np

from sandbox.core.maps import around
from sandbox.worlds.kitchen.state import Pot, Rules, State


def facts(s: State, lane: int, rules: Rules) -> np.ndarray:
    """(3 H W + 3 P + 1,) int: for each cell cook, what he holds, what lies there; each pot; soups served."""
    cook, held = np.zeros((2, *rules.plan.shape), np.int64)
    for (row, col), facing, thing in zip(s.pos[lane], s.facing[lane], s.holding[lane], strict=True):
        if row >= 0:
            cook[row, col], held[row, col] = facing + 1, thing
    pots = s.pots[lane, :, [Pot.ONIONS, Pot.TOMATOES, Pot.TICKS]]
    layers = cook, held, s.items[lane], pots, s.served[lane]
    return np.concatenate([np.ravel(layer) for layer in layers]).astype(np.int64)


def in_view(s: State, lane: int, agent: int, rules: Rules) -> np.ndarray:
    """The cells of his window; all pots, and what was served."""
    near = around(rules.plan.shape, s.pos[lane, agent], rules.sight, rules.sight).ravel()
    return np.concatenate([near, near, near, np.ones(3 * s.pots.shape[1] + 1, np.bool_)])

"""Draws of nets that decide in the hosted tier: from logits to a pair, keyed by the trial's seed."""

from collections.abc import Callable

import numpy as np

from sandbox.core.decision import Percept
from sandbox.engine.draw import uniform

ILLEGAL = "nothing is legal"  # why no pair is drawn


def chances(logits: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(A,) the probability of each pair; 0 outside the mask."""
    odds = np.where(mask, logits, -np.inf)
    odds = np.exp(odds - odds.max())
    return odds / odds.sum()


def dice(seed: int, stream: int) -> Callable[[np.ndarray, Percept], int]:
    """What draws a pair from odds (A,), with one number for each tick and agent of a trial."""
    key = np.uint64(seed)

    def drawn(odds: np.ndarray, percept: Percept) -> int:
        number = uniform(key, np.int32(percept.tick), np.int32(stream), np.int32(percept.agent))
        place = int(np.searchsorted(odds.cumsum(), number, side="right"))
        return min(place, int(np.flatnonzero(percept.mask)[-1]))

    return drawn

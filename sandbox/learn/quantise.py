"""From floats to the integers of ``engine.layers``: scales from activations on samples, and no sum can overflow.

A value v is kept as round(v * scale). Activations are scaled so that the highest of the samples, and a margin, is TOP;
logits are scaled by UNIT. Each layer's weights are scaled as finely as 16 bits (the first layer, a sum of rows) or 13
bits (the others, whose products are summed) allow.
"""

from typing import NamedTuple

import numpy as np

from sandbox.engine.layers import TOP, UNIT

MARGIN = 1.25  # of the highest activation among the samples
DEAD = 1e-3  # highest activation of a layer that does nothing
WIDE, NARROW = 32767, 4095  # highest weights
HIGHEST = 2**31 - 1  # of a sum


class Layer(NamedTuple):
    """A layer in integers: (x @ weights + bias) >> shift."""

    weights: np.ndarray  # (I, O) int16
    bias: np.ndarray  # (O,) int32
    shift: int


def quantised(weights: np.ndarray, bias: np.ndarray, before: float, after: float, top: int, inputs: int) -> Layer:
    """A layer (I, O) float whose inputs have the scale ``before``, and whose outputs get the scale ``after``.

    ``top`` is the highest input and ``inputs`` how many of the I inputs are not 0 at most; ``before`` 1, ``top`` 1:
    rows of a table are summed.
    """
    most = WIDE if top == 1 else NARROW
    for shift in range(24, -1, -1):
        scale = after * 2.0**shift / before
        whole, added = np.round(weights * scale), np.round(bias * scale * before)
        sums = np.sort(np.abs(whole), axis=0)[-inputs:].sum(axis=0) * top + np.abs(added)
        if np.abs(whole).max(initial=0) <= most and sums.max() <= HIGHEST:
            return Layer(whole.astype(np.int16), added.astype(np.int32), shift)
    raise OverflowError("weights too large for 16 bits; train with a smaller learning rate")


def scale_of(activations: np.ndarray) -> float:
    """The scale of a layer's outputs, from its activations on samples; any will do for a layer that is dead."""
    highest = float(activations.max(initial=0))
    return TOP / (MARGIN * highest) if highest > DEAD else 1.0


def logits_scale() -> float:
    """The scale of logits."""
    return float(UNIT)

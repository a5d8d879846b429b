"""Layers of small nets in integers: equal on any machine and in both tiers, since no sum is rounded.

Activations are 0..TOP (12 bits), weights int16, sums int32; ``learn.quantise`` chooses shifts and scales so that no
sum can overflow. The last layer gives logits in units of 1 / UNIT. :func:`pick` draws a class from them by a table of
exp; classes below 1 / UNLIKELY of the likeliest are cut off, so that what is nearly certain stays so over many ticks.
"""

from math import log

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel

TOP = 4095  # highest activation
UNIT = 64  # logits: this many to one nat
UNLIKELY = 64
ODDS = np.round(65536 * np.exp(-np.arange(int(UNIT * log(UNLIKELY)) + 1) / UNIT)).astype(np.int64)  # by difference


@kernel
def sum_rows(table, rows, count, bias, shift, out):
    """The first layer, into ``out`` (O,) int32: ``bias`` and the first ``count`` of ``rows`` of ``table``, shifted."""
    for j in range(len(out)):
        out[j] = bias[j]
    for k in range(count):
        row = table[rows[k]]
        for j in range(len(out)):
            out[j] += row[j]
    for j in range(len(out)):
        out[j] >>= shift


@kernel
def linear(x, weights, bias, shift, first, end, out):
    """Outputs ``first`` .. ``end`` - 1 of a layer, into ``out`` (O,) int32.

    They are ``bias`` (O,) int32 + ``x`` (I,) int32 times ``weights`` (I, O) int16, shifted right by ``shift`` bits.
    """
    for j in range(first, end):
        out[j] = bias[j]
    for i in range(len(x)):
        if x[i]:
            for j in range(first, end):
                out[j] += np.int32(x[i]) * np.int32(weights[i, j])
    for j in range(first, end):
        out[j] >>= shift


@kernel
def rectify(x):
    """Clip activations (n,) int32 to 0..TOP, in place."""
    for j in range(len(x)):
        x[j] = min(max(x[j], 0), TOP)


@kernel
def activate(first, weights, bias, shift, second):
    """The activations of both hidden layers: ``first`` (I,) int32 from its sums, and ``second`` (O,) int32."""
    rectify(first)
    linear(first, weights, bias, shift, 0, len(second), second)
    rectify(second)


@kernel
def pick(logits, first, end, odds, seed, tick, stream, index):
    """A class of ``logits[first:end]`` (int32), counted from 0, drawn by the key (seed, tick, stream, index).

    ``odds`` is ODDS. Nothing is drawn where only one class is likely.
    """
    best, total = first, np.int64(0)
    for k in range(first + 1, end):
        if logits[k] > logits[best]:
            best = k
    for k in range(first, end):
        apart = logits[best] - logits[k]
        if apart < len(odds):
            total += odds[apart]
    if total == odds[0]:
        return best - first
    left = below(total, seed, tick, stream, index)
    for k in range(first, end):
        apart = logits[best] - logits[k]
        if apart < len(odds):
            if left < odds[apart]:
                return k - first
            left -= odds[apart]
    return best - first

"""Durations: distributions as rows of a table, and their samples as keyed draws.

A row is (kind, a, b, c): CONSTANT a; UNIFORM a..b; EXPONENTIAL with mean a; LOGNORMAL with median a, and the standard
deviations b and c of the logarithm below and above the median, so that published 10 % and 90 % points both hold.
"""

from enum import IntEnum
from math import cos, exp, log, pi, sqrt

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel

Z90 = 1.2815515655446004  # 90 % point of the standard normal distribution


class Dist(IntEnum):
    """The kind of a row."""

    CONSTANT = 0
    UNIFORM = 1
    EXPONENTIAL = 2
    LOGNORMAL = 3


@kernel
def sample(row, seed, tick, stream, index):
    """A duration of the distribution ``row`` (4,) float64; it may draw from ``stream`` and the next one.

    The normal number behind a lognormal one is that of Box and Muller (1958).
    """
    kind = np.int64(row[0])
    if kind == Dist.CONSTANT:
        return row[1]
    first = uniform(seed, tick, stream, index)
    if kind == Dist.EXPONENTIAL:
        return -row[1] * log(1.0 - first)
    if kind == Dist.UNIFORM:
        return row[1] + (row[2] - row[1]) * first
    z = sqrt(-2.0 * log(1.0 - first)) * cos(2.0 * pi * uniform(seed, tick, stream + 1, index))
    return row[1] * exp((row[2] if z < 0.0 else row[3]) * z)


def constant(value: float) -> list[float]:
    """The row of a constant."""
    return [Dist.CONSTANT, value, 0.0, 0.0]


def uniform_between(low: float, high: float) -> list[float]:
    """The row of a uniform distribution."""
    return [Dist.UNIFORM, low, high, 0.0]


def exponential(mean: float) -> list[float]:
    """The row of an exponential distribution."""
    return [Dist.EXPONENTIAL, mean, 0.0, 0.0]


def lognormal(median: float, p10: float, p90: float) -> list[float]:
    """The row of the lognormal distribution with this median, and with these 10 % and 90 % points."""
    return [Dist.LOGNORMAL, median, np.log(median / p10) / Z90, np.log(p90 / median) / Z90]


WAYS = {  # keys by which a distribution is given, and what makes its row of their values
    ("median", "p10", "p90"): lognormal, ("mean",): exponential, ("low", "high"): uniform_between,
    ("constant",): constant,
}  # fmt: skip


def moments(row: list[float]) -> tuple[float, float]:
    """Mean and variance of a distribution; those of a lognormal one are numerical."""
    kind, a, b, c = row
    if kind == Dist.UNIFORM:
        return (a + b) / 2, (b - a) ** 2 / 12
    if kind == Dist.EXPONENTIAL:
        return a, a * a
    if kind == Dist.LOGNORMAL:
        z = np.linspace(-9, 9, 20_001)
        weight = np.exp(-0.5 * z * z)
        value = a * np.exp(np.where(z < 0, b, c) * z)
        mean = float((weight * value).sum() / weight.sum())
        return mean, float((weight * (value - mean) ** 2).sum() / weight.sum())
    return a, 0.0

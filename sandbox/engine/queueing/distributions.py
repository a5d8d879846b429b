"""Durations: distributions as rows of a table, and their samples as keyed draws.

A row is (kind, a, b, c): CONSTANT a; UNIFORM a..b; EXPONENTIAL with mean a; LOGNORMAL with median a, and the standard
deviations b and c of the logarithm below and above the median, so that published 10 % and 90 % points both hold.

QUANTILES is any law of SciPy as a table: the values at the probabilities (1 - cos(pi k / n)) / 2, k = 0..n, which are
close together at both ends (Chebyshev's points), with straight lines between. Rows of one table are equally long.
"""

from collections.abc import Sequence
from enum import IntEnum
from math import acos, cos, exp, inf, log, pi, sqrt

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel

Z90 = 1.2815515655446004  # 90 % point of the standard normal distribution
LAWS = ("beta", "expon", "exponnorm", "gamma", "lognorm", "norm", "triang", "uniform", "weibull_min")  # of SciPy
CELLS = 256  # of a table of quantiles
TAIL = 1e-6  # a law without end is cut there; and the least share of a law that must lie within its limits
DIGITS = 9  # of a quantile, so that versions of SciPy agree


class Dist(IntEnum):
    """The kind of a row."""

    CONSTANT = 0
    UNIFORM = 1
    EXPONENTIAL = 2
    LOGNORMAL = 3
    QUANTILES = 4


@kernel
def _between_quantiles(row, share):
    """The value of a table of quantiles at a probability."""
    cells = len(row) - 2
    k = min(int(acos(1.0 - 2.0 * share) * cells / pi), cells - 1)
    low, high = 0.5 - 0.5 * cos(pi * k / cells), 0.5 - 0.5 * cos(pi * (k + 1) / cells)
    return row[1 + k] + (row[2 + k] - row[1 + k]) * min(1.0, max(0.0, (share - low) / (high - low)))


@kernel
def sample(row, seed, tick, stream, index):
    """A duration of the distribution ``row`` (W,) float64; it may draw from ``stream`` and the next one.

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
    if kind == Dist.QUANTILES:
        return _between_quantiles(row, first)
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


def quantiles(law: str, parameters: Sequence[float], low: float = 0.0, high: float = inf) -> list[float]:
    """The row of a law of SciPy, given that the value is between ``low`` and ``high``.

    ``parameters`` are those of ``scipy.stats``: shapes, then ``loc`` and ``scale``. Raises ValueError if the law does
    not have them, or has no values within the limits.
    """
    from scipy import stats

    frozen = getattr(stats, law)(*parameters)
    share = (1 - np.cos(np.pi * np.arange(CELLS + 1) / CELLS)) / 2
    first, last = frozen.cdf(low), frozen.cdf(high)
    if not last - first > TAIL:
        raise ValueError(f"{law} with {', '.join(f'{each:g}' for each in parameters)} has no values there")
    values = np.clip(frozen.ppf(np.clip(first + (last - first) * share, TAIL, 1 - TAIL)), low, high)
    return [float(Dist.QUANTILES), *(float(f"{value:.{DIGITS}g}") for value in values)]


def scaled(row: list[float], factor: float) -> list[float]:
    """The row of a distribution whose values are ``factor`` times as large."""
    if row[0] == Dist.LOGNORMAL:
        return [row[0], row[1] * factor, *row[2:]]
    return [row[0], *(value * factor for value in row[1:])]


WAYS = {  # keys by which a distribution is given, and what makes its row of their values
    ("median", "p10", "p90"): lognormal, ("mean",): exponential, ("low", "high"): uniform_between,
    ("constant",): constant,
}  # fmt: skip


def moments(row: list[float]) -> tuple[float, float]:
    """Mean and variance of a distribution; those of a lognormal one are numerical."""
    if row[0] == Dist.QUANTILES:
        share = np.diff((1 - np.cos(np.pi * np.arange(len(row) - 1) / (len(row) - 2))) / 2)
        first, last = np.array(row[1:-1]), np.array(row[2:])
        mean = float((share * (first + last)).sum() / 2)
        return mean, float((share * (first * first + first * last + last * last)).sum() / 3 - mean * mean)
    kind, a, b, c = row[:4]
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

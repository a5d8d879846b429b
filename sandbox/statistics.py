"""What outcomes say, with exact intervals; every number is SciPy's."""

from typing import NamedTuple

from scipy.stats import binomtest

CONFIDENCE = 0.95


class Rate(NamedTuple):
    """A share of trials with its exact interval."""

    value: float
    low: float
    high: float


def success_rate(successes: int, trials: int, confidence: float = CONFIDENCE) -> Rate:
    """The share of successes with its Clopper-Pearson interval, which covers the truth at least that often."""
    interval = binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return Rate(successes / trials, float(interval.low), float(interval.high))

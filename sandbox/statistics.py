"""What outcomes say. Every test and interval is SciPy's; here stands only which one, and why.

Successes are counted of trials that ran; infrastructure errors are left out before anything here is called.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import special, stats

CONFIDENCE = 0.95
RESAMPLES, BATCH = 9_999, 1_000  # the latter at a time, for the sake of memory
MANY = 2_000  # pairs


class Estimate(NamedTuple):
    """A value with its interval."""

    value: float
    low: float
    high: float


class Paired(NamedTuple):
    """Two arms on the same seeds."""

    pairs: int
    only_first: int  # seeds on which only the first arm succeeds
    only_second: int
    difference: Estimate  # of success, second minus first
    p_value: float  # McNemar's exact test


class Completion(NamedTuple):
    """A curve that rises at ``ticks`` (K,) to ``share`` (K,), with its interval."""

    ticks: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def success_rate(successes: int, trials: int, confidence: float = CONFIDENCE) -> Estimate:
    """The share of successes with its Clopper-Pearson interval, which covers the truth at least that often."""
    interval = stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def lower_bound(successes: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The reliability that is certified: Clopper and Pearson's one-sided lower bound of the success rate."""
    test = stats.binomtest(successes, trials, alternative="greater")
    return float(test.proportion_ci(confidence, method="exact").low)


def trials_needed(reliability: float, confidence: float = CONFIDENCE, failures: int = 0) -> int:
    """The least number of trials whose lower bound reaches ``reliability`` with that many failures among them."""
    low, high = failures + 1, failures + 1
    while stats.binom.cdf(failures, high, 1 - reliability) > 1 - confidence:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if stats.binom.cdf(failures, middle, 1 - reliability) > 1 - confidence:
            low = middle + 1
        else:
            high = middle
    return high


def pass_hat(successes: int, trials: int, k: int) -> float:
    """pass^k (Yao and others 2024, tau-bench): the chance that k trials out of these all succeed."""
    return float(special.comb(successes, k) / special.comb(trials, k)) if k <= trials else float("nan")


def kaplan_meier(steps: np.ndarray, succeeded: np.ndarray, confidence: float = CONFIDENCE) -> Completion:
    """Share of trials that are done by each tick: one minus Kaplan and Meier's curve (1958) of those that are not.

    Arguments as in ``mean_steps``. The interval is pointwise, Greenwood's variance on the log-log scale; it is NaN
    where that has none: before the first trial is done, and once all are.
    """
    curve = stats.ecdf(stats.CensoredData.right_censored(steps, ~succeeded.astype(bool))).sf
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = curve.confidence_interval(confidence, method="log-log")
    return Completion(
        curve.quantiles, 1 - curve.probabilities, 1 - interval.high.probabilities, 1 - interval.low.probabilities
    )


def mean_steps(steps: np.ndarray, succeeded: np.ndarray, limit: float) -> float:
    """Restricted mean steps to completion up to ``limit``: the area below Kaplan and Meier's curve.

    ``steps`` (T,) are ticks to completion or, where ``succeeded`` (T,) is False, ticks until the trial was given up;
    these are censored, not dropped, so that a policy gains nothing by failing on hard seeds.
    """
    data = stats.CensoredData.right_censored(steps, ~succeeded.astype(bool))
    curve = stats.ecdf(data).sf
    ticks = np.concatenate([[0.0], curve.quantiles[curve.quantiles < limit], [limit]])
    return float(np.sum(np.diff(ticks) * curve.evaluate(ticks[:-1])))


def latency(ticks: np.ndarray, share: float, confidence: float = CONFIDENCE) -> Estimate:
    """The tick by which a ``share`` of trials are done, such as p95, of ``ticks`` (T,); infinite for those never done.

    Interval: two order statistics (David and Nagaraja 2003, Order Statistics, 7.1), which cover at least that often
    whatever the distribution; 0 and infinity where no trial is early or late enough.
    """
    tail, count = (1 - confidence) / 2, len(ticks)
    ordered = np.concatenate([[0.0], np.sort(ticks), [np.inf]])
    low, high = stats.binom.ppf([tail, 1 - tail], count, share).astype(int)
    return Estimate(float(ordered[int(np.ceil(share * count))]), float(ordered[low]), float(ordered[high + 1]))


def mean_difference(differences: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of paired differences (T,) with its bootstrap interval (BCa, Efron 1987), drawn with a fixed seed.

    Of more than ``MANY`` pairs the interval is Student's: there the two agree, and resampling would take hours.
    """
    value = float(np.mean(differences))
    if np.ptp(differences) == 0:
        return Estimate(value, value, value)
    if len(differences) > MANY:
        interval = stats.ttest_1samp(differences, 0).confidence_interval(confidence)
        return Estimate(value, float(interval.low), float(interval.high))
    rng = np.random.default_rng(0)
    options = {"confidence_level": confidence, "n_resamples": RESAMPLES, "batch": BATCH, "rng": rng}
    found = stats.bootstrap((differences,), np.mean, **options)
    return Estimate(value, float(found.confidence_interval.low), float(found.confidence_interval.high))


def independent_difference(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Difference of the means (T,), second minus first, as of two samples that share nothing (Welch 1947)."""
    value = float(np.mean(second) - np.mean(first))
    if np.ptp(first) == np.ptp(second) == 0:
        return Estimate(value, value, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one of them may be constant
        interval = stats.ttest_ind(second, first, equal_var=False).confidence_interval(confidence)
    return Estimate(value, float(interval.low), float(interval.high))


def correlation(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Pearson's correlation of pairs (T,) with Fisher's interval; 0 with no end where it cannot be told."""
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Estimate(0.0, -1.0, 1.0)
    found = stats.pearsonr(first, second)
    interval = found.confidence_interval(confidence)
    return Estimate(float(found.statistic), float(interval.low), float(interval.high))


def ratio(parts: np.ndarray, wholes: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Sum of ``parts`` (T,) over sum of ``wholes`` (T,), not all 0, with its bootstrap interval over the T pairs."""
    value = float(parts.sum() / wholes.sum())
    some = wholes > 0
    if some.sum() < 2:
        return Estimate(value, float("nan"), float("nan"))

    def share(a, b, axis=-1):
        return a.sum(axis=axis) / b.sum(axis=axis)

    options = {"paired": True, "method": "percentile", "confidence_level": confidence, "n_resamples": RESAMPLES}
    rng = np.random.default_rng(0)
    found = stats.bootstrap((parts[some], wholes[some]), share, vectorized=True, batch=BATCH, rng=rng, **options)
    return Estimate(value, float(found.confidence_interval.low), float(found.confidence_interval.high))


def paired_success(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Paired:
    """Compare success (T,) bool of two arms on the same seeds.

    The test is McNemar's, exact: of the seeds on which the arms differ, either arm wins with chance one half.
    """
    first, second = first.astype(bool), second.astype(bool)
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    p_value = float(stats.binomtest(only_second, differ).pvalue) if differ else 1.0
    difference = mean_difference(second.astype(float) - first, confidence)
    return Paired(len(first), only_first, only_second, difference, p_value)


def holm(p_values: list[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: the chance of any false finding among all of these stays at the level."""
    order, adjusted, worst = np.argsort(p_values), [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted

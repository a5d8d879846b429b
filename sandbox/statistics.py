"""Statistics of outcomes. Tests and intervals are SciPy's if it has them; this module selects them and says why.

Callers exclude infrastructure errors before they call these functions.
"""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported at their first use

CONFIDENCE = 0.95
RESAMPLES = 2_000  # of a bootstrap


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
    p_value: float  # McNemar's test, which agrees with the interval


class Pairing(NamedTuple):
    """The gain from pairing two arms on the same seeds."""

    correlation: float
    saved: float  # share of the difference's variance that pairing removes; below 0 if it adds variance


class Completion(NamedTuple):
    """A curve that rises at ``ticks`` (K,) to ``share`` (K,), with its interval."""

    ticks: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def success_rate(successes: int, trials: int, confidence: float = CONFIDENCE) -> Estimate:
    """The share of successes with its Clopper-Pearson interval, which covers the truth at least that often."""
    interval = scipy.stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def clustered_rate(parts: np.ndarray, wholes: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """The share of ``parts`` (C,) in ``wholes`` (C,), not all 0: successes and trials of each seed (cluster).

    The interval is Korn and Graubard's (1998): Clopper and Pearson's for the effective number of trials, that is,
    the number of independent trials whose rate varies as much, at most the number of all. If no trial or every trial
    succeeds, the variation between seeds is unknown, and a seed counts as one trial. With one trial a seed, the
    interval is Clopper and Pearson's.

    Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.
    """
    parts, wholes = parts[wholes > 0], wholes[wholes > 0]
    value, count, seeds = float(parts.sum() / wholes.sum()), float(wholes.sum()), len(wholes)
    apart = float(np.sum((parts - value * wholes) ** 2))
    if seeds < 2 or not 0 < value < 1:
        effective = float(seeds)
    elif apart == 0:
        effective = count
    else:
        variance = apart / count**2 * seeds / (seeds - 1) * (count - 1) / count
        tail = (1 + confidence) / 2
        few = (scipy.stats.t.ppf(tail, count - 1) / scipy.stats.t.ppf(tail, seeds - 1)) ** 2
        effective = min(count, value * (1 - value) / variance * few)
    tail, of_these = (1 - confidence) / 2, value * effective
    low = scipy.stats.beta.ppf(tail, of_these, effective - of_these + 1) if value > 0 else 0.0
    high = scipy.stats.beta.ppf(1 - tail, of_these + 1, effective - of_these) if value < 1 else 1.0
    return Estimate(value, float(low), float(high))


def lower_bound(successes: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """The certified reliability: Clopper and Pearson's one-sided lower bound of the success rate."""
    test = scipy.stats.binomtest(successes, trials, alternative="greater")
    return float(test.proportion_ci(confidence, method="exact").low)


def trials_needed(reliability: float, confidence: float = CONFIDENCE, failures: int = 0) -> int:
    """The least number of trials whose lower bound reaches ``reliability`` with that many failures among them."""
    low, high = failures + 1, failures + 1
    while scipy.stats.binom.cdf(failures, high, 1 - reliability) > 1 - confidence:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if scipy.stats.binom.cdf(failures, middle, 1 - reliability) > 1 - confidence:
            low = middle + 1
        else:
            high = middle
    return high


def pass_hat(successes: int, trials: int, k: int) -> float:
    """pass^k (Yao and others 2024, tau-bench): the chance that k trials out of these all succeed."""
    return float(scipy.special.comb(successes, k) / scipy.special.comb(trials, k)) if k <= trials else float("nan")


def kaplan_meier(steps: np.ndarray, succeeded: np.ndarray, confidence: float = CONFIDENCE) -> Completion:
    """Share of trials that are done by each tick: one minus Kaplan and Meier's curve (1958) of those that are not.

    Arguments as in ``mean_steps``. The interval is pointwise, Greenwood's variance on the log-log scale; it is NaN
    where that is undefined: before the first trial is done, and once all are.
    """
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(steps, ~succeeded.astype(bool))).sf
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
    data = scipy.stats.CensoredData.right_censored(steps, ~succeeded.astype(bool))
    curve = scipy.stats.ecdf(data).sf
    ticks = np.concatenate([[0.0], curve.quantiles[curve.quantiles < limit], [limit]])
    return float(np.sum(np.diff(ticks) * curve.evaluate(ticks[:-1])))


def latency(ticks: np.ndarray, share: float, confidence: float = CONFIDENCE) -> Estimate:
    """The tick by which a ``share`` of trials are done, such as p95, of ``ticks`` (T,); infinite for trials never done.

    Interval: two order statistics (David and Nagaraja 2003, Order Statistics, 7.1), which cover at least that often
    for any distribution; 0 or infinity if no trial is early or late enough.
    """
    tail, count = (1 - confidence) / 2, len(ticks)
    ordered = np.concatenate([[0.0], np.sort(ticks), [np.inf]])
    low, high = scipy.stats.binom.ppf([tail, 1 - tail], count, share).astype(int)
    return Estimate(float(ordered[int(np.ceil(share * count))]), float(ordered[low]), float(ordered[high + 1]))


def mean_difference(differences: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of paired differences (T,) with its interval: the wider of Student's and Hall's (1992) at each end.

    Hall's cubic transformation of t removes the skewness; Student's interval, and a bootstrap of few different pairs,
    do not. If few pairs differ in both directions, Hall's interval is the narrower one. If all pairs are equal, no
    interval is defined, and both ends are the value: report that they are equal, and their number.

    Hall, P. (1992). On the removal of skewness by transformation. J. R. Stat. Soc. B 54, 221-228.
    """
    value, count = float(np.mean(differences)), len(differences)
    if np.ptp(differences) == 0:
        return Estimate(value, value, value)
    error = float(np.std(differences, ddof=1) / np.sqrt(count))
    quantile = float(scipy.stats.t.ppf((1 + confidence) / 2, count - 1))
    skew = float(scipy.stats.skew(differences) / np.sqrt(count))
    low, high = (_without_skew(end, skew) for end in (quantile, -quantile))
    return Estimate(value, value - error * max(quantile, low), value + error * max(quantile, -high))


def _without_skew(quantile: float, skew: float) -> float:
    """The t that Hall's cubic maps to ``quantile``; ``skew`` is the sample's skewness over the root of its size."""
    if abs(skew) < 1e-9:
        return quantile
    return float(3 / skew * (np.cbrt(1 + skew * (quantile - skew / 6)) - 1))


def independent_difference(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Difference of the means (T,), second minus first, of two independent samples (Welch 1947)."""
    value = float(np.mean(second) - np.mean(first))
    if np.ptp(first) == np.ptp(second) == 0:
        return Estimate(value, value, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # raised if a sample is constant
        interval = scipy.stats.ttest_ind(second, first, equal_var=False).confidence_interval(confidence)
    return Estimate(value, float(interval.low), float(interval.high))


def correlation(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Pearson's correlation of pairs (T,) with Fisher's interval; (0, -1, 1) if it is undefined."""
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Estimate(0.0, -1.0, 1.0)
    found = scipy.stats.pearsonr(first, second)
    interval = found.confidence_interval(confidence)
    return Estimate(float(found.statistic), float(interval.low), float(interval.high))


def pairing(first: np.ndarray, second: np.ndarray) -> Pairing | None:
    """The gain from pairing (T,) with (T,); None if an arm does not vary."""
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    apart, together = np.var(first) + np.var(second), np.var(second - first)
    return Pairing(float(np.corrcoef(first, second)[0, 1]), float(1 - together / apart))


def ratio(parts: np.ndarray, wholes: np.ndarray, confidence: float = CONFIDENCE) -> Estimate:
    """Sum of ``parts`` (T,) over sum of ``wholes`` (T,), not all 0, with its interval over the T pairs.

    The interval is that of the mean contribution of each pair (the delta method): ``parts`` less the ratio times
    ``wholes``, over the mean of ``wholes``. With fewer than two pairs it is unbounded.
    """
    value = float(parts.sum() / wholes.sum())
    if (wholes > 0).sum() < 2:
        return Estimate(value, float("nan"), float("nan"))
    return mean_difference(value + (parts - value * wholes) / wholes.mean(), confidence)


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], units: int, confidence: float = CONFIDENCE, seed: int = 0
) -> Estimate:
    """A statistic of ``units`` independent units with its interval: the bootstrap's BCa (Efron 1987), by SciPy.

    ``statistic`` takes the numbers of the chosen units (..., T) and returns the statistics of these choices (...).
    With fewer than two units the interval is unknown; if all choices give the same, both ends are the value.
    """
    value = float(statistic(np.arange(units)))
    if units < 2:
        return Estimate(value, float("nan"), float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # raised if all choices give the same, as the next one
        warnings.simplefilter("ignore", scipy.stats.DegenerateDataWarning)
        found = scipy.stats.bootstrap(
            (np.arange(units),), lambda chosen, axis: statistic(chosen), vectorized=True, n_resamples=RESAMPLES,
            confidence_level=confidence, method="BCa", random_state=np.random.default_rng(seed),
        ).confidence_interval  # fmt: skip
    low, high = (value if np.isnan(end) else float(end) for end in found)
    return Estimate(value, low, high)


def paired_success(first: np.ndarray, second: np.ndarray, confidence: float = CONFIDENCE) -> Paired:
    """Compare success (T,) bool of two arms on the same seeds: McNemar's test, and the matching interval.

    The interval is Tango's (1998): the differences that the score test does not reject. At a difference of 0 that test
    is McNemar's (1947), so the interval excludes 0 exactly if the p-value is below the level.

    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design. Statistics in Medicine 17, 891-908.
    """
    first, second = first.astype(bool), second.astype(bool)
    only_first, only_second, count = int((first & ~second).sum()), int((second & ~first).sum()), len(first)
    differ = only_first + only_second
    p_value = float(scipy.stats.chi2.sf((only_second - only_first) ** 2 / differ, 1)) if differ else 1.0
    return Paired(count, only_first, only_second, _score_interval(only_first, only_second, count, confidence), p_value)


@lru_cache(maxsize=10_000)
def _score_interval(only_first: int, only_second: int, pairs: int, confidence: float) -> Estimate:
    value, quantile = (only_second - only_first) / pairs, float(scipy.stats.norm.ppf((1 + confidence) / 2))

    def refused(difference: float, sign: int) -> float:
        """Above 0 if the score test rejects a difference on one side of the value."""
        return sign * _score(difference, only_first, only_second, pairs) - quantile

    ends = []
    for sign in (1, -1):
        end = -sign * (1 - 1e-12)
        bounded = refused(end, sign) > 0
        ends.append(scipy.optimize.brentq(refused, end, value, args=(sign,)) if bounded else -float(sign))
    return Estimate(value, *ends)


def _score(difference: float, only_first: int, only_second: int, pairs: int) -> float:
    """Tango's statistic, standard normal at the true difference; his equations 8 and 9."""
    b = -only_first - only_second + (2 * pairs - only_second + only_first) * difference
    c = -only_first * difference * (1 - difference)
    share = (np.sqrt(max(b * b - 8 * pairs * c, 0.0)) - b) / (4 * pairs)  # of pairs: only the first succeeds
    variance = pairs * (2 * share + difference * (1 - difference))
    apart = only_second - only_first - pairs * difference
    return float(apart / np.sqrt(max(variance, 1e-12)))


def holm(p_values: list[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: the chance of any false finding among all of these stays at the level."""
    order, adjusted, worst = np.argsort(p_values), [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted

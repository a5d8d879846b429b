"""Statistics against published values, closed forms and simulated coverage."""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from sandbox import statistics
from sandbox.statistics import (
    correlation,
    holm,
    independent_difference,
    lower_bound,
    mean_difference,
    mean_steps,
    paired_success,
    pass_hat,
    success_rate,
    trials_needed,
)


def test_intervals_are_clopper_and_pearsons():
    """Known values: 46 of 50, and 50 of 50 (1 - .025 ** (1 / 50) below)."""
    rate = success_rate(46, 50)
    assert (round(rate.low, 3), round(rate.high, 3)) == (0.808, 0.978)
    assert success_rate(50, 50).low == pytest.approx(0.025 ** (1 / 50)) and success_rate(0, 9).low == 0
    assert lower_bound(50, 50) == pytest.approx(0.05 ** (1 / 50))


@pytest.mark.parametrize(
    ("reliability", "failures", "needed"),
    [(0.9, 0, 29), (0.99, 0, 299), (0.999, 0, 2_995), (0.9999, 0, 29_956), (0.99999, 0, 299_572),
     (0.99999, 1, 474_385), (0.99999, 2, 629_578), (0.99999, 3, 775_364)],
)  # fmt: skip
def test_trials_needed_as_published(reliability, failures, needed):
    assert trials_needed(reliability, failures=failures) == needed
    assert lower_bound(needed - failures, needed) >= reliability > lower_bound(needed - 1 - failures, needed - 1)


def test_exact_intervals_cover_at_least_as_often_as_they_say():
    """10,000 studies of 40 trials for each of several true rates."""
    rng = np.random.default_rng(1)
    for truth in (0.03, 0.3, 0.5, 0.9, 0.98):
        counts = np.bincount(rng.binomial(40, truth, 10_000), minlength=41)
        covered = sum(counts[k] for k in range(41) if success_rate(k, 40).low <= truth <= success_rate(k, 40).high)
        assert covered / 10_000 >= 0.95 - 0.004  # 2 standard errors of the simulation


@pytest.mark.parametrize("chances", [(0.1, 0.6, 0.3), (0.05, 0.85, 0.1)])
def test_bootstrap_intervals_of_differences_cover_about_as_often_as_they_say(chances):
    """10,000 studies of 100 pairs; a study is told by how many pairs are -1, 0 and 1."""

    @cache
    def interval(lost: int, equal: int, won: int):
        return mean_difference(np.repeat([-1.0, 0.0, 1.0], [lost, equal, won]))

    truth = chances[2] - chances[0]
    studies = np.random.default_rng(2).multinomial(100, chances, 10_000)
    found = [interval(*map(int, study)) for study in studies]
    covered = np.mean([one.low - 1e-12 <= truth <= one.high + 1e-12 for one in found])
    assert 0.935 <= covered <= 0.96


def test_differences_of_many_pairs_are_students_and_agree_with_the_bootstrap(monkeypatch):
    sample = np.random.default_rng(3).choice([-1.0, 0.0, 1.0], 3000, p=[0.1, 0.6, 0.3])
    many = mean_difference(sample)
    monkeypatch.setattr(statistics, "MANY", len(sample))
    assert many == pytest.approx(mean_difference(sample), abs=0.002)
    assert mean_difference(np.zeros(5)) == (0, 0, 0)
    assert mean_difference(np.tile(sample, 500)).high - many.value < 0.002  # 1.5 million pairs at once


def test_pass_hat_k():
    """All of k draws without replacement succeed; k = 1 is the success rate."""
    assert pass_hat(6, 8, 1) == 0.75 and pass_hat(6, 8, 7) == 0 and pass_hat(8, 8, 8) == 1
    assert pass_hat(6, 8, 2) == pytest.approx(stats.hypergeom(8, 6, 2).pmf(2))
    assert np.isnan(pass_hat(3, 3, 4))


def test_mean_steps_counts_those_that_were_given_up():
    steps, done = np.array([10, 20, 100, 100]), np.array([True, True, False, False])
    assert mean_steps(steps, done, 100) == pytest.approx((10 + 20 + 100 + 100) / 4)
    assert mean_steps(np.array([10, 30]), np.array([True, True]), 100) == pytest.approx(20)
    # Kaplan and Meier: of 3 at risk one completes at 10, one is lost sight of at 20, one completes at 30
    assert mean_steps(np.array([10, 20, 30]), np.array([True, False, True]), 50) == pytest.approx(10 + 2 / 3 * 20)


def test_mcnemar_on_a_published_table():
    """Agresti 1990, approval at two surveys: 150 and 86 disagreements; the exact p is below .0001."""
    first = np.r_[np.ones(794 + 150), np.zeros(86 + 570)]
    second = np.r_[np.ones(794), np.zeros(150), np.ones(86), np.zeros(570)]
    found = paired_success(first, second)
    assert (found.pairs, found.only_first, found.only_second) == (1600, 150, 86)
    assert found.p_value == pytest.approx(2 * stats.binom.cdf(86, 236, 0.5))
    assert found.difference.value == pytest.approx(-0.04) and found.difference.high < 0
    assert paired_success(first, first).p_value == 1


def test_holm_adjusts_step_by_step():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_two_samples_that_share_nothing():
    """Welch's interval by its own formula; two constant samples differ by just so much."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, 30), rng.normal(1, 4, 30)
    parts = np.array([np.var(each, ddof=1) / 30 for each in (first, second)])
    freedom = parts.sum() ** 2 / (parts**2 / 29).sum()
    half = stats.t.ppf(0.975, freedom) * np.sqrt(parts.sum())
    found = independent_difference(first, second)
    assert found == pytest.approx((found.value, found.value - half, found.value + half))
    assert independent_difference(np.ones(5), np.full(5, 3.0)) == (2, 2, 2)


def test_whether_pairs_go_together():
    common, own = np.random.default_rng(4).normal(size=(2, 50))
    assert correlation(common, common + 0.3 * own).low > 0.8 and correlation(common, -common + own).high < 0
    apart = correlation(common, own)
    assert apart.low < 0 < apart.high and apart.value == pytest.approx(np.corrcoef(common, own)[0, 1])
    assert correlation(common[:3], own[:3]) == correlation(np.ones(9), own[:9]) == (0, -1, 1)

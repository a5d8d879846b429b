"""Statistics against published values, closed forms and simulated coverage."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from benchmarks.coverage import of_means, of_paired_success, of_rates
from sandbox import statistics
from sandbox.statistics import (
    clustered_rate,
    correlation,
    holm,
    independent_difference,
    lower_bound,
    mean_difference,
    mean_steps,
    paired_success,
    pairing,
    pass_hat,
    ratio,
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


def pairs_of(lost: int, won: int, pairs: int) -> statistics.Paired:
    first, second = np.zeros((2, pairs), bool)
    first[:lost] = second[lost : lost + won] = True
    return paired_success(first, second)


@pytest.mark.parametrize("pairs", [20, 40, 100, 400])
@pytest.mark.parametrize("differ", [0.0025, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("second", [0.5, 1.0])
def test_intervals_of_paired_success_cover_as_often_as_they_say(pairs, differ, second):
    """Exactly, over all studies; the interval of old covered .51 of them at n 40 with 2 % that differ."""
    covered = of_paired_success(pairs, differ, second)
    assert covered >= 0.93
    if pairs * differ >= 4:
        assert covered <= 0.98


@pytest.mark.parametrize("pairs", [7, 40])
def test_a_test_and_its_interval_agree(pairs):
    for lost in range(pairs + 1):
        for won in range(pairs + 1 - lost):
            found = pairs_of(lost, won, pairs)
            value, low, high = found.difference
            assert (found.p_value < 0.05) == (not low <= 0 <= high), (lost, won)
            assert -1 <= low <= value <= high <= 1 and low < high


@pytest.mark.parametrize(("lost", "won", "pairs"), [(2, 10, 40), (0, 1, 44), (0, 6, 20), (86, 150, 1600)])
def test_the_interval_ends_where_the_score_test_refuses(lost, won, pairs):
    """At each end the restricted likelihood, maximised numerically, gives a score of 1.96 standard errors."""
    for end in pairs_of(lost, won, pairs).difference[1:]:

        def unlikely(share, end=end):
            other = share + end
            rest = 1 - share - other
            if min(share, other, rest) <= 0:
                return 1e9
            return -(lost * np.log(share) + won * np.log(other) + (pairs - lost - won) * np.log(rest))

        share = minimize_scalar(unlikely, bounds=(max(0, -end), (1 - end) / 2), options={"xatol": 1e-10}).x
        error = np.sqrt(pairs * (2 * share + end - end * end))
        assert abs(won - lost - pairs * end) / error == pytest.approx(1.95996, abs=2e-3)


@pytest.mark.parametrize("name", ["normal", "exponential", "30% differ, both ways", "30% differ, one way"])
@pytest.mark.parametrize("pairs", [20, 100])
def test_intervals_of_means_cover_as_often_as_they_say(name, pairs):
    """2,000 studies; Student's covers .85 of those where few pairs differ one way, the bootstrap of old .88."""
    assert 0.94 <= of_means(name, pairs, 2_000, 2) / 2_000 <= 0.985


def test_an_interval_of_equal_pairs_has_no_width_and_one_pair_more_gives_it_some():
    assert mean_difference(np.zeros(5)) == (0, 0, 0)
    found = mean_difference(np.r_[np.zeros(39), 1])
    assert found.low < 0 and found.high > 0.1  # Student's ends at .076


def test_intervals_of_ratios_cover_as_often_as_they_say():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(2_000):
        wholes = rng.poisson(20, 40).astype(float)
        parts = rng.binomial(wholes.astype(int), rng.beta(2, 5, 40)).astype(float)
        found = ratio(parts, wholes)
        covered += found.low <= 2 / 7 <= found.high
    assert 0.935 <= covered / 2_000 <= 0.975
    assert np.isnan(ratio(np.array([1.0, 0]), np.array([2.0, 0])).low)


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
    """Agresti 1990, approval at two surveys: 150 and 86 disagreements; z squared is 17.36."""
    first = np.r_[np.ones(794 + 150), np.zeros(86 + 570)]
    second = np.r_[np.ones(794), np.zeros(150), np.ones(86), np.zeros(570)]
    found = paired_success(first, second)
    assert (found.pairs, found.only_first, found.only_second) == (1600, 150, 86)
    assert found.p_value == pytest.approx(stats.chi2.sf(17.36, 1), rel=1e-2)
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


@pytest.mark.parametrize(("truth", "together"), [(0.5, 0.9), (0.9, 0.3), (0.3, 0.0), (0.97, 0.9)])
def test_intervals_of_rates_over_several_trials_a_seed_cover_as_often_as_they_say(truth, together):
    """Studies of 20 seeds in 8 conditions; the exact interval of 160 trials covers .38 to .79 of correlated ones."""
    assert of_rates(truth, together, False, 400, 5) / 400 >= 0.92


def test_a_rate_with_one_trial_a_seed_is_clopper_and_pearsons_and_equal_seeds_count_once():
    assert clustered_rate(np.r_[np.ones(46), np.zeros(4)], np.ones(50)) == pytest.approx(success_rate(46, 50))
    assert clustered_rate(np.full(9, 8.0), np.full(9, 8.0)) == pytest.approx(success_rate(9, 9))


def test_pairing_says_what_it_saves():
    """Equal arms: the difference does not vary; opposite arms: it varies twice as much as of unpaired ones."""
    arm = np.random.default_rng(6).normal(size=200)
    assert pairing(arm, arm + 1) == pytest.approx((1, 1)) and pairing(arm, -arm) == pytest.approx((-1, -1))
    other = np.random.default_rng(7).normal(size=200)
    found = pairing(arm, other)
    assert found.saved == pytest.approx(1 - np.var(other - arm) / (np.var(arm) + np.var(other)))
    assert abs(found.correlation) < 0.2 and pairing(arm, np.ones(200)) is None and pairing(arm[:1], arm[:1]) is None

"""How often intervals hold the truth: simulated studies, the figures of ``docs/statistics.md``."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import stats

from benchmarks.report import table
from sandbox.analysis.scaling import USL, curve, fit
from sandbox.engine.pool import cores
from sandbox.statistics import clustered_rate, mean_difference, paired_success, success_rate

SEED = 900_000
PAIRS = (20, 40, 100, 400)
SIZES = [np.array(own) for own in ((1, 4, 8, 16, 20, 24, 32, 48, 64), (1, 2, 4, 8, 16, 32))]  # of teams
LAW = np.array([0.02, 0.01, 0.0025])  # gamma, alpha, beta: a peak at 19.9, as of the teams of docs/teams.md


class Shape(NamedTuple):
    """What paired differences look like: draws of a shape (studies, pairs), and their mean."""

    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    mean: float


def _few(draw: Callable, mean: float, share: float) -> Shape:
    """The same, but 0 in all but a share of pairs."""
    return Shape(lambda rng, shape: draw(rng, shape) * (rng.random(shape) < share), share * mean)


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.normal(size=shape)


def _exponential(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return rng.exponential(size=shape)


MEANS = {
    "normal": Shape(_normal, 0.0),
    "uniform": Shape(lambda rng, shape: rng.random(shape), 0.5),
    "exponential": Shape(_exponential, 1.0),
    "log-normal": Shape(lambda rng, shape: rng.lognormal(size=shape), float(np.exp(0.5))),
    **{f"{share:.0%} differ, both ways": _few(_normal, 0.0, share) for share in (0.5, 0.3, 0.1)},
    **{f"{share:.0%} differ, one way": _few(_exponential, 1.0, share) for share in (0.5, 0.3, 0.1)},
}


def of_means(name: str, pairs: int, studies: int, seed: int) -> int:
    """In how many studies the interval of a mean difference holds the truth."""
    draw, truth = MEANS[name]
    found = map(mean_difference, draw(np.random.default_rng(seed), (studies, pairs)))
    return sum(one.low <= truth <= one.high for one in found)


def of_rates(truth: float, together: float, exact: bool, studies: int, seed: int) -> int:
    """The same of a rate over 20 seeds in 8 conditions, whose rates vary from seed to seed as beta distributions do.

    ``exact``: by Clopper and Pearson's interval, which takes the 160 trials for independent.
    """
    rng = np.random.default_rng(seed)
    by_seed = np.full((studies, 20), truth)
    if together:
        rest = 1 / together - 1
        by_seed = rng.beta(truth * rest, (1 - truth) * rest, (studies, 20))
    good = rng.binomial(8, by_seed).astype(float)
    found = (success_rate(int(own.sum()), 160) if exact else clustered_rate(own, np.full(20, 8.0)) for own in good)
    return sum(one.low <= truth <= one.high for one in found)


def of_paired_success(pairs: int, differ: float, second: float) -> float:
    """The same of the difference of success, exactly: ``differ`` of all pairs differ, ``second`` of these one way."""
    truth, covered = differ * (2 * second - 1), 0.0
    for lost, won, chance in _chances(pairs, differ, second):
        first, other = np.zeros((2, pairs), bool)
        first[:lost] = other[lost : lost + won] = True
        found = paired_success(first, other).difference
        covered += chance * (found.low - 1e-12 <= truth <= found.high + 1e-12)
    return covered


def _chances(pairs: int, differ: float, second: float) -> Iterator[tuple[int, int, float]]:
    """How many pairs only the first and only the second arm wins, and with what chance, of a study."""
    for won in range(pairs + 1):
        chance = stats.binom.pmf(won, pairs, differ * second)
        if chance > 1e-9:
            lost = np.arange(pairs - won + 1)
            of_these = stats.binom.pmf(lost, pairs - won, differ * (1 - second) / (1 - differ * second))
            yield from ((int(k), won, chance * p) for k, p in zip(lost, of_these, strict=True) if chance * p > 1e-9)


def of_peak(sizes: np.ndarray, missed: float, seed: int) -> bool:
    """Whether the interval of N* holds the truth, of 40 seeds whose throughput varies by 10 % within and between seeds.

    ``missed``: by how much, as a standard deviation, the truth is beyond the law at each size.
    """
    rng = np.random.default_rng(seed)
    beyond = 1 + missed * rng.standard_normal(len(sizes))
    noise = 1 + 0.1 * rng.standard_normal(40) + 0.1 * rng.standard_normal((len(sizes), 40))
    best = fit(sizes, (curve(LAW, sizes) * beyond)[:, None] * noise, USL).best
    return bool(best.low <= np.sqrt((1 - LAW[1]) / LAW[2]) <= best.high)


def means(quick: bool) -> None:
    """Of mean differences."""
    studies, rows = 1_000 if quick else 10_000, []
    for name in MEANS:
        shares = [of_means(name, pairs, studies, SEED) / studies for pairs in PAIRS]
        rows.append([name, *(f"{share:.3f}" for share in shares)])
    columns = ["differences", *(f"{pairs} pairs" for pairs in PAIRS)]
    table(f"Means: how often the 95 % interval holds the truth, {studies:,} studies each", columns, rows)


def rates(quick: bool) -> None:
    """Of rates over several conditions on the same seeds."""
    studies, rows = 500 if quick else 2_000, []
    for truth in (0.3, 0.5, 0.9, 0.97):
        for together in (0.0, 0.3, 0.9):
            held = [of_rates(truth, together, exact, studies, SEED) / studies for exact in (False, True)]
            rows.append([f"{truth:g}", f"{together:g}", *(f"{share:.3f}" for share in held)])
    columns = ["rate", "correlated by", "the seed is the unit", "exact, of all 160 trials"]
    table(f"Rates, 20 seeds in 8 conditions: how often, {studies:,} studies each", columns, rows)


def success(quick: bool) -> None:
    """Of differences of success, exactly."""
    rows = []
    for differ in (0.0025, 0.02, 0.05, 0.1, 0.2, 0.3):
        for second, ways in ((0.5, "both ways"), (1.0, "one way")):
            shares = [of_paired_success(pairs, differ, second) for pairs in PAIRS[: 3 if quick else None]]
            rows.append([f"{differ:.2%} differ, {ways}", *(f"{share:.3f}" for share in shares)])
    columns = ["pairs", *(f"of {pairs}" for pairs in PAIRS[: 3 if quick else None])]
    table("Differences of success: how often, exactly", columns, rows)


def peak(quick: bool) -> None:
    """Of N*, where the law holds and where it misses each size."""
    studies, rows = 200 if quick else 2_000, []
    with ProcessPoolExecutor(cores()) as crew:
        for sizes in SIZES:
            for missed in (0.0, 0.02, 0.05, 0.15):
                held = sum(crew.map(partial(of_peak, sizes, missed), range(SEED, SEED + studies), chunksize=50))
                share = "{:.3f} ({:.3f} .. {:.3f})".format(*success_rate(held, studies))
                rows.append([", ".join(map(str, sizes)), f"{missed:.0%}", studies, share])
    columns = ["sizes", "the law misses each by", "studies", "share"]
    table("N*: how often its 95 % interval holds it", columns, rows)


PEERS = ("scipy",)
PARTS = {"success": success, "means": means, "rates": rates, "peak": peak}

"""How the throughput of a team grows with its size: two laws, fitted with intervals.

Gunther's Universal Scalability Law (A General Theory of Computational Scalability Based on Rational Functions, 2008;
Guerrilla Capacity Planning, 2007): X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1)), with alpha for contention and
beta for coherence, the price of pairwise agreement. It is highest at N* = sqrt((1 - alpha) / beta). With beta = 0 it is
Amdahl's law (1967): a share alpha of the work cannot be divided, and no team is more than 1 / alpha times as quick.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from sandbox.statistics import CONFIDENCE, Estimate

AMDAHL, USL = 2, 3  # laws, by the number of their parameters
RESAMPLES = 500  # each is two fits
FAR = 100  # times the largest team: a peak out there is none that these sizes could tell of
FLAT = 1e-9  # means that differ by less, as shares of the highest throughput, are equal
GAIN = 1e-3  # a peak that is higher than one agent by less than this share is none


class Law(NamedTuple):
    """A fitted law; intervals by the bootstrap over seeds, percentiles. ``beta`` is 0 in Amdahl's."""

    gamma: Estimate  # throughput of one agent
    alpha: Estimate
    beta: Estimate
    best: Estimate  # N*, in agents, 1 at least; infinite where a larger team is always better
    explained: float  # share of the variance of the mean throughput between sizes; NaN where that has none

    def throughput(self, agents: np.ndarray) -> np.ndarray:
        """Expected throughput of teams of these sizes."""
        return curve(np.array([self.gamma.value, self.alpha.value, self.beta.value]), agents)


def curve(parameters: np.ndarray, agents: np.ndarray) -> np.ndarray:
    """X(N) of gamma, alpha, beta."""
    gamma, alpha, beta = parameters
    return gamma * agents / (1 + alpha * (agents - 1) + beta * agents * (agents - 1))


def obstacle(agents: np.ndarray, throughput: np.ndarray, law: int) -> str:
    """Why a law cannot be fitted to ``throughput`` (K, T) of K team sizes on T seeds, in words; empty where it can."""
    if len(agents) < law:
        return f"a law of {law} parameters needs as many team sizes, here {_count(len(agents), 'is', 'are')}"
    if throughput.shape[1] < 2:
        return f"intervals need two seeds that all sizes share, here {_count(throughput.shape[1], 'is', 'are')}"
    return "" if throughput.any() else "nothing was done at any team size"


def _count(n: int, one: str, many: str) -> str:
    return f"{one if n == 1 else many} {n}"


def fit(agents: np.ndarray, throughput: np.ndarray, law: int, confidence: float = CONFIDENCE) -> Law:
    """Least squares on the mean throughput at each size, gamma > 0, alpha in 0..1, beta >= 0.

    ``agents`` (K,) are different sizes, ``throughput`` (K, T) is of T trials, column t of all sizes on the same seed;
    seeds are resampled whole, since what is easy for one size is easy for others. There must be no ``obstacle``.
    """
    agents, unit = agents.astype(float), throughput.max()
    scaled, rng = throughput / unit, np.random.default_rng(0)
    means = scaled.mean(axis=1)
    found = _least_squares(agents, means, law, np.array([max(means[0] / agents[0], 1e-3), 0.1, 0.01]))
    drawn = rng.integers(scaled.shape[1], size=(RESAMPLES, scaled.shape[1]))
    samples = np.array([_least_squares(agents, scaled[:, own].mean(axis=1), law, found) for own in drawn])
    peaks = [_peak(each, agents[-1]) for each in (found, *samples)]
    scale = np.array([unit, 1.0, 1.0])
    values = [_estimate(v, own, confidence) for v, own in zip(found * scale, (samples * scale).T, strict=True)]
    peak = _estimate(peaks[0], np.array(peaks[1:]), confidence)
    return Law(*values, peak, _explained(means, curve(found, agents)))


def _explained(means: np.ndarray, fitted: np.ndarray) -> float:
    if np.ptp(means) < FLAT:
        return float("nan")
    return float(1 - np.sum((means - fitted) ** 2) / np.sum((means - means.mean()) ** 2))


def _estimate(value: float, samples: np.ndarray, confidence: float) -> Estimate:
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(samples, tails, method="inverted_cdf")  # a sample itself: some may be infinite
    return Estimate(float(value), float(low), float(high))


def _least_squares(agents: np.ndarray, means: np.ndarray, law: int, start: np.ndarray) -> np.ndarray:
    """gamma, alpha, beta; of Amdahl's law beta is 0."""
    most, fixed = np.array([np.inf, 1.0, np.inf])[:law], np.zeros(USL - law)

    def missed(free: np.ndarray) -> np.ndarray:
        return curve(np.concatenate([free, fixed]), agents) - means

    def slopes(free: np.ndarray) -> np.ndarray:
        gamma, alpha, beta = np.concatenate([free, fixed])
        pairs = agents - 1, agents * (agents - 1)
        below = 1 + alpha * pairs[0] + beta * pairs[1]
        steep = -gamma * agents / below**2
        return np.stack([agents / below, steep * pairs[0], steep * pairs[1]][:law], axis=1)

    inside = np.clip(start[:law], 1e-6, np.minimum(most, 1e6) - 1e-6)
    bounds, scale = (np.zeros(law), most), np.array([1.0, 0.1, 0.01])[:law]
    options = {"method": "dogbox", "bounds": bounds, "x_scale": scale, "ftol": 1e-12, "xtol": 1e-12, "gtol": 1e-12}
    found = least_squares(missed, inside, jac=slopes, **options).x  # dogbox finds what lies on a bound exactly
    return np.concatenate([found, fixed])


def _peak(parameters: np.ndarray, largest: float) -> float:
    """N*, as far as teams up to the ``largest`` can tell."""
    gamma, alpha, beta = parameters
    peak = min(np.sqrt((1 - alpha) / beta) if beta > 0 else np.inf, FAR * largest)
    if peak <= 1 or curve(parameters, peak) < (1 + GAIN) * gamma:
        return 1.0
    return np.inf if peak == FAR * largest else float(peak)


def advice(law: Law, agents: np.ndarray) -> str:
    """What a law says about how large a team should be, in a sentence."""
    best, (low, high) = law.best, (agents.min(), agents.max())
    if np.isinf(best.value):
        return f"No team up to {high:,} is too large."
    span = f"{best.value:,.1f} ({best.low:,.1f} .. {'no end' if np.isinf(best.high) else f'{best.high:,.1f}'})"
    if best.value <= low:
        return f"More than {low:,} never help: the peak is at {span}."
    beyond = ", beyond the largest team that was tried" if best.value > high else ""
    return f"Throughput is highest at {span} agents{beyond}; more than that do less."

"""Throughput against team size, for a batch whose sweep changes the number of agents."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
from scipy.optimize import least_squares

from sandbox.analysis.results import swept_keys
from sandbox.statistics import CONFIDENCE, Estimate, mean_difference, ratio

# -- laws: throughput of a team by its size; two laws, fitted with intervals

AMDAHL, USL = 2, 3  # laws, by the number of their parameters
LIMITS = np.array([np.inf, 1.0, np.inf])  # upper bounds of gamma, alpha, beta; the lower bounds are 0
BOUND = 1e-6  # an alpha or beta below it is on its bound, 0: the data suggests a negative value
FAR = 100  # times the largest team: a peak beyond it cannot be estimated
FLAT = 1e-9  # means whose difference, as a share of the highest throughput, is less count as equal
GAIN = 1e-3  # a peak that exceeds one agent by less than this share does not count


class Law(NamedTuple):
    """A fitted law. Its intervals count the misfit at each size as an error. ``beta`` is 0 in Amdahl's law."""

    gamma: Estimate  # throughput of one agent
    alpha: Estimate
    beta: Estimate
    best: Estimate  # N*, in agents, at least 1; infinite if a larger team is always better
    explained: float  # share of the variance of the mean throughput between sizes; NaN if that does not vary
    residuals: np.ndarray  # (K,) measured less predicted throughput at each size, as a share of the prediction

    def throughput(self, agents: np.ndarray) -> np.ndarray:
        """Expected throughput of teams of these sizes."""
        return curve(np.array([self.gamma.value, self.alpha.value, self.beta.value]), agents)


def curve(parameters: np.ndarray, agents: Any) -> Any:
    """X(N) of gamma, alpha, beta."""
    gamma, alpha, beta = parameters
    return gamma * agents / (1 + alpha * (agents - 1) + beta * agents * (agents - 1))


def obstacle(agents: np.ndarray, throughput: np.ndarray, law: int) -> str:
    """Why a law cannot be fitted to ``throughput`` (K, T) of K team sizes on T seeds, as text; empty if it can."""
    if len(agents) < law:
        return f"a law of {law} parameters needs as many team sizes, here {_count(len(agents), 'is', 'are')}"
    if throughput.shape[1] < 2:
        return f"intervals need two seeds that all sizes share, here {_count(throughput.shape[1], 'is', 'are')}"
    return "" if throughput.any() else "nothing was done at any team size"


def _count(n: int, one: str, many: str) -> str:
    return f"{one if n == 1 else many} {n}"


def fit(agents: np.ndarray, throughput: np.ndarray, law: int, confidence: float = CONFIDENCE) -> Law:
    """Least squares on the mean throughput at each size, gamma > 0, alpha in 0..1, beta >= 0.

    ``agents`` (K,) are different sizes, ``throughput`` (K, T) has T trials of each size, column t on the same seed.
    There must be no ``obstacle``.
    """
    agents, unit = agents.astype(float), throughput.max()
    scaled = throughput / unit
    means = scaled.mean(axis=1)
    found = _least_squares(agents, means, law, np.array([max(means[0] / agents[0], 1e-3), 0.1, 0.01]))
    covariance, free = _covariance(scaled, agents, found, law)
    wide = float(scipy.stats.t.ppf((1 + confidence) / 2, free))
    spread = wide * np.sqrt(np.diag(covariance))
    ends = np.clip([found - spread, found + spread], 0.0, LIMITS)
    scale = np.array([unit, 1.0, 1.0])
    gamma, alpha, beta = (Estimate(*map(float, each)) for each in (np.array([found, *ends]) * scale).T)
    fitted = curve(found, agents)
    best = _best(found, wide**2 * covariance, agents[-1])
    return Law(gamma, alpha, beta, best, _explained(means, fitted), means / fitted - 1)


def _covariance(scaled: np.ndarray, agents: np.ndarray, found: np.ndarray, law: int) -> tuple[np.ndarray, int]:
    """The covariance (3, 3) of gamma, alpha and beta, and its degrees of freedom.

    The misfit of a law at each size counts as an error, like chance. So the units are the sizes, not the trials: the
    covariance is a sandwich of the residuals by size, each enlarged by its leverage (HC3, MacKinnon and White 1985).
    Sizes share seeds; this common error changes gamma but leaves no residual, so its variance is added to gamma's.
    """
    (sizes, trials), fitted = scaled.shape, curve(found, agents)
    means, slopes = scaled.mean(axis=1), _slopes(found, agents)[:, :law]
    by_size, covariance = np.linalg.pinv(slopes), np.zeros((USL, USL))
    if sizes == law:  # the law passes through all means, so there are no residuals
        covariance[:law, :law] = by_size @ np.cov(scaled) @ by_size.T / trials
        return covariance, trials - 1
    leverage = np.diag(slopes @ by_size)
    missed = (means - fitted) / np.maximum(1 - leverage, FLAT)
    covariance[:law, :law] = (by_size * missed**2) @ by_size.T
    shared = ((scaled - means[:, None]) / fitted[:, None]).mean(axis=0)
    covariance[0, 0] += found[0] ** 2 * shared.var(ddof=1) / trials
    return covariance, sizes - law


def _best(found: np.ndarray, reach: np.ndarray, largest: float) -> Estimate:
    """N*, the root of (1 - alpha) / beta, with Fieller's interval (1954): all N that alpha and beta do not contradict.

    ``reach`` (3, 3) is their covariance times the square of the quantile. The interval has no end where beta may be 0.
    """
    (_, alpha, beta), ((aa, ab), (_, bb)) = found, reach[1:, 1:]
    square, half, rest = beta**2 - bb, (1 - alpha) * beta + ab, (1 - alpha) ** 2 - aa  # of N*^4, N*^2, 1: at most 0
    root = np.sqrt(max(half**2 - square * rest, 0.0))
    if square > 0:
        ends = (half - root) / square, (half + root) / square
    elif rest > 0:
        ends = (half - root) / square if square < 0 else np.inf, np.inf
    else:
        ends = 0.0, np.inf
    value = _peak(found, largest)
    low, high = (1.0 if end <= 1 else _far(float(np.sqrt(end)), largest) for end in ends)
    return Estimate(value, min(low, value), max(high, value))


def largest(agents: np.ndarray, throughput: np.ndarray, confidence: float = CONFIDENCE) -> list[int]:
    """The measured sizes that may be the best, by paired differences alone; arguments as in ``fit``.

    First the size with the highest mean, then all whose difference from it has an interval that contains 0. The
    intervals hold jointly (Bonferroni).
    """
    best, together = int(throughput.mean(axis=1).argmax()), 1 - (1 - confidence) / max(1, len(agents) - 1)
    apart = [mean_difference(throughput[best] - own, together) for own in throughput]
    return [int(agents[best]), *(int(n) for k, n in enumerate(agents) if k != best and apart[k].low <= 0)]


def _explained(means: np.ndarray, fitted: np.ndarray) -> float:
    if np.ptp(means) < FLAT:
        return float("nan")
    return float(1 - np.sum((means - fitted) ** 2) / np.sum((means - means.mean()) ** 2))


def _least_squares(agents: np.ndarray, means: np.ndarray, law: int, start: np.ndarray) -> np.ndarray:
    """gamma, alpha, beta; of Amdahl's law beta is 0."""
    most, fixed = LIMITS[:law], np.zeros(USL - law)

    def missed(free: np.ndarray) -> np.ndarray:
        return curve(np.concatenate([free, fixed]), agents) - means

    def slopes(free: np.ndarray) -> np.ndarray:
        return _slopes(np.concatenate([free, fixed]), agents)[:, :law]

    inside = np.clip(start[:law], 1e-6, np.minimum(most, 1e6) - 1e-6)
    bounds, scale = (np.zeros(law), most), np.array([1.0, 0.1, 0.01])[:law]
    options = {"method": "dogbox", "bounds": bounds, "x_scale": scale, "ftol": 1e-12, "xtol": 1e-12, "gtol": 1e-12}
    found = least_squares(missed, inside, jac=slopes, **options).x  # dogbox finds solutions on a bound exactly
    return np.concatenate([found, fixed])


def _slopes(parameters: np.ndarray, agents: np.ndarray) -> np.ndarray:
    """(K, 3) derivatives of X(N) by gamma, alpha, beta."""
    gamma, alpha, beta = parameters
    waiting, pairs = agents - 1, agents * (agents - 1)
    below = 1 + alpha * waiting + beta * pairs
    steep = -gamma * agents / below**2
    return np.stack([agents / below, steep * waiting, steep * pairs], axis=1)


def _peak(parameters: np.ndarray, largest: float) -> float:
    """N*, as far as teams up to the ``largest`` can determine it."""
    gamma, alpha, beta = parameters
    peak = np.sqrt((1 - alpha) / beta) if beta > 0 else np.inf
    if peak <= 1 or curve(parameters, min(peak, FAR * largest)) < (1 + GAIN) * gamma:
        return 1.0
    return _far(float(peak), largest)


def _far(size: float, largest: float) -> float:
    return size if size < FAR * largest else np.inf


def coefficient(estimate: Estimate, form: str = "{:.3g}") -> str:
    """An alpha or beta with its interval; a value on its bound is no measurement of 0."""
    value = "at its lower bound" if estimate.value < BOUND else form.format(estimate.value)
    return f"{value} ({form.format(estimate.low)} .. {form.format(estimate.high)})"


def advice(law: Law, agents: np.ndarray, near: list[int]) -> str:
    """Two sentences about the best team size: the measured one (``largest``), and that of the law."""
    best, (low, high), missed = law.best, (agents.min(), agents.max()), np.abs(law.residuals).max()
    others = ", ".join(f"{n:,}" for n in near[1:])
    told = f"Of the sizes tried, {near[0]:,} does most" + (
        f"; {others} cannot be distinguished from it. " if others else ". "
    )
    span = f"{best.value:,.1f} ({best.low:,.1f} .. {'no end' if np.isinf(best.high) else f'{best.high:,.1f}'})"
    if np.isinf(best.value):
        told += f"By the law no team up to {high:,} is too large"
    elif best.value <= low:
        told += f"By the law more than {low:,} never help: its peak is at {span}"
    else:
        beyond = ", beyond the largest team that was tried" if best.value > high else ""
        told += f"The law is highest at {span} agents{beyond}"
    return f"{told}; it misses what was measured by up to {missed:.0%}."


# -- scaling

COUNT = re.compile(r"agents\.(\d+)\.count")


class Size(NamedTuple):
    """Results of one team size. Throughput is tasks done in a tick."""

    agents: int
    throughput: Estimate  # mean of the trials
    speedup: Estimate | None  # relative to the smallest team, on the same seeds; None if that does nothing
    efficiency: Estimate | None  # speed-up per agent, relative to the smallest team


class Scaling(NamedTuple):
    """One curve, in one condition of the other swept keys."""

    condition: str  # as text; empty if nothing else was swept
    seeds: int  # shared by all sizes
    sizes: list[Size]  # in order
    amdahl: Law | None
    usl: Law | None
    missing: str  # why there is no law, as text
    near: list[int]  # sizes that may be the best (``largest``)

    @property
    def agents(self) -> np.ndarray:
        return np.array([size.agents for size in self.sizes])


def scalings(rows: pd.DataFrame) -> list[Scaling]:
    """The curves of a batch (``results``); empty if its sweep does not change the size of the team.

    Keys that change together with the size, as zipped keys do, belong to the curve; each value of the other swept keys
    has its own curve.
    """
    counts = [key for key in rows.columns if COUNT.fullmatch(key)]
    rows = rows[rows["error"].isna()]
    if not counts or rows.empty:
        return []
    rows = rows.assign(agents=_agents(rows, counts), throughput=rows["tasks_done"] / rows["ticks"].clip(lower=1))
    others = [key for key in swept_keys(rows) if key not in counts]
    others = [key for key in others if (rows.groupby(counts, dropna=False)[key].nunique(dropna=False) > 1).any()]
    groups = rows.groupby(others, sort=False, dropna=False) if others else [((), rows)]
    return [curve for values, group in groups for curve in _of(group, dict(zip(others, values, strict=True)))]


def _agents(rows: pd.DataFrame, counts: list[str]) -> pd.Series:
    groups = enumerate(rows.attrs["scenario"]["agents"])
    fixed = sum(group.get("count", 1) for k, group in groups if f"agents.{k}.count" not in counts)
    return fixed + rows[counts].fillna(1).sum(axis=1).astype(int)


def _of(rows: pd.DataFrame, others: dict) -> Iterator[Scaling]:
    table = rows.pivot_table(index="agents", columns="seed", values="throughput", aggfunc="mean").dropna(axis=1)
    if len(table) < 2 or table.shape[1] == 0:
        return  # a single size, or no shared seed yet
    words = "; ".join(f"{key}={value}" for key, value in others.items())
    agents, throughput = table.index.to_numpy(), table.to_numpy(float)
    missing = {law: obstacle(agents, throughput, law) for law in (AMDAHL, USL)}
    amdahl, usl = (None if why else fit(agents, throughput, law) for law, why in missing.items())
    told, sizes = missing[AMDAHL] or missing[USL], list(_sizes(agents, throughput))
    yield Scaling(words, throughput.shape[1], sizes, amdahl, usl, told, _near(agents, throughput))


def _near(agents: np.ndarray, throughput: np.ndarray) -> list[int]:
    return largest(agents, throughput) if throughput.shape[1] > 1 else agents.tolist()


def _sizes(agents: np.ndarray, throughput: np.ndarray) -> Iterator[Size]:
    first = throughput[0]
    for n, own in zip(agents.tolist(), throughput, strict=True):
        speedup = ratio(own, first) if first.any() else None
        share = float(agents[0]) / n
        efficiency = Estimate(*(share * value for value in speedup)) if speedup else None
        yield Size(n, mean_difference(own), speedup, efficiency)

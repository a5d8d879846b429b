"""The answer to a lesson: every arm measured on the same seeds, with a verdict from its interval."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from sandbox.analysis.measures import tick_limit
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.finish import Outcome
from sandbox.core.interrupts import uninterrupted
from sandbox.engine.environment import Environment
from sandbox.engine.pool import cores
from sandbox.running.episodes import play
from sandbox.scenario import Scenario
from sandbox.statistics import (
    CONFIDENCE,
    Estimate,
    correlation,
    independent_difference,
    lower_bound,
    mean_difference,
    paired_success,
    success_rate,
    trials_needed,
)
from sandbox.studies.lessons import (
    DIPS,
    EARNED,
    FALLS,
    NARROWER,
    OPEN,
    PEAKS,
    REFUTED,
    RISES,
    SAME,
    WIDER,
    Lesson,
)

CHUNK = 0.25  # seconds that a chunk of trials should take; the measurement can be stopped between chunks
SEEDS = 2**64
MOST = 100_000  # trials of an arm, whose outcomes are kept in memory


class Progress(NamedTuple):
    """Progress of a measurement, in trials of all arms."""

    done: int
    total: int
    compiling: bool


class Result(NamedTuple):
    """Result of one arm: trials that count, and infrastructure errors."""

    name: str
    trials: int
    errors: int
    value: Estimate  # of the measure: a share with its exact interval, or a mean
    also: dict[str, float]  # means of the further measures


class Difference(NamedTuple):
    """Second minus first, with its interval; ``clear`` if chance does not explain it."""

    first: str
    second: str
    value: Estimate
    clear: bool


class Answer(NamedTuple):
    """The result. ``verdict`` is one of ``Question.verdicts``; it confirms a prediction with the same ``when``."""

    verdict: str
    results: tuple[Result, ...]
    # Of all pairs of arms; for ask = "pairing": paired, then as if unpaired; for ask = "curve": those of the verdict.
    differences: tuple[Difference, ...]
    telling: int  # the seed on which the arms differ most
    seeds: tuple[int, int]  # the first and the last
    seconds: float  # of playing, without compilation
    bound: float = 0.0  # for ask = "reliability": lower bound at 95 %
    needed: int = 0  # trials without a failure that the claim requires
    failures: int = 0


OnProgress = Callable[[Progress], None]
Stop = Callable[[], bool]


def measure(
    lesson: Lesson,
    chosen: Mapping[str, str] | None = None,
    trials: int | None = None,
    seed: int | None = None,
    on_progress: OnProgress = lambda progress: None,
    stop: Stop = lambda: False,
) -> Answer | None:
    """Play every arm of a lesson on the same seeds and compare; None if ``stop`` ended it.

    ``chosen`` are labels of options by labels of controls; ``trials`` and ``seed`` default to the scenario's. Raises
    UsageError if the scenario cannot run, and SandboxError if none of an arm's trials could be played.
    """
    scenarios = [lesson.scenario(arm, chosen) for arm in lesson.plan.measure.arms]
    count, first = trials or scenarios[0].trials.count, scenarios[0].seed if seed is None else seed
    if count > MOST:
        raise UsageError(f"{lesson.name}: {count:,} trials, expected {MOST:,} at most; `sandbox batch` runs more")
    seeds = [(first + k) % SEEDS for k in range(count)]
    played = play_arms(scenarios, seeds, on_progress, stop)
    if played is None:
        return None
    outcomes_of_arms, seconds = played
    found = answer(lesson, scenarios, outcomes_of_arms)
    return found._replace(seeds=(seeds[0], seeds[-1]), seconds=seconds)


def play_arms(
    scenarios: Sequence[Scenario], seeds: Sequence[int], on_progress: OnProgress, stop: Stop
) -> tuple[list[list[Outcome]], float] | None:
    """The outcomes of each scenario on each seed, and the seconds taken. Arms run at once, each in its thread."""
    total, done, lock = len(scenarios) * len(seeds), [0], threading.Lock()
    envs = []
    for scenario in scenarios:
        on_progress(Progress(0, total, True))
        envs.append(scenario.env())
        if not stop():
            envs[-1].warm_up([group.policy for group in scenario.roster()], whole=scenario.compiled)

    def played(count: int) -> None:
        with lock:
            done[0] += count
            on_progress(Progress(done[0], total, False))

    played(0)
    started = time.monotonic()
    interrupted = threading.Event()
    with uninterrupted(interrupted.set), ThreadPoolExecutor(min(cores(), len(scenarios))) as pool:
        arms, over = zip(scenarios, envs, strict=True), lambda: stop() or interrupted.is_set()
        found = list(pool.map(lambda arm: _in_chunks(*arm, seeds, played, over), arms))
    return None if stop() else (found, time.monotonic() - started)


def _in_chunks(
    scenario: Scenario, env: Environment, seeds: Sequence[int], played: Callable[[int], None], stop: Stop
) -> list[Outcome]:
    found, size = [], 1
    while len(found) < len(seeds) and not stop():
        started, some = time.monotonic(), seeds[len(found) : len(found) + size]
        found += play(scenario, env, some).outcomes
        played(len(some))
        size = 2 * size if time.monotonic() - started < CHUNK / 2 else size
    return found


# -- evaluation --------------------------------------------------------------------------------------------------------


def values(measure: str, played: Sequence[Outcome], limit: int) -> np.ndarray:
    """The measure (T,) float64 of each outcome; a failed trial counts as the tick limit, however early it ended."""
    if measure == "steps":
        return np.array([each.ticks if each.success else max(each.ticks, limit) for each in played], float)
    if measure == "throughput":
        return np.array([each.tasks_done / max(1, each.ticks) for each in played])
    return np.array([getattr(each, measure) for each in played], float)


def answer(lesson: Lesson, scenarios: Sequence[Scenario], played: Sequence[Sequence[Outcome]]) -> Answer:
    """The answer from the outcomes of each arm on the same seeds, without ``seeds`` and ``seconds``."""
    asked, errors = lesson.plan.measure, np.array([[bool(each.error) for each in arm] for arm in played])
    for arm, own in zip(played, errors, strict=True):
        if own.all():
            raise SandboxError(f"{lesson.name}: no trial could be played: {arm[0].error}")
    limits = [_limit(scenario, arm) for scenario, arm in zip(scenarios, played, strict=True)]
    arms = [values(asked.measure, arm, limit) for arm, limit in zip(played, limits, strict=True)]
    results = tuple(
        _result(asked, k, [each for each in arm if not each.error], limits[k], int(own.sum()))
        for k, (arm, own) in enumerate(zip(played, errors, strict=True))
    )
    both = ~errors.any(axis=0)  # pairs with an error do not count
    arms = [arm[both] for arm in arms]
    answers = {"best": _best, "reliability": _reliability, "pairing": _pairing, "curve": _curve}
    seed = played[0][int(np.flatnonzero(both)[_telling(arms)]) if both.any() else 0].seed
    return answers[asked.ask](asked, arms, Answer("", results, (), seed, (0, 0), 0.0))


def _limit(scenario: Scenario, played: Sequence[Outcome]) -> int:
    return tick_limit(scenario.as_dict(), {}, pd.DataFrame({"ticks": [each.ticks for each in played]}))


def _telling(arms: Sequence[np.ndarray]) -> int:
    """The seed on which the arms differ most; with one arm, the first that failed."""
    return int(np.argmax(np.ptp(arms, axis=0) if len(arms) > 1 else -arms[0])) if arms[0].size else 0


def _result(asked, arm: int, played: Sequence[Outcome], limit: int, errors: int) -> Result:
    own, count = values(asked.measure, played, limit), len(played)
    if asked.measure == "success":
        value = success_rate(int(own.sum()), count)
    else:
        value = mean_difference(own) if count > 1 else Estimate(float(own[0]), -np.inf, np.inf)
    also = {name: float(values(name, played, limit).mean()) for name in asked.also}
    return Result(asked.arms[arm].name, count, errors, value, also)


def difference(asked, names: tuple[str, str], first: np.ndarray, second: np.ndarray, confidence: float) -> Difference:
    """The difference of two arms (T,) on the same seeds; it is clear if its interval excludes 0."""
    enough = len(first) >= np.ceil(np.log2(2 / (1 - confidence)))  # fewer pairs are no evidence, even if all are equal
    if not enough:
        value = float(np.mean(second - first)) if len(first) else float("nan")
        return Difference(*names, Estimate(value, -np.inf, np.inf), False)
    if asked.measure == "success":
        value = paired_success(first, second, confidence).difference
    else:
        value = mean_difference(second - first, confidence)
    return Difference(*names, value, not value.low <= 0 <= value.high)


def _best(asked, arms: Sequence[np.ndarray], answer: Answer) -> Answer:
    """The arm that is better than every other one; the intervals hold jointly at 95 % (Bonferroni)."""
    names, pairs = [arm.name for arm in asked.arms], list(combinations(range(len(arms)), 2))
    level = 1 - (1 - CONFIDENCE) / len(pairs)
    found = [difference(asked, (names[i], names[k]), arms[i], arms[k], level) for i, k in pairs]
    wins = [better(asked, each) for each in found if each.clear]
    best = [name for name in names if wins.count(name) == len(names) - 1]
    return answer._replace(verdict=best[0] if best else SAME, differences=tuple(found))


def _curve(asked, arms: Sequence[np.ndarray], answer: Answer) -> Answer:
    """The shape of a curve: an inner point that is clearly beyond both ends, else the two ends compared.

    The intervals of all these comparisons hold jointly at 95 % (Bonferroni).
    """
    names, last = [arm.name for arm in asked.arms], len(arms) - 1
    level = 1 - (1 - CONFIDENCE) / (2 * last - 1)

    def apart(i: int, k: int) -> Difference:
        return difference(asked, (names[i], names[k]), arms[i], arms[k], level)

    ends = apart(0, last)
    best, shape = 0.0, None
    for k in range(1, last):
        sides = apart(0, k), apart(last, k)
        beyond = [side.value.value for side in sides if side.clear]
        if len(beyond) == 2 and min(map(abs, beyond)) > best and min(beyond) * max(beyond) > 0:
            best, shape = min(map(abs, beyond)), (PEAKS if beyond[0] > 0 else DIPS, sides)
    if shape:
        return answer._replace(verdict=shape[0], differences=shape[1])
    verdict = SAME if not ends.clear else RISES if ends.value.value > 0 else FALLS
    return answer._replace(verdict=verdict, differences=(ends,))


def better(asked, found: Difference) -> str:
    """The better of two arms, by the sign of their difference."""
    return found.second if (found.value.value > 0) == (asked.better == "higher") else found.first


def _reliability(asked, arms: Sequence[np.ndarray], answer: Answer) -> Answer:
    trials, successes = len(arms[0]), int(arms[0].sum())
    bound, claim = lower_bound(successes, trials), asked.reliability
    most = 1 - lower_bound(trials - successes, trials)  # the upper bound, by counting failures
    verdict = EARNED if bound >= claim else REFUTED if most < claim else OPEN
    needed = trials_needed(claim)
    return answer._replace(verdict=verdict, bound=bound, needed=needed, failures=trials - successes)


def _pairing(asked, arms: Sequence[np.ndarray], answer: Answer) -> Answer:
    """Whether results on the same seeds correlate; only then is the paired interval narrower."""
    names = tuple(arm.name for arm in asked.arms)
    paired = difference(asked, names, *arms, CONFIDENCE)
    apart = independent_difference(*arms)
    unpaired = Difference(*names, apart, not apart.low <= 0 <= apart.high)
    together = correlation(*arms)
    verdict = NARROWER if together.low > 0 else WIDER if together.high < 0 else SAME
    return answer._replace(verdict=verdict, differences=(paired, unpaired))

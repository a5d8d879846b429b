"""How claims are measured: trials of arms from a seed of the caller's on, and what is made of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.lessons import FOLDER as LESSONS
from benchmarks.memory import LIVES, SCORES, told
from benchmarks.stated import ROOT, Found
from sandbox.analysis.prediction_error import foresight
from sandbox.analysis.results import results
from sandbox.core.errors import SandboxError
from sandbox.running.batch import batch
from sandbox.running.claims import claim as certificate_claim
from sandbox.scenario import load
from sandbox.statistics import CONFIDENCE, mean_difference, paired_success, success_rate
from sandbox.studies.answers import values
from sandbox.studies.certify import certify
from sandbox.studies.lessons import load_lesson
from sandbox.studies.skills import ITERATIONS, study

SCENARIOS = ROOT / "scenarios"


class Run:
    """Trials from one seed on. What was measured is kept, so each trial is played once."""

    def __init__(self, seed: int, folder: Path):
        self.seed, self.folder = seed, folder
        self._kept: dict[str, Any] = {}

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        if repr(key) not in self._kept:
            self._kept[repr(key)] = make()
        return self._kept[repr(key)]

    def rows(self, arm: "Arm", trials: int) -> pd.DataFrame:
        """The results of an arm; raises SandboxError where a trial could not be played."""
        key = repr(arm)
        rows, folder = self._kept.setdefault(key, (pd.DataFrame(), self.folder / f"arm-{len(self._kept)}"))
        if len(rows) < trials:
            rows = results(batch(arm.scenario(self.seed), folder, trials))
            self._kept[key] = rows, folder
        if rows["error"].notna().any():
            raise SandboxError(f"{arm}: {rows['error'].dropna().iloc[0]}")
        return rows.head(trials)


class Arm(NamedTuple):
    """A scenario file, or the arm of a lesson by its place, and what is set in it."""

    file: str
    set: Mapping[str, Any] = {}
    place: int | None = None

    def scenario(self, seed: int):
        if self.place is None:
            return load(SCENARIOS / self.file, {"sweep": {}, "seed": seed, **self.set})
        lesson = load_lesson(LESSONS / f"{self.file}.toml")
        return lesson.scenario(lesson.plan.measure.arms[self.place], self.set).model_copy(update={"seed": seed})


Measure = Callable[[Run, int, float], Found]  # of a number of trials, at a level


def share(arm: Arm, scale: float, run: Run, trials: int, level: float) -> Found:
    good = int(run.rows(arm, trials)["success"].sum())
    return Found(*(scale * value for value in success_rate(good, trials, level)), trials)


def mean(arm: Arm, what: str, run: Run, trials: int, level: float) -> Found:
    return Found(*mean_difference(_numbers(run.rows(arm, trials), what), level), trials)


def success_beside(first: Arm, second: Arm, run: Run, trials: int, level: float) -> Found:
    """In points, paired on seeds."""
    both = [run.rows(arm, trials)["success"].to_numpy(bool) for arm in (first, second)]
    return Found(*(100 * value for value in paired_success(*both, level).difference), trials)


def beside(first: Arm, second: Arm, what: str, run: Run, trials: int, level: float) -> Found:
    """Of a number, paired on seeds; of ticks, where both succeed."""
    one, two = (run.rows(arm, trials) for arm in (first, second))
    both = (one["success"] & two["success"]).to_numpy(bool) if what == "ticks" else np.ones(trials, bool)
    if both.sum() < 2:
        raise SandboxError(f"{second}: {both.sum()} pairs in which both succeed; too few")
    apart = (_numbers(two, what) - _numbers(one, what))[both]
    return Found(*mean_difference(apart, level), int(both.sum()))


def _numbers(rows: pd.DataFrame, what: str) -> np.ndarray:
    return values(what, list(rows.itertuples()), 0).astype(float)


def foreseen(file: str, view: str, horizon: int, run: Run, trials: int, level: float) -> Found:
    """The share of changes that were foreseen wrongly; its interval is of 95 %, so it is stretched to the level."""
    found = run.keep(("foresight", file), lambda: foresight(Arm(file).scenario(run.seed), trials))
    error = next(each.error for each in found if (each.view, each.horizon) == (view, horizon))
    if error is None:
        raise SandboxError(f"{file}: nothing changed {view} within {horizon} ticks")
    by = stats.t.ppf((1 + level) / 2, trials - 1) / stats.t.ppf((1 + CONFIDENCE) / 2, trials - 1)
    ends = (error.value + by * (end - error.value) for end in error[1:])
    return Found(error.value, *ends, trials)


def remembered(
    kind: str, age: int, run: Run, trials: int, level: float, *, score: str = "as by default", life: str = "told once"
) -> Found:
    """The share of facts of that age which are told, of several versions the newest."""
    ages, versions, archived = LIVES[life]

    def live() -> list[list[bool]]:
        return [told(kind, run.seed + k, ages, versions, archived, **SCORES[score]) for k in range(trials)]

    lives = run.keep(("memory", kind, score, life), live)
    good = sum(each[ages.index(age)] for each in lives)
    return Found(*success_rate(good, trials, level), trials)


def certified(file: str, run: Run, trials: int, level: float) -> Found:
    """The success of a certificate at a reliability of .999, which takes that many trials or more."""
    scenario = Arm(file).scenario(run.seed).model_copy(update={"sweep": load(SCENARIOS / file).sweep})
    stated = certificate_claim(scenario, 0.999, 0.95, 0)
    found = run.keep(("certificate", file), lambda: certify(scenario, stated, run.folder / Path(file).stem))
    good = found["trials"] - found["failures"]
    return Found(*(100 * value for value in success_rate(good, found["trials"], level)), found["trials"])


def exactly(value: Callable[[], float], run: Run, trials: int, level: float) -> Found:
    """A figure that is computed, not sampled."""
    found = run.keep(value, lambda: float(value()))
    return Found(found, found, found, 0)


def simulated(held: Callable[[int, int], int], run: Run, trials: int, level: float) -> Found:
    """In how many per cent of studies an interval holds the truth, by ``benchmarks.coverage``."""
    good = run.keep(held, lambda: held(trials, run.seed))
    return Found(*(100 * value for value in success_rate(good, trials, level)), trials)


def over_drawings(
    drawings: Sequence[Arm], what: str, alone: Arm | None, run: Run, trials: int, level: float
) -> Found:  # fmt: skip
    """A number of random networks, perhaps beside another arm: every drawing on the same seeds, intervals over both."""
    base = _numbers(run.rows(alone, trials), what) if alone else 0.0
    apart = np.array([_numbers(run.rows(arm, trials), what) - base for arm in drawings])
    by = [mean_difference(apart.mean(axis=axis), level) for axis in (0, 1)]
    low, high = (np.hypot(*(each[end] - each.value for each in by)) for end in (1, 2))
    return Found(by[0].value, by[0].value - low, by[0].value + high, apart.size)


def climbed(arm: str, what: str, run: Run, trials: int, level: float) -> Found:
    """Learners of skills."""
    rows = _learners(run, trials)
    return Found(*mean_difference(rows[rows["arm"] == arm][what].to_numpy(float), level), trials)


def climbed_beside(arm: str, run: Run, trials: int, level: float) -> Found:
    """Different achievements beside those of learners that have all of it, paired on seeds."""
    rows = _learners(run, trials).set_index("seed")
    own, base = (rows[rows["arm"] == name]["achievements"] for name in (arm, "all of it"))
    return Found(*mean_difference((own - base).to_numpy(float), level), trials)


def _learners(run: Run, trials: int) -> pd.DataFrame:
    def learn() -> pd.DataFrame:
        scenario = load(SCENARIOS / "skills.toml", {"seed": run.seed})
        return study(scenario, trials, ITERATIONS, run.folder / "skills", None, lambda: None, lambda _: None)

    return run.keep("skills", learn)

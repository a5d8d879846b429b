"""Robustness curves: success against severity of one perturbation, paired with the clean trials on the same seeds."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sandbox.analysis.measures import tick_limit, until
from sandbox.analysis.results import swept_keys
from sandbox.core.errors import UsageError
from sandbox.scenario import Scenario
from sandbox.scenario.sweep import ONE, steps
from sandbox.statistics import (
    Estimate,
    Paired,
    clustered_rate,
    holm,
    mean_difference,
    mean_steps,
    paired_success,
    success_rate,
)

PREFIX = "perturb."
ALSO = ("reward", "invalid_actions", "refused_actions")  # measures beside success and steps
CEILING = 0.95  # success above which little is left to gain


class Point(NamedTuple):
    """One severity of a curve."""

    severity: float
    trials: int
    success: Estimate
    beside_clean: Paired | None  # None for the clean trials themselves
    adjusted: float  # the p-value of McNemar's test, adjusted by Holm's method for all points of all curves
    steps: float  # restricted mean; a failed trial counts as the tick limit
    steps_beside: Estimate | None  # difference to the clean trials, where both succeed
    also: dict[str, float]  # means of ALSO


class Curve(NamedTuple):
    """One perturbation, in one condition of the other swept keys."""

    perturbation: str
    condition: str  # as text; empty if nothing else was swept
    points: list[Point]  # by severity; the clean trials first
    areas: pd.Series  # mean success over severities, by seeds that were tried at all of them

    @property
    def at_ceiling(self) -> bool:
        """Whether nearly all trials succeed at every severity, so that success does not show the effect."""
        return min(point.success.value for point in self.points) >= CEILING

    @property
    def at_floor(self) -> bool:
        """Whether hardly any trial succeeds, even without the perturbation."""
        return max(point.success.value for point in self.points) <= 1 - CEILING

    @property
    def area(self) -> Estimate | None:
        """Mean success over the severities: the area below the curve, by the trapezoidal rule, per unit of severity."""
        return mean_area(self.areas, len(self.points))


def mean_area(areas: pd.Series, trials: int) -> Estimate | None:
    """The mean over seeds with ``trials`` trials each; trials of one seed are not independent."""
    wholes = np.full(len(areas), float(trials))
    return clustered_rate(areas.to_numpy() * wholes, wholes) if len(areas) else None


def dose_sweep(scenario: Scenario, given: list[str] | None) -> dict[str, Any]:
    """Overrides that try the severities of ``NAME=FROM:TO:STEP`` one at a time, beside the unchanged scenario.

    Raises UsageError for another form. Severity 0 and the scenario's own severity are the clean trials.
    """
    single = dict(scenario.sweep.get(ONE, {}))
    for text in given or []:
        name, _, values = text.partition("=")
        severities = _range(text, values)
        clean = scenario.perturb.get(name, 0.0)
        single[PREFIX + name] = [severity for severity in severities if severity != clean]
    return {"sweep": {**scenario.sweep, ONE: single}} if given else {}


def _range(text: str, values: str) -> list[float]:
    expected = UsageError(f"--perturb {text}: expected NAME=FROM:TO:STEP in 0..1, such as action_failure=0:1:0.25")
    try:
        first, last, step = map(float, values.split(":")) if ":" in values else (float(values), float(values), 1.0)
    except ValueError:
        raise expected from None
    if not (0 <= first <= last <= 1 and step > 0):
        raise expected
    return steps(first, last, step, f"--perturb {text}")


def curves(rows: pd.DataFrame) -> list[Curve]:
    """The curve of every perturbation that was swept in a batch (``results``); empty if none was.

    Points of one curve differ only in the severity: all other perturbations have the scenario's severities.
    """
    rows = rows[rows["error"].isna()]
    swept = [key for key in rows.columns if key.startswith(PREFIX)]
    others = [key for key in swept_keys(rows) if key not in swept]
    clean = {key: _clean(rows[key], key, rows.attrs["scenario"].get("perturb", {})) for key in swept}
    found = [curve for key in swept for curve in _of(key, rows, clean, others)]
    tested = [point.beside_clean for curve in found for point in curve.points if point.beside_clean]
    adjusted = iter(holm([paired.p_value for paired in tested]))
    return [
        curve._replace(points=[p._replace(adjusted=next(adjusted)) if p.beside_clean else p for p in curve.points])
        for curve in found
    ]


def _clean(severities: pd.Series, key: str, perturb: Mapping[str, float]) -> float:
    usual = perturb.get(key.removeprefix(PREFIX), 0.0)
    return usual if (severities == usual).any() else severities.min()


def _of(key: str, rows: pd.DataFrame, clean: Mapping[str, float], others: list[str]) -> Iterator[Curve]:
    scenario = rows.attrs["scenario"]
    rest = [rows[other] == value for other, value in clean.items() if other != key]
    rows = rows[np.logical_and.reduce(rest)] if rest else rows
    groups = rows.groupby(others, sort=False, dropna=False) if others else [((), rows)]
    for values, group in groups:
        words = "; ".join(f"{other}={value}" for other, value in zip(others, values, strict=True))
        limit = tick_limit(scenario, dict(zip(others, values, strict=True)), group)
        points = list(_points(group, key, clean[key], limit))
        if len(points) > 1:
            yield Curve(key.removeprefix(PREFIX), words, points, _areas(group, key))


def _areas(rows: pd.DataFrame, key: str) -> pd.Series:
    table = rows.pivot_table(index="seed", columns=key, values="success", aggfunc="mean").dropna()
    severities = table.columns.to_numpy(float)
    return pd.Series(np.trapezoid(table.to_numpy(float), severities, axis=1) / np.ptp(severities), table.index)


def _points(rows: pd.DataFrame, key: str, clean: float, limit: int) -> Iterator[Point]:
    base = rows[rows[key] == clean].drop_duplicates("seed").set_index("seed")
    for severity, group in rows.groupby(key):
        both = base.join(group.set_index("seed"), how="inner", lsuffix="_clean", rsuffix="_dosed")
        beside = None
        if severity != clean:
            if both.empty:
                continue  # no pairs yet
            beside = _beside(both)
        rate = success_rate(int(group["success"].sum()), len(group))
        steps = mean_steps(until(group, limit), group["success"].to_numpy(bool), limit)
        yield Point(
            float(severity), len(group), rate, beside and beside[0], 1.0, steps, beside and beside[1], _also(group)
        )


def _beside(both: pd.DataFrame) -> tuple[Paired, Estimate | None]:
    """Success, and steps where both succeed, compared with the clean trials."""
    success = paired_success(both["success_clean"].to_numpy(), both["success_dosed"].to_numpy())
    taken = (both["steps_to_completion_dosed"] - both["steps_to_completion_clean"]).dropna().to_numpy(float)
    return success, mean_difference(taken) if len(taken) > 1 else None


def _also(rows: pd.DataFrame) -> dict[str, float]:
    """Means of measures that may worsen although success does not."""
    return {name: float(rows[name].mean()) for name in ALSO}

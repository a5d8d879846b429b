"""The report card: agents on a suite of scenarios, clean and perturbed, compared with the oracle on the same seeds.

Worlds are never pooled or averaged: they differ, and an agent that runs in few worlds would be ranked by those alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sandbox.analysis.autonomy import Decided
from sandbox.analysis.measures import Measures, measures, tick_limit
from sandbox.analysis.results import results
from sandbox.analysis.robustness import Curve, curves, mean_area
from sandbox.record.whole import within
from sandbox.running.batch import OnProgress, batch
from sandbox.scenario import Scenario
from sandbox.statistics import Estimate, clustered_rate, ratio
from sandbox.studies.suite import Entrant, Suite, seated

YARDSTICK = "oracle"


class Row(NamedTuple):
    """One agent in one scenario of the suite; all None if its world does not have the agent."""

    agent: str
    scenario: str
    known: bool  # whether the world has the agent
    clean: Measures | None = None  # trials without a perturbation
    perturbed: Estimate | None = None  # success over all perturbed trials
    steps: Estimate | None = None  # ratio to the oracle's steps on the same seeds, if both succeed
    robustness: Estimate | None = None  # mean area below the severity curves; 1: no perturbation has an effect
    severities: dict[str, dict[float, float]] | None = None  # success by perturbation and severity
    per_trial: dict[str, float] | None = None  # means over all trials
    finishes: dict[str, int] | None = None  # of all trials
    errors: int = 0  # infrastructure errors, which are excluded
    decided: Decided | None = None  # who decided in all trials


class Standing(NamedTuple):
    """One agent in the suite."""

    agent: str
    tried: int  # scenarios whose world has the agent
    of: int
    worst: Row | None  # by clean success; None if no trial counts
    best: Row | None


OnBatch = Callable[[str, Scenario], AbstractContextManager[OnProgress]]


def play(
    suite: Suite, entrants: Sequence[Entrant], out: Path, trials: int | None, workers: int | None, on_batch: OnBatch
) -> dict[tuple[str, str], pd.DataFrame]:
    """The rows of every agent in every scenario whose world has it, by agent and scenario.

    Each batch has its own folder below ``out`` and is resumed there. ``on_batch`` gets the names of agent and scenario,
    and returns a context manager that receives the progress.
    """
    found = {}
    for who in entrants:
        for name, scenario in suite.scenarios.items():
            if (chosen := seated(scenario, who)) is not None:
                folder = within(out, who.name, name)
                with on_batch(who.name, chosen) as told:
                    batch(chosen, folder, trials, workers, on_progress=told)
                found[who.name, name] = results(folder)
    return found


def seats(suite: Suite, entrants: Sequence[Entrant]) -> Iterator[Scenario]:
    """The scenarios that ``play`` plays."""
    return (found for who in entrants for each in suite.scenarios.values() if (found := seated(each, who)))


def card(suite: Suite, entrants: Sequence[Entrant], played: dict[tuple[str, str], pd.DataFrame]) -> list[Row]:
    """A row for each agent in each scenario, scenario by scenario."""
    return [_row(who.name, name, played) for name in suite.scenarios for who in entrants]


def _row(agent: str, name: str, played: dict[tuple[str, str], pd.DataFrame]) -> Row:
    rows = played.get((agent, name))
    if rows is None:
        return Row(agent, name, False)
    drawn, counted, clean = curves(rows), rows[rows["error"].isna()], _clean(rows)
    limit = tick_limit(rows.attrs["scenario"], {}, rows)
    whole, disturbed = measures(rows, limit), counted[counted["condition"] != 0]
    return Row(
        agent, name, True, measures(clean, limit), _rate(disturbed), _ratio(rows, played.get((YARDSTICK, name))),
        _robustness(drawn),
        {curve.perturbation: {p.severity: p.success.value for p in curve.points} for curve in drawn},
        whole.per_trial, whole.finishes, whole.errors, whole.decided,
    )  # fmt: skip


def _clean(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["condition"] == 0]  # the first condition of a suite's sweep is the unchanged scenario


def _rate(rows: pd.DataFrame) -> Estimate | None:
    """Success over several conditions of one world, with seeds as clusters."""
    of_seed = rows.groupby("seed")["success"].agg(["sum", "size"]).to_numpy(float)
    return clustered_rate(*of_seed.T) if len(of_seed) else None


def _robustness(drawn: Sequence[Curve]) -> Estimate | None:
    """The mean of the areas below the curves of one world, over seeds that were tried at all severities."""
    if not drawn:
        return None
    areas = pd.concat([curve.areas for curve in drawn], axis=1, join="inner").mean(axis=1)
    return mean_area(areas, sum(len(curve.points) - 1 for curve in drawn) + 1)


def _ratio(rows: pd.DataFrame, yardstick: pd.DataFrame | None) -> Estimate | None:
    """Geometric mean of the ratios of steps to the oracle's on equal seeds and conditions, if both succeed."""
    if yardstick is None:
        return None
    keys = ["condition", "seed"]
    both = rows.set_index(keys)["steps_to_completion"].astype(float)
    both = both / yardstick.set_index(keys)["steps_to_completion"].astype(float)
    of_seed = np.log(both.dropna()).groupby("seed").agg(["sum", "size"]).to_numpy(float)
    return Estimate(*np.exp(ratio(*of_seed.T)).tolist()) if len(of_seed) > 1 else None


def standings(rows: Sequence[Row]) -> list[Standing]:
    """For each agent, the number of worlds in which it was tried, its worst and its best."""
    found = []
    for agent in dict.fromkeys(row.agent for row in rows):
        own = [row for row in rows if row.agent == agent]
        tried = sorted((row for row in own if row.known and row.clean.success), key=lambda row: row.clean.success.value)
        ends = (tried[0], tried[-1]) if tried else (None, None)
        found.append(Standing(agent, sum(row.known for row in own), len(own), *ends))
    return found


def as_json(suite: Suite, trials: int, rows: Sequence[Row], versions: dict[str, str]) -> dict[str, Any]:
    """Every figure of a card as JSON values."""
    return {
        "suite": {"version": suite.version, "hash": suite.hash, "scenarios": list(suite.scenarios)},
        "trials": trials, "versions": versions, "rows": [_json(row) for row in rows],
        "agents": [_standing(each) for each in standings(rows)],
    }  # fmt: skip


def _standing(each: Standing) -> dict[str, Any]:
    ends = {"worst": each.worst, "best": each.best}
    return {"agent": each.agent, "tried": each.tried, "of": each.of} | {
        name: row and {"scenario": row.scenario, "success": _estimate(row.clean.success)} for name, row in ends.items()
    }


def _json(row: Row) -> dict[str, Any]:
    if not row.known:
        return {"agent": row.agent, "scenario": row.scenario, "known": False}
    clean = row.clean
    return {
        "agent": row.agent, "scenario": row.scenario, "known": True,
        "clean": {"trials": clean.trials, "successes": clean.successes, "success": _estimate(clean.success),
                  "pass": _numbers(clean.passes), "mean_steps": _numbers([clean.mean_steps])[0]},
        "perturbed": _estimate(row.perturbed), "steps_to_oracle": _estimate(row.steps),
        "robustness": _estimate(row.robustness),
        "severities": row.severities, "per_trial": row.per_trial, "finishes": row.finishes, "errors": row.errors,
        "decided": row.decided._asdict(),
    }  # fmt: skip


def _estimate(found: Estimate | None) -> dict[str, float] | None:
    return found._asdict() if found else None


def _numbers(values: Sequence[float]) -> list[float | None]:
    """NaN becomes None, because JSON has no NaN."""
    return [None if np.isnan(value) else float(value) for value in values]

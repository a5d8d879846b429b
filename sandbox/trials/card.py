"""The report card: agents through a suite of scenarios, clean and perturbed, beside the oracle on the same seeds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sandbox.autonomy import Decided
from sandbox.record.whole import within
from sandbox.scenario import Scenario
from sandbox.statistics import Estimate, mean_difference, success_rate
from sandbox.trials.batch import OnProgress, batch
from sandbox.trials.measures import Measures, measures, tick_limit
from sandbox.trials.results import results
from sandbox.trials.robustness import curves
from sandbox.trials.suite import Entrant, Suite, seated

YARDSTICK = "oracle"
OVERALL = "overall"


class Row(NamedTuple):
    """One agent in one scenario of the suite, or in all of them; all None where the world does not know the agent."""

    agent: str
    scenario: str  # or OVERALL
    worlds: int  # scenarios that are counted here
    clean: Measures | None = None  # trials without a perturbation
    perturbed: Estimate | None = None  # success over all perturbed trials
    steps: Estimate | None = None  # ratio to the oracle's on the same seeds, where both succeed
    robustness: float | None = None  # mean area below the dose curves; 1: nothing disturbs it
    doses: dict[str, dict[float, float]] | None = None  # success by perturbation and dose
    per_trial: dict[str, float] | None = None  # means over all trials
    finishes: dict[str, int] | None = None  # of all trials
    errors: int = 0  # infrastructure errors, which count for nothing
    decided: Decided | None = None  # who decided in all trials


OnBatch = Callable[[str, Scenario], AbstractContextManager[OnProgress]]


def play(
    suite: Suite, entrants: Sequence[Entrant], out: Path, trials: int | None, workers: int | None, on_batch: OnBatch
) -> dict[tuple[str, str], pd.DataFrame]:
    """The rows of every agent in every scenario that knows it, by both their names.

    Each has a folder of its own below ``out`` and is resumed there. ``on_batch`` is told the agent and the scenario,
    and answers what shall hear of the progress, for use in a ``with``.
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
    """A row for each agent and scenario, and after an agent's own one for all of them together."""
    found = []
    for who in entrants:
        own = [_row(who.name, name, played) for name in suite.scenarios]
        found += [*own, _overall(who.name, own, played)]
    return found


def _row(agent: str, name: str, played: dict[tuple[str, str], pd.DataFrame]) -> Row:
    rows = played.get((agent, name))
    if rows is None:
        return Row(agent, name, 0)
    drawn, counted, clean = curves(rows), rows[rows["error"].isna()], _clean(rows)
    limit = tick_limit(rows.attrs["scenario"], {}, rows)
    whole, disturbed = measures(rows, limit), counted[counted["condition"] != 0]
    return Row(
        agent, name, 1, measures(clean, limit), _rate(disturbed), _ratio(rows, played.get((YARDSTICK, name))),
        float(np.mean([curve.area for curve in drawn])) if drawn else None,
        {curve.perturbation: {p.dose: p.success.value for p in curve.points} for curve in drawn},
        whole.per_trial, whole.finishes, whole.errors, whole.decided,
    )  # fmt: skip


def _clean(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["condition"] == 0]  # a suite's sweep tries the scenario as it stands first


def _rate(rows: pd.DataFrame) -> Estimate | None:
    return success_rate(int(rows["success"].sum()), len(rows)) if len(rows) else None


def _ratio(rows: pd.DataFrame, yardstick: pd.DataFrame | None) -> Estimate | None:
    """Geometric mean of the ratios of steps to the oracle's on equal seeds and conditions, where both succeed."""
    logs = _log_ratios(rows, yardstick)
    return Estimate(*np.exp(mean_difference(logs)).tolist()) if len(logs) > 1 else None


def _log_ratios(rows: pd.DataFrame, yardstick: pd.DataFrame | None) -> np.ndarray:
    if yardstick is None:
        return np.array([])
    keys = ["condition", "seed"]
    both = rows.set_index(keys)["steps_to_completion"].astype(float)
    both = both / yardstick.set_index(keys)["steps_to_completion"].astype(float)
    return np.log(both.dropna().to_numpy())


def _overall(agent: str, own: Sequence[Row], played: dict[tuple[str, str], pd.DataFrame]) -> Row:
    """All scenarios that know the agent: trials are pooled, of each scenario equally many; robustness is the mean."""
    names = [row.scenario for row in own if row.worlds]
    if not names:
        return Row(agent, OVERALL, 0)
    rows = [played[agent, name] for name in names]
    together = pd.concat([each.assign(scenario=name) for each, name in zip(rows, names, strict=True)])
    counted, limit = together[together["error"].isna()], max(row.clean.limit for row in own if row.clean)
    whole, clean = measures(together, limit), measures(_clean(together), limit)
    passes = np.mean([row.clean.passes for row in own if row.clean], axis=0)  # the mean over tasks, as it is defined
    logs = [_log_ratios(each, played.get((YARDSTICK, name))) for each, name in zip(rows, names, strict=True)]
    logs = np.concatenate(logs)
    robust = [row.robustness for row in own if row.robustness is not None]
    return Row(
        agent, OVERALL, len(names), clean._replace(passes=tuple(passes.tolist())),
        _rate(counted[counted["condition"] != 0]),
        Estimate(*np.exp(mean_difference(logs)).tolist()) if len(logs) > 1 else None,
        float(np.mean(robust)) if robust else None, None, whole.per_trial, whole.finishes, whole.errors,
        whole.decided,
    )  # fmt: skip


def as_json(suite: Suite, trials: int, rows: Sequence[Row], versions: dict[str, str]) -> dict[str, Any]:
    """Every figure of a card as JSON values."""
    return {
        "suite": {"version": suite.version, "hash": suite.hash, "scenarios": list(suite.scenarios)},
        "trials": trials, "versions": versions, "rows": [_json(row) for row in rows],
    }  # fmt: skip


def _json(row: Row) -> dict[str, Any]:
    if not row.worlds:
        return {"agent": row.agent, "scenario": row.scenario, "known": False}
    clean = row.clean
    return {
        "agent": row.agent, "scenario": row.scenario, "known": True, "worlds": row.worlds,
        "clean": {"trials": clean.trials, "successes": clean.successes, "success": _estimate(clean.success),
                  "pass": _numbers(clean.passes), "mean_steps": _numbers([clean.mean_steps])[0]},
        "perturbed": _estimate(row.perturbed), "steps_to_oracle": _estimate(row.steps), "robustness": row.robustness,
        "doses": row.doses, "per_trial": row.per_trial, "finishes": row.finishes, "errors": row.errors,
        "decided": row.decided._asdict(),
    }  # fmt: skip


def _estimate(found: Estimate | None) -> dict[str, float] | None:
    return found._asdict() if found else None


def _numbers(values: Sequence[float]) -> list[float | None]:
    """JSON has no NaN."""
    return [None if np.isnan(value) else float(value) for value in values]

"""The measures of the trials of one condition, as tables, pages and cards show them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sandbox.analysis.autonomy import Decided, decided
from sandbox.core.errors import SandboxError
from sandbox.core.finish import Finish, Outcome
from sandbox.engine.registry import find
from sandbox.scenario.schema import TrialsTable
from sandbox.statistics import Completion, Estimate, kaplan_meier, latency, mean_steps, pass_hat, success_rate

if TYPE_CHECKING:
    import pandas as pd

PASSES = 8  # pass^1 .. pass^8
PER_TRIAL = ("ticks", "seconds", "invalid_actions", "refused_actions")
PERCENTILES = (50, 95)
OF_TEAMS = ("idle_share", "load_balance")  # shown for teams
IF_ANY = tuple(
    name for name, usual in Outcome._field_defaults.items() if isinstance(usual, int | float) and name not in OF_TEAMS
)
NONE = float("nan")
MAX_ERRORS = TrialsTable.model_fields["max_errors"].default


class Measures(NamedTuple):
    """Measures of trials; ``errors`` counts infrastructure errors, which no other measure includes."""

    trials: int
    errors: int
    successes: int
    success: Estimate | None
    passes: tuple[float, ...]  # pass^1 .. pass^8; NaN beyond the number of trials
    completion: Completion | None
    limit: int  # ticks up to which mean steps are restricted
    mean_steps: float  # restricted mean; a failed trial counts as ``limit`` ticks
    latency: tuple[Estimate, ...]  # ticks by which the PERCENTILES of trials are done; infinite if never
    per_trial: dict[str, float]  # means; for seconds the median
    finishes: dict[str, int]
    decided: Decided


def check_errors(rows: "pd.DataFrame", where: str) -> None:
    """Raise SandboxError, naming ``where``, if the share of infrastructure errors exceeds the scenario's limit."""
    failed, limit = rows["error"].dropna(), rows.attrs.get("max_errors", MAX_ERRORS)
    if len(failed) > limit * len(rows):
        first, count = failed.value_counts().index[0], f"{len(failed):,} of {len(rows):,} trials"
        raise SandboxError(
            f"{where}: {count} are infrastructure errors, more than the limit of {limit:.0%} (trials.max_errors); "
            f"they do not count, and the same command tries them again. Most frequent: {first}"
        )


def measures(rows: "pd.DataFrame", limit: int) -> Measures:
    """Measures of rows of ``results``; ``limit`` is the tick limit of these trials."""
    counted = rows[rows["error"].isna()]
    trials, successes = len(counted), int(counted["success"].sum())
    passes = tuple(pass_hat(successes, trials, k) for k in range(1, PASSES + 1))
    of_team = OF_TEAMS if "team" in rows.attrs.get("scenario", {}) else ()
    measured = (
        *PER_TRIAL,
        *(name for name in of_team if name in counted),
        *(name for name in IF_ANY if name in counted and counted[name].any()),
    )
    per_trial = {name: float(_usual(counted[name])) for name in measured if trials}
    finishes = {str(name): int(count) for name, count in counted["finish"].value_counts().items()}
    who = decided(rows)
    if not trials:
        return Measures(0, len(rows), 0, None, passes, None, limit, NONE, (), per_trial, finishes, who)
    steps, succeeded = until(counted, limit), counted["success"].to_numpy(bool)
    completion = kaplan_meier(steps, succeeded)
    done_by = np.where(succeeded, steps, np.inf)  # trials stopped from outside count as never done
    return Measures(
        trials, len(rows) - trials, successes, success_rate(successes, trials), passes, completion, limit,
        mean_steps(steps, succeeded, limit), tuple(latency(done_by, p / 100) for p in PERCENTILES), per_trial, finishes,
        who,
    )  # fmt: skip


def _usual(values: "pd.Series") -> float:
    return values.median() if values.name == "seconds" else values.mean()  # a machine may be busy for a while


def until(rows: "pd.DataFrame", limit: int) -> np.ndarray:
    """Ticks to completion, or until a trial is censored.

    A trial that was stopped from outside is censored there. A failed trial can no longer succeed: it counts as not done
    up to the limit, whenever it ended, so that failing early brings no advantage.
    """
    open_ended = rows["success"] | (rows["finish"] == Finish.STOPPED.words)
    return np.where(open_ended, rows["ticks"], np.maximum(rows["ticks"], limit)).astype(float)


def tick_limit(scenario: Mapping[str, Any], overrides: Mapping[str, Any], rows: "pd.DataFrame") -> int:
    """The tick limit of one condition: as stated, else the world's own, else the length of its longest trial."""
    stated = overrides.get("world.max_ticks", scenario["world"].get("max_ticks"))
    if stated is None and (option := find(scenario["world"]["name"]).options.model_fields.get("max_ticks")):
        stated = option.default
    return int(stated if stated is not None else rows["ticks"].max() if len(rows) else 1)

"""Comparing batches, or the teams that one batch sweeps, paired on their seeds and conditions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sandbox.autonomy import decided
from sandbox.core.errors import UsageError
from sandbox.statistics import Estimate, Paired, holm, mean_difference, paired_success
from sandbox.trials.results import results, swept_keys
from sandbox.trials.robustness import PREFIX

TEAM = ("agents.", "team.")  # keys of the sweep that make another team


class Comparison(NamedTuple):
    """One run beside the first, in one condition."""

    run: str
    condition: str  # what it overrides, in words; empty where there is one only
    success: Paired
    steps: Estimate | None  # difference of steps to completion where both succeed; None where none do
    adjusted: float  # the p-value, Holm's for as many comparisons as are shown
    autonomy: tuple[float | None, float | None]  # of the first run and of this one: whose success it was
    decided: int  # decisions of agents under test in both; 0 where all follow compiled policies


def compare(runs: Sequence[str | Path]) -> list[Comparison]:
    """Every run beside the first one, condition by condition; of a single run, every team that it sweeps.

    Raises UsageError where they share no seeds, and for a single run that sweeps nothing below ``agents`` or ``team``.
    """
    opened = {str(run): results(run) for run in runs}
    for run, rows in opened.items():
        if len(rows) and rows["error"].notna().all():
            errors = f"all {len(rows):,} trials are infrastructure errors"
            raise UsageError(f"compare: {run}: {errors}; none can be compared")
    if len(runs) == 1:
        opened = _teams(opened[str(runs[0])])
        if len(opened) < 2:
            raise UsageError(
                f"compare: {runs[0]} sweeps no keys of agents or team; expected such a run, or two or more runs"
            )
    found = beside_first(opened)
    if not found:
        raise UsageError(f"compare: {runs[0]} shares no seeds with the other runs under equal conditions")
    return found


def beside_first(runs: Mapping[str, pd.DataFrame]) -> list[Comparison]:
    """The same for rows of ``results`` by the names of their runs; empty where they share no seeds."""
    base, *others = (_keyed(rows) for rows in runs.values())
    found = [row for run, rows in zip(list(runs)[1:], others, strict=True) for row in _beside(base, rows, run)]
    adjusted = holm([row.success.p_value for row in found])
    return [row._replace(adjusted=p) for row, p in zip(found, adjusted, strict=True)]


def _teams(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each team in the order of the sweep, by that in which it differs from the first."""
    keys = [key for key in rows.columns if key.startswith(TEAM)]
    groups = list(rows.groupby(keys, sort=False, dropna=False)) if keys else []
    found = {}
    for values, group in groups:
        told = zip(keys, values, groups[0][0], strict=True)
        changes = (f"{key.rpartition('.')[2]} {value}" for key, value, usual in told if value != usual)
        found[", ".join(changes) or "first"] = group.drop(columns=keys)
    return found


def _keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that count, by condition in words and seed."""
    keys = swept_keys(rows)
    words = [_words(dict(zip(keys, given, strict=True))) for given in rows[keys].values] if keys else ""
    return rows.assign(words=words)[rows["error"].isna()].set_index(["words", "seed"])


def _words(swept: Mapping[str, object]) -> str:
    """A condition in words; a dose of 0 goes without saying."""
    told = (f"{key}={value}" for key, value in swept.items() if value or not key.startswith(PREFIX))
    return "; ".join(told) or "clean"


def _arm(both: pd.DataFrame, side: str) -> pd.DataFrame:
    """One side's columns of joined rows."""
    own = both.filter(regex=f"{side}$")
    return own.rename(columns=lambda name: name.removesuffix(side))


def _beside(base: pd.DataFrame, rows: pd.DataFrame, run: str) -> list[Comparison]:
    both = base.join(rows, how="inner", lsuffix="_first", rsuffix="_second")
    found = []
    for words, group in both.groupby(level="words", sort=False):
        success = paired_success(group["success_first"].to_numpy(), group["success_second"].to_numpy())
        steps = (group["steps_to_completion_second"] - group["steps_to_completion_first"]).dropna().to_numpy(float)
        who = [decided(_arm(group, side)) for side in ("_first", "_second")]
        autonomy, total = tuple(each.autonomy for each in who), sum(each.total for each in who)
        steps = mean_difference(steps) if len(steps) > 1 else None
        found.append(Comparison(run, words, success, steps, 1.0, autonomy, total))
    return found

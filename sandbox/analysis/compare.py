"""Comparing batches, or the teams that one batch sweeps, paired on their seeds and conditions."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sandbox.analysis.autonomy import decided
from sandbox.analysis.results import plain_value, results, swept_keys
from sandbox.analysis.robustness import PREFIX
from sandbox.core.errors import UsageError, unknown
from sandbox.scenario.load import parse_value
from sandbox.statistics import Estimate, Paired, Pairing, holm, mean_difference, paired_success, pairing

TEAM = ("agents.", "team.")  # prefixes of keys that define a team
_BETWEEN = re.compile(r",\s*(?=[\w.]+=)")  # separates the pairs of a base


class Comparison(NamedTuple):
    """One run compared with the first, in one condition."""

    run: str
    condition: str  # its overrides as text; empty for a single condition
    success: Paired
    steps: Estimate | None  # difference of steps to completion where both succeed; None if no pair does
    adjusted: float  # the p-value, adjusted by Holm's method for all comparisons shown
    autonomy: tuple[float | None, float | None]  # of the first run and of this one
    decided: int  # decisions of agents under test in both; 0 if all follow compiled policies
    pairing: Pairing | None  # of success; None if an arm always or never succeeds
    steps_pairing: Pairing | None  # of steps where both succeed


def compare(runs: Sequence[str | Path], base: str | None = None) -> list[Comparison]:
    """Compare every run with the first one, condition by condition; in a single run, every team that it sweeps.

    With a ``base``, such as ``"team.protocol=independent"``, the arms of a single run are the levels of these keys
    alone, paired within each level of all other swept keys. Raises UsageError if the runs share no seeds, for a base
    that is not swept, and without a base for a single run that sweeps nothing below ``agents`` or ``team``.
    """
    opened = {str(run): results(run) for run in runs}
    for run, rows in opened.items():
        if len(rows) and rows["error"].notna().all():
            errors = f"all {len(rows):,} trials are infrastructure errors"
            raise UsageError(f"compare: {run}: {errors}; none can be compared")
    if base is not None:
        if len(runs) > 1:
            raise UsageError(f"compare: --base {base}: expected one RUN, whose sweep has it, got {len(runs)}")
        opened = _arms(opened[str(runs[0])], base)
    elif len(runs) == 1:
        opened = _teams(opened[str(runs[0])])
        if len(opened) < 2:
            raise UsageError(
                f"compare: {runs[0]} sweeps no keys of agents or team; expected such a run, --base with a key that it "
                "sweeps, or two or more runs"
            )
    found = beside_first(opened)
    if not found:
        raise UsageError(f"compare: {runs[0]} shares no seeds with the other runs under equal conditions")
    return found


def beside_first(runs: Mapping[str, pd.DataFrame]) -> list[Comparison]:
    """The same for rows of ``results`` by the names of their runs; empty if they share no seeds."""
    base, *others = (_keyed(rows, run) for run, rows in runs.items())
    found = [row for run, rows in zip(list(runs)[1:], others, strict=True) for row in _beside(base, rows, run)]
    adjusted = holm([row.success.p_value for row in found])
    return [row._replace(adjusted=p) for row, p in zip(found, adjusted, strict=True)]


def _teams(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each team in the order of the sweep, by its difference from the first."""
    keys = [key for key in rows.columns if key.startswith(TEAM)]
    return _levels(rows, keys, rows[keys].iloc[0].tolist()) if keys and len(rows) else {}


def _arms(rows: pd.DataFrame, base: str) -> dict[str, pd.DataFrame]:
    """The rows of each level of the keys of ``base``, which comes first.

    Keys that change together with these, as zipped keys do, belong to the arm; all other swept keys form conditions.
    """
    swept, wanted = swept_keys(rows), {}
    for part in _BETWEEN.split(base):
        key, sign, text = part.partition("=")
        if not sign:
            raise UsageError(f"compare: --base {part}: expected KEY=VALUE, such as team.protocol=independent")
        if key not in swept:
            raise unknown("key", key, swept, "compare: --base")
        levels = {str(value): value for value in rows[key].unique()}
        value = plain_value(parse_value(text))
        if (found := next((each for each in levels.values() if each == value), None)) is None:
            raise unknown("value", text, levels, f"compare: --base {key}")
        wanted[key] = found
    keys = list(wanted)
    with_it = rows.groupby(keys, dropna=False)
    keys += [key for key in swept if key not in keys and (with_it[key].nunique(dropna=False) <= 1).all()]
    own = rows[np.logical_and.reduce([rows[key] == value for key, value in wanted.items()])]
    if own.empty:
        raise UsageError(f"compare: --base {base}: no trial has all of these values")
    return _levels(rows, keys, own[keys].iloc[0].tolist())


def _levels(rows: pd.DataFrame, keys: list[str], base: list) -> dict[str, pd.DataFrame]:
    """The rows of each level of some keys, the base first, by their difference from it."""
    groups = dict(list(rows.groupby(keys, sort=False, dropna=False)))
    found = {}
    for values in sorted(groups, key=lambda values: not _alike(values, base)):
        told = zip(keys, values, base, strict=True)
        changes = (f"{key.rpartition('.')[2]} {value}" for key, value, usual in told if not _alike([value], [usual]))
        found[", ".join(changes) or "first"] = groups[values].drop(columns=keys)
    return found


def _alike(first: Sequence, second: Sequence) -> bool:
    """Whether two sequences are equal; missing values are equal to each other."""
    return all(a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(first, second, strict=True))


def _keyed(rows: pd.DataFrame, run: str) -> pd.DataFrame:
    """Rows that count, by condition as text and seed; raises UsageError if a seed was played twice."""
    keys = swept_keys(rows)
    each = rows[keys].itertuples(index=False, name=None)  # one array would turn integers into floats
    words = [_words(dict(zip(keys, given, strict=True))) for given in each] if keys else ""
    keyed = rows.assign(words=words)[rows["error"].isna()].set_index(["words", "seed"])
    if keyed.index.has_duplicates:
        (_, seed), *_ = keyed.index[keyed.index.duplicated()]
        raise UsageError(f"compare: {run}: seed {seed} was played more than once; expected one trial of each seed")
    return keyed


def _words(swept: Mapping[str, object]) -> str:
    """A condition as text, without severities of 0."""
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
        arms = [group[f"success_{side}"].to_numpy() for side in ("first", "second")]
        taken = group[["steps_to_completion_first", "steps_to_completion_second"]].dropna().to_numpy(float).T
        steps = taken[1] - taken[0]
        who = [decided(_arm(group, side)) for side in ("_first", "_second")]
        autonomy, total = (who[0].autonomy, who[1].autonomy), sum(each.total for each in who)
        steps = mean_difference(steps) if len(steps) > 1 else None
        together = pairing(*(each.astype(float) for each in arms)), pairing(*taken)
        found.append(Comparison(run, words, paired_success(*arms), steps, 1.0, autonomy, total, *together))
    return found

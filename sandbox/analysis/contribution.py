"""Contributions: the team without one of its agents, compared with the whole team on the same seeds."""

import json
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from sandbox.analysis.results import swept_keys
from sandbox.engine.registry import find
from sandbox.statistics import Estimate, Paired, holm, paired_success, ratio

ABSENT = "team.absent"  # agents that are present but do nothing


class Contribution(NamedTuple):
    """The loss without some agents, usually one."""

    absent: str  # their names
    condition: str  # values of the other swept keys, as text
    success: Paired  # the whole team, then the one without them
    throughput: Estimate | None  # lost share of the whole team's tasks a tick; None if that did nothing
    adjusted: float  # the p-value of McNemar's test, adjusted by Holm's method for all that are shown


def contributions(rows: pd.DataFrame) -> list[Contribution]:
    """The contribution of each absent agent of a batch (``results``); empty if its sweep has no whole team."""
    rows = rows[rows["error"].isna()]
    if ABSENT not in rows.columns:
        return []
    rows = rows.assign(throughput=rows["tasks_done"] / rows["ticks"].clip(lower=1))
    names, others = _names(rows.attrs["scenario"]), [key for key in swept_keys(rows) if key != ABSENT]
    groups = rows.groupby(others, sort=False, dropna=False) if others else [((), rows)]
    found: list[Contribution] = []
    for values, group in groups:
        words = "; ".join(f"{key}={value}" for key, value in zip(others, values, strict=True))
        found += _of(group, names, words)
    adjusted = holm([each.success.p_value for each in found])
    return [each._replace(adjusted=p) for each, p in zip(found, adjusted, strict=True)]


def _of(rows: pd.DataFrame, names: list[str], words: str) -> Iterator[Contribution]:
    absent = rows[ABSENT].fillna("[]")
    whole = rows[absent == "[]"].set_index("seed")
    for told, group in rows[absent != "[]"].groupby(ABSENT, sort=False):
        both = whole.join(group.set_index("seed"), how="inner", lsuffix="_whole", rsuffix="_without")
        if both.empty:
            continue  # no pairs yet
        success = paired_success(both["success_whole"].to_numpy(), both["success_without"].to_numpy())
        all_of_it, less = both["throughput_whole"].to_numpy(float), both["throughput_without"].to_numpy(float)
        lost = ratio(all_of_it - less, all_of_it) if all_of_it.any() else None
        who = ", ".join(names[k] if k < len(names) else str(k) for k in json.loads(told))
        yield Contribution(who, words, success, lost, 1.0)


def _names(scenario: dict) -> list[str]:
    """The agents' names in the model."""
    usual = find(scenario["world"]["name"]).roles[0]
    roles = [group.get("role") or usual for group in scenario["agents"] for _ in range(group.get("count", 1))]
    return [f"{role}-{row}" for row, role in enumerate(roles)]

"""Throughput against team size, of a batch whose sweep changes how many agents there are."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from sandbox.scaling import AMDAHL, USL, Law, fit, largest, obstacle
from sandbox.statistics import Estimate, mean_difference, ratio
from sandbox.trials.results import swept_keys

COUNT = re.compile(r"agents\.(\d+)\.count")


class Size(NamedTuple):
    """Trials of one team size. Throughput is tasks done, a tick."""

    agents: int
    throughput: Estimate  # mean of the trials
    speedup: Estimate | None  # beside the smallest team, on the same seeds; None where that does nothing
    efficiency: Estimate | None  # speed-up for each agent that it has, the smallest team's is 1


class Scaling(NamedTuple):
    """One curve, in one condition of whatever else was swept."""

    condition: str  # in words; empty where nothing else was swept
    seeds: int  # that all sizes share
    sizes: list[Size]  # in order
    amdahl: Law | None
    usl: Law | None
    missing: str  # why there is no law, in words
    near: list[int]  # sizes that may be the best of these (``scaling.largest``)

    @property
    def agents(self) -> np.ndarray:
        return np.array([size.agents for size in self.sizes])


def scalings(rows: pd.DataFrame) -> list[Scaling]:
    """The curves of a batch (``results``); none where its sweep does not change the size of the team.

    What changes with the size alone, as zipped keys do, is part of the curve; whatever else is swept makes a curve of
    its own for each value.
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
        return  # one size, or no seed yet that all sizes share
    words = "; ".join(f"{key}={value}" for key, value in others.items())
    agents, throughput = table.index.to_numpy(), table.to_numpy(float)
    missing = {law: obstacle(agents, throughput, law) for law in (AMDAHL, USL)}
    laws = [None if why else fit(agents, throughput, law) for law, why in missing.items()]
    told = missing[AMDAHL] or missing[USL]
    yield Scaling(words, throughput.shape[1], list(_sizes(agents, throughput)), *laws, told, _near(agents, throughput))


def _near(agents: np.ndarray, throughput: np.ndarray) -> list[int]:
    return largest(agents, throughput) if throughput.shape[1] > 1 else agents.tolist()


def _sizes(agents: np.ndarray, throughput: np.ndarray) -> Iterator[Size]:
    first = throughput[0]
    for n, own in zip(agents.tolist(), throughput, strict=True):
        speedup = ratio(own, first) if first.any() else None
        share = float(agents[0]) / n
        efficiency = Estimate(*(share * value for value in speedup)) if speedup else None
        yield Size(n, mean_difference(own), speedup, efficiency)

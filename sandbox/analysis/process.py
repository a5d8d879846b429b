"""What an event log says of a process: which activity follows which, who worked when, and what waits.

A log is a data frame as ``eventlogs.read`` gives it: trial, case, activity, resource ("": nobody), start (NaN: not
known) and end, in minutes since a Monday, 0:00.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from sandbox.core.event_log import START, Part

BEGIN, END = "begin", "end"  # of a case, on a map


class Way(NamedTuple):
    """One activity directly followed by another in the same case."""

    one: str
    other: str
    times: int
    median: float  # minutes from the end of one to the end of the other; 0 at the begin and the end of a case


class ProcessMap(NamedTuple):
    """A directly-follows graph (van der Aalst 2019): what follows what, how often, and how long after."""

    activities: dict[str, int]  # how often each happened, in the order in which cases first come to them
    ways: list[Way]  # the most frequent first


def events_of(part: Part) -> pd.DataFrame:
    """The log of a trial as a data frame."""
    rows = [
        (part.trial, each.case, each.kind, each.resource, _minutes(each.start), _minutes(each.end))
        for each in part.events
    ]
    return pd.DataFrame(rows, columns=["trial", "case", "activity", "resource", "start", "end"])


def _minutes(moment: datetime | None) -> float:
    return float("nan") if moment is None else (moment - START).total_seconds() / 60


def process_map(events: pd.DataFrame) -> ProcessMap:
    """The directly-follows graph of a log; each case begins at BEGIN and ends at END."""
    cases = _in_order(events).groupby(["trial", "case"], sort=False)
    place, found = cases.cumcount().groupby(events["activity"]).mean(), defaultdict[tuple[str, str], list[float]](list)
    for _, own in cases:
        names, ends = [BEGIN, *own["activity"], END], own["end"].tolist()
        moments = [ends[0], *ends, ends[-1]]
        for k in range(len(names) - 1):
            found[names[k], names[k + 1]].append(moments[k + 1] - moments[k])
    ways = [Way(one, other, len(waits), float(np.median(waits))) for (one, other), waits in found.items()]
    counts = events["activity"].value_counts()
    order = place.sort_values(kind="stable").index
    return ProcessMap({name: int(counts[name]) for name in order}, sorted(ways, key=lambda way: -way.times))


def _in_order(events: pd.DataFrame) -> pd.DataFrame:
    return events.sort_values(["trial", "end"], kind="stable")


def layers(found: ProcessMap, ways: Iterable[Way]) -> dict[str, int]:
    """The layer of each activity: below all that come before it, by the ways that do not lead back."""
    order = {name: k for k, name in enumerate([BEGIN, *found.activities, END])}
    graph = nx.DiGraph([(way.one, way.other) for way in ways if order[way.one] < order[way.other]])
    return {name: k for k, layer in enumerate(nx.topological_generations(graph)) for name in layer}


def work(events: pd.DataFrame) -> pd.DataFrame:
    """The times of work: resource, activity, start, end; what somebody did for several cases at once is there once."""
    known = events[(events["resource"] != "") & (events["end"] > events["start"])]
    columns = ["trial", "resource", "activity", "start", "end"]
    return known[columns].drop_duplicates().sort_values(["trial", "resource", "start"], kind="stable")


def queues(events: pd.DataFrame) -> dict[str, pd.Series]:
    """How many cases wait before each activity that somebody does: counts by the time from which on they hold.

    A case waits from the end of what came before it to the start of the activity; the log needs starts.
    """
    ordered = _in_order(events)
    before = ordered.groupby(["trial", "case"], sort=False)["end"].shift()
    waits = ordered.assign(since=before)[(ordered["resource"] != "") & (ordered["start"] > before)]
    found = {}
    for activity, own in waits.groupby("activity", sort=False):
        steps = pd.concat([pd.Series(1, own["since"]), pd.Series(-1, own["start"])])
        found[str(activity)] = steps.groupby(level=0).sum().sort_index().cumsum()
    return found

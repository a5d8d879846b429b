"""What an event log says about a process: cases, posts and their shifts, and laws of durations.

The first FITTED of the cases of each trial, by arrival, are fitted; the fit is measured on the others. A process so
fitted has no documents and no checks: what they cause (rework, questions, escalations) is in its paths.

Sources: a start that is missing is the later of the case's and the resource's last end (Chapela-Campa & Dumas 2023);
posts are groups of resources that do the same activities (Song & van der Aalst 2008).
"""

import re
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
from scipy import stats

from sandbox.engine.queueing.distributions import lognormal
from sandbox.worlds.office.compiler import DAYS
from sandbox.worlds.office.state import DAY, GRAIN

FITTED = 0.8  # share of the cases
ACTIVITIES, PEOPLE, BATCH = 30, 100, 32  # at most, as a process has them
SHARED = 0.05  # share of an activity's events that makes a resource one of those who do it
WEEK = 7 * DAY
OWN = 90.0  # minutes by which the hours of a day must differ to count
FEW = 30  # events of a day, below which its hours cannot be told
LONG = 22 * 60.0  # minutes of a day, from which on a post works day and night
NIGHTS = 0.2  # share of the events that end on another day, from which on a post works day and night
SPARE = "nobody"  # the post to which nothing is escalated, which a process must have
QUARTER = 15.0  # minutes to which shifts are rounded


class Law(NamedTuple):
    """A distribution of durations."""

    given: dict[str, float]  # as a process file has it
    words: str
    cdf: Any  # values -> probabilities


class Post(NamedTuple):
    """A group of people."""

    name: str
    resources: set[str]
    shift: np.ndarray  # (7, 2) float64  minutes of the day
    people: int
    batch: int


# -- preparing ---------------------------------------------------------------------------------------------------------


def prepared(events: pd.DataFrame, notes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events with a start, without milestones and rare activities; and cases with arrival, end, and whether fitted.

    A milestone takes no time and nobody does it, such as "order closed".
    """
    events = events.copy()
    by_case, key = events.groupby(["trial", "case"])["end"], ["trial", "resource"]
    before = by_case.shift()
    in_time = events.sort_values("end", kind="stable")
    busy = in_time.groupby(key)["end"].shift().reindex(events.index)
    people = events["resource"] != ""
    guessed = events["start"].isna() & people
    start = np.fmax(before, busy.where(people)).fillna(events["end"])
    events["start"] = events["start"].fillna(np.minimum(start, events["end"]))
    if guessed.any():
        told = f"{int(guessed.sum()):,} of {len(events):,} events have no start"
        notes.append(f"{told}: it is taken as the later of the last ends of the case and of the resource")
    cases = events.groupby(["trial", "case"]).agg(arrived=("start", "min"), ended=("end", "max")).reset_index()
    cases = cases.sort_values(["trial", "arrived"], kind="stable", ignore_index=True)
    number, of = cases.groupby("trial").cumcount(), cases.groupby("trial")["case"].transform("size")
    cases["fitted"] = number < FITTED * of
    spent = (events["end"] - events["start"]).groupby([events["activity"], events["resource"] == ""]).transform("max")
    events = events[(events["resource"] != "") | (spent > 0)]
    often = events["activity"].value_counts()
    if len(often) > ACTIVITIES:
        notes.append(f"{len(often) - ACTIVITIES} rare activities of {len(often)} are left out")
        events = events[events["activity"].isin(often.index[:ACTIVITIES])]
    return events.merge(cases[["trial", "case", "fitted"]], on=["trial", "case"]), cases


# -- posts and shifts --------------------------------------------------------------------------------------------------


def posts_of(events: pd.DataFrame, notes: list[str]) -> tuple[list[Post], dict[str, int]]:
    """Posts, the one with most events first; and the post of each activity that people do."""
    done = events[events["resource"] != ""]
    pairs = done.groupby(["activity", "resource"]).size()
    share = pairs / pairs.groupby("activity").transform("sum")
    graph = nx.Graph([(("a", a), ("r", r)) for (a, r), own in share.items() if own >= SHARED])
    groups = [({n for kind, n in each if kind == "a"}, {n for kind, n in each if kind == "r"})
              for each in nx.connected_components(graph)]  # fmt: skip
    groups.sort(key=lambda group: (-int(pairs[pairs.index.get_level_values(0).isin(group[0])].sum()), sorted(group[0])))
    posts, of, names = [], {}, {SPARE}
    for number, (activities, resources) in enumerate(groups):
        own = done[done["activity"].isin(activities)]
        of |= dict.fromkeys(activities, number)
        name = "team" if number == 0 else _free(stem(resources) or f"post {number}", names)
        names.add(name)
        count = int(own[own["resource"].isin(resources)].groupby("trial")["resource"].nunique().max())
        if count > PEOPLE:
            notes.append(f"post '{name}' has {count} people; a process has {PEOPLE} at most")
        same = int(own.groupby(["trial", "resource", "start", "end"]).size().max())
        posts.append(Post(name, resources, shift_of(own), min(count, PEOPLE), min(same, BATCH)))
    return posts, of


def stem(names: set[str]) -> str:
    """What the names of resources begin with, without their numbers: "manager" of "0:manager-0"."""
    stems = {re.sub(r"^\d+:", "", name).rstrip("0123456789").rstrip(" -_") for name in names}
    found = re.sub(r"\W+", " ", stems.pop(), flags=re.ASCII).strip() if len(stems) == 1 else ""
    return found if len(found) <= ACTIVITIES else ""


def _free(name: str, taken: set[str]) -> str:
    number, found = 1, name
    while found in taken | {"team"}:
        number += 1
        found = f"{name} {number}"
    return found


def shift_of(done: pd.DataFrame) -> np.ndarray:
    """Hours of work on each weekday, (7, 2) minutes: from the first per cent of the starts to the last of the ends.

    Days whose first start and last end are within OWN of those hours share them, and so do days with few events;
    another has its own. Capacity that nobody used cannot be seen in a log.
    """
    day, minute = (done["start"] // DAY % 7).to_numpy(int), (done["start"] % DAY).to_numpy()
    last, until = (done["end"] // DAY % 7).to_numpy(int), (done["end"] % DAY).to_numpy()
    count = np.bincount(day, minlength=7)
    days = [k for k in range(7) if count[k] > 0.02 * count.max() and (last == k).any()]
    hours = np.zeros((7, 2))
    common = np.quantile(minute, 0.01), np.quantile(until, 0.99)
    if not days or (day != last).mean() > NIGHTS or common[1] - common[0] > LONG:
        hours[:] = 0.0, DAY
        return hours
    for k in days:
        begin, end = minute[day == k], until[last == k]
        is_like = abs(begin.min() - common[0]) <= OWN and abs(end.max() - common[1]) <= OWN
        is_like |= min(len(begin), len(end)) < FEW
        hours[k] = common if is_like else (np.quantile(begin, 0.01), np.quantile(end, 0.99))
    hours[:, 0], hours[:, 1] = np.floor(hours[:, 0] / QUARTER) * QUARTER, np.ceil(hours[:, 1] / QUARTER) * QUARTER
    return np.where((hours[:, 1] > hours[:, 0])[:, None], hours, (0.0, DAY)) * np.isin(range(7), days)[:, None]


def worked(start: np.ndarray, end: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Minutes of a shift between two moments."""

    def until(moment: np.ndarray) -> np.ndarray:
        length = shift[:, 1] - shift[:, 0]
        before = np.concatenate([[0.0], np.cumsum(length)])
        day = (moment // DAY % 7).astype(int)
        return moment // WEEK * before[7] + before[day] + np.clip(moment % DAY - shift[day, 0], 0.0, length[day])

    return until(end) - until(start)


def hours_told(shift: np.ndarray) -> str:
    """A shift as a process file has it: ``mon-fri 8-17, sat 9-12``."""
    told: list[list[Any]] = []
    for day, (begin, end) in enumerate(shift):
        if end > begin:
            hours = f"{begin / 60:g}-{end / 60:g}"
            if told and told[-1][1] == day - 1 and told[-1][2] == hours:
                told[-1][1] = day
            else:
                told.append([day, day, hours])
    return ", ".join(f"{DAYS[a]}{'' if a == b else '-' + DAYS[b]} {hours}" for a, b, hours in told)


# -- durations ---------------------------------------------------------------------------------------------------------


def law_of(sample: np.ndarray) -> Law:
    """The law of durations that is nearest to a sample, by the Kolmogorov-Smirnov distance."""
    sample = np.clip(sample, GRAIN, 1e6)
    low, p10, median, p90, high = np.quantile(sample, [0, 0.1, 0.5, 0.9, 1])
    if p90 - p10 <= 1e-3 * median:
        return _constant(float(median))
    laws = [exponential(float(sample.mean())), _uniform(float(low), float(high))]
    if p10 < median < p90:
        laws.append(_lognormal(float(median), float(p10), float(p90)))
    return min(laws, key=lambda law: stats.kstest(sample, law.cdf).statistic)


def _constant(value: float) -> Law:
    return Law({"constant": value}, f"constant {value:.3g}", lambda x: (np.asarray(x) >= value * 0.999).astype(float))


def exponential(mean: float) -> Law:
    """The law of what happens at random, such as arrivals."""
    return Law({"mean": mean}, f"exponential, mean {mean:.3g}", lambda x: 1 - np.exp(-np.asarray(x) / mean))


def _uniform(low: float, high: float) -> Law:
    return Law({"low": low, "high": high}, f"uniform, {low:.3g} to {high:.3g}",
               lambda x: np.clip((np.asarray(x) - low) / (high - low), 0, 1))  # fmt: skip


def _lognormal(median: float, p10: float, p90: float) -> Law:
    """With a standard deviation of the logarithm below and one above the median (``distributions.lognormal``)."""
    _, _, below, above = lognormal(median, p10, p90)

    def cdf(x: Any) -> np.ndarray:
        z = np.log(np.maximum(np.asarray(x), 1e-12) / median)
        return stats.norm.cdf(np.where(z < 0, z / below, z / above))

    words = f"lognormal, median {median:.3g}, 10 % {p10:.3g}, 90 % {p90:.3g}"
    return Law({"median": median, "p10": p10, "p90": p90}, words, cdf)


def misfit(law: Law, sample: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance of a law to a sample; of a constant, the share that is off by a per mille."""
    if "constant" in law.given:
        return float((np.abs(sample - law.given["constant"]) > 1e-3 * law.given["constant"]).mean())
    return float(stats.kstest(sample, law.cdf).statistic) if len(sample) else np.nan

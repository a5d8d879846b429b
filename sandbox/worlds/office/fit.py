"""A scenario from an event log: arrivals, service times and routing, as a process that runs; and how well it fits.

The first of the cases are fitted, and the others are what the errors are measured on (``fitting.FITTED``).
"""

import re
from collections import Counter
from collections.abc import Mapping
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import tomli_w

from sandbox.core.errors import UsageError
from sandbox.core.event_log import Fit
from sandbox.engine.environment import make
from sandbox.engine.queueing import distributions as of
from sandbox.worlds.office.compiler import END
from sandbox.worlds.office.fitting import (
    FITTED,
    SPARE,
    Law,
    Post,
    exponential,
    hours_told,
    law_of,
    misfit,
    posts_of,
    prepared,
    worked,
)
from sandbox.worlds.office.state import DAY, GRAIN, Case, Status, Time

FEWEST, MOST = 20, 5_000  # cases
FLOWS, STEPS = 30, 30  # at most, as a process has them
SIMULATED = 10_000  # cases
TOLD = 10  # events, from which on a distance is told
LONGEST = 40  # letters of a name
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
SEED = 7_001
DECISIONS = 200  # of a case, at most, until a process counts as one that cannot keep up
BLIND = {"caught": {"rested": 0.0, "tired": 0.0, "full": 1.0}, "wage": 40.0}  # wages are not in a log, and nobody
# overlooks anything, because nothing is checked
Path = tuple[str, ...]


# -- routing -----------------------------------------------------------------------------------------------------------


class Flow(NamedTuple):
    """A path, and perhaps one step of it that only a share of the cases take."""

    path: Path
    count: int
    optional: int = -1  # place of that step
    chance: float = 1.0

    def told(self) -> list[str]:
        """The path as a process file has it."""
        return [name if k != self.optional else f"{name} {self.chance:.4f}" for k, name in enumerate(self.path)]

    def ways(self) -> list[tuple[Path, float]]:
        """The paths that cases take, with their counts."""
        k = self.optional
        if k < 0:
            return [(self.path, self.count)]
        return [(self.path, self.count * self.chance), (_without(self.path, k), self.count * (1 - self.chance))]


def _without(path: Path, k: int) -> Path:
    return path[:k] + path[k + 1 :]


def flows_of(paths: Counter[Path]) -> list[Flow]:
    """The most frequent flows. Two paths of which one lacks a step of the other are one flow, with an optional step."""
    left = {path: count for path, count in paths.items() if 0 < len(path) <= STEPS}
    pairs = [(count + left[short], path, k, short) for path, count in left.items() for k in range(len(path))
             if (short := _without(path, k)) in left]  # fmt: skip
    found = []
    for both, path, k, short in sorted(pairs, reverse=True):
        if path in left and short in left and 1e-4 < left[path] / both < 1 - 1e-4:
            found.append(Flow(path, both, k, left.pop(path) / both))
            left.pop(short)
    found += [Flow(path, count) for path, count in left.items()]
    return sorted(found, key=lambda flow: (-flow.count, flow.path))[:FLOWS]


def _transitions(ways: list[tuple[Path, float]]) -> dict[str, dict[str, float]]:
    """How often each activity follows each; "" is the beginning and the end."""
    found: dict[str, dict[str, float]] = {}
    for path, count in ways:
        for first, then in pairwise(("", *path, "")):
            own = found.setdefault(first, {})
            own[then] = own.get(then, 0.0) + count
    return found


def routing_error(fitted: list[tuple[Path, float]], logged: list[tuple[Path, float]]) -> tuple[float, float]:
    """(mean, largest) error of the probabilities of what follows an activity, from those that occur in the log.

    Of each activity, half the sum of the differences (total variation); the mean is weighted by their frequency.
    """
    ours, theirs, errors, weights = _transitions(fitted), _transitions(logged), [], []
    for first, then in theirs.items():
        own, total = ours.get(first, {}), sum(then.values())
        known = sum(own.values()) or 1.0
        errors.append(sum(abs(own.get(k, 0) / known - then.get(k, 0) / total) for k in {*own, *then}) / 2)
        weights.append(total)
    return float(np.average(errors, weights=weights)), float(max(errors))


# -- the fit -----------------------------------------------------------------------------------------------------------


class _Activity(NamedTuple):
    """What an activity takes."""

    name: str
    post: int  # -1: nobody of the office does it
    law: Law
    error: float
    count: int

    def told(self, posts: list[Post]) -> dict[str, Any]:
        """The activity as a process file has it."""
        if self.post < 0:
            return {"name": self.name, "days": self.law.given}
        return {"name": self.name, "post": posts[self.post].name, "minutes": self.law.given}


def fit(events: pd.DataFrame, title: str) -> Fit:
    """A scenario from events as ``eventlogs.read`` has them; raises UsageError if they are too few, or nobody works."""
    notes: list[str] = []
    events, cases = prepared(_named(events), notes)
    if len(cases) < FEWEST:
        raise UsageError(f"{title}: {len(cases)} cases; expected {FEWEST} at least")
    if not (events["resource"] != "").any():
        raise UsageError(f"{title}: no event has a resource; expected who does the work")
    posts, of = posts_of(events, notes)
    activities = [_activity(name, own, of, posts) for name, own in events.groupby("activity", sort=True)]
    train = events["fitted"]
    paths, later = _paths(events[train]), _paths(events[~train])
    flows = flows_of(paths)
    gaps = cases.groupby("trial")["arrived"].diff()
    gap, covered = float(gaps[cases["fitted"]].mean()), sum(flow.count for flow in flows) / paths.total()
    law, ways = exponential(gap), [way for flow in flows for way in flow.ways()]
    process = _process(title, posts, activities, flows)
    scenario = _scenario(title, process, posts, activities, flows, gap, cases)
    mean, worst = routing_error(ways, [*later.items()])
    sizes = f"{len(events):,} events of {len(cases):,} cases"
    notes = [f"{sizes}: the first {FITTED:.0%} of the cases are fitted, and the errors are those of the others", *notes]
    if scenario["world"]["load"] > 1:
        notes.append("by the shift and the people of the log, the team has more to do than its hours allow")
    apart = misfit(law, gaps[~cases["fitted"]].dropna().to_numpy())
    tables = {
        "arrivals and work": _durations(activities, posts, gap, apart),
        "posts": pd.DataFrame([(post.name, post.people, hours_told(post.shift), post.batch) for post in posts],
                              columns=["post", "people", "work", "batch"]),
        "routing": pd.DataFrame({"measure": ["flows", "share of the cases on them",
                                             "error of what follows an activity, mean", "the same, largest"],
                                 "value": [f"{len(flows)}", f"{covered:.3f}", f"{mean:.3f}", f"{worst:.3f}"]}),
        "time of a case, days": _compared(scenario, cases),
    }  # fmt: skip
    return Fit(scenario, tables, notes)


def _named(events: pd.DataFrame) -> pd.DataFrame:
    """Activities with names that a process file can have."""
    names = short_names({name: name for name in sorted(events["activity"].unique())})
    return events.assign(activity=events["activity"].map(names))


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Names that a process file can have, by key: short, each its own, and no number at their end, a share."""
    found: dict[str, str] = {}
    for key, name in names.items():
        plain = " ".join(name.split()).removeprefix("->").strip()
        plain = re.sub(r"\s+(?=[\d.]+$)", "-", plain)[:LONGEST].strip() or "activity"
        number, own = 1, plain
        while own in found.values() or own == END:
            number += 1
            own = f"{plain[: LONGEST - 5]} no{number}"
        found[key] = own
    return found


def _paths(events: pd.DataFrame) -> Counter[Path]:
    """How many cases take each path; the events of a case follow each other."""
    rows = zip(events["trial"], events["case"], events["activity"], strict=True)
    return Counter(tuple(name for *_, name in own) for _, own in groupby(rows, lambda row: row[:2]))


def _activity(name: str, own: pd.DataFrame, of: dict[str, int], posts: list[Post]) -> _Activity:
    """The law of an activity; minutes of work if people do it, else days. A batch counts once."""
    post = of.get(name, -1) if (own["resource"] != "").mean() > 0.5 else -1
    if post >= 0:
        if posts[post].batch > 1:
            own = own.drop_duplicates(["trial", "resource", "start", "end"])
        taken = worked(own["start"].to_numpy(), own["end"].to_numpy(), posts[post].shift)
    else:
        taken = ((own["end"] - own["start"]) / DAY).to_numpy()
    taken = np.maximum(taken, GRAIN / DAY)
    first = own["fitted"].to_numpy()
    law = law_of(taken[first] if first.any() else taken)
    return _Activity(name, post, law, misfit(law, taken[~first]) if (~first).sum() >= TOLD else np.nan, len(own))


def _durations(activities: list[_Activity], posts: list[Post], gap: float, error: float) -> pd.DataFrame:
    rows = [("arrivals", "", f"every {gap:.3g} minutes, at random", "", f"{error:.3f}")]
    for each in activities:
        post, unit = ("", "days") if each.post < 0 else (posts[each.post].name, "minutes")
        apart = "" if np.isnan(each.error) else f"{each.error:.3f}"
        rows.append((each.name, post, f"{each.law.words} {unit}", f"{each.count:,}", apart))
    return pd.DataFrame(rows, columns=["activity", "post", "fitted", "events", "distance"])


# -- the scenario ------------------------------------------------------------------------------------------------------


def _process(title: str, posts: list[Post], activities: list[_Activity], flows: list[Flow]) -> dict[str, Any]:
    """A process file."""
    people = {post.name: {"people": post.people, "work": hours_told(post.shift), "batch": post.batch, **BLIND}
              for post in posts}  # fmt: skip
    total = sum(flow.count for flow in flows)
    shares = np.round([flow.count / total for flow in flows], 6)
    shares[0] += 1 - shares.sum()
    used = {name for flow in flows for name in flow.path}
    work = [each.told(posts) for each in activities if each.name in used]
    return process_file(title, people, work, [
        {"name": f"flow {k + 1}", "share": float(share), "path": flow.told()}
        for k, (flow, share) in enumerate(zip(flows, shares, strict=True))
    ])  # fmt: skip


def process_file(
    title: str, people: dict[str, dict], activities: list[dict], flows: list[dict], urgent: float = 0.1
) -> dict[str, Any]:
    """A process file without documents and checks, to which a post is added that a process must have."""
    spare = {"people": 1, "work": "mon-fri 8-17", "minutes": {"constant": 5.0}, **BLIND}
    return {
        "title": title[:LONGEST], "case": "case",
        "texts": ["Bring every case to its end.", "Work through the board until every case is closed.",
                  "Each case has to go through all of its activities."],
        "office": {"manager": SPARE, "reviewer": SPARE, "urgent": urgent}, "post": {**people, SPARE: spare},
        "document": {"case": {"number": {"serial": 1}}}, "activity": activities, "flow": flows,
    }  # fmt: skip


def _scenario(
    title: str, process: dict[str, Any], posts: list[Post], activities: list[_Activity], flows: list[Flow], gap: float,
    cases: pd.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    """People do all the work, as in the log; the load follows from the time between arrivals."""
    minutes = {each.name: _mean(each.law) for each in activities if each.post == 0}
    total = sum(flow.count for flow in flows)
    work = sum(count * sum(minutes.get(name, 0.0) for name in path) for flow in flows for path, count in flow.ways())
    hours = np.diff(posts[0].shift, axis=1).sum() / (7 * DAY) * posts[0].people
    count = int(min(cases.groupby("trial").size().max(), MOST))
    layout = tomli_w.dumps(process)
    load = float(np.clip(work / total / hours / gap, 1e-3, 5.0))
    return {
        "title": f"{title[:LONGEST]}: as in the log",
        "world": {"name": "office", "layout": layout, "cases": count, "people": posts[0].people, "load": load,
                  "max_ticks": DECISIONS * count},
        "agents": [{"reasoner": "idle"}],
    }  # fmt: skip


def _mean(law: Law) -> float:
    row = of.WAYS[tuple(law.given)](*law.given.values())
    return of.moments([float(value) for value in row])[0]


# -- how well it fits --------------------------------------------------------------------------------------------------


def _compared(scenario: dict[str, Any], cases: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of the time from arrival to end: of the cases that were not fitted, and of the last simulated ones."""
    logged = ((cases["ended"] - cases["arrived"])[~cases["fitted"]] / DAY).to_numpy()
    theirs, ours = np.quantile(logged, QUANTILES), np.quantile(simulated(scenario), QUANTILES)
    rows = [(f"{share:.0%}", f"{a:.2f}", f"{b:.2f}", f"{b / a - 1:+.0%}" if a else "")
            for share, a, b in zip(QUANTILES, theirs, ours, strict=True)]  # fmt: skip
    return pd.DataFrame(rows, columns=["quantile", "logged", "simulated", "error"])


def simulated(scenario: dict[str, Any]) -> np.ndarray:
    """Days from arrival to end of the last cases of some episodes, as many as were not fitted."""
    options = {key: value for key, value in scenario["world"].items() if key != "name"}
    env = make("office", agents=1, **options)
    lanes = int(np.clip(SIMULATED // options["cases"], 2, 100))
    state = env.reset(range(SEED, SEED + lanes))
    idle = np.zeros((lanes, 1, 2), np.int32)
    while not state.done.all():
        env.step(state, idle)
    first = int(np.ceil(FITTED * options["cases"]))
    time, closed = state.time[:, first:], state.case[:, first:, Case.STATUS] >= Status.RIGHT
    return ((time[..., Time.CLOSED] - time[..., Time.ARRIVED]) / DAY)[closed]

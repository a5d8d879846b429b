"""Figures of a process: its map, a dotted chart, who works when, what waits, where the time of cases goes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from sandbox.analysis.process import BEGIN, END, ProcessMap, Way, layers, process_map, queues, work
from sandbox.report.figures import COLOURS, legend, look, short
from sandbox.report.inline import INK, PAGE_STYLE
from sandbox.report.report_figures import Drawn, Figures

WIDE, LAYER, ROW = 5.2, 0.62, 0.26  # inches: a figure, a layer of the map, a row of the Gantt chart
ACROSS, BOW = 1.3, 0.75  # units of x in the width of the map; inches by which a way avoids boxes
SMALL = 8  # points; at 390 pixels of page still legible
MOST_ACTIVITIES, MOST_WAYS = 18, 32  # on a map
TOLD = 0.08  # share of the most frequent way from which on a way has its numbers
STYLES = 2 * len(COLOURS)  # of dots, that can be told apart
MOST_CASES, MOST_ROWS, LINES = 150, 30, 6  # of a dotted chart, a Gantt chart, queues
DAY, WEEK = 1440.0, 10080.0
PARTS = {"touch": 2, "queue": 4, "hand-over": 1, "rework": 3, "outside": 5}  # their colours


class Process(NamedTuple):
    """A log to show."""

    name: str
    events: pd.DataFrame  # see ``analysis.process``
    split: Mapping[str, float] = {}  # minutes of all cases by what they went on


def duration(minutes: float) -> str:
    """A time in the unit that people would use."""
    for size, unit in ((DAY, "d"), (60.0, "h"), (1.0, "min")):
        if minutes >= size:
            return f"{minutes / size:.3g} {unit}"
    return f"{60 * minutes:.0f} s"


# -- the map


def drawn_ways(found: ProcessMap) -> list[Way]:
    """The ways of a map that are drawn: the most frequent ones among the most frequent activities."""
    kept = sorted(found.activities, key=lambda name: -found.activities[name])[:MOST_ACTIVITIES]
    known = {BEGIN, END, *kept}
    return [way for way in found.ways if way.one in known and way.other in known][:MOST_WAYS]


def places(found: ProcessMap, ways: Sequence[Way]) -> dict[str, tuple[float, float]]:
    """Where the activities are: x from 0 to 1, and the layer. Within a layer they are below what leads to them."""
    level, placed = layers(found, ways), {}
    for k in range(max(level.values()) + 1):
        own = [name for name in level if level[name] == k]
        wanted = {name: _middle(name, ways, placed) for name in own}
        for place, name in enumerate(sorted(own, key=lambda name: wanted[name])):
            placed[name] = wanted[name] if len(own) == 1 else (place + 0.5) / len(own), float(k)
    return placed


def _middle(name: str, ways: Sequence[Way], placed: Mapping[str, tuple[float, float]]) -> float:
    """The mean place of what leads to an activity, by how often."""
    before = [(placed[way.one][0], way.times) for way in ways if way.other == name and way.one in placed]
    return sum(x * count for x, count in before) / sum(count for _, count in before) if before else 0.5


def draw_map(found: ProcessMap) -> Figure:
    """The directly-follows graph, from top to bottom: counts of activities; counts and median times of ways."""
    ways = drawn_ways(found)
    spot = places(found, ways)
    most = max(way.times for way in ways)
    depth = max(y for _, y in spot.values())
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(WIDE, 0.4 + LAYER * (depth + 1)), layout="constrained")
        axis = figure.subplots()
        for way in ways:
            _draw_way(axis, way, spot, way.times / most)
        for name, (x, y) in spot.items():
            told = name if name in (BEGIN, END) else f"{short(name, 24)}  {found.activities[name]:,}"
            box = {"boxstyle": "round,pad=0.3", "facecolor": COLOURS[5] if name in (BEGIN, END) else COLOURS[0],
                   "edgecolor": "none"}  # fmt: skip
            axis.text(x, y, told, ha="center", va="center", fontsize=9, color="white", bbox=box, zorder=3)
        axis.set(xlim=(0.5 - ACROSS / 2, 0.5 + ACROSS / 2), ylim=(depth + 0.45, -0.45))
        axis.axis("off")
    return figure


def _draw_way(axis, way: Way, spot: Mapping[str, tuple[float, float]], share: float) -> None:
    (x0, y0), (x1, y1) = spot[way.one], spot[way.other]
    told = f"{way.times:,}" + (f" · {duration(way.median)}" if way.median > 0 else "")
    look = {"arrowstyle": "-|>", "mutation_scale": 9, "linewidth": 0.6 + 2.6 * share, "color": INK,
            "alpha": 0.25 + 0.3 * share, "zorder": 1}  # fmt: skip
    if way.one == way.other:
        axis.text(x0 + 0.13, y0, f"again {told}", fontsize=SMALL, ha="left", va="center", color=INK)
        return
    down, steep = (1 if y1 > y0 else -1), abs(x1 - x0) < 0.1
    inch = WIDE / ACROSS  # of a unit of x
    if y1 - y0 == 1:
        bow = 0.0
    elif steep:  # around the boxes between
        bow = BOW
    else:
        bow = 0.14 * abs(y1 - y0) * LAYER * (1 if x0 >= 0.5 else -1) * down
    length = ((inch * (x1 - x0)) ** 2 + (LAYER * (y1 - y0)) ** 2) ** 0.5
    ends = (x0, y0 + 0.22 * down), (x1, y1 - 0.25 * down)
    axis.add_patch(FancyArrowPatch(*ends, connectionstyle=f"arc3,rad={2 * bow / max(length, LAYER)}", **look))
    if share >= TOLD:  # beside a steep line, which would cross it
        along, side = 0.5 if steep else 0.68, -1 if steep and bow * down > 0 else 1
        at = x0 + along * (x1 - x0) - 4 * along * (1 - along) * bow * down / inch
        across = {1: "left", -1: "right"}[side] if steep else "center"
        style = {"fontsize": SMALL, "ha": across, "va": "center", "color": INK, "zorder": 2}
        axis.text(at + (0.02 * side if steep else 0.0), y0 + along * (y1 - y0), told, **style)


# -- in time


def dotted(events: pd.DataFrame) -> Figure:
    """A dotted chart (Song and van der Aalst 2007): a line for each case, a dot for each event."""
    keys = pd.MultiIndex.from_frame(events[["trial", "case"]])
    row = {key: k for k, key in enumerate(keys.unique()[:MOST_CASES])}
    shown = events[keys.isin(list(row))].assign(row=[row[key] for key in keys if key in row])
    names = list(events["activity"].value_counts().index)
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(WIDE, 1.0 + min(4.6, 0.09 * len(row) + 1.2)), layout="constrained")
        axis = figure.subplots()
        for k, name in enumerate(names[:STYLES]):
            own = shown[shown["activity"] == name]
            style = {**look(k), "linestyle": "none", "markersize": 3.6}
            axis.plot(own["end"] / DAY, own["row"], label=short(name), **style)
        axis.set(xlabel="day", ylabel="case, by its first event", ylim=(len(row) - 0.4, -0.6))
        legend(figure, axis, "outside lower center")
    return figure


def busiest(done: pd.DataFrame) -> float:
    """The start of the week with most work, minutes."""
    weeks = (done["start"] // WEEK * WEEK).astype(float)
    return float((done["end"] - done["start"]).groupby(weeks).sum().idxmax())


def gantt(done: pd.DataFrame) -> Figure:
    """Who works when, in the week with most work: a bar for each piece of ``work``, coloured by its activity."""
    begin = busiest(done)
    done = done[(done["start"] < begin + WEEK) & (done["end"] > begin)]
    names = list(done["activity"].value_counts().index)
    rows = sorted(done["resource"].unique())[:MOST_ROWS]
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(WIDE, 0.9 + ROW * len(rows)), layout="constrained")
        axis = figure.subplots()
        for k, name in enumerate(names):
            for y, resource in enumerate(rows):
                own = done[(done["activity"] == name) & (done["resource"] == resource)]
                spans = [((a - begin) / DAY, (b - a) / DAY) for a, b in zip(own["start"], own["end"], strict=True)]
                hatch = {"hatch": "////", "edgecolor": "white"} if k >= len(COLOURS) else {"edgecolor": "none"}
                axis.broken_barh(spans, (y - 0.36, 0.72), facecolor=COLOURS[k % len(COLOURS)], linewidth=0.3, **hatch)
            axis.barh([0], [0], color=COLOURS[k % len(COLOURS)], label=short(name))  # a key of the legend
        axis.set_yticks(range(len(rows)), [short(name) for name in rows])
        axis.set_xticks(range(7), ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], ha="left")
        axis.set(xlim=(0, 7), ylim=(len(rows) - 0.4, -0.6), xlabel=f"week {begin / WEEK + 1:.0f}")
        axis.grid(axis="y", visible=False)
        legend(figure, axis, "outside lower center")
    return figure


def waiting(lines: Mapping[str, pd.Series]) -> Figure:
    """How many cases wait before each activity, for those with the longest ``queues``."""
    found = sorted(lines.items(), key=lambda item: -item[1].max())[:LINES]
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(WIDE, 2.6), layout="constrained")
        axis = figure.subplots()
        for k, (name, series) in enumerate(found):
            axis.step(series.index / DAY, series, where="post", label=short(name), color=COLOURS[k], linewidth=1.2)
        axis.set(xlabel="day", ylabel="cases that wait", ylim=(0, None))
        legend(figure, axis, "outside lower center")
    return figure


def parts(split: Mapping[str, float]) -> Figure:
    """The mean time of a case, by what it went on."""
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(WIDE, 1.1), layout="constrained")
        axis, left = figure.subplots(), 0.0
        for name, days in split.items():
            axis.barh(0, days, left=left, color=COLOURS[PARTS.get(name, 6)], label=f"{name} {duration(DAY * days)}")
            left += days
        axis.set_yticks([])
        axis.set(xlabel="days of a case, mean", xlim=(0, left or 1))
        legend(figure, axis, "outside lower center")
    return figure


def process_figures(shown: Process, draw: Figures) -> list[Drawn]:
    """The figures of a log, as far as it has what they need."""
    events = shown.events
    found, cases = process_map(events), len(events[["trial", "case"]].drop_duplicates())
    ways, n = drawn_ways(found), f"n = {cases:,} cases, {len(events):,} events"
    left = len(found.ways) - len(ways)
    beyond = f" {left} rarer ways are left out." if left else ""
    drawn = [
        draw(
            draw_map(found),
            "Process map: what directly follows what in a case. In a box, how often an activity happened; on a way, "
            f"how often it was taken, and the median time from end to end; thin ways are rare. {n}.{beyond}",
        )
    ]
    if shown.split:
        days = {name: minutes / DAY / cases for name, minutes in shown.split.items()}
        drawn.append(draw(parts(days), f"What the time of a case goes on, the mean of all cases. {n}."))
    drawn.append(
        draw(
            dotted(events),
            f"Dotted chart: the events of {_first(cases)} by their ends, of {STYLES} activities at most. {n}.",
        )
    )
    if len(done := work(events)):
        drawn.append(draw(gantt(done), f"Who works when, in the week with most work. {n}."))
    if lines := queues(events):
        drawn.append(draw(waiting(lines), f"Cases that wait before an activity, the {LINES} longest queues. {n}."))
    return drawn


def _first(cases: int) -> str:
    return f"the first {MOST_CASES} cases" if cases > MOST_CASES else "each case"

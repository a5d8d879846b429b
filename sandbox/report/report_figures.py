"""Figures of a report's page. A *series* is a name with measures (``analysis.measures``), in one colour throughout."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sandbox.report.figures import COLOURS, MARKERS, distinct, legend, line, look, row_height, short
from sandbox.report.inline import PAGE_STYLE, svg
from sandbox.statistics import CONFIDENCE

WIDE, HIGH, SMALL = 5.2, 3.1, 2.4  # inches; at 390 pixels of page the smallest letters are still 9 pixels high
ROW = 0.24  # inches for each bar or interval
Series = Sequence[tuple[str, Any]]
FINISHES = {"completed": 2, "tick limit": 4, "budget": 5, "stalled": 1, "invalid": 3, "stopped": 0}  # their colours


@contextmanager
def _figure(width: float = WIDE, height: float = HIGH) -> Iterator[tuple[Figure, Any]]:
    with matplotlib.rc_context(PAGE_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def success(rows: Sequence[str], arms: Sequence[tuple[str, dict[str, Any]]]) -> Figure:
    """Success with its interval for each condition in ``rows``; the arms (name, measures by row) are side by side."""
    step, names = 0.6 / max(len(arms), 1), distinct(rows)
    with _figure(height=0.9 + max(ROW * row_height(names), 0.13 * len(arms)) * len(rows)) as (figure, axis):
        for k, (name, found) in enumerate(arms):
            drawn = [(y, found[row].success) for y, row in enumerate(rows) if row in found and found[row].success]
            places = [y + step * (k - (len(arms) - 1) / 2) for y, _ in drawn]
            values = [rate.value for _, rate in drawn]
            spread = [[r.value - r.low for _, r in drawn], [r.high - r.value for _, r in drawn]]
            own = {**look(k), "linestyle": "none", "markersize": 4.5, "elinewidth": 1.6, "clip_on": False}
            axis.errorbar(values, places, xerr=spread, label=name, **own)
        axis.set_yticks(range(len(rows)), names)
        axis.set(xlim=(0, 1.02), ylim=(len(rows) - 0.4, -0.6), xlabel="success")
        axis.grid(axis="y", visible=False)
        _legend(figure, axis, len(arms))
    return figure


def passes(series: Series) -> Figure:
    """pass^k against k."""
    with _figure() as (figure, axis):
        for k, (name, found) in enumerate(series):
            axis.plot(
                range(1, len(found.passes) + 1),
                found.passes,
                label=name,
                **look(k),
                linewidth=1.6,
                markersize=4.5,
            )
        axis.set(ylim=(0, 1.03), xlabel="k trials", ylabel="all k succeed: pass^k")
        axis.set_xticks(range(1, 1 + max(len(found.passes) for _, found in series)))
        _legend(figure, axis, len(series))
    return figure


def completion(series: Series) -> Figure:
    """Share of trials that are done by each tick, with its interval."""
    limit = max(found.limit for _, found in series)
    ends = [float(f.completion.ticks[f.completion.share > 0].max(initial=0)) for _, f in series if f.completion]
    right = min(limit, 1.15 * max(ends, default=limit) or limit)
    with _figure() as (figure, axis):
        for k, (name, found) in enumerate(series):
            if found.completion:
                _steps(axis, found.completion, right, name, look(k))
        axis.set(ylim=(0, 1.03), xlim=(0, right), xlabel="tick", ylabel="share of trials that are done")
        _legend(figure, axis, len(series))
    return figure


def _steps(axis, curve, right: float, name: str, own: dict[str, Any]) -> None:
    ticks = np.concatenate([[0.0], curve.ticks, [right]])
    share, low, high = (np.concatenate([[v[0] if k else 0.0], v, v[-1:]]) for k, v in enumerate(curve[1:]))
    axis.fill_between(ticks, low, high, step="post", color=own["color"], alpha=0.18, linewidth=0)
    axis.plot(
        ticks, share, drawstyle="steps-post", label=name, linewidth=1.6, markersize=4.5,
        markevery=max(1, len(ticks) // 6), **own,
    )  # fmt: skip


def severities(curves: Sequence[tuple[int, Any]]) -> Figure:
    """Success against the severity of one perturbation: (number of the colour, curve)."""
    with _figure(SMALL, 0.8 * SMALL) as (figure, axis):
        for k, curve in curves:
            line(axis, curve, k)
        axis.set_title(short(curves[0][1].perturbation.replace("_", " ")))
        axis.set(xlabel="severity", ylim=(0, 1.04), ylabel="success")
        if len(curves) > 1:
            legend(figure, axis, "outside lower center")
    return figure


def scaling(found, title: str) -> Figure:
    """Throughput against team size (``analysis.scaling``) with its interval, and the fitted laws."""
    agents = found.agents
    values, low, high = np.array([size.throughput for size in found.sizes]).T
    with _figure() as (figure, axis):
        look = {"fmt": MARKERS[0], "markersize": 4.5, "elinewidth": 1.6, "color": COLOURS[0], "label": "measured"}
        axis.errorbar(agents, values, yerr=[values - low, high - values], **look)
        along = np.linspace(agents[0], agents[-1], 200)
        laws = {"Universal Scalability Law": found.usl, "Amdahl's law": found.amdahl}
        for k, (name, law) in enumerate(laws.items(), 1):
            if law:
                axis.plot(along, law.throughput(along), color=COLOURS[k], label=name, linewidth=1.6)
        axis.plot(along, values[0] * along / agents[0], color=COLOURS[6], linestyle=":", label="in proportion")
        axis.set(xlabel="agents", ylabel="tasks done, a tick", ylim=(0, 1.25 * max(high.max(), 1e-9)))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_title(title)
        _legend(figure, axis, 2)
    return figure


def contribution(rows: Sequence) -> Figure:
    """The contribution of each agent (``analysis.contribution``): a bar with its interval."""
    names = distinct([f"{row.absent}; {row.condition}" if row.condition else row.absent for row in rows])
    with _figure(height=0.9 + ROW * row_height(names) * len(rows)) as (figure, axis):
        for y, row in enumerate(rows):
            if row.throughput:
                value, low, high = row.throughput
                axis.barh(y, value, color=COLOURS[0], height=0.66, alpha=0.7)
                spread = [[max(value - low, 0)], [max(high - value, 0)]]
                axis.errorbar(value, y, xerr=spread, fmt="none", ecolor=COLOURS[6])
        axis.set_yticks(range(len(rows)), names)
        axis.set(ylim=(len(rows) - 0.4, -0.6), xlabel="share of the team's throughput that is lost")
        axis.axvline(0, color=COLOURS[6], linewidth=0.6)
        axis.grid(axis="y", visible=False)
    return figure


def finishes(series: Series) -> Figure:
    """Shares of the ways in which trials ended, a bar for each series."""
    found = [name for _, each in series for name in each.finishes]
    kinds = [name for name in (*FINISHES, *found) if name in found]
    names = distinct([name for name, _ in series])
    with _figure(height=1.0 + ROW * row_height(names) * len(series)) as (figure, axis):
        left = np.zeros(len(series))
        for kind in dict.fromkeys(kinds):
            share = np.array([each.finishes.get(kind, 0) / max(each.trials, 1) for _, each in series])
            colour = COLOURS[FINISHES.get(kind, 6)]
            axis.barh(range(len(series)), share, left=left, color=colour, label=kind, height=0.72)
            left += share
        axis.set_yticks(range(len(series)), names)
        axis.set(xlim=(0, 1), ylim=(len(series) - 0.4, -0.6), xlabel="share of trials")
        axis.grid(axis="y", visible=False)
        if kinds:
            legend(figure, axis, "outside upper center")
    return figure


def _legend(figure: Figure, axis, count: int) -> None:
    if count > 1:
        legend(figure, axis, "outside upper center")


# -- drawing: the numbered figures of a report's page, each with its caption

MOST_SERIES = 12  # lines of a figure
MOST_ROWS = 36  # conditions, or bars, of a figure; tables show all


class Drawn(NamedTuple):
    """A figure for a page."""

    number: int
    drawing: Markup
    caption: str


class Figures:
    """Draws and numbers the figures of a page; each caption has the command that makes it again.

    ``before`` figures are on the page already.
    """

    def __init__(self, command: str, before: int = 0):
        self._command, self._count = command, before

    def __call__(self, figure, told: str) -> Drawn:
        """One figure, or small multiples."""
        self._count += 1
        several = figure if isinstance(figure, list) else [figure]
        parts = [svg(each, f"f{self._count}{chr(97 + k)}", told) for k, each in enumerate(several)]
        drawing = Markup('<div class="multiples">{}</div>').format(Markup().join(parts)) if parts[1:] else parts[0]
        return Drawn(self._count, drawing, Markup("{} Again: <code>{}</code>").format(told, self._command))


def report_figures(
    studies: Sequence, table: Sequence[dict], curves: Sequence, scalings: Sequence, contributions: Sequence, again: str
) -> dict[str, Drawn]:
    """The figures of some studies by name; ``table`` has a row for each condition of each."""
    draw, series = Figures(again), _series(studies, table)
    trials = f"n = {sum(study.trials for study in studies):,} trials"
    order = list(dict.fromkeys(each.words for study in studies for each in study.conditions))
    arms = [(study.name, {each.words: each.measures for each in study.conditions}) for study in studies]
    rows, more = order[:MOST_ROWS], len(order) - MOST_ROWS
    beyond = f" The first {MOST_ROWS} conditions; the table holds {more} more." if more > 0 else ""
    drawn, kept = series[:MOST_SERIES], len(series) - MOST_SERIES
    what = "a line for each condition" + (" of each run" if len(studies) > 1 else "")
    what += f", the first {MOST_SERIES}; the table holds {kept} more" if kept > 0 else ""
    level = f"{CONFIDENCE:.0%}"
    found = {
        "success": draw(
            success(rows, arms),
            f"Success in each condition, with exact (Clopper-Pearson) {level} intervals. {trials}, {_each(studies)} a "
            f"condition.{beyond}",
        ),
        "passes": draw(passes(drawn), f"The chance that k trials all succeed, {what}. {trials}; no interval."),
        "completion": draw(
            completion(drawn),
            f"Share of trials that are done by each tick, {what}. {trials}; pointwise {level} intervals (Greenwood, "
            "log-log). Trials stopped from outside are censored; failed ones are not done up to the tick limit.",
        ),
    }
    ended = "How trials ended, as shares of those that count"
    left = f" The first {MOST_ROWS} bars of {len(series)}." if len(series) > MOST_ROWS else ""
    found["finishes"] = draw(finishes(series[:MOST_ROWS]), f"{ended}. {trials}; no interval.{left}")
    if curves:
        found["robustness"] = draw(
            [severities(own) for own in _by_perturbation(curves)],
            f"Success against the severity of each perturbation, all else as in the clean trials on the same seeds; "
            f"exact {level} intervals. n = {_spread([p.trials for c in curves for p in c.points])} trials a point.",
        )
    return found | _of_teams(draw, scalings, contributions)


def _of_teams(draw: Figures, scalings: Sequence, contributions: Sequence) -> dict[str, Drawn]:
    """Figures of team size and contribution."""
    found, level = {}, f"{CONFIDENCE:.0%}"
    if scalings:
        found["scaling"] = draw(
            list(map(scaling, scalings, distinct([each.condition for each in scalings]))),
            f"Throughput against team size: means of n = {_spread([each.seeds for each in scalings])} trials a size on "
            f"the same seeds, {level} intervals; both laws as fitted; dotted: in proportion to the smallest.",
        )
    if contributions:
        found["contribution"] = draw(
            contribution(contributions),
            f"Throughput that is lost while an agent is there but does nothing, as a share of the whole team's. "
            f"n = {_spread([each.success.pairs for each in contributions])} pairs each, {level} intervals.",
        )
    return found


def lines_of(curves: Sequence) -> list[str]:
    """The meaning of each colour of the robustness curves."""
    return list(dict.fromkeys(curve.condition for curve in curves))


def _by_perturbation(curves: Sequence) -> list[list[tuple[int, Any]]]:
    """The curves of each perturbation, each with the number of its colour."""
    names, order = dict.fromkeys(curve.perturbation for curve in curves), lines_of(curves)
    return [[(order.index(c.condition), c) for c in curves if c.perturbation == name] for name in names]


def _series(studies: Sequence, table: Sequence[dict]) -> list[tuple[str, Any]]:
    """The measures of each condition of each run by name; conditions are never pooled."""
    several = len(studies) > 1
    return [(f"{row['condition']}; {row['run']}" if several else row["condition"], row["measures"]) for row in table]


def _each(studies: Sequence) -> str:
    return _spread([each.measures.trials for study in studies for each in study.conditions])


def _spread(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

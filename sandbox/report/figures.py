"""Figures of results, one visual language: Okabe and Ito's colours (2008), which colour-blind readers tell apart."""

import math
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from sandbox.record.whole import replacing
from sandbox.report.lines import as_line

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "osD^vP*"
ACROSS = 3  # small multiples in a row
STYLE = {
    "svg.hashsalt": "sandbox",  # the same results give the same file
    "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
    "text.parse_math": False,  # a dollar in somebody's title is a dollar
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format of the path's suffix; raises RecordError where it cannot be written."""
    with matplotlib.rc_context(STYLE), replacing(path) as part:
        figure.savefig(part, metadata={"Date": None} if part.suffix == ".svg" else None)


def robustness(curves: list) -> Figure:
    """Success against dose, a panel for each perturbation, a line with its exact interval for each condition."""
    names = list(dict.fromkeys(curve.perturbation for curve in curves))
    with matplotlib.rc_context(STYLE):
        figure, panels = _panels(len(names))
        for name, axis in zip(names, panels, strict=False):
            for k, curve in enumerate(curve for curve in curves if curve.perturbation == name):
                line(axis, curve, k)
            axis.set_title(as_line(name.replace("_", " ")), fontsize=11)
            axis.set(xlabel="dose", ylim=(-0.04, 1.04))
        figure.supylabel("success")
        labels = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
        if any(labels):
            figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def foresight(found: dict[str, list]) -> Figure:
    """Prediction error against horizon, a panel for each name: in view and out of view, and who foresees no change."""
    with matplotlib.rc_context(STYLE):
        figure, panels = _panels(len(found))
        for (name, rows), axis in zip(found.items(), panels, strict=False):
            for k, view in enumerate(dict.fromkeys(row.view for row in rows)):
                drawn = [row for row in rows if row.view == view and row.error]
                ticks, error = [row.horizon for row in drawn], [row.error for row in drawn]
                look = {"color": COLOURS[k], "markersize": 4.5}
                spread = [each.low for each in error], [each.high for each in error]
                axis.fill_between(ticks, *spread, color=COLOURS[k], alpha=0.18, linewidth=0)
                axis.plot(ticks, [each.value for each in error], marker=MARKERS[k], label=view, **look)
                still = [row.still.value for row in drawn]
                axis.plot(ticks, still, linestyle=":", label=f"{view}: nothing changes", **look)
            axis.set_title(as_line(name), fontsize=11)
            axis.set(xlabel="ticks ahead", xscale="log", ylim=(-0.04, 1.04))
            axis.set_xticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
            axis.set_xticks([], minor=True)
            axis.set_xlim(0.9, 1.1 * max(row.horizon for rows in found.values() for row in rows))
        figure.supylabel("of what changed, foreseen wrongly")
        labels = dict(zip(*reversed(panels[0].get_legend_handles_labels()), strict=True))
        figure.legend(labels.values(), labels.keys(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def _panels(count: int) -> tuple[Figure, list]:
    across = min(count, ACROSS)
    down = math.ceil(count / across)
    figure = Figure(figsize=(max(4.6, 3.1 * across), 0.6 + 2.6 * down), layout="constrained")
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return figure, list(axes.flat[:count])


def line(axis, curve, number: int) -> None:
    """One curve with its interval, in the colour of its ``number``."""
    colour, doses = COLOURS[number % len(COLOURS)], [point.dose for point in curve.points]
    rates, low, high = zip(*(point.success for point in curve.points), strict=True)
    axis.fill_between(doses, low, high, color=colour, alpha=0.18, linewidth=0)
    name = as_line(curve.condition)
    axis.plot(doses, rates, color=colour, marker=MARKERS[number % len(MARKERS)], markersize=4.5, label=name)

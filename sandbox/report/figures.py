"""Figures of results in a common style: Okabe and Ito's colours (2008), which colour-blind readers can distinguish."""

import math
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from sandbox.record.whole import replacing
from sandbox.report.lines import as_line

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "osD^vP*"
LONGEST = 34  # letters of a label
LETTER, LINE, KEY = 0.09, 0.21, 0.6  # inches of a legend: a letter, a line, the key beside a label
ACROSS = 3  # small multiples in a row
STYLE = {
    "svg.hashsalt": "sandbox",  # equal results give equal files
    "svg.fonttype": "none",  # text stays text, for search and screen readers
    "text.parse_math": False,  # a dollar sign in a title starts no formula
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
}


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format of the path's suffix; raises RecordError if it cannot be written."""
    with matplotlib.rc_context(STYLE), replacing(path) as part:
        figure.savefig(part, metadata={"Date": None} if part.suffix == ".svg" else None)


def robustness(curves: list) -> Figure:
    """Success against severity, a panel for each perturbation, a line with its exact interval for each condition."""
    names = list(dict.fromkeys(curve.perturbation for curve in curves))
    with matplotlib.rc_context(STYLE):
        figure, panels = _panels(len(names))
        for name, axis in zip(names, panels, strict=False):
            for k, curve in enumerate(curve for curve in curves if curve.perturbation == name):
                line(axis, curve, k)
            axis.set_title(as_line(name.replace("_", " ")), fontsize=11)
            axis.set(xlabel="severity", ylim=(0, 1.04))
        figure.supylabel("success")
        legend(figure, panels[0], "outside lower center")
    return figure


def foresight(found: dict[str, list]) -> Figure:
    """Prediction error against horizon, a panel for each name: in view, out of view, and the no-change baseline."""
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
            axis.set(xlabel="ticks ahead", xscale="log", ylim=(0, 1.04))
            axis.set_xticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
            axis.set_xticks([], minor=True)
            axis.set_xlim(0.9, 1.1 * max(row.horizon for rows in found.values() for row in rows))
        figure.supylabel("of what changed, foreseen wrongly")
        legend(figure, panels[0], "outside lower center")
    return figure


def _panels(count: int) -> tuple[Figure, list]:
    across = min(count, ACROSS)
    down = math.ceil(count / across)
    figure = Figure(figsize=(max(4.6, 3.1 * across), 0.6 + 2.6 * down), layout="constrained")
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return figure, list(axes.flat[:count])


def look(number: int) -> dict:
    """The style of curve ``number``. There are twice as many styles as colours, distinct in black and white too."""
    again = number // len(COLOURS) % 2
    return {
        "color": COLOURS[number % len(COLOURS)], "marker": MARKERS[(number + 3 * again) % len(MARKERS)],
        "linestyle": ("-", "--")[again], "markerfacecolor": (None, "none")[again],
    }  # fmt: skip


def short(text: str, most: int = LONGEST) -> str:
    """A text as one line; a long one is cut at its end."""
    text = as_line(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def distinct(labels: Sequence[str], most: int = LONGEST) -> list[str]:
    """Labels as lines that are cut at their end, without the parts that all of them share.

    If two different labels would be cut to equal texts, long ones take two lines.
    """
    parts = [re.split(r"(?<=[,;]) ", as_line(label)) for label in labels]
    shared = (
        set.intersection(*({part.rstrip(",;") for part in own} for own in parts)) if len(set(labels)) > 1 else set()
    )
    own = [[part for part in each if part.rstrip(",;") not in shared] or each for each in parts]
    told = [" ".join(each).rstrip(",;") for each in own]
    cut = [short(label, most) for label in told]
    if len(set(cut)) == len(set(told)):
        return cut
    wrapped = [" ".join(part.replace(" ", "\xa0") for part in each).rstrip(",;") for each in own]
    return ["\n".join(textwrap.wrap(label, most, max_lines=2, placeholder="…")) or label for label in wrapped]


def row_height(labels: Sequence[str]) -> float:
    """The height of a row relative to one with single-line labels."""
    return 1.7 if any("\n" in label for label in labels) else 1.0


def legend(figure: Figure, axis, loc: str) -> None:
    """Put a legend inside a figure, with as many columns as fit, and increase the figure's height accordingly."""
    handles, labels = axis.get_legend_handles_labels()
    found = [(handle, label) for handle, label in zip(handles, labels, strict=True) if label]
    if not found:
        return
    width = figure.get_figwidth()
    names = distinct([label for _, label in found], int((width - KEY) / LETTER))
    longest = max(len(line) for name in names for line in name.split("\n"))
    columns = max(1, min(2, len(found), int(width / (KEY + LETTER * longest))))
    figure.set_figheight(figure.get_figheight() + LINE * row_height(names) * math.ceil(len(names) / columns))
    figure.legend([handle for handle, _ in found], names, loc=loc, ncols=columns, frameon=False)


def line(axis, curve, number: int) -> None:
    """One curve with its interval, in the colour of its ``number``."""
    own, severities = look(number), [point.severity for point in curve.points]
    rates, low, high = zip(*(point.success for point in curve.points), strict=True)
    axis.fill_between(severities, low, high, color=own["color"], alpha=0.18, linewidth=0)
    axis.plot(severities, rates, **own, markersize=4.5, label=curve.condition)

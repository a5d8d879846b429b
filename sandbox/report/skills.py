"""The results of learners of skills: a table with Voyager's figures, and a picture."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from sandbox.report.figures import COLOURS, STYLE, legend, save
from sandbox.report.lines import lines
from sandbox.statistics import Estimate, mean_difference

MEASURES = ("achievements", "distance", "ticks")
MILESTONES = ("wood", "stone", "iron", "diamond")
# Wang and others 2023, iterations to wood, stone, iron and diamond tools, in Minecraft; None: never
VOYAGER = (
    ("Voyager", (6, 11, 21, 102)), ("Voyager without library", (7, 9, 29, None)), ("AutoGPT", (92, 94, 135, None)),
    ("ReAct, Reflexion", (None, None, None, None)),
)  # fmt: skip


def skills_table(rows: pd.DataFrame, title: str) -> Table:
    """One line for each arm: means with intervals; for milestones, the median iteration and the number of learners.

    Each arm is compared with the first one that learned on the same seeds, in pairs.
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=0, show_edge=False)
    table.add_column("arm", overflow="fold", min_width=12)
    for heads in (("achieve-", "ments"), ("beside", "the first"), ("distance,", "ticks"), ("iterations to",)):
        table.add_column(lines(*heads), no_wrap=True)
    arms, firsts = {arm: own.set_index("seed") for arm, own in rows.groupby("arm", sort=False)}, {}
    for arm, own in arms.items():
        first = arms[firsts.setdefault(tuple(sorted(own.index)), arm)]
        apart = (own["achievements"] - first["achievements"]).to_numpy(float)
        beside = [] if own is first else _words(mean_difference(apart), sign="+")
        means = {name: _words(mean_difference(own[name].to_numpy(float))) for name in MEASURES}
        cost = [part for name in ("distance", "ticks") for part in means[name]]
        milestones = [f"{name} {_milestone(own[f'{name}_iteration'])}" for name in MILESTONES]
        cells = (lines(*parts) for parts in (means["achievements"], beside, cost, milestones))
        table.add_row(f"{arm}, n = {len(own)}", *cells)
    table.add_section()
    for name, iterations in VOYAGER:
        told = [f"{tool} {'never' if k is None else k}" for tool, k in zip(MILESTONES, iterations, strict=True)]
        table.add_row(f"{name}, in Minecraft", "", "", "", lines(*told))
    return table


def _words(found: Estimate, sign: str = "") -> list[str]:
    """A value, and below it its interval."""
    digits = 1 if abs(found.value) < 100 else 0
    value, low, high = (f"{each:{sign},.{digits}f}" for each in found)
    return [value, f"{low}..{high}"]


def _milestone(iterations: pd.Series) -> str:
    reached = iterations.dropna()
    return f"{np.median(reached):g} ({len(reached)} of {len(iterations)})" if len(reached) else "never"


def draw_curves(curves: pd.DataFrame, path: Path) -> None:
    """Different achievements against iterations: the mean of each arm, and its 95 % interval (normal)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8.5, 4), layout="constrained")
        axes = figure.subplots()
        for colour, (arm, own) in zip(COLOURS, curves.groupby("arm", sort=False), strict=False):
            by = own.groupby("iteration")["achievements"].agg(["mean", "sem"]).fillna(0)
            axes.plot(by.index, by["mean"], color=colour, label=arm)
            low, high = by["mean"] - 1.96 * by["sem"], by["mean"] + 1.96 * by["sem"]
            axes.fill_between(by.index, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.set(xlabel="iterations (programs written)", ylabel="different achievements", ylim=(0, None))
        legend(figure, axes, "outside lower center")
    save(figure, path)

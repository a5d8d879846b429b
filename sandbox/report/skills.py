"""What learners of skills came to: a table beside Voyager's figures, and a picture."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.table import Table

from sandbox.report.figures import COLOURS, STYLE, save
from sandbox.statistics import Estimate, mean_difference

MILESTONES = ("wood", "stone", "iron", "diamond")
# Wang and others 2023, iterations to wood, stone, iron and diamond tools, in Minecraft; None: never
VOYAGER = (
    ("Voyager", (6, 11, 21, 102)), ("Voyager without library", (7, 9, 29, None)), ("AutoGPT", (92, 94, 135, None)),
    ("ReAct, Reflexion", (None, None, None, None)),
)  # fmt: skip


def skills_table(rows: pd.DataFrame, title: str) -> Table:
    """One line for each arm: means with intervals; of milestones, the median iteration and how many came."""
    columns = ("arm", "learners", "achievements", "distance", "ticks", *MILESTONES)
    table = Table(*columns, title=title, title_justify="left")
    for arm, own in rows.groupby("arm", sort=False):
        means = [_words(mean_difference(own[name].to_numpy(float))) for name in ("achievements", "distance", "ticks")]
        table.add_row(arm, str(len(own)), *means, *(_milestone(own[f"{name}_iteration"]) for name in MILESTONES))
    table.add_section()
    for name, iterations in VOYAGER:
        table.add_row(f"{name} (Minecraft)", "", "", "", "", *("never" if k is None else str(k) for k in iterations))
    return table


def _words(found: Estimate) -> str:
    digits = 1 if found.value < 100 else 0
    return f"{found.value:,.{digits}f} ({found.low:,.{digits}f} to {found.high:,.{digits}f})"


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
        figure.legend(loc="outside right upper", frameon=False)
    save(figure, path)

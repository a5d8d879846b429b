"""Figures of several rounds, tables of them, and what they were measured on."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from sandbox.engine.pool import cores

console = Console(width=120, highlight=False)


class Target(NamedTuple):
    """What a figure should reach; ``of_ratio``: what its ratio to the figure beside it should."""

    value: float
    at_least: bool = True  # otherwise at most
    of_ratio: bool = False

    def met(self, value: float) -> bool:
        return value >= self.value if self.at_least else value <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {number(self.value)}{' x' if self.of_ratio else ''}"


def at_least(value: float) -> Target:
    return Target(value)


def at_most(value: float, of_ratio: bool = False) -> Target:
    return Target(value, at_least=False, of_ratio=of_ratio)


def times(value: float) -> Target:
    """At least so many times the figure beside."""
    return Target(value, of_ratio=True)


class Figure(NamedTuple):
    """A measured figure: a value for each round, and ``beside`` it that of something else in the same rounds.

    Up to its first comma, the name says what was measured.
    """

    name: str
    unit: str
    values: Sequence[float]
    beside: "Figure | None" = None
    target: Target | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def called(self) -> str:
        return self.name.partition(", ")[0]

    @property
    def ratios(self) -> list[float]:
        """By round, to the figure beside; empty without one."""
        return [own / other for own, other in zip(self.values, self.beside.values, strict=True)] if self.beside else []

    @property
    def verdict(self) -> str:
        """``met`` or ``MISSED``, by the median of the rounds; empty without a target."""
        if self.target is None:
            return ""
        return "met" if self.target.met(median(self.ratios if self.target.of_ratio else self.values)) else "MISSED"

    def plain(self) -> dict:
        """As JSON; ``Figure.of`` is its inverse."""
        beside, target = self.beside and self.beside.plain(), self.target and self.target._asdict()
        return {**self._asdict(), "values": list(self.values), "beside": beside, "target": target}

    @classmethod
    def of(cls, plain: dict) -> "Figure":
        beside, target = plain["beside"] and cls.of(plain["beside"]), plain["target"] and Target(**plain["target"])
        return cls(**{**plain, "beside": beside, "target": target})

    def cells(self) -> list[str]:
        """Of a row under ``COLUMNS``."""
        ratio = f"{_of_rounds(self.ratios)} x {self.beside.called}" if self.beside else ""
        target = f"{self.target}: {self.verdict}" if self.target else ""
        return [self.name, self.unit, number(self.median), _spread(self.values), ratio, target]


COLUMNS = ["", "unit", "median", "least .. most", "ratio (least .. most)", "target"]


def compact(figures: Sequence[Figure]) -> list[list[str]]:
    """Rows of cells in which a figure that stands beside others, and has no ratio of its own, is told in theirs."""
    told = [figure.beside for figure in figures if figure.beside]
    rows = []
    for figure in figures:
        if figure.beside or figure.target or figure not in told:
            *own, ratio, target = figure.cells()
            rows.append([*own, f"{ratio} ({number(figure.beside.median)})" if ratio else "", target])
    return rows


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print figures as a table: all speeds of all benchmarks are printed so."""
    table(title, COLUMNS, [figure.cells() for figure in figures], right=(2,))


def _of_rounds(values: Sequence[float]) -> str:
    return f"{number(median(values))} ({_spread(values)})" if len(values) > 1 else number(values[0])


def _spread(values: Sequence[float]) -> str:
    return f"{number(min(values))} .. {number(max(values))}" if len(values) > 1 else ""


def number(value: float) -> str:
    """Three figures that can be read; counts as they are."""
    if isinstance(value, int):
        return f"{value:,}"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"


def table(title: str, columns: list[str], rows: list[list], right: Sequence[int] = ()) -> None:
    """Print a table; numbers stand on the right, and so do the columns ``right``."""
    out = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    for k, column in enumerate(columns):
        numbers = k in right or (rows and isinstance(rows[0][k], int | float))
        out.add_column(column, justify="right" if numbers else "left")
    for row in rows:
        out.add_row(*(cell if isinstance(cell, str) else number(cell) for cell in row))
    console.print(out)


def machine(*peers: str) -> str:
    """Hardware, load now, and versions, also of the peer packages."""
    packages = ", ".join(versions("numba", "numpy", *peers))
    hardware = f"{_processor()}, {cores()} cores of {os.cpu_count()}, load {load()} at start"
    return f"{hardware}; {platform.system()}, Python {platform.python_version()}, {packages}"


def versions(*packages: str) -> list[str]:
    return [f"{name} {version(name)}" for name in packages]


def load() -> str:
    """Of the last minute, where the system tells it."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

"""Tables of figures, and what they were measured on."""

import os
import platform
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from sandbox.engine.pool import cores

console = Console(width=120, highlight=False)


def number(value: float) -> str:
    """Three figures that can be read; counts as they are."""
    if isinstance(value, int):
        return f"{value:,}"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(title: str, columns: list[str], rows: list[list]) -> None:
    """Print a table; numbers stand on the right."""
    out = Table(title=title, title_justify="left", title_style="bold")
    for k, column in enumerate(columns):
        out.add_column(column, justify="right" if rows and isinstance(rows[0][k], int | float) else "left")
    for row in rows:
        out.add_row(*(cell if isinstance(cell, str) else number(cell) for cell in row))
    console.print(out)


def met(value: float, target: float, at_least: bool = True) -> str:
    """Whether a figure reaches its target, in words."""
    good = value >= target if at_least else value <= target
    return f"{'met' if good else 'MISSED'}: {'at least' if at_least else 'at most'} {number(target)}"


def machine(*peers: str) -> None:
    """One line on hardware and versions, also of the peer packages."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", *peers))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    console.print(
        f"{_processor()}, {cores()} cores of {os.cpu_count()}, load {load:.1f} at start; "
        f"{platform.system()}, Python {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

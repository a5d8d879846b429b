"""Figures that a page states, read off the page itself, and whether a new measurement agrees with them."""

import re
from functools import cache
from math import hypot, sqrt
from pathlib import Path
from typing import NamedTuple

from scipy import stats

from sandbox.core.errors import UsageError
from sandbox.statistics import CONFIDENCE, success_rate

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"[-+]?(?:\d[\d,]*)?\.?\d+"
FIGURE = re.compile(rf"(?P<value>{NUMBER})(?:[*%\s]|points)*(?:\((?P<low>{NUMBER}) \.\. (?P<high>{NUMBER})\))?")
FAILS = "fails"  # a cell that says so states a success of 0
AGREES, REFUSED, UNCLEAR = "agrees", "does not agree", "cannot tell"


class Stated(NamedTuple):
    """A figure as it stands on a page: its 95 % interval where one stands there, else of how many trials it is."""

    text: str
    value: float
    low: float | None = None
    high: float | None = None
    trials: int | None = None
    rounding: float = 0.0  # half a unit of its last digit


class Found(NamedTuple):
    """The same figure, measured anew, with its interval at the level that it is judged at."""

    value: float
    low: float
    high: float
    trials: int


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tables(name: str) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, the header first."""
    found, rows = [], []
    for line in [*page(name).splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            found.append([rows[0], *rows[2:]])
            rows = []
    return found


def cell(name: str, row: str, column: str) -> str:
    """The cell of the row that begins so (several cells: with `` | `` between) and the column of that name.

    Raises UsageError where no table of the page has one.
    """
    for header, *rows in tables(name):
        for cells in rows:
            if column in header and f"{' | '.join(cells)} |".startswith(f"{row} |"):
                return cells[header.index(column)]
    raise UsageError(f"{name}: no table has a row '{row}' with a column '{column}'")


def sentence(name: str, text: str) -> str:
    """A text that must stand on the page, wherever its lines break; raises UsageError where it does not."""
    if " ".join(text.split()) not in " ".join(page(name).split()):
        raise UsageError(f"{name}: does not say '{text}'")
    return text


def figure(text: str, trials: int | None = None) -> Stated:
    """The first number of a text, with its interval where one follows."""
    if text.startswith(FAILS):
        return Stated(text, 0.0, trials=trials)
    found = FIGURE.search(text)
    if not found:
        raise UsageError(f"no figure in '{text}'")
    value, low, high = (part and float(part.replace(",", "")) for part in found.group("value", "low", "high"))
    digits = len(found["value"].partition(".")[2])
    return Stated(text, value, low, high, trials, 0.5 * 10.0**-digits)


def judge(stated: Stated, found: Found, level: float, kind: str, scale: float = 1.0) -> str:
    """Whether the difference of both estimates is within what chance allows at ``level``.

    The interval of the difference is Donner and Zou's (2012): each end from the two ends that face each other. What is
    stated without interval and without trials counts as exact, but for its rounding. ``kind`` is "difference", "share"
    or "mean"; a share is stated times ``scale``.
    """
    low, high = _ends(stated, found, level, kind, scale)
    gap = found.value - stated.value
    reach = hypot(found.value - found.low, high - stated.value) if gap > 0 else hypot(
        found.high - found.value, stated.value - low
    )  # fmt: skip
    rounding = min(stated.rounding, scale / 200) if kind == "share" else stated.rounding  # 1 is exact, of shares
    if abs(gap) > reach + rounding:
        return REFUSED
    return UNCLEAR if _blunt(stated, found, kind, scale) else AGREES


def _ends(stated: Stated, found: Found, level: float, kind: str, scale: float) -> tuple[float, float]:
    """The stated figure's interval at the level."""
    value = stated.value
    if stated.low is not None:
        wider = stats.norm.ppf((1 + level) / 2) / stats.norm.ppf((1 + CONFIDENCE) / 2)
        return value - wider * (value - stated.low), value + wider * (stated.high - value)
    if stated.trials is None:
        return value, value
    if kind == "share":
        rate = success_rate(round(value / scale * stated.trials), stated.trials, level)
        return scale * rate.low, scale * rate.high
    smaller = sqrt(found.trials / stated.trials)  # as spread as it is now
    return value - smaller * (found.value - found.low), value + smaller * (found.high - found.value)


def _blunt(stated: Stated, found: Found, kind: str, scale: float) -> bool:
    """Whether the new interval would agree with nearly anything: of a difference that is clear, with none at all."""
    width = found.high - found.low
    if kind == "difference":
        clear = stated.low is not None and not stated.low <= 0 <= stated.high
        return clear and found.low <= 0 <= found.high
    return width > (scale / 2 if kind == "share" else abs(stated.value))

"""Figures that a page states, read off the page itself, and whether a new measurement agrees with them."""

import re
from collections.abc import Iterable
from functools import cache
from math import hypot, sqrt
from pathlib import Path
from typing import NamedTuple

from scipy import stats

from sandbox.core.errors import UsageError
from sandbox.statistics import CONFIDENCE, success_rate

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"[-+]?(?:\d[\d,]*)?\.?\d+"
WORDS = r"(?:[*%\s]|points|achievements|ticks|more)*"  # may stand between a figure and its interval
INTERVAL = rf"\(?(?P<low>{NUMBER}) \.\. (?P<high>{NUMBER})\)?"
FIGURE = re.compile(rf"(?P<value>{NUMBER}){WORDS}(?:{INTERVAL})?")
HOLE = rf"(\**{NUMBER}(?:\** ?%)?\**(?:{WORDS}\({NUMBER} \.\. {NUMBER}\))?)"
# A figure that looks measured has an interval, a sign, a percent sign, nothing before its point, or one of these units.
MEASURED = re.compile(
    rf"(?<![\w.])(?:{NUMBER}{WORDS}\({NUMBER} \.\. {NUMBER}\)|{NUMBER} \.\. {NUMBER}|{NUMBER}\** ?%"
    rf"|{NUMBER}\** (?:points|ticks|times)\b|[\d,]+ of [\d,]+\b|[-+]\d[\d,.]*|\.\d+)"
)
LEVELS = ("95 %", "99 %")  # of confidence
NO_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)  # code and addresses
FAILS = "fails"  # a cell that says so states a success of 0 %, or "in 39 of 40" the rest
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


class Place(NamedTuple):
    """A part of a page."""

    page: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return page(self.page)[self.start : self.end]


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tables(name: str) -> list[list[list[Place]]]:
    """The tables of a page: rows of cells, the header first."""
    found, rows, start = [], [], 0
    for line in [*page(name).splitlines(keepends=True), ""]:
        if line.startswith("|"):
            rows.append([Place(name, start + m.start(1), start + m.end(1)) for m in CELL.finditer(line)])
        elif rows:
            found.append([rows[0], *rows[2:]])
            rows = []
        start += len(line)
    return found


CELL = re.compile(r"(?<=\|) *([^|\n]*?) *(?=\|)")


def cell(name: str, row: str, column: str) -> Place:
    """The cell of the row that begins so (several cells: with `` | `` between) and the column of that name.

    Raises UsageError where no table of the page has one.
    """
    for header, *rows in tables(name):
        columns = [each.text for each in header]
        for cells in rows:
            if column in columns and f"{' | '.join(each.text for each in cells)} |".startswith(f"{row} |"):
                return cells[columns.index(column)]
    raise UsageError(f"{name}: no table has a row '{row}' with a column '{column}'")


def sentence(name: str, text: str, hole: int = 0) -> Place:
    """The figure that stands on the page at the ``hole``-th ``#`` of a text, wherever its lines break.

    Of a text without ``#`` it is the whole of it. Raises UsageError where the page has no such text.
    """
    words = (HOLE.join(map(re.escape, word.split("#"))) for word in text.split())
    found = re.search(r"\s+".join(words), page(name))
    if not found:
        raise UsageError(f"{name}: does not say '{text}'")
    group = hole + 1 if "#" in text else 0
    return Place(name, *found.span(group))


def section(name: str, heading: str) -> Place:
    """From a heading to the next one that is not below it; raises UsageError where there is none."""
    text, level = page(name), heading.partition(" ")[0]
    start = text.find(f"\n{heading}\n")
    if start < 0:
        raise UsageError(f"{name}: no heading '{heading}'")
    after = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(text, start + len(heading) + 2)
    return Place(name, start, after.start() if after else len(text))


def rows_of(name: str, column: str) -> list[Place]:
    """The first cell of each row of the tables that have a column of that name."""
    return [row[0] for header, *rows in tables(name) if column in (each.text for each in header) for row in rows]


def column_of(name: str, column: str) -> list[Place]:
    """All cells of the columns of that name; raises UsageError where no table has one."""
    found = [
        cells[k] for header, *rows in tables(name) for k, each in enumerate(header) if each.text == column
        for cells in rows if k < len(cells)
    ]  # fmt: skip
    if not found:
        raise UsageError(f"{name}: no table has a column '{column}'")
    return found


def measured_looking(name: str) -> list[Place]:
    """The figures of a page that look measured: in its prose, and all numbers in its tables.

    The header and the first cell of a row say what is measured, and do not count.
    """
    labels = [each for header, *rows in tables(name) for each in (*header, *(cells[0] for cells in rows))]
    text = NO_PROSE.sub(lambda found: re.sub(r"\S", "_", found[0]), page(name))
    for each in labels:
        text = text[: each.start] + "_" * (each.end - each.start) + text[each.end :]
    found = {Place(name, *each.span()) for each in MEASURED.finditer(text) if each[0] not in LEVELS}
    cells = (each for _, *rows in tables(name) for cells in rows for each in cells[1:])
    return sorted(found | {each for each in cells if re.fullmatch(rf"\**{NUMBER}\**", each.text)})


def bare(name: str, covered: Iterable[Place]) -> list[Place]:
    """The figures of a page that look measured, lie within nothing that is covered, and repeat nothing that is."""
    covered = [each for each in covered if each.page == name]
    told = {number for each in covered for number in _numbers(each)}
    return [
        each for each in measured_looking(name)
        if not any(each.start < other.end and other.start < each.end for other in covered)
        and not set(_numbers(each)) <= told
    ]  # fmt: skip


def _numbers(place: Place) -> list[str]:
    return [each.lstrip("+-") for each in re.findall(NUMBER, place.text)]


def figure(text: str, trials: int | None = None) -> Stated:
    """The first number of a text, with its interval where one follows; of what fails, its success in per cent."""
    if text.startswith(FAILS):
        some = re.match(rf"{FAILS} in (\d+) of (\d+)", text)
        return Stated(text, 100 * (1 - int(some[1]) / int(some[2])) if some else 0.0, trials=trials)
    found = FIGURE.search(text)
    if not found:
        raise UsageError(f"no figure in '{text}'")
    value, low, high = (part and float(part.replace(",", "")) for part in found.group("value", "low", "high"))
    digits = len(found["value"].partition(".")[2])
    return Stated(text, value, low, high, trials, 0.5 * 10.0**-digits)


def judge(stated: Stated, found: Found, plain: Found, level: float, kind: str, scale: float = 1.0) -> str:
    """Whether the difference of both estimates is within what chance allows at ``level``.

    The interval of the difference is Donner and Zou's (2012): each end from the two ends that face each other. What is
    stated without interval and without trials counts as exact, but for its rounding. ``kind`` is "difference", "share"
    or "mean"; a share is stated times ``scale``. ``plain`` is ``found`` with its interval at ``CONFIDENCE``, which says
    whether so few trials tell anything.
    """
    low, high = _ends(stated, found, level, kind, scale)
    gap = found.value - stated.value
    reach = hypot(found.value - found.low, high - stated.value) if gap > 0 else hypot(
        found.high - found.value, stated.value - low
    )  # fmt: skip
    rounding = min(stated.rounding, scale / 200) if kind == "share" else stated.rounding  # 1 is exact, of shares
    if abs(gap) > reach + rounding:
        return REFUSED
    return UNCLEAR if _blunt(stated, plain, kind, scale) else AGREES


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


def _blunt(stated: Stated, plain: Found, kind: str, scale: float) -> bool:
    """Whether the new trials tell too little: a difference that is clear as stated might be none by them alone."""
    width = plain.high - plain.low
    if kind == "difference":
        clear = stated.low is not None and not stated.low <= 0 <= stated.high
        return clear and plain.low <= 0 <= plain.high
    return width > (scale / 3 if kind == "share" else abs(stated.value) / 2)

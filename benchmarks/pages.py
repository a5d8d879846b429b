"""Tables of the documents that a command writes, between two comments; a test finds those that a hand has changed."""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from benchmarks.report import console, table
from sandbox.statistics import Estimate

DOCS = Path(__file__).resolve().parents[1] / "docs"
TABLE = re.compile(
    r"<!-- table (?P<key>\S+): written by `(?P<command>[^`]+)` -->\n\n"
    r"(?P<text>.*?)\n\n<!-- end of \S+, (?P<digest>\w+) -->",
    re.DOTALL,
)


class Written(NamedTuple):
    """A table as it stands on a page."""

    command: str
    text: str
    digest: str  # of the text that the command wrote


def written(text: str) -> dict[str, Written]:
    """The tables of a page that commands write, by their keys."""
    return {found["key"]: Written(found["command"], found["text"], found["digest"]) for found in TABLE.finditer(text)}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def show(
    page: str, key: str, columns: Sequence[str], rows: Sequence[Sequence[str]], quick: bool, kept: bool = False
) -> None:  # fmt: skip
    """Print a table, and unless it is a quick one put it into ``docs/<page>``, where the comments of this key stand.

    ``kept``: rows there that begin with none of the new first cells stay, so that a part can be measured anew.
    """
    table(f"docs/{page}: {key}", list(columns), [list(row) for row in rows])
    if not quick:
        path = DOCS / page
        if kept:
            new = {row[0]: row for row in rows}
            old = {cells[0]: cells for cells in cells(written(path.read_text(encoding="utf-8"))[key].text)[1:]}
            rows = list((old | new).values())
        put(path, key, markdown(columns, rows))


def put(path: Path, key: str, text: str) -> None:
    """Write a text between the two comments of this key in a page; raises KeyError for a page without them."""
    path.write_text(_with(path.read_text(encoding="utf-8"), key, text), encoding="utf-8")
    console.print(f"written: table {key} of {path.parent.name}/{path.name}")


def cells(text: str) -> list[list[str]]:
    """Of the header and of each row."""
    lines = [line.strip("|").split("|") for line in text.splitlines()]
    return [[cell.strip() for cell in cells] for k, cells in enumerate(lines) if k != 1]


def _with(page: str, key: str, text: str) -> str:
    """A page with another table; raises KeyError where it has none of this key."""
    old, end = written(page)[key], f"\n\n<!-- end of {key}, "
    before, found, after = page.partition(f"{old.text}{end}{old.digest}")
    if not found:
        raise KeyError(key)
    return f"{before}{text}{end}{digest(text)}{after}"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = (f"| {' | '.join(cells)} |" for cells in (columns, *rows))
    head, *body = (re.sub(r"\|  (?=\|)", "| ", line) for line in lines)
    return "\n".join([head, "|" + "---|" * len(columns), *body])


def share(estimate: Estimate) -> str:
    """``98 % (89 .. 100)``, without digits."""
    value, low, high = (f"{100 * each:.0f}" for each in estimate)
    return f"{value} % ({low} .. {high})"


def difference(estimate: Estimate, better: int, digits: int = 1, sign: str = "+") -> str:
    """``+5.7 (+2.6 .. +8.9)``; bold where it is clearly better: ``better`` is 1 where more is, -1 where less is."""
    value, low, high = (number(each, digits, sign) for each in estimate)
    clear = (estimate.low > 0) if better > 0 else (estimate.high < 0)
    return f"{f'**{value}**' if clear else value} ({low} .. {high})"


def number(value: float, digits: int = 1, sign: str = "") -> str:
    """A rounded number; 0 has no sign and no digits."""
    text = f"{value:{sign},.{digits}f}"
    return "0" if float(text.replace(",", "")) == 0 else text

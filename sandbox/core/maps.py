"""Maps as text: finds a layout, parses it, and reports errors with line and column."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import near, normal, path_of, read_text

MOST_CELLS = 20_000_000
MAP = "a map"


def read_layout(layout: str, named: Iterable[str], where: str) -> tuple[str, str]:
    """The text of a layout, given as a path or as the map itself (see ``is_text``), and its place for errors.

    Raises UsageError if it is neither; ``named`` are the names of the world's layouts, ``where`` names the world.
    """
    if not layout.strip():
        raise UsageError(f"{where}: layout: empty; expected a name, a file or a map as text")
    if is_text(layout):
        return normal(layout), "layout"
    path = path_of(layout)
    if not os.path.exists(path):  # does not raise for invalid names
        if hint := near(path) if path.suffix else "":
            raise UsageError(f"{where}: no such layout or file '{layout}'; {hint}")
        raise unknown("layout", layout, named, f"{where}; not a file either")
    return read_map(path), str(path)


def is_text(layout: str) -> bool:
    """Whether a layout is the map itself and not a name: it contains a line break, or is a dict."""
    return "\n" in layout or "\r" in layout or layout.lstrip().startswith("{")


def read_map(path: Path, check: Callable[[Path], object] = lambda path: None) -> str:
    """The text of a map file, or of the map that a problem of the League of Robot Runners names.

    ``check`` is called with each file before it is read, and may raise.
    """
    check(path)
    text = read_text(path, MAP)
    if path.suffix.lower() != ".json" or '"mapFile"' not in text:
        return text
    try:
        named = Path(path.parent, json.loads(text)["mapFile"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path}: expected a problem of the League of Robot Runners with its mapFile") from None
    check(named)
    return read_text(named, MAP)


def parse_grid(lines: list[str], kinds: Mapping[str, int], where: str, first_line: int = 1) -> np.ndarray:
    """Rows of characters as cells (H, W) int8; raises UsageError that names line and column (from 1)."""
    width = len(lines[0]) if lines else 0
    if width == 0 or len(lines) * width > MOST_CELLS:
        raise UsageError(f"{where}: a map has 1 to {MOST_CELLS:,} cells, this one {len(lines)} x {width}")
    widths = np.fromiter(map(len, lines), np.int64, len(lines))
    numbers = np.frombuffer("".join(lines).encode("utf-32-le", "surrogatepass"), np.uint32)
    table = _codes(kinds)
    codes = table[np.minimum(numbers, len(table) - 1)]
    wrong, bad = np.flatnonzero(widths != width), np.flatnonzero(codes == _NO_CELL)
    row = np.searchsorted(np.cumsum(widths), bad[0], "right") if len(bad) else len(lines)
    if len(bad) and not (len(wrong) and wrong[0] < row):
        column = int(bad[0] - widths[:row].sum())
        place, known = f"line {first_line + row}, column {column + 1}", " ".join(sorted(kinds))
        raise UsageError(f"{where}: {place}: {lines[row][column]!r} is not a cell; expected one of {known}")
    if len(wrong):
        number, cells = first_line + wrong[0], widths[wrong[0]]
        raise UsageError(f"{where}: line {number} has {cells} cells, expected {width} as in line {first_line}")
    return codes.reshape(len(lines), width).astype(np.int8)


_NO_CELL = 1 << 10


def _codes(kinds: Mapping[str, int]) -> np.ndarray:
    """(C,) int16: the cell of each character by code point; the last entry is for all higher code points."""
    codes = np.full(max(map(ord, kinds)) + 2, _NO_CELL, np.int16)
    codes[[ord(char) for char in kinds]] = list(kinds.values())
    return codes


def around(shape: tuple[int, ...], place: np.ndarray, down: int, across: int) -> np.ndarray:
    """(H, W) bool: the cells within ``down`` rows and ``across`` columns of ``place`` (row, column)."""
    rows, cols = np.abs(np.arange(shape[0]) - place[0]), np.abs(np.arange(shape[1]) - place[1])
    return (rows <= down)[:, None] & (cols <= across)

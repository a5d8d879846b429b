"""Maps as text: where a layout comes from, and what is wrong with a bad one, with line and column."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from sandbox.core.errors import UsageError, unknown

MOST_CELLS = 20_000_000


def read_layout(layout: str, named: Iterable[str], where: str) -> tuple[str, str]:
    """The text of a layout, given as a path or as the map itself (anything with more than one line), and its place.

    Raises UsageError for what is neither; ``named`` are the names that it could have been, ``where`` is the world.
    """
    if "\n" in layout.strip():
        return layout, "layout"
    path = Path(os.path.expanduser(layout))
    if not os.path.isfile(path):  # which raises nothing for a name that no file can have
        raise unknown("layout", layout, named, f"{where}; not a file either")
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: expected a text file with a map ({error.__class__.__name__})") from None


def parse_grid(lines: list[str], kinds: Mapping[str, int], where: str, first_line: int = 1) -> np.ndarray:
    """Rows of characters as cells (H, W) int8; raises UsageError that names line and column (from 1)."""
    width = len(lines[0]) if lines else 0
    if width == 0 or len(lines) * width > MOST_CELLS:
        raise UsageError(f"{where}: a map has 1 to {MOST_CELLS:,} cells, this one {len(lines)} x {width}")
    for number, line in enumerate(lines, first_line):
        for column, char in enumerate(line, 1):
            if char not in kinds:
                known = " ".join(sorted(kinds))
                place = f"line {number}, column {column}"
                raise UsageError(f"{where}: {place}: {char!r} is no cell; expected one of {known}")
        if len(line) != width:
            raise UsageError(f"{where}: line {number} has {len(line)} cells, expected {width} as in line {first_line}")
    return np.array([[kinds[char] for char in line] for line in lines], np.int8)


def around(shape: tuple[int, ...], place: np.ndarray, down: int, across: int) -> np.ndarray:
    """(H, W) bool: the cells within ``down`` rows and ``across`` columns of ``place`` (row, column)."""
    rows, cols = np.abs(np.arange(shape[0]) - place[0]), np.abs(np.arange(shape[1]) - place[1])
    return (rows <= down)[:, None] & (cols <= across)

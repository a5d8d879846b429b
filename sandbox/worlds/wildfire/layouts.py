"""Land by name, by path, or as the map's text. Errors name line and column.

A map has a row of letters for each row of cells: ``.`` bare, ``=`` road, ``~`` water, ``g`` grass, ``b`` brush, ``f``
forest, ``h`` building, ``p`` building with a household, ``*`` forest that burns, ``c`` station of a crew (bare).
"""

from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.files import explained
from sandbox.core.maps import parse_grid, read_layout
from sandbox.worlds.wildfire.state import Ground, Kind

WHERE = "world 'wildfire'"
EXPECTED = "a map of wildfire, with a letter for each cell"
LETTERS = {
    ".": int(Kind.BARE), "=": int(Kind.ROAD), "~": int(Kind.WATER), "g": int(Kind.GRASS), "b": int(Kind.BRUSH),
    "f": int(Kind.FOREST), "h": int(Kind.BUILDING), "p": Kind.BUILDING + 8 * Ground.PEOPLE,
    "*": Kind.FOREST + 8 * (Ground.FIRE + 1), "c": -1,
}  # fmt: skip
GROUND = {  # shares of noise below which there is grass, brush; share of bare; relief in degrees; river
    "village": (0.30, 0.45, 0.12, 1.5, 0.0),
    "valley": (0.35, 0.55, 0.10, 4.0, 1.0),
    "plain": (0.55, 0.80, 0.08, 0.0, 0.0),
}


class Layout(NamedTuple):
    """A plan with its stations, or the parameters of generated terrain."""

    plan: np.ndarray  # (H, W) uint8, or (0, 0)
    stations: np.ndarray  # (S, 2) int32
    ground: np.ndarray  # (5,) float64, see Params


def load(layout: str) -> Layout:
    """A layout by name, by path, or as the map's text (anything with more than one line)."""
    if layout in GROUND:
        return Layout(np.zeros((0, 0), np.uint8), np.zeros((0, 2), np.int32), np.array(GROUND[layout]))
    text, where = read_layout(layout, GROUND, WHERE)
    with explained(text, where, EXPECTED):
        return _parse(text, where)


def _parse(text: str, where: str) -> Layout:
    lines = [line.rstrip() for line in text.splitlines()]
    first = next((k for k, line in enumerate(lines) if line), 0)
    while lines and not lines[-1]:
        lines.pop()
    codes = parse_grid(lines[first:], LETTERS, where, first + 1)
    plan = np.where(codes < 0, int(Kind.BARE), codes).astype(np.uint8)
    if not (plan & 7 == Kind.BUILDING).any():
        raise UsageError(f"{where}: no building; expected at least one 'h' or 'p'")
    if not (plan >> 3 >= Ground.FIRE).any():
        raise UsageError(f"{where}: no fire; expected at least one '*'")
    return Layout(plan, np.argwhere(codes < 0).astype(np.int32), np.zeros(5))

"""The parts of a furnished flat: upright boxes, cylinders and spheres, which a ``Builder`` gets one after the other.

Lengths are in metres; see ``walk.path`` for the axes.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import Cell, Item, Params, Room, State
from sandbox.worlds.rooms.walk.furniture import Part, parts
from sandbox.worlds.rooms.walk.path import METRE, STEPS, footprint

Corner = tuple[float, float, float]
Colour = tuple[float, float, float]
HIGH, SILL, LINTEL, DOOR_HIGH, SKIRTING, PROUD = 2.6, 0.75, 2.25, 2.1, 0.06, 0.012
COLOURS: dict[str, tuple[Colour, float]] = {  # linear RGB, gloss 0..1
    "oak": ((0.52, 0.36, 0.2), 0.4), "walnut": ((0.16, 0.075, 0.035), 0.5), "pine": ((0.4, 0.25, 0.12), 0.3),
    "wool": ((0.33, 0.34, 0.36), 0), "velvet": ((0.05, 0.16, 0.17), 0), "leather": ((0.25, 0.1, 0.04), 0.35),
    "linen": ((0.74, 0.7, 0.63), 0), "mustard": ((0.62, 0.36, 0.06), 0), "china": ((0.78, 0.77, 0.74), 0.6),
    "terracotta": ((0.45, 0.17, 0.09), 0), "leaf": ((0.06, 0.2, 0.05), 0.3), "soil": ((0.05, 0.035, 0.025), 0),
    "steel": ((0.045, 0.047, 0.05), 0.5), "brass": ((0.6, 0.4, 0.14), 0.6), "paint": ((0.74, 0.74, 0.72), 0.3),
    "screen": ((0.012, 0.013, 0.016), 0.8), "wall": ((0.8, 0.78, 0.74), 0), "ceiling": ((0.86, 0.86, 0.85), 0),
    "skirting": ((0.84, 0.84, 0.83), 0.2), "tiles": ((0.62, 0.64, 0.64), 0.4), "frame": ((0.85, 0.85, 0.84), 0.3),
    "door": ((0.72, 0.7, 0.66), 0.3), "kitchen": ((0.55, 0.6, 0.57), 0.4), "worktop": ((0.14, 0.13, 0.12), 0.5),
    "pillar": ((0.55, 0.54, 0.52), 0), "rug": ((0.5, 0.43, 0.36), 0),
}  # fmt: skip


class Builder(Protocol):
    """Makes a scene of the parts. The names of those of item k begin with ``item-k-``."""

    def block(self, name: str, low: Corner, high: Corner, material: str) -> None:
        """A box with sharp edges between two corners: next to another one, no joint is seen."""

    def box(self, name: str, low: Corner, high: Corner, material: str) -> None:
        """A box with rounded edges between two corners."""

    def part(self, name: str, part: Part, at: tuple[float, float], turned: float) -> None:
        """A part of a thing that stands at a place, turned by so many degrees."""


def size(grid: np.ndarray) -> tuple[float, float]:
    """Width and depth of a flat."""
    return grid.shape[1] * METRE, grid.shape[0] * METRE


def walls(made: Builder, grid: np.ndarray, room: np.ndarray) -> None:
    """Walls with their openings, fixtures, pillars, tiles."""
    solid, door = np.isin(grid, (Cell.WALL, Cell.SOCKET)), np.isin(grid, (Cell.DOOR, Cell.ENTRANCE))
    for row, begin, end in runs(solid):
        low, high = box_of(row, begin, end, 0, HIGH)
        made.block(f"wall-{row}-{begin}", low, high, "wall")
        low, high = (low[0] - PROUD, low[1] - PROUD, -PROUD), (high[0] + PROUD, high[1] + PROUD, SKIRTING + PROUD)
        made.block(f"skirting-{row}-{begin}", low, high, "skirting")
    for row, begin, end in runs(grid == Cell.WINDOW):
        made.block(f"sill-{row}-{begin}", *box_of(row, begin, end, 0, SILL), "wall")
        made.block(f"lintel-{row}-{begin}", *box_of(row, begin, end, LINTEL, HIGH), "wall")
    for row, begin, end in runs(door):
        made.block(f"above-{row}-{begin}", *box_of(row, begin, end, DOOR_HIGH, HIGH), "wall")
    for row, begin, end in runs(grid == Cell.ENTRANCE):
        made.block(f"entrance-{row}-{begin}", *box_of(row, begin, end, 0, DOOR_HIGH), "door")
    for row, begin, end in runs(grid == Cell.FIXTURE):
        made.box(f"unit-{row}-{begin}", *box_of(row, begin, end, 0, 0.86), "kitchen")
        made.box(f"top-{row}-{begin}", *box_of(row, begin, end, 0.86, 0.9), "worktop")
    for row, begin, end in runs(grid == Cell.PILLAR):
        made.block(f"pillar-{row}-{begin}", *box_of(row, begin, end, 0, HIGH), "pillar")
    for row, begin, end in runs((room == Room.BATHROOM) & (grid == Cell.FLOOR)):
        made.block(f"tiles-{row}-{begin}", *box_of(row, begin, end, 0, 0.006), "tiles")
    for row, col, middle, way in panes(grid):
        side = np.array([abs(way[1]), abs(way[0]), 0.0])
        at = middle - 0.1 * way
        for k, (share, wide, tall) in enumerate(((-0.5, 0.02, (LINTEL - SILL) / 2), (0.0, METRE, 0.025))):
            up = np.array([0, 0, SILL + 0.025 - middle[2]]) if k else np.zeros(3)
            half = 0.5 * wide * side + 0.02 * np.abs(way) + np.array([0, 0, tall])
            bar = at + share * METRE * side + up
            made.box(f"bar-{row}-{col}-{k}", tuple(bar - half), tuple(bar + half), "frame")


def panes(grid: np.ndarray) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Row and column of each cell of a window, the middle of its pane, and the way into the room."""
    for row, col in np.argwhere(grid == Cell.WINDOW).tolist():
        for down, right in STEPS:
            r, c = row + down, col + right
            if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] == Cell.FLOOR:
                middle = np.array([(col + 0.5) * METRE, -(row + 0.5) * METRE, (SILL + LINTEL) / 2])
                yield row, col, middle, np.array([right, -down, 0.0])


def items(made: Builder, s: State, lane: int, params: Params) -> None:
    """The items of the plan; one that needs a wall stands with its back to it."""
    for k in np.flatnonzero(s.item[lane, :, Item.THING]).tolist():
        item = s.item[lane, k]
        entry, turn = catalogue().entries[int(item[Item.THING]) - 1], int(item[Item.TURN])
        row, col, rows, cols = footprint(params, item)
        at = ((col + cols / 2) * METRE, -(row + rows / 2) * METRE)
        for number, part in enumerate(parts(entry)):
            made.part(f"item-{k}-{number}", part, at, -90.0 * turn)


def runs(mask: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(row, first column, one after the last) of the stretches of a mask."""
    for row in range(mask.shape[0]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask[row].astype(int), [0]])))
        for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield row, begin, end


def box_of(row: int, begin: int, end: int, low: float, high: float) -> tuple[Corner, Corner]:
    """The corners of a stretch of cells between two heights."""
    return (begin * METRE, -(row + 1) * METRE, low), (end * METRE, -row * METRE, high)

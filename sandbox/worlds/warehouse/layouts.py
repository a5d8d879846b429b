"""Maps: RWARE's named sizes, RWARE's text format, and movingai's ``.map`` files. Errors name line and column.

RWARE text: ``.`` aisle, ``x`` shelf, ``g`` goal, one line for each row, spaces ignored. A ``.map`` file states
``height`` and ``width``, often ``type``, then ``map``, then rows of ``.GS`` (passable) and ``@OTW`` (not); see
Sturtevant 2012, "Benchmarks for grid-based pathfinding". The League of Robot Runners adds ``E``, an emitter, which is
passable as are its service points ``S``.
"""

from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported at their first use

from sandbox.core.errors import UsageError
from sandbox.core.files import explained
from sandbox.core.maps import parse_grid, read_layout
from sandbox.worlds.warehouse.state import Cell

SIZES = {"tiny": (1, 3), "small": (2, 3), "medium": (2, 5), "large": (3, 5)}  # shelf rows, shelf columns
COLUMN_HEIGHT = 8
EXPECTED = "an RWARE layout, a movingai map or a League of Robot Runners problem"
_HEADER = ("type", "height", "width", "map")


class Layout(NamedTuple):
    """A plan and its goals, in the order in which deliveries are checked."""

    plan: np.ndarray  # (H, W) int8, see Cell
    goals: np.ndarray  # (G, 2) int32
    courier: bool
    aisles: np.ndarray  # (H, W) bool   within reach of a robot with a load


def named(name: str) -> Layout:
    """One of RWARE's sizes, built as RWARE builds it."""
    rows, columns = SIZES[name]
    height, width = (COLUMN_HEIGHT + 1) * rows + 2, 3 * columns + 1
    row, col = np.indices((height, width))
    middle = (col == width // 2 - 1) | (col == width // 2)
    queue = (row > height - (COLUMN_HEIGHT + 3)) & middle
    aisle = (col % 3 == 0) | (row % (COLUMN_HEIGHT + 1) == 0) | (row == height - 1) | queue
    plan = np.where(aisle, Cell.FLOOR, Cell.SLOT).astype(np.int8)
    goals = np.array([[height - 1, width // 2 - 1], [height - 1, width // 2]], np.int32)
    plan[tuple(goals.T)] = Cell.GOAL
    return Layout(plan, goals, courier=False, aisles=plan != Cell.SLOT)


def reached(open_cells: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the cells of ``open_cells`` that are connected with ``start``."""
    regions, _ = scipy.ndimage.label(open_cells)
    return regions == regions[start]


def beside(cells: np.ndarray) -> np.ndarray:
    """(H, W) bool: ``cells`` (bool) and their neighbours."""
    return scipy.ndimage.binary_dilation(cells)


def parse_rware(text: str, where: str) -> Layout:
    """RWARE's text format. Every goal must be within reach of a robot with a load."""
    lines = [line.replace(" ", "").replace("\t", "").lower() for line in text.splitlines()]
    skipped = next((k for k, line in enumerate(lines) if line), 0)
    while lines and not lines[-1]:
        lines.pop()
    kinds = {".": Cell.FLOOR, "x": Cell.SLOT, "g": Cell.GOAL}
    plan = parse_grid(lines[skipped:], kinds, where, skipped + 1)
    goals = np.argwhere(plan == Cell.GOAL).astype(np.int32)
    if len(goals) == 0:
        raise UsageError(f"{where}: no goal; expected at least one 'g'")
    aisles = reached(plan != Cell.SLOT, tuple(goals[0]))
    for row, col in np.argwhere((plan == Cell.GOAL) & ~aisles):
        place = f"line {row + 1 + skipped}, column {col + 1}"
        raise UsageError(f"{where}: {place}: unreachable goal; expected an aisle from it to the first goal")
    count = int(((plan == Cell.SLOT) & beside(aisles)).sum())
    if count < 2:
        raise UsageError(f"{where}: {count} shelves beside an aisle that leads to a goal; expected two 'x' or more")
    return Layout(plan, goals, courier=False, aisles=aisles)


def parse_movingai(text: str, where: str) -> Layout:
    """A movingai map for the courier task; open cells outside the largest connected region become walls."""
    lines, header = [line.strip() for line in text.splitlines()], {}
    first = next((k for k, line in enumerate(lines) if line.lower() == "map"), len(lines))
    for line in filter(None, lines[:first]):
        key, *value = line.lower().split()
        header[key] = value[0] if value else ""
    for key in ("height", "width"):
        if first == len(lines) or not (header.get(key, "").isascii() and header.get(key, "").isdigit()):
            raise UsageError(f"{where}: header of a .map file: expected '{key} NUMBER' before the line 'map'")
    rows = lines[first + 1 :]
    while rows and not rows[-1]:
        rows.pop()
    kinds = dict.fromkeys(".GSE", Cell.FLOOR) | dict.fromkeys("@OTW", Cell.WALL)
    plan = parse_grid(rows, kinds, where, first + 2)
    size = (int(header["height"][:20]), int(header["width"][:20]))
    if plan.shape != size:
        raise UsageError(
            f"{where}: the header says {size[0]} x {size[1]}, the map has {plan.shape[0]} x {plan.shape[1]}"
        )
    open_cells = _largest(plan == Cell.FLOOR)
    plan[~open_cells] = Cell.WALL
    if open_cells.sum() < 2:
        raise UsageError(f"{where}: no open cells; expected at least two '.' side by side")
    return Layout(plan, np.zeros((0, 2), np.int32), courier=True, aisles=open_cells)


def _largest(open_cells: np.ndarray) -> np.ndarray:
    """(H, W) bool: the largest connected region of ``open_cells``; of several, the first in reading order."""
    regions, _ = scipy.ndimage.label(open_cells)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    largest = (sizes == sizes.max())[regions] & open_cells
    return reached(open_cells, np.unravel_index(largest.argmax(), largest.shape)) & largest


def load(layout: str) -> Layout:
    """A layout by name, by path, or as the map's text itself (anything with more than one line)."""
    if layout in SIZES:
        return named(layout)
    text, where = read_layout(layout, SIZES, "world 'warehouse'")
    words = text.split(maxsplit=1)
    with explained(text, where, EXPECTED):
        return (parse_movingai if words and words[0].lower() in _HEADER else parse_rware)(text, where)

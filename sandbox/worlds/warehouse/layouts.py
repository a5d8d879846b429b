"""Maps: RWARE's named sizes, RWARE's text format, and movingai's ``.map`` files; what is wrong is said with its place.

RWARE text: ``.`` aisle, ``x`` shelf, ``g`` goal, one line for each row, spaces ignored. A ``.map`` file begins with
``type``, then ``height``, ``width``, ``map``, then rows of ``.GS`` (passable) and ``@OTW`` (not); see
Sturtevant 2012, "Benchmarks for grid-based pathfinding".
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.maps import parse_grid, read_layout
from sandbox.worlds.warehouse.state import Cell

SIZES = {"tiny": (1, 3), "small": (2, 3), "medium": (2, 5), "large": (3, 5)}  # shelf rows, shelf columns
COLUMN_HEIGHT = 8


class Layout(NamedTuple):
    """A plan and its goals in the order in which they are looked at."""

    plan: np.ndarray  # (H, W) int8, see Cell
    goals: np.ndarray  # (G, 2) int32
    courier: bool


def named(name: str) -> Layout:
    """One of RWARE's sizes, by RWARE's own construction."""
    rows, columns = SIZES[name]
    height, width = (COLUMN_HEIGHT + 1) * rows + 2, 3 * columns + 1
    row, col = np.indices((height, width))
    middle = (col == width // 2 - 1) | (col == width // 2)
    queue = (row > height - (COLUMN_HEIGHT + 3)) & middle
    aisle = (col % 3 == 0) | (row % (COLUMN_HEIGHT + 1) == 0) | (row == height - 1) | queue
    plan = np.where(aisle, Cell.FLOOR, Cell.SLOT).astype(np.int8)
    goals = np.array([[height - 1, width // 2 - 1], [height - 1, width // 2]], np.int32)
    plan[tuple(goals.T)] = Cell.GOAL
    return Layout(plan, goals, courier=False)


def reached(open_cells: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """The cells of ``open_cells`` (bool) that hang together with ``start``."""
    seen = np.zeros_like(open_cells)
    seen[start] = True
    queue = deque([start])
    while queue:
        row, col = queue.popleft()
        for r, c in ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)):
            if 0 <= r < seen.shape[0] and 0 <= c < seen.shape[1] and open_cells[r, c] and not seen[r, c]:
                seen[r, c] = True
                queue.append((r, c))
    return seen


def parse_rware(text: str, where: str) -> Layout:
    """RWARE's text format. Every goal and every shelf must be within reach of a robot with a load."""
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
    beside = np.zeros_like(aisles)
    beside[1:] |= aisles[:-1]
    beside[:-1] |= aisles[1:]
    beside[:, 1:] |= aisles[:, :-1]
    beside[:, :-1] |= aisles[:, 1:]
    for row, col in np.argwhere(((plan == Cell.SLOT) & ~beside) | ((plan == Cell.GOAL) & ~aisles)):
        what = "shelf" if plan[row, col] == Cell.SLOT else "goal"
        place = f"line {row + 1 + skipped}, column {col + 1}"
        raise UsageError(f"{where}: {place}: unreachable {what}; expected an aisle from it to the first goal")
    return Layout(plan, goals, courier=False)


def parse_movingai(text: str, where: str) -> Layout:
    """A movingai map for the courier task; what does not hang together with the largest open region becomes wall."""
    lines = text.splitlines()
    header = {}
    while lines and (words := lines.pop(0).split()) != ["map"]:
        header[words[0] if words else ""] = words[-1] if words else ""
    for key in ("height", "width"):
        if not header.get(key, "").isdigit():
            raise UsageError(f"{where}: header of a .map file: expected '{key} NUMBER' before the line 'map'")
    while lines and not lines[-1].strip():
        lines.pop()
    kinds = dict.fromkeys(".GS", Cell.FLOOR) | dict.fromkeys("@OTW", Cell.WALL)
    plan = parse_grid(lines, kinds, where, len(header) + 2)
    size = (int(header["height"]), int(header["width"]))
    if plan.shape != size:
        raise UsageError(
            f"{where}: the header says {size[0]} x {size[1]}, the map has {plan.shape[0]} x {plan.shape[1]}"
        )
    plan[~_largest(plan == Cell.FLOOR)] = Cell.WALL
    if (plan == Cell.FLOOR).sum() < 2:
        raise UsageError(f"{where}: no open cells; expected at least two '.' side by side")
    return Layout(plan, np.zeros((0, 2), np.int32), courier=True)


def _largest(open_cells: np.ndarray) -> np.ndarray:
    left, best = open_cells.copy(), np.zeros_like(open_cells)
    while left.sum() > best.sum():
        region = reached(left, tuple(np.argwhere(left)[0]))
        left &= ~region
        if region.sum() > best.sum():
            best = region
    return best


def load(layout: str) -> Layout:
    """A layout by name, by path, or as the map's text itself (anything with more than one line)."""
    if layout in SIZES:
        return named(layout)
    text, where = read_layout(layout, SIZES, "world 'warehouse'")
    if text.lstrip().startswith("type"):
        return parse_movingai(text.lstrip(), where)
    return parse_rware(text, where)

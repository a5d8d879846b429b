"""Flats as drawings: those that come with the world, and your own.

A drawing has one character for each cell of 50 x 50 centimetres: ``#`` wall, ``+`` wall with a power point, ``W``
window, ``D`` door, ``E`` entrance, ``K`` fixture of a kitchen or a bathroom; floor is the letter of its room: ``l``
living room, ``b`` bedroom, ``s`` study, ``h`` hall, ``w`` bathroom. A door is as wide as the cells it is drawn with.
"""

from typing import NamedTuple

import numpy as np
import scipy  # its parts are imported at their first use

from sandbox.core.errors import UsageError
from sandbox.core.files import explained
from sandbox.core.maps import parse_grid, read_layout
from sandbox.worlds.rooms.state import CELL, SLOTS, Cell, Room

DRAWINGS = {
    "studio": """\
####WWWW####WWWW###
#lllllllllllllllll#
#lllllllllllllllll+
+lllllllllllllllll#
#lllllllllllllllll#
#lllllllllllllllll#
+lllllllllllllllll+
#lllllllllllllllll#
#llllllllllllKKKKK#
####DD######+######
#hhhhhhhh#wwwwwwww#
#hhhhhhhhDwwwwwwww#
EhhhhhhhhDwwwwwwww#
EhhhhhhhhKKKwwwKKK#
###################
""",
    "two-rooms": """\
#####WWWWW#####WWWW####
#llllllllllll#bbbbbbbb#
#llllllllllll#bbbbbbbb#
+llllllllllll+bbbbbbbb+
#llllllllllll#bbbbbbbb#
Wllllllllllll#bbbbbbbb#
Wllllllllllll#bbbbbbbb+
Wllllllllllll#bbbbbbbb#
+llllllllllll###DD#####
#llllllllllll#hhhhhhhh#
#llllllllllllDhhhhhhhh#
#llllllllllllDhhhhhhhhE
#KKKKKKllllll#hhhhhhhhE
####+#####+######DD####
#############wwwwwwwww#
#############wwwwwwwwK#
#############KKwwwwwKK#
#######################
""",
    "family": """\
#####WWWWWW#####WWWW#####WWWW##
#llllllllllllll#bbbbbbbb#sssss#
#llllllllllllll#bbbbbbbb#sssss#
+llllllllllllll+bbbbbbbb+sssss+
#llllllllllllll#bbbbbbbb#sssss#
Wllllllllllllll#bbbbbbbb#sssss#
Wllllllllllllll#bbbbbbbb+sssss#
Wllllllllllllll#bbbbbbbb#sssss#
+llllllllllllll###DD#####DD####
#llllllllllllll#hhhhhhhhhhhhhh#
#llllllllllllllDhhhhhhhhhhhhhh#
#llllllllllllllDhhhhhhhhhhhhhhE
#KKKKKKllllllll#hhhhhhhhhhhhhhE
####+#####+########DD##########
###############wwwwwwwww#######
###############wwwwwwwwK#######
###############KKwwwwwKK#######
###############################
""",
}
_ROOMS = {"l": Room.LIVING_ROOM, "b": Room.BEDROOM, "s": Room.STUDY, "h": Room.HALL, "w": Room.BATHROOM}
_CELLS = {"#": Cell.WALL, "+": Cell.SOCKET, "W": Cell.WINDOW, "D": Cell.DOOR, "E": Cell.ENTRANCE, "K": Cell.FIXTURE}
_BASE = 10  # floor of room r is the code BASE + r
KINDS = {letter: int(cell) for letter, cell in _CELLS.items()} | {
    letter: _BASE + int(room) for letter, room in _ROOMS.items()
}
EXPECTED = "a drawing of a flat for the world 'rooms'"
BRIGHT, CORD = 250, 100  # centimetres from a window, and from a power point
SIDES = ((1, 0), (0, -1), (-1, 0), (0, 1))


class Flat(NamedTuple):
    """A flat, by cells; all arrays are (H, W) int8 but ``nook``."""

    plan: np.ndarray  # see Cell
    room: np.ndarray  # see Room
    kept: np.ndarray  # 1: stays free, so that a door opens
    light: np.ndarray  # 1: daylight
    power: np.ndarray  # 1: within reach of a power point
    nook: np.ndarray  # (P,) int32 cells where a pillar would stand in nobody's way


def load(layout: str) -> Flat:
    """A flat by name, by path, or as the drawing's text; raises UsageError."""
    if layout in DRAWINGS:
        return _flat(DRAWINGS[layout], layout)
    text, where = read_layout(layout, DRAWINGS, "world 'rooms'")
    with explained(text, where, EXPECTED):
        return _flat(text, where)


def _flat(text: str, where: str) -> Flat:
    lines = text.rstrip("\n").split("\n")
    codes = parse_grid(lines, KINDS, where)
    room = np.where(codes >= _BASE, codes - _BASE, Room.NONE).astype(np.int8)
    plan = np.where(codes >= _BASE, Cell.FLOOR, codes).astype(np.int8)
    if max(plan.shape) > SLOTS:
        raise UsageError(f"{where}: {plan.shape[0]} x {plan.shape[1]} cells; expected at most {SLOTS} x {SLOTS}")
    _check(plan, where)
    kept = _kept(plan, room)
    return Flat(
        plan, room, kept, _near(plan, room, Cell.WINDOW, BRIGHT), _near(plan, room, Cell.SOCKET, CORD),
        _nooks(plan, room, kept),
    )  # fmt: skip


def _check(plan: np.ndarray, where: str) -> None:
    """Raise UsageError for floor at the border, for a flat without entrance, and for floor that nobody can reach."""
    inner = np.isin(plan, (Cell.FLOOR, Cell.DOOR))
    inner[1:-1, 1:-1] = False
    for row, col in np.argwhere(inner)[:1].tolist():
        raise UsageError(f"{where}: line {row + 1}, column {col + 1}: floor or a door at the border; expected a wall")
    if not (plan == Cell.ENTRANCE).any():
        raise UsageError(f"{where}: no entrance; expected at least one E")
    open_ = np.isin(plan, (Cell.FLOOR, Cell.DOOR, Cell.ENTRANCE))
    regions, _ = scipy.ndimage.label(open_)
    reached = np.isin(regions, regions[plan == Cell.ENTRANCE])
    for row, col in np.argwhere(open_ & ~reached)[:1].tolist():
        raise UsageError(f"{where}: line {row + 1}, column {col + 1}: no way leads there from the entrance")


def _inside(plan: np.ndarray, row: int, col: int) -> bool:
    return 0 <= row < plan.shape[0] and 0 <= col < plan.shape[1]


def _kept(plan: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The cells that doors need: as deep as the door is wide where it opens into, and one cell on its other side.

    A door opens away from the hall, and the entrance into it.
    """
    kept = np.zeros(plan.shape, np.int8)
    for row, col in np.argwhere(np.isin(plan, (Cell.DOOR, Cell.ENTRANCE))).tolist():
        for down, right in SIDES:
            wide = _width(plan, row, col, right, down)
            opens = plan[row, col] == Cell.ENTRANCE or not (
                _inside(plan, row + down, col + right) and room[row + down, col + right] == Room.HALL
            )
            for k in range(1, (wide if opens else 1) + 1):
                r, c = row + k * down, col + k * right
                if not _inside(plan, r, c) or plan[r, c] != Cell.FLOOR:
                    break
                kept[r, c] = 1
    return kept


def _width(plan: np.ndarray, row: int, col: int, down: int, right: int) -> int:
    """Cells of the door at a place, along a direction and its opposite."""
    found = 1
    for sign in (1, -1):
        r, c = row + sign * down, col + sign * right
        while _inside(plan, r, c) and plan[r, c] == plan[row, col]:
            found, r, c = found + 1, r + sign * down, c + sign * right
    return found


def _near(plan: np.ndarray, room: np.ndarray, what: Cell, reach: int) -> np.ndarray:
    """Floor within ``reach`` centimetres of a window or a power point of its own room, from middle to middle."""
    found, far = np.zeros(plan.shape, np.int8), reach / CELL
    rows, cols = np.indices(plan.shape)
    for row, col in np.argwhere(plan == what).tolist():
        for down, right in SIDES:
            r, c = row + down, col + right
            if _inside(plan, r, c) and plan[r, c] == Cell.FLOOR:
                close = (rows - r) ** 2 + (cols - c) ** 2 < far**2
                found[close & (room == room[r, c]) & (plan == Cell.FLOOR)] = 1
    return found


def _nooks(plan: np.ndarray, room: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Floor beside a wall, in rooms that are furnished, that no door needs and where one need not pass."""
    free, found = np.isin(plan, (Cell.FLOOR, Cell.DOOR, Cell.ENTRANCE)), []
    for row, col in np.argwhere((plan == Cell.FLOOR) & (kept == 0) & (room < Room.HALL)).tolist():
        around = free[row - 1 : row + 2, col - 1 : col + 2]
        if 5 <= around.sum() < 9 and (plan[row - 1 : row + 2, col - 1 : col + 2] == Cell.WALL).any():
            found.append(row * plan.shape[1] + col)
    return np.array(found, np.int32)

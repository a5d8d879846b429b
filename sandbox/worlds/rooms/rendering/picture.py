"""The floor plan as a picture, in the manner of an architect's: walls, windows, doors, items with their names.

Layers from below: floor, walls and what is in them, names of rooms, items, the designer's pencil. An item is drawn in
its own frame: ``u`` runs along its front, ``v`` from its back (0) to its front (1).
"""

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.letters import EM, draw_text, text_width, type_size
from sandbox.engine.shapes import AGENTS, DIAMOND, DISC, WEDGE, draw_bar, draw_shape, fill_cell, palette
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.dynamics.geometry import extent
from sandbox.worlds.rooms.state import ITEMS, Cell, Item, Params, Room, State, Thing

FLOOR, WALL, WINDOW, DOOR, SOCKET, FIXTURE, PILLAR, KEPT, LOST = np.arange(9)  # rows of PALETTE
SOFT, WOOD, LAMP, PLANT, WRONG, DARK, WHITE, PENCIL, LINE = np.arange(9, 18)
HEX = (
    shapes.PAPER, shapes.WALL, "#9adbe8", "#a8683a", "#c8102e", "#b9bec4", "#7a5c99", "#eadfc4", "#cfcac0",
    "#cdb8dc", "#dcb98a", "#f7e08c", "#7fb069", shapes.ALARM, shapes.DARK, shapes.WHITE, AGENTS[0], shapes.GRID_LINE,
)  # fmt: skip
PALETTE = palette(*HEX)
_SHOWN = {
    "pencil of the designer": PENCIL, "wall": WALL, "window": WINDOW, "door": DOOR, "power point": SOCKET,
    "fixture": FIXTURE, "pillar": PILLAR, "kept free for a door": KEPT, "out of reach": LOST,
    "upholstered": SOFT, "of wood": WOOD, "lamp": LAMP, "plant": PLANT, "edge of what is of no use": WRONG,
}  # fmt: skip
LEGEND = tuple((what, HEX[ink]) for what, ink in _SHOWN.items())
_OF = {"bed": SOFT, "sofa": SOFT, "armchair": SOFT, "floor lamp": LAMP, "plant": PLANT}
INK = np.array([_OF.get(category, WOOD) for category in catalogue().categories])  # by category
BED, SOFA, TABLE, DESK, WARDROBE, BOOKCASE, ARMCHAIR, TELEVISION = (
    np.int64(catalogue().categories.index(name))
    for name in ("bed", "sofa", "dining table", "desk", "wardrobe", "bookcase", "armchair", "television")
)
LEAST = 8  # pixels of a cell from which details are drawn
INSET = 0.06  # of a cell, around an item
POINTS = np.array([WEDGE + 1, WEDGE + 2, WEDGE, WEDGE + 3])  # by turn


# -- the flat


@kernel
def _is_hidden(grid, row, col):
    """Whether a cell is in the middle of walls: outside."""
    for r in range(max(0, row - 1), min(grid.shape[0], row + 2)):
        for c in range(max(0, col - 1), min(grid.shape[1], col + 2)):
            if grid[r, c] != Cell.WALL and grid[r, c] != Cell.SOCKET:
                return False
    return True


@kernel
def _runs_across(grid, row, col):
    """Whether the wall that a cell is part of runs from west to east."""
    above = row > 0 and grid[row - 1, col] == Cell.FLOOR
    return above or (row + 1 < grid.shape[0] and grid[row + 1, col] == Cell.FLOOR)


@kernel
def _in_wall(image, grid, row, col, cell, ink, thick):
    """A band in the middle of a wall, along it."""
    y, x, half = (row + 0.5) * cell, (col + 0.5) * cell, 0.5 * thick * cell
    if _runs_across(grid, row, col):
        draw_bar(image, y - half, float(col * cell), y + half, float((col + 1) * cell), PALETTE[ink], 1.0)
    else:
        draw_bar(image, float(row * cell), x - half, float((row + 1) * cell), x + half, PALETTE[ink], 1.0)


@kernel
def _flat(s, lane, params, cell, image):
    """Floor and walls, windows, doors, power points, fixtures, pillars."""
    grid, reach, cover = s.grid[lane], s.reach[lane], s.cover[lane]
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            code, ink = grid[row, col], FLOOR
            y, x, top, left = (row + 0.5) * cell, (col + 0.5) * cell, row * cell, col * cell
            if code == Cell.WALL or code == Cell.SOCKET or code == Cell.WINDOW:
                ink = FLOOR if _is_hidden(grid, row, col) else WALL
            elif code == Cell.FIXTURE or code == Cell.PILLAR:
                ink = FIXTURE if code == Cell.FIXTURE else PILLAR
            elif reach[row, col] == 0 and cover[row, col] == 0:
                ink = LOST
            elif params.kept[row, col]:
                ink = KEPT
            fill_cell(image, top, left, cell, PALETTE[ink])
            if cell >= LEAST and ink == FLOOR and code == Cell.FLOOR:
                draw_bar(image, float(top), float(left), top + 1.0, float(left + cell), PALETTE[LINE], 1.0)
                draw_bar(image, float(top), float(left), float(top + cell), left + 1.0, PALETTE[LINE], 1.0)
            if code == Cell.WINDOW:
                _in_wall(image, grid, row, col, cell, WINDOW, 0.6)
            elif code == Cell.DOOR or code == Cell.ENTRANCE:
                _in_wall(image, grid, row, col, cell, DOOR, 0.25)
                if code == Cell.ENTRANCE:
                    draw_shape(image, DIAMOND, y, x, 0.3 * cell, 0.0, PALETTE[DOOR], 1.0)
            elif code == Cell.SOCKET:
                draw_shape(image, DISC, y, x, 0.32 * cell, 0.0, PALETTE[WHITE], 1.0)
                draw_shape(image, DISC, y, x, 0.24 * cell, 0.0, PALETTE[SOCKET], 1.0)


@kernel
def _write(image, params, text, y, x, wide, em, ink):
    """A text around a point, in letters that are small enough for its width; nothing if they would be illegible."""
    size = type_size(em)
    while size >= 0 and text_width(params.glyph, size, text, em) > wide:
        size -= 1
    if size >= 0:
        width = text_width(params.glyph, size, text, em)
        draw_text(image, params.glyph, size, text, y, max(0.0, x - 0.5 * width), image.shape[1], EM[size], PALETTE[ink])


# -- the items


@kernel
def _part(image, top, left, rows, cols, turn, u0, v0, u1, v1, ink):
    """A rectangle in the frame of an item, whose own rectangle is given in pixels."""
    y0, y1, x0, x1 = v0, v1, u0, u1
    if turn == 2:
        y0, y1 = 1.0 - v1, 1.0 - v0
    elif turn == 1:
        y0, y1, x0, x1 = u0, u1, 1.0 - v1, 1.0 - v0
    elif turn == 3:
        y0, y1, x0, x1 = u0, u1, v0, v1
    draw_bar(image, top + y0 * rows, left + x0 * cols, top + y1 * rows, left + x1 * cols, PALETTE[ink], 1.0)


@kernel
def _details(image, top, left, rows, cols, turn, category):
    """What makes an item known: pillows, backs, doors, shelves, a screen."""
    if category == BED:
        _part(image, top, left, rows, cols, turn, 0.08, 0.05, 0.46, 0.22, WHITE)
        _part(image, top, left, rows, cols, turn, 0.54, 0.05, 0.92, 0.22, WHITE)
        _part(image, top, left, rows, cols, turn, 0.0, 0.32, 1.0, 0.34, DARK)
    elif category in (SOFA, ARMCHAIR):
        arm = 0.1 if category == SOFA else 0.18
        _part(image, top, left, rows, cols, turn, 0.0, 0.0, 1.0, 0.25, WHITE)
        _part(image, top, left, rows, cols, turn, 0.0, 0.0, arm, 1.0, WHITE)
        _part(image, top, left, rows, cols, turn, 1.0 - arm, 0.0, 1.0, 1.0, WHITE)
    elif category == TABLE:
        for k in range(4):
            u, v = 0.12 if k < 2 else 0.68, 0.04 if k % 2 else 0.82
            _part(image, top, left, rows, cols, turn, u, v, u + 0.2, v + 0.14, WHITE)
    elif category == DESK:
        _part(image, top, left, rows, cols, turn, 0.35, 0.8, 0.65, 1.0, WHITE)
    elif category == WARDROBE:
        _part(image, top, left, rows, cols, turn, 0.49, 0.0, 0.51, 1.0, DARK)
        _part(image, top, left, rows, cols, turn, 0.0, 0.88, 1.0, 1.0, WHITE)
    elif category == BOOKCASE:
        for k in range(5):
            _part(image, top, left, rows, cols, turn, 0.1 + 0.17 * k, 0.1, 0.2 + 0.17 * k, 0.4, WHITE)
    elif category == TELEVISION:
        _part(image, top, left, rows, cols, turn, 0.1, 0.1, 0.9, 0.25, DARK)


@kernel
def _item(s, lane, params, k, cell, image):
    """An item with its front, its details and its name; red edges if it is of no use."""
    item = s.item[lane, k]
    thing, turn = np.int64(item[Item.THING]) - 1, np.int64(item[Item.TURN])
    category = np.int64(params.thing[thing, Thing.CATEGORY])
    high, wide = extent(params, thing, turn)
    top, left = (item[Item.ROW] + INSET) * cell, (item[Item.COL] + INSET) * cell
    rows, cols = (high - 2 * INSET) * cell, (wide - 2 * INSET) * cell
    y, x, ink, edge = top + 0.5 * rows, left + 0.5 * cols, INK[category], max(1.0, 0.05 * cell)
    if ink in (PLANT, LAMP):
        draw_shape(image, DISC, y, x, 0.5 * rows, 0.0, PALETTE[DARK], 1.0)
        draw_shape(image, DISC, y, x, 0.5 * rows - edge, 0.0, PALETTE[ink], 1.0)
    else:
        draw_bar(image, top, left, top + rows, left + cols, PALETTE[DARK], 1.0)
        draw_bar(image, top + edge, left + edge, top + rows - edge, left + cols - edge, PALETTE[ink], 1.0)
        if cell >= LEAST:
            _details(
                image, top + edge, left + edge, rows - 2 * edge, cols - 2 * edge, turn, category
            )  # fmt: skip
    if s.flaw[lane, k]:
        thick = max(2.0, 0.14 * cell)
        for quarter in range(4):
            y0 = top if quarter != 1 else top + rows - thick
            y1 = top + rows if quarter != 0 else top + thick
            x0 = left if quarter != 3 else left + cols - thick
            x1 = left + cols if quarter != 2 else left + thick
            draw_bar(image, y0, x0, y1, x1, PALETTE[WRONG], 1.0)
    small = 0.38 if ink in (PLANT, LAMP) else 0.5
    _write(image, params, params.sign[category], y, x, max(cols - 0.1 * cell, 1.5 * cell), small * cell, DARK)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8: the plan as it is."""
    cell = image.shape[0] // params.plan.shape[0]
    image[:] = np.uint8(248)
    _flat(s, lane, params, cell, image)
    for room in range(len(params.label)):
        if params.label[room, 0] >= 0:
            y, x = params.label[room, 0] * cell, params.label[room, 1] * cell
            _write(image, params, params.sign[params.categories + room], y, x, 8.0 * cell, 0.6 * cell, FIXTURE)
    for k in range(ITEMS):
        if s.item[lane, k, Item.THING] > 0:
            _item(s, lane, params, k, cell, image)
    row, col, turn = s.pos[lane, 0, 0], s.pos[lane, 0, 1], np.int64(s.turn[lane])
    if row >= 0:
        y, x = (row + 0.5) * cell, (col + 0.5) * cell
        draw_shape(image, DISC, y, x, 0.4 * cell, max(1.0, 0.1 * cell), PALETTE[PENCIL], 1.0)
        draw_shape(image, POINTS[turn], y, x, 0.28 * cell, 0.0, PALETTE[PENCIL], 1.0)


def shown(s: State, lane: int, params: Params) -> set[str]:
    """The things of the legend that are in the picture of this state."""
    codes, planned = s.grid[lane], s.item[lane, :, Item.THING]
    inks = {int(INK[params.thing[thing - 1, Thing.CATEGORY]]) for thing in planned[planned > 0].tolist()}
    open_ = np.isin(codes, (Cell.FLOOR, Cell.DOOR, Cell.ENTRANCE)) & (s.cover[lane] == 0)
    there = {
        PENCIL: True, WALL: True, DOOR: True, WINDOW: (codes == Cell.WINDOW).any(),
        SOCKET: (codes == Cell.SOCKET).any(), FIXTURE: True, PILLAR: (codes == Cell.PILLAR).any(),
        KEPT: bool(params.kept.any()), LOST: (open_ & (s.reach[lane] == 0)).any(), WRONG: (s.flaw[lane] != 0).any(),
    } | {ink: int(ink) in inks for ink in (SOFT, WOOD, LAMP, PLANT)}  # fmt: skip
    return {what for what, ink in _SHOWN.items() if there[ink]}


def labels(room: np.ndarray) -> np.ndarray:
    """(5, 2) float64: row and column in cells of the name of each kind of room; -1: the flat has none."""
    found = np.full((len(Room) - 1, 2), -1.0)
    for kind in range(1, len(Room)):
        cells = np.argwhere(room == kind)
        if len(cells):
            found[kind - 1] = cells.mean(axis=0) + 0.5
    return found

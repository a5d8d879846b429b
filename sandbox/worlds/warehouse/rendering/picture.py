"""The warehouse as a picture, in the shapes that all worlds share.

Layers from below: plan, shelves or parcels, trails, robots without and then with a load. Lengths are in pixels unless
they are named as shares of a cell. Below 5 pixels a cell a robot is a spot, larger than its cell if robots are few.
"""

from math import pi, sqrt

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.shapes import (
    AGENTS,
    AHEAD_COL,
    AHEAD_ROW,
    ALARM,
    BOX,
    DETAIL,
    DIAMOND,
    DISC,
    WEDGE,
    between,
    draw_hatch,
    draw_shape,
    draw_trails,
    fill_cell,
    palette,
)  # fmt: skip
from sandbox.worlds.warehouse.state import Cell

# Rows of PALETTE. NumPy integers: Numba compiles a call anew for each literal integer.
FLOOR, LINE, SLOT, GOAL, GOAL_EDGE, WALL, CLOSED, HATCH = np.arange(8)
SHELF, SHELF_EDGE, REQUESTED, REQUESTED_EDGE, WHITE, DARK = np.arange(8, 14)
HEX = (
    shapes.PAPER, shapes.GRID_LINE, "#ebe8df", "#c9ebdf", "#0b5d52", shapes.WALL, "#dfe1e4", "#8d939b",
    "#c3b496", "#a79878", ALARM, "#8c3d00", shapes.WHITE, shapes.DARK,
)  # fmt: skip
PALETTE, ROBOTS = palette(*HEX), palette(*AGENTS)
BRIGHT = ROBOTS @ np.array([0.299, 0.587, 0.114]) > 145  # (8,) bool: dark marks are visible on it
GROUND = np.array([FLOOR, SLOT, GOAL, WALL, CLOSED], np.int64)  # by Cell
_SHOWN = {
    "shelf": SHELF, "requested": REQUESTED, "goal": GOAL_EDGE, "storage place": SLOT, "closed": HATCH, "wall": WALL,
}  # fmt: skip
LEGEND = (("robot", AGENTS[0]), *((what, HEX[ink]) for what, ink in _SHOWN.items()))
SPOT = 3.0  # radius of a robot, if robots are few and cells are small
CROWD = 0.02  # share of the picture that such spots may cover


@kernel
def _plan(grid, cell, image):
    """Fill the cells with the tone of their kind, and mark goals and closed aisles."""
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            kind, top, left = grid[row, col], row * cell, col * cell
            fill_cell(image, top, left, cell, PALETTE[GROUND[kind]])
            if cell > DETAIL and kind != Cell.WALL:  # lines along the upper and left edges
                for k in range(cell):
                    for c in range(3):
                        image[top, left + k, c] = np.uint8(PALETTE[LINE, c])
                        image[top + k, left, c] = np.uint8(PALETTE[LINE, c])
            if kind == Cell.GOAL and cell >= DETAIL:
                stroke, edge = max(1.0, 0.06 * cell), PALETTE[GOAL_EDGE]
                draw_shape(image, BOX, top + 0.5 * cell, left + 0.5 * cell, 0.42 * cell, stroke, edge, 1.0)
            elif kind == Cell.BLOCKED and cell > DETAIL:
                draw_hatch(image, top, left, cell, PALETTE[HATCH])


@kernel
def _shelf(image, y, x, half, cell, requested, alpha):
    """A shelf, ``half`` a side to its border; a requested one has a white frame and diamond."""
    edge = max(1.0, 0.035 * cell) if cell >= 2 * DETAIL else 0.0
    if edge:  # below that size the filling would cover it
        draw_shape(image, BOX, y, x, half, 0.0, PALETTE[REQUESTED_EDGE if requested else SHELF_EDGE], alpha)
    draw_shape(image, BOX, y, x, half - edge, 0.0, PALETTE[REQUESTED if requested else SHELF], alpha)
    if requested and cell >= 2 * DETAIL:
        draw_shape(image, BOX, y, x, half - 2.4 * edge, max(1.0, 0.03 * cell), PALETTE[WHITE], alpha)
        draw_shape(image, DIAMOND, y, x, 0.4 * half, 0.0, PALETTE[WHITE], alpha)


@kernel
def _parcel(image, y, x, size):
    if size >= 3:
        draw_shape(image, DIAMOND, y, x, size + max(1.0, 0.15 * size), 0.0, PALETTE[WHITE], 1.0)
    draw_shape(image, DIAMOND if size > 1 else BOX, y, x, size, 0.0, PALETTE[REQUESTED], 1.0)


@kernel
def _standing(row, col, shelf_at, agent_at, carrying):
    """Id of the shelf or parcel on the floor of a cell; 0: none, or the robot there carries it."""
    shelf, agent = shelf_at[row, col], agent_at[row, col]
    return 0 if shelf and agent and carrying[agent - 1] == shelf else shelf


@kernel
def _loads(shelf_at, agent_at, carrying, requested, courier, cell, spot, image):
    """Shelves or parcels on the floor."""
    for row in range(shelf_at.shape[0]):
        for col in range(shelf_at.shape[1]):
            load = _standing(row, col, shelf_at, agent_at, carrying)
            y, x = (row + 0.5) * cell, (col + 0.5) * cell
            if load and courier:
                _parcel(image, y, x, max(0.32 * cell, 0.8 * spot) if spot >= 1 else 0.5 * cell)
            elif load:
                half = 0.38 * cell if cell >= DETAIL else 0.5 * cell
                _shelf(image, y, x, half, cell, requested[load - 1], 1.0)


@kernel
def _drops(pos, carrying, drop, cell, image):
    """Courier: a ring in the robot's hue at the destination of its parcel."""
    for agent in range(len(pos)):
        load = carrying[agent]
        if load and pos[agent, 0] >= 0:
            y, x = (drop[load - 1, 0] + 0.5) * cell, (drop[load - 1, 1] + 0.5) * cell
            draw_shape(image, DISC, y, x, 0.3 * cell, max(1.0, 0.09 * cell), ROBOTS[agent % 8], 1.0)


@kernel
def _robot(image, y, x, hue, facing, parcel, radius, cell):
    """A disc with a wedge that points ahead; the parcel that it carries is behind the wedge."""
    draw_shape(image, DISC, y, x, radius, 0.0, PALETTE[DARK], 1.0)
    draw_shape(image, DISC, y, x, radius - min(0.2 * radius, max(0.7, 0.03 * cell)), 0.0, ROBOTS[hue], 1.0)
    back = 0.3 * radius if radius > SPOT else 0.0
    if radius > SPOT:
        draw_shape(image, WEDGE + facing, y, x, 0.84 * radius, 0.0, PALETTE[DARK if BRIGHT[hue] else WHITE], 1.0)
    if parcel:
        _parcel(image, y - back * AHEAD_ROW[facing], x - back * AHEAD_COL[facing], 0.5 * radius)


@kernel
def _robots(s, lane, courier, trail, blend, cell, spot, image):
    """All robots: first those without a load, then those with one. A shelf is translucent over a robot below it."""
    pos, carrying, requested, agents = s.pos[lane], s.carrying[lane], s.requested[lane], s.pos.shape[1]
    for k in range(2 * agents):
        agent, loaded = k % agents, k >= agents
        load, hue = carrying[agent], agent % 8
        if pos[agent, 0] < 0 or (load > 0) != loaded:
            continue
        row, col = between(pos, agent, trail, blend)
        y, x = (row + 0.5) * cell, (col + 0.5) * cell
        if cell < DETAIL and spot < SPOT - 0.5:
            draw_shape(image, DISC if spot > 0.5 * cell else BOX, y, x, max(spot, 0.5 * cell), 0.0, ROBOTS[hue], 1.0)
            continue
        on_shelf = loaded and not courier and cell >= DETAIL
        if on_shelf:
            _shelf(image, y, x, 0.46 * cell, cell, requested[load - 1], 1.0)
        radius = max(0.27 * cell if on_shelf else 0.35 * cell, spot if cell < DETAIL else 0.0)
        _robot(image, y, x, hue, s.facing[lane, agent], loaded and courier, radius, cell)
        for end in range(2 if not loaded and not courier and cell >= DETAIL else 0):
            at_row, at_col = int(row + 0.999 * end), int(col + 0.999 * end)
            load = _standing(at_row, at_col, s.shelf_at[lane], s.agent_at[lane], carrying)
            if load and (end == 0 or at_row > row or at_col > col):
                _shelf(image, (at_row + 0.5) * cell, (at_col + 0.5) * cell, 0.38 * cell, cell, requested[load - 1], 0.3)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    cell, pos, carrying = image.shape[0] // s.grid.shape[1], s.pos[lane], s.carrying[lane]
    spot = min(SPOT, sqrt(CROWD * image.shape[0] * image.shape[1] / (pi * len(pos))))
    _plan(s.grid[lane], cell, image)
    _loads(s.shelf_at[lane], s.agent_at[lane], carrying, s.requested[lane], params.courier, cell, spot, image)
    if params.courier and cell >= DETAIL:
        _drops(pos, carrying, s.drop[lane], cell, image)
    draw_trails(pos, trail, blend, cell, ROBOTS, image)
    _robots(s, lane, params.courier, trail, blend, cell, spot, image)

"""The kitchen as a picture, seen from above, in the shapes that all worlds share.

Layers from below: floor and worktops, stations, things on counters, pots with their contents and a progress bar,
trails, cooks with what they hold in front of them. Lengths are in pixels or shares of a cell.
"""

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.kernel import kernel
from sandbox.engine.shapes import (
    AGENTS,
    AHEAD_COL,
    AHEAD_ROW,
    BOX,
    DETAIL,
    DIAMOND,
    DISC,
    WEDGE,
    between,
    draw_bar,
    draw_shape,
    draw_trails,
    fill_cell,
    palette,
)  # fmt: skip
from sandbox.worlds.kitchen.dynamics.kernels import is_ready
from sandbox.worlds.kitchen.state import Cell, Pot, Thing

# Rows of PALETTE. NumPy integers: Numba compiles a call anew for each literal integer.
FLOOR, LINE, TOP, EDGE, STATION, SERVE, SERVE_EDGE, STOVE = np.arange(8)
ONION, ONION_EDGE, TOMATO, LEAF, DISH, DISH_EDGE, READY, WHITE, DARK = np.arange(8, 17)
HEX = (
    shapes.PAPER, shapes.GRID_LINE, "#cdbb98", "#bfab84", "#e2d6bd", "#c9ebdf", "#0b5d52", "#3a4149",
    "#eec643", "#c79d1e", "#d0402b", "#3f7d35", "#ffffff", "#9aa1a9", "#35c28b", shapes.WHITE, shapes.DARK,
)  # fmt: skip
PALETTE, COOKS = palette(*HEX), palette(*AGENTS)
BRIGHT = COOKS @ np.array([0.299, 0.587, 0.114]) > 145  # (8,) bool: dark marks are visible on it
POINTS = np.array([WEDGE, WEDGE + 1, WEDGE + 3, WEDGE + 2], np.int64)  # by our facing: north, south, east, west
TURN = np.array([0, 1, 3, 2], np.int64)  # our facing as an index of AHEAD_ROW and AHEAD_COL
_SHOWN = {
    "onions": ONION, "tomatoes": TOMATO, "dishes": DISH_EDGE, "ready soup": READY, "pot": STOVE, "serving": SERVE_EDGE,
    "counter": TOP,
}  # fmt: skip
LEGEND = (("cook", AGENTS[0]), *((what, HEX[ink]) for what, ink in _SHOWN.items()))


@kernel
def _onion(image, y, x, size):
    draw_shape(image, DISC, y, x, size, 0.0, PALETTE[ONION_EDGE], 1.0)
    draw_shape(image, DISC, y, x, 0.84 * size, 0.0, PALETTE[ONION], 1.0)
    if size > 3:  # its tip, and a skin
        draw_shape(image, WEDGE, y - 0.75 * size, x, 0.5 * size, 0.0, PALETTE[ONION_EDGE], 1.0)
        draw_shape(image, DISC, y + 0.12 * size, x, 0.45 * size, max(1.0, 0.1 * size), PALETTE[ONION_EDGE], 0.5)


@kernel
def _tomato(image, y, x, size):
    draw_shape(image, DISC, y, x, size, 0.0, PALETTE[TOMATO], 1.0)
    draw_shape(image, DIAMOND, y - 0.15 * size, x, 0.5 * size, 0.0, PALETTE[LEAF], 1.0)


@kernel
def _dish(image, y, x, size):
    draw_shape(image, DISC, y, x, size, 0.0, PALETTE[DISH_EDGE], 1.0)
    draw_shape(image, DISC, y, x, 0.88 * size, 0.0, PALETTE[DISH], 1.0)
    draw_shape(image, DISC, y, x, 0.62 * size, max(1.0, 0.08 * size), PALETTE[DISH_EDGE], 0.7)


@kernel
def _contents(image, y, x, size, onions, tomatoes):
    """Up to three ingredients in a ring of half-width ``size``."""
    count = onions + tomatoes
    for k in range(count):
        dy, dx = (0.0, 0.0) if count == 1 else (0.5 * (k == 0) - 0.25, 0.0)
        if count == 2:
            dy, dx = 0.0, 0.5 * k - 0.25
        elif count == 3:
            dy, dx = (-0.28, 0.0) if k == 0 else (0.2, 0.6 * k - 0.9)
        part = size * (0.42 if count > 1 else 0.55)
        if k < onions:
            _onion(image, y + dy * size * 1.5, x + dx * size * 1.5, part)
        else:
            _tomato(image, y + dy * size * 1.5, x + dx * size * 1.5, part)


@kernel
def _thing(image, y, x, thing, size):
    """A thing in hand or on a counter, of half-width ``size``."""
    if thing == Thing.ONION:
        _onion(image, y, x, 0.8 * size)
    elif thing == Thing.TOMATO:
        _tomato(image, y, x, 0.8 * size)
    elif thing >= Thing.DISH:
        _dish(image, y, x, size)
        if thing >= Thing.SOUP:
            _contents(image, y, x, 0.62 * size, (thing - Thing.SOUP) & 3, (thing - Thing.SOUP) >> 2)


@kernel
def _plan(plan, cell, image):
    """Floor, worktops and stations."""
    for row in range(plan.shape[0]):
        for col in range(plan.shape[1]):
            kind, top, left = plan[row, col], row * cell, col * cell
            y, x, c = top + 0.5 * cell, left + 0.5 * cell, float(cell)
            fill_cell(image, top, left, cell, PALETTE[FLOOR if kind == Cell.FLOOR else TOP])
            if cell > DETAIL:
                for k in range(cell):
                    for channel in range(3):
                        ink = PALETTE[LINE if kind == Cell.FLOOR else EDGE, channel]
                        image[top, left + k, channel] = np.uint8(ink)
                        image[top + k, left, channel] = np.uint8(ink)
            if kind == Cell.SERVING:
                draw_shape(image, BOX, y, x, 0.42 * c, 0.0, PALETTE[SERVE], 1.0)
                draw_shape(image, BOX, y, x, 0.42 * c, max(1.0, 0.06 * c), PALETTE[SERVE_EDGE], 1.0)
                draw_shape(image, DISC, y, x, 0.22 * c, max(1.0, 0.05 * c), PALETTE[SERVE_EDGE], 1.0)
            elif kind == Cell.POT:
                draw_shape(image, BOX, y, x, 0.46 * c, 0.0, PALETTE[STOVE], 1.0)
            elif kind > Cell.POT:
                draw_shape(image, BOX, y, x, 0.42 * c, 0.0, PALETTE[STATION], 1.0)
                for k in range(3):
                    dy, dx = (-0.14, 0.0) if k == 0 else (0.13, 0.3 * k - 0.45)
                    if kind == Cell.ONIONS:
                        _onion(image, y + dy * c, x + dx * c, 0.17 * c)
                    elif kind == Cell.TOMATOES:
                        _tomato(image, y + dy * c, x + dx * c, 0.17 * c)
                    else:
                        _dish(image, y + (0.1 - 0.1 * k) * c, x, 0.26 * c)


@kernel
def _pot(image, y, x, cell, pot, params):
    """A pot with its contents; a bar grows while it cooks, and a ring shows that the soup is ready."""
    onions, tomatoes, c = pot[Pot.ONIONS], pot[Pot.TOMATOES], float(cell)
    draw_shape(image, DISC, y, x, 0.38 * c, 0.0, PALETTE[DISH_EDGE], 1.0)
    draw_shape(image, DISC, y, x, 0.32 * c, 0.0, PALETTE[DARK], 1.0)
    _contents(image, y, x, 0.27 * c, onions, tomatoes)
    if is_ready(pot, params):
        draw_shape(image, DISC, y, x, 0.36 * c, max(1.0, 0.08 * c), PALETTE[READY], 1.0)
    elif pot[Pot.TICKS] >= 0 and cell > DETAIL:
        share = min(1.0, pot[Pot.TICKS] / max(1, params.cook_time[onions + 4 * tomatoes] + pot[Pot.EXTRA]))
        high, low, left, wide = y + 0.32 * c, y + 0.43 * c, x - 0.4 * c, 0.8 * c
        draw_bar(image, high, left, low, left + wide, PALETTE[WHITE], 1.0)
        draw_bar(image, high, left, low, left + wide * share, PALETTE[READY], 1.0)


@kernel
def _cook(image, y, x, hue, facing, holding, cell):
    """A disc with a wedge that points ahead; what he holds is drawn over the wedge."""
    radius, ahead = 0.36 * cell, 0.26 * cell
    draw_shape(image, DISC, y, x, radius, 0.0, PALETTE[DARK], 1.0)
    draw_shape(image, DISC, y, x, radius - min(0.2 * radius, max(0.7, 0.03 * cell)), 0.0, COOKS[hue], 1.0)
    if cell < 2 * DETAIL:
        return
    row, col = AHEAD_ROW[TURN[facing]], AHEAD_COL[TURN[facing]]
    ink = PALETTE[DARK if BRIGHT[hue] else WHITE]
    if holding:
        draw_shape(image, POINTS[facing], y - 0.12 * cell * row, x - 0.12 * cell * col, 0.22 * cell, 0.0, ink, 1.0)
        _thing(image, y + ahead * row, x + ahead * col, holding, 0.24 * cell)
    else:
        draw_shape(image, POINTS[facing], y, x, 0.84 * radius, 0.0, ink, 1.0)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    width, cell, pos = params.plan.shape[1], image.shape[0] // params.plan.shape[0], s.pos[lane]
    _plan(params.plan, cell, image)
    for counter in params.counters:
        row, col = counter // width, counter % width
        _thing(image, (row + 0.5) * cell, (col + 0.5) * cell, s.items[lane, row, col], 0.3 * cell)
    for number in range(len(params.pot_cell)):
        row, col = params.pot_cell[number] // width, params.pot_cell[number] % width
        _pot(image, (row + 0.5) * cell, (col + 0.5) * cell, cell, s.pots[lane, number], params)
    draw_trails(pos, trail, blend, cell, COOKS, image)
    for agent in range(len(pos)):
        if pos[agent, 0] >= 0:
            row, col = between(pos, agent, trail, blend)
            y, x = (row + 0.5) * cell, (col + 0.5) * cell
            _cook(image, y, x, agent % 8, s.facing[lane, agent], s.holding[lane, agent], cell)

"""The warehouse as a picture: shapes are signed distances, blended at their borders, so that edges are smooth.

Layers from below: plan, shelves or parcels, trails, robots without and then with a load. Lengths are in pixels unless
they are named as shares of a cell. Below 5 pixels a cell a robot is a spot, larger than its cell where robots are few.
Colours follow Okabe and Ito 2008, "Color universal design"; what is requested differs in shape too.
"""

from math import pi, sqrt

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import Cell

# Rows of PALETTE; robot i has ROBOT + i % 8. Not Python's own integers: for each of those Numba compiles a call anew.
FLOOR, LINE, SLOT, GOAL, GOAL_EDGE, WALL, CLOSED, HATCH = np.arange(8)
SHELF, SHELF_EDGE, REQUESTED, REQUESTED_EDGE, WHITE, DARK, ROBOT = np.arange(8, 15)
BOX, DISC, DIAMOND, WEDGE = np.arange(4)  # shapes; WEDGE + Facing
ROBOTS = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#f0e442", "#e69f00", "#4b3f9e", "#5b6470")
HEX = (
    "#f8f7f3", "#e9e7e0", "#ebe8df", "#c9ebdf", "#009e73", "#3a4149", "#dfe1e4", "#8d939b",
    "#c3b496", "#94866a", "#d55e00", "#8c3d00", "#ffffff", "#22272d", *ROBOTS,
)  # fmt: skip
PALETTE = np.array([[int(code[k : k + 2], 16) for k in (1, 3, 5)] for code in HEX], np.float64)  # (inks, 3) RGB 0..255
BRIGHT = PALETTE @ np.array([0.299, 0.587, 0.114]) > 145  # (inks,) bool: dark marks are seen on it
GROUND = np.array([FLOOR, SLOT, GOAL, WALL, CLOSED], np.int64)  # by Cell
_SHOWN = {"robot": ROBOT, "shelf": SHELF, "requested": REQUESTED, "goal": GOAL_EDGE, "closed": HATCH, "wall": WALL}
LEGEND = tuple((what, HEX[ink]) for what, ink in _SHOWN.items())
AHEAD_ROW = np.array([-1.0, 1.0, 0.0, 0.0])  # by Facing
AHEAD_COL = np.array([0.0, 0.0, -1.0, 1.0])
DETAIL = 5  # pixels a cell from which shapes are told apart
SPOT = 3.0  # radius of a robot where robots are few and cells are small
CROWD = 0.02  # share of the picture that such spots may cover


def canvas(rules, size: int) -> tuple[int, int]:
    """Height and width in pixels: a whole number of pixels a cell, the longest side at most ``size`` if that can be."""
    rows, cols = rules.plan.shape
    cell = max(1, size // max(rows, cols))
    return rows * cell, cols * cell


@kernel
def _blend(image, y, x, ink, alpha):
    for c in range(3):
        old = image[y, x, c]
        image[y, x, c] = np.uint8(old + (PALETTE[ink, c] - old) * alpha + 0.5)


@kernel
def _distance(shape, dy, dx, size):
    """Pixels from a shape's border to the point (dy, dx) off its centre; negative inside."""
    if shape == BOX:
        corner = 0.28 * size
        qy, qx = abs(dy) - size + corner, abs(dx) - size + corner
        if qy <= 0 or qx <= 0:
            return max(qy, qx) - corner
        return sqrt(qy * qy + qx * qx) - corner
    if shape == DISC:
        return sqrt(dy * dy + dx * dx) - size
    if shape == DIAMOND:
        return (abs(dy) + abs(dx) - size) * 0.7071
    row, col = AHEAD_ROW[shape - WEDGE], AHEAD_COL[shape - WEDGE]
    along, across = dy * row + dx * col, abs(dy * col + dx * row)
    return max(0.1 * size - along, (along - size) * 0.64 + across * 0.77)


@kernel
def _draw(image, shape, y, x, size, stroke, ink, alpha):
    """A shape around (y, x): filled, or its border ``stroke`` pixels wide."""
    reach = size + 0.5 * stroke + 1.0
    for py in range(max(0, int(y - reach)), min(image.shape[0], int(y + reach) + 1)):
        for px in range(max(0, int(x - reach)), min(image.shape[1], int(x + reach) + 1)):
            distance = _distance(shape, py + 0.5 - y, px + 0.5 - x, size)
            if stroke > 0:
                distance = abs(distance) - 0.5 * stroke
            if distance < 0.5:
                _blend(image, py, px, ink, alpha * min(1.0, 0.5 - distance))


@kernel
def _bar(image, y0, x0, y1, x1, ink, alpha):
    """An upright rectangle, blended by the share of each pixel that it covers."""
    for py in range(max(0, int(y0)), min(image.shape[0], int(y1) + 1)):
        tall = min(y1, py + 1.0) - max(y0, py)
        for px in range(max(0, int(x0)), min(image.shape[1], int(x1) + 1)):
            wide = min(x1, px + 1.0) - max(x0, px)
            if tall > 0 and wide > 0:
                _blend(image, py, px, ink, alpha * tall * wide)


@kernel
def _hatch(image, top, left, cell):
    """Diagonal stripes that go on from cell to cell."""
    period = max(4.0, cell / 5.0)
    for y in range(top, top + cell):
        for x in range(left, left + cell):
            off = abs((y + x) % period - 0.5 * period) * 0.7071
            alpha = min(1.0, 0.5 + 0.17 * period - off)
            if alpha > 0:
                _blend(image, y, x, HATCH, alpha)


@kernel
def _plan(grid, cell, image):
    """Fill the cells with the tone of their kind, and mark goals and closed aisles."""
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            kind, top, left = grid[row, col], row * cell, col * cell
            lined = cell > DETAIL and kind != Cell.WALL
            for y in range(top, top + cell):
                for x in range(left, left + cell):
                    ink = LINE if lined and (y == top or x == left) else GROUND[kind]
                    for c in range(3):
                        image[y, x, c] = np.uint8(PALETTE[ink, c])
            if kind == Cell.GOAL and cell >= DETAIL:
                stroke = max(1.0, 0.06 * cell)
                _draw(image, BOX, top + 0.5 * cell, left + 0.5 * cell, 0.42 * cell, stroke, GOAL_EDGE, 1.0)
            elif kind == Cell.BLOCKED and cell > DETAIL:
                _hatch(image, top, left, cell)


@kernel
def _shelf(image, y, x, half, cell, requested, alpha):
    """A shelf, ``half`` a side to its border; a requested one has a white frame and diamond."""
    edge = max(1.0, 0.035 * cell) if cell >= 2 * DETAIL else 0.0
    _draw(image, BOX, y, x, half, 0.0, REQUESTED_EDGE if requested else SHELF_EDGE, alpha)
    _draw(image, BOX, y, x, half - edge, 0.0, REQUESTED if requested else SHELF, alpha)
    if requested and cell >= 2 * DETAIL:
        _draw(image, BOX, y, x, half - 2.4 * edge, max(1.0, 0.03 * cell), WHITE, alpha)
        _draw(image, DIAMOND, y, x, 0.4 * half, 0.0, WHITE, alpha)


@kernel
def _parcel(image, y, x, size):
    if size >= 3:
        _draw(image, DIAMOND, y, x, size + max(1.0, 0.15 * size), 0.0, WHITE, 1.0)
    _draw(image, DIAMOND if size > 1 else BOX, y, x, size, 0.0, REQUESTED, 1.0)


@kernel
def _standing(row, col, shelf_at, agent_at, carrying):
    """Id of the shelf or parcel that stands there and is not carried by who is in the cell; 0 if none."""
    shelf, agent = shelf_at[row, col], agent_at[row, col]
    return 0 if shelf and agent and carrying[agent - 1] == shelf else shelf


@kernel
def _loads(shelf_at, agent_at, carrying, requested, courier, cell, spot, image):
    """Shelves or parcels that stand on the floor."""
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
    """Courier: a ring in the robot's hue where it takes its parcel."""
    for agent in range(len(pos)):
        load = carrying[agent]
        if load and pos[agent, 0] >= 0:
            y, x = (drop[load - 1, 0] + 0.5) * cell, (drop[load - 1, 1] + 0.5) * cell
            _draw(image, DISC, y, x, 0.3 * cell, max(1.0, 0.09 * cell), ROBOT + agent % 8, 1.0)


@kernel
def _between(pos, agent, trail, blend):
    """Row and column, as fractions, between the last place and the present one; a jump is not a move."""
    row, col = pos[agent, 0], pos[agent, 1]
    if trail.shape[1]:
        old_row, old_col = trail[agent, -1, 0], trail[agent, -1, 1]
        if old_row >= 0 and abs(row - old_row) + abs(col - old_col) == 1:
            return row + (old_row - row) * (1.0 - blend), col + (old_col - col) * (1.0 - blend)
    return float(row), float(col)


@kernel
def _trails(pos, trail, blend, cell, image):
    """The way of each robot through the centres of its last cells, fading with age."""
    half, ticks = max(0.5, 0.06 * cell), trail.shape[1]
    for agent in range(len(pos) if ticks else 0):
        to_row, to_col = _between(pos, agent, trail, blend)
        for k in range(ticks - 1, -1, -1):
            row, col = float(trail[agent, k, 0]), float(trail[agent, k, 1])
            dy, dx = to_row - row, to_col - col
            if row >= 0 and to_row >= 0 and 0 < abs(dy) + abs(dx) <= 1:
                # from half a width past the old centre to half a width past the new one: corners are painted once
                y0 = (min(row, to_row) + 0.5) * cell + (half if dy > 0 else -half)
                y1 = (max(row, to_row) + 0.5) * cell + (-half if dy < 0 else half)
                x0 = (min(col, to_col) + 0.5) * cell + (half if dx > 0 else -half)
                x1 = (max(col, to_col) + 0.5) * cell + (-half if dx < 0 else half)
                _bar(image, y0, x0, y1, x1, ROBOT + agent % 8, 0.75 * min(1.0, (k + 1.5 - blend) / ticks))
            to_row, to_col = row, col


@kernel
def _robot(image, y, x, ink, facing, parcel, radius, cell):
    """A disc with a wedge that points ahead, and behind the wedge the parcel that it carries."""
    _draw(image, DISC, y, x, radius, 0.0, DARK, 1.0)
    _draw(image, DISC, y, x, radius - min(0.2 * radius, max(0.7, 0.03 * cell)), 0.0, ink, 1.0)
    back = 0.3 * radius if radius > SPOT else 0.0
    if radius > SPOT:
        _draw(image, WEDGE + facing, y, x, 0.84 * radius, 0.0, DARK if BRIGHT[ink] else WHITE, 1.0)
    if parcel:
        _parcel(image, y - back * AHEAD_ROW[facing], x - back * AHEAD_COL[facing], 0.5 * radius)


@kernel
def _robots(s, lane, courier, trail, blend, cell, spot, image):
    """All robots: first those without, then those with a load; shelves are veils over robots that pass below."""
    pos, carrying, requested, agents = s.pos[lane], s.carrying[lane], s.requested[lane], s.pos.shape[1]
    for k in range(2 * agents):
        agent, loaded = k % agents, k >= agents
        load, ink = carrying[agent], ROBOT + agent % 8
        if pos[agent, 0] < 0 or (load > 0) != loaded:
            continue
        row, col = _between(pos, agent, trail, blend)
        y, x = (row + 0.5) * cell, (col + 0.5) * cell
        if cell < DETAIL and spot < SPOT - 0.5:
            _draw(image, DISC if spot > 0.5 * cell else BOX, y, x, max(spot, 0.5 * cell), 0.0, ink, 1.0)
            continue
        on_shelf = loaded and not courier and cell >= DETAIL
        if on_shelf:
            _shelf(image, y, x, 0.46 * cell, cell, requested[load - 1], 1.0)
        radius = max(0.27 * cell if on_shelf else 0.35 * cell, spot if cell < DETAIL else 0.0)
        _robot(image, y, x, ink, s.facing[lane, agent], loaded and courier, radius, cell)
        for end in range(2 if not loaded and not courier and cell >= DETAIL else 0):
            at_row, at_col = int(row + 0.999 * end), int(col + 0.999 * end)
            load = _standing(at_row, at_col, s.shelf_at[lane], s.agent_at[lane], carrying)
            if load and (end == 0 or at_row > row or at_col > col):
                _shelf(image, (at_row + 0.5) * cell, (at_col + 0.5) * cell, 0.38 * cell, cell, requested[load - 1], 0.3)


@kernel
def paint(s, lane, rules, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    cell, pos, carrying = image.shape[0] // s.grid.shape[1], s.pos[lane], s.carrying[lane]
    spot = min(SPOT, sqrt(CROWD * image.shape[0] * image.shape[1] / (pi * len(pos))))
    _plan(s.grid[lane], cell, image)
    _loads(s.shelf_at[lane], s.agent_at[lane], carrying, s.requested[lane], rules.courier, cell, spot, image)
    if rules.courier and cell >= DETAIL:
        _drops(pos, carrying, s.drop[lane], cell, image)
    _trails(pos, trail, blend, cell, image)
    _robots(s, lane, rules.courier, trail, blend, cell, spot, image)

"""Shapes for the pictures of all worlds: signed distances, blended at their borders.

Lengths are in pixels, (y, x) is a point with y downwards, an ``image`` is (H, W, 3) uint8, a ``colour`` is a row (3,)
float64 of a :func:`palette`. Hues follow Okabe and Ito 2008, "Color universal design"; important things should
differ in shape too.
"""

from math import ceil, sqrt

import numpy as np

from sandbox.engine.kernel import kernel

AGENTS = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#f0e442", "#e69f00", "#4b3f9e", "#5b6470")  # agent i: i % 8
PAPER, GRID_LINE, WALL, DARK, WHITE, ALARM = "#f8f7f3", "#e9e7e0", "#3a4149", "#22272d", "#ffffff", "#d55e00"
NEUTRAL = (PAPER, GRID_LINE, WHITE, DARK)  # what no legend names
# NumPy integers, because Numba compiles a call anew for each literal integer of Python.
BOX, DISC, DIAMOND, WEDGE = np.arange(4)  # WEDGE + 0..3: a triangle that points north, south, west, east
DETAIL = 5  # pixels of a cell from which shapes differ visibly
AHEAD_ROW = np.array([-1.0, 1.0, 0.0, 0.0])  # north, south, west, east
AHEAD_COL = np.array([0.0, 0.0, -1.0, 1.0])


def palette(*codes: str) -> np.ndarray:
    """Colours "#rrggbb" as (inks, 3) float64, 0..255."""
    return np.array([[int(code[k : k + 2], 16) for k in (1, 3, 5)] for code in codes], np.float64)


def apart(a: str, b: str) -> float:
    """How differently two colours "#rrggbb" are seen: their distance in OKLab (Ottosson 2020); .02 is hard to see."""
    return float(np.linalg.norm(_oklab(a) - _oklab(b)))


def _oklab(code: str) -> np.ndarray:
    rgb = palette(code)[0] / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return _LMS_TO_LAB @ np.cbrt(_RGB_TO_LMS @ linear)


_RGB_TO_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_LMS_TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def canvas(rows: int, cols: int, size: int) -> tuple[int, int]:
    """Height and width in pixels: whole pixels for each cell, the longest side at most ``size`` if possible."""
    cell = max(1, size // max(rows, cols))
    return rows * cell, cols * cell


@kernel
def blend(image, y, x, colour, alpha):
    """Mix ``colour`` into one pixel; ``alpha`` in 0..1."""
    for c in range(3):
        if alpha == 1.0:  # most pixels
            image[y, x, c] = np.uint8(colour[c])
            continue
        old = image[y, x, c]
        image[y, x, c] = np.uint8(old + (colour[c] - old) * alpha + 0.5)


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
def draw_shape(image, shape, y, x, size, stroke, colour, alpha):
    """A shape of half-width ``size`` around (y, x): filled if ``stroke`` is 0.0, else its border, ``stroke`` wide."""
    reach = size + 0.5 * stroke + (0.0 if shape < DIAMOND else 1.0)  # pointed shapes fade out slowly
    for py in range(max(0, int(y - reach)), min(image.shape[0], int(ceil(y + reach)))):
        for px in range(max(0, int(x - reach)), min(image.shape[1], int(ceil(x + reach)))):
            distance = _distance(shape, py + 0.5 - y, px + 0.5 - x, size)
            if stroke > 0:
                distance = abs(distance) - 0.5 * stroke
            if distance < 0.5:
                blend(image, py, px, colour, alpha * min(1.0, 0.5 - distance))


@kernel
def draw_bar(image, y0, x0, y1, x1, colour, alpha):
    """An upright rectangle, blended by the share of each pixel that it covers."""
    for py in range(max(0, int(y0)), min(image.shape[0], int(y1) + 1)):
        tall = min(y1, py + 1.0) - max(y0, py)
        for px in range(max(0, int(x0)), min(image.shape[1], int(x1) + 1)):
            wide = min(x1, px + 1.0) - max(x0, px)
            if tall > 0 and wide > 0:
                blend(image, py, px, colour, alpha * tall * wide)


@kernel
def draw_line(image, y0, x0, y1, x1, width, colour, alpha):
    """A straight line with round ends."""
    half = 0.5 * width
    length = max(1e-9, (y1 - y0) * (y1 - y0) + (x1 - x0) * (x1 - x0))
    for py in range(max(0, int(min(y0, y1) - half)), min(image.shape[0], int(max(y0, y1) + half) + 2)):
        for px in range(max(0, int(min(x0, x1) - half)), min(image.shape[1], int(max(x0, x1) + half) + 2)):
            dy, dx = py + 0.5 - y0, px + 0.5 - x0
            share = min(1.0, max(0.0, (dy * (y1 - y0) + dx * (x1 - x0)) / length))
            dy, dx = dy - share * (y1 - y0), dx - share * (x1 - x0)
            distance = sqrt(dy * dy + dx * dx) - half
            if distance < 0.5:
                blend(image, py, px, colour, alpha * min(1.0, 0.5 - distance))


@kernel
def draw_hatch(image, top, left, cell, colour):
    """Diagonal stripes that continue across cells; ``cell`` is the side in pixels."""
    period = max(4.0, cell / 5.0)
    for y in range(top, top + cell):
        for x in range(left, left + cell):
            off = abs((y + x) % period - 0.5 * period) * 0.7071
            alpha = min(1.0, 0.5 + 0.17 * period - off)
            if alpha > 0:
                blend(image, y, x, colour, alpha)


@kernel
def fill_cell(image, top, left, cell, colour):
    """One square with a side of ``cell`` pixels."""
    for y in range(top, top + cell):
        for x in range(left, left + cell):
            for c in range(3):
                image[y, x, c] = np.uint8(colour[c])


@kernel
def between(pos, agent, trail, share):
    """Fractional row and column between the last place and the present one; a jump is not interpolated."""
    row, col = pos[agent, 0], pos[agent, 1]
    if trail.shape[1]:
        old_row, old_col = trail[agent, -1, 0], trail[agent, -1, 1]
        if old_row >= 0 and abs(row - old_row) + abs(col - old_col) == 1:
            return row + (old_row - row) * (1.0 - share), col + (old_col - col) * (1.0 - share)
    return float(row), float(col)


@kernel
def draw_trails(pos, trail, share, cell, colours, image):
    """The path of each agent through the centres of its last cells, fading with age; agent i has colour i % 8."""
    half, ticks = max(0.5, 0.06 * cell), trail.shape[1]
    for agent in range(len(pos) if ticks else 0):
        to_row, to_col = between(pos, agent, trail, share)
        for k in range(ticks - 1, -1, -1):
            row, col = float(trail[agent, k, 0]), float(trail[agent, k, 1])
            dy, dx = to_row - row, to_col - col
            if row >= 0 and to_row >= 0 and 0 < abs(dy) + abs(dx) <= 1:
                # from half a width after the old centre to half a width after the new one: corners are painted once
                y0 = (min(row, to_row) + 0.5) * cell + (half if dy > 0 else -half)
                y1 = (max(row, to_row) + 0.5) * cell + (-half if dy < 0 else half)
                x0 = (min(col, to_col) + 0.5) * cell + (half if dx > 0 else -half)
                x1 = (max(col, to_col) + 0.5) * cell + (-half if dx < 0 else half)
                draw_bar(image, y0, x0, y1, x1, colours[agent % 8], 0.75 * min(1.0, (k + 1.5 - share) / ticks))
            to_row, to_col = row, col

"""The wildfire as a picture, in the shapes that all worlds share.

Layers from below: land by kind, wet and burnt ground, buildings, the glow of the fire and the fire by its age, trails,
crews, the wind. If the map is larger than the picture, a pixel shows the most important of several cells, and crews are
spots.
"""

from math import cos, pi, sin, sqrt

import numpy as np

from sandbox.engine import shapes
from sandbox.engine.draw import draw
from sandbox.engine.kernel import kernel
from sandbox.engine.shapes import (
    AGENTS,
    ALARM,
    BOX,
    DETAIL,
    DIAMOND,
    DISC,
    WEDGE,
    between,
    draw_hatch,
    draw_line,
    draw_shape,
    draw_trails,
    fill_cell,
    palette,
)  # fmt: skip
from sandbox.engine.shapes import (
    blend as mix_in,
)
from sandbox.worlds.wildfire.dynamics.cells import age_of, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.dynamics.terrain import heading
from sandbox.worlds.wildfire.state import Crew, Ground, Kind

LAND_HEX = ("#e4ddcd", "#c3bfb8", "#8fbfdf", "#d9e0a6", "#b9cc8c", "#86b078", "#c7bda9", "#d2b48c")  # by Kind
LAND = palette(*LAND_HEX)
WET, BURNT, ROOF, ROOF_EDGE, ASH_EDGE, WHITE, DARK, HATCH, GREY, HURT = np.arange(10)
HEX = (
    "#3f88c5", "#453f3c", "#8a3b12", "#5c260b", "#2b2625", shapes.WHITE, shapes.DARK, "#8f6b3e", "#8d939b", ALARM,
)  # fmt: skip
PALETTE, CREWS = palette(*HEX), palette(*AGENTS)
FLAME_HEX = ("#fff1a8", "#ffd447", "#ffab2e", "#f9802a", "#e2571e", "#b8371a", "#8a2a1a")
FLAME = palette(*FLAME_HEX)
AGES = 2  # ticks of age for each colour of the flame
BRIGHT = CREWS @ np.array([0.299, 0.587, 0.114]) > 145  # (8,) bool: dark marks are visible on it
LEGEND = (
    ("crew", AGENTS[0]), ("fire", FLAME_HEX[3]), ("burnt", HEX[1]), ("wet", "#7fa9b0"), ("building", HEX[2]),
    ("household", shapes.WHITE), ("broken down", HEX[8]), ("fire break", LAND_HEX[7]),
    *((kind.name.lower(), LAND_HEX[kind]) for kind in (Kind.WATER, Kind.FOREST, Kind.BRUSH, Kind.GRASS)),
    ("bare ground", LAND_HEX[Kind.BARE]), ("road", LAND_HEX[Kind.ROAD]),
)  # fmt: skip
SPOT = 2.5  # radius of a crew if cells are small
CROWD = 0.02  # share of the picture that such spots may cover


def canvas(params, size: int) -> tuple[int, int]:
    """Height and width in pixels; a map larger than ``size`` is shown with several cells to a pixel."""
    longest = max(params.height, params.width)
    if longest <= size:
        return shapes.canvas(params.height, params.width, size)
    step = -(-longest // size)
    return -(-params.height // step), -(-params.width // step)


@kernel
def _tone(image, top, left, cell, code, at):
    """Fill a cell with the tone of its kind, a little lighter or darker from cell to cell, and of its ground."""
    kind, ground = kind_of(code), ground_of(code)
    fill_cell(image, top, left, cell, LAND[kind])
    shade = np.int64(draw(np.uint64(1), 0, 0, at) % np.uint64(3))
    burnt, wet = ground == Ground.BURNT, ground == Ground.WET or ground == Ground.WET_PEOPLE
    for y in range(top, top + cell):
        for x in range(left, left + cell):
            if kind >= Kind.GRASS and kind <= Kind.FOREST and shade:
                mix_in(image, y, x, PALETTE[WHITE if shade == 1 else DARK], 0.05)
            if burnt:
                mix_in(image, y, x, PALETTE[BURNT], 0.92)
            elif wet:
                mix_in(image, y, x, PALETTE[WET], 0.42)


@kernel
def _building(image, top, left, cell, code):
    """A roof with a ridge, a white diamond for a household; burnt out: its ashes."""
    y, x, ground = top + 0.5 * cell, left + 0.5 * cell, ground_of(code)
    edge, burnt = max(0.8, 0.06 * cell), ground == Ground.BURNT
    draw_shape(image, BOX, y, x, 0.4 * cell, 0.0, PALETTE[ASH_EDGE if burnt else ROOF_EDGE], 1.0)
    draw_shape(image, BOX, y, x, 0.4 * cell - edge, 0.0, PALETTE[BURNT if burnt else ROOF], 1.0)
    if cell > DETAIL:
        draw_line(image, y, x - 0.26 * cell, y, x + 0.26 * cell, edge, PALETTE[ASH_EDGE if burnt else ROOF_EDGE], 1.0)
        if has_people(code):
            draw_shape(image, DIAMOND, y, x, 0.24 * cell, 0.0, PALETTE[WHITE], 1.0)


@kernel
def _flame(image, y, x, cell, age):
    """Fire: bright when it is young, dark red before it goes out."""
    ink = FLAME[min(len(FLAME) - 1, age // AGES)]
    if cell <= DETAIL:
        draw_shape(image, BOX, y, x, 0.5 * cell, 0.0, ink, 1.0)
        return
    draw_shape(image, DISC, y, x, 0.46 * cell, 0.0, FLAME[min(len(FLAME) - 1, age // AGES + 2)], 0.9)
    draw_shape(image, DISC, y + 0.06 * cell, x, 0.28 * cell, 0.0, ink, 1.0)


@kernel
def _land(land, cell, image):
    """All cells, then the glow of fire, then the fire itself."""
    height, width = land.shape
    for row in range(height):
        for col in range(width):
            code, top, left = np.int64(land[row, col]), row * cell, col * cell
            _tone(image, top, left, cell, code, row * width + col)
            if kind_of(code) == Kind.BUILDING and cell > 2:
                _building(image, top, left, cell, code)
            elif kind_of(code) == Kind.BREAK and cell > DETAIL:
                draw_hatch(image, top, left, cell, PALETTE[HATCH])
    for part in range(2):
        for row in range(height):
            for col in range(width):
                age = age_of(np.int64(land[row, col]))
                y, x = (row + 0.5) * cell, (col + 0.5) * cell
                if age and part == 0:
                    draw_shape(image, DISC, y, x, 0.95 * cell, 0.0, FLAME[3], 0.3)
                elif age:
                    _flame(image, y, x, cell, age)


@kernel
def _weight(code):
    """Importance of a cell in an overview: fire, then buildings, burnt and wet ground, water, other land."""
    if ground_of(code) >= Ground.FIRE:
        return 4
    if kind_of(code) == Kind.BUILDING:
        return 3
    if ground_of(code) >= Ground.WET:
        return 2
    return 1 if kind_of(code) == Kind.WATER else 0


@kernel
def _overview(land, step, image):
    """One pixel for ``step`` x ``step`` cells."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            most, best = -1, 0
            for row in range(y * step, min((y + 1) * step, land.shape[0])):
                for col in range(x * step, min((x + 1) * step, land.shape[1])):
                    code = np.int64(land[row, col])
                    if _weight(code) > most:
                        most, best = _weight(code), code
            age = age_of(best)
            _tone(image, y, x, 1, best, y * image.shape[1] + x)
            if age:
                mix_in(image, y, x, FLAME[min(len(FLAME) - 1, age // AGES)], 1.0)
            elif most == 3:
                mix_in(image, y, x, PALETTE[BURNT if ground_of(best) == Ground.BURNT else ROOF], 1.0)


@kernel
def _crew(image, y, x, crew, hue, radius, cell):
    """A disc with a wedge that points ahead; below it, the level of the tanks; grey if it is broken down."""
    down = crew[Crew.DOWN] > 0
    draw_shape(image, DISC, y, x, radius, 0.0, PALETTE[DARK], 1.0)
    rim = min(0.2 * radius, max(0.7, 0.04 * cell))
    if down:
        draw_shape(image, DISC, y, x, radius - rim, 0.0, PALETTE[GREY], 1.0)
    else:
        draw_shape(image, DISC, y, x, radius - rim, 0.0, CREWS[hue], 1.0)
    if radius > SPOT:
        draw_shape(
            image, WEDGE + crew[Crew.FACING], y, x, 0.84 * radius, 0.0, PALETTE[DARK if BRIGHT[hue] else WHITE], 1.0
        )
    if crew[Crew.TANKS] == 0 and radius > SPOT:
        draw_shape(image, DISC, y, x, 1.12 * radius, max(1.0, 0.12 * radius), PALETTE[WHITE], 1.0)


@kernel
def _wind(image, towards, speed):
    """An arrow in the upper left corner in the direction of the wind; its length grows with the speed."""
    size = 0.045 * min(image.shape[0], image.shape[1])
    y, x, reach = 1.5 * size, 1.5 * size, size * min(1.0, 0.35 + 0.06 * speed)
    down, right = -cos(towards) * reach, sin(towards) * reach
    draw_shape(image, DISC, y, x, 1.25 * size, 0.0, PALETTE[WHITE], 0.8)
    width, ink = max(1.2, 0.16 * size), PALETTE[DARK]
    draw_line(image, y - down, x - right, y + down, x + right, width, ink, 1.0)
    for side in (-2.55, 2.55):
        dy, dx = -cos(towards + side) * 0.75 * reach, sin(towards + side) * 0.75 * reach
        draw_line(image, y + down, x + right, y + down + dy, x + right + dx, width, ink, 1.0)


@kernel
def render(s, lane, params, trail, blend, image):
    """Fill ``image`` (H, W, 3) uint8; see ``core.world`` for ``trail`` (N, T, 2) int32 and ``blend`` (0..1)."""
    height, width = params.height, params.width
    step = max((height + image.shape[0] - 1) // image.shape[0], (width + image.shape[1] - 1) // image.shape[1])
    cell, pos, scale = image.shape[0] // height, s.pos[lane], 1.0 / step
    spot = max(0.8, min(SPOT, sqrt(CROWD * image.shape[0] * image.shape[1] / (pi * len(pos)))))
    if step > 1:
        _overview(s.land[lane], step, image)
    else:
        _land(s.land[lane], cell, image)
        scale = float(cell)
        draw_trails(pos, trail, blend, cell, CREWS, image)
    for agent in range(len(pos)):
        if pos[agent, 0] >= 0:
            row, col = between(pos, agent, trail, blend)
            radius = max(2.2 * spot, 0.4 * scale) if scale > DETAIL else spot
            _crew(image, (row + 0.5) * scale, (col + 0.5) * scale, s.crew[lane, agent], agent % 8, radius, scale)
    if min(image.shape[0], image.shape[1]) >= 120 and not params.classic:
        _wind(image, heading(s.seed[lane], s.tick[lane], s.wind[lane, 0], params), s.wind[lane, 1])

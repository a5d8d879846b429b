"""Generated land: value noise for fuel, height and moisture; villages with water, and fires upwind of them.

Value noise: a keyed draw for each point of a coarse lattice, blended in between (Perlin 1985 describes the family).
The map is divided into scenes of about 48 x 48 cells. Through the middle of each, along the wind, lie the place where a
fire can begin, the village, its road, and in a valley a river. The wind drives a fire towards the village.
"""

from math import cos, pi, sin

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import kind_of
from sandbox.worlds.wildfire.state import BLOCK, Ground, Kind, Severity, Stream

SCENE = 48  # cells a side, about
APART = 0.27  # distance of village and fire from a scene's middle, as a share of its side
RADIUS = 3.6  # of a village, cells
BUILT, LIVED_IN = 0.6, 0.35  # share of a village's cells with a building, of buildings with a household
DRIFT, DRIFT_TICKS = 20.0, 32.0  # drift of the wind to either side, degrees; ticks that a drift takes
HEIGHT, HILL = 8.0, 16  # of hills at relief 1; cells between their lattice points
STEEPEST = 2 * 1.5 * HEIGHT / HILL  # slope to a diagonal neighbour, at most, at relief 1: ``_blend`` rises 1.5 at most
TURN = 90.0  # degrees of severity 1 of wind_shift
TURN_FROM, TURN_WITHIN = 8, 32  # ticks


@kernel
def _blend(share):
    return share * share * (3.0 - 2.0 * share)


@kernel
def noise(seed, stream, row, col, side):
    """Value noise in 0..1 at a cell, with lattice points ``side`` cells apart."""
    top, left = row // side, col // side
    down, right = _blend((row - top * side) / side), _blend((col - left * side) / side)
    key = top * 65536 + left
    a, b = uniform(seed, 0, stream, key), uniform(seed, 0, stream, key + 1)
    c, d = uniform(seed, 0, stream, key + 65536), uniform(seed, 0, stream, key + 65537)
    upper, lower = a + (b - a) * right, c + (d - c) * right
    return upper + (lower - upper) * down


@kernel
def elevation(seed, row, col, params):
    """Height of a cell; the difference of two neighbours is the slope between them in degrees."""
    relief = params.ground[3]
    return relief * HEIGHT * noise(seed, Stream.HEIGHT, row, col, HILL) if relief > 0 else 0.0


@kernel
def moisture(seed, row, col):
    """Moisture of the fuel, 0 (dry) .. 1."""
    return noise(seed, Stream.MOISTURE, row, col, 16)


@kernel
def heading(seed, tick, degrees, params):
    """The wind's heading, radians clockwise from north: ``degrees``, its slow drift, and the perturbation's shift."""
    at = tick / DRIFT_TICKS
    since = int(at)
    a, b = uniform(seed, since, Stream.DRIFT, 0), uniform(seed, since + 1, Stream.DRIFT, 0)
    strays = DRIFT * (2.0 * (a + (b - a) * (at - since)) - 1.0)
    shift = params.severity[Severity.WIND_SHIFT]
    if shift > 0 and tick >= TURN_FROM + below(TURN_WITHIN, seed, 0, Stream.SHIFT, 0):
        strays += TURN * shift * (1.0 if uniform(seed, 0, Stream.SHIFT, 1) < 0.5 else -1.0)
    return (degrees + strays) * pi / 180.0


@kernel
def scene_centre(seed, tile, params):
    """Row and column of the centre of a scene, and the distance of village and fire from it."""
    tall, wide = params.height / params.tile_rows, params.width / params.tile_cols
    row = (tile // params.tile_cols + 0.5) * tall + 2.0 * uniform(seed, 0, Stream.VILLAGE, 2 * tile) - 1.0
    col = (tile % params.tile_cols + 0.5) * wide + 2.0 * uniform(seed, 0, Stream.VILLAGE, 2 * tile + 1) - 1.0
    return row, col, APART * min(tall, wide, SCENE)


@kernel
def _wild(seed, row, col, params, corridor):
    """The kind of wild land: grass, brush, forest or bare; between fire and village, brush or forest."""
    if not corridor and noise(seed, Stream.BARE, row, col, 8) > 1.0 - params.ground[2]:
        return np.int32(Kind.BARE)
    growth = noise(seed, Stream.FUEL, row, col, 8)
    if growth < params.ground[0] and not corridor:
        return np.int32(Kind.GRASS)
    return np.int32(Kind.BRUSH) if growth < params.ground[1] else np.int32(Kind.FOREST)


@kernel
def _settled(seed, cell, along, across, apart, side, params):
    """The code of a cell of a village, road or river, -1: wild land. ``along`` and ``across`` the wind, in cells."""
    far = (along - apart) ** 2 + across**2
    if far < RADIUS**2:
        if abs(across) < 0.5 and along > apart:
            return np.int32(Kind.ROAD)
        if uniform(seed, 0, Stream.HOUSE, cell) < BUILT or far < 1.0:
            people = uniform(seed, 0, Stream.PEOPLE, cell) < LIVED_IN or far < 1.0
            return np.int32(Kind.BUILDING + (8 * Ground.PEOPLE if people else 0))
        return np.int32(Kind.GRASS)
    if (along - apart) ** 2 + (across - side * (RADIUS + 2.0)) ** 2 < 2.0:
        return np.int32(Kind.WATER)
    if params.ground[4] > 0 and abs(along - apart - RADIUS - 2.2 - sin(0.4 * across)) < 0.8:
        return np.int32(Kind.WATER)
    return np.int32(Kind.ROAD) if along > apart and abs(across) < 0.5 else np.int32(-1)


@kernel
def lay(land, seed, towards, params):
    """Fill ``land`` (H, W) uint8 with the terrain of a seed; ``towards``: the wind's heading at the start, radians."""
    height, width = land.shape
    down, right = -cos(towards), sin(towards)
    for row in range(height):
        for col in range(width):
            tile = row * params.tile_rows // height * params.tile_cols + col * params.tile_cols // width
            mid_row, mid_col, apart = scene_centre(seed, tile, params)
            dy, dx = row - mid_row, col - mid_col
            along, across = dy * down + dx * right, dx * down - dy * right
            side = 1.0 if uniform(seed, 1, Stream.VILLAGE, tile) < 0.5 else -1.0
            code = _settled(seed, row * width + col, along, across, apart, side, params)
            if code < 0:
                corridor = abs(across) < 7.0 and -apart - 4.0 < along < apart + RADIUS
                code = _wild(seed, row, col, params, corridor)
            land[row, col] = code


@kernel
def plant(land, seed, params):
    """Classic: a tree in each cell with chance ``density``; trees in the ignited cells burn."""
    height, width = land.shape
    for row in range(height):
        for col in range(width):
            tree = uniform(seed, 0, Stream.TREE, row * width + col) < params.density
            first = col == 0 if params.column else row == height // 2 and col == width // 2
            land[row, col] = (Kind.FOREST + (8 * (Ground.FIRE + 1) if first else 0)) if tree else Kind.BARE


@kernel
def dig_wells(land, wells):
    """For each block, the cell with water that is nearest to its centre; -1: none."""
    height, width = land.shape
    across = (width + BLOCK - 1) // BLOCK
    for block in range(len(wells)):
        top, left, least = block // across * BLOCK, block % across * BLOCK, 1 << 30
        wells[block] = -1
        for row in range(top, min(top + BLOCK, height)):
            for col in range(left, min(left + BLOCK, width)):
                far = abs(row - top - BLOCK // 2) + abs(col - left - BLOCK // 2)
                if kind_of(land[row, col]) == Kind.WATER and far < least:
                    wells[block], least = row * width + col, far


@kernel
def nearest_water(wells, row, col, height, width):
    """The approximately nearest cell with water; -1: none. Blocks are searched in rings."""
    across, down = (width + BLOCK - 1) // BLOCK, (height + BLOCK - 1) // BLOCK
    mid_row, mid_col, best, least = row // BLOCK, col // BLOCK, np.int64(-1), 1 << 30
    for ring in range(max(across, down)):
        if (ring - 1) * BLOCK > least:
            break
        for i in range(max(0, mid_row - ring), min(down, mid_row + ring + 1)):
            edge = abs(i - mid_row) == ring
            for j in range(mid_col - ring, mid_col + ring + 1, 1 if edge or ring == 0 else 2 * ring):
                if 0 <= j < across and wells[i * across + j] >= 0:
                    cell = np.int64(wells[i * across + j])
                    far = abs(cell // width - row) + abs(cell % width - col)
                    if far < least:
                        best, least = cell, far
    return best

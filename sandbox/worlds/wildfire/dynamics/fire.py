"""The spread of fire: from cell to cell, by embers, until it burns out. A tick takes time for each burning cell.

The chance that a burning cell sets one of its eight neighbours alight in one tick has the form of Alexandridis,
Vakalis, Siettos and Bafas 2008 (Applied Mathematics and Computation 204), p0 (1 + p_veg)(1 + p_den) p_wind p_slope:

    p = P[kind] (1 - 0.35 m) exp(V (c1 + c2 (cos t - 1)) + a s)

with m the moisture of the fuel in 0..1, V the wind in m/s, t the angle between the wind and the way to the neighbour,
s the slope upwards in degrees; c1 = 0.045, c2 = 0.131, a = 0.078 are theirs. Our simplifications: P[kind] replaces
p0 (1 + p_veg)(1 + p_den) and is a chance for each tick, because a cell burns for FOR[kind] ticks here and for one step
there; a diagonal neighbour counts as near as the others, as in their model; moisture is a factor. Each pair of cells
has its own draw, so the result does not depend on the order of cells. What would ignite a wet cell dries it instead.
Bare, cut and burnt cells never burn.

Embers: in each tick a burning wood or building throws one with chance EMBERS * V. It lands FLIGHT cells or more
downwind, within ASTRAY degrees, and ignites fuel that can burn with chance P[kind].
"""

from math import cos, exp, pi, sin
from typing import NamedTuple

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import age_of, can_burn, ground_of, has_people, is_wet, kind_of
from sandbox.worlds.wildfire.dynamics.terrain import STEEPEST, elevation, heading, moisture
from sandbox.worlds.wildfire.state import Count, Ground, Kind, Stream

P = np.array([0.0, 0.0, 0.0, 0.12, 0.088, 0.06, 0.085, 0.0])  # by Kind, for each tick
MOST = float(P.max())
FOR = np.array([0, 0, 0, 6, 9, 12, 12, 0], np.int64)  # ticks of burning, by Kind; classic: 1
C1, C2, A = 0.045, 0.131, 0.078
EMBERS, FLIGHT, ASTRAY = 0.0004, 3, 25.0
DROW = np.array([-1, -1, -1, 0, 0, 1, 1, 1], np.int64)
DCOL = np.array([-1, 0, 1, -1, 1, -1, 0, 1], np.int64)
BURNS = np.array([can_burn(code) for code in range(256)], np.bool_)  # by the code of a cell
APART = np.sqrt(DROW * DROW + DCOL * DCOL)


class Wind(NamedTuple):
    """The wind of one tick."""

    towards: float  # radians clockwise from north
    speed: float  # m/s
    down: float  # its direction as rows and columns
    right: float
    ceiling: float  # no chance is above it


@kernel
def _kindle(land, fires, total, row, col):
    """Ignite a cell (age 0 until the tick ends) and list it if there is room; returns the new count of burning cells.

    A wet cell dries instead; only the next ignition sets it on fire.
    """
    code = np.int64(land[row, col])
    if is_wet(code):
        land[row, col] = code - 8 * (Ground.WET - Ground.FINE)
        return total
    ground = Ground.FIRE_PEOPLE if ground_of(code) == Ground.PEOPLE else Ground.FIRE
    land[row, col] = (kind_of(code)) + 8 * ground
    if total < len(fires):
        fires[total] = row * land.shape[1] + col
    return total + 1


@kernel
def _drive(rise, dot, speed):
    """The part of the chance p above that wind and slope make."""
    return exp(speed * (C1 + C2 * (dot - 1.0)) + A * rise)


@kernel
def chance(seed, kind, row, col, rise, dot, speed):
    """The chance p above: ``rise`` is the slope upwards in degrees, ``dot`` the cosine of the angle to the wind."""
    return P[kind] * (1.0 - 0.35 * moisture(seed, row, col)) * _drive(rise, dot, speed)


@kernel
def _ceiling(speed, params):
    """More than the chance of any cell: with the wind, up the steepest slope, dry, of the kind that burns best."""
    return 1.001 * MOST * _drive(STEEPEST * params.ground[3], 1.0, speed)


@kernel
def _has_fuel_beside(land, row, col):
    """Whether any neighbour can burn; at the edge of the map, always so."""
    if row == 0 or col == 0 or row == land.shape[0] - 1 or col == land.shape[1] - 1:
        return True
    found = False
    for k in range(8):
        found |= BURNS[land[row + DROW[k], col + DCOL[k]]]
    return found


@kernel
def _from_cell(land, fires, total, row, col, seed, tick, wind, params):
    """Spread from one burning cell to its neighbours; returns the new count of burning cells."""
    height, width = land.shape
    if not _has_fuel_beside(land, row, col):  # in the middle of a fire
        return total
    base, known = 0.0, False
    for k in range(8):
        r, c = row + DROW[k], col + DCOL[k]
        if r < 0 or c < 0 or r >= height or c >= width or not BURNS[land[r, c]]:
            continue
        if params.classic:
            total = _kindle(land, fires, total, r, c)
            continue
        u = uniform(seed, tick, Stream.SPREAD, (r * width + c) * 8 + k)
        if u >= wind.ceiling:
            continue
        if not known:
            base, known = elevation(seed, row, col, params), True
        dot = (DROW[k] * wind.down + DCOL[k] * wind.right) / APART[k]
        rise = elevation(seed, r, c, params) - base
        kind = kind_of(land[r, c])
        if u >= P[kind] * _drive(rise, dot, wind.speed):  # moisture costs most, and can only lower the chance
            continue
        if u < chance(seed, kind, r, c, rise, dot, wind.speed):
            total = _kindle(land, fires, total, r, c)
    return total


@kernel
def _throw(land, fires, total, row, col, seed, tick, wind):
    """Draw an ember of one burning cell; returns the new count of burning cells."""
    height, width = land.shape
    cell = row * width + col
    if kind_of(land[row, col]) < Kind.FOREST or uniform(seed, tick, Stream.EMBER, cell) >= EMBERS * wind.speed:
        return total
    far = FLIGHT + below(1 + int(wind.speed / 2.0), seed, tick, Stream.EMBER_RANGE, cell)
    angle = wind.towards + ASTRAY * pi / 180.0 * (2.0 * uniform(seed, tick, Stream.EMBER_ANGLE, cell) - 1.0)
    r, c = row + int(round(-far * cos(angle))), col + int(round(far * sin(angle)))
    if 0 <= r < height and 0 <= c < width and can_burn(land[r, c]):
        if uniform(seed, tick, Stream.EMBER_CATCH, cell) < P[kind_of(land[r, c])]:
            total = _kindle(land, fires, total, r, c)
    return total


@kernel
def _grow_old(land, tally, row, col, classic):
    """Age a burning cell by one tick; returns whether it still burns."""
    code = np.int64(land[row, col])
    kind, age = kind_of(code), age_of(code)
    if age < (1 if classic else FOR[kind]):
        land[row, col] = code + 8
        return True
    land[row, col] = kind + 8 * Ground.BURNT
    tally[Count.BURNT] += 1
    if kind == Kind.BUILDING or classic:
        tally[Count.LOST] += 1
    tally[Count.PERISHED] += has_people(code)
    return False


@kernel
def _by_list(land, fires, tally, seed, tick, wind, params):
    """Spread from all listed cells; returns how many burn or burnt in this tick, for ``_age_list``."""
    width, burning = land.shape[1], tally[Count.BURNING]
    total = int(burning)
    for k in range(burning):
        row, col = fires[k] // width, fires[k] % width
        if age_of(land[row, col]) > 0:  # not put out in this tick
            total = _from_cell(land, fires, total, row, col, seed, tick, wind, params)
            if not params.classic:
                total = _throw(land, fires, total, row, col, seed, tick, wind)
    return total


@kernel
def _by_map(land, fires, tally, seed, tick, wind, params):
    """The same if the list is too short: burning cells are searched on the map."""
    total = len(fires)
    for row in range(land.shape[0]):
        for col in range(land.shape[1]):
            if age_of(land[row, col]) > 0:
                total = _from_cell(land, fires, total, row, col, seed, tick, wind, params)
                if not params.classic:
                    total = _throw(land, fires, total, row, col, seed, tick, wind)
    return land.size


@kernel
def _age_list(land, fires, tally, total, classic):
    """Age the burning cells; those that burnt out leave the list."""
    width, left = land.shape[1], 0
    for k in range(total):
        row, col = fires[k] // width, fires[k] % width
        if ground_of(land[row, col]) >= Ground.FIRE and _grow_old(land, tally, row, col, classic):
            fires[left] = fires[k]
            left += 1
    for k in range(left, total):
        fires[k] = 0
    tally[Count.BURNING] = left


@kernel
def _age_map(land, fires, tally, classic):
    """The same from the map; fills the list again if all fit."""
    left = 0
    for row in range(land.shape[0]):
        for col in range(land.shape[1]):
            if ground_of(land[row, col]) >= Ground.FIRE and _grow_old(land, tally, row, col, classic):
                if left < len(fires):
                    fires[left] = row * land.shape[1] + col
                left += 1
    for k in range(left if left <= len(fires) else 0, len(fires)):
        fires[k] = 0
    tally[Count.BURNING] = left


@kernel
def spread(land, fires, tally, seed, tick, wind, params):
    """One tick of the fire. Returns how many cells were visited: those that burn, or the whole map."""
    towards, speed = heading(seed, tick, wind[0], params), float(wind[1])
    now = Wind(towards, speed, -cos(towards), sin(towards), _ceiling(speed, params))
    if tally[Count.BURNING] <= len(fires):
        total = _by_list(land, fires, tally, seed, tick, now, params)
    else:
        total = _by_map(land, fires, tally, seed, tick, now, params)
    if total <= len(fires):
        _age_list(land, fires, tally, total, params.classic)
    else:
        _age_map(land, fires, tally, params.classic)
        total = land.size
    return total

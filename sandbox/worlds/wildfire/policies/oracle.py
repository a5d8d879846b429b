"""The oracle: sees the state; crews wet their village's buildings, then attack where the front threatens most.

A crew's cost of a burning cell is its distance plus half the distance from there to the village, less if the cell is
downwind. Cells that can ignite nothing any more, and cells that an earlier crew attacks, cost more. A crew douses all
in its reach.
"""

from math import cos, sin

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import age_of, can_burn, ground_of, kind_of
from sandbox.worlds.wildfire.dynamics.crews import COLS, ROWS, in_reach_people, in_reach_water, may_enter
from sandbox.worlds.wildfire.dynamics.fire import DCOL, DROW
from sandbox.worlds.wildfire.dynamics.terrain import heading, nearest_water
from sandbox.worlds.wildfire.state import Count, Crew, Ground, Kind, Note, Verb

LOOKED_AT = 512  # burning cells that one crew compares in one tick; of more, an even sample
SPENT = 30.0  # extra cost, in cells, of a cell that can ignite nothing
NEAR = 14  # cells: if a fire is nearer to a village, all its crews protect it first; else every second crew
ABLAZE, ENDANGERED = 12, 6  # need of a building that burns, of one beside fire; 3 for any other dry one
BOX = 5  # cells around its station in which a crew searches for buildings to wet
SHARED = 12.0  # extra cost, in cells, if another crew attacks within two cells


@kernel
def open_sides(land, row, col):
    """How many neighbours a cell could ignite."""
    count = 0
    for k in range(8):
        r, c = row + DROW[k], col + DCOL[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1]:
            count += can_burn(land[r, c])
    return count


@kernel
def burning_in_reach(land, row, col, spent):
    """How many cells in reach burn; without ``spent``, only those that could ignite something."""
    count = 0
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and age_of(land[r, c]) > 0:
            building = kind_of(land[r, c]) == Kind.BUILDING
            count += spent or building or open_sides(land, r, c) > 0
    return count


@kernel
def walk(land, row, col, to_row, to_col, spin):
    """The verb that leads to a cell around burning cells, stay in the cell itself; ``spin`` (0..3) breaks ties."""
    down, right = to_row - row, to_col - col
    best, least = np.int32(Verb.STAY), 1 << 20
    if down == 0 and right == 0:
        return best
    for k in range(4):
        side = (k + spin) % 4
        r, c = row + ROWS[side + 1], col + COLS[side + 1]
        if may_enter(land, r, c):
            far = 2 * (abs(to_row - r) + abs(to_col - c)) + (1 if (abs(down) >= abs(right)) == (side >= 2) else 0)
            if far < least:
                best, least = np.int32(Verb.NORTH + side), far
    return best


@kernel
def _shared(s, lane, agent, row, col, params, memory):
    """Whether a crew of a lower number attacks there already."""
    for other in range(agent):
        target = memory.notes[lane, other, Note.TARGET]
        if target >= 0 and s.crew[lane, other, Crew.DOWN] == 0:
            if abs(target // params.width - row) + abs(target % params.width - col) <= 2:
                return True
    return False


@kernel
def _target(s, lane, agent, params, memory):
    """The burning cell that this crew attacks; -1: nothing burns."""
    crew, burning = s.crew[lane, agent], s.tally[lane, Count.BURNING]
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    towards = heading(s.seed[lane], s.tick[lane], s.wind[lane, 0], params)
    down, right = -cos(towards), sin(towards)
    listed = min(burning, params.longest) if burning <= params.longest else 0
    every = 1 + listed // LOOKED_AT
    best, least = np.int64(-1), 1e9
    for k in range((agent + s.tick[lane]) % every, listed, every):
        cell = np.int64(s.fires[lane, k])
        r, c = cell // params.width, cell % params.width
        home_row, home_col = crew[Crew.HOME_ROW], crew[Crew.HOME_COL]
        way = abs(r - row) + abs(c - col)
        cost = way + 0.5 * (abs(r - home_row) + abs(c - home_col))
        cost -= 0.5 * (down * (r - row) + right * (c - col)) if way < 12 else 0.0
        building = kind_of(s.land[lane, r, c]) == Kind.BUILDING
        cost += SPENT if not building and open_sides(s.land[lane], r, c) == 0 else 0.0
        cost -= 4.0 if building else 0.0
        if cost < least and not (cost + SHARED >= least and _shared(s, lane, agent, r, c, params, memory)):
            if _shared(s, lane, agent, r, c, params, memory):
                cost += SHARED
            if cost < least:
                best, least = cell, cost
    return best


@kernel
def _near(s, lane, row, col, params):
    """Whether anything burns within NEAR cells of a place; True if the list of burning cells is too short."""
    if s.tally[lane, Count.BURNING] > params.longest:
        return True
    for k in range(s.tally[lane, Count.BURNING]):
        cell = np.int64(s.fires[lane, k])
        if abs(cell // params.width - row) + abs(cell % params.width - col) <= NEAR:
            return True
    return False


@kernel
def _threatened(land, row, col):
    """Whether anything burns beside a cell."""
    for k in range(8):
        r, c = row + DROW[k], col + DCOL[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and age_of(land[r, c]) > 0:
            return True
    return False


@kernel
def _need(land, row, col):
    """The need for water of the buildings in reach: burning ones most, then dry ones beside fire, then other dry."""
    need = 0
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and kind_of(land[r, c]) == Kind.BUILDING:
            if age_of(land[r, c]) > 0:
                need += ABLAZE
            elif ground_of(land[r, c]) <= Ground.PEOPLE:
                need += ENDANGERED if _threatened(land, r, c) else 3
    return need


@kernel
def _to_wet(s, lane, agent, params, memory):
    """The cell of its village from which this crew should douse buildings; -1: none needs it."""
    land, crew = s.land[lane], s.crew[lane, agent]
    best, most = np.int64(-1), -1e9
    for row in range(max(0, crew[Crew.HOME_ROW] - BOX), min(params.height, crew[Crew.HOME_ROW] + BOX + 1)):
        for col in range(max(0, crew[Crew.HOME_COL] - BOX), min(params.width, crew[Crew.HOME_COL] + BOX + 1)):
            need = _need(land, row, col) if may_enter(land, row, col) else 0
            if need:
                score = float(need) - abs(row - s.pos[lane, agent, 0]) - abs(col - s.pos[lane, agent, 1])
                if score > most:
                    score -= SHARED if _shared(s, lane, agent, row, col, params, memory) else 0.0
                if score > most:
                    best, most = np.int64(row * params.width + col), score
    return best


@kernel
def _fetch_water(s, lane, row, col, params, spin):
    """The verb that leads to water, or refills the tanks."""
    if in_reach_water(s.land[lane], row, col):
        return np.int32(Verb.REFILL)
    water = nearest_water(s.wells[lane], row, col, params.height, params.width)
    if water < 0:
        return np.int32(Verb.STAY)
    return walk(s.land[lane], row, col, water // params.width, water % params.width, spin)


@kernel
def _verb(s, lane, agent, params, memory, dice):
    """What one crew does."""
    land, row, col = s.land[lane], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    spin, here = below(4, dice, 0, 0, agent), row * params.width + col
    hot, crew = burning_in_reach(land, row, col, True), s.crew[lane, agent]
    near = _near(s, lane, crew[Crew.HOME_ROW], crew[Crew.HOME_COL], params)
    if (hot or near) and in_reach_people(land, row, col):
        return np.int32(Verb.RESCUE)
    if crew[Crew.TANKS] and burning_in_reach(land, row, col, False):
        return np.int32(Verb.DOUSE)
    low = 2 * crew[Crew.TANKS] <= params.tanks
    if crew[Crew.TANKS] == 0 or (low and (near or in_reach_water(land, row, col))):
        return _fetch_water(s, lane, row, col, params, spin)
    target = _to_wet(s, lane, agent, params, memory) if near or agent % 2 == 0 else np.int64(-1)
    wets = target >= 0
    if not wets:
        target = _target(s, lane, agent, params, memory)
    memory.notes[lane, agent, Note.TARGET] = target
    if target < 0:
        return np.int32(Verb.STAY)
    near = abs(target // params.width - row) + abs(target % params.width - col) <= 1
    if target == here or (hot and near and not wets):
        return np.int32(Verb.DOUSE)
    return walk(land, row, col, target // params.width, target % params.width, spin)


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """Sees the state; crews choose in order of their numbers."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.STAY, 0
        if s.pos[lane, agent, 0] >= 0 and not s.crew[lane, agent, Crew.DOWN]:
            actions[lane, agent, 0] = _verb(s, lane, agent, params, memory, dice)

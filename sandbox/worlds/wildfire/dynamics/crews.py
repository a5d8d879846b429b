"""What a crew can do in its cell, and its perturbations. Its reach is its own cell and the four beside it."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import can_burn, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.state import Column, Crew, Ground, Kind, Severity, Stream

ROWS = np.array([0, -1, 1, 0, 0], np.int64)  # cells in reach: here, north, south, west, east, in the order of the verbs
COLS = np.array([0, 0, 0, -1, 1], np.int64)
LOST_AT_MOST, LOST_WITHIN = 1 / 3, 60  # severity 1 of crew_lost: share of the crews; ticks within which they break down
WRONG_AT_MOST, WRONG_BY = (
    0.5,
    6,
)  # severity 1 of wrong_map: share of wrong places; maximum error, cells


@kernel
def may_enter(land, row, col):
    """Whether a crew can enter a cell: it is on the map and does not burn. Crews can enter water."""
    return 0 <= row < land.shape[0] and 0 <= col < land.shape[1] and ground_of(land[row, col]) < Ground.FIRE


@kernel
def may_cut(land, row, col):
    """Whether a cell has fuel that can be cut."""
    return can_burn(land[row, col]) and kind_of(land[row, col]) != Kind.BUILDING


@kernel
def douse(land, row, col):
    """Put out burning cells in reach and wet the others; returns how many are now burnt. A building stays fuel."""
    charred = 0
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1]:
            code = np.int64(land[r, c])
            if ground_of(code) >= Ground.FIRE and kind_of(code) != Kind.BUILDING:
                land[r, c] = kind_of(code) + 8 * Ground.BURNT
                charred += 1
            elif ground_of(code) >= Ground.FIRE or can_burn(code):
                land[r, c] = (kind_of(code)) + 8 * (Ground.WET_PEOPLE if has_people(code) else Ground.WET)
    return charred


@kernel
def in_reach_water(land, row, col):
    """Whether there is water in reach."""
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and kind_of(land[r, c]) == Kind.WATER:
            return True
    return False


@kernel
def in_reach_people(land, row, col):
    """Whether there is a household in reach."""
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and has_people(land[r, c]):
            return True
    return False


@kernel
def rescue(land, row, col):
    """Rescue the households in reach, also from burning buildings; returns how many there were."""
    saved = 0
    for k in range(5):
        r, c = row + ROWS[k], col + COLS[k]
        if 0 <= r < land.shape[0] and 0 <= c < land.shape[1] and has_people(land[r, c]):
            code = np.int64(land[r, c])
            back = Ground.FIRE_PEOPLE - Ground.FIRE if ground_of(code) >= Ground.FIRE_PEOPLE else 1
            land[r, c] = code - 8 * back
            saved += 1
    return saved


@kernel
def break_down(s, lane, agent, params):
    """Perturbation ``crew_lost``: break a crew down for good at a drawn tick, if it is one of those drawn."""
    lost = int(params.agents * LOST_AT_MOST * params.severity[Severity.CREW_LOST] + 1e-9)
    place = (agent + below(params.agents, s.seed[lane], 0, Stream.BREAKDOWN, 0)) % params.agents
    if place < lost and s.tick[lane] > below(LOST_WITHIN, s.seed[lane], 1, Stream.BREAKDOWN, agent):
        s.crew[lane, agent, Crew.DOWN], s.crew[lane, agent, Crew.WORK] = 1, 0


@kernel
def wander_from_map(seed, agent, params, vector):
    """Perturbation ``wrong_map``: shift the places on a crew's map: its station, its fire, the nearest water."""
    chance = params.severity[Severity.WRONG_MAP] * WRONG_AT_MOST
    for place in range(3):  # HOME, ALARM, WATER: row and column of each
        at = Column.HOME_ROW + 2 * place
        if vector[at] >= 0 and uniform(seed, place, Stream.WRONG, agent) < chance:
            for k in range(2):
                by = below(2 * WRONG_BY + 1, seed, place, Stream.WRONG, (agent + 1) * 1_000_003 + k) - WRONG_BY
                vector[at + k] = min(max(0, vector[at + k] + by), (params.height if k == 0 else params.width) - 1)

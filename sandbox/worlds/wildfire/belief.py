"""What a crew believes: a lane of imagined state, made from its own observation and memory."""

import numpy as np

from sandbox.core.maps import around
from sandbox.core.world import InboxColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import age_of, can_burn, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.dynamics.fire import DCOL, DROW
from sandbox.worlds.wildfire.dynamics.kernels import count_up, reset
from sandbox.worlds.wildfire.dynamics.observe import look_out
from sandbox.worlds.wildfire.dynamics.terrain import dig_wells
from sandbox.worlds.wildfire.state import Channel, Column, Count, Crew, Ground, Kind, Note, Params, State

# -- facts: a lane as a list of facts, and which of them a crew sees. The prediction error is measured on them.


def ground_truth(s: State, lane: int, params: Params) -> np.ndarray:
    """(2 H W + N,) int64: land of each cell, and whether a crew is there; tanks of each crew."""
    crews = np.zeros((params.height, params.width), np.int64)
    there = s.pos[lane][s.pos[lane, :, 0] >= 0]
    crews[there[:, 0], there[:, 1]] = 1
    return np.concatenate([s.land[lane].ravel(), crews.ravel(), s.crew[lane, :, Crew.TANKS]]).astype(np.int64)


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """(2 H W + N,) bool: the cells of its window, and its own tanks."""
    near = around((params.height, params.width), s.pos[lane, agent], params.sight, params.sight).ravel()
    return np.concatenate([near, near, np.arange(params.agents) == agent])


# -- value: what a team has saved, less the expected losses

HOUSE, PEOPLE = 0.9, 0.9  # expected loss of a building or a household that burns
FRONT = 0.02  # for each cell beside a burning one that can burn; five times as much for a building
WATER = 0.01  # for each tank of water


@kernel
def earned(s, lane, params):
    """Households rescued, less buildings and households lost, less ticks of crews in fire."""
    tally = s.tally[lane]
    return float(tally[Count.RESCUED] - tally[Count.LOST] - tally[Count.PERISHED] - tally[Count.HURT])


@kernel
def value(s, lane, params):
    """The expected losses as a negative number, from what burns and what it can ignite; water counts a little."""
    total, land = 0.0, s.land[lane]
    for row in range(params.height):
        for col in range(params.width):
            code = land[row, col]
            if age_of(code) == 0:
                continue
            if kind_of(code) == Kind.BUILDING:
                total -= HOUSE + (PEOPLE if has_people(code) else 0.0)
            for k in range(8):
                r, c = row + DROW[k], col + DCOL[k]
                if 0 <= r < params.height and 0 <= c < params.width and can_burn(land[r, c]):
                    total -= FRONT * (5.0 if kind_of(land[r, c]) == Kind.BUILDING else 1.0)
    for agent in range(params.agents):
        if s.pos[lane, agent, 0] >= 0:
            total += WATER * s.crew[lane, agent, Crew.TANKS]
    return total


# -- belief


@kernel
def _on_map(row, col, params):
    """Whether a cell is on the map. Sensor noise may show things beyond its edge."""
    return 0 <= row < params.height and 0 <= col < params.width


@kernel
def _code(window, i, j):
    """The byte of a cell in the window, as in ``State.land``."""
    kind, fire = int(window[Channel.KIND, i, j]) - 1, int(window[Channel.FIRE, i, j])
    people, ground = window[Channel.PEOPLE, i, j] > 0, window[Channel.GROUND, i, j]
    if fire:
        return kind + 8 * ((Ground.FIRE_PEOPLE if people else Ground.FIRE) + fire)
    if ground == 2:
        return kind + 8 * Ground.BURNT
    if ground == 1:
        return kind + 8 * (Ground.WET_PEOPLE if people else Ground.WET)
    return kind + 8 * (Ground.PEOPLE if people else Ground.FINE)


@kernel
def _set_alight(land, row, col):
    """Ignite a cell where a fire is known but not seen."""
    if 0 <= row < land.shape[0] and 0 <= col < land.shape[1] and ground_of(land[row, col]) < Ground.FIRE:
        land[row, col] = max(kind_of(land[row, col]), np.int64(Kind.GRASS)) + 8 * (Ground.FIRE + 1)


@kernel
def _believe_crews(window, row, col, agent, params, out, to):
    """Put other crews where they are seen, with full tanks; those out of sight are off the map (row -1)."""
    sight = params.sight
    for other in range(params.agents):
        crew = out.crew[to, other]
        out.pos[to, other, 0], out.pos[to, other, 1] = -1, -1
        for k in range(len(crew)):
            crew[k] = 0
    other = 0
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            there = window[Channel.CREW, i, j] and window[Channel.KIND, i, j]
            if there and _on_map(row + i - sight, col + j - sight, params):
                other += other == agent
                if other < params.agents:
                    out.pos[to, other, 0], out.pos[to, other, 1] = row + i - sight, col + j - sight
                    out.crew[to, other, Crew.TANKS] = params.tanks
                    other += 1


@kernel
def believe(obs, lane, agent, memory, params, seed, out, to):
    """Fill lane ``to`` of ``out`` with what ``agent`` believes; ``seed`` (uint64) keys its draws.

    It knows what it sees, where it last saw or heard of fire, and the layout if that is a drawn map; generated land is
    drawn anew. Out of sight it assumes no crews, and only the fires that it knows of.
    """
    window, vector, inbox = obs.window[lane, agent], obs.vector[lane, agent], obs.inbox[lane, agent]
    row, col, sight = int(vector[Column.ROW]), int(vector[Column.COL]), params.sight
    out.seed[to] = seed
    reset(out, to, params)
    land = out.land[to]
    for r in range(params.height):
        for c in range(params.width):
            if ground_of(land[r, c]) >= Ground.FIRE:
                land[r, c] = kind_of(land[r, c])
    note = memory.notes[lane, agent]
    _set_alight(land, note[Note.FIRE_ROW], note[Note.FIRE_COL])
    for m in range(len(inbox)):
        if inbox[m, InboxColumn.KIND] == 1:
            _set_alight(land, inbox[m, InboxColumn.FIRST], inbox[m, InboxColumn.SECOND])
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if window[Channel.KIND, i, j] and _on_map(row + i - sight, col + j - sight, params):
                land[row + i - sight, col + j - sight] = _code(window, i, j)
    dig_wells(land, out.wells[to])
    count_up(land, out.fires[to], out.tally[to])
    out.wind[to, 0] = np.arctan2(vector[Column.WIND_COL], -vector[Column.WIND_ROW]) * 180.0 / np.pi
    out.wind[to, 1] = vector[Column.WIND_SPEED]
    _believe_crews(window, row, col, agent, params, out, to)
    own = out.crew[to, agent]
    out.pos[to, agent, 0], out.pos[to, agent, 1] = row, col
    own[Crew.TANKS], own[Crew.WORK] = int(vector[Column.TANKS]), int(vector[Column.WORK])
    own[Crew.HURT], own[Crew.DOWN] = int(vector[Column.HURT]), int(vector[Column.DOWN])
    own[Crew.HOME_ROW], own[Crew.HOME_COL] = int(vector[Column.HOME_ROW]), int(vector[Column.HOME_COL])
    own[Crew.ALARM_ROW], own[Crew.ALARM_COL] = int(vector[Column.ALARM_ROW]), int(vector[Column.ALARM_COL])
    for crew in range(params.agents):
        look_out(out, to, crew, params)

"""What a crew takes the land to be: a lane of imagined state from its own observation and memory."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.cells import ground_of, kind_of
from sandbox.worlds.wildfire.kernels import count_up, reset
from sandbox.worlds.wildfire.senses import look_out
from sandbox.worlds.wildfire.state import Crew, Ground, Kind, Note
from sandbox.worlds.wildfire.terrain import dig_wells


@kernel
def _on_map(row, col, rules):
    """Noise may show things beyond the edge."""
    return 0 <= row < rules.height and 0 <= col < rules.width


@kernel
def _code(window, i, j):
    """The byte of a cell in sight."""
    kind, fire, people = int(window[0, i, j]) - 1, int(window[1, i, j]), int(window[3, i, j])
    if fire:
        return kind + 8 * ((Ground.FIRE_PEOPLE if people else Ground.FIRE) + fire)
    if window[2, i, j] == 2:
        return kind + 8 * Ground.BURNT
    if window[2, i, j] == 1:
        return kind + 8 * (Ground.WET_PEOPLE if people else Ground.WET)
    return kind + 8 * (Ground.PEOPLE if people else Ground.FINE)


@kernel
def _set_alight(land, row, col):
    """A fire that is known of but not seen."""
    if 0 <= row < land.shape[0] and 0 <= col < land.shape[1] and ground_of(land[row, col]) < Ground.FIRE:
        land[row, col] = max(kind_of(land[row, col]), np.int64(Kind.GRASS)) + 8 * (Ground.FIRE + 1)


@kernel
def _believe_crews(window, row, col, agent, rules, out, to):
    """Other crews stand where they are seen, with full tanks; those out of sight are nowhere (row -1)."""
    sight = rules.sight
    for other in range(rules.agents):
        crew = out.crew[to, other]
        out.pos[to, other, 0], out.pos[to, other, 1] = -1, -1
        for k in range(len(crew)):
            crew[k] = 0
    other = 0
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if window[4, i, j] and window[0, i, j] and _on_map(row + i - sight, col + j - sight, rules):
                other += other == agent
                if other < rules.agents:
                    out.pos[to, other, 0], out.pos[to, other, 1] = row + i - sight, col + j - sight
                    out.crew[to, other, Crew.TANKS] = rules.tanks
                    other += 1


@kernel
def believe(obs, lane, agent, memory, rules, seed, out, to):
    """Lane ``to`` of ``out``: the land as ``agent`` takes it to be, with dice of its own (``seed``).

    Known are what it sees, where it last knew of fire or heard of it, and the layout where that is a drawn map; land
    that is generated is imagined as it might be. Fires and crews out of sight are left out, but those it was told of.
    """
    window, vector, inbox = obs.window[lane, agent], obs.vector[lane, agent], obs.inbox[lane, agent]
    row, col, sight = int(vector[0]), int(vector[1]), rules.sight
    out.seed[to] = seed
    reset(out, to, rules)
    land = out.land[to]
    for r in range(rules.height):
        for c in range(rules.width):
            if ground_of(land[r, c]) >= Ground.FIRE:
                land[r, c] = kind_of(land[r, c])
    note = memory.notes[lane, agent]
    _set_alight(land, note[Note.FIRE_ROW], note[Note.FIRE_COL])
    for m in range(len(inbox)):
        if inbox[m, 1] == 1:
            _set_alight(land, inbox[m, 2], inbox[m, 3])
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if window[0, i, j] and _on_map(row + i - sight, col + j - sight, rules):
                land[row + i - sight, col + j - sight] = _code(window, i, j)
    dig_wells(land, out.wells[to])
    count_up(land, out.fires[to], out.tally[to])
    out.wind[to, 0] = np.arctan2(vector[4], -vector[3]) * 180.0 / np.pi
    out.wind[to, 1] = vector[5]
    _believe_crews(window, row, col, agent, rules, out, to)
    own = out.crew[to, agent]
    out.pos[to, agent, 0], out.pos[to, agent, 1] = row, col
    own[Crew.TANKS], own[Crew.HOME_ROW], own[Crew.HOME_COL] = int(vector[2]), int(vector[6]), int(vector[7])
    own[Crew.ALARM_ROW], own[Crew.ALARM_COL] = int(vector[8]), int(vector[9])
    own[Crew.HURT], own[Crew.WORK], own[Crew.DOWN] = int(vector[13]), int(vector[14]), int(vector[15])
    for crew in range(rules.agents):
        look_out(out, to, crew, rules)

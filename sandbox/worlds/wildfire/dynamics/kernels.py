"""The wildfire's kernels: reset and step; ``observe`` has the third.

A tick: the crews act in order of their numbers (they can share a cell, so moves never conflict); the fire spreads and
burns down; crews in burning cells are hurt; every crew chooses its next report. The episode ends when nothing burns:
COMPLETED if enough is saved. It ends as STALLED as soon as more buildings or households are lost than the task allows;
a classic forest burns out first.

Reward of a crew: 1 for each household that it rescues, -1 for each tick in a burning cell. All crews get -1 / N for
each building or household lost in the tick.
"""

from math import cos, sin

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import age_of, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.dynamics.crews import (
    COLS,
    ROWS,
    break_down,
    douse,
    in_reach_people,
    in_reach_water,
    may_cut,
    may_enter,
    rescue,
)
from sandbox.worlds.wildfire.dynamics.fire import spread
from sandbox.worlds.wildfire.dynamics.observe import look_out
from sandbox.worlds.wildfire.dynamics.terrain import dig_wells, heading, lay, plant, scene_centre
from sandbox.worlds.wildfire.state import (
    CUT_FOR,
    Count,
    Crew,
    Ground,
    Kind,
    Severity,
    Stream,
    Verb,
)  # fmt: skip

SCATTER = 7919


@kernel
def count_up(land, fires, tally):
    """Fill the counts and the list of burning cells from a map."""
    for k in range(len(tally)):
        tally[k] = 0
    for k in range(len(fires)):
        fires[k] = 0
    fuel = 0
    for row in range(land.shape[0]):
        for col in range(land.shape[1]):
            code = land[row, col]
            tally[Count.BUILDINGS] += kind_of(code) == Kind.BUILDING
            tally[Count.HOUSEHOLDS] += has_people(code)
            fuel += kind_of(code) >= Kind.GRASS and kind_of(code) <= Kind.BUILDING
            if age_of(code) > 0:
                if tally[Count.BURNING] < len(fires):
                    fires[tally[Count.BURNING]] = row * land.shape[1] + col
                tally[Count.BURNING] += 1
    if tally[Count.BUILDINGS] == 0:
        tally[Count.BUILDINGS] = fuel
    if tally[Count.BURNING] > len(fires):
        for k in range(len(fires)):
            fires[k] = 0


@kernel
def _ignite(land, row, col):
    """Set 3 x 3 cells of burning forest: a fire that does not die out by chance."""
    for r in range(max(0, row - 1), min(land.shape[0], row + 2)):
        for c in range(max(0, col - 1), min(land.shape[1], col + 2)):
            land[r, c] = Kind.FOREST + 8 * (Ground.FIRE + 1)


@kernel
def _fire_of(s, lane, fire, params):
    """Rows and columns of the centre of a first fire and of the village downwind of it."""
    tiles = params.tile_rows * params.tile_cols  # at most 85 x 85, less than the prime SCATTER: no two fires share one
    tile = (fire * SCATTER + below(tiles, s.seed[lane], 0, Stream.IGNITION, 0)) % tiles
    row, col, apart = scene_centre(s.seed[lane], tile, params)
    angle = heading(s.seed[lane], 0, s.wind[lane, 0], params)
    down, right = -cos(angle) * apart, sin(angle) * apart
    return int(row - down), int(col - right), int(row + down), int(col + right)


@kernel
def _burning_cell(s, lane, params, at):
    """Row and column of the ``at``-th burning cell of the list; the centre of the map without one."""
    cell = np.int64(s.fires[lane, at % max(1, min(s.tally[lane, Count.BURNING], params.longest))])
    if s.tally[lane, Count.BURNING] == 0:
        cell = np.int64(params.height // 2 * params.width + params.width // 2)
    return cell // params.width, cell % params.width


@kernel
def _man(s, lane, agent, params):
    """Put a crew at its station, with full tanks, called to its fire."""
    seed, crew = s.seed[lane], s.crew[lane, agent]
    for k in range(len(crew)):
        crew[k] = 0
    if len(params.stations):
        station = agent % len(params.stations)
        home_row, home_col = np.int64(params.stations[station, 0]), np.int64(params.stations[station, 1])
        row, col = home_row, home_col
        fire_row, fire_col = _burning_cell(s, lane, params, agent)
    elif len(params.plan) or params.classic:
        fire_row, fire_col = _burning_cell(s, lane, params, agent)
        cell = below(params.height * params.width, seed, 0, Stream.CREW, agent)
        home_row, home_col = cell // params.width, cell % params.width
        for attempt in range(1, 100):
            if ground_of(s.land[lane, home_row, home_col]) < Ground.FIRE:
                break
            cell = below(params.height * params.width, seed, attempt, Stream.CREW, agent)
            home_row, home_col = cell // params.width, cell % params.width
        row, col = home_row, home_col
    else:
        fire_row, fire_col, home_row, home_col = _fire_of(s, lane, agent % params.fires, params)
        row = min(params.height - 1, max(0, home_row + below(5, seed, 0, Stream.CREW, 2 * agent) - 2))
        col = min(params.width - 1, max(0, home_col + below(5, seed, 0, Stream.CREW, 2 * agent + 1) - 2))
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
    crew[Crew.TANKS], crew[Crew.HOME_ROW], crew[Crew.HOME_COL] = params.tanks, home_row, home_col
    crew[Crew.ALARM_ROW], crew[Crew.ALARM_COL] = fire_row, fire_col
    s.reward[lane, agent], s.refused[lane, agent] = 0, 0


@kernel
def reset(s, lane, params):
    """Begin the episode of ``s.seed[lane]``: land, fires, crews at their stations."""
    s.tick[lane], s.done[lane], seed = 0, Finish.RUNNING, s.seed[lane]
    s.wind[lane, 0], s.wind[lane, 1] = below(360, seed, 0, Stream.WIND, 0), params.wind
    land = s.land[lane]
    if params.classic:
        plant(land, seed, params)
    elif len(params.plan):
        for row in range(params.height):
            for col in range(params.width):
                land[row, col] = params.plan[row, col]
    else:
        lay(land, seed, heading(seed, 0, s.wind[lane, 0], params), params)
        for fire in range(params.fires):
            row, col, _, _ = _fire_of(s, lane, fire, params)
            _ignite(land, row, col)
    dig_wells(land, s.wells[lane])
    count_up(land, s.fires[lane], s.tally[lane])
    for agent in range(params.agents):
        _man(s, lane, agent, params)
    for agent in range(params.agents):
        look_out(s, lane, agent, params)


@kernel
def _act(s, lane, agent, verb, params):
    """One action of one crew; an illegal one does nothing."""
    crew, land = s.crew[lane, agent], s.land[lane]
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    work = crew[Crew.WORK]
    crew[Crew.WORK] = 0
    if crew[Crew.DOWN] or row < 0:
        return
    if Verb.NORTH <= verb <= Verb.EAST:
        to_row, to_col = row + ROWS[verb], col + COLS[verb]
        if may_enter(land, to_row, to_col):
            s.pos[lane, agent, 0], s.pos[lane, agent, 1] = to_row, to_col
            crew[Crew.FACING] = verb - 1
    elif verb == Verb.DOUSE and crew[Crew.TANKS] > 0:
        crew[Crew.TANKS] -= 1
        s.tally[lane, Count.BURNT] += douse(land, row, col)
    elif verb == Verb.CUT and may_cut(land, row, col):
        crew[Crew.WORK] = work + 1
        if work + 1 >= CUT_FOR:
            land[row, col], crew[Crew.WORK] = Kind.BREAK, 0
    elif verb == Verb.REFILL and crew[Crew.TANKS] < params.tanks and in_reach_water(land, row, col):
        crew[Crew.TANKS] = params.tanks
    elif verb == Verb.RESCUE:
        saved = rescue(land, row, col)
        s.tally[lane, Count.RESCUED] += saved
        if saved:
            s.refused[lane, agent] = 0
        s.reward[lane, agent] += np.float32(saved)


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as stay."""
    if s.done[lane] != Finish.RUNNING:
        return
    tally, seed, tick = s.tally[lane], s.seed[lane], s.tick[lane]
    for agent in range(params.agents):
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
        if actions[lane, agent, 0] == Verb.RESCUE and actions[lane, agent, 1] == 0 and s.pos[lane, agent, 0] >= 0:
            here = in_reach_people(s.land[lane], s.pos[lane, agent, 0], s.pos[lane, agent, 1])
            s.refused[lane, agent] = here and s.crew[lane, agent, Crew.DOWN] == 0  # an entered cell is not refused
    for agent in range(params.agents):
        _act(s, lane, agent, actions[lane, agent, 0] if actions[lane, agent, 1] == 0 else 0, params)
    lost = tally[Count.LOST] + tally[Count.PERISHED]
    spread(s.land[lane], s.fires[lane], tally, seed, tick, s.wind[lane], params)
    shared = np.float32(tally[Count.LOST] + tally[Count.PERISHED] - lost) / np.float32(params.agents)
    s.tick[lane] += 1
    for agent in range(params.agents):
        crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
        s.reward[lane, agent] -= shared
        if row >= 0 and age_of(s.land[lane, row, col]) > 0:
            crew[Crew.HURT] += 1
            tally[Count.HURT] += 1
            s.reward[lane, agent] -= np.float32(1)
            crew[Crew.WORK] = 0
        if params.severity[Severity.CREW_LOST] > 0:
            break_down(s, lane, agent, params)
        look_out(s, lane, agent, params)
    _finish(s, lane, params)


@kernel
def _finish(s, lane, params):
    """Whether the episode is over."""
    tally = s.tally[lane]
    allowed = int((1.0 - params.save) * tally[Count.BUILDINGS] + 1e-9)
    perish = int((1.0 - params.save) * tally[Count.HOUSEHOLDS] + 1e-9)
    failed = tally[Count.LOST] > allowed or tally[Count.PERISHED] > perish
    if failed and (tally[Count.BURNING] == 0 or not params.classic):
        s.done[lane] = Finish.STALLED
    elif tally[Count.BURNING] == 0:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT

"""The wildfire's kernels: reset, step, observe.

A tick: the crews act, in order of their numbers (they may share a cell, so moves never meet); the fire spreads and
burns down; crews whose cell burns are hurt; every crew looks around for its next report. The episode ends when nothing
burns: COMPLETED if enough is saved. Once more buildings or households are lost than the task allows it is STALLED, at
once; a classic forest burns out first.

Reward of a crew: 1 for each household that it rescues, -1 for each tick in a burning cell; of all: -1 / N for each
building or household lost in the tick.
"""

from math import cos, sin

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.cells import age_of, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.crews import (
    break_down,
    douse,
    in_reach_people,
    in_reach_water,
    may_cut,
    may_enter,
    rescue,
    wander_from_map,
)  # fmt: skip
from sandbox.worlds.wildfire.fire import spread
from sandbox.worlds.wildfire.state import (
    CUT_FOR,
    Count,
    Crew,
    Dose,
    Ground,
    Kind,
    Report,
    Stream,
    Verb,
)  # fmt: skip
from sandbox.worlds.wildfire.terrain import dig_wells, heading, lay, nearest_water, plant, scene_centre

SCATTER = 7919
DROW = np.array([-1, 1, 0, 0], np.int64)  # by verb - 1: north, south, west, east
DCOL = np.array([0, 0, -1, 1], np.int64)


@kernel
def count_up(land, fires, tally):
    """The tallies and the list of burning cells of a map as it begins."""
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
    """A square of 3 x 3 cells of burning wood: a fire that does not die out by chance."""
    for r in range(max(0, row - 1), min(land.shape[0], row + 2)):
        for c in range(max(0, col - 1), min(land.shape[1], col + 2)):
            land[r, c] = Kind.FOREST + 8 * (Ground.FIRE + 1)


@kernel
def _fire_of(s, lane, fire, rules):
    """Row and column of the middle of a fire at the start, and of the village that it is upwind of."""
    tiles = rules.tile_rows * rules.tile_cols  # at most 85 x 85, less than the prime SCATTER: no two fires share one
    tile = (fire * SCATTER + below(tiles, s.seed[lane], 0, Stream.IGNITION, 0)) % tiles
    row, col, apart = scene_centre(s.seed[lane], tile, rules)
    angle = heading(s.seed[lane], 0, s.wind[lane, 0], rules)
    down, right = -cos(angle) * apart, sin(angle) * apart
    return int(row - down), int(col - right), int(row + down), int(col + right)


@kernel
def _burning_cell(s, lane, rules, at):
    """Row and column of the ``at``-th burning cell of the list, the middle of the map if there is none."""
    cell = np.int64(s.fires[lane, at % max(1, min(s.tally[lane, Count.BURNING], rules.longest))])
    if s.tally[lane, Count.BURNING] == 0:
        cell = np.int64(rules.height // 2 * rules.width + rules.width // 2)
    return cell // rules.width, cell % rules.width


@kernel
def _man(s, lane, agent, rules):
    """A crew at its station, with full tanks, called to its fire."""
    seed, crew = s.seed[lane], s.crew[lane, agent]
    for k in range(len(crew)):
        crew[k] = 0
    if len(rules.stations):
        station = agent % len(rules.stations)
        home_row, home_col = np.int64(rules.stations[station, 0]), np.int64(rules.stations[station, 1])
        row, col = home_row, home_col
        fire_row, fire_col = _burning_cell(s, lane, rules, agent)
    elif len(rules.plan) or rules.classic:
        fire_row, fire_col = _burning_cell(s, lane, rules, agent)
        cell = below(rules.height * rules.width, seed, 0, Stream.CREW, agent)
        home_row, home_col = cell // rules.width, cell % rules.width
        for attempt in range(1, 100):
            if ground_of(s.land[lane, home_row, home_col]) < Ground.FIRE:
                break
            cell = below(rules.height * rules.width, seed, attempt, Stream.CREW, agent)
            home_row, home_col = cell // rules.width, cell % rules.width
        row, col = home_row, home_col
    else:
        fire_row, fire_col, home_row, home_col = _fire_of(s, lane, agent % rules.fires, rules)
        row = min(rules.height - 1, max(0, home_row + below(5, seed, 0, Stream.CREW, 2 * agent) - 2))
        col = min(rules.width - 1, max(0, home_col + below(5, seed, 0, Stream.CREW, 2 * agent + 1) - 2))
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
    crew[Crew.TANKS], crew[Crew.HOME_ROW], crew[Crew.HOME_COL] = rules.tanks, home_row, home_col
    crew[Crew.ALARM_ROW], crew[Crew.ALARM_COL] = fire_row, fire_col
    s.reward[lane, agent], s.refused[lane, agent] = 0, 0


@kernel
def reset(s, lane, rules):
    """Begin the episode of ``s.seed[lane]``: land, fires, crews at their stations."""
    s.tick[lane], s.done[lane], seed = 0, Finish.RUNNING, s.seed[lane]
    s.wind[lane, 0], s.wind[lane, 1] = below(360, seed, 0, Stream.WIND, 0), rules.wind
    land = s.land[lane]
    if rules.classic:
        plant(land, seed, rules)
    elif len(rules.plan):
        for row in range(rules.height):
            for col in range(rules.width):
                land[row, col] = rules.plan[row, col]
    else:
        lay(land, seed, heading(seed, 0, s.wind[lane, 0], rules), rules)
        for fire in range(rules.fires):
            row, col, _, _ = _fire_of(s, lane, fire, rules)
            _ignite(land, row, col)
    dig_wells(land, s.wells[lane])
    count_up(land, s.fires[lane], s.tally[lane])
    for agent in range(rules.agents):
        _man(s, lane, agent, rules)
    for agent in range(rules.agents):
        look_out(s, lane, agent, rules)


@kernel
def look_out(s, lane, agent, rules):
    """What a crew will tell by radio: the nearest fire in its window, else the nearest household."""
    crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    least = 1 << 20
    crew[Crew.REPORT], crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL] = Report.NOTHING, 0, 0
    if crew[Crew.DOWN] or row < 0:
        return
    for r in range(max(0, row - rules.sight), min(rules.height, row + rules.sight + 1)):
        for c in range(max(0, col - rules.sight), min(rules.width, col + rules.sight + 1)):
            code = s.land[lane, r, c]
            if ground_of(code) == Ground.FINE or ground_of(code) == Ground.WET or ground_of(code) == Ground.BURNT:
                continue
            fire = ground_of(code) >= Ground.FIRE
            far = abs(r - row) + abs(c - col) + (0 if fire else 1000)
            if far < least:
                least = far
                crew[Crew.REPORT] = Report.FIRE if fire else Report.PEOPLE
                crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL] = r, c


@kernel
def _act(s, lane, agent, verb, rules):
    """One action of one crew; an illegal one does nothing."""
    crew, land = s.crew[lane, agent], s.land[lane]
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    work = crew[Crew.WORK]
    crew[Crew.WORK] = 0
    if crew[Crew.DOWN] or row < 0:
        return
    if Verb.NORTH <= verb <= Verb.EAST:
        to_row, to_col = row + DROW[verb - 1], col + DCOL[verb - 1]
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
    elif verb == Verb.REFILL and crew[Crew.TANKS] < rules.tanks and in_reach_water(land, row, col):
        crew[Crew.TANKS] = rules.tanks
    elif verb == Verb.RESCUE:
        saved = rescue(land, row, col)
        s.tally[lane, Count.RESCUED] += saved
        if saved:
            s.refused[lane, agent] = 0
        s.reward[lane, agent] += np.float32(saved)


@kernel
def step(s, lane, actions, rules):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as stay."""
    if s.done[lane] != Finish.RUNNING:
        return
    tally, seed, tick = s.tally[lane], s.seed[lane], s.tick[lane]
    for agent in range(rules.agents):
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
        if actions[lane, agent, 0] == Verb.RESCUE and actions[lane, agent, 1] == 0 and s.pos[lane, agent, 0] >= 0:
            here = in_reach_people(s.land[lane], s.pos[lane, agent, 0], s.pos[lane, agent, 1])
            s.refused[lane, agent] = here and s.crew[lane, agent, Crew.DOWN] == 0  # unless it comes first
    for agent in range(rules.agents):
        _act(s, lane, agent, actions[lane, agent, 0] if actions[lane, agent, 1] == 0 else 0, rules)
    lost = tally[Count.LOST] + tally[Count.PERISHED]
    spread(s.land[lane], s.fires[lane], tally, seed, tick, s.wind[lane], rules)
    shared = np.float32(tally[Count.LOST] + tally[Count.PERISHED] - lost) / np.float32(rules.agents)
    s.tick[lane] += 1
    for agent in range(rules.agents):
        crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
        s.reward[lane, agent] -= shared
        if row >= 0 and age_of(s.land[lane, row, col]) > 0:
            crew[Crew.HURT] += 1
            tally[Count.HURT] += 1
            s.reward[lane, agent] -= np.float32(1)
            crew[Crew.WORK] = 0
        if rules.dose[Dose.CREW_LOST] > 0:
            break_down(s, lane, agent, rules)
        look_out(s, lane, agent, rules)
    _finish(s, lane, rules)


@kernel
def _finish(s, lane, rules):
    """Whether the episode is over."""
    tally = s.tally[lane]
    allowed = int((1.0 - rules.save) * tally[Count.BUILDINGS] + 1e-9)
    perish = int((1.0 - rules.save) * tally[Count.HOUSEHOLDS] + 1e-9)
    failed = tally[Count.LOST] > allowed or tally[Count.PERISHED] > perish
    if failed and (tally[Count.BURNING] == 0 or not rules.classic):
        s.done[lane] = Finish.STALLED
    elif tally[Count.BURNING] == 0:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= rules.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def _look(s, lane, agent, rules, window):
    """Fill one crew's window (C, K, K): kind + 1 (0 beyond the map), age of the fire, ground, household, crews."""
    top, left = s.pos[lane, agent, 0] - rules.sight, s.pos[lane, agent, 1] - rules.sight
    side = window.shape[1]
    for i in range(side):
        for j in range(side):
            row, col = top + i, left + j
            window[4, i, j] = 0
            if row < 0 or col < 0 or row >= rules.height or col >= rules.width:
                window[0, i, j], window[1, i, j], window[2, i, j], window[3, i, j] = 0, 0, 0, 0
                continue
            code = s.land[lane, row, col]
            ground = ground_of(code)
            window[0, i, j], window[1, i, j] = (kind_of(code)) + 1, age_of(code)
            window[2, i, j] = 2 if ground == Ground.BURNT else (ground == Ground.WET or ground == Ground.WET_PEOPLE)
            window[3, i, j] = has_people(code)
    for other in range(rules.agents):
        i, j = s.pos[lane, other, 0] - top, s.pos[lane, other, 1] - left
        if other != agent and 0 <= i < side and 0 <= j < side:
            window[4, i, j] = 1


@kernel
def _listen(s, lane, agent, rules, inbox):
    """Messages: each crew hears ``messages`` others a tick, beginning with one that is drawn; some get lost."""
    seed, tick, others = s.seed[lane], s.tick[lane], rules.agents - 1
    start = below(max(1, others), seed, tick, Stream.RADIO, agent)
    for m in range(len(inbox)):
        for k in range(4):
            inbox[m, k] = 0
        if m >= others or s.crew[lane, agent, Crew.DOWN]:
            continue
        sender = (agent + 1 + (start + m) % others) % rules.agents
        crew = s.crew[lane, sender]
        loss = rules.dose[Dose.RADIO_LOSS]
        if crew[Crew.REPORT] and (loss == 0 or uniform(seed, tick, Stream.LOSS, agent * 64 + m) >= loss):
            inbox[m, 0], inbox[m, 1] = sender + 1, crew[Crew.REPORT]
            inbox[m, 2], inbox[m, 3] = crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL]


@kernel
def _sense(s, lane, agent, rules, towards, vector):
    """Fill one crew's vector; what its own map says may be wrong."""
    crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    water = nearest_water(s.wells[lane], row, col, rules.height, rules.width)
    vector[0], vector[1], vector[2] = row, col, crew[Crew.TANKS]
    vector[3], vector[4], vector[5] = -cos(towards), sin(towards), s.wind[lane, 1]
    vector[6], vector[7] = crew[Crew.HOME_ROW], crew[Crew.HOME_COL]
    vector[8], vector[9] = crew[Crew.ALARM_ROW], crew[Crew.ALARM_COL]
    vector[10], vector[11] = -1, -1
    if water >= 0:
        vector[10], vector[11] = water // rules.width, water % rules.width
    if rules.dose[Dose.WRONG_MAP] > 0:
        wander_from_map(s.seed[lane], agent, rules, vector)
    vector[12], vector[13] = age_of(s.land[lane, row, col]) > 0, crew[Crew.HURT]
    vector[14], vector[15] = crew[Crew.WORK], crew[Crew.DOWN]


@kernel
def observe(s, lane, rules, obs):
    """What each crew sees around it, knows, hears, and may do."""
    towards = heading(s.seed[lane], s.tick[lane], s.wind[lane, 0], rules)
    land = s.land[lane]
    for agent in range(rules.agents):
        row, col, mask = s.pos[lane, agent, 0], s.pos[lane, agent, 1], obs.mask[lane, agent]
        for verb in range(rules.verbs):
            mask[verb] = verb == Verb.STAY
        if row < 0:
            continue
        _look(s, lane, agent, rules, obs.window[lane, agent])
        _sense(s, lane, agent, rules, towards, obs.vector[lane, agent])
        _listen(s, lane, agent, rules, obs.inbox[lane, agent])
        if s.crew[lane, agent, Crew.DOWN]:
            continue
        for k in range(4):
            mask[1 + k] = may_enter(land, row + DROW[k], col + DCOL[k])
        mask[Verb.DOUSE] = s.crew[lane, agent, Crew.TANKS] > 0
        mask[Verb.CUT] = may_cut(land, row, col)
        mask[Verb.REFILL] = s.crew[lane, agent, Crew.TANKS] < rules.tanks and in_reach_water(land, row, col)
        mask[Verb.RESCUE] = in_reach_people(land, row, col)

"""What crews see, know and hear: observe, and the reports that they send by radio."""

from math import cos, sin

import numpy as np

from sandbox.core.world import InboxColumn
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.dynamics.cells import age_of, ground_of, has_people, kind_of
from sandbox.worlds.wildfire.dynamics.crews import (
    COLS,
    ROWS,
    in_reach_people,
    in_reach_water,
    may_cut,
    may_enter,
    wander_from_map,
)
from sandbox.worlds.wildfire.dynamics.terrain import heading, nearest_water
from sandbox.worlds.wildfire.state import Channel, Column, Crew, Ground, Report, Severity, Stream, Verb


def _shown(code: int) -> tuple[int, int, int, int]:
    """What windows show of a cell: kind, fire, ground, people."""
    ground = ground_of(code)
    wet = ground in (Ground.WET, Ground.WET_PEOPLE)
    return kind_of(code) + 1, age_of(code), 2 if ground == Ground.BURNT else int(wet), int(has_people(code))


def _reported(code: int) -> Report:
    """What crews report of a cell."""
    if ground_of(code) in (Ground.FINE, Ground.WET, Ground.BURNT):
        return Report.NOTHING
    return Report.FIRE if ground_of(code) >= Ground.FIRE else Report.PEOPLE


# Tables by the code of a cell: looking up costs a quarter of decoding with branches that nobody can predict.
BEYOND = np.uint64(256)  # the row of what is beyond the map
SHOWN = np.array([*map(_shown, range(256)), (0, 0, 0, 0)], np.int8)  # (257, 4)
REPORTS = np.array([*map(_reported, range(256))], np.int8)  # see Report


@kernel
def look_out(s, lane, agent, params):
    """Choose a crew's report: the nearest fire in its window, else the nearest household."""
    crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    least = 1 << 20
    crew[Crew.REPORT], crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL] = Report.NOTHING, 0, 0
    if crew[Crew.DOWN] or row < 0:
        return
    for r in range(max(0, row - params.sight), min(params.height, row + params.sight + 1)):
        for c in range(max(0, col - params.sight), min(params.width, col + params.sight + 1)):
            report = REPORTS[s.land[lane, r, c]]
            if report == Report.NOTHING:
                continue
            far = abs(r - row) + abs(c - col) + (0 if report == Report.FIRE else 1000)
            if far < least:
                least = far
                crew[Crew.REPORT], crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL] = report, r, c


@kernel
def _look(s, lane, agent, params, window):
    """Fill one crew's window (C, K, K) int8."""
    top, left = s.pos[lane, agent, 0] - params.sight, s.pos[lane, agent, 1] - params.sight
    side, flat, at = window.shape[1], window.flat, np.uint64(0)
    area, height, width = np.uint64(side * side), np.uint64(params.height), np.uint64(params.width)
    for i in range(side):
        for j in range(side):
            row, col = np.uint64(top + i), np.uint64(left + j)  # before the map: huge
            code = np.uint64(s.land[lane, row, col]) if row < height and col < width else BEYOND
            for channel in range(SHOWN.shape[1]):
                flat[np.uint64(channel) * area + at] = SHOWN[code, np.uint64(channel)]
            at += np.uint64(1)
    for k in range(side * side):
        flat[Channel.CREW * side * side + k] = 0
    for other in range(params.agents):
        i, j = s.pos[lane, other, 0] - top, s.pos[lane, other, 1] - left
        if other != agent and 0 <= i < side and 0 <= j < side:
            window[Channel.CREW, i, j] = 1


@kernel
def _listen(s, lane, agent, params, inbox):
    """Fill the inbox (M, 4) int32: a crew hears M others in a tick, beginning with a drawn one."""
    seed, tick, others = s.seed[lane], s.tick[lane], params.agents - 1
    start = below(max(1, others), seed, tick, Stream.RADIO, agent)
    for m in range(len(inbox)):
        for k in range(4):
            inbox[m, k] = 0
        if m >= others or s.crew[lane, agent, Crew.DOWN]:
            continue
        sender = (agent + 1 + (start + m) % others) % params.agents
        crew = s.crew[lane, sender]
        if crew[Crew.REPORT]:
            inbox[m, InboxColumn.SENDER], inbox[m, InboxColumn.KIND] = sender + 1, crew[Crew.REPORT]
            inbox[m, InboxColumn.FIRST], inbox[m, InboxColumn.SECOND] = crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL]


@kernel
def _sense(s, lane, agent, params, towards, vector):
    """Fill one crew's vector (V,) float32; ``towards``: the wind's heading in radians."""
    crew, row, col = s.crew[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    water = nearest_water(s.wells[lane], row, col, params.height, params.width)
    vector[Column.ROW], vector[Column.COL], vector[Column.TANKS] = row, col, crew[Crew.TANKS]
    vector[Column.WIND_ROW], vector[Column.WIND_COL] = -cos(towards), sin(towards)
    vector[Column.WIND_SPEED] = s.wind[lane, 1]
    vector[Column.HOME_ROW], vector[Column.HOME_COL] = crew[Crew.HOME_ROW], crew[Crew.HOME_COL]
    vector[Column.ALARM_ROW], vector[Column.ALARM_COL] = crew[Crew.ALARM_ROW], crew[Crew.ALARM_COL]
    vector[Column.WATER_ROW], vector[Column.WATER_COL] = -1, -1
    if water >= 0:
        vector[Column.WATER_ROW], vector[Column.WATER_COL] = water // params.width, water % params.width
    if params.severity[Severity.WRONG_MAP] > 0:
        wander_from_map(s.seed[lane], agent, params, vector)
    vector[Column.IN_FIRE], vector[Column.HURT] = age_of(s.land[lane, row, col]) > 0, crew[Crew.HURT]
    vector[Column.WORK], vector[Column.DOWN] = crew[Crew.WORK], crew[Crew.DOWN]


@kernel
def observe(s, lane, params, obs):
    """Observation and mask of each crew."""
    towards = heading(s.seed[lane], s.tick[lane], s.wind[lane, 0], params)
    land = s.land[lane]
    for agent in range(params.agents):
        row, col, mask = s.pos[lane, agent, 0], s.pos[lane, agent, 1], obs.mask[lane, agent]
        for verb in range(params.verbs):
            mask[verb] = verb == Verb.STAY
        if row < 0:
            continue
        _look(s, lane, agent, params, obs.window[lane, agent])
        _sense(s, lane, agent, params, towards, obs.vector[lane, agent])
        _listen(s, lane, agent, params, obs.inbox[lane, agent])
        if s.crew[lane, agent, Crew.DOWN]:
            continue
        for k in range(4):
            mask[Verb.NORTH + k] = may_enter(land, row + ROWS[k + 1], col + COLS[k + 1])
        mask[Verb.DOUSE] = s.crew[lane, agent, Crew.TANKS] > 0
        mask[Verb.CUT] = may_cut(land, row, col)
        mask[Verb.REFILL] = s.crew[lane, agent, Crew.TANKS] < params.tanks and in_reach_water(land, row, col)
        mask[Verb.RESCUE] = in_reach_people(land, row, col)

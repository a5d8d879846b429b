"""Where things are on the map of the office, in units, of which the picture is WIDE wide."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.office.dynamics.flow import activity_of
from sandbox.worlds.office.state import TEAM, Activity, Case, Entry, Errand, Event, Phase, Work
from sandbox.worlds.office.stations import MANAGER, REVIEWER

WIDE, TALL = 34.0, 25.5
BAR, DESKS, FOOT, MARGIN, GAP = 2.0, 3.6, 1.3, 1.2, 1.05  # of the bar, the desks, the closed cases; around the stations
NAME, PITCH, TOKEN = 1.25, 1.21, 0.56  # line of a station's name, of tokens; radius of a token
PAIR, POST = 2.3, 4.4  # from one case in work to the next; least width of the desks of a post


def canvas(params, size: int) -> tuple[int, int]:
    """Height and width in pixels."""
    return max(16, int(TALL / WIDE * size)), size


@kernel
def station_of(s, lane, params, case):
    """The station of an open case: its activity, or the manager's or reviewer's desk."""
    errand = s.case[lane, case, Case.ERRAND]
    if errand == Errand.ESCALATED:
        return np.int64(params.activities + MANAGER)
    if errand == Errand.REVIEW:
        return np.int64(params.activities + REVIEWER)
    return activity_of(s, lane, params, case)


@kernel
def grid_of(params):
    """Rows and columns of stations."""
    rows, cols = 1, 1
    for station in range(len(params.spot)):
        rows, cols = max(rows, params.spot[station, 0] + 1), max(cols, params.spot[station, 1] + 1)
    return np.int64(rows), np.int64(cols)


@kernel
def box_of(params, station):
    """(top, left, height, width) of a station, units."""
    rows, cols = grid_of(params)
    tall = (TALL - BAR - DESKS - FOOT - 0.5 * GAP) / rows
    wide = (WIDE - 2 * MARGIN + GAP) / cols
    top = BAR + 0.5 * GAP + params.spot[station, 0] * tall
    return top, MARGIN + params.spot[station, 1] * wide, tall - GAP, wide - GAP


@kernel
def is_in_work(s, lane, case):
    """Whether somebody has an open case in hand."""
    phase = s.case[lane, case, Case.PHASE]
    return s.case[lane, case, Case.DESK] > 0 or phase == Phase.TOUCH or phase == Phase.REWORK


@kernel
def room_of(params, station):
    """(waiting tokens in a line, lines of them, cases in work on the last line) for which a station has room."""
    _, _, tall, wide = box_of(params, station)
    lines = max(1, int((tall - NAME) / PITCH))
    if station < params.activities and params.activity[station, Activity.KIND] == Work.WAIT:
        return int((wide - 0.3) / PITCH), lines, 0
    return int((wide - 0.3) / PITCH), max(1, lines - 1), int((wide - 0.3) / PAIR)


@kernel
def token_at(params, station, k, in_work):
    """(y, x) of the ``k``-th token of a station, units; the y of a token for which there is no room is -1."""
    top, left, tall, wide = box_of(params, station)
    across, lines, pairs = room_of(params, station)
    if in_work:
        if k >= pairs:
            return -1.0, 0.0
        return top + tall - 0.1 - 0.5 * PITCH, left + 0.25 + k * PAIR + 1.6
    if k >= across * lines - 1 and k >= 0:  # the last place is for how many more there are
        return -1.0, left + 0.3 + (across - 0.5) * PITCH
    return top + NAME + (k // across + 0.5) * PITCH, left + 0.3 + (k % across + 0.5) * PITCH


@kernel
def came_from(s, lane, params, case):
    """The station at which something of a case ended in the last tick and that it has left; -1: none."""
    found = -1
    for k in range(np.int64(s.entries[lane])):
        entry = s.journal[lane, k]
        if np.int64(entry[Entry.CASE]) == case and entry[Entry.ACTIVITY] >= 0:
            found = np.int64(entry[Entry.ACTIVITY])
            did = np.int64(entry[Entry.VERB])
            if did == Event.SETTLED:
                found = np.int64(params.activities + MANAGER)
            elif did == Event.REVIEWED or did == Event.RETURNED:
                found = np.int64(params.activities + REVIEWER)
    return found if found != station_of(s, lane, params, case) else -1


@kernel
def desks_of(params, post):
    """(number of desks, left, step) of a post, units."""
    total, posts, left = params.agents + params.people, 0, 0.6
    for k in range(params.posts):
        posts += params.crew[k + 1] - params.crew[k] + (params.agents if k == TEAM else 0) > 0
    free = max(0.0, WIDE - 0.8 - POST * posts)
    for k in range(params.posts):
        count = np.int64(params.crew[k + 1] - params.crew[k] + (params.agents if k == TEAM else 0))
        if count == 0:
            continue
        wide = POST + free * count / total
        if k == post:
            return count, left, min(1.8, (wide - 0.5) / count)
        left += wide
    return 0, left, 1.0

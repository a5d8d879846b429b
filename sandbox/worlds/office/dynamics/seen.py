"""What agents see: the board of the team, and the documents of the case on their own desk."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.queueing.events import CLASSES
from sandbox.worlds.office.dynamics.actions import is_legal
from sandbox.worlds.office.dynamics.documents import checks_of, is_barred, present
from sandbox.worlds.office.dynamics.flow import activity_of
from sandbox.worlds.office.state import (
    ABSENT,
    DAY,
    FIRST_POLICY,
    MOST_CHECKS,
    SIDE,
    SLOTS,
    TEAM,
    Case,
    Channel,
    Column,
    Desk,
    Field,
    Flag,
    Found,
    Time,
)  # fmt: skip


@kernel
def _tray(s, lane, params, agent, tray, window):
    """One tray of the board."""
    case, i, j = np.int64(s.board[lane, tray]) - 1, tray // SIDE, tray % SIDE
    if case < 0:
        return
    row, time, activity = s.case[lane, case], s.time[lane, case], activity_of(s, lane, params, case)
    window[Channel.ACTIVITY, i, j] = activity + 1
    if row[Case.DESK] > 0:
        window[Channel.HOLDER, i, j] = 1 if row[Case.DESK] == agent + 1 else 2
    window[Channel.AGE, i, j] = min(127, np.int64((s.clock[lane] - time[Time.ARRIVED]) / DAY))
    window[Channel.WAIT, i, j] = min(127, np.int64((s.clock[lane] - time[Time.SINCE]) / 60.0))
    flags = (1 - np.int64(row[Case.CLASS])) * Flag.URGENT
    flags += Flag.RETURNED * (s.visits[lane, case, activity] > 1) + Flag.MATCHED * (row[Case.MATCHED] > 0)
    flags += Flag.CLEARED * (row[Case.CLEARED] > 0)
    if is_barred(s, lane, params, case, activity, agent + 1):
        flags += Flag.BARRED
    window[Channel.FLAGS, i, j] = flags


@kernel
def _ranks(s, lane, window):
    """The place in line of the trays that nobody has."""
    rank = 0
    for line in range(CLASSES * TEAM, CLASSES * TEAM + CLASSES):
        case = np.int64(s.head[lane, line]) - 1
        while case >= 0 and rank < 127:
            tray = np.int64(s.case[lane, case, Case.TRAY]) - 1
            rank += 1
            if tray >= 0:
                window[Channel.RANK, tray // SIDE, tray % SIDE] = rank
            case = np.int64(s.behind[lane, case]) - 1


@kernel
def found(s, lane, params, case, k):
    """What is known about a check of the process: see Found."""
    row = s.case[lane, case]
    if not params.applies[row[Case.FLOW], k]:
        return np.int64(Found.NONE)
    if row[Case.CLEARED] >> k & 1:
        return np.int64(Found.SETTLED)
    if row[Case.MATCHED] == 0:
        return np.int64(Found.NONE)
    if row[Case.UNREAD] >> k & 1:
        return np.int64(Found.UNREADABLE)
    return np.int64(Found.FAILS) if row[Case.FAILED] >> k & 1 else np.int64(Found.HOLDS)


@kernel
def _documents(s, lane, params, agent, case, vector):
    """The case on the desk: what is known about its checks, and what its documents say, by place on the form."""
    row, activity = s.case[lane, case], activity_of(s, lane, params, case)
    vector[Column.TRAY], vector[Column.CASE], vector[Column.ACTIVITY] = row[Case.TRAY], case + 1, activity + 1
    vector[Column.FLOW], vector[Column.FORM] = row[Case.FLOW] + 1, row[Case.FORM]
    at = FIRST_POLICY + params.policies
    for k, check in enumerate(checks_of(params, activity)):
        vector[at + k] = found(s, lane, params, case, check)
    at += MOST_CHECKS
    documents = present(s, lane, params, case)
    for field in range(params.fields):
        source = np.int64(params.field[field, Field.TURNED]) if row[Case.FORM] > 0 else np.int64(field)
        there = documents >> np.int64(params.field[source, Field.DOCUMENT]) & 1
        vector[at + field] = s.doc[lane, case, source] if there else ABSENT


@kernel
def observe(s, lane, params, obs):
    """Fill the observation of every agent."""
    waiting, ended = 0, np.int64(s.ended[lane, 0]) + np.int64(s.ended[lane, 1])
    for line in range(CLASSES * TEAM, CLASSES * TEAM + CLASSES):
        waiting += np.int64(s.length[lane, line])
    day, ahead = np.int64(s.clock[lane] // DAY), 0
    for agent in range(params.agents):
        window, vector, mask = obs.window[lane, agent], obs.vector[lane, agent], obs.mask[lane, agent]
        window[:], vector[:] = 0, 0.0
        for tray in range(SLOTS):
            _tray(s, lane, params, agent, tray, window)
        _ranks(s, lane, window)
        vector[Column.AGENT], vector[Column.CLOCK], vector[Column.DAY] = agent, s.clock[lane], day
        vector[Column.HOUR] = (s.clock[lane] - day * DAY) / 60.0
        vector[Column.BUSY], vector[Column.WAITING] = s.desk[lane, agent, Desk.VERB], waiting
        vector[Column.OPEN], vector[Column.CLOSED], vector[Column.CASES] = s.arrived[lane] - ended, ended, params.cases
        for k in range(params.policies):
            vector[FIRST_POLICY + k] = s.policy[lane, k]
        vector[Column.AHEAD] = ahead
        case = np.int64(s.desk[lane, agent, Desk.CASE]) - 1
        ahead += case < 0
        if case >= 0:
            _documents(s, lane, params, agent, case, vector)
        for verb in range(params.verbs):
            for tray in range(SLOTS):
                mask[verb * SLOTS + tray] = is_legal(s, lane, params, agent, verb, tray)

"""The oracle: it sees what is wrong with every case, and does what is right about it."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.queueing.events import CLASSES
from sandbox.worlds.office.dynamics.actions import is_legal
from sandbox.worlds.office.dynamics.documents import failing, is_barred, remedy
from sandbox.worlds.office.dynamics.flow import activity_of
from sandbox.worlds.office.state import TEAM, Case, Desk, Verb


@kernel
def _pick(s, lane, params, agent, skipped):
    """The tray of the first case in line that this agent may do after ``skipped`` others, or of the last such one.

    If all cases in line need other hands, it is the tray of the first one, which is escalated. -1: no case is in line.
    """
    barred, own = -1, -1
    for line in range(CLASSES * TEAM, CLASSES * TEAM + CLASSES):
        case = np.int64(s.head[lane, line]) - 1
        while case >= 0:
            tray = np.int64(s.case[lane, case, Case.TRAY]) - 1
            if tray >= 0:
                if is_barred(s, lane, params, case, activity_of(s, lane, params, case), agent + 1):
                    barred = tray if barred < 0 else barred
                else:
                    own, skipped = tray, skipped - 1
                    if skipped < 0:
                        return own
            case = np.int64(s.behind[lane, case]) - 1
    return own if own >= 0 else barred


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """First in, first out; it matches, as the company wants it, and then does the right thing."""
    looking = 0
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.WAIT, 0
        if s.desk[lane, agent, Desk.VERB] != 0:
            continue
        case = np.int64(s.desk[lane, agent, Desk.CASE]) - 1
        if case < 0:
            tray = _pick(s, lane, params, agent, looking)
            looking += 1
            if tray >= 0:
                actions[lane, agent, 0], actions[lane, agent, 1] = Verb.TAKE, tray
            continue
        tray, activity = np.int64(s.case[lane, case, Case.TRAY]) - 1, activity_of(s, lane, params, case)
        verb = remedy(params, failing(s, lane, params, case, activity, agent + 1))
        if is_legal(s, lane, params, agent, Verb.MATCH, tray):
            verb = np.int64(Verb.MATCH)
        elif verb == Verb.WAIT:
            complete = is_legal(s, lane, params, agent, Verb.COMPLETE, tray)
            verb = np.int64(Verb.COMPLETE) if complete else np.int64(Verb.APPROVE)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, tray

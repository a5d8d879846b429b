"""Reset, observe and step of the office."""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.queueing.events import SPAN, advancing, push
from sandbox.worlds.office.dynamics.actions import begin_action, end_action, is_legal
from sandbox.worlds.office.dynamics.calendar import arrives
from sandbox.worlds.office.dynamics.documents import draw_documents, is_twin_of_the_one_before
from sandbox.worlds.office.dynamics.flow import come_back, duration, go_on, note, seat, served
from sandbox.worlds.office.dynamics.seen import observe  # noqa: F401 (the third kernel of the world)
from sandbox.worlds.office.state import (
    ACT,
    ARRIVE,
    BACK,
    CHANGE,
    JOURNAL,
    ROOM,
    Case,
    Desk,
    Event,
    Severity,
    Status,
    Stream,
    Time,
)  # fmt: skip

LULL = 60.0  # minutes that pass while nothing is under way
MORNING = 8 * 60.0  # when the first case can arrive


@kernel
def _clear(s, lane):
    for field in (s.due, s.began, s.policy, s.worked):
        field[lane] = 0.0
    for field in (s.what, s.head, s.tail, s.length, s.behind, s.serving, s.board, s.ended):
        field[lane] = 0
    s.service[lane], s.case[lane], s.doc[lane], s.truth[lane], s.actor[lane], s.visits[lane] = 0.0, 0, 0, 0, 0, 0
    s.stamp[lane], s.time[lane], s.desk[lane], s.journal[lane] = 0.0, 0.0, 0, 0.0


@kernel
def _put_policy(s, lane, params, number):
    """The policy's values are those of the beginning (0), or those after the change (1)."""
    for k in range(params.policies):
        s.policy[lane, k] = params.policy[number, k]


@kernel
def reset(s, lane, params):
    """Monday morning: no case yet, empty desks; the documents of all cases that will come are drawn."""
    s.tick[lane], s.clock[lane], s.pending[lane], s.arrived[lane] = 0, MORNING, 0, 0
    s.alert[lane], s.entries[lane], s.done[lane] = 0, 0, Finish.RUNNING
    _clear(s, lane)
    s.pos[lane], s.refused[lane], s.reward[lane] = -1, 0, 0.0
    _put_policy(s, lane, params, 0)
    for case in range(params.cases):
        row = s.case[lane, case]
        key = case - 1 if is_twin_of_the_one_before(s, lane, params, case) else case
        row[Case.KEY] = key
        chance, flow = uniform(s.seed[lane], key, Stream.FLOW, 0), 0
        while flow < len(params.share) - 1 and chance >= params.share[flow]:
            flow += 1
        row[Case.FLOW], row[Case.STEP] = flow, -1
        row[Case.CLASS] = 0 if uniform(s.seed[lane], key, Stream.URGENT, 0) < params.urgent else 1
        draw_documents(s, lane, params, case)
    first = arrives(params, MORNING + duration(s, lane, params.gap, Stream.GAP, 0, 0, 1.0))
    push(s, lane, first, ARRIVE * SPAN)
    change = params.severity[Severity.POLICY_CHANGE]
    if change > 0 and uniform(s.seed[lane], 0, Stream.CHANGE, 0) < change:
        middle = params.every * params.cases * (0.3 + 0.4 * uniform(s.seed[lane], 0, Stream.CHANGE, 1))
        push(s, lane, MORNING + np.ceil(middle), CHANGE * SPAN)


# -- events


@kernel
def elapse(s, lane, due):
    """The clock moves."""
    s.clock[lane] = due


@kernel
def happens(s, lane, params, kind, subject):
    """A case comes back from outside, an action is over, a case arrives, the policy changes."""
    if kind == BACK:
        come_back(s, lane, params, subject)
    elif kind == ACT:
        end_action(s, lane, params, subject)
    elif kind == ARRIVE:
        case = subject
        s.arrived[lane] = case + 1
        s.case[lane, case, Case.STATUS] = Status.OPEN
        s.time[lane, case, Time.ARRIVED] = s.time[lane, case, Time.SINCE] = s.clock[lane]
        s.case[lane, case, Case.PHASE] = 1
        note(s, lane, case, -1, 0, np.int64(Event.ARRIVED), s.clock[lane])
        if case + 1 < params.cases:
            gap = duration(s, lane, params.gap, Stream.GAP, case + 1, 0, 1.0)
            push(s, lane, arrives(params, s.clock[lane] + gap), ARRIVE * SPAN + case + 1)
        go_on(s, lane, params, case)
    else:
        _put_policy(s, lane, params, 1)
        s.alert[lane] = 1


@kernel
def paused(s, lane, params):
    """Whether agents decide next: something is new, and somebody is free. A full journal ends the tick too."""
    if s.entries[lane] > JOURNAL - ROOM:
        return True
    if s.alert[lane] == 0:
        return False
    for agent in range(params.agents):
        if s.desk[lane, agent, Desk.VERB] == 0:
            return True
    return False


advance = specialise(
    advancing, "office", seat=seat, served=served, elapse=elapse, happens=happens, paused=paused
)  # fmt: skip


# -- a tick


@kernel
def closed(s, lane, params):
    """(cases closed correctly, cases closed wrongly)."""
    return np.int64(s.ended[lane, 0]), np.int64(s.ended[lane, 1])


@kernel
def step(s, lane, actions, params):
    """Begin the agents' actions, then let events happen until an agent can decide."""
    if s.done[lane] != Finish.RUNNING:
        return
    for k in range(np.int64(s.entries[lane])):
        s.journal[lane, k] = 0.0
    s.entries[lane], s.alert[lane] = 0, 0
    right, wrong = closed(s, lane, params)
    for agent in range(params.agents):  # legal at the beginning of the tick: noted before anybody acts
        verb, target = np.int64(actions[lane, agent, 0]), np.int64(actions[lane, agent, 1])
        s.refused[lane, agent] = 1 if is_legal(s, lane, params, agent, verb, target) else 0
    for agent in range(params.agents):
        legal = s.refused[lane, agent] > 0
        s.refused[lane, agent] = 0
        if legal:
            begin_action(s, lane, params, agent, np.int64(actions[lane, agent, 0]), np.int64(actions[lane, agent, 1]))
    if s.pending[lane] == 0 and s.alert[lane] == 0:
        s.clock[lane] += LULL
    advance(s, lane, params)
    s.tick[lane] += 1
    now_right, now_wrong = closed(s, lane, params)
    for agent in range(params.agents):
        s.reward[lane, agent] = (now_right - right - (now_wrong - wrong)) / params.cases
    if now_right + now_wrong == params.cases:
        s.done[lane] = Finish.COMPLETED if now_right == params.cases else Finish.STALLED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT

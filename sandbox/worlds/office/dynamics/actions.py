"""What agents do: which actions are legal, how long they take, and what they bring about."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.queueing.events import CLASSES, SPAN, leave, push
from sandbox.worlds.office.dynamics.documents import checks_of, failing, unreadable
from sandbox.worlds.office.dynamics.flow import (
    activity_of,
    ask,
    clear_tray,
    close,
    duration,
    escalate,
    finish,
    note,
    turn_to,
    wait_in_line,
    working_phase,
)  # fmt: skip
from sandbox.worlds.office.state import (
    ACT,
    SIDE,
    SLOTS,
    TEAM,
    Activity,
    Case,
    Check,
    Desk,
    Errand,
    Phase,
    Rule,
    Stream,
    Time,
    Verb,
    Work,
)  # fmt: skip

LOOKING = 0.6  # share of an activity's time for matching; the rest, for deciding; without checks all is for deciding
PASSING = 0.1  # share for handing over


@kernel
def askable(s, lane, params, case, activity):
    """Whether there is somebody whom one can ask."""
    for k in checks_of(params, activity):
        if params.check[k, Check.REMEDY] == Verb.ASK and params.applies[s.case[lane, case, Case.FLOW], k]:
            return True
    return False


@kernel
def is_legal(s, lane, params, agent, verb, target):
    """Whether an action has an effect: take what nobody has with an empty desk; otherwise, what is on the own desk."""
    if verb == Verb.WAIT:
        return target == 0
    if not (0 < verb < params.verbs and 0 <= target < SLOTS) or s.desk[lane, agent, Desk.VERB] != 0:
        return False
    case, own = np.int64(s.board[lane, target]) - 1, np.int64(s.desk[lane, agent, Desk.CASE]) - 1
    if case < 0:
        return False
    if verb == Verb.TAKE:
        return own < 0 and s.case[lane, case, Case.DESK] == 0
    if case != own:
        return False
    activity = activity_of(s, lane, params, case)
    if verb == Verb.MATCH:
        return params.activity[activity, Activity.CHECKS] > 0 and s.case[lane, case, Case.MATCHED] == 0
    if verb == Verb.COMPLETE:
        return params.activity[activity, Activity.KIND] == Work.DO
    if verb == Verb.APPROVE:
        return params.activity[activity, Activity.KIND] == Work.APPROVAL
    return verb != Verb.ASK or askable(s, lane, params, case, activity)


@kernel
def _minutes(s, lane, params, case, activity, verb):
    """How long an agent's action takes."""
    share = 1.0
    if verb == Verb.HAND_OVER:
        share = PASSING
    elif params.activity[activity, Activity.CHECKS] > 0:
        share = LOOKING if verb == Verb.MATCH else 1.0 - LOOKING
    row = params.dist[params.activity[activity, Activity.TIME]]
    index = 64 * activity + np.int64(s.visits[lane, case, activity])
    return duration(s, lane, row, Stream.SERVICE, case, index, share * params.speed)


@kernel
def begin_action(s, lane, params, agent, verb, target):
    """An agent begins a legal action. Taking takes no time; if another agent was faster, it fails."""
    if verb == Verb.WAIT:
        return
    case = np.int64(s.board[lane, target]) - 1
    if verb == Verb.TAKE:
        if case < 0 or s.case[lane, case, Case.DESK] != 0:
            s.refused[lane, agent] = 1
            return
        leave(s, lane, CLASSES * TEAM + np.int64(s.case[lane, case, Case.CLASS]), case)
        s.case[lane, case, Case.DESK], s.desk[lane, agent, Desk.CASE] = agent + 1, case + 1
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = target // SIDE, target % SIDE
        s.alert[lane] = 1
        return
    activity = activity_of(s, lane, params, case)
    turn_to(s, lane, case, working_phase(s, lane, case, activity))
    minutes = _minutes(s, lane, params, case, activity, verb)
    s.desk[lane, agent, Desk.VERB], s.began[lane, agent] = verb, s.clock[lane]
    s.time[lane, case, Time.AGENTS] += minutes
    s.case[lane, case, Case.JUDGED] = failing(s, lane, params, case, activity, agent + 1)
    push(s, lane, s.clock[lane] + minutes, ACT * SPAN + agent)


@kernel
def _put_down(s, lane, agent, case):
    """The desk is empty again, and the case leaves the board."""
    s.desk[lane, agent, Desk.CASE], s.case[lane, case, Case.DESK] = 0, 0
    s.pos[lane, agent, 0], s.pos[lane, agent, 1] = -1, -1
    clear_tray(s, lane, case)


@kernel
def end_action(s, lane, params, agent):
    """An action is over and has its effect."""
    case, verb = np.int64(s.desk[lane, agent, Desk.CASE]) - 1, np.int64(s.desk[lane, agent, Desk.VERB])
    s.desk[lane, agent, Desk.VERB], s.alert[lane] = 0, 1
    activity, row, resource = activity_of(s, lane, params, case), s.case[lane, case], agent + 1
    note(s, lane, case, activity, resource, verb, s.began[lane, agent])
    s.began[lane, agent] = 0.0
    turn_to(s, lane, case, np.int64(Phase.QUEUE))
    if verb == Verb.MATCH:
        row[Case.MATCHED], row[Case.UNREAD] = 1, unreadable(s, lane, params, case, activity)
        row[Case.FAILED] = np.int64(row[Case.JUDGED]) & ~np.int64(row[Case.UNREAD])
        return
    _put_down(s, lane, agent, case)
    if verb == Verb.REJECT:
        close(s, lane, params, case, True)
    elif verb == Verb.ASK:
        ask(s, lane, params, case, activity)
    elif verb == Verb.ESCALATE:
        escalate(s, lane, params, case)
    elif verb == Verb.HAND_OVER:
        row[Case.TURNS] += 1
        row[Case.MATCHED], row[Case.FAILED], row[Case.UNREAD], row[Case.ERRAND] = 0, 0, 0, Errand.NONE
        wait_in_line(s, lane, params, case, np.int64(Phase.HAND_OVER))
    else:
        row[Case.VIOLATIONS] += _broken_rules(s, lane, params, case, activity)
        finish(s, lane, params, case, activity, resource)


@kernel
def _broken_rules(s, lane, params, case, activity):
    """Rules of work that completing an activity now breaks: not matched, not the right hands."""
    row, broken = s.case[lane, case], 0
    if params.activity[activity, Activity.MATCH] > 0 and row[Case.MATCHED] == 0:
        broken += 1
    bits = np.int64(row[Case.JUDGED])
    for k in range(len(params.check)):
        if bits >> k & 1 and params.check[k, Check.RULE] == Rule.SEPARATE:
            broken += 1
    return broken

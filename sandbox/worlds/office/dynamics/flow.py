"""How cases go through the office: lines, services of people, ways through the process, and their end."""

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.queueing.distributions import sample
from sandbox.engine.queueing.events import CLASSES, SPAN, join, push, seating, staffing, waiting
from sandbox.worlds.office.dynamics.calendar import ends, opens
from sandbox.worlds.office.dynamics.documents import (
    bits_of,
    cents_wrong,
    checks_of,
    correct,
    failing,
    is_barred,
    must_be_rejected,
    remedy,
)  # fmt: skip
from sandbox.worlds.office.state import (
    BACK,
    GRAIN,
    JOURNAL,
    SLOTS,
    TEAM,
    Activity,
    Case,
    Check,
    Desk,
    Entry,
    Errand,
    Event,
    Phase,
    Status,
    Stream,
    Time,
    Verb,
    Work,
)  # fmt: skip

# -- clocks and the journal


@kernel
def duration(s, lane, row, stream, case, index, factor):
    """A duration of a case in minutes. It depends on the case and the index, and not on who does the work."""
    key = np.int64(s.case[lane, case, Case.KEY]) if stream == Stream.DELAY else case
    minutes = factor * sample(row, s.seed[lane], key, stream, index)
    return GRAIN * max(1.0, np.ceil(minutes / GRAIN))


@kernel
def turn_to(s, lane, case, phase):
    """A case enters another phase: the time since the last change belongs to the phase before."""
    time, now = s.time[lane, case], s.clock[lane]
    time[Time.TOUCH + s.case[lane, case, Case.PHASE]] += now - time[Time.SINCE]
    time[Time.SINCE] = now
    s.case[lane, case, Case.PHASE] = phase


@kernel
def note(s, lane, case, activity, resource, verb, start):
    """An entry of the journal: something ended now."""
    k = np.int64(s.entries[lane])
    if k >= JOURNAL:
        return
    entry = s.journal[lane, k]
    entry[Entry.CASE], entry[Entry.ACTIVITY], entry[Entry.RESOURCE] = case, activity, resource
    entry[Entry.VERB], entry[Entry.START], entry[Entry.COMPLETE] = verb, start, s.clock[lane]
    s.entries[lane] = k + 1


@kernel
def activity_of(s, lane, params, case):
    """The activity at which a case stands."""
    return np.int64(params.path[s.case[lane, case, Case.FLOW], s.case[lane, case, Case.STEP]]) - 1


@kernel
def working_phase(s, lane, case, activity):
    """Work on a case is rework from its second visit of an activity on."""
    return np.int64(Phase.REWORK) if s.visits[lane, case, activity] > 1 else np.int64(Phase.TOUCH)


# -- the board


@kernel
def _is_free(s, lane):
    for agent in range(len(s.desk[lane])):
        if s.desk[lane, agent, Desk.VERB] == 0:
            return True
    return False


@kernel
def show(s, lane, case):
    """Put a case into the first empty tray of the board, if there is one."""
    for tray in range(SLOTS):
        if s.board[lane, tray] == 0:
            s.board[lane, tray] = case + 1
            s.case[lane, case, Case.TRAY] = tray + 1
            if _is_free(s, lane):
                s.alert[lane] = 1
            return


@kernel
def clear_tray(s, lane, case):
    """A case leaves the board; the next in line that has no tray gets it."""
    tray = np.int64(s.case[lane, case, Case.TRAY]) - 1
    if tray < 0:
        return
    s.board[lane, tray], s.case[lane, case, Case.TRAY] = 0, 0
    for line in range(CLASSES * TEAM, CLASSES * TEAM + CLASSES):
        other = np.int64(s.head[lane, line]) - 1
        while other >= 0:
            if s.case[lane, other, Case.TRAY] == 0 and other != case:
                show(s, lane, other)
                return
            other = np.int64(s.behind[lane, other]) - 1


# -- lines and services


@kernel
def post_of(s, lane, params, case):
    """The post that a case needs next."""
    errand = s.case[lane, case, Case.ERRAND]
    if errand == Errand.ESCALATED:
        return np.int64(params.manager)
    if errand == Errand.REVIEW:
        return np.int64(params.reviewer)
    return np.int64(params.activity[activity_of(s, lane, params, case), Activity.POST])


@kernel
def begin(s, lane, params, server, first, count):
    """A person begins to work on some cases: the time at which it will be done."""
    start, post = s.clock[lane], np.int64(params.pool[server])
    activity = activity_of(s, lane, params, first)
    if s.case[lane, first, Case.ERRAND] != Errand.NONE:
        index = 64 * activity + np.int64(s.case[lane, first, Case.TURNS])
        minutes = duration(s, lane, params.dist[params.errand[post]], Stream.ERRAND, first, index, 1.0)
    else:
        row = params.dist[params.skill[server, activity]]
        index = 64 * activity + np.int64(s.visits[lane, first, activity])
        minutes = duration(s, lane, row, Stream.SERVICE, first, index, 1.0)
    case = first
    for _ in range(count):
        after = np.int64(s.behind[lane, case]) - 1
        turn_to(s, lane, case, working_phase(s, lane, case, activity_of(s, lane, params, case)))
        s.time[lane, case, Time.PEOPLE] += minutes / count
        here = activity_of(s, lane, params, case)
        s.case[lane, case, Case.JUDGED] = failing(s, lane, params, case, here, 1 + params.agents + server)
        if post == TEAM:
            clear_tray(s, lane, case)
        case = after
    s.service[lane, server, 0], s.service[lane, server, 1] = start, minutes
    s.worked[lane, server] += minutes
    return ends(s, lane, params, server, start, minutes)


@kernel
def _is_for_others(s, lane, params, server, case):
    """Whether a case needs other hands than this person's, and a colleague at the post has them."""
    activity, first = activity_of(s, lane, params, case), 1 + params.agents
    is_errand = s.case[lane, case, Case.ERRAND] != Errand.NONE
    if not is_errand and params.skill[server, activity] < 0:
        return True
    if not is_barred(s, lane, params, case, activity, first + server):
        return False
    pool = np.int64(params.pool[server])
    for other in range(np.int64(params.crew[pool]), np.int64(params.crew[pool + 1])):
        able = is_errand or params.skill[other, activity] >= 0
        if able and not is_barred(s, lane, params, case, activity, first + other):
            return True
    return False


@kernel
def pick(s, lane, params, server):
    """The line and the case that a person takes: urgent ones first, then first come, first served; -1: none."""
    pool = np.int64(params.pool[server])
    for line in range(CLASSES * pool, CLASSES * pool + CLASSES):
        case = np.int64(s.head[lane, line]) - 1
        while case >= 0:
            if not _is_for_others(s, lane, params, server, case):
                return line, case
            case = np.int64(s.behind[lane, case]) - 1
    return -1, -1


seat = specialise(seating, "office", opens=opens, pick=pick, begin=begin)
staff = specialise(staffing, "office", seat=seat)


@kernel
def wait_in_line(s, lane, params, case, phase):
    """A case joins the line of the post that it needs."""
    post = post_of(s, lane, params, case)
    turn_to(s, lane, case, phase)
    join(s, lane, CLASSES * post + np.int64(s.case[lane, case, Case.CLASS]), case)
    if post == TEAM:
        show(s, lane, case)
    staff(s, lane, params, post)


@kernel
def enter(s, lane, params, case, phase):
    """A case comes to its activity: a new visit."""
    activity = activity_of(s, lane, params, case)
    row = s.case[lane, case]
    row[Case.ERRAND], row[Case.MATCHED], row[Case.FAILED], row[Case.UNREAD] = Errand.NONE, 0, 0, 0
    s.visits[lane, case, activity] += 1
    wait_in_line(s, lane, params, case, phase)


# -- the way through the process


@kernel
def close(s, lane, params, case, rejected):
    """A case ends; whether that is right follows from its documents."""
    row = s.case[lane, case]
    turn_to(s, lane, case, np.int64(Phase.QUEUE))
    must = must_be_rejected(s, lane, params, case)
    right = must if rejected else row[Case.MISSED] == 0
    row[Case.STATUS] = Status.RIGHT if right else Status.WRONG
    s.ended[lane, 0 if right else 1] += 1
    row[Case.WRONGLY] = 1 if rejected and not must else 0
    row[Case.CENTS] = 0 if rejected else cents_wrong(s, lane, params, case, np.int64(row[Case.MISSED]))
    row[Case.ERRAND] = Errand.NONE
    s.time[lane, case, Time.CLOSED] = s.clock[lane]
    verb = np.int64(Event.REJECTED) if rejected else np.int64(Event.CLOSED)
    note(s, lane, case, -1, 0, verb, s.time[lane, case, Time.ARRIVED])


@kernel
def go_on(s, lane, params, case):
    """A case goes to the next step of its flow that it takes; after the last one it closes."""
    row = s.case[lane, case]
    flow, before = np.int64(row[Case.FLOW]), np.int64(row[Case.STEP])
    step, turn = before, 0
    if params.loops > 0 and step >= 0:  # a step that is reached again has another draw
        last = activity_of(s, lane, params, case)
        turn = params.path.shape[1] * (64 * last + np.int64(s.visits[lane, case, last]))
    while True:
        step += 1
        ended = step >= params.path.shape[1] or (params.path[flow, step] == 0 and params.jump[flow, step] == 0)
        if ended:
            row[Case.STEP] = step - 1 if params.loops == 0 else before
            close(s, lane, params, case, False)
            return
        if uniform(s.seed[lane], np.int64(row[Case.KEY]), Stream.STEP, step + turn) < params.chance[flow, step]:
            if params.jump[flow, step] == 0:
                break
            step = np.int64(params.jump[flow, step]) - 2
    row[Case.STEP] = step
    activity = np.int64(params.path[flow, step]) - 1
    if params.activity[activity, Activity.KIND] == Work.WAIT:
        outside = params.activity[activity, Activity.OUTSIDE] > 0
        turn_to(s, lane, case, np.int64(Phase.OUTSIDE) if outside else np.int64(Phase.HAND_OVER))
        row[Case.ERRAND] = Errand.NONE
        time, index = params.dist[params.activity[activity, Activity.TIME]], activity
        if params.loops > 0:
            index = activity + 64 * np.int64(s.visits[lane, case, activity])
            s.visits[lane, case, activity] += 1
        push(s, lane, s.clock[lane] + duration(s, lane, time, Stream.DELAY, case, index, 1.0), BACK * SPAN + case)
    else:
        enter(s, lane, params, case, np.int64(Phase.QUEUE))


@kernel
def finish(s, lane, params, case, activity, actor):
    """An activity is done by a resource: what it overlooked is noted, and the case may go to a review, or on."""
    row = s.case[lane, case]
    row[Case.MISSED] = (np.int64(row[Case.MISSED]) & ~bits_of(params, activity)) | np.int64(row[Case.JUDGED])
    s.actor[lane, case, activity], s.stamp[lane, case, activity] = actor, s.clock[lane]
    by_agent = 0 < actor <= params.agents
    if by_agent and params.activity[activity, Activity.REVIEW] > 0:
        index = 64 * activity + np.int64(s.visits[lane, case, activity])
        if uniform(s.seed[lane], case, Stream.REVIEW, index) < params.review:
            row[Case.ERRAND] = Errand.REVIEW
            row[Case.TURNS] += 1
            wait_in_line(s, lane, params, case, np.int64(Phase.HAND_OVER))
            return
    go_on(s, lane, params, case)


@kernel
def ask(s, lane, params, case, activity):
    """Somebody is asked to correct what fails; the answer takes its time. Asking the wrong one leaks data."""
    row = s.case[lane, case]
    bits = failing(s, lane, params, case, activity, 0)
    chosen = -1
    for k in checks_of(params, activity):
        askable = params.check[k, Check.REMEDY] == Verb.ASK
        if askable and (chosen < 0 or (bits >> k & 1 and not bits >> chosen & 1)):
            chosen = k
        if bits >> k & 1 and params.check[k, Check.LEAK] > 0:
            row[Case.LEAKS] += 1
    outside = params.check[chosen, Check.OUTSIDE] > 0
    row[Case.ERRAND] = Errand.ASKED
    turn_to(s, lane, case, np.int64(Phase.OUTSIDE) if outside else np.int64(Phase.HAND_OVER))
    index = 4096 + 64 * chosen + np.int64(s.visits[lane, case, activity])
    delay = duration(s, lane, params.dist[params.check[chosen, Check.DELAY]], Stream.DELAY, case, index, 1.0)
    push(s, lane, s.clock[lane] + delay, BACK * SPAN + case)


@kernel
def escalate(s, lane, params, case):
    """A case goes to the manager."""
    s.case[lane, case, Case.ERRAND] = Errand.ESCALATED
    s.case[lane, case, Case.TURNS] += 1
    wait_in_line(s, lane, params, case, np.int64(Phase.HAND_OVER))


@kernel
def come_back(s, lane, params, case):
    """What somebody else had to do is done: an answer, or a step outside."""
    activity, row = activity_of(s, lane, params, case), s.case[lane, case]
    start = s.time[lane, case, Time.SINCE]
    if row[Case.ERRAND] == Errand.ASKED:
        bits, asked = failing(s, lane, params, case, activity, 0), 0
        for k in range(len(params.check)):
            if bits >> k & 1 and params.check[k, Check.REMEDY] == Verb.ASK:
                asked |= 1 << k
        correct(s, lane, params, case, asked)
        note(s, lane, case, activity, 0, np.int64(Event.ANSWERED), start)
        enter(s, lane, params, case, np.int64(Phase.QUEUE))
        return
    s.stamp[lane, case, activity] = s.clock[lane]
    note(s, lane, case, activity, 0, np.int64(Event.OUTSIDE), start)
    go_on(s, lane, params, case)


# -- people


@kernel
def _found(s, lane, params, server, case, bits, stream):
    """Those of the failing checks that a person finds; fewer, the more work waits for it."""
    post = np.int64(params.pool[server])
    people = np.int64(params.crew[post + 1]) - np.int64(params.crew[post])
    rested, tired, full = params.caught[post]
    share = rested - (rested - tired) * min(1.0, waiting(s, lane, post) / (full * people))
    found = 0
    for k in range(len(params.check)):
        if bits >> k & 1:
            index = 64 * k + np.int64(s.case[lane, case, Case.TURNS])
            if uniform(s.seed[lane], case, stream, index) < share:
                found |= 1 << k
    return found


@kernel
def _settle(s, lane, params, case, activity):
    """A manager settles whatever is wrong: rejects, has documents corrected, or grants an exception."""
    bits = failing(s, lane, params, case, activity, s.actor[lane, case, activity]) | np.int64(
        s.case[lane, case, Case.FAILED]
    )
    if must_be_rejected(s, lane, params, case):
        close(s, lane, params, case, True)
        return
    correct(s, lane, params, case, bits)
    s.case[lane, case, Case.CLEARED] |= bits | bits_of(params, activity)
    row = s.case[lane, case]
    row[Case.ERRAND], row[Case.MATCHED], row[Case.FAILED], row[Case.UNREAD] = Errand.NONE, 1, 0, 0
    wait_in_line(s, lane, params, case, np.int64(Phase.HAND_OVER))


@kernel
def _review(s, lane, params, server, case, activity, start):
    """A reviewer looks at what an agent has completed; an error that is found goes back."""
    resource = 1 + params.agents + server
    bits = np.int64(s.case[lane, case, Case.MISSED]) & bits_of(params, activity)
    if _found(s, lane, params, server, case, bits, Stream.CAUGHT) == 0:
        note(s, lane, case, activity, resource, np.int64(Event.REVIEWED), start)
        go_on(s, lane, params, case)
        return
    note(s, lane, case, activity, resource, np.int64(Event.RETURNED), start)
    enter(s, lane, params, case, np.int64(Phase.HAND_OVER))


@kernel
def _work(s, lane, params, server, case, activity, start):
    """A person does an activity: finds some of what is wrong, and does what is right about that."""
    resource = 1 + params.agents + server
    bits = np.int64(s.case[lane, case, Case.JUDGED])
    act = remedy(params, _found(s, lane, params, server, case, bits, Stream.FOUND))
    note(s, lane, case, activity, resource, np.int64(Event.SERVED) if act == Verb.WAIT else act, start)
    if act == Verb.REJECT:
        close(s, lane, params, case, True)
    elif act == Verb.ESCALATE:
        escalate(s, lane, params, case)
    elif act == Verb.ASK:
        ask(s, lane, params, case, activity)
    else:
        finish(s, lane, params, case, activity, resource)


@kernel
def served(s, lane, params, server, case):
    """A person has done its work on a case. Nights within the service were spent in the queue."""
    row, time = s.case[lane, case], s.time[lane, case]
    start, minutes = s.service[lane, server, 0], s.service[lane, server, 1]
    phase = np.int64(row[Case.PHASE])
    time[Time.QUEUE] += s.clock[lane] - time[Time.SINCE] - minutes
    time[Time.TOUCH + phase] += minutes
    time[Time.SINCE] = s.clock[lane]
    activity = activity_of(s, lane, params, case)
    if row[Case.ERRAND] == Errand.ESCALATED:
        note(s, lane, case, activity, 1 + params.agents + server, np.int64(Event.SETTLED), start)
        _settle(s, lane, params, case, activity)
    elif row[Case.ERRAND] == Errand.REVIEW:
        _review(s, lane, params, server, case, activity, start)
    else:
        _work(s, lane, params, server, case, activity, start)

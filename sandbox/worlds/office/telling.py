"""What the office says to people: what an agent is doing, why an action came to nothing, charts and gauges."""

import numpy as np

from sandbox.core.telling import Chart, Gantt, Gauge, Span, Transition, unplanned
from sandbox.engine.kernel import twin
from sandbox.engine.queueing.events import CLASSES
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.dynamics.flow import activity_of
from sandbox.worlds.office.dynamics.kernels import closed
from sandbox.worlds.office.log import resources
from sandbox.worlds.office.rendering.text import moment
from sandbox.worlds.office.state import (
    DAY,
    SIDE,
    TEAM,
    Activity,
    Case,
    Channel,
    Column,
    Desk,
    Entry,
    Params,
    Phase,
    State,
    Status,
    Time,
    Verb,
    Work,
)  # fmt: skip

PHASES = tuple(phase.name.lower().replace("_", "-") for phase in Phase)
_DOES = {
    Verb.COMPLETE: "completes", Verb.MATCH: "matches the documents of", Verb.APPROVE: "approves",
    Verb.REJECT: "rejects", Verb.ASK: "asks for a correction of", Verb.ESCALATE: "escalates",
    Verb.HAND_OVER: "hands over",
}  # fmt: skip


# -- what an agent is doing


def _item(s: State, lane: int, params: Params, case: int) -> str:
    flow, step = s.case[lane, case, [Case.FLOW, Case.STEP]]
    activity = labels(params).activities[int(params.path[flow, step]) - 1]
    return f"case {case + 1} ({activity})"


def doing(told: Transition, agent: int) -> str:
    """The action of an agent, with its case."""
    busy = int(told.before.desk[0, agent, Desk.VERB])
    if busy:
        case = int(told.before.desk[0, agent, Desk.CASE]) - 1
        return f"is busy: {_DOES[Verb(busy)]} {_item(told.before, 0, told.params, case)}"
    return unplanned(told, agent, _acts) or _acts(told, agent)


def _acts(told: Transition, agent: int) -> str:
    verb, target = told.action(agent)
    if not told.exists(agent):
        return "chose an action that does not exist"
    case = int(told.before.board[0, target]) - 1
    if verb == Verb.WAIT:
        what = _waits(told, agent)
    elif case < 0:
        what = f"reaches for tray {target}, which is empty"
    elif verb == Verb.TAKE:
        what = f"takes {_item(told.before, 0, told.params, case)} from tray {target}"
    else:
        what = f"{_DOES[Verb(verb)]} {_item(told.before, 0, told.params, case)}"
    return f"{what}, in vain: {told.because(agent, cause)}" if told.outcome(agent) else what


def _waits(told: Transition, agent: int) -> str:
    vector = told.obs.vector[0, agent]
    if vector[Column.TRAY]:
        return "waits, with a work item on its desk"
    if vector[Column.WAITING]:
        return "waits, though there is work on the board"
    return "waits for work: the board is empty"


# -- why an action came to nothing


def cause(told: Transition, agent: int) -> str:
    """What made an agent's action impossible."""
    verb, target = told.action(agent)
    if told.outcome(agent) == "failed":
        return "a colleague took it first" if verb == Verb.TAKE else ""
    vector, window = told.obs.vector[0, agent], told.obs.window[0, agent]
    activity, holder = (int(window[c, target // SIDE, target % SIDE]) for c in (Channel.ACTIVITY, Channel.HOLDER))
    if verb == Verb.WAIT:
        return "waiting takes no tray"
    if vector[Column.BUSY]:
        return "the agent is still busy"
    if told.before.board[0, target] == 0:
        return f"tray {target} is empty"
    if verb == Verb.TAKE:
        full = "it has a work item on its desk already"
        return full if vector[Column.TRAY] else "somebody else has it on the desk"
    if int(vector[Column.TRAY]) - 1 != target or holder != 1:
        return "it is not on the own desk"
    kind = told.params.activity[max(activity, 1) - 1, Activity.KIND]
    if verb in (Verb.COMPLETE, Verb.APPROVE):
        return "this activity is approved or rejected" if kind == Work.APPROVAL else "this activity is no approval"
    if verb == Verb.MATCH:
        none = told.params.activity[max(activity, 1) - 1, Activity.CHECKS] == 0
        return "there is nothing to match" if none else "it has been matched"
    return "there is nobody to ask"


# -- charts and gauges


def _open(s: State, lane: int) -> int:
    return int((s.case[lane, :, Case.STATUS] == Status.OPEN).sum())


def _staffed(params: Params) -> np.ndarray:
    """(posts,) bool: whether somebody works there."""
    found = np.diff(params.crew) > 0
    found[TEAM] = True
    return found


def _posts(params: Params) -> tuple[str, ...]:
    return tuple(labels(params).posts[post] for post in np.flatnonzero(_staffed(params)))


def _waiting(s: State, lane: int, params: Params) -> tuple[float, ...]:
    lines = s.length[lane].reshape(-1, CLASSES).sum(axis=1, dtype=np.float64)
    return tuple(lines[_staffed(params)].tolist())


def _inside(s: State, lane: int, params: Params) -> tuple[float, ...]:
    """The mean hours of the cases so far that were spent in the office, by phase."""
    return tuple(minutes / 60 / max(1, s.arrived[lane]) for minutes in list(split(s, lane, params).values())[:-1])


def _elapsed(s: State, lane: int, params: Params) -> tuple[float, ...]:
    *inside, outside = (minutes / DAY / max(1, s.arrived[lane]) for minutes in split(s, lane, params).values())
    return sum(inside), outside


def _euros(s: State, lane: int, params: Params) -> float:
    return float(s.case[lane, :, Case.CENTS].sum() / 100)


CHARTS = (
    Chart("Closed", "cases", lambda s, lane, params: tuple(map(float, twin(closed)(s, lane, params))),
          lambda params: ("correctly", "wrongly")),
    Chart("Waiting", "work items in the lines of each post", _waiting, _posts),
    Chart("Time inside", "hours of a case in the office, the mean so far", _inside, lambda params: PHASES[:-1]),
    Chart("Time", "days of a case in the office and outside, the mean so far", _elapsed,
          lambda params: ("inside", "outside")),
    Chart("Euros wrong", "euros, of closed cases", _euros),
)  # fmt: skip


# -- who works on what


def _done(params: Params) -> list[int]:
    """The activities that somebody of the office does."""
    return np.flatnonzero(params.activity[:, Activity.KIND] != Work.WAIT).tolist()


def _spans(s: State, lane: int, params: Params) -> tuple[Span, ...]:
    """What was done in the last tick and is under way; what is done for several cases at once is one span."""
    kind = {activity: k for k, activity in enumerate(_done(params))}
    found = [
        Span(int(row[Entry.RESOURCE]) - 1, kind[int(row[Entry.ACTIVITY])], row[Entry.START], row[Entry.COMPLETE])
        for row in s.journal[lane, : s.entries[lane]].tolist()
        if row[Entry.RESOURCE] > 0 and row[Entry.COMPLETE] > row[Entry.START]
    ]
    cases = [case - 1 if verb else -1 for case, verb in s.desk[lane].tolist()] + (s.serving[lane] - 1).tolist()
    starts = [*s.began[lane].tolist(), *s.service[lane, :, 0].tolist()]
    for row, (case, start) in enumerate(zip(cases, starts, strict=True)):
        if case >= 0:
            found.append(Span(row, kind[int(twin(activity_of)(s, lane, params, case))], start, None))
    return tuple(dict.fromkeys(found))


GANTT = Gantt(
    lambda params: tuple(resources(params)[1:]),
    lambda params: tuple(labels(params).activities[k] for k in _done(params)),
    _spans,
    lambda s, lane, params: float(s.clock[lane]),
)


def split(s: State, lane: int, params: Params) -> dict[str, float]:
    """Minutes of all cases so far, by what they went on; they add up to the time that the cases have taken."""
    is_open = s.case[lane, :, Case.STATUS] == Status.OPEN
    running = (s.clock[lane] - s.time[lane, :, Time.SINCE])[is_open]  # the phase that is under way counts too
    spent = s.time[lane, :, Time.TOUCH : Time.PEOPLE].sum(axis=0)
    spent += np.bincount(s.case[lane, is_open, Case.PHASE], running, len(Phase))
    return dict(zip(PHASES, spent.tolist(), strict=True))


def gauges(s: State, lane: int, agent: int, params: Params) -> tuple[Gauge, ...]:
    """Cases, clock, errors; the work item of an agent."""
    if agent >= 0:
        case = int(s.desk[lane, agent, Desk.CASE]) - 1
        return (Gauge("item", "on the desk", text=_item(s, lane, params, case)),) if case >= 0 else ()
    right, wrong = twin(closed)(s, lane, params)
    minutes = float(s.time[lane, :, Time.PEOPLE].sum())
    return (
        Gauge("score", f"{labels(params).case}s closed correctly", int(right), params.cases),
        Gauge("clock", "time", float(s.clock[lane]), text=moment(float(s.clock[lane]))),
        Gauge("fact", "open cases", _open(s, lane), params.cases),
        Gauge("fact", "closed wrongly", int(wrong)),
        Gauge("fact", "people's work", round(minutes / 60, 1), unit="hours"),
    )

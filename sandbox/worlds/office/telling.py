"""What the office says to people: what an agent is doing, why an action came to nothing, charts and gauges."""

from sandbox.core.telling import Chart, Gauge, Transition, unplanned
from sandbox.engine.kernel import twin
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.dynamics.kernels import closed
from sandbox.worlds.office.rendering.text import moment
from sandbox.worlds.office.state import (
    SIDE,
    Activity,
    Case,
    Channel,
    Column,
    Desk,
    Params,
    Phase,
    State,
    Status,
    Time,
    Verb,
    Work,
)  # fmt: skip

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


def _waiting(s: State, lane: int, params: Params) -> float:
    """Work items in all lines, of the team and of people."""
    return float(s.length[lane].sum())


def _euros(s: State, lane: int, params: Params) -> float:
    return float(s.case[lane, :, Case.CENTS].sum() / 100)


CHARTS = (
    Chart("Closed correctly", "cases", lambda s, lane, params: float(twin(closed)(s, lane, params)[0])),
    Chart("Waiting", "work items in all lines", _waiting),
    Chart("Euros wrong", "euros, of closed cases", _euros),
)


def split(s: State, lane: int, params: Params) -> dict[str, float]:
    """Minutes of all cases so far, by what they went on; they add up to the time that the cases have taken."""
    spent = s.time[lane, :, Time.TOUCH : Time.PEOPLE].sum(axis=0)
    is_open = s.case[lane, :, Case.STATUS] == Status.OPEN
    running = s.clock[lane] - s.time[lane, :, Time.SINCE]
    for phase in Phase:  # of open cases, the phase that is under way counts too
        spent[phase] += running[is_open & (s.case[lane, :, Case.PHASE] == phase)].sum()
    return {phase.name.lower().replace("_", "-"): float(spent[phase]) for phase in Phase}


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

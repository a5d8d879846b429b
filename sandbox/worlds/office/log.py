"""The event log of an episode, and the balance of every case: what exports, charts and the study read.

    with open_run(folder) as run:
        log = log_of(replay(run))  # running.replay; or any models, one after each tick

The state holds what ended in the last tick (``State.journal``), so a log needs every tick, and a recorded run gives
the same one by replay. Times are minutes since Monday, 0:00.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import Case, Entry, Event, Params, Phase, State, Status, Time, Verb

_DID = {int(verb): verb.name.lower() for verb in Verb} | {int(event): event.name.lower() for event in Event}


class Logged(NamedTuple):
    """One entry of the log: something that began and has ended."""

    case: int  # from 0
    activity: str  # "": of the whole case
    resource: str  # "outside", or the name of an agent or a person
    did: str  # a verb of an agent; else see state.Event, such as served, outside, arrived, closed
    start: float
    complete: float


def resources(params: Params) -> list[str]:
    """The names of the resources by number: outside, the agents, the people by post."""
    names = labels(params)
    people = [
        f"{names.posts[post]}-{k}" for post in range(params.posts)
        for k in range(int(params.crew[post + 1] - params.crew[post]))
    ]  # fmt: skip
    return ["outside", *(f"agent-{k}" for k in range(params.agents)), *people]


def entries_of(s: State, lane: int, params: Params) -> list[Logged]:
    """What ended in the last tick, in the order of time."""
    names, known, found = labels(params), resources(params), []
    for row in s.journal[lane, : s.entries[lane]]:
        case, activity, resource, verb = (int(row[column]) for column in list(Entry)[:4])
        called = names.activities[activity] if activity >= 0 else ""
        found.append(Logged(case, called, known[resource], _DID[verb], float(row[4]), float(row[5])))
    return found


def log_of(models: Iterable[Any]) -> list[Logged]:
    """The log of an episode, from its models after each tick, as ``running.replay.replay`` yields them."""
    return [entry for model in models for entry in entries_of(model.state, 0, model.env.params)]


def cases_of(s: State, lane: int, params: Params) -> list[dict[str, Any]]:
    """The balance of every case that has arrived.

    Keys: case, flow, status (open, right, wrong), rejected_wrongly, arrived, closed, and minutes of touch,
    queue, hand_over, rework, outside (they add up to closed - arrived), people, agents; violations, leaks, escapes
    (checks that failed when their activity was completed), euros wrong, and the issues that were drawn.
    """
    names, found = labels(params), []
    for case in range(int(s.arrived[lane])):
        row, time = s.case[lane, case], s.time[lane, case]
        status = Status(int(row[Case.STATUS]))
        is_closed = status in (Status.RIGHT, Status.WRONG)
        found.append({
            "case": case, "flow": names.flows[int(row[Case.FLOW])], "status": status.name.lower(),
            "rejected_wrongly": bool(row[Case.WRONGLY]), "arrived": float(time[Time.ARRIVED]),
            "closed": float(time[Time.CLOSED]) if is_closed else None,
            **{phase.name.lower(): float(time[Time.TOUCH + phase]) for phase in Phase},
            "people": float(time[Time.PEOPLE]), "agents": float(time[Time.AGENTS]),
            "violations": int(row[Case.VIOLATIONS]), "leaks": int(row[Case.LEAKS]),
            "escapes": int(row[Case.MISSED]).bit_count(), "euros_wrong": int(row[Case.CENTS]) / 100,
            "issues": [name for k, name in enumerate(names.issues) if row[Case.ISSUES] >> k & 1],
        })  # fmt: skip
    return found

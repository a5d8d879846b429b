"""A lane as JSON values, and back. Lines, desks and trays are lists of cases, from which the arrays' links follow."""

from typing import Any

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.finish import Finish
from sandbox.engine.queueing.events import CALLED, SPAN, Kind
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import (
    ACT,
    ARRIVE,
    BACK,
    CHANGE,
    JOURNAL,
    SIDE,
    SLOTS,
    Case,
    Desk,
    Entry,
    Errand,
    Params,
    Phase,
    State,
    Status,
    Time,
    Verb,
)  # fmt: skip

_EVENTS = {"end": int(Kind.END), "shift": int(Kind.SHIFT), "back": BACK, "act": ACT, "arrive": ARRIVE, "change": CHANGE}
_KINDS = {kind: name for name, kind in _EVENTS.items()}
_LINKED = (Case.TRAY, Case.DESK)  # columns that follow from the lists
_COLUMNS = [column for column in Case if column not in _LINKED]
_NAMED = {Case.STATUS: Status, Case.ERRAND: Errand, Case.PHASE: Phase}


def _chain(s: State, lane: int, first: int) -> list[int]:
    """The cases that are linked from ``first`` (+ 1) on."""
    found = []
    while first > 0:
        found.append(int(first) - 1)
        first = int(s.behind[lane, first - 1])
    return found


def _case(s: State, lane: int, params: Params, case: int) -> dict:
    names, row = labels(params), s.case[lane, case]
    own = {column.name.lower(): int(row[column]) for column in _COLUMNS}
    own |= {column.name.lower(): kind(row[column]).name.lower() for column, kind in _NAMED.items()}
    return {
        "number": case, **own,
        "documents": dict(zip(names.fields, s.doc[lane, case].tolist(), strict=True)),
        "truth": dict(zip(names.fields, s.truth[lane, case].tolist(), strict=True)),
        "actor": s.actor[lane, case].tolist(), "visits": s.visits[lane, case].tolist(),
        "stamp": s.stamp[lane, case].tolist(),
        "time": {column.name.lower(): float(s.time[lane, case, column]) for column in Time},
    }  # fmt: skip


def describe(s: State, lane: int, params: Params) -> dict:
    """A lane as JSON values: the clock, the cases with their documents, people, agents, lines, and coming events."""
    people = [
        {"cases": _chain(s, lane, int(s.serving[lane, m])), "called": bool(s.serving[lane, m] == CALLED),
         "start": float(s.service[lane, m, 0]), "minutes": float(s.service[lane, m, 1]),
         "worked": float(s.worked[lane, m])}
        for m in range(params.people)
    ]  # fmt: skip
    agents = [
        {"case": int(s.desk[lane, n, Desk.CASE]) - 1, "verb": Verb(s.desk[lane, n, Desk.VERB]).name.lower(),
         "began": float(s.began[lane, n]), "refused": bool(s.refused[lane, n])}
        for n in range(params.agents)
    ]  # fmt: skip
    coming = zip(s.due[lane, : s.pending[lane]].tolist(), s.what[lane, : s.pending[lane]].tolist(), strict=True)
    events = [{"minute": due, "kind": _KINDS[what // SPAN], "of": what % SPAN} for due, what in coming][::-1]
    return {
        "seed": int(s.seed[lane]), "tick": int(s.tick[lane]), "clock": float(s.clock[lane]),
        "policy": dict(zip(labels(params).policies, s.policy[lane].tolist(), strict=True)),
        "arrived": int(s.arrived[lane]), "alert": bool(s.alert[lane]),
        "cases": [_case(s, lane, params, case) for case in range(params.cases)],
        "lines": [_chain(s, lane, int(first)) for first in s.head[lane]],
        "board": (s.board[lane] - 1).tolist(), "people": people, "agents": agents, "events": events,
        "journal": s.journal[lane, : s.entries[lane]].tolist(), "reward": s.reward[lane].tolist(),
        "finish": Finish(s.done[lane]).name.lower(),
    }  # fmt: skip


# -- back


def _number(value: Any, where: str, low: float, high: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(f"place: {where}: {value!r}, expected {low:g}..{high:g}")
    return value


def _listed(given: dict, key: str, count: int) -> list:
    if len(given[key]) != count:
        raise UsageError(f"place: {len(given[key])} {key}, expected {count}")
    return given[key]


def _place_case(s: State, lane: int, params: Params, case: int, given: dict) -> None:
    names, row, where = labels(params), s.case[lane, case], f"cases[{case}]"
    limits = {Case.FLOW: len(params.path) - 1, Case.STEP: params.path.shape[1] - 1, Case.CLASS: 1, Case.FORM: 1,
              Case.KEY: params.cases - 1, Case.MATCHED: 1, Case.WRONGLY: 1}  # fmt: skip
    for column in _COLUMNS:
        key = column.name.lower()
        if column in _NAMED:
            known = {each.name.lower(): int(each) for each in _NAMED[column]}
            if given[key] not in known:
                raise unknown(key, given[key], known, f"place: {where}")
            row[column] = known[given[key]]
        else:
            low = -1 if column == Case.STEP else 0
            row[column] = _number(given[key], f"{where}.{key}", low, limits.get(column, 2**31 - 1))
    stands = row[Case.STEP] >= 0 and params.path[row[Case.FLOW], row[Case.STEP]] > 0
    if not stands and row[Case.STATUS] != Status.COMING:
        raise UsageError(f"place: {where}: step {given['step']}, expected a step of its flow's path")
    for key, array in (("documents", s.doc), ("truth", s.truth)):
        for k, field in enumerate(names.fields):
            array[lane, case, k] = _number(given[key][field], f"{where}.{key}.{field}", 0, 2**31 - 1)
    resources = params.agents + params.people
    for key, array, high in (("actor", s.actor, resources), ("visits", s.visits, 2**15 - 1), ("stamp", s.stamp, 1e12)):
        for k, value in enumerate(_listed(given, key, params.activities)):
            array[lane, case, k] = _number(value, f"{where}.{key}", 0, high)
    for column in Time:
        s.time[lane, case, column] = _number(given["time"][column.name.lower()], f"{where}.time", -1e12, 1e12)


class _Places:
    """Where each case is: in at most one place."""

    def __init__(self, s: State, lane: int, params: Params):
        self.cases, self.status, self.used = params.cases, s.case[lane, :, Case.STATUS], set[int]()

    def take(self, case: Any, where: str) -> int:
        _number(case, where, 0, self.cases - 1)
        if case in self.used or self.status[case] != Status.OPEN:
            raise UsageError(f"place: {where}: case {case}, expected an open case that is nowhere else")
        self.used.add(case)
        return case


def _link(s: State, lane: int, cases: list[int]) -> int:
    """Link cases one behind the other; returns the first + 1."""
    for case, behind in zip(cases, [*cases[1:], -1][: len(cases)], strict=True):
        s.behind[lane, case] = behind + 1
    return cases[0] + 1 if cases else 0


def _place_lines(s: State, lane: int, params: Params, given: dict, places: _Places) -> None:
    for k, line in enumerate(_listed(given, "lines", params.lines)):
        cases = [places.take(case, f"lines[{k}]") for case in line]
        s.head[lane, k], s.length[lane, k] = _link(s, lane, cases), len(cases)
        s.tail[lane, k] = cases[-1] + 1 if cases else 0
        for case in cases:
            s.case[lane, case, Case.CLASS] = k % 2
    for m, entry in enumerate(_listed(given, "people", params.people)):
        cases = [places.take(case, f"people[{m}].cases") for case in entry["cases"]]
        s.serving[lane, m] = CALLED if entry["called"] and not cases else _link(s, lane, cases)
        for k, key in enumerate(("start", "minutes")):
            s.service[lane, m, k] = _number(entry[key], f"people[{m}].{key}", 0, 1e12)
        s.worked[lane, m] = _number(entry["worked"], f"people[{m}].worked", 0, 1e12)


def _place_desks(s: State, lane: int, params: Params, given: dict, places: _Places) -> None:
    for tray, case in enumerate(_listed(given, "board", SLOTS)):
        _number(case, f"board[{tray}]", -1, params.cases - 1)
        if case >= 0 and s.case[lane, case, Case.TRAY]:
            raise UsageError(f"place: board[{tray}]: case {case} is in another tray")
        s.board[lane, tray] = case + 1
        if case >= 0:
            s.case[lane, case, Case.TRAY] = tray + 1
    verbs = {verb.name.lower(): int(verb) for verb in Verb}
    for n, entry in enumerate(_listed(given, "agents", params.agents)):
        case, where = entry["case"], f"agents[{n}]"
        if entry["verb"] not in verbs:
            raise unknown("verb", entry["verb"], verbs, f"place: {where}")
        s.desk[lane, n, Desk.VERB] = verbs[entry["verb"]]
        s.began[lane, n] = _number(entry["began"], f"{where}.began", 0, 1e12)
        s.refused[lane, n], s.pos[lane, n] = int(entry["refused"]), -1
        if case != -1:
            places.take(case, f"{where}.case")
            tray = int(s.case[lane, case, Case.TRAY]) - 1
            if tray < 0:
                raise UsageError(f"place: {where}: case {case} is in no tray; expected one of the board's")
            s.desk[lane, n, Desk.CASE], s.case[lane, case, Case.DESK] = case + 1, n + 1
            s.pos[lane, n] = tray // SIDE, tray % SIDE
    lined = {case for line in given["lines"][:2] for case in line}
    for case in given["board"]:
        if case >= 0 and case not in lined and not s.case[lane, case, Case.DESK]:
            raise UsageError(f"place: board: case {case} is neither in the team's lines nor on a desk")


def _place_events(s: State, lane: int, params: Params, given: dict, places: _Places) -> None:
    if len(given["events"]) > params.events:
        raise UsageError(f"place: {len(given['events'])} events, expected at most {params.events}")
    subjects = {"end": params.people, "shift": params.people, "act": params.agents, "back": params.cases,
                "arrive": params.cases, "change": 1}  # fmt: skip
    seen: set[tuple[str, int]] = set()
    for k, event in enumerate(given["events"]):
        kind, of, where = event["kind"], event["of"], f"events[{k}]"
        if kind not in _EVENTS:
            raise unknown("event", kind, _EVENTS, f"place: {where}")
        _number(of, f"{where}.of", 0, subjects[kind] - 1)
        if kind == "back":
            places.take(of, where)
        agent = given["agents"][of] if kind == "act" else None
        waits = agent is not None and (agent["case"] < 0 or agent["verb"] in ("wait", "take"))
        arrived = kind == "arrive" and of != s.arrived[lane]
        idle = kind in ("end", "shift") and s.serving[lane, of] == 0
        if waits or arrived or idle or (kind, of) in seen:
            raise UsageError(
                f"place: {where}: nothing that '{kind}' of {of} could end; expected what describe() returns"
            )
        seen.add((kind, of))
        at = len(given["events"]) - 1 - k  # the next one is last
        s.due[lane, at] = _number(event["minute"], f"{where}.minute", float(s.clock[lane]), 1e12)
        s.what[lane, at] = _EVENTS[kind] * SPAN + of
        if k and (s.due[lane, at + 1], s.what[lane, at + 1]) > (s.due[lane, at], s.what[lane, at]):
            raise UsageError(f"place: {where}: before events[{k - 1}]; expected them in the order of time")
    s.pending[lane] = len(given["events"])
    acting = {of for kind, of in seen if kind == "act"}
    for n, entry in enumerate(given["agents"]):
        if (entry["verb"] != "wait") != (n in acting):
            raise UsageError(
                f"place: agents[{n}]: verb {entry['verb']}, expected an event 'act' for each action under way"
            )


def place(s: State, lane: int, params: Params, given: dict) -> None:
    """Write a description into a lane; raises UsageError where it is invalid."""
    for name, field in s._asdict().items():
        if name != "seed":
            field[lane] = 0
    s.seed[lane], s.tick[lane] = given["seed"], given["tick"]
    s.clock[lane] = _number(given["clock"], "clock", 0, 1e12)
    s.arrived[lane] = _number(given["arrived"], "arrived", 0, params.cases)
    for k, name in enumerate(labels(params).policies):
        s.policy[lane, k] = _number(given["policy"][name], f"policy.{name}", 0, 1e12)
    for case, entry in enumerate(_listed(given, "cases", params.cases)):
        _place_case(s, lane, params, case, entry)
    status = s.case[lane, :, Case.STATUS]
    s.ended[lane] = (status == Status.RIGHT).sum(), (status == Status.WRONG).sum()
    if s.arrived[lane] != (status != Status.COMING).sum():
        raise UsageError(f"place: arrived: {given['arrived']}, expected the number of cases that are not coming")
    places = _Places(s, lane, params)
    _place_lines(s, lane, params, given, places)
    _place_desks(s, lane, params, given, places)
    _place_events(s, lane, params, given, places)
    if len(given["journal"]) > JOURNAL:
        raise UsageError(f"place: {len(given['journal'])} entries of the journal, expected at most {JOURNAL}")
    for k, entry in enumerate(given["journal"]):
        s.journal[lane, k] = np.array(entry, np.float64).reshape(len(Entry))
    s.alert[lane], s.entries[lane] = int(given["alert"]), len(given["journal"])
    s.reward[lane], s.done[lane] = given["reward"], Finish[given["finish"].upper()]

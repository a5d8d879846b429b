"""The log of an episode of the office: cases, their documents, who issued them, and who worked on them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.event_log import INITIAL, Event, Object, Part, Value, at
from sandbox.engine.kernel import twin
from sandbox.worlds.office.compiler import Labels, labels
from sandbox.worlds.office.dynamics.documents import checks_of
from sandbox.worlds.office.log import Logged, cases_of, entries_of, resources
from sandbox.worlds.office.state import Activity, Check, Field, Make, Params, Rule, State, Unit

_DONE = ("complete", "approve", "served", "outside")  # what ends an activity
_CORRECTED = ("answered", "settled")  # what changes documents
OUTSIDE = "outside"


def log_part(models: Iterable[Any], trial: int) -> Part:
    """The log of a trial, from its models after each tick."""
    told: _Told | None = None
    for model in models:
        told = told or _Told(model.env.params, model.state, trial)
        told.take(model.state)
    if told is None:
        raise ValueError("no model")
    return told.part()


def _once(related: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each object once, as what it is first: readers of JSON keep one qualifier of an object."""
    return tuple({name: (name, qualifier) for name, qualifier in reversed(list(related))}.values())[::-1]


class _Kinds(NamedTuple):
    """What becomes of the documents of a process."""

    case: str  # the kind of a case
    documents: list[str]
    parties: dict[int, str]  # fields that name somebody, such as a vendor: the kind of that object
    owners: dict[int, int]  # documents that say something about a party: its field


def _kinds(params: Params, names: Labels) -> _Kinds:
    """A document all of whose fields are codes of one party is master data, and no document of a case."""
    documents = [[f for f in range(params.fields) if params.field[f, Field.DOCUMENT] == d]
                 for d in range(len(names.documents))]  # fmt: skip
    picked, owners = [f for f in range(params.fields) if params.field[f, Field.KIND] == Make.PICK], {}
    for document, fields in enumerate(documents):
        sources = {(int(params.field[f, Field.KIND]), int(params.field[f, Field.A])) for f in fields}
        for field in picked:
            if sources == {(Make.CODE, field)}:
                owners[document] = field
    own = {field: names.documents[document] for document, field in owners.items()}
    parties = {f: own.get(f, names.fields[f].split(".", 1)[1]) for f in picked}
    return _Kinds(names.case, names.documents, parties, owners)


class _Told:
    """The log as it grows, tick by tick."""

    def __init__(self, params: Params, s: State, trial: int):
        self._params, self._names, self._trial, self._last = params, labels(params), trial, s
        self._kinds = _kinds(params, self._names)
        self._resources = resources(params)
        self._events: list[Event] = []
        self._first = s.doc[0].copy()
        self._doc = self._first.copy()
        self._changes: dict[int, dict[int, list[tuple[float, int]]]] = {}  # of the fields of cases: when, the new value
        self._there = np.full(params.cases, params.given, np.int64)  # bits of the documents of each case

    def take(self, s: State) -> None:
        """A tick."""
        entries = entries_of(s, 0, self._params)
        for entry in entries:
            self._events.append(self._event(entry))
        for case, field in zip(*np.nonzero(self._doc != s.doc[0]), strict=True):
            times = [each.complete for each in entries if each.case == case and each.did in _CORRECTED]
            moment = times[-1] if times else float(s.clock[0])  # else somebody drew into the world
            own = self._changes.setdefault(int(case), {}).setdefault(int(field), [])
            own.append((moment, int(s.doc[0, case, field])))
        self._doc[:] = s.doc[0]
        self._last = s

    def part(self) -> Part:
        """The whole log."""
        objects = [self._of_trial(), *self._people()]
        closing = cases_of(self._last, 0, self._params)
        parties: dict[str, Object] = {}
        for row in closing:
            case = row["case"]
            for party in self._parties(case):
                parties.setdefault(party.name, party)
            objects += self._documents(case, row)
        self._events.sort(key=lambda event: event.end)
        return Part(self._trial, self._kinds.case, [*objects, *parties.values()], self._events)

    # -- events --------------------------------------------------------------------------------------------------------

    def _event(self, entry: Logged) -> Event:
        case, did = entry.case, entry.did.replace("_", " ")
        if not entry.activity:
            kind, related = f"{self._kinds.case} {did}", []
        else:
            number = self._names.activities.index(entry.activity)
            is_done = entry.did in _DONE
            kind = entry.activity if is_done else f"{did} {entry.activity}"
            related = [(name, "checks") for name in self._checked(case, number)]
            if is_done:
                brought = int(self._params.activity[number, Activity.BRINGS])
                related += [(self._document(case, d), "brings") for d in self._cases(brought)]
                self._there[case] |= brought
        who = "" if entry.resource == OUTSIDE else entry.resource
        objects = [(self._case(case), "case"), *related, *([(self._resource(who), "by")] if who else [])]
        start = at(entry.start) if entry.activity else None
        values = {"did": did, **({"start": start} if start else {}), **({"resource": who} if who else {})}
        return Event(kind, start, at(entry.complete), self._case(case), who, values, _once(objects))

    def _checked(self, case: int, activity: int) -> list[str]:
        """The documents that the checks of an activity look at, as far as they are there."""
        bits = 0
        for row in self._params.check[list(twin(checks_of)(self._params, activity))]:
            sides = [] if row[Check.RULE] == Rule.SEPARATE else [Check.LEFT]
            sides += [Check.RIGHT] if row[Check.RULE] in (Rule.EQUAL, Rule.AT_MOST) else []
            for side in sides:
                bits |= 1 << int(self._params.field[row[side], Field.DOCUMENT])
        there = bits & int(self._there[case])
        master = [self._party(case, field) for d, field in self._kinds.owners.items() if there >> d & 1]
        return [*(self._document(case, d) for d in self._cases(there)), *master]

    # -- objects -------------------------------------------------------------------------------------------------------

    def _of_trial(self) -> Object:
        return Object(f"{self._trial}:trial", "trial", (("seed", INITIAL, int(self._last.seed[0])),))

    def _people(self) -> list[Object]:
        found = []
        for number, name in enumerate(self._resources[1:]):
            person = number - self._params.agents
            post = "agent" if person < 0 else self._names.posts[int(self._params.pool[person])]
            values = ("name", INITIAL, name), ("post", INITIAL, post)
            found.append(Object(self._resource(name), "resource", values))
        return found

    def _parties(self, case: int) -> list[Object]:
        found = []
        for field, kind in self._kinds.parties.items():
            master = [d for d, own in self._kinds.owners.items() if own == field]
            own = [pair for document in master for pair in self._values(case, document, self._first[case])]
            values = tuple((name, INITIAL, value) for name, value in own)
            found.append(Object(self._party(case, field), kind, values))
        return found

    def _documents(self, case: int, row: dict) -> list[Object]:
        """The documents of a case that are there, and the case itself; it is one of them if it has its name."""
        found = {}
        for document in self._cases(int(self._there[case])):
            values = [(name, INITIAL, value) for name, value in self._values(case, document, self._first[case])]
            for field, changes in self._changes.get(case, {}).items():
                if self._params.field[field, Field.DOCUMENT] == document:
                    name = self._names.fields[field].split(".", 1)[1]
                    values += [(name, at(moment), self._value(field, number)) for moment, number in changes]
            found[self._kinds.documents[document]] = (self._document(case, document), values)
        status = [("flow", INITIAL, row["flow"]), ("status", INITIAL, "open")]
        if row["closed"] is not None:
            status.append(("status", at(row["closed"]), row["status"]))
        name, values = found.pop(self._kinds.case, (self._case(case), []))
        related = [(f"{self._trial}:trial", "trial"), *((other, kind) for kind, (other, _) in found.items())]
        related += [(self._party(case, field), kind) for field, kind in self._kinds.parties.items()]
        others = [Object(other, kind, tuple(values)) for kind, (other, values) in found.items()]
        return [Object(name, self._kinds.case, (*values, *status), tuple(related)), *others]

    def _values(self, case: int, document: int, doc: np.ndarray) -> list[tuple[str, Value]]:
        """The fields of a document by name; a party is a related object, not a value."""
        fields = [f for f in range(self._params.fields) if self._params.field[f, Field.DOCUMENT] == document]
        return [(self._names.fields[f].split(".", 1)[1], self._value(f, int(doc[f])))
                for f in fields if f not in self._kinds.parties]  # fmt: skip

    def _value(self, field: int, number: int) -> Value:
        unit = self._params.field[field, Field.UNIT]
        if unit == Unit.CENTS:
            return number / 100
        return bool(number) if unit == Unit.YES else str(number) if unit == Unit.CODE else number

    def _cases(self, bits: int) -> list[int]:
        """The documents among these bits that belong to a case."""
        return [d for d in range(len(self._kinds.documents)) if bits >> d & 1 and d not in self._kinds.owners]

    # -- names ---------------------------------------------------------------------------------------------------------

    def _case(self, case: int) -> str:
        return f"{self._trial}:{self._kinds.case}-{case}"

    def _document(self, case: int, document: int) -> str:
        return f"{self._trial}:{self._kinds.documents[document]}-{case}"

    def _party(self, case: int, field: int) -> str:
        return f"{self._trial}:{self._kinds.parties[field]}-{self._first[case, field]}"

    def _resource(self, name: str) -> str:
        return f"{self._trial}:{name}"

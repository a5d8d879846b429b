"""Compiles a process file to the tables that kernels read. Errors name the file, the entry, and the nearest name."""

import json
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.engine.letters import as_bytes, atlas
from sandbox.engine.queueing import distributions as of
from sandbox.engine.queueing.events import CLASSES
from sandbox.worlds.office import routing, stations
from sandbox.worlds.office.dynamics.documents import CODES, FIRST_CODE
from sandbox.worlds.office.layouts import ActivityFile, CheckFile, DocumentField, Duration, IssueFile, Post, Process
from sandbox.worlds.office.state import (
    DAY,
    GRAIN,
    TEAM,
    Activity,
    Check,
    Field,
    Issue,
    Make,
    Op,
    Params,
    Rule,
    Severity,
    Unit,
    Verb,
    Work,
)  # fmt: skip

_STEP = re.compile(r"(->\s*)?(.*?)(?:\s+(0?\.\d+|1\.0|0|1))?")
END = "end"  # where a step of a path can lead
Hours = list[list[tuple[float, float]]]  # of each weekday: begins and ends, in minutes
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RULES = {"equal": Rule.EQUAL, "at most": Rule.AT_MOST, "at most policy": Rule.AT_MOST_POLICY, "present": Rule.PRESENT,
          "unique": Rule.UNIQUE, "separate": Rule.SEPARATE}  # fmt: skip
_WAYS = {"draw": Make.DRAW, "copy_": Make.COPY, "product": Make.PRODUCT, "pick": Make.PICK, "code": Make.CODE,
         "serial": Make.SERIAL, "times": Make.TIMES}  # fmt: skip
_OPS = {"scale": Op.SCALE, "zero": Op.ZERO, "repeat": Op.REPEAT, "other": Op.OTHER}
_UNITS = {"number": Unit.NUMBER, "euro": Unit.CENTS, "code": Unit.CODE}
SIGN = 24  # letters of a name in the picture
MOST_BITS = 31  # checks and documents: bits of a number
MOST_CASES = 5_000
EXACT = 1 << 24  # whole numbers below are exact in float32
DOSED = 0.5  # severity 1 of an issue's dose: added share of the cases
SLOWER = 9.0  # severity 1 of slow_approver: ten times as long
BUSIER = 1.0  # severity 1 of load: arrivals twice as often


def _index(name: str, known: Collection[str], kind: str, where: str) -> int:
    """The number of a name; raises UsageError with the nearest one."""
    listed = list(known)
    if name not in listed:
        raise unknown(kind, name, listed, where)
    return listed.index(name)


def row_of(given: Mapping[str, Any], unit: float, where: str) -> list[float]:
    """The row of a duration, whose values are in units of so many minutes; raises UsageError."""
    if "law" in given:
        return of.scaled(_law(given, where), unit)
    for keys, make in of.WAYS.items():
        if set(keys) == given.keys():
            row = [float(value) for value in make(*(given[key] * unit for key in keys))]
            if min(row) < 0 or keys == ("low", "high") and given["low"] > given["high"]:
                raise UsageError(f"{where}: expected p10 <= median <= p90, and low <= high")
            return row
    expected = "; ".join([*(", ".join(keys) for keys in of.WAYS), "law, parameters"])
    raise UsageError(f"{where}: got {', '.join(given) or 'nothing'}, expected the keys {expected}")


def _law(given: Mapping[str, Any], where: str) -> list[float]:
    """The row of a law of SciPy, in the unit of its parameters."""
    if not {"law", "parameters"} <= given.keys() <= {"law", "parameters", "low", "high"}:
        raise UsageError(f"{where}: got {', '.join(given)}; expected law, parameters, and perhaps low and high")
    _index(given["law"], of.LAWS, "law", where)
    try:
        return of.quantiles(given["law"], given["parameters"], given.get("low", 0.0), given.get("high", np.inf))
    except (TypeError, ValueError) as error:
        told = "expected the parameters of scipy.stats, and limits between which it has values"
        raise UsageError(f"{where}: {error}; {told}") from None


class _Names(NamedTuple):
    """The names of a process, in order."""

    posts: list[str]
    documents: list[str]
    fields: list[str]
    activities: list[str]
    policies: list[str]


class _Tables:
    """A process file and the rows that come of it."""

    def __init__(self, process: Process, where: str):
        self.process, self.where = process, where
        posts = ["team", *(name for name in process.post if name != "team")]
        if "team" not in process.post:
            raise unknown("post", "team", process.post, where)
        fields = [f"{document}.{name}" for document, own in process.document.items() for name in own]
        activities = [each.name for each in process.activity]
        self.names = _Names(posts, [*process.document], fields, activities, [*process.policy])
        self.dist: list[list[float]] = []
        self.check: list[list[int]] = []
        self.activity = [self._activity(each) for each in process.activity]
        self.field = [self._field(k) for k in range(len(fields))]
        for count, what in ((len(self.check), "checks"), (len(self.names.documents), "documents")):
            if count > MOST_BITS:
                raise UsageError(f"{where}: {count} {what}, expected at most {MOST_BITS}")
        self._check_sizes()

    # -- durations -----------------------------------------------------------------------------------------------------

    def time(self, duration: Duration | None, unit: float, at: str) -> int:
        """The row of a duration in minutes."""
        given = {} if duration is None else duration.model_dump(exclude_none=True)
        self.dist.append(row_of(given, unit, f"{self.where}: {at}"))
        return len(self.dist) - 1

    def wait(self, entry: Any, at: str) -> int:
        """The row of a wait, given in days or hours."""
        if entry.days is not None:
            return self.time(entry.days, DAY, f"{at}.days")
        return self.time(entry.hours, 60.0, f"{at}.hours")

    # -- activities and checks -----------------------------------------------------------------------------------------

    def _activity(self, entry: ActivityFile) -> list[int]:
        row, at = [0] * len(Activity), f"activity '{entry.name}'"
        where = f"{self.where}: {at}"
        row[Activity.CHECK], row[Activity.CHECKS] = len(self.check), len(entry.check)
        for name in entry.brings:
            row[Activity.BRINGS] |= 1 << _index(name, self.names.documents, "document", where)
        if not entry.post:
            if entry.check:
                raise UsageError(f"{where}: checks without a post; expected a post that makes them")
            row[Activity.KIND], row[Activity.TIME] = Work.WAIT, self.wait(entry, at)
            row[Activity.OUTSIDE] = int(entry.outside)
            return row
        row[Activity.KIND] = Work.APPROVAL if entry.approval else Work.DO
        row[Activity.POST] = _index(entry.post, self.names.posts, "post", where)
        row[Activity.TIME] = self.time(entry.minutes, 1.0, f"{at}.minutes")
        row[Activity.MATCH], row[Activity.REVIEW] = int(entry.match), int(entry.review)
        self.check += [self._check(each, f"{where}: check '{each.name}'") for each in entry.check]
        return row

    def _check(self, entry: CheckFile, where: str) -> list[int]:
        row, rule = [0] * len(Check), _RULES[entry.rule]
        row[Check.RULE], row[Check.REMEDY] = rule, Verb[entry.remedy.upper()]
        known = self.names.activities if rule == Rule.SEPARATE else self.names.fields
        row[Check.LEFT] = _index(entry.left, known, "activity" if rule == Rule.SEPARATE else "field", where)
        if rule in (Rule.EQUAL, Rule.AT_MOST):
            row[Check.RIGHT] = _index(entry.right, self.names.fields, "field", where)
        elif rule == Rule.AT_MOST_POLICY:
            row[Check.RIGHT] = _index(entry.right, self.names.policies, "policy value", where)
        row[Check.TOLERANCE] = (
            _index(entry.tolerance, self.names.policies, "policy value", where) if entry.tolerance else -1
        )
        if entry.remedy == "ask":
            if entry.answer is None:
                raise UsageError(f"{where}: remedy ask; expected answer = {{ hours or days, outside }}")
            row[Check.DELAY], row[Check.OUTSIDE] = self.wait(entry.answer, "answer"), int(entry.answer.outside)
        row[Check.LEAK] = int(entry.leak)
        sums = [_index(name, self.names.fields, "field", where) for name in entry.wrong]
        row[Check.MORE], row[Check.LESS] = [*sums, -1, -1][:2]
        return row

    # -- documents -----------------------------------------------------------------------------------------------------

    def _field(self, k: int) -> list[int]:
        document, name = self.names.fields[k].split(".", 1)
        entry = self.process.document[document][name]
        where = f"{self.where}: {self.names.fields[k]}"
        ways = [way for way in _WAYS if getattr(entry, way) is not None]
        if len(ways) != 1:
            listed = ", ".join(way.rstrip("_") for way in _WAYS)
            raise UsageError(f"{where}: expected one of {listed}, got {', '.join(ways) or 'none'}")
        row = [0] * len(Field)
        row[Field.KIND], row[Field.UNIT] = _WAYS[ways[0]], _UNITS[entry.unit]
        row[Field.A], row[Field.B] = self._sources(k, entry, ways[0], where)
        row[Field.DOCUMENT] = self.names.documents.index(document)
        turned = self.process.form.get(self.names.fields[k], self.names.fields[k])
        row[Field.TURNED] = _index(turned, self.names.fields, "field", f"{where}: form")
        return row

    def _sources(self, k: int, entry: DocumentField, way: str, where: str) -> tuple[int, int]:
        before = self.names.fields[:k]
        if way == "draw":
            low, high = entry.draw or (0, 0)
            return low, high
        if way == "pick":
            return entry.pick or 5, round(100 * entry.favourites)
        if way == "serial":
            return entry.serial or 0, 0
        if way == "product":
            first, second = entry.product or ("", "")
            return _index(first, before, "field before it", where), _index(second, before, "field before it", where)
        source = entry.copy_ or entry.code or entry.of or ""
        return _index(source, before, "field before it", where), 0

    def _check_sizes(self) -> None:
        """Refuse values that observations (float32) could not show exactly."""
        most: list[float] = []
        for name, row in zip(self.names.fields, self.field, strict=True):
            own = self._most(name, row, most)
            for entry in self.process.issue:
                if entry.field == name and entry.scale:
                    known = self.names.fields[: len(most)]
                    source = most[known.index(entry.of)] if entry.of in known else own
                    own = max(own, source * entry.scale[1])
            if own >= EXACT:
                raise UsageError(f"{self.where}: {name}: up to {own:,.0f}, expected less than {EXACT:,}")
            most.append(own)

    def _most(self, name: str, row: list[int], most: list[float]) -> float:
        """The largest value of a field without issues, from those of the fields before it."""
        kind, a, b = Make(row[Field.KIND]), row[Field.A], row[Field.B]
        if kind == Make.PRODUCT:
            return most[a] * most[b]
        if kind in (Make.COPY, Make.TIMES):
            return most[a] * _factors(self.process, name)[1]
        return {Make.DRAW: b, Make.PICK: a, Make.CODE: FIRST_CODE + CODES, Make.SERIAL: a + MOST_CASES}[kind]

    def issue(self, entry: IssueFile, severity: np.ndarray) -> tuple[list[int], list[float]]:
        """The row of an issue, and its share and factors."""
        where = f"{self.where}: issue '{entry.name}'"
        ways = [way for way in _OPS if getattr(entry, way)]
        if len(ways) != 1:
            raise UsageError(f"{where}: expected one of {', '.join(_OPS)}, got {', '.join(ways) or 'none'}")
        row, field = [0] * len(Issue), _index(entry.field, self.names.fields, "field", where)
        row[Issue.FIELD], row[Issue.OP], row[Issue.TWIN] = field, _OPS[ways[0]], int(entry.twin)
        row[Issue.OF] = _index(entry.of, self.names.fields[: field + 1], "field", where) if entry.of else field
        doses = [each.name.lower() for each in Severity][: Severity.STAFF_ABSENT]
        dose = _index(entry.dose, doses, "dose", where)
        low, high = entry.scale or (1.0, 1.0)
        return row, [min(1.0, entry.share + DOSED * severity[dose]), low, high]

    # -- posts and flows -----------------------------------------------------------------------------------------------

    def hours(self, text: str, where: str) -> Hours:
        """Begins and ends of work on each weekday, in minutes of the day."""
        found: Hours = [[] for _ in DAYS]
        where = f"{self.where}: {where}"
        for part in text.split(","):
            given = re.fullmatch(r"\s*([a-z]{3})(?:-([a-z]{3}))?\s+(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\s*", part)
            if not given:
                raise UsageError(f"{where}: '{part.strip()}', expected days and hours such as 'mon-fri 8-17'")
            first = _index(given[1], DAYS, "day", where)
            last = _index(given[2] or given[1], DAYS, "day", where)
            begin, end = (GRAIN * round(float(given[k]) * 60 / GRAIN) for k in (3, 4))
            if not (first <= last and begin < end <= DAY):
                raise UsageError(f"{where}: '{part.strip()}', expected a first day before the last, and hours to 24")
            for day in range(first, last + 1):
                found[day].append((begin, end))
        for day, parts in zip(DAYS, found, strict=True):
            parts.sort()
            if any(begin < end for (_, end), (begin, _) in pairwise(parts)):
                raise UsageError(f"{where}: two hours of {day} overlap; expected hours that follow each other")
        return found

    def crew(self, post: str, count: int) -> list[tuple[Hours, list[int]]]:
        """The hours of ``count`` people of a post, and the row of the time that each activity takes them; -1: none."""
        own, found = self.process.post[post], []
        usual = [row[Activity.TIME] for row in self.activity]
        for person in own.crew():
            skill = [-1] * len(usual) if person.minutes else usual
            for name, minutes in person.minutes.items():
                where = f"{self.where}: post.{post}.person"
                k = _index(name, [a.name for a in self.process.activity if a.post == post], "activity", where)
                k = self.names.activities.index(name)
                skill[k] = self.time(minutes, 1.0, f"post.{post}.person: {name}")
            found.append((self.hours(person.work or own.work, f"post.{post}.work"), skill))
        for name, row in zip(self.names.activities, self.activity, strict=True):
            k = self.names.activities.index(name)
            mine = row[Activity.KIND] != Work.WAIT and self.names.posts[row[Activity.POST]] == post
            if mine and all(skill[k] < 0 for _, skill in found):
                raise UsageError(f"{self.where}: post.{post}: nobody does '{name}'; expected its minutes of a person")
        return [found[k % len(found)] for k in range(count)]

    def paths(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The activities of each flow + 1, the chance of each step, and the step that follows, if another: + 1."""
        shape = len(self.process.flow), max(len(flow.path) for flow in self.process.flow)
        path, jump, chance = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape)
        for k, flow in enumerate(self.process.flow):
            where, steps = f"{self.where}: flow '{flow.name}'", [_STEP.fullmatch(text) for text in flow.path]
            read = [(given[1], given[2], given[3]) if given else ("", "", None) for given in steps]
            for step, (is_jump, name, share) in enumerate(read):
                chance[k, step] = float(share) if share else 1.0
                if not is_jump:
                    path[k, step] = 1 + _index(name, self.names.activities, "activity", where)
                    continue
                places = {other: at for at, (jumps, other, _) in reversed([*enumerate(read)]) if not jumps}
                jump[k, step] = (
                    1 + {**places, END: shape[1]}[[*places, END][_index(name, [*places, END], "step", where)]]
                )
            routing.check(path[k], chance[k], jump[k], where)
        return path, chance, jump

    def shares(self) -> np.ndarray:
        """(F,) float64: the share of the cases that takes each flow."""
        found = [flow.share for flow in self.process.flow]
        if abs(sum(found) - 1) > 1e-6:
            raise UsageError(f"{self.where}: the shares of the flows add up to {sum(found):g}, expected 1")
        return np.array(found)

    def applies(self, path: np.ndarray) -> np.ndarray:
        """(F, K) bool: the fields of a check belong to documents that its flow has."""
        activity, given, found = np.array(self.activity), self.given(), np.zeros((len(path), len(self.check)), bool)
        for flow, steps in enumerate(path):
            there = given | int(np.bitwise_or.reduce(activity[steps[steps > 0] - 1, Activity.BRINGS]))
            for k, row in enumerate(self.check):
                sides = [row[Check.LEFT]] if row[Check.RULE] != Rule.SEPARATE else []
                sides += [row[Check.RIGHT]] if row[Check.RULE] in (Rule.EQUAL, Rule.AT_MOST) else []
                found[flow, k] = all(there >> self.field[side][Field.DOCUMENT] & 1 for side in sides)
        return found

    def given(self) -> int:
        """Bits of the documents that no activity brings: they are there from the beginning."""
        brought = int(np.bitwise_or.reduce([row[Activity.BRINGS] for row in self.activity]))
        return ((1 << len(self.names.documents)) - 1) & ~brought

    def errands(self, manager: int, reviewer: int) -> list[int]:
        """(P,) rows of the times that a case takes at the posts of manager and reviewer; 0 for the others."""
        posts = {k: name for k, name in enumerate(self.names.posts) if k in (manager, reviewer)}
        rows = {k: self.time(self.process.post[p].minutes, 1.0, f"post.{p}.minutes") for k, p in posts.items()}
        return [rows.get(k, 0) for k in range(len(self.names.posts))]

    def policies(self) -> np.ndarray:
        """(2, V) float64: the values of the policy, before and after it changes."""
        for name in self.process.changed:
            _index(name, self.names.policies, "policy value", f"{self.where}: changed")
        changed = {**self.process.policy, **self.process.changed}
        return np.array([[float(own[name]) for name in self.names.policies] for own in (self.process.policy, changed)])

    def minutes_of_staff(self, visits: np.ndarray) -> float:
        """The time in which the team's staff, at its shifts, does the work of a case; raises UsageError for no work."""
        crew = self.crew("team", len(self.process.post["team"].crew()))
        staff = _share_of_week(*(hours for hours, _ in crew))
        work = self.work_of_a_case(visits)
        if work <= 0:
            raise UsageError(f"{self.where}: no flow has an activity of the post 'team'; expected work for the agents")
        return work / staff

    def work_of_a_case(self, visits: np.ndarray) -> float:
        """Expected minutes of work of the team for a case, without what errors cost; ``visits`` (A,) of an activity."""
        total = 0.0
        for row, count in zip(self.activity, visits, strict=True):
            if row[Activity.KIND] != Work.WAIT and row[Activity.POST] == TEAM:
                total += float(count) * of.moments(self.dist[row[Activity.TIME]])[0]
        return total


class Choices(NamedTuple):
    """Options of an episode."""

    agents: int
    cases: int
    people: int
    load: float
    speed: float
    review: float
    max_ticks: int
    severity: np.ndarray


def build(process: Process, where: str, given: Choices) -> Params:
    """Params of a process; raises UsageError for a bad process file."""
    tables = _Tables(process, where)
    names, severity = tables.names, given.severity
    path, chance, jump = tables.paths()
    shares = tables.shares()
    manager, reviewer = (
        _index(getattr(process.office, role), names.posts[1:], "post besides team", f"{where}: office.{role}") + 1
        for role in ("manager", "reviewer")
    )
    errand = tables.errands(manager, reviewer)
    posts = [process.post[name] for name in names.posts]
    people = [given.people, *(len(post.crew()) for post in posts[1:])]
    crew = [each for name, count in zip(names.posts, people, strict=True) for each in tables.crew(name, count)]
    visits = routing.visits_of(path, chance, jump, shares, len(names.activities))
    law = tables.dist[tables.time(process.arrival.gap, 1.0, "arrival.gap")]
    door = tables.hours(process.arrival.work or "mon-sun 0-24", "arrival.work")
    work = _share_of_week(door) * tables.minutes_of_staff(visits)
    gap = work / (given.load * (1 + BUSIER * severity[Severity.LOAD]))
    links = routing.ways(path, chance, jump, shares)
    issues = [tables.issue(each, severity) for each in process.issue]
    policy = tables.policies()
    count = sum(people)
    tables.dist[errand[manager]] = of.scaled(
        tables.dist[errand[manager]], 1 + SLOWER * severity[Severity.SLOW_APPROVER]
    )
    return Params(
        verbs=len(Verb), noop=int(Verb.WAIT), agents=given.agents, max_ticks=given.max_ticks, cases=given.cases,
        people=count, posts=len(posts), lines=CLASSES * len(posts), events=given.cases + count + given.agents + 2,
        activities=len(names.activities), fields=len(names.fields), policies=len(names.policies), speed=given.speed,
        review=given.review, manager=manager, reviewer=reviewer, given=tables.given(),
        crew=np.cumsum([0, *people]).astype(np.int32), pool=np.repeat(np.arange(len(posts)), people).astype(np.int32),
        batch=np.array([post.batch for post in posts], np.int32),
        shift=np.array([_outer(tables.hours(process.post[name].work, f"post.{name}.work")) for name in names.posts]),
        caught=np.array([[p.caught.rested, p.caught.tired, p.caught.full] for p in posts]),
        errand=np.array(errand, np.int32), wage=np.array([_wage(post) for post in posts]),
        gap=np.array(of.scaled(law, gap / of.moments(law)[0])), dist=_even(tables.dist),
        activity=np.array(tables.activity, np.int32),
        share=np.cumsum(shares), path=path, chance=chance, applies=tables.applies(path),
        check=np.array(tables.check or np.zeros((0, len(Check))), np.int32).reshape(-1, len(Check)),
        field=np.array(tables.field, np.int32), times=np.array([_factors(process, name) for name in names.fields]),
        issue=np.array([row for row, _ in issues], np.int32).reshape(-1, len(Issue)),
        size=np.array([size for _, size in issues]).reshape(-1, 3),
        policy=policy,
        severity=severity, text=_pack(process, tables),
        sign=as_bytes((name.replace("_", " ") for name in (*names.activities, *names.posts)), SIGN),
        spot=stations.spots(path, chance, shares, links, len(names.activities), given.review > 0),
        way=links, glyph=atlas(), loops=int(jump.any()), urgent=process.office.urgent, every=gap,
        hours=_weeks([hours for hours, _ in crew]), door=_weeks([door])[0], jump=jump,
        skill=np.array([skill for _, skill in crew], np.int32).reshape(-1, len(names.activities)),
    )  # fmt: skip


def _share_of_week(*hours: Hours) -> float:
    """The share of a week that these hours make up, all together."""
    return sum(end - begin for week in hours for day in week for begin, end in day) / (7 * DAY)


def _even(rows: list[list[float]]) -> np.ndarray:
    """Rows of one length, with zeros at their ends; tables of quantiles all have the greatest."""
    width = max(map(len, rows))
    return np.array([[*row, *[0.0] * (width - len(row))] for row in rows])


def _weeks(crew: list[Hours]) -> np.ndarray:
    """(M, 7 x parts, 2) float64: begin and end of the parts of each weekday; equal: none."""
    parts = max((len(day) for week in crew for day in week), default=1)
    return np.array([[day[k] if k < len(day) else (0.0, 0.0) for day in week for k in range(parts)] for week in crew],
                    np.float64).reshape(len(crew), 7 * max(parts, 1), 2)  # fmt: skip


def _outer(week: Hours) -> list[tuple[float, float]]:
    """The first begin and the last end of each weekday."""
    return [(day[0][0], day[-1][1]) if day else (0.0, 0.0) for day in week]


def _wage(post: Post) -> float:
    """The mean of its people, in euros an hour."""
    return float(np.mean([post.wage if each.wage is None else each.wage for each in post.crew()]))


def _factors(process: Process, field: str) -> tuple[float, float]:
    document, name = field.split(".", 1)
    low, high = process.document[document][name].times or (1.0, 1.0)
    return low, high


# -- names


class Labels(NamedTuple):
    """The names of a process, by number."""

    title: str
    case: str
    texts: list[str]
    posts: list[str]
    documents: list[str]
    fields: list[str]
    activities: list[str]
    policies: list[str]
    checks: list[str]
    issues: list[str]
    flows: list[str]


def _pack(process: Process, tables: _Tables) -> np.ndarray:
    names = tables.names
    found = Labels(
        process.title, process.case, process.texts, names.posts, names.documents, names.fields, names.activities,
        names.policies, [check.name for each in process.activity for check in each.check],
        [each.name for each in process.issue], [each.name for each in process.flow],
    )  # fmt: skip
    return np.frombuffer(json.dumps(found).encode(), np.uint8).copy()


@lru_cache(maxsize=32)
def _unpack(data: bytes) -> Labels:
    return Labels(*json.loads(data))


def labels(params: Params) -> Labels:
    """The names of the process of these params."""
    return _unpack(params.text.tobytes())

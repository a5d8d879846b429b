"""A scenario from a BPMN 2.0 model and the simulation parameters of Prosimos (Lopez-Pintado & Dumas 2022).

The parameters are a JSON file; times are in seconds. Distributions are read as Prosimos 2 does, with means, variances
and limits. Older files have the parameters of SciPy and two limits: they are told by their number of values.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.core.errors import UsageError, first_problem, unknown
from sandbox.core.event_log import Fit
from sandbox.core.files import read_text
from sandbox.engine.queueing import distributions as of
from sandbox.worlds.office import bpmn, compiler, layouts
from sandbox.worlds.office.bpmn import BEGIN, END, Chain, Model
from sandbox.worlds.office.compiler import DAYS, Hours
from sandbox.worlds.office.fit import BLIND, DECISIONS, LONGEST, process_file, short_names
from sandbox.worlds.office.fitting import SPARE, stem
from sandbox.worlds.office.layouts import MOST_PEOPLE
from sandbox.worlds.office.state import DAY, GRAIN, Severity

EXPECTED = "simulation parameters of Prosimos (JSON)"
CASES = 200  # of the scenario
LEAST = 1e-9  # probability of a way that is kept
SUM = 1e-3  # by which the probabilities of a gateway may miss 1
MINUTE, HOUR = 60.0, 3600.0  # seconds
_WEEK = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_NOW = {  # what Prosimos 2 reads of each distribution
    "expon": ("mean", "min", "max"), "uniform": ("min", "max"), "norm": ("mean", "deviation", "min", "max"),
    "lognorm": ("mean", "variance", "min", "max"), "gamma": ("mean", "variance", "min", "max"), "fix": ("value",),
}  # fmt: skip
_UNREAD = ("batch_processing", "prioritisation_rules", "branch_rules", "multitask", "global_attributes")


# -- the file ----------------------------------------------------------------------------------------------------------


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class _Value(_Read):
    value: float


class _Law(_Read):
    distribution_name: str
    distribution_params: list[_Value] = Field(min_length=1, max_length=10)


class _Resource(_Read):
    id: str
    name: str = ""
    cost_per_hour: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    amount: Annotated[int, Field(ge=1, le=MOST_PEOPLE)] = 1
    calendar: str


class _Profile(_Read):
    resource_list: list[_Resource]


class _Period(_Read):
    from_: Literal[_WEEK] = Field(alias="from")
    to: Literal[_WEEK]
    begin: str = Field(alias="beginTime")
    end: str = Field(alias="endTime")


class _Calendar(_Read):
    id: str
    time_periods: list[_Period]


class _Way(_Read):
    path_id: str
    value: Annotated[float, Field(ge=0, le=1)]
    condition_id: str | None = None


class _Gateway(_Read):
    gateway_id: str
    probabilities: list[_Way]


class _Worker(_Law):
    resource_id: str


class _Task(_Read):
    task_id: str
    resources: list[_Worker] = Field(min_length=1)


class _Event(_Law):
    event_id: str


class _Parameters(_Read):
    resource_profiles: list[_Profile]
    arrival_time_distribution: _Law
    arrival_time_calendar: list[_Period] = []
    gateway_branching_probabilities: list[_Gateway] = []
    task_resource_distribution: list[_Task]
    resource_calendars: list[_Calendar]
    event_distribution: list[_Event] = []
    model_type: str = "CRISP"
    batch_processing: list | dict = []
    prioritisation_rules: list | dict = []
    branch_rules: list | dict = []
    multitask: list | dict = []
    global_attributes: list | dict = []


def _read(path: Path) -> _Parameters:
    text = read_text(path, EXPECTED)
    try:
        found = _Parameters.model_validate(json.loads(text))
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}; expected {EXPECTED}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected {EXPECTED}") from None
    for key in _UNREAD:
        if getattr(found, key):
            raise UsageError(f"{path}: {key} is not imported; expected none")
    if found.model_type == "FUZZY":
        raise UsageError(f"{path}: model_type FUZZY is not imported; expected calendars that are certain")
    return found


# -- distributions and calendars ---------------------------------------------------------------------------------------


def duration(law: _Law, where: str, unit: float = MINUTE) -> dict[str, Any]:
    """A duration as a process file has it, in units of so many seconds; raises UsageError."""
    name, values = law.distribution_name, [each.value for each in law.distribution_params]
    if name not in {*_NOW, *of.LAWS}:
        raise unknown("distribution", name, {*_NOW, *of.LAWS}, where)
    now, shapes = _NOW.get(name, ()), _shapes(name)
    if len(values) == len(now) or name == "fix":
        given, low, high = _parameters(name, values)
    elif len(values) == shapes + 4:
        given, low, high = values[:-2], values[-2], values[-1]
    else:
        usual = f"{', '.join(now)}; or " if now else ""
        raise UsageError(f"{where}: {name} has {len(values)} values; expected {usual}{shapes} shapes, loc, scale, min "
                         "and max of scipy.stats")  # fmt: skip
    if name == "fix" or high <= low or given[-1] == 0:  # as Prosimos, which falls back to the mean
        value = values[0] if name != "uniform" else low
        return {"constant": _positive(value / unit, where)}
    told = [*given[:-2], *(value / unit for value in given[-2:])]
    found = {"law": name, "parameters": told, "high": _positive(high / unit, where)}
    return found | ({"low": low / unit} if low > 0 else {})


def _positive(value: float, where: str) -> float:
    if not 0 <= value <= 1e6:
        raise UsageError(f"{where}: {value:g} minutes or hours; expected 0 to 1,000,000")
    return max(value, GRAIN)


def _shapes(name: str) -> int:
    from scipy import stats

    return getattr(stats, name).numargs if name != "fix" else 0


def _parameters(name: str, values: Sequence[float]) -> tuple[list[float], float, float]:
    """The parameters of SciPy (shapes, loc, scale) and the limits, from what Prosimos 2 is given."""
    if name == "fix":
        return [values[0], 0.0], 0.0, 0.0
    low, high = values[-2], values[-1]
    if name == "uniform":
        return [low, high - low], low, high
    mean, spread = values[0], values[1]
    if name == "expon":
        return [low, mean - low if mean > low else mean], low, high
    if name == "norm":
        return [mean, spread], low, high
    if mean <= 0 or spread <= 0:
        return [mean, 0.0], low, high
    if name == "gamma":
        return [mean**2 / spread, 0.0, spread / mean], low, high
    within = 1 + spread / mean**2
    return [float(np.sqrt(np.log(within))), 0.0, mean / float(np.sqrt(within))], low, high


def week(periods: Sequence[_Period], where: str) -> Hours:
    """The hours of each weekday, those that meet as one; the last minute of a day ends at midnight."""
    found: Hours = [[] for _ in DAYS]
    for each in periods:
        begin, end = _minute(each.begin, where), _minute(each.end, where)
        end = DAY if end >= DAY - 1 or end == 0 else end
        if begin >= end:
            raise UsageError(f"{where}: from {each.begin} to {each.end}; expected a begin before the end")
        day = _WEEK.index(each.from_)
        while True:
            found[day].append((begin, end))
            if day == _WEEK.index(each.to):
                break
            day = (day + 1) % 7
    return [_merged(day) for day in found]


def _merged(parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(parts):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def _minute(text: str, where: str) -> float:
    try:
        moment = pd.Timestamp(f"2024-01-01T{text}")
    except ValueError:
        raise UsageError(f"{where}: '{text}'; expected a time such as 09:00:00") from None
    return (moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6) / 60


def told_week(hours: Hours) -> str:
    """Hours as a process file has them: ``mon-fri 8-12, mon-fri 13-17``."""
    told, day = [], 0
    while day < 7:
        last = day
        while last < 6 and hours[last + 1] == hours[day]:
            last += 1
        days = DAYS[day] if last == day else f"{DAYS[day]}-{DAYS[last]}"
        told += [f"{days} {begin / 60:.8g}-{end / 60:.8g}" for begin, end in hours[day]]
        day = last + 1
    return ", ".join(told)


# -- routing -----------------------------------------------------------------------------------------------------------


def _shares(model: Model, given: _Parameters, where: str) -> dict[str, dict[str, float]]:
    """The probability of each way out of each exclusive gateway; raises UsageError if they are not all there."""
    found: dict[str, dict[str, float]] = {}
    gateways = model.of("exclusive", "inclusive")
    for each in given.gateway_branching_probabilities:
        at, ways = f"{where}: gateway '{each.gateway_id}'", {}
        if each.gateway_id not in gateways:
            raise unknown("gateway", each.gateway_id, gateways, where)
        for way in each.probabilities:
            if way.path_id not in model.leaving(each.gateway_id):
                raise unknown("path", way.path_id, model.leaving(each.gateway_id), at)
            if way.condition_id is not None:
                raise UsageError(f"{at}: path '{way.path_id}' has a condition, which is not imported; expected none")
            ways[way.path_id] = way.value
        total = sum(ways.values())
        if abs(total - 1) > SUM:
            raise UsageError(f"{at}: the probabilities add up to {total:g}, expected 1")
        found[each.gateway_id] = {flow: ways.get(flow, 0.0) / total for flow in model.leaving(each.gateway_id)}
    for gateway in gateways:
        if len(model.leaving(gateway)) > 1 and gateway not in found:
            raise UsageError(f"{where}: no probabilities of {model.told(gateway)}; expected those of its ways out")
    return found


def path(chain: Chain, names: dict[str, str]) -> list[str]:
    """The chain as a path of a process file: the most probable way straight on, and jumps to the others."""
    order, left = list[str](), [BEGIN]
    while left:
        one = left.pop()
        if one not in order:
            order.append(one)
            left += [other for other, _ in sorted(chain[one].items(), key=lambda way: way[1]) if other != END]
    found = []
    for one, then in zip(order, [*order[1:], END], strict=True):
        found += [names[one]] if one != BEGIN else []
        ways = {other: share for other, share in chain[one].items() if share > LEAST}
        rest = sum(ways.values())
        for other in sorted(ways, key=lambda way: (way == then, -ways[way])):
            text = f"{ways[other] / rest:.12f}"
            rest -= ways[other]
            if other != then:
                found.append(
                    f"-> {names.get(other, END)}" + (f" {text.rstrip('0')}" if not text.startswith("1") else "")
                )
    return found


# -- people ------------------------------------------------------------------------------------------------------------


class _Group(NamedTuple):
    """People who do the same tasks, or who share some of them."""

    tasks: list[str]
    resources: list[str]


def _groups(model: Model, given: _Parameters, where: str) -> list[_Group]:
    """The tasks and the resources that belong together; raises UsageError for names that are not there."""
    known = {each.id for profile in given.resource_profiles for each in profile.resource_list}
    graph = nx.Graph()
    for task in given.task_resource_distribution:
        if task.task_id not in model.of("task"):
            raise unknown("task", task.task_id, model.of("task"), where)
        for worker in task.resources:
            if worker.resource_id not in known:
                raise unknown("resource", worker.resource_id, known, f"{where}: task '{task.task_id}'")
            graph.add_edge(("task", task.task_id), ("resource", worker.resource_id))
    for task in model.of("task"):
        if ("task", task) not in graph:
            raise UsageError(f"{where}: {model.told(task)} has no resources; expected it in task_resource_distribution")
    return [_Group(*([name for kind, name in graph if (kind, name) in part and kind == wanted]
                     for wanted in ("task", "resource"))) for part in nx.connected_components(graph)]  # fmt: skip


class _Import:
    """A model and its parameters, and the parts of the process file that come of them."""

    def __init__(self, model: Model, given: _Parameters, where: str):
        self.where, self.notes = where, list[str]()
        shares = _shares(model, given, where)
        model, parallel = bpmn.in_sequence(model)
        self.model, self.given = model, given
        self.chain = bpmn.chain(model, shares)
        self.notes += [f"the branches of {each} are worked on one after another: a case is one token"
                       for each in parallel]  # fmt: skip
        away = [model.told(each) for each in model.of("task", "event") if each not in self.chain]
        self.notes += [f"{each} is never reached, and left out" for each in away]
        self.names = short_names({each: model.name[each] for each in self.chain if each != BEGIN})
        self.resources = {each.id: each for profile in given.resource_profiles for each in profile.resource_list}
        self.calendars = {each.id: week(each.time_periods, f"{where}: calendar '{each.id}'")
                          for each in given.resource_calendars}  # fmt: skip
        self.laws = {task.task_id: {worker.resource_id: worker for worker in task.resources}
                     for task in given.task_resource_distribution}  # fmt: skip
        self._count_old()

    def _count_old(self) -> None:
        workers = [worker for own in self.laws.values() for worker in own.values()]
        laws = [self.given.arrival_time_distribution, *self.given.event_distribution, *workers]
        sizes = [(_NOW.get(law.distribution_name, ()), len(law.distribution_params)) for law in laws]
        if old := sum(len(now) != size and now != ("value",) for now, size in sizes):
            self.notes.append(f"{old} distributions have the values of scipy.stats and two limits, as older files do")

    def hours(self, resource: str) -> Hours:
        calendar = self.resources[resource].calendar
        if calendar not in self.calendars:
            raise unknown("calendar", calendar, self.calendars, f"{self.where}: resource '{resource}'")
        if not any(self.calendars[calendar]):
            raise UsageError(f"{self.where}: calendar '{calendar}' has no time_periods; expected some")
        return self.calendars[calendar]

    def minutes(self, task: str, resource: str) -> dict[str, Any]:
        return duration(self.laws[task][resource], f"{self.where}: task '{task}': resource '{resource}'")

    def activities(self, posts: dict[str, _Group]) -> list[dict[str, Any]]:
        """Those of the process file; agents take as long as the first resource of a task."""
        events = {event.event_id: event for event in self.given.event_distribution}
        of_task, found = {task: name for name, group in posts.items() for task in group.tasks}, []
        for each, name in self.names.items():
            if each in of_task:
                found.append(
                    {"name": name, "post": of_task[each], "minutes": self.minutes(each, next(iter(self.laws[each])))}
                )
            elif each in events:
                found.append({"name": name, "hours": duration(events[each], f"{self.where}: event '{each}'", HOUR)})
            else:
                raise UsageError(f"{self.where}: {self.model.told(each)} has no duration; expected it in "
                                 "event_distribution")  # fmt: skip
        return found

    def title(self, group: _Group) -> str:
        """The name that the people of a group have in common, or that of the first of them."""
        names = [self.resources[each].name or each for each in group.resources]
        return names[0] if len(names) == 1 else stem(set(names)) or names[0]

    def work(self, group: _Group, often: dict[str, float]) -> float:
        """Expected minutes of work for a case."""
        return sum(often[task] * _mean(self.minutes(task, next(iter(self.laws[task]))))
                   for task in group.tasks if task in often)  # fmt: skip

    def post(self, group: _Group) -> dict[str, Any]:
        """A post: its people, when they work, what they do, and how long that takes them."""
        count = sum(self.resources[each].amount for each in group.resources)
        if count > MOST_PEOPLE:
            raise UsageError(f"{self.where}: {count} resources share tasks; expected {MOST_PEOPLE:,} at most")
        tasks, people = [task for task in group.tasks if task in self.names], []
        for each in group.resources:
            own = self.resources[each]
            takes = {self.names[task]: self.minutes(task, each) for task in tasks if each in self.laws[task]}
            if takes:
                people.append({"count": own.amount, "work": told_week(self.hours(each)), "wage": own.cost_per_hour,
                               "minutes": takes})  # fmt: skip
        wage = sum(own["count"] * own["wage"] for own in people) / sum(own["count"] for own in people)
        return {**BLIND, "wage": wage, "work": people[0]["work"], "person": people}

    def arrival(self) -> dict[str, Any]:
        """When cases come; without hours, when somebody works who does a first task."""
        hours = week(self.given.arrival_time_calendar, f"{self.where}: arrival_time_calendar")
        if not any(hours):
            first = [each for task in self.chain[BEGIN] if task in self.laws for each in self.laws[task]]
            hours = [_merged([part for each in first for part in self.hours(each)[day]]) for day in range(7)]
        law = self.given.arrival_time_distribution
        found = {"gap": duration(law, f"{self.where}: arrival_time_distribution")}
        return found | ({"work": told_week(hours)} if any(hours) else {})


# -- the scenario ------------------------------------------------------------------------------------------------------


def scenario(model: Path, parameters: Path) -> Fit:
    """A scenario of the office from a model in BPMN 2.0 and Prosimos' parameters; raises UsageError."""
    where, title = str(parameters), model.stem
    found = _Import(bpmn.read(model), _read(parameters), where)
    groups = [group for group in _groups(found.model, found.given, where) if {*group.tasks} & {*found.names}]
    steps = path(found.chain, found.names)
    if not groups:
        raise UsageError(f"{model}: no task is ever reached; expected work")
    often = bpmn.visits(found.chain)
    groups.sort(key=lambda group: -found.work(group, often))
    names = short_names({"": "team", SPARE: SPARE} | {each.resources[0]: found.title(each) for each in groups[1:]})
    posts = {"team": groups[0]} | {names[group.resources[0]]: group for group in groups[1:]}
    activities = found.activities(posts)
    process = process_file(title, {name: found.post(group) for name, group in posts.items()}, activities,
                           [{"name": "all", "share": 1.0, "path": steps}], urgent=0.0)  # fmt: skip
    process["arrival"] = found.arrival()
    alone = compiler.Choices(1, 1, 1, 1.0, 1.0, 0.0, 1, np.zeros(len(Severity)))
    gap = compiler.build(layouts.checked(tomli_w.dumps(process), title), title, alone).every  # at a load of 1
    load = gap / _mean(process["arrival"]["gap"])
    if not 1e-6 < load <= 5:
        raise UsageError(f"{where}: the work that arrives is {load:.3g} of what the team can do; expected 5 at most")
    people = sum(each["count"] for each in process["post"]["team"]["person"])
    world = {"name": "office", "layout": tomli_w.dumps(process), "cases": CASES, "people": people, "load": load,
             "max_ticks": DECISIONS * CASES}  # fmt: skip
    made = {"title": f"{title[:LONGEST]}: as in the model", "world": world, "agents": [{"reasoner": "idle"}]}
    return Fit(made, _told(process, {found.names[each]: often[each] for each in found.names}), found.notes)


def _mean(given: dict[str, Any]) -> float:
    return of.moments(compiler.row_of(given, 1.0, ""))[0]


def _told(process: dict[str, Any], often: dict[str, float]) -> dict[str, pd.DataFrame]:
    """Tables of what was imported."""
    rows = [("arrivals", "", "", f"{_mean(process['arrival']['gap']):.4g} min apart",
             process["arrival"].get("work", "at any time"))]  # fmt: skip
    for each in process["activity"]:
        time = f"{_mean(each['minutes']):.4g} min" if "minutes" in each else f"{_mean(each['hours']):.4g} h"
        rows.append((each["name"], each.get("post", "nobody"), f"{often[each['name']]:.4g}", time, ""))
    people = [(name, person["count"], person["work"], person["wage"], ", ".join(person["minutes"]))
              for name, post in process["post"].items() for person in post.get("person", [])]  # fmt: skip
    return {
        "arrivals and activities": pd.DataFrame(rows, columns=["activity", "post", "times a case", "mean", "hours"]),
        "people": pd.DataFrame(people, columns=["post", "people", "work", "euros an hour", "activities"]),
    }

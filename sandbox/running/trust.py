"""The fields that a verification compares, and those that it takes on trust because a record cannot prove them.

A recorded trial is executed again, and every field of every event is compared with its re-executed value. Only the
fields in ``TRUSTED`` may differ unnoticed. Most of them are inputs from outside, which the re-execution takes from the
record.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sandbox.core.errors import shown
from sandbox.core.finish import Outcome
from sandbox.record import (
    AgentAnswered,
    CallDone,
    Changed,
    CodeUsed,
    Event,
    HumanActed,
    Placed,
    Resumed,
    Reviewed,
    RunStarted,
    ToolAnswered,
    TrialFinished,
)
from sandbox.record.events import OTHER_VERSION
from sandbox.running.trial import versions
from sandbox.scenario import Scenario

TRIED = "which scenario and seed were tried"
SOFTWARE = "the versions of the software"
SECONDS = "how many seconds it took"
CODE = "what the user's own code is, and what it answered for its agents"
REPLIES = "what language models replied, in how many tokens and seconds, and which errors came instead"
PRICES = "the list prices of language models"
FUNCTIONS = "what functions of the user and tools of servers are, and what they answered"
PEOPLE = "what people did and allowed, and whether they answered in time"
DEEDS = "who changed the scenario or drew into the world, and why"
BREAKS = "where and why the run was interrupted"

TRUSTED: dict[tuple[str, str], str] = {
    ("run_started", "scenario"): TRIED,
    ("run_started", "versions"): SOFTWARE,
    ("trial_started", "seed"): TRIED,
    ("model", "price"): PRICES,  # of a hosted model without a price in the scenario
    ("model", "functions"): FUNCTIONS,
    ("call", "reply"): REPLIES,  # this and the next eight: not of a scripted model, whose replies are in the scenario
    ("call", "error"): REPLIES,  # without a reply
    ("call", "retry"): REPLIES,
    ("call", "input_tokens"): REPLIES,
    ("call", "output_tokens"): REPLIES,
    ("call", "outage"): REPLIES,
    ("call", "without"): REPLIES,
    ("call", "seconds"): REPLIES,
    ("call", "began"): REPLIES,
    ("tool", "answer"): FUNCTIONS,
    ("tool", "failed"): FUNCTIONS,
    ("code", "version"): CODE,
    ("answered", "action"): CODE,
    ("answered", "said"): CODE,
    ("answered", "printed"): CODE,
    ("answered", "error"): CODE,
    ("human", "agent"): PEOPLE,
    ("human", "action"): PEOPLE,
    ("review", "enforced"): PEOPLE,  # this and the next: of an escalated action
    ("review", "by"): PEOPLE,
    ("changed", "scenario"): DEEDS,
    ("placed", "patch"): DEEDS,
    ("resumed", "versions"): SOFTWARE,
    ("trial_finished", "outcome.seconds"): SECONDS,
    ("trial_finished", "outcome.error"): BREAKS,  # of an episode that failed
}  # fmt: skip
SKIPPED = {("run_started", "versions"), ("resumed", "versions"), ("trial_finished", "outcome.seconds")}  # ignored

OTHERWISE = {
    "trial_started": "the team differs", "model": "a language model receives another prompt",
    "call": "a call of a language model gives another result", "tool": "a function receives another question",
    "code": "other agents have code of their own", "answered": "other code is asked",
    "memory": "an agent remembers something else", "human": "a person acts for another agent",
    "said": "an agent says something else", "review": "the guard decides differently",
    "tick": "the tick gives another result",
}  # fmt: skip
OF_A_TICK = {"actions": "an agent decides differently", "reward": "the reward differs", "digest": "the state differs"}
MISSING = "as in records of earlier versions, {!r} is missing"


class Notes:
    """Remarks of a verdict, each once."""

    def __init__(self) -> None:
        self.trusted: dict[str, None] = {}  # in the order of occurrence
        self.told: list[str] = []  # changes and interruptions of the run, fields missing in older records
        self.statuses: dict[int, list[str]] = {}  # ends of each trial: done, stopped, failed

    def trust(self, what: str) -> None:
        self.trusted[what] = None

    def tell(self, what: str) -> None:
        if what not in self.told:
            self.told.append(what)

    def take(self, event: Event) -> None:
        """Note the fields of an event that are always taken on trust; replies of a script are not."""
        match event:
            case RunStarted() | Resumed():
                self.trust(SOFTWARE)
                if words := other_versions(event.versions):
                    self.tell(words)
            case HumanActed():
                self.trust(PEOPLE)
            case Reviewed(effect="escalate"):
                self.trust(PEOPLE)
            case ToolAnswered():
                self.trust(FUNCTIONS)
            case AgentAnswered() | CodeUsed():
                self.trust(CODE)
            case CallDone():
                self.trust(REPLIES)
            case Changed() | Placed():
                self.trust(DEEDS)
            case TrialFinished():
                self.trust(SECONDS)


def of_beginning(begun: RunStarted, trials: int) -> str | None:
    """Difference between the beginning of a run and the one that follows from its scenario and trials, as text."""
    found = hashlib.sha256(json.dumps(begun.scenario, sort_keys=True).encode()).hexdigest()
    if found != begun.scenario_hash:
        return f"the scenario differs ({_apart('scenario_hash', begun.scenario_hash, found)})"
    return None if begun.trials == trials else f"there are {trials} trials, of {begun.trials} planned"


def other_versions(recorded: Mapping[str, str]) -> str:
    """The software versions that differ from the present ones, as text; empty if none does."""
    here = versions()
    names = [name for name in sorted({*recorded, *here}) if recorded.get(name) != here.get(name)]
    then, now = (", ".join(f"{name} {each.get(name, 'unknown')}" for name in names) for each in (recorded, here))
    return f"recorded with {then}, verified with {now}" if names else ""


def changes(before: Scenario, after: Scenario) -> list[str]:
    """Differences of two scenarios of one team, key by key, as texts."""
    was, now = ({**each.as_dict(), "agents": _by_agent(each)} for each in (before, after))
    return list(_changes(was, now))


def _by_agent(scenario: Scenario) -> dict[str, dict]:
    groups = ((g.count, g.model_dump(mode="json", exclude_defaults=True) | {"reasoner": g.reasoner, "count": 1})
              for g in scenario.agents)  # fmt: skip
    return {str(row): group for row, group in enumerate(group for count, group in groups for _ in range(count))}


def _changes(before: Any, after: Any, place: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _changes(before.get(key), after.get(key), f"{place}.{key}" if place else key)
    elif not alike(before, after):
        was, now = ("nothing" if each is None else shown(each) for each in (before, after))
        yield f"{place}: {was} -> {now}"


def difference(told: Event | None, made: Event | None, notes: Notes) -> str | None:
    """Difference between a recorded event and the re-executed one, as text."""
    if told is None or made is None or told.kind != made.kind:
        recorded = None if told is None or told.kind == "tick" or told.kind not in OTHERWISE else told.kind
        kind = recorded or (made.kind if made else "tick")
        return f"{OTHERWISE[kind]} (recorded: {_kind(told)}, executed again: {_kind(made)})"
    for name in type(told).model_fields:
        if (told.kind, name) in SKIPPED or alike(before := getattr(told, name), now := getattr(made, name)):
            continue
        if name not in told.model_fields_set:
            notes.tell(f"{MISSING.format(name)} in a {told.kind}")
            continue
        words = OF_A_TICK.get(name, OTHERWISE["tick"]) if told.kind == "tick" else OTHERWISE[told.kind]
        return f"{words} ({_apart(name, before, now)})"
    return None


def of_outcome(told: Mapping[str, Any], made: Outcome, notes: Notes) -> str | None:
    """Difference between a recorded outcome and the re-executed one, as text."""
    again = made.as_dict()
    if more := told.keys() - again.keys():
        return f"the outcome has the field {shown(min(more))}, {OTHER_VERSION}"
    if missing := again.keys() - told.keys() - Outcome._field_defaults.keys():
        return f"the outcome lacks {shown(min(missing))}"
    if not (isinstance(told["seconds"], float) and told["seconds"] >= 0):
        return f"the outcome says that it took {shown(told['seconds'])} seconds"
    for name, now in again.items():
        before = told.get(name, Outcome._field_defaults.get(name))
        if ("trial_finished", f"outcome.{name}") in SKIPPED or alike(before, now):
            continue
        if name not in told:
            notes.tell(f"{MISSING.format(name)} in the outcome; executed again it is {shown(now)}")
        else:
            return f"the outcome differs ({_apart(name, before, now)})"
    return None


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal and of the same JSON type: 1 is neither 1.0 nor true."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if not isinstance(one, dict | tuple) and type(one) is not type(other):
        return False
    return one == other and (not _free(one) or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def _free(value: Any) -> bool:
    """Whether a value contains JSON that the models of events do not type."""
    return isinstance(value, dict) or (isinstance(value, tuple) and bool(value) and isinstance(value[0], dict))


def _kind(event: Event | None) -> str:
    return f"a {event.kind}" if event else "none"


def _apart(name: str, before: Any, now: Any) -> str:
    """The difference; of lists with a row for each agent, the first one."""
    before, now = (tuple(each.tolist()) if isinstance(each, np.ndarray) else each for each in (before, now))
    if isinstance(before, tuple) and isinstance(now, tuple) and len(before) == len(now):
        row = next(k for k, (one, other) in enumerate(zip(before, now, strict=True)) if one != other)
        name, before, now = f"{name}[{row}]", before[row], now[row]
    return f"{name}: recorded {shown(before)}, executed again {shown(now)}"

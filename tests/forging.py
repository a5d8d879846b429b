"""Forging records: small runs of every kind, and every change of one thing in one event. By hand: ``forging.py``.

A forger has this program: the record is written again as a whole, with columns, chain, root and seal that fit.
"""

import copy
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from fake_llm import Server, plays

import sandbox
from sandbox.core.errors import SandboxError
from sandbox.record import Log, RunFinished, TrialFinished, open_run
from sandbox.record.writer import Entry, Writer
from sandbox.running import intervene
from sandbox.running.replay import Verdict, verify
from sandbox.running.trial import opening, outcome_of, record_step, record_tick

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 5, "max_ticks": 4}


def clock(part: str) -> str:
    """A function of the user's."""
    return f"it is {part}"


class Person:
    """Steers agent 0 in ticks 1 and 2, then leaves its fallback to it; allows one action and denies the others."""

    def __init__(self, verbs: Iterable[int]):
        self._verbs = list(verbs)

    def ask(self, questions):
        return [self._answer(question) for question in questions]

    def _answer(self, question):
        if question.said:
            return question.said if question.tick == 1 else (question.noop, 0) if question.tick == 2 else None
        return (self._verbs[question.tick], 0) if question.tick < 3 else None

    def held(self, tick):
        return {}


# -- runs --------------------------------------------------------------------------------------------------------------


def rules(folder: Path) -> None:
    sandbox.run({"world": WORLD, "agents": [{"count": 2}]}, seed=3, out=folder)


def completed(folder: Path) -> None:
    outcome = sandbox.run({"world": {"name": "web"}, "agents": [{"reasoner": "oracle"}]}, seed=1, out=folder)
    assert outcome.success


def scripted(folder: Path) -> None:
    """A model that is a script, with memory, tools, a function of the user's, replies of no use, and late decisions."""
    use = [{"tool": tool, "arguments": arguments} for tool, arguments in [
        ("clock", {"part": "late"}), ("clock", {"part": "later"}), ("archival_insert", {"text": "a note"}),
        ("calculator", {"expression": "1 + 1"}),
    ]]  # fmt: skip
    replies = [*use[:2], {"verb": "left", "reason": "turn", "tokens": 5}, *use[2:], {"text": "no action"},
               {"error": "429"}, {"verb": "right", "tokens": 25}]  # fmt: skip
    llm = {"model": "scripted", "replies": replies, "retries": 2, "price": {"input": 1.0, "output": 2.0},
           "thinking": {"tokens_per_tick": 10}}  # fmt: skip
    agent = {"reasoner": "llm", "fallback": "rules", "llm": llm, "memory": {"kind": "blocks", "context": 1000},
             "tools": {f"{__name__}:clock": {}, "calculator": {}}}  # fmt: skip
    sandbox.run({"world": WORLD | {"max_ticks": 5}, "agents": [agent]}, seed=3, out=folder)


class Own:
    """Answers, speaks to its team, and fails in tick 3."""

    def act(self, observation, legal):
        observation.team.tell(f"tick {observation.tick}")
        print("legal:", *legal)
        return "left" if observation.tick < 2 else "nowhere"


def own_code(folder: Path) -> None:
    agents = [{"reasoner": f"python:{__name__}:Own", "fallback": "rules"}, {}]
    sandbox.run({"world": WORLD, "agents": agents, "team": {"protocol": "concurrent"}}, seed=3, out=folder)


def served(folder: Path) -> None:
    """A model that answers over the network."""
    with Server(plays()) as server:
        llm = {"model": f"local:{server.address}", "max_tokens": 100}
        agent = {"reasoner": "llm", "llm": llm}
        outcome = sandbox.run({"world": WORLD | {"max_ticks": 2}, "agents": [agent, {}]}, seed=3, out=folder)
    assert outcome.calls == 2 and outcome.tokens == 220


def team(folder: Path) -> None:
    """A model leads a team in words."""
    use = [{"tool": "assign", "arguments": {"name": "first 0", "to": "robot-1"}},
           {"tool": "tell", "arguments": {"text": "Good luck.", "to": "all"}}]  # fmt: skip
    replies = [*use, {"verb": "noop"}, {"verb": "left"}]
    lead = {"reasoner": "llm", "llm": {"model": "scripted", "replies": replies}}
    orders = [{"kind": "first", "argument": 0}]
    table = {"world": WORLD, "agents": [lead, {"count": 2}],
             "team": {"protocol": "manager", "tasks": orders, "stop": "ticks(3)"}}  # fmt: skip
    sandbox.run(table, seed=2, out=folder)


def people(folder: Path) -> None:
    """A person steers one robot; a guard denies, replaces, and asks for leave."""
    person = {"reasoner": "human", "human": {"patience": 1.0}, "fallback": "idle"}
    robots = [{"reasoner": "scripted", "script": ["left", "forward", "left", "left"]} for _ in range(3)]
    guard = [{"agent": "robot-1", "verb": "left", "effect": "escalate", "timeout": 1.0},
             {"agent": "robot-2", "verb": "left", "effect": "deny"},
             {"agent": "robot-3", "verb": "left", "effect": "modify", "to": "right"}]  # fmt: skip
    verbs = sandbox.make("warehouse", layout="tiny", agents=1).verbs
    script = [verbs.index(name) for name in ("noop", "left", "forward")]
    table = {"world": WORLD, "agents": [person, *robots], "guard": guard}
    sandbox.run(table, seed=3, out=folder, people=Person(script))


def disturbed(folder: Path) -> None:
    """Somebody draws into the world and seats another reasoner; the run is stopped, and goes on."""
    model = sandbox.Sandbox({"world": WORLD, "agents": [{"count": 2}]}, rng=3)
    with Log.create(folder) as log:
        log.extend(opening(model))
        for _ in range(2):
            model.step()
            record_tick(model, log)
        log.extend(intervene.intervene(model, "block_aisle"))
        log.extend(intervene.reseat(model, 1, "llm", llm={"model": "scripted", "replies": [{"verb": "left"}] * 9}))
        model.step()
        record_tick(model, log)
        model.stop()
        outcome = outcome_of(model, 0.5)
        log.extend([TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status="stopped")])
    sandbox.resume(folder, {"perturb.action_failure": 0.5})


def stopped(folder: Path) -> None:
    broken_off(folder, KeyboardInterrupt)


def killed(folder: Path) -> None:
    """Its record has no end."""
    broken_off(folder, ZeroDivisionError)


def failed(folder: Path) -> None:
    """Something went wrong inside a tick."""
    model = sandbox.Sandbox({"world": WORLD, "agents": [{"count": 2}]}, rng=3)
    with Log.create(folder) as log:
        log.extend(opening(model))
        model.step()
        record_tick(model, log)
        model.guard = 0.5  # has no review
        record_step(model, log)
        outcome = outcome_of(model, 0.5)
        assert outcome.error and outcome.ticks == 1
        log.extend([TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status="failed")])


def broken_off(folder: Path, error: type[BaseException]) -> None:
    def on_tick(model):
        if model.ticks == 2:
            raise error

    with suppress(error):
        sandbox.run({"world": WORLD, "agents": [{"count": 2}]}, seed=3, out=folder, on_tick=on_tick)


RUNS = (rules, completed, scripted, own_code, served, team, people, disturbed, stopped, killed, failed)


# -- changes -----------------------------------------------------------------------------------------------------------


class Forgery(NamedTuple):
    """A record with one thing changed: ``place`` is the kind of the event and the field, ``how`` tells the change."""

    place: tuple[str, str]
    how: str
    tables: list[dict]


def tables(folder: Path) -> list[dict]:
    """The events of a record as JSON."""
    with open_run(folder) as run:
        return [json.loads(body) for (body,) in run.query("SELECT body FROM event ORDER BY seq")]


def rewrite(events: list[dict], folder: Path, bodies: Mapping[int, str] | None = None) -> Path:
    """Write a record as a whole, sealed, whatever its events are; some may have other ``bodies``."""
    log, bodies = Writer(folder), bodies or {}
    entries = [_entry(event) for event in events]
    log.write(
        [one._replace(body=bodies[k].encode()) if k in bodies else one for k, one in enumerate(entries)], last=True
    )
    log.close()
    return folder


def _entry(event: dict) -> Entry:
    body = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Entry(event.get("trial"), event.get("tick"), str(event.get("kind")), body.encode())


def verdict_on(events: list[dict], root: str | None = None) -> Verdict | None:
    """What ``verify`` says of a record that was written again; None where it cannot be read."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        try:
            return verify(rewrite(events, Path(folder) / "run"), root)
        except SandboxError:
            return None


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def forgeries(events: list[dict]) -> Iterator[Forgery]:
    """Every record that differs in one leaf of one event, or in one event."""
    for k, event in enumerate(events):
        for path, how, change in _changes(event):
            forged = copy.deepcopy(event)
            change(forged)
            if forged != event or json.dumps(forged) != json.dumps(event):
                yield Forgery((event["kind"], _field(path)), f"event {k}: {'.'.join(map(str, path))} {how}",
                              [*events[:k], forged, *events[k + 1 :]])  # fmt: skip
        yield Forgery((event["kind"], ""), f"event {k} dropped", events[:k] + events[k + 1 :])
        yield Forgery((event["kind"], ""), f"event {k} doubled", events[: k + 1] + events[k:])
        if k + 1 < len(events) and events[k + 1] != event:
            swapped = [*events[:k], events[k + 1], event, *events[k + 2 :]]
            yield Forgery((event["kind"], ""), f"event {k} after the next, {events[k + 1]['kind']}", swapped)


def _field(path: tuple) -> str:
    """The field of an event that a path leads to; of an outcome, the measure."""
    names = [part for part in path if isinstance(part, str)]
    return ".".join(names[:2]) if names[0] == "outcome" else names[0]


def _changes(value: Any, path: tuple = ()) -> Iterator[tuple[tuple, str, Callable[[dict], None]]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield (*path, key), "dropped", _at((*path, key), lambda parent, key: parent.pop(key))
                yield from _changes(inner, (*path, key))
        case list():
            if value:
                yield path, "without its last", _at(path, lambda parent, key: parent[key].pop())
                yield path, "with its last twice", _at(path, lambda parent, key: parent[key].append(parent[key][-1]))
            for k, inner in enumerate(value):
                yield from _changes(inner, (*path, k))
        case _:
            for other in _others(value):
                yield path, f"{value!r} -> {other!r}", _at(path, _setter(other))


def _setter(other: Any) -> Callable[[Any, Any], None]:
    return lambda parent, key: parent.__setitem__(key, other)


def _others(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1)
        case None:
            yield from (0, "x")
        case str():
            yield from (value + "x", ("f" if value[:1] == "0" else "0") + value[1:], "")
            yield from KNOWN - {value}


KNOWN = {"done", "stopped", "failed", "deny", "modify", "escalate", "rule", "human", "timeout", "rules", "completed",
         "tick limit", "error", "running", "block", "archival"}  # fmt: skip


def _at(path: tuple, change: Callable[[Any, Any], Any]) -> Callable[[dict], None]:
    def apply(event: dict) -> None:
        parent = event
        for part in path[:-1]:
            parent = parent[part]
        change(parent, path[-1])

    return apply


def sample(found: Iterable[Forgery], each: int, seed: int) -> list[Forgery]:
    """Some for each place."""
    places: dict[tuple[str, str], list[Forgery]] = {}
    for one in found:
        places.setdefault(one.place, []).append(one)
    dice = random.Random(seed)
    return [one for among in places.values() for one in dice.sample(among, min(each, len(among)))]


def main() -> None:
    """All of them: how many, and which verify."""
    for make in RUNS:
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            make(Path(folder) / "run")
            events = tables(Path(folder) / "run")
        honest, tried, passed = verdict_on(events), Counter(), {}
        print(f"== {make.__name__}: {len(events)} events; as it was: {honest and honest.summary}", flush=True)
        for one in forgeries(events):
            tried[one.place] += 1
            try:
                verdict = verdict_on(one.tables)
            except Exception as error:
                print(f"  CRASH {one.place}: {one.how}: {type(error).__name__}: {error}", flush=True)
                continue
            if verdict and verdict.passed:
                passed.setdefault(one.place, []).append((one.how, verdict.told))
        print(f"{sum(tried.values())} forgeries of {len(tried)} fields, {sum(map(len, passed.values()))} verify")
        for place, ways in passed.items():
            print(f"  {place}: {len(ways)} of {tried[place]}: {ways[0]}", flush=True)


if __name__ == "__main__":
    RUNS = tuple(make for make in RUNS if make.__name__ in sys.argv[1:] or not sys.argv[1:])
    main()

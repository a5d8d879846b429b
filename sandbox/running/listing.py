"""The runs below a folder: single runs, batches and certificates, including broken ones, as one row each.

It reads nothing whose size grows with the length of a record, and does not read unchanged folders again.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.agents.python.options import short
from sandbox.core.errors import SandboxError, unknown
from sandbox.record import Run, open_run
from sandbox.record.lock import held
from sandbox.record.store import DATABASE, one_line
from sandbox.record.table import holds_a_run
from sandbox.running.claims import FILE as CERTIFICATE
from sandbox.running.claims import lies_in
from sandbox.running.jobs import JOB, status
from sandbox.running.notes import NOTES, notes_of
from sandbox.running.resume import status as ending
from sandbox.running.trash import TRASH
from sandbox.scenario import AgentGroup

RUNS = Path(os.environ.get("SANDBOX_RUNS", "runs"))
DEEP, WIDE = 3, 5_000  # searched folders below the given one: levels, number
MOST = 2_000  # entries
SHORT = 60  # letters of a name of a model, a role or a policy

Kind = Literal["run", "batch", "certificate", "broken"]


class Entry(NamedTuple):
    """One folder. Its texts come from scenarios and are not trusted."""

    folder: str
    kind: Kind
    title: str  # of its scenario, or the folder's name
    world: str
    created: str  # UTC, ISO 8601
    state: str  # a ``jobs.State``, or unfinished, for a run that has not ended
    done: int  # trials
    planned: int
    seeds: str  # seeds of its trials
    problem: str = ""  # its error, one line
    team: str = ""  # how many agents, by their role
    model: str = ""  # who decides: language models, else reasoners
    successes: int = 0  # of the trials that are done
    finish: str = ""  # how a single trial ended
    tasks: str = ""  # of a single trial: done, of how many
    ticks: int | None = None  # of a single trial
    acted: str = ""  # whose the decisions were
    conditions: int = 1
    name: str = ""  # given by its user
    tags: tuple[str, ...] = ()

    @property
    def at(self) -> str:
        """When it was created, in words."""
        return when(self.created)

    @property
    def outcome(self) -> str:
        """What came of it."""
        if self.problem:
            return self.problem
        if self.kind == "run" and self.planned <= 1:
            return ", ".join(part for part in (self.finish or self.state, self.tasks) if part)
        told = f"{self.successes:,} of {self.done:,} succeed" if self.done else "no trial yet"
        return told if self.state == "done" else f"{told}, {self.state}"

    @property
    def length(self) -> str:
        """Ticks of a single trial, else trials."""
        if self.kind == "run" and self.planned <= 1:
            return "" if self.ticks is None else f"{self.ticks:,} ticks"
        return "" if self.kind == "broken" else f"{self.done:,} trials"

    @property
    def share(self) -> float:
        """Share of its trials that succeed; below 0 without any."""
        return self.successes / self.done if self.done else -1.0

    def words(self, now: datetime | None = None) -> str:
        """Its given name, or one that says what it is: ``warehouse, 4 robots, rules, seed 1, 3 of 10, today 14:02``."""
        if self.kind == "broken":
            return self.name or self.title
        seeds = self.seeds and f"seed{'s' if ' ' in self.seeds else ''} {self.seeds}"
        trials = self.kind != "run" and f"{self.kind} of {self.planned or self.done:,}"
        told = self.tasks if self.kind == "run" else f"{self.share:.0%} succeed" if self.done else ""
        parts = (self.world, self.team, self.model, seeds, trials, told, when(self.created, now))
        return self.name or ", ".join(part for part in parts if part)


Stamp = tuple[float, ...]
_known: dict[tuple[str, Stamp], Entry] = {}  # entries of the last call, replaced at each call


def listing(runs: str | Path = RUNS, most: int = MOST) -> list[Entry]:
    """All runs below ``runs``, the latest first, at most ``most``; never raises."""
    global _known
    stamped = sorted(((stamp(folder), str(folder)) for folder in _folders(Path(runs))), reverse=True)[:most]
    before, _known = _known, {}
    found = []
    for at, folder in stamped:
        entry = before.get((folder, at))
        if entry is None or entry.state in ("starting", "running", "unfinished"):  # its process may have died since
            entry = look(folder)
        _known[folder, at] = entry
        found.append(entry)
    return sorted(found, key=lambda entry: entry.created, reverse=True)


def stamp(folder: str | Path) -> Stamp:
    """Times and sizes that change with the content of a folder; the latest time first."""
    found = []
    for name in (DATABASE, f"{DATABASE}-wal", JOB, CERTIFICATE, NOTES):
        try:
            about = os.lstat(os.path.join(folder, name))
            found += [about.st_mtime, about.st_size]
        except (OSError, ValueError):
            found += [0.0, 0]
    return (max(found[::2]), *found)


def look(folder: str | Path) -> Entry:
    """The entry of one folder; never raises."""
    try:
        begun = (Path(folder) / DATABASE).is_file()
        entry = _run(Path(folder)) if begun and holds_a_run(folder) else _batch(Path(folder))
    except (SandboxError, OSError, ValueError, sqlite3.Error) as error:
        entry = _broken(folder, str(error))
    except Exception as error:  # a damaged file may cause any error
        entry = _broken(folder, f"{type(error).__name__}: {error}")
    notes = notes_of(folder)
    return entry._replace(name=notes.name, tags=notes.tags)


# -- the order and the choice of a reader ------------------------------------------------------------------------------

ORDERS: dict[str, Callable[[Entry], Any]] = {
    "when": lambda entry: entry.created,
    "scenario": lambda entry: entry.title.casefold(),
    "model": lambda entry: entry.model.casefold(),
    "acted": lambda entry: entry.acted,
    "outcome": lambda entry: (entry.share, entry.tasks),
    "length": lambda entry: entry.ticks if entry.ticks is not None else entry.done,
}
_DESCENDS = ("when", "outcome", "length")  # the largest first


def chosen(entries: Sequence[Entry], words: str = "", sort: str = "when", reverse: bool = False) -> list[Entry]:
    """The entries in which all of the ``words`` occur, in an order of ``ORDERS``; raises UsageError for another one."""
    if sort not in ORDERS:
        raise unknown("order", sort, ORDERS)
    asked = words.casefold().split()
    found = [entry for entry in entries if all(word in _text(entry) for word in asked)]
    return sorted(found, key=ORDERS[sort], reverse=(sort in _DESCENDS) != reverse)


def _text(entry: Entry) -> str:
    told = (entry.words(), entry.title, entry.folder, entry.kind, entry.state, entry.outcome, entry.acted, *entry.tags)
    return " ".join((*told, entry.model, entry.world, entry.team)).casefold()


def when(created: str, now: datetime | None = None) -> str:
    """A time of a record in words, in the time zone of this machine: ``today 14:02``; empty if it is not a time."""
    try:
        then = datetime.fromisoformat(created).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    today = (now or datetime.now()).astimezone().date()
    if (days := (today - then.date()).days) in (0, 1):
        return f"{'yesterday' if days else 'today'} {then:%H:%M}"
    return f"{then.day} {then:%b %H:%M}" if then.year == today.year else f"{then.day} {then:%b %Y}"


# -- reading -----------------------------------------------------------------------------------------------------------


def _folders(runs: Path) -> Iterator[Path]:
    """The folders that contain a run or a job."""
    for where, folders, files in islice(os.walk(runs), WIDE):
        here = Path(where)
        folders[:] = [name for name in folders if name != TRASH]
        if len(here.relative_to(runs).parts) >= DEEP:
            folders.clear()
        if {DATABASE, JOB, CERTIFICATE} & set(files):
            yield here


# The agents of a trial may be ten thousand: SQLite counts them, and they are not read. Without a trial: no row.
_AGENTS = """
SELECT json_extract(body, '$.seed'), json_array_length(body, '$.agents'), json_extract(body, '$.agents[0].role'),
       json_extract(body, '$.agents[#-1].role')
FROM event WHERE kind <> 'tick' AND kind = 'trial_started' ORDER BY seq
"""
_FIRST = "SELECT CAST(body AS BLOB) FROM event WHERE kind <> 'tick' AND kind = 'run_started' ORDER BY seq"
_LATEST = "SELECT tick FROM event WHERE kind = 'tick' ORDER BY seq DESC LIMIT 1"


def _run(folder: Path) -> Entry:
    with open_run(folder) as run:
        first, created = _first(run), run.meta.get("created", "")
        trials, outcomes, ended = list(run.query(_AGENTS)), run.outcomes, ending(run)
        latest = next(iter(run.query(_LATEST)), (0,))[0]
    scenario = first.get("scenario", {})
    state = ended or ("running" if held(folder) else "unfinished")
    planned = first["trials"] if first else len(trials)
    entry = _entry(folder, "run", scenario, created, state, len(outcomes), planned, [row[0] for row in trials])
    roles = {role for row in trials for role in row[2:]}
    only = next(iter(outcomes.values()), {}) if len(trials) == 1 else {}
    return entry._replace(
        team=_team(trials[0][1] if trials else 0, roles), ticks=latest if len(trials) == 1 else None,
        successes=sum(bool(each.get("success")) for each in outcomes.values()), finish=str(only.get("finish", "")),
        tasks=_tasks(only), acted=_acted(list(outcomes.values())),
    )  # fmt: skip


def _first(run: Run) -> dict[str, Any]:
    """The first event of a run; empty without one."""
    found = next(iter(run.query(_FIRST)), None)
    event = json.loads(found[0]) if found else {}
    return event if isinstance(event, dict) else {}


def _batch(folder: Path) -> Entry:
    now = status(folder)
    kind: Kind = "certificate" if lies_in(folder) else "batch"
    if now.known is None:
        if now.state == "failed":
            return _broken(folder, now.words)
        return _entry(folder, kind, {}, "", now.state, 0, 0, [])
    known, most = now.known, max((trials for trials, *_ in now.known.counts.values()), default=0)
    first = known.scenario.get("seed", 0)
    seeds = [first, first + most - 1] if most else []
    entry = _entry(folder, kind, known.scenario, known.created, now.state, known.done, known.planned, seeds)
    groups = known.scenario.get("agents", [])
    agents = sum(group.get("count", 1) for group in groups)
    return entry._replace(
        team=_team(agents, {group.get("role") for group in groups}), conditions=len(known.counts),
        successes=sum(found[1] for found in known.counts.values()),
        acted=f"{known.fallbacks:,} decisions by fallbacks" if known.fallbacks else "",
    )  # fmt: skip


def _entry(
    folder: Path, kind: Kind, scenario: dict, created: str, state: str, done: int, planned: int, seeds: list[int]
) -> Entry:
    title = one_line(str(scenario.get("title") or folder.name))
    world = one_line(str(scenario.get("world", {}).get("name", "")))
    span = "" if not seeds else f"{seeds[0]}" if len(set(seeds)) == 1 else f"{min(seeds)} to {max(seeds)}"
    at = str(created) or _changed(folder)
    return Entry(str(folder), kind, title, world, at, state, done, planned, span, model=_model(scenario))


def _model(scenario: Mapping[str, Any]) -> str:
    """The language models of a scenario, and the other reasoners."""
    usual = AgentGroup.model_fields["reasoner"].default  # scenarios omit what is usual
    told = (
        (group.get("llm") or {}).get("model") or short(str(group.get("reasoner", usual)))
        for group in scenario.get("agents", ())
    )
    return ", ".join(dict.fromkeys(one_line(str(name))[:SHORT] for name in told))


def _team(agents: int, roles: set[str | None]) -> str:
    """``4 robots``; agents, if their roles differ or are not told."""
    role = next(iter(roles)) if len(roles) == 1 else None
    return f"{agents:,} {one_line(role or 'agent')[:SHORT]}{'' if agents == 1 else 's'}" if agents else ""


def _tasks(outcome: Mapping[str, Any]) -> str:
    done, total = outcome.get("tasks_done"), outcome.get("tasks_total")
    return "" if done is None else f"{done:,} of {total:,}" if total else f"{done:,} done"


def _acted(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Whose the decisions of agents under test were; empty if compiled policies made all of them."""
    own, fallbacks, people = (
        sum(each.get(name, 0) for each in outcomes) for name in ("own_decisions", "fallbacks", "taken_over")
    )
    total = own + fallbacks + people
    if not total:
        return ""
    others = ((fallbacks, "by fallbacks"), (people, "by people"))
    told = [f"{own / total:.0%} own", *(f"{count / total:.0%} {whose}" for count, whose in others if count)]
    return ", ".join(told)


def _broken(folder: str | Path, problem: str) -> Entry:
    return Entry(str(folder), "broken", Path(folder).name, "", _changed(folder), "failed", 0, 0, "", one_line(problem))


def _changed(folder: str | Path) -> str:
    """Time of the last change of a folder, if the time of creation is unknown."""
    try:
        return datetime.fromtimestamp(os.stat(folder).st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, ValueError):
        return ""

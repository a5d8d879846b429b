"""The contents of a folder of runs: single runs, batches and certificates, including broken ones.

It reads nothing whose size grows with the length of a record, and does not read unchanged folders again.
"""

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from sandbox.core.errors import SandboxError
from sandbox.record import RunStarted, open_run
from sandbox.record.lock import held
from sandbox.record.store import DATABASE, one_line
from sandbox.record.table import holds_a_run
from sandbox.running.claims import FILE as CERTIFICATE
from sandbox.running.claims import lies_in
from sandbox.running.resume import status as ending
from sandbox.studio.backend.batch_jobs import JOB, status
from sandbox.studio.backend.places import RUNS

DEEP, WIDE = 3, 5_000  # searched folders below the given one: levels, number
MOST = 300  # entries

Kind = Literal["run", "batch", "certificate", "broken"]


class Entry(NamedTuple):
    """One folder of the library. Its texts come from scenarios and are not trusted."""

    folder: str
    kind: Kind
    title: str  # of its scenario, or the folder's name
    world: str
    created: str  # UTC, ISO 8601
    state: str  # a ``batch_jobs.State``, or unfinished, for a run that has not ended
    done: int  # trials
    planned: int
    seeds: str  # seeds of its trials
    problem: str  # its error, one line


Stamp = tuple[float, ...]
_known: dict[tuple[str, Stamp], Entry] = {}  # entries of the last call, replaced at each call


def library(runs: str | Path = RUNS, most: int = MOST) -> list[Entry]:
    """All runs below ``runs``, the latest first, at most ``most``; never raises."""
    global _known
    stamped = sorted(((stamp(folder), str(folder)) for folder in _folders(Path(runs))), reverse=True)[:most]
    before, _known = _known, {}
    found = []
    for when, folder in stamped:
        entry = before.get((folder, when))
        if entry is None or entry.state in ("starting", "running", "unfinished"):  # its process may have died since
            entry = look(folder)
        _known[folder, when] = entry
        found.append(entry)
    return sorted(found, key=lambda entry: entry.created, reverse=True)


def stamp(folder: str | Path) -> Stamp:
    """Times and sizes that change with the content of a folder; the latest time first."""
    found = []
    for name in (DATABASE, f"{DATABASE}-wal", JOB, CERTIFICATE):
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
        return _run(Path(folder)) if begun and holds_a_run(folder) else _batch(Path(folder))
    except (SandboxError, OSError, ValueError, sqlite3.Error) as error:
        return _broken(folder, str(error))
    except Exception as error:  # a damaged file may cause any error
        return _broken(folder, f"{type(error).__name__}: {error}")


def _folders(runs: Path) -> Iterator[Path]:
    """The folders that contain a run or a job."""
    for where, folders, files in islice(os.walk(runs), WIDE):
        here = Path(where)
        if len(here.relative_to(runs).parts) >= DEEP:
            folders.clear()
        if {DATABASE, JOB, CERTIFICATE} & set(files):
            yield here


def _run(folder: Path) -> Entry:
    with open_run(folder) as run:
        first, created, trials = next(run.events(), None), run.meta.get("created", ""), run.trials
        ended, done = ending(run), len(run.outcomes)
    scenario = first.scenario if isinstance(first, RunStarted) else {}
    state = ended or ("running" if held(folder) else "unfinished")
    planned = first.trials if scenario else len(trials)
    return _entry(folder, "run", scenario, created, state, done, planned, [each.seed for each in trials])


def _batch(folder: Path) -> Entry:
    now = status(folder)
    kind = "certificate" if lies_in(folder) else "batch"
    if now.known is None:
        if now.state == "failed":
            return _broken(folder, now.words)
        return _entry(folder, kind, {}, "", now.state, 0, 0, [])
    known, most = now.known, max((trials for trials, *_ in now.known.counts.values()), default=0)
    first = known.scenario.get("seed", 0)
    seeds = [first, first + most - 1] if most else []
    return _entry(folder, kind, known.scenario, known.created, now.state, known.done, known.planned, seeds)


def _entry(
    folder: Path, kind: Kind, scenario: dict, created: str, state: str, done: int, planned: int, seeds: list[int]
) -> Entry:
    title = one_line(str(scenario.get("title") or folder.name))
    world = one_line(str(scenario.get("world", {}).get("name", "")))
    span = "" if not seeds else f"{seeds[0]}" if len(set(seeds)) == 1 else f"{min(seeds)} to {max(seeds)}"
    return Entry(str(folder), kind, title, world, str(created) or _when(folder), state, done, planned, span, "")


def _broken(folder: str | Path, problem: str) -> Entry:
    return Entry(str(folder), "broken", Path(folder).name, "", _when(folder), "failed", 0, 0, "", one_line(problem))


def _when(folder: str | Path) -> str:
    """Time of the last change of a folder, if the time of creation is unknown."""
    try:
        return datetime.fromtimestamp(os.stat(folder).st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, ValueError):
        return ""

"""The outcomes of a batch: a table in the run's file, written chunk by chunk, each in one transaction.

A killed batch loses its unfinished chunks only; opening it again continues it. Any program that reads SQLite can query
its progress meanwhile: tables ``chunk``, ``condition``, ``meta``. ``read_table`` reads the trials, also meanwhile.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Self

from sandbox.core import plain
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.finish import Outcome
from sandbox.record.columns import MEASURES, Packed, outcomes
from sandbox.record.events import Event, canonical, parse
from sandbox.record.lock import Lock
from sandbox.record.store import (
    BUSY_SECONDS,
    DATABASE,
    UNREADABLE,
    Opened,
    database,
    explain,
    file_of,
    one_line,
    to_read,
    to_write,
)
from sandbox.record.trials import Chunk, Chunks, SqlRows, root_of_rows, trials_in

SCHEMA = Chunks.schema
_OF_TRIALS = ("format", "columns")  # keys of meta that say how the trials are stored
CHECKPOINT = 10_000  # pages of 4 KB in the WAL; moving them into the file waits for the disk
PART = 1 << 20  # bytes of answers that are decompressed at a time


def pack(events: Iterable[Event]) -> bytes:
    """Events as lines of canonical JSON, compressed; empty without events."""
    lines = b"\n".join(map(canonical, events))
    return zlib.compress(lines) if lines else b""


class Table:
    """The table of one batch, open for writing; a second process that opens it is refused."""

    def __init__(self, folder: str | Path, scenario: dict, conditions: Sequence[dict]) -> None:
        """Start or continue a batch in ``folder``; UsageError if it holds another batch."""
        self.path = database(folder)
        self._lock = Lock(self.path.parent)
        try:
            self._db = to_write(self.path, self._lock.native)
        except sqlite3.Error as error:
            self._lock.release()
            raise explain(error, self.path) from error
        try:
            self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
            self._begin(scenario, conditions)
            self._opened = Opened(self.path)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise explain(error, self.path) from error
            raise

    def _begin(self, scenario: dict, conditions: Sequence[dict]) -> None:
        known = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "event" in known:
            raise UsageError(f"{self.path.parent} holds the record of a single run; choose another folder")
        if known & {"chunk", "trial"}:
            self._check_columns()
            check_same(self.path.parent, self._meta("scenario"), scenario)
            found = self._db.execute("SELECT overrides FROM condition ORDER BY condition")
            if [json.loads(text) for (text,) in found] != list(conditions):
                raise UsageError(f"{self.path.parent}: begun with the sweep in another order; choose another folder")
            self._db.execute("DELETE FROM meta WHERE key = 'root'")  # outdated; the new root is written at the end
            self._forget_errors()
            return
        self._db.executescript("BEGIN;" + SCHEMA)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        about = [("created", created), ("scenario", json.dumps(scenario))]  # unsorted: its order matters
        about += [("format", _text(Chunks.version)), ("columns", _text(MEASURES))]
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", about)
        rows = [(number, _text(overrides)) for number, overrides in enumerate(conditions)]
        self._db.executemany("INSERT INTO condition VALUES (?, ?)", rows)
        self._db.execute("COMMIT")

    def _check_columns(self) -> None:
        """Refuse to continue a batch of another version, whose measures differ; it can still be read."""
        found = trials_in(self._db)
        if isinstance(found, SqlRows) or found.measures != list(MEASURES):
            raise UsageError(f"{self.path.parent}: begun by another version of sandbox; choose another folder")

    def _forget_errors(self) -> None:
        """Remove the chunks with infrastructure errors, so that they are run again."""
        chunks = self._db.execute("SELECT condition, start, stop FROM chunk WHERE errors > 0").fetchall()
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("DELETE FROM asked WHERE condition = ? AND trial >= ? AND trial < ?", chunks)
        self._db.execute("DELETE FROM chunk WHERE errors > 0")
        self._db.execute("COMMIT")

    def _meta(self, key: str) -> dict:
        return json.loads(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    def missing(self, conditions: int, count: int, size: int) -> Iterator[Chunk]:
        """The missing chunks, of at most ``size`` trials each, for ``count`` trials of each condition."""
        for condition in range(conditions):
            done = self._db.execute("SELECT start, stop FROM chunk WHERE condition = ? ORDER BY start", (condition,))
            at = 0
            for start, stop in [*done.fetchall(), (count, count)]:
                for first in range(at, min(start, count), size):
                    yield Chunk(condition, first, min(first + size, start, count))
                at = stop

    def add(self, chunk: Chunk, found: Packed, asked: Mapping[int, bytes]) -> None:
        """Write the trials of a chunk in one transaction; raises RecordError if that fails (disk full).

        ``asked`` has the answers in those trials, by their place in the chunk.
        """
        kept = [(chunk.condition, chunk.start + place, events) for place, events in asked.items()]
        self.check()
        try:
            # Each statement may wait for the interpreter lock; one alone is a transaction too.
            if kept:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany("INSERT INTO asked VALUES (?, ?, ?)", kept)
            self._db.execute(Chunks.add, (*chunk, *found[1:]))
            if kept:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def trials(self) -> Iterator[tuple[Chunk, list[Outcome]]]:
        """The trials so far, chunk by chunk, in the order of their numbers."""
        stored = Chunks(self._db)
        for chunk in sorted(stored.chunks, key=lambda chunk: chunk.start):
            yield chunk, outcomes(stored.read(chunk))

    def root(self) -> str:
        """The root over all trials so far."""
        scenario, overrides, *_ = _about(self._db)
        return Chunks(self._db).root(_hashes(self._db), (scenario, overrides, None))

    def cut(self, kept: Sequence[int]) -> None:
        """Keep the first ``kept`` trials of each condition, and remove the others."""
        self.check()
        stored = Chunks(self._db)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for chunk in stored.chunks:
                if chunk.stop > (count := kept[chunk.condition]):
                    left = {name: array[: count - chunk.start] for name, array in stored.read(chunk).items()}
                    self._db.execute("DELETE FROM chunk WHERE condition = ? AND start = ?", chunk[:2])
                    if count > chunk.start:
                        self._db.execute(Chunks.add, (*chunk[:2], count, *Packed.of(left)[1:]))
            for place in enumerate(kept):
                self._db.execute("DELETE FROM asked WHERE condition = ? AND trial >= ?", place)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def note(self, **facts: Any) -> None:
        """Store facts about the batch beside its scenario, replacing those stored before."""
        rows = [(key, _text(value)) for key, value in facts.items()]
        self.check()
        try:
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def noted(self) -> dict:
        """The stored facts."""
        return _about(self._db)[3]

    def check(self) -> None:
        """Raise RecordError if the file is no longer in its folder."""
        self._opened.check()

    def counts(self) -> tuple[int, int, int, int]:
        """Trials so far, successes among them, infrastructure errors, and decisions of fallbacks in the others."""
        totals = (f"coalesce(sum({what}), 0)" for what in ("stop - start", "successes", "errors", "fallbacks"))
        return self._db.execute(f"SELECT {', '.join(totals)} FROM chunk").fetchone()

    def close(self) -> None:
        with suppress(sqlite3.Error):  # fails while another process reads; the WAL then stays beside the file
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Rows(NamedTuple):
    """The content of a table."""

    columns: list[str]
    rows: list[tuple]  # by condition and trial
    scenario: dict
    overrides: dict[int, dict]  # of each condition
    created: str  # UTC
    facts: dict  # see ``Table.note``
    chunks: list[Chunk] = []  # finished chunks
    asked: dict[tuple[int, int], str] = {}  # by condition and trial: the hash of the answers, if they were kept

    version: int = Chunks.version  # format of the table, see ``trials``

    def root(self, claim: dict | None = None) -> str:
        """The root over the whole table (``record.chain``); raises RecordError for a cell with an impossible value."""
        try:
            about = (self.scenario, self.overrides, claim)
            return root_of_rows(self.version, self.columns, self.rows, self.asked, about)
        except TypeError as error:
            raise RecordError(f"its table of trials is damaged ({one_line(str(error))})") from error


class Glance(NamedTuple):
    """The progress of a batch, without its rows."""

    scenario: dict
    overrides: dict[int, dict]  # of each condition
    created: str  # UTC
    facts: dict  # see ``Table.note``
    counts: dict[int, tuple[int, int, int]]  # of each condition: trials so far, successes, infrastructure errors
    fallbacks: int  # decisions that fallbacks made

    @property
    def done(self) -> int:
        return sum(trials for trials, *_ in self.counts.values())

    @property
    def planned(self) -> int:
        """Number of trials of the complete batch; the present number if that is unknown."""
        return max(self.facts.get("planned", 0), self.done)


def read_table(folder: str | Path) -> Rows:
    """The whole content of a batch so far; raises RecordError if there is none."""
    with _opened(folder) as db:
        return _rows(db, answers=False)


def read_whole(folder: str | Path) -> Rows:
    """The same with the hashes of all answers, for checks; raises RecordError also for an inconsistent file.

    A view instead of a table, a trigger, or an index that disagrees would show other rows to another reader.
    """
    with _opened(folder) as db:
        (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise ValueError(verdict)
        with closing(sqlite3.connect(":memory:")) as blank:
            blank.executescript(trials_in(db).schema)
            known = _things(blank)
        for kind, name in sorted(_things(db)):
            made_up = (kind, name) not in known or any(
                hidden for *_, hidden in db.execute(f"PRAGMA table_xinfo({name})")
            )
            if made_up:
                raise ValueError(f"{kind} {name} does not belong to a batch")
        return _rows(db, answers=True)


def _things(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Kind and name of all objects in a database, except SQLite's own."""
    found = db.execute("SELECT type, name FROM sqlite_master")
    return {(kind, one_line(name)) for kind, name in found if not name.startswith("sqlite_")}


def _rows(db: sqlite3.Connection, answers: bool) -> Rows:
    found, asked = trials_in(db), _hashes(db) if answers else {}
    return Rows(found.columns, list(found.rows()), *_about(db), found.chunks, asked, found.version)


def glance(folder: str | Path) -> Glance:
    """The progress of a batch; raises RecordError if there is none."""
    with _opened(folder) as db:
        found, about = trials_in(db), _about(db)
        counts = found.counts()
        return Glance(*about, {number: counts.get(number, (0, 0, 0)) for number in about[1]}, found.fallbacks())


def holds_a_run(folder: str | Path) -> bool:
    """Whether a folder contains a single run, and not a batch; raises RecordError if it contains neither."""
    with _opened(folder) as db:
        return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone() is not None


def runs_in(folder: str | Path) -> list[Path]:
    """The single runs directly below a folder, by name; empty if the folder is a run or a batch itself."""
    folder = plain.path(folder, "folder")
    if (folder / DATABASE).exists():
        return []
    found = sorted(file.parent for file in folder.glob(f"*/{DATABASE}"))
    return [each for each in found if not each.is_symlink() and holds_a_run(each)]


class TrialRow(NamedTuple):
    """One trial of a batch."""

    scenario: dict
    overrides: dict  # of its condition
    columns: dict[str, Any]
    asked: list[Event]  # the answers in it, if they were kept


def read_trial(folder: str | Path, row: int) -> TrialRow:
    """One trial, by its place among the rows of ``read_table``.

    Raises RecordError if the batch or the row does not exist.
    """
    with _opened(folder) as db:
        found = trials_in(db)
        values = found.row(row) if row >= 0 else None
        if values is None:
            count = sum(trials for trials, *_ in found.counts().values())
            raise RecordError(f"{folder}: no trial in row {row}; expected 0..{count - 1}" if count else
                              f"{folder}: no trial is done yet")  # fmt: skip
        columns = dict(zip(found.columns, values, strict=True))
        scenario, overrides, *_ = _about(db)
        return TrialRow(scenario, overrides[columns["condition"]], columns, _asked(db, columns))


def _hashes(db: sqlite3.Connection) -> dict[tuple[int, int], str]:
    """The hash of the answers, by condition and trial."""
    if not _keeps_answers(db):
        return {}
    return {
        (condition, trial): _hash(events)
        for condition, trial, events in db.execute("SELECT condition, trial, events FROM asked")
    }


def _hash(events: bytes) -> str:
    """SHA-256 of the decompressed events, because compressors differ by version; damaged data is hashed unchanged."""
    whole, packed = sha256(), zlib.decompressobj()
    try:
        while part := packed.decompress(events, PART):
            whole.update(part)
            events = packed.unconsumed_tail
        return whole.hexdigest()
    except zlib.error:
        return sha256(events).hexdigest()


def _keeps_answers(db: sqlite3.Connection) -> bool:
    """False for batches of an earlier version."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'asked'").fetchone() is not None


def _asked(db: sqlite3.Connection, columns: Mapping[str, Any]) -> list[Event]:
    if not _keeps_answers(db):
        return []
    place = columns["condition"], columns["trial"]
    found = db.execute("SELECT events FROM asked WHERE condition = ? AND trial = ?", place).fetchone()
    return [parse(line) for line in zlib.decompress(found[0]).splitlines()] if found else []


@contextmanager
def _opened(folder: str | Path) -> Iterator[sqlite3.Connection]:
    """The file of a batch, open for reading; its errors become RecordError."""
    path = file_of(plain.path(folder, "folder"))
    try:
        with closing(sqlite3.connect(to_read(path), uri=True, timeout=BUSY_SECONDS)) as db:
            db.execute("BEGIN")  # one consistent state, also while the batch grows
            yield db
    except UNREADABLE as error:
        raise explain(error, path) from error
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise RecordError(f"{path}: it is damaged ({one_line(str(error))})") from error


def _about(db: sqlite3.Connection) -> tuple[dict, dict[int, dict], str, dict]:
    """The scenario, the overrides of each condition, the time of creation, and the stored facts."""
    conditions = dict(db.execute("SELECT condition, overrides FROM condition ORDER BY condition"))
    meta = dict(db.execute("SELECT key, value FROM meta"))
    scenario, created = json.loads(meta.pop("scenario")), meta.pop("created")
    facts = {key: json.loads(value) for key, value in meta.items() if key not in _OF_TRIALS}
    overrides = {number: json.loads(text) for number, text in conditions.items()}
    noted = {"planned": int, "max_errors": int | float, "versions": dict, "root": str}
    kinds = {"scenario": dict, "created": str, **noted} | dict.fromkeys(overrides, dict)
    for key, value in {"scenario": scenario, "created": created, "planned": 0, **facts, **overrides}.items():
        if not isinstance(value, kinds.get(key, object)):
            raise TypeError(f"{key} is {value!r}")
    return scenario, overrides, created, facts


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def check_same(folder: Path, before: dict, now: dict, what: str = "another scenario") -> None:
    """Raise UsageError, naming the changes, if the scenario differs from the one that a folder was created with."""
    before, now = (dict(_flat("", value)) for value in (before, now))
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if changed:
        told = "; ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in changed[:3])
        raise UsageError(f"{folder}: begun with {what}: {told}; choose another folder")


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), item)
    else:
        yield prefix, value

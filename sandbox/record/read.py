"""Reading a run: finished, killed in the middle, or still being written.

Reading writes in one case only: without a WAL, SQLite must undo an interrupted commit before it can read.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from sandbox.core import plain
from sandbox.core.errors import RecordError
from sandbox.core.finish import Outcome
from sandbox.record.events import OTHER_VERSION, Event, Resumed, TickDone, TrialFinished, TrialStarted, parse
from sandbox.record.lock import Lock, Reading
from sandbox.record.store import (
    BUSY_SECONDS,
    DATABASE,
    UNREADABLE,
    explain,
    file_of,
    primary_code,
    to_read,
    to_write,
)

_PAGE = 500  # rows read at once; a snapshot held by a paused reader would keep the WAL from being emptied
_BODY = "CAST(body AS BLOB)"  # the bytes unchanged, even if they are no longer valid UTF-8


class Run:
    """A run, open for reading from any thread; ``open_run`` makes it. Each access reads from the file."""

    def __init__(self, folder: Path, db: sqlite3.Connection) -> None:
        self.folder = folder
        self._db, self._reading = db, Reading(folder)

    @property
    def meta(self) -> dict[str, str]:
        """``created`` (UTC); once the record is sealed also ``events`` (their number) and ``root`` (hexadecimal)."""
        return dict(self.query("SELECT key, value FROM meta"))

    @property
    def trials(self) -> tuple[TrialStarted, ...]:
        """The started trials, in the order of their start."""
        return tuple(event for event in self.milestones("trial_started") if isinstance(event, TrialStarted))

    @property
    def outcomes(self) -> dict[int, dict[str, Any]]:
        """The outcome of each finished trial, by its number; raises RecordError for one of another version."""
        done: dict[int, dict[str, Any]] = {}
        for event in self.milestones("trial_finished", "resumed"):
            if isinstance(event, TrialFinished):
                done[event.trial] = event.outcome
            elif isinstance(event, Resumed):
                done.pop(event.trial, None)
        for trial, outcome in done.items():
            if strange := [name for name in outcome if name not in Outcome._fields]:
                told = f"the outcome of trial {trial} has the field '{strange[0]}', {OTHER_VERSION}"
                raise RecordError(f"{self.folder / DATABASE}: {told}")
        return done

    def events(self, trial: int | None = None) -> Iterator[Event]:
        """The events in the order they happened: all, or those of one trial."""
        seq, which = 0, "" if trial is None else "AND trial = :trial"
        sql = f"SELECT seq, {_BODY} FROM event WHERE seq > :seq {which} ORDER BY seq LIMIT {_PAGE}"
        while page := list(self.query(sql, {"trial": trial, "seq": seq})):
            for seq, body in page:
                yield self._event(seq, body)

    def milestones(self, *kinds: str, trial: int | None = None) -> Iterator[Event]:
        """The events of some kinds other than ``tick``, in the order they happened: all, or those of one trial."""
        # The first condition repeats the one of the partial index; otherwise SQLite does not use the index.
        places, which = ", ".join("?" * len(kinds)), "" if trial is None else "AND +trial = ?"  # + : no index
        sql = f"SELECT seq, {_BODY} FROM event WHERE kind <> 'tick' AND kind IN ({places}) {which} ORDER BY seq"
        values = kinds if trial is None else (*kinds, trial)
        return (self._event(seq, body) for seq, body in self.query(sql, values))

    def tick(self, trial: int, tick: int) -> TickDone | None:
        """The event of one tick of a trial; None if the tick is not recorded."""
        sql = f"SELECT seq, {_BODY} FROM event WHERE kind = 'tick' AND trial = ? AND tick = ?"
        found = next((self._event(seq, body) for seq, body in self.query(sql, (trial, tick))), None)
        return found if isinstance(found, TickDone) else None

    def query(self, sql: str, values: dict | tuple = ()) -> Iterator[tuple]:
        """The rows of any SELECT on the tables of ``store.SCHEMA``; raises RecordError if the file is unreadable."""
        try:
            yield from map(tuple, self._db.execute(sql, values))  # a bare cursor would be closed with the generator
        except UNREADABLE as error:
            raise explain(error, self.folder / DATABASE) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Queries inside see one consistent state of a run that is being written."""
        list(self.query("SAVEPOINT moment"))  # unlike BEGIN it can be nested, as when two threads verify at once
        try:
            yield
        finally:
            list(self.query("RELEASE moment"))

    def close(self) -> None:
        self._db.close()
        self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _event(self, seq: int, body: bytes) -> Event:
        try:
            return parse(body)
        except RecordError as error:
            raise RecordError(f"{self.folder / DATABASE}: the row of seq {seq} is {error}") from error


def open_run(folder: str | Path) -> Run:
    """Open the run in ``folder`` for reading.

    Raises RecordError if the folder or the run in it is missing, or its file is damaged, locked or no database.
    """
    folder = plain.path(folder, "folder")
    path = file_of(folder)
    try:
        return Run(folder, _connect(path))
    except UNREADABLE as error:
        if primary_code(error) == sqlite3.SQLITE_ERROR:
            raise RecordError(f"{path}: it holds no run ({error})") from error
        raise explain(error, path) from error


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return _probed(path, to_read(path))
    except sqlite3.OperationalError as error:
        if primary_code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        if _left(path, "-journal") and _undone(path):
            return _probed(path, to_read(path))
        if _left(path, "-wal") or _left(path, "-journal"):
            raise RecordError(f"{path}: its writer did not close it; copy the folder to where you may write") from error
        # SQLite cannot create its index of the WAL in a read-only folder. With an empty WAL it needs none.
        return _probed(path, f"{to_read(path)}&immutable=1")


def _left(path: Path, kind: str) -> bool:
    """Whether a journal exists beside a file."""
    journal = path.with_name(path.name + kind)
    return journal.is_file() and journal.stat().st_size > 0


def _undone(path: Path) -> bool:
    """Undo the commit during which a writer was killed; False if that is impossible."""
    try:
        lock = Lock(path.parent)
    except RecordError:
        return False
    try:
        with closing(to_write(path, lock.native)) as db:
            db.execute("SELECT count(*) FROM meta").fetchone()
            db.execute("PRAGMA journal_mode = DELETE")
            return True
    except sqlite3.Error:
        return False
    finally:
        lock.release()


def _probed(path: Path, uri: str) -> sqlite3.Connection:
    """A connection that has read from both tables, so that errors of the file appear now."""
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db.text_factory = lambda raw: raw.decode(errors="backslashreplace")
    try:
        db.execute("SELECT value FROM meta LIMIT 1").fetchone()
        db.execute("SELECT hash FROM event LIMIT 1").fetchone()
    except UNREADABLE:
        db.close()
        raise
    return db

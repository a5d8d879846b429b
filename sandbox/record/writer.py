"""The one writer of a run: it holds the lock, chains the rows and commits them. It knows no threads; ``log`` does."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sandbox.core.errors import RecordError
from sandbox.record.chain import GENESIS, Merkle, chain_hash, leaf_hash
from sandbox.record.lock import Lock
from sandbox.record.store import DATABASE, SCHEMA

_ROWS = 256  # in one statement: Python gives up its GIL for each, and may wait 5 ms to get it back
_META = "INSERT INTO meta VALUES (?, ?)"


class Entry(NamedTuple):
    """An event on its way to the file."""

    trial: int | None
    tick: int | None
    kind: str
    body: bytes


class Writer:
    """Writes one new run. Errors of SQLite come through as they are; after one, only ``close`` makes sense."""

    def __init__(self, folder: Path) -> None:
        self.root: str | None = None  # Merkle root, hexadecimal, once sealed
        self._head = GENESIS
        self._tree = Merkle()
        self._lock = _claim(folder)
        try:
            self._db = _create(folder / DATABASE)
        except BaseException:
            (folder / DATABASE).unlink(missing_ok=True)  # else a full disk would leave a folder that looks used
            self._lock.release()
            raise

    def write(self, entries: Sequence[Entry], last: bool = False) -> None:
        """Commit the entries in one transaction; a ``run_finished`` among them, or ``last``, seals the record."""
        seal = self.root is None and (last or any(entry.kind == "run_finished" for entry in entries))
        if not entries and not seal:
            return
        rows = [self._link(entry) for entry in entries]
        self._db.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), _ROWS):
            self._insert(rows[start : start + _ROWS])
        root = self._tree.root().hex()
        if seal:
            self._db.executemany(_META, [("events", str(self._tree.size)), ("root", root)])
        self._db.execute("COMMIT")
        self.root = root if seal else self.root

    def close(self) -> None:
        """Give the file free. Without a reader at work it becomes one plain file, readable on read-only media too."""
        with suppress(sqlite3.Error):  # a reader is at work, or the disk is full: the WAL stays beside it, as readable
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        self._lock.release()

    def _link(self, entry: Entry) -> tuple:
        leaf, previous = leaf_hash(entry.body), self._head
        self._head = chain_hash(previous, leaf)
        self._tree.add(leaf)
        place = (self._tree.size, entry.trial, entry.tick, entry.kind)
        return *place, entry.body.decode(), previous.hex(), self._head.hex()

    def _insert(self, rows: Sequence[tuple]) -> None:
        places = ",".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))
        self._db.execute(f"INSERT INTO event VALUES {places}", [value for row in rows for value in row])


def _claim(folder: Path) -> Lock:
    """Take the folder and create its empty database, or say that there is one."""
    lock = Lock(folder)
    try:
        (folder / DATABASE).touch(exist_ok=False)  # atomic: of two that come this far, one creates it
    except OSError as error:
        lock.release()
        if isinstance(error, FileExistsError):
            raise RecordError(f"{folder} already holds a run; choose another folder, or remove that one") from error
        raise
    return lock


def _create(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut, the latest commits
        db.executescript("BEGIN;" + SCHEMA)
        db.execute(_META, ("created", datetime.now(UTC).isoformat(timespec="seconds")))
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db

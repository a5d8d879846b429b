"""The one writer of a run: it holds the lock, chains the rows and commits them. ``log`` runs it in a thread."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sandbox.core.errors import RecordError
from sandbox.record.chain import GENESIS, Merkle, chain_hash, leaf_hash
from sandbox.record.lock import Lock
from sandbox.record.store import DATABASE, SCHEMA, Opened, database, to_write

_ROWS = 256  # in one statement: each statement releases the GIL, and may wait 5 ms to get it back
_META = "INSERT INTO meta VALUES (?, ?)"
_SEAL = ("events", "root")  # keys of meta
ENDS = "run_finished"  # the event that seals the record


class Occupied(RecordError):
    """A new run cannot be written where a run exists."""


class Entry(NamedTuple):
    """An event to be written."""

    trial: int | None
    tick: int | None
    kind: str
    body: bytes


class Writer:
    """Writes one run: a new one, or with ``first`` a continued one, whose rows must have the root ``root``.

    Errors of SQLite are not converted; after one, only ``close`` may be called.
    """

    def __init__(self, folder: Path, first: Sequence[Entry] = (), root: str = "") -> None:
        self.root: str | None = None  # Merkle root, hexadecimal, once sealed
        self._head = GENESIS
        self._tree = Merkle()
        self._lock = Lock(folder) if first else _claim(folder)
        try:
            path = database(folder)
            self._db = (to_write if first else _create)(path, self._lock.native)
            self._opened = Opened(path)
            if first:
                self._go_on(folder, first, root)
        except BaseException:
            if not first:
                (folder / DATABASE).unlink(missing_ok=True)  # after a full disk the folder must not look used
            self._lock.release()
            raise

    def _go_on(self, folder: Path, first: Sequence[Entry], root: str) -> None:
        """Continue chain and tree from their ends, and replace the seal by the first entries."""
        for (body,) in self._db.execute("SELECT CAST(body AS BLOB) FROM event ORDER BY seq"):
            self._head = chain_hash(self._head, leaf_hash(body))
            self._tree.add(leaf_hash(body))
        if self._tree.root().hex() != root:
            raise RecordError(f"{folder}: another process wrote to this run")
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM meta WHERE key IN (?, ?)", _SEAL)
        self._insert([self._link(entry) for entry in first])
        self._db.execute("COMMIT")

    def write(self, entries: Sequence[Entry], last: bool = False) -> None:
        """Commit the entries in one transaction; a ``run_finished`` among them, or ``last``, seals the record."""
        self.check()
        seal = self.root is None and (last or any(entry.kind == ENDS for entry in entries))
        if not entries and not seal:
            return
        rows = [self._link(entry) for entry in entries]
        self._db.execute("BEGIN IMMEDIATE")
        for start in range(0, len(rows), _ROWS):
            self._insert(rows[start : start + _ROWS])
        root = self._tree.root().hex()
        if seal:
            self._db.executemany(_META, zip(_SEAL, (str(self._tree.size), root), strict=True))
        self._db.execute("COMMIT")
        self.root = root if seal else self.root

    def check(self) -> None:
        """Raise RecordError if the file is no longer in its folder."""
        self._opened.check()

    def close(self) -> None:
        """Release the file. Without an active reader it becomes a single file, readable on read-only media too."""
        with suppress(sqlite3.Error):  # a reader is active or the disk is full: the WAL stays, equally readable
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
    """Lock the folder and create its empty database; raises Occupied if there is one."""
    lock = Lock(folder)
    try:
        database(folder).touch(exist_ok=False)  # atomic: only one of two processes creates it
    except (OSError, RecordError) as error:
        lock.release()
        if isinstance(error, FileExistsError):
            raise Occupied(f"{folder} already holds a run; choose another folder, or remove that one") from error
        raise
    return lock


def _create(path: Path, locks: bool) -> sqlite3.Connection:
    db = to_write(path, locks)
    try:
        db.executescript("BEGIN;" + SCHEMA)
        db.execute(_META, ("created", datetime.now(UTC).isoformat(timespec="seconds")))
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db

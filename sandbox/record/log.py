"""Recording a run: ``append`` only makes the event bytes; one thread chains and commits them in groups.

Only that thread changes chain and file, so Ctrl-C during an ``append`` cannot break the chain.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Self

from sandbox.core.errors import RecordError
from sandbox.record.events import Event, canonical
from sandbox.record.store import DATABASE, explain
from sandbox.record.writer import ENDS, Entry, Writer

COMMIT_SECONDS = 0.25  # a killed process loses the events since the last commit
BACKLOG = 10_000  # events; a producer faster than the disk waits here


class Log:
    """The record of one run, open for writing from any thread; use it in a ``with``. After an error it stays failed."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self.folder = folder
        self._writer = writer
        self._waiting: deque[list[Entry] | Signal] = deque()
        self._due = Signal()
        self._ended = self._closing = False  # a run_finished has come; close was called
        self._failure: RecordError | None = None
        self._thread = Thread(target=self._work, name=f"record {folder.name}", daemon=True)
        self._thread.start()

    @classmethod
    def create(cls, folder: str | Path) -> Self:
        """Start a run in ``folder``, which is created if needed.

        Raises RecordError if it already contains a run, another process writes there, or it cannot be written.
        """
        path = Path(folder)
        try:
            return cls(path, Writer(path))
        except (sqlite3.Error, OSError) as error:
            raise explain(error, path / DATABASE) from error

    @classmethod
    def reopen(cls, folder: str | Path, first: Iterable[Event], root: str) -> Self:
        """Continue a run that did not end, with the events ``first``; a seal is removed.

        ``root`` is the root of the rows as they were read. Raises RecordError if the rows have changed since, another
        process writes there, or the folder cannot be written.
        """
        path = Path(folder)
        try:
            return cls(path, Writer(path, [_entry(event) for event in first], root))
        except (sqlite3.Error, OSError) as error:
            raise explain(error, path / DATABASE) from error

    @property
    def root(self) -> str | None:
        """The Merkle root, hexadecimal; None until ``run_finished`` or ``close`` has sealed the record."""
        return self._writer.root

    def append(self, event: Event) -> None:
        """Record the event; see ``extend``."""
        self.extend([event])

    def extend(self, events: Iterable[Event]) -> None:
        """Record events that belong together: after a crash, the record has all of them or none.

        They are on disk within ``COMMIT_SECONDS``; ``run_finished`` is the last and is on disk at once. Raises
        RecordError if an earlier commit failed (disk full), the file was removed, or the run is finished or closed.
        """
        self._check()
        if self._failure or self._ended or self._closing:
            raise self._failure or RecordError(f"{self.folder}: the run is finished; nothing can be added to it")
        entries = [_entry(event) for event in events]
        self._ended = any(entry.kind == ENDS for entry in entries)
        self._waiting.append(entries)
        if self._ended or len(self._waiting) >= BACKLOG:
            self.flush()

    def _check(self) -> None:
        try:
            self._writer.check()
        except RecordError as error:
            self._failure = self._failure or error

    def flush(self) -> None:
        """Wait until everything appended so far is committed; raises RecordError if that fails."""
        done = Signal()
        self._waiting.append(done)
        self._due.set()
        while not done.wait(0.1) and self._thread.is_alive():
            pass
        if not done.is_set():
            raise self._failure or RecordError(f"{self.folder}: nothing more can be recorded, the log is closed")

    def close(self) -> None:
        """Commit the rest, write the Merkle root, release the folder. Raises RecordError if that fails."""
        if self._closing:
            return
        self._closing = True
        self._due.set()
        self._thread.join()
        if self.root is None:
            raise self._failure or RecordError(f"{self.folder}: the record could not be sealed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self.close()
        except RecordError as failure:
            if failure is not error:
                raise

    def _work(self) -> None:
        try:
            while not self._closing:
                self._due.wait(COMMIT_SECONDS)
                self._due.clear()
                self._commit(last=False)
            self._commit(last=True)
        except RecordError as error:
            self._failure = self._failure or error
        except (sqlite3.Error, OSError) as error:
            self._failure = explain(error, self.folder / DATABASE)
        finally:
            self._writer.close()

    def _commit(self, last: bool) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        self._writer.write([entry for item in batch if isinstance(item, list) for entry in item], last)
        for item in batch:
            if isinstance(item, Signal):
                item.set()


def _entry(event: Event) -> Entry:
    return Entry(getattr(event, "trial", None), getattr(event, "tick", None), event.kind, canonical(event))

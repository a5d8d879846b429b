"""One writer for a folder: the lock is an open transaction on a file of its own, so it ends with its process."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.core.errors import RecordError
from sandbox.record.store import explain, primary_code

LOCK = "run.lock"


class Lock:
    """Holds a folder, which is made where it is missing; raises RecordError where another process writes there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / LOCK
        self._db = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode = MEMORY")  # nothing is written: no second file is needed
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._db.close()
            if primary_code(error) == sqlite3.SQLITE_BUSY:
                raise RecordError(f"{folder}: another process is writing this run; choose another folder") from error
            raise explain(error, self._path) from error

    def release(self) -> None:
        """Give the folder free."""
        self._db.close()
        self._path.unlink(missing_ok=True)


def held(folder: Path) -> bool:
    """Whether somebody writes in a folder; nothing is taken, made or removed to find out."""
    path = folder / LOCK
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=0)) as db:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return primary_code(error) == sqlite3.SQLITE_BUSY
    return False

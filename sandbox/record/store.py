"""The file of a run: its name, its tables, how it is opened, and SQLite's errors as text."""

import errno
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from sandbox.core.errors import RecordError
from sandbox.record.whole import within

fcntl: ModuleType | None
try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

DATABASE = "run.db"
BUSY_SECONDS = 5.0  # how long a reader waits for a lock

# Outcomes are read from the trial_finished events, so that no second table can disagree with the chain.
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE event (
    seq   INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without gaps
    trial INTEGER,              -- trial, tick, kind repeat the body, for queries
    tick  INTEGER,
    kind  TEXT NOT NULL,
    body  TEXT NOT NULL,        -- canonical JSON
    prev  TEXT NOT NULL,        -- hash of the row before, hexadecimal
    hash  TEXT NOT NULL         -- SHA-256(prev || SHA-256(0x00 || body)), hexadecimal
);
CREATE INDEX event_trial ON event (trial);
CREATE INDEX event_milestone ON event (kind) WHERE kind <> 'tick';
"""

WITHOUT_LOCKS = "&vfs=unix-none"
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # the latter if SQLite's own message quotes damaged bytes

EXHAUSTED = errno.EMFILE, errno.ENFILE
SPENT = "too many files are open at once; raise the limit (ulimit -n)"
_FULL = "the disk is full; what was recorded before stays readable"
_MEANING: dict[int | None, str] = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_BUSY: "it is locked by another process; try again when that one is done",
    sqlite3.SQLITE_READONLY: "it cannot be written here; copy the folder to where you may write",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of the file and its folder",
}


def database(folder: str | Path) -> Path:
    """The path of a run's file; raises RecordError if it, or a file beside it, is a symbolic link."""
    for ending in ("-wal", "-shm", "-journal", ""):
        path = within(folder, f"{DATABASE}{ending}")
    return path


class Opened:
    """Identity of the file opened at a path, to find out whether the path still leads to it."""

    def __init__(self, path: Path) -> None:
        self._path, self._file, self._found = path, path.absolute(), path.stat()

    def check(self) -> None:
        """Raise RecordError if the file was removed or replaced.

        A process that has it open would go on writing into the removed file.
        """
        try:
            if os.path.samestat(self._found, self._file.lstat()):
                return
            told = "another file was put into its place"
        except OSError:
            told = f"{'it' if self._file.parent.is_dir() else 'its folder'} was removed or renamed"
        raise RecordError(f"{self._path}: {told} while it was being written")


def file_of(folder: str | Path) -> Path:
    """The file of the run or batch in a folder; raises RecordError if there is none."""
    path = database(folder)
    if not path.parent.is_dir():
        raise RecordError(f"{folder}: no such folder")
    if not path.is_file():
        raise RecordError(f"{folder}: holds no run (there is no {DATABASE} in it)")
    return path


def to_write(path: Path, locks: bool) -> sqlite3.Connection:
    """The connection of the only writer. Without ``locks`` or shared memory, the journal is not a WAL."""
    uri = f"{_address(path)}?mode=rwc{'' if locks else WITHOUT_LOCKS}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        if locks:
            with suppress(sqlite3.OperationalError):  # an error appears again at the next statement
                db.execute("PRAGMA journal_mode = WAL")
        else:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = DELETE")
        db.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut, the latest commits
    except BaseException:
        db.close()
        raise
    return db


def _address(path: Path) -> str:
    return (path.parent.resolve() / path.name).as_uri()


def to_read(path: Path) -> str:
    """The URI by which SQLite opens a run for reading only."""
    return f"{_address(path)}?mode=ro{'' if has_locks(path.parent) else WITHOUT_LOCKS}"


def has_locks(folder: Path) -> bool:
    """Whether files in a folder can be locked. Without locks, SQLite reports that another process holds one."""
    if fcntl is None:
        return os.name == "nt"
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError:  # the error appears when a file is opened there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(file)


def one_line(words: str) -> str:
    """The first line of a text from a damaged file, which may contain anything; at most 200 characters."""
    return " ".join(words.split())[:200]


def primary_code(error: Exception) -> int | None:
    """The primary result code (https://sqlite.org/rescode.html), without its extension; None for other errors."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _can_open() -> bool:
    """Whether this process may open one more file."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno not in EXHAUSTED
    return True


def explain(error: sqlite3.Error | OSError | UnicodeDecodeError, path: Path) -> RecordError:
    """The error in one line that names the file and what can be done."""
    meaning = _MEANING.get(primary_code(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        meaning = _FULL
    if getattr(error, "errno", None) in EXHAUSTED or (meaning and not _can_open()):  # SQLite does not say why
        meaning = SPENT
    if isinstance(error, UnicodeDecodeError):
        meaning = _MEANING[sqlite3.SQLITE_CORRUPT]
    detail = one_line(getattr(error, "strerror", None) or str(error))
    return RecordError(f"{path}: {meaning} ({detail})" if meaning else f"{path}: {detail}")

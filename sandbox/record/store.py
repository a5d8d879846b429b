"""The file of a run: its name, its tables, and what the errors of SQLite mean to a person."""

import errno
import sqlite3
from pathlib import Path

from sandbox.core.errors import RecordError

DATABASE = "run.db"
BUSY_SECONDS = 5.0  # how long a reader waits for a lock

# One record behind every view: outcomes are read from the trial_finished events, so no second table can disagree.
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

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # the latter where SQLite's own message quotes damaged bytes

_FULL = "the disk is full; what was recorded before stays readable"
_MEANING = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_BUSY: "it is locked by another process; try again when that one is done",
    sqlite3.SQLITE_READONLY: "it cannot be written here; copy the folder to where you may write",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of the file and its folder",
}


def one_line(words: str) -> str:
    """What comes out of a damaged file may hold anything: one line of it, 200 characters at most."""
    return " ".join(words.split())[:200]


def primary_code(error: Exception) -> int | None:
    """The primary result code (https://sqlite.org/rescode.html), without its extension; None for other errors."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def explain(error: sqlite3.Error | OSError | UnicodeDecodeError, path: Path) -> RecordError:
    """The error in one line that names the file and what can be done."""
    meaning = _MEANING.get(primary_code(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        meaning = _FULL
    if isinstance(error, UnicodeDecodeError):
        meaning = _MEANING[sqlite3.SQLITE_CORRUPT]
    detail = one_line(getattr(error, "strerror", None) or str(error))
    return RecordError(f"{path}: {meaning} ({detail})" if meaning else f"{path}: {detail}")

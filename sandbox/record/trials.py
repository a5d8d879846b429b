"""The trials in the file of a batch: chunks of packed columns, or in batches of earlier versions a row for each trial.

``Chunks`` and ``SqlRows`` read them in the same way. Only the first is written, by ``record.table``.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import RecordError
from sandbox.record.chain import FORMAT, batch_root, encode
from sandbox.record.columns import (
    BLOCK,
    LEFT_OUT,
    Packed,
    Piece,
    halves,
    leaves,
    pieces_of_chunk,
    pieces_of_rows,
    values,
)
from sandbox.record.events import OTHER_VERSION

PLACE = ("condition", "trial")  # the first columns of a row
Asked = Mapping[tuple[int, int], str]  # the hash of the answers in a trial, by its condition and number
About = tuple[Mapping, Mapping[int, dict], Mapping | None]  # scenario, overrides of each condition, claim
Count = tuple[int, int, int]  # trials so far, successes, infrastructure errors

_ABOUT = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE condition (condition INTEGER PRIMARY KEY, overrides TEXT NOT NULL);  -- canonical JSON
CREATE TABLE asked (condition INTEGER, trial INTEGER, events BLOB NOT NULL,  -- what was answered in a trial, see pack
                    PRIMARY KEY (condition, trial)) WITHOUT ROWID;
"""


class Chunk(NamedTuple):
    """Trials ``start`` .. ``stop`` - 1 of one condition."""

    condition: int
    start: int
    stop: int


class Chunks:
    """Format 3: a row for each chunk, with the columns of its trials as bytes."""

    version = FORMAT
    schema = f"""{_ABOUT}
CREATE TABLE chunk (
    condition INTEGER, start INTEGER, stop INTEGER,        -- trials start .. stop - 1
    successes INTEGER, errors INTEGER, fallbacks INTEGER,  -- repeat the measures, for queries
    hash TEXT NOT NULL,                                    -- SHA-256 of measures, hexadecimal
    measures BLOB NOT NULL, rest BLOB NOT NULL,            -- see columns.Packed; meta.columns has their names
    PRIMARY KEY (condition, start)
);
"""
    add = "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # the chunk, and all of Packed but the first

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.measures: list[str] = json.loads(_noted(db, "columns"))
        if not (isinstance(self.measures, list) and len(set(map(str, self.measures))) == len(self.measures)):
            raise ValueError(f"its columns are {self.measures!r}")
        self.columns = [*PLACE, *self.measures]

    @property
    def chunks(self) -> list[Chunk]:
        """The chunks in the order of condition and trial; raises ValueError for an impossible one."""
        found = list(map(Chunk._make, self._db.execute("SELECT condition, start, stop FROM chunk ORDER BY 1, 2")))
        for chunk in found:
            if not (set(map(type, chunk)) == {int} and 0 <= chunk.start < chunk.stop <= chunk.start + BLOCK):
                raise ValueError(f"a chunk of trials {chunk.start!r} to {chunk.stop!r}")
        return found

    def read(self, chunk: Chunk) -> dict[str, np.ndarray]:
        """The measures of a chunk; raises ValueError or TypeError if they are damaged."""
        sql = "SELECT successes, errors, fallbacks, hash, measures, rest FROM chunk WHERE condition = ? AND start = ?"
        found = Packed(chunk.stop - chunk.start, *self._db.execute(sql, chunk[:2]).fetchone())
        return found.columns(self.measures)

    def rows(self) -> Iterator[tuple]:
        """Condition, number and measures of every trial."""
        for chunk in self.chunks:
            yield from self._rows(chunk)

    def _rows(self, chunk: Chunk) -> Iterator[tuple]:
        measures = zip(*map(values, self.read(chunk).values()), strict=True)
        return ((chunk.condition, chunk.start + k, *row) for k, row in enumerate(measures))

    def row(self, number: int) -> tuple | None:
        """One of the rows; None if there are not so many."""
        for chunk in self.chunks:
            if number < chunk.stop - chunk.start:
                return list(self._rows(chunk))[number]
            number -= chunk.stop - chunk.start
        return None

    def counts(self) -> dict[int, Count]:
        """The counts of each condition with trials."""
        sql = "SELECT condition, sum(stop - start), sum(successes), sum(errors) FROM chunk GROUP BY condition"
        return {condition: tuple(found) for condition, *found in self._db.execute(sql)}

    def fallbacks(self) -> int:
        """Decisions of fallbacks, in trials without an infrastructure error."""
        return self._db.execute("SELECT coalesce(sum(fallbacks), 0) FROM chunk").fetchone()[0]

    def root(self, asked: Asked, about: About) -> str:
        """The root over all trials, from the hashes of their chunks where these are whole blocks."""
        noted = "SELECT condition, start, hash FROM chunk"
        hashes = {(condition, start): found for condition, start, found in self._db.execute(noted)}
        names, _ = halves(self.columns)

        def under_root(chunk: Chunk) -> list[np.ndarray]:
            found = self.read(chunk)
            return [found[name] for name in names[len(PLACE) :]]

        def pieces() -> Iterator[Piece]:
            for chunk in self.chunks:
                yield from pieces_of_chunk(*chunk, hashes[chunk[:2]], partial(under_root, chunk))

        return batch_root(*about, names, leaves(pieces(), asked))


class SqlRows:
    """Format 2: a row of SQL for each trial. Such a batch can be read and verified, not continued."""

    version = 2
    schema = f"""{_ABOUT}
CREATE TABLE chunk (condition INTEGER, start INTEGER, stop INTEGER);
CREATE TABLE trial (condition INTEGER, trial INTEGER, error);
CREATE INDEX trial_error ON trial (condition, trial) WHERE error IS NOT NULL;
"""
    _ORDERED = "SELECT * FROM trial ORDER BY condition, trial"

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.columns = [column for column, *_ in db.execute("SELECT * FROM trial LIMIT 0").description]

    @property
    def chunks(self) -> list[Chunk]:
        return list(map(Chunk._make, self._db.execute("SELECT condition, start, stop FROM chunk ORDER BY 1, 2")))

    def rows(self) -> Iterator[tuple]:
        return self._db.execute(self._ORDERED)

    def row(self, number: int) -> tuple | None:
        return self._db.execute(f"{self._ORDERED} LIMIT 1 OFFSET ?", (number,)).fetchone()

    def counts(self) -> dict[int, Count]:
        sql = "SELECT condition, count(*), coalesce(sum(success), 0), count(error) FROM trial GROUP BY condition"
        return {condition: tuple(found) for condition, *found in self._db.execute(sql)}

    def fallbacks(self) -> int:
        if "fallbacks" not in self.columns:
            return 0
        return self._db.execute("SELECT coalesce(sum(fallbacks), 0) FROM trial WHERE error IS NULL").fetchone()[0]


def trials_in(db: sqlite3.Connection) -> Chunks | SqlRows:
    """The trials of an open batch; raises RecordError if a later version wrote it."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'trial'").fetchone():
        return SqlRows(db)
    if (version := json.loads(_noted(db, "format"))) != FORMAT:
        path = db.execute("PRAGMA database_list").fetchone()[2]
        raise RecordError(f"{path}: a batch of format {version!r}, {OTHER_VERSION}")
    return Chunks(db)


def root_of_rows(version: int, columns: Sequence[str], rows: Sequence[tuple], asked: Asked, about: About) -> str:
    """The root over all rows, of the format of their batch; raises TypeError for a cell with an impossible value."""
    names, _ = halves(columns)
    kept = [place for place, name in enumerate(columns) if name not in LEFT_OUT]
    found: Iterator[bytes]
    if version == SqlRows.version:
        found = (encode([*(row[place] for place in kept), asked.get(row[:2])]).encode() for row in rows)
    else:
        found = leaves(pieces_of_rows(rows, kept[len(PLACE) :]), asked)
    return batch_root(*about, names, found, version)


def _noted(db: sqlite3.Connection, key: str) -> Any:
    return db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]

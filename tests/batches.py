"""Batches for tests: changed by SQL on their trials, or written as an earlier version did."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from sandbox.record.columns import column, counted, halves, pack
from sandbox.record.table import Rows, read_whole
from sandbox.record.trials import SqlRows, root_of_rows


def forge(folder: Path, *statements) -> None:
    """Change the file of a batch by SQL. Its trials are there as rows of a table ``trial``, and are packed again.

    The counts and hash of a changed chunk are made to fit. A trial with another condition or number leaves its chunk.
    """
    found = read_whole(folder)
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        _rows(db, "TEMP", found)
        for sql in statements:
            db.execute(*sql) if isinstance(sql, tuple) else db.execute(sql)
        for chunk in found.chunks:
            old = [row for row in found.rows if row[0] == chunk.condition and chunk.start <= row[1] < chunk.stop]
            own = "SELECT * FROM temp.trial WHERE condition = ? AND trial >= ? AND trial < ? ORDER BY trial, rowid"
            if (new := db.execute(own, chunk).fetchall()) != old:
                values = _packed(found.columns[2:], [row[2:] for row in new]) if new else (0, 0, 0, "", b"", b"")
                sets = "successes = ?, errors = ?, fallbacks = ?, hash = ?, measures = ?, rest = ?"
                db.execute(f"UPDATE chunk SET {sets} WHERE condition = ? AND start = ?", (*values, *chunk[:2]))


def _rows(db: sqlite3.Connection, kind: str, found: Rows) -> None:
    db.execute(f"CREATE {kind} TABLE trial ({', '.join(found.columns)})")
    db.executemany(f"INSERT INTO trial VALUES ({', '.join('?' * len(found.columns))})", found.rows)


def _packed(names: list[str], rows: list[tuple]) -> tuple:
    columns = dict(zip(names, map(column, zip(*rows, strict=True)), strict=True))
    measures, rest = (pack(columns[name] for name in half) for half in halves(names))
    try:
        counts = counted(columns)
    except TypeError:  # words and None are not counted
        counts = (0, 0, 0)
    return *counts, sha256(measures).hexdigest(), measures, rest


def earlier(folder: Path, claim: dict | None = None) -> str:
    """Store a batch as format 2 did, with a row for each trial; returns its root, for a certificate with the claim."""
    found = read_whole(folder)
    about = found.scenario, found.overrides, claim
    root = root_of_rows(SqlRows.version, found.columns, found.rows, found.asked, about)
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        db.execute("DROP TABLE chunk")
        columns = "condition INTEGER, start INTEGER, stop INTEGER"
        db.execute(f"CREATE TABLE chunk ({columns}, PRIMARY KEY (condition, start)) WITHOUT ROWID")
        db.executemany("INSERT INTO chunk VALUES (?, ?, ?)", found.chunks)
        _rows(db, "", found)
        db.execute("CREATE INDEX trial_error ON trial (condition, trial) WHERE error IS NOT NULL")
        db.execute("DELETE FROM meta WHERE key IN ('format', 'columns')")
        db.execute("UPDATE meta SET value = ? WHERE key = 'root'", (json.dumps(root),))
    return root

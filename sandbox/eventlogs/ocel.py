"""OCEL 2.0 (Berti et al. 2024): event logs in which an event belongs to several objects; as JSON and as SQLite.

Both are written part by part, so that memory is that of one trial.
"""

import json
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sandbox.core.event_log import INITIAL, KINDS, Event, Object, Part, Value, text_of

# -- json --------------------------------------------------------------------------------------------------------------


def write_json(parts: Iterable[Part], path: Path) -> None:
    """Write a log as JSON. The types come last in the file, since only its end knows all of them."""
    objects, events = _Types(), _Types()
    number = 0
    with path.open("w", encoding="utf-8") as file, tempfile.TemporaryFile("w+", encoding="utf-8") as later:
        first, second = _Listed(file), _Listed(later)
        file.write('{"objects": [')
        for part in parts:
            for thing in part.objects:
                objects.add(thing.kind, {name: value for name, _, value in thing.values})
                first.add(_object(thing))
            for event in part.events:
                events.add(event.kind, event.values)
                second.add(_event(event, number))
                number += 1
        file.write('],\n"events": [')
        later.seek(0)
        shutil.copyfileobj(later, file)
        told = {"objectTypes": objects.told(), "eventTypes": events.told()}
        file.write("],\n" + json.dumps(told)[1:] + "\n")


class _Listed:
    """A list of JSON, item by item."""

    def __init__(self, file: IO[str]):
        self._file, self._mark = file, "\n"

    def add(self, item: dict[str, Any]) -> None:
        self._file.write(self._mark + json.dumps(item))
        self._mark = ",\n"


class _Types:
    """The types that have occurred, and the attributes of each."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, str]] = {}

    def add(self, kind: str, values: Mapping[str, Value]) -> None:
        known = self._found.setdefault(kind, {})
        for name, value in values.items():
            known.setdefault(name, KINDS[type(value)])

    def told(self) -> list[dict[str, Any]]:
        return [
            {"name": kind, "attributes": [{"name": name, "type": own} for name, own in values.items()]}
            for kind, values in self._found.items()
        ]


def _object(thing: Object) -> dict[str, Any]:
    values = [{"name": name, "time": text_of(since), "value": _plain(value)} for name, since, value in thing.values]
    return {"id": thing.name, "type": thing.kind, "attributes": values, "relationships": _related(thing.objects)}


def _event(event: Event, number: int) -> dict[str, Any]:
    values = [{"name": name, "value": _plain(value)} for name, value in event.values.items()]
    return {
        "id": f"e{number}", "type": event.kind, "time": text_of(event.end), "attributes": values,
        "relationships": _related(event.objects),
    }  # fmt: skip


def _related(objects: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"objectId": name, "qualifier": qualifier} for name, qualifier in objects]


def _plain(value: Value) -> Any:
    return text_of(value) if isinstance(value, datetime) else value


# -- sqlite ------------------------------------------------------------------------------------------------------------

_SCHEMA = """
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL UNIQUE);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL UNIQUE);
CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES event_map_type (ocel_type));
CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES object_map_type (ocel_type));
CREATE TABLE event_object (
    ocel_event_id TEXT REFERENCES event (ocel_id), ocel_object_id TEXT REFERENCES object (ocel_id),
    ocel_qualifier TEXT, PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier));
CREATE TABLE object_object (
    ocel_source_id TEXT REFERENCES object (ocel_id), ocel_target_id TEXT REFERENCES object (ocel_id),
    ocel_qualifier TEXT, PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier));
"""
_COLUMNS = {bool: "BOOLEAN", int: "INTEGER", float: "REAL", datetime: "TIMESTAMP", str: "TEXT"}


def write_sqlite(parts: Iterable[Part], path: Path) -> None:
    """Write a log as SQLite, with a table for each type, and keys on all tables."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        events, objects, number = _Tables(db, "event"), _Tables(db, "object"), 0
        for part in parts:
            for thing in part.objects:
                objects.add(thing.name, thing.kind)
                for since, changed, values in _rows(thing):
                    objects.note(thing.kind, {"ocel_id": thing.name, "ocel_time": since, **changed}, values)
            for thing in part.objects:
                rows = [(thing.name, *related) for related in thing.objects]
                db.executemany("INSERT INTO object_object VALUES (?, ?, ?)", rows)
            for event in part.events:
                name, number = f"e{number}", number + 1
                events.add(name, event.kind)
                events.note(event.kind, {"ocel_id": name, "ocel_time": event.end}, event.values)
                rows = [(name, *related) for related in event.objects]
                db.executemany("INSERT INTO event_object VALUES (?, ?, ?)", rows)
            db.commit()


def _rows(thing: Object) -> list[tuple[datetime, dict[str, Any], dict[str, Value]]]:
    """The rows of an object: one of its initial values, and one for each change."""
    initial = {name: value for name, since, value in thing.values if since == INITIAL}
    changes = [(since, {"ocel_changed_field": name}, {name: value})
               for name, since, value in thing.values if since != INITIAL]  # fmt: skip
    return [(INITIAL, {"ocel_changed_field": None}, initial), *changes]


class _Tables:
    """The tables of events, or those of objects. A type gets its table when it first occurs."""

    def __init__(self, db: sqlite3.Connection, what: str):
        self._db, self._what, self._types = db, what, dict[str, str]()
        self._columns: dict[str, list[str]] = {}

    def add(self, name: str, kind: str) -> None:
        """A new event or object."""
        if kind not in self._types:
            self._create(kind)
        self._db.execute(f"INSERT INTO {self._what} VALUES (?, ?)", (name, kind))

    def note(self, kind: str, own: Mapping[str, Any], values: Mapping[str, Value]) -> None:
        """A row in the table of its type."""
        table = self._types[kind]
        for name, value in values.items():
            if name.casefold() not in self._columns[kind]:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {_COLUMNS[type(value)]}")
                self._columns[kind].append(name.casefold())
        row = {name: _plain(value) for name, value in {**own, **values}.items()}
        names, marks = ", ".join(map(quoted, row)), ", ".join("?" * len(row))
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])

    def _create(self, kind: str) -> None:
        plain = re.sub(r"\W+", "_", kind, flags=re.ASCII).strip("_") or "type"
        taken = {each.casefold() for each in self._types.values()}
        short, count = plain, 1
        while quoted(f"{self._what}_{short}").casefold() in taken or short.casefold() in ("map_type", "object"):
            count += 1
            short = f"{plain}_{count}"
        table = quoted(f"{self._what}_{short}")
        self._types[kind], self._columns[kind] = table, ["ocel_id", "ocel_time", "ocel_changed_field"]
        self._db.execute(f"INSERT INTO {self._what}_map_type VALUES (?, ?)", (kind, short))
        own = "ocel_id TEXT PRIMARY KEY" if self._what == "event" else "ocel_id TEXT"
        more = ", ocel_changed_field TEXT, PRIMARY KEY (ocel_id, ocel_time, ocel_changed_field)"
        more = "" if self._what == "event" else more
        keys = f"FOREIGN KEY (ocel_id) REFERENCES {self._what} (ocel_id)"
        self._db.execute(f"CREATE TABLE {table} ({own}, ocel_time TIMESTAMP{more}, {keys})")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

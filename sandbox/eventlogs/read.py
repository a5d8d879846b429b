"""Reads event logs of any tool: OCEL 2.0 as JSON or SQLite, XES, and CSV.

Errors are one line. XML with a document type is refused, because only those have entities, which can grow without end.
"""

import csv
import json
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import numpy as np
import pandas as pd

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.files import LARGEST, near, read_text
from sandbox.eventlogs.ocel import quoted

EXPECTED = "an event log: OCEL 2.0 (JSON or SQLite), XES or CSV"
LONGEST = 1_000  # characters of the name of an activity, case or resource
_WHO = ("resource", "org:resource", "user", "employee", "worker", "person")  # names for who did it, in any case
COLUMNS = {  # of a CSV file: names by which each is known, the first of which we tell
    "case": ("case", "case_id", "case id", "caseid", "case:concept:name"),
    "activity": ("activity", "activity_name", "concept:name", "event"),
    "end": (
        "end", "complete", "end_timestamp", "end_time", "complete timestamp", "timestamp", "time", "time:timestamp",
    ),
    "start": ("start", "start_timestamp", "start_time", "start timestamp"),
    "resource": _WHO,
    "trial": ("trial", "case:trial"),
}  # fmt: skip
_NEEDED = ("case", "activity", "end")


class Log(NamedTuple):
    """A log in which each event belongs to one case.

    ``events`` has the columns trial (int64), case, activity, resource ("": nobody) and start (NaN: not known) and end,
    in minutes since the Monday, 0:00 (UTC), of the week in which it begins. ``notes`` say what was left out.
    """

    name: str
    events: pd.DataFrame
    notes: list[str]


def read(path: str | Path, cases: str | None = None) -> Log:
    """The log in a file; ``cases`` is the kind of objects that are cases, for OCEL. Raises UsageError."""
    path = Path(path)
    head = _head(path)
    if cases and head[:1] == b"<":
        raise UsageError(f"{path}: XES has cases of one kind; expected no choice of them")
    if head.startswith(b"SQLite format 3\0"):
        rows, notes = _objects(str(path), *_of_sqlite(path), cases), []
    elif head[:1] == b"<":
        rows, notes = _xes(path)
    elif head[:1] == b"{":
        rows, notes = _objects(str(path), *_of_json(path), cases), []
    else:
        rows, notes = _csv(path), []
    return Log(str(path), _checked(rows, str(path)), notes)


def _head(path: Path) -> bytes:
    """The first bytes of a file, without blanks; raises UsageError if it is not there, or too large."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no such file; {near(path)}expected {EXPECTED}")
        if (size := path.stat().st_size) > LARGEST:
            raise UsageError(f"{path}: {size:,} bytes; expected {EXPECTED} of {LARGEST:,} at most")
        with path.open("rb") as file:
            return file.read(4_096).removeprefix(b"\xef\xbb\xbf").lstrip()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); expected {EXPECTED}") from None


# -- what all have in common -------------------------------------------------------------------------------------------


def _checked(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Events with times in minutes, in order; raises UsageError for what no log can mean."""
    if not len(rows):
        raise UsageError(f"{where}: no events; expected {EXPECTED}")
    for column in ("case", "activity"):
        wrong = rows[column].isna() | (rows[column].astype(str).str.strip() == "")
        if wrong.any():
            raise UsageError(f"{where}: event {int(np.flatnonzero(wrong)[0]) + 1} has no {column}")
    rows["resource"] = rows["resource"].fillna("")
    for column in ("case", "activity", "resource"):
        rows[column] = rows[column].astype(str).str.strip()
        if (longest := int(rows[column].str.len().max())) > LONGEST:
            raise UsageError(f"{where}: a {column} of {longest:,} characters; expected {LONGEST:,} at most")
    rows["end"], rows["start"] = _moments(rows["end"], where, "end"), _moments(rows["start"], where, "start")
    missing = rows["end"].isna()
    if missing.any():
        raise UsageError(f"{where}: event {int(np.flatnonzero(missing)[0]) + 1} has no time")
    back = rows["start"] > rows["end"]
    if back.any():
        first = rows[back].iloc[0]
        told = f"'{shown(first.activity)[1:-1]}' of case '{shown(first.case)[1:-1]}' ends before it starts"
        raise UsageError(f"{where}: {told} ({first.end}, {first.start}); {int(back.sum()):,} events do")
    first = rows[["start", "end"]].min().min()
    monday = first.normalize() - pd.Timedelta(days=first.weekday())
    for column in ("start", "end"):
        rows[column] = (rows[column] - monday) / pd.Timedelta(minutes=1)
    rows["trial"] = _trials(rows["trial"], where)
    return rows.sort_values(["trial", "case", "end"], kind="stable", ignore_index=True)


def _moments(texts: pd.Series, where: str, column: str) -> pd.Series:
    """Times, in UTC; those without an offset are taken to be."""
    found = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")
    wrong = np.flatnonzero(found.isna() & texts.notna() & (texts.astype(str).str.strip() != ""))
    if len(wrong):
        value = shown(texts.iloc[wrong[0]])
        raise UsageError(
            f"{where}: event {wrong[0] + 1}: {column} {value}; expected a time such as 2026-01-31T09:30:00Z"
        )
    return found


def _trials(values: pd.Series, where: str) -> pd.Series:
    found = pd.to_numeric(values.fillna(0), errors="coerce")
    if found.isna().any() or (found % 1 != 0).any():
        raise UsageError(f"{where}: a trial is not a whole number")
    return found.astype(np.int64)


def _frame(rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["trial", "case", "activity", "resource", "start", "end"], dtype=object)


# -- csv ---------------------------------------------------------------------------------------------------------------


def _csv(path: Path) -> pd.DataFrame:
    text = read_text(path, EXPECTED)
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        table = pd.read_csv(path, sep=mark, dtype=str, keep_default_na=False, encoding_errors="replace")
    except (ValueError, csv.Error, pd.errors.ParserError) as error:
        raise UsageError(f"{path}: not CSV ({' '.join(str(error).split())[:200]}); expected {EXPECTED}") from None
    known = {name.strip().casefold(): name for name in map(str, table.columns)}
    found = {}
    for column, names in COLUMNS.items():
        name = next((known[each] for each in names if each in known), None)
        if name is None and column in _NEEDED:
            there = ", ".join(shown(each)[1:-1] for each in known) or "none"
            expected = f"one of {', '.join(names)}"
            raise UsageError(f"{path}: no column for the {column}: {there}; expected {expected}")
        found[column] = table[name] if name is not None else None
    rows = pd.DataFrame(found, dtype=object)
    rows["trial"] = rows["trial"].replace("", None)
    return rows


# -- xes ---------------------------------------------------------------------------------------------------------------


def _xes(path: Path) -> tuple[pd.DataFrame, list[str]]:
    reader = _Xes(str(path))
    try:
        with path.open("rb") as file:
            reader.parser.ParseFile(file)
    except expat.ExpatError as error:
        told = expat.errors.messages[error.code]
        raise UsageError(f"{path}: line {error.lineno}: {told}; expected a whole XES file") from None
    if not reader.is_xes:
        raise UsageError(f"{path}: XML without <log>; expected {EXPECTED}")
    return _frame(reader.rows), reader.notes()


class _Xes:
    """What is read of XES: the attributes right below a trace or an event."""

    def __init__(self, where: str):
        self.where, self.rows, self.is_xes = where, list[tuple](), False
        self._path: list[str] = []
        self._trace: dict[str, str] = {}
        self._event: dict[str, str] = {}
        self._begun: dict[tuple, deque[str]] = {}
        self._odd, self._open = Counter[str](), 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def notes(self) -> list[str]:
        odd = [f"{count:,} entries '{name}' are left out" for name, count in self._odd.items()]
        return [*odd, *([f"{self._open:,} events were begun and not completed: left out"] if self._open else [])]

    def _doctype(self, *_: Any) -> None:
        raise UsageError(f"{self.where}: it has a document type (<!DOCTYPE>), which is not read; expected plain XES")

    def _start(self, tag: str, values: dict[str, str]) -> None:
        tag = tag.rpartition(" ")[2]
        if tag in ("trace", "event", "log"):
            self.is_xes |= tag == "log"
            if tag == "trace":
                self._trace, self._begun = {}, {}
            self._event = {}
        elif self._path and self._path[-1] in ("trace", "event") and "key" in values:
            into = self._event if self._path[-1] == "event" else self._trace
            into[values["key"]] = values.get("value", "")
        self._path.append(tag)

    def _end(self, tag: str) -> None:
        self._path.pop()
        tag = tag.rpartition(" ")[2]
        if tag == "event":
            self._take(self._event)
        elif tag == "trace":
            self._open += sum(map(len, self._begun.values()))

    def _take(self, event: dict[str, str]) -> None:
        name, who, moment = (event.get(key, "") for key in ("concept:name", "org:resource", "time:timestamp"))
        key = (name, event["concept:instance"]) if "concept:instance" in event else (name, who, "")
        what = event.get("lifecycle:transition", "complete").casefold()
        if what == "start":
            self._begun.setdefault(key, deque()).append(moment)
        elif what == "complete":
            begun = self._begun.get(key)
            start = begun.popleft() if begun else None
            case = self._trace.get("concept:name", "")
            self.rows.append((self._trace.get("trial"), case, name, who, start, moment or None))
        else:
            self._odd[shown(what)[1:-1]] += 1


# -- ocel --------------------------------------------------------------------------------------------------------------


class _Ocel(NamedTuple):
    """The tables of OCEL that are read."""

    events: pd.DataFrame  # event, activity, end, start, resource
    related: pd.DataFrame  # event, object
    objects: pd.DataFrame  # object, kind
    above: pd.DataFrame  # object, target: objects that belong to others


def _objects(where: str, events: Any, related: Any, objects: Any, above: Any, cases: str | None) -> pd.DataFrame:
    """Events by case: one for each object of the kind that is the case."""
    log = _Ocel(*(pd.DataFrame(rows, columns=columns, dtype=object) for rows, columns in (
        (events, ["event", "activity", "end", "start", "resource"]), (related, ["event", "object"]),
        (objects, ["object", "kind"]), (above, ["object", "target"]),
    )))  # fmt: skip
    if not len(log.events):
        raise UsageError(f"{where}: no events; expected {EXPECTED}")
    joined = log.related.merge(log.objects, on="object").merge(log.events, on="event")
    kind = _chosen(where, joined, cases)
    found = joined[joined["kind"] == kind].drop_duplicates(["event", "object"]).rename(columns={"object": "case"})
    found = found.drop(columns="kind")
    if found["resource"].isna().all():
        people = joined[joined["kind"].str.casefold().str.rstrip("s").isin(_WHO)].drop_duplicates("event")
        found["resource"] = found["event"].map(people.set_index("event")["object"])
    trials = log.above.merge(log.objects[log.objects["kind"] == "trial"], left_on="target", right_on="object")
    number = trials.set_index("object_x")["target"].str.partition(":")[0]
    found["trial"] = found["case"].map(number[~number.index.duplicated()])
    return found[["trial", "case", "activity", "resource", "start", "end"]].reset_index(drop=True)


def _chosen(where: str, joined: pd.DataFrame, cases: str | None) -> str:
    """The kind of objects that are cases: as asked, or else the one that most activities are about."""
    if not len(joined):
        raise UsageError(f"{where}: its events have no objects; expected events that belong to objects")
    kinds = joined.groupby("kind").agg({"activity": "nunique", "object": "nunique"})
    if cases is None:
        return str(kinds.sort_values(["activity", "object"], kind="stable").index[-1])
    if cases not in kinds.index:
        raise unknown("kind of objects", cases, map(str, kinds.index), where)
    return cases


def _of_json(path: Path) -> tuple[list, list, list, list]:
    try:
        read = json.loads(read_text(path, EXPECTED))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({' '.join(str(error).split())[:200]}); expected {EXPECTED}") from None
    if "ocel:events" in read:
        raise UsageError(f"{path}: OCEL 1.0; expected OCEL 2.0")
    events, related, objects, above = [], [], [], []
    place = "the file"
    try:
        for number, each in enumerate(read["events"]):
            place = f"event {number + 1}"
            values = {pair["name"].casefold(): pair["value"] for pair in each.get("attributes", ())}
            who = next((values[name] for name in _WHO if name in values), None)
            events.append((each["id"], each["type"], each["time"], values.get("start"), who))
            related += [(each["id"], one["objectId"]) for one in each.get("relationships") or ()]
        for number, each in enumerate(read["objects"]):
            place = f"object {number + 1}"
            objects.append((each["id"], each["type"]))
            above += [(each["id"], one["objectId"]) for one in each.get("relationships") or ()]
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not OCEL 2.0: {place}: {shown(error)}; expected {EXPECTED}") from None
    return events, related, objects, above


def _of_sqlite(path: Path) -> tuple[list, list, list, list]:
    events = []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            ask: Callable = db.execute
            if (state := ask("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(f"damaged: {state}")
            for kind, short in ask("SELECT ocel_type, ocel_type_map FROM event_map_type").fetchall():
                table = quoted(f"event_{short}")
                known = {row[1].casefold(): row[1] for row in ask(f"PRAGMA table_info({table})")}
                columns = [known.get("start"), next((known[name] for name in _WHO if name in known), None)]
                more = ", ".join("NULL" if name is None else quoted(name) for name in columns)
                rows = ask(f"SELECT ocel_id, ocel_time, {more} FROM {table}")
                events += [(name, kind, end, start, who) for name, end, start, who in rows]
            related = ask("SELECT ocel_event_id, ocel_object_id FROM event_object").fetchall()
            objects = ask("SELECT ocel_id, ocel_type FROM object").fetchall()
            above = ask("SELECT ocel_source_id, ocel_target_id FROM object_object").fetchall()
    except (sqlite3.Error, AttributeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not OCEL 2.0 ({' '.join(str(error).split())[:200]}); expected {EXPECTED}") from None
    return events, related, objects, above

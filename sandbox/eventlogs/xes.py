"""XES (IEEE 1849): event logs in which every event belongs to one case."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from sandbox.core.event_log import INITIAL, Event, Part, Value, text_of

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><string key="lifecycle:transition" value="complete"/>
<date key="time:timestamp" value="1970-01-01T00:00:00.000000Z"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="lifecycle:model" value="standard"/>
"""
_TAGS = {bool: "boolean", int: "int", float: "float", datetime: "date", str: "string"}


def write_xes(parts: Iterable[Part], path: Path) -> None:
    """Write a log as XES, a trace for each case. An event that took time is a start and a completion."""
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        for part in parts:
            traces: dict[str, list[tuple[datetime, str]]] = {}
            for event in part.events:
                traces.setdefault(event.case, []).extend(_entries(event, number))
                number += 1
            for thing in part.objects:
                if thing.name in traces:
                    own = {name: value for name, since, value in thing.values if since == INITIAL}
                    _write_trace(file, {"concept:name": thing.name, **own, "trial": part.trial}, traces[thing.name])
        file.write("</log>\n")


def _write_trace(file: IO[str], values: dict[str, Value], entries: list[tuple[datetime, str]]) -> None:
    file.write(f"<trace>{_attributes(values)}\n")
    file.writelines(text for _, text in sorted(entries, key=lambda entry: entry[0]))
    file.write("</trace>\n")


def _entries(event: Event, number: int) -> Iterator[tuple[datetime, str]]:
    """An event as one or two of XES, which share their instance."""
    for what, moment in (("start", event.start), ("complete", event.end)):
        if moment is not None:
            values = {"concept:name": event.kind, "concept:instance": f"e{number}", "lifecycle:transition": what}
            if event.resource:
                values["org:resource"] = event.resource
            yield moment, f"<event>{_attributes({**values, 'time:timestamp': moment})}</event>\n"


def _attributes(values: dict[str, Value]) -> str:
    return "".join(f"<{_TAGS[type(value)]} key={quoteattr(key)} value={quoteattr(_text(value))}/>"
                   for key, value in values.items())  # fmt: skip


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return text_of(value).replace("Z", "+00:00")
    return str(value).lower() if isinstance(value, bool) else str(value)

"""What happened in an episode, as an object-centric event log has it: events and objects (Berti et al. 2024, OCEL 2.0).

The clock of a world begins on a Monday at 0:00, and so does the one of every log: START. A log has one part for each
trial, since the trials of a batch have the same hours. The names of objects begin with the number of their trial.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
INITIAL = datetime(1970, 1, 1, tzinfo=UTC)  # the time of initial values, by the standard
Value = str | int | float | bool | datetime
KINDS = {bool: "boolean", int: "integer", float: "float", datetime: "time", str: "string"}  # names in OCEL


class Event(NamedTuple):
    """Something that has ended."""

    kind: str  # such as "approve invoice"
    start: datetime | None  # None: it takes no time
    end: datetime
    case: str  # the object that it belongs to
    resource: str  # who did it; "": nobody of the office
    values: Mapping[str, Value]
    objects: tuple[tuple[str, str], ...]  # name of an object, and what it is for the event


class Object(NamedTuple):
    """A thing that events are about."""

    name: str
    kind: str
    values: tuple[tuple[str, datetime, Value], ...]  # name, since when, value
    objects: tuple[tuple[str, str], ...] = ()  # name of an object, and what it is for this one


class Part(NamedTuple):
    """The log of a trial."""

    trial: int
    cases: str  # the kind of the objects that are cases
    objects: list[Object]
    events: list[Event]  # in the order of time


class Fit(NamedTuple):
    """A scenario that was estimated from a log, and its errors."""

    scenario: dict[str, Any]
    tables: dict[str, "pd.DataFrame"]  # by title: what was estimated, with its errors
    notes: list[str]


def at(minutes: float) -> datetime:
    """A moment, from minutes since Monday, 0:00."""
    return START + timedelta(minutes=minutes)


def text_of(moment: datetime) -> str:
    """A moment as text, to the microsecond: every reader gets one format."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

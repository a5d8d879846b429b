"""Marks: shapes that the page draws over the painted frames, crisp at any zoom.

Places are (row, column) in cells of the grid that the picture spans, as floats: the centre of a cell is + 0.5. Without
a grid, the whole picture is one cell. Widths and radii are in cells too. ``lag`` is the distance of a mark from its
place when the tick begins, in cells: it moves there within the frames of the tick, as agents do.
"""

from typing import Any, NamedTuple

Point = tuple[float, float]
MOST = 400  # marks of one tick
LONGEST = 60  # characters of a label


class Line(NamedTuple):
    """A line through some points; the first point moves with its agent."""

    points: tuple[Point, ...]
    colour: str  # "#rrggbb"
    width: float = 0.08
    alpha: float = 1.0
    dash: bool = False
    arrow: bool = False
    lag: Point = (0.0, 0.0)


class Ring(NamedTuple):
    """A circle around a place."""

    at: Point
    colour: str
    radius: float = 0.5
    width: float = 0.08
    alpha: float = 1.0
    dash: bool = False
    lag: Point = (0.0, 0.0)


class Rect(NamedTuple):
    """The border of a rectangle: its top left corner, its height and width."""

    at: Point
    size: Point
    colour: str
    width: float = 0.08
    alpha: float = 1.0
    dash: bool = False
    lag: Point = (0.0, 0.0)


class Label(NamedTuple):
    """A short text above a place, in the font size of the page."""

    at: Point
    text: str
    colour: str
    lag: Point = (0.0, 0.0)


class Message(NamedTuple):
    """A dot that moves from one place to another during the tick, along a faint line; halfway, if it is lost."""

    start: Point
    end: Point
    colour: str
    lost: bool = False


Mark = Line | Ring | Rect | Label | Message


def capped(marks: list[Mark]) -> tuple[Mark, ...]:
    """At most MOST marks; a label in the corner states how many are omitted."""
    if len(marks) <= MOST:
        return tuple(marks)
    more = Label((0.0, 0.0), f"{len(marks) - MOST:,} more marks are not drawn", "#5b6470")
    return (*marks[:MOST], more)


def changed(one: Any) -> dict[str, Any]:
    """The fields of a NamedTuple that differ from their defaults."""
    return {k: v for k, v in one._asdict().items() if k not in one._field_defaults or v != one._field_defaults[k]}


def as_json(mark: Mark) -> dict[str, Any]:
    """Its kind and its non-default fields, for the page."""
    told = changed(mark)
    if "text" in told and len(told["text"]) > LONGEST:
        told["text"] = f"{told['text'][: LONGEST - 1]}…"
    return {"kind": type(mark).__name__.lower(), **told}

"""What a person can set up by hand in a world, and turn while it runs; what there is to try in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Cell = tuple[int, int]  # row, column


class Things(NamedTuple):
    """A list of the description whose entries have a place, and can be moved.

    An entry is a table with ``row`` and ``col``, or a list that begins with row and column.
    """

    key: str  # of the description
    name: str  # of one: "robot"
    new: tuple[tuple[str, Any], ...] = ()  # (name, entry) of what can be added and removed; empty: nothing can


class Tiles(NamedTuple):
    """A map that can be painted: a row of letters, or of numbers, for each row of cells.

    It is a key of the description. Or it is a constant of the episode, with ``key`` empty: then ``rows`` of the params
    reads it, and painting it makes another layout. ``text`` makes a layout of options, description and rows: what the
    world's option ``layout`` takes. It raises UsageError if no layout can state them.
    """

    tiles: tuple[tuple[str, str | int], ...]  # (name, what stands for it in a row)
    key: str = ""
    rows: Callable[[Any], list[str]] | None = None
    text: Callable[[Any, Mapping[str, Any], list[str]], str] | None = None


class Dial(NamedTuple):
    """A number of the description that a person can set while the episode runs."""

    key: str  # dotted: "wind.speed"
    summary: str
    least: float
    most: float


@dataclass(frozen=True)
class Try:
    """Something to try: what to look for, and the choices in the studio's address that show it, by key."""

    what: str
    choices: Mapping[str, str] = field(default_factory=dict)


def place_of(entry: Any) -> Cell:
    """Row and column of an entry of a description."""
    row, col = (entry["row"], entry["col"]) if isinstance(entry, dict) else entry[:2]
    return row, col


def moved_to(entry: Any, cell: Cell) -> Any:
    """An entry in another place."""
    row, col = cell
    return {**entry, "row": row, "col": col} if isinstance(entry, dict) else [row, col, *entry[2:]]


def dialled(description: Mapping[str, Any], dial: Dial) -> float:
    """The present value of a dial, within its range."""
    value: Any = description
    for part in dial.key.split("."):
        value = value[part]
    return min(max(float(value), dial.least), dial.most)

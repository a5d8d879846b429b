"""Setting a world up by hand: tick 0 of a scenario, as a person changes it. It becomes a layout and a start of it."""

import base64
import binascii
import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import plain
from sandbox.core.setup import Cell, Things, Tiles, moved_to, place_of
from sandbox.core.world import FIXED
from sandbox.engine.environment import Environment
from sandbox.scenario import Scenario, load

MOST_CELLS = 40_000  # of a map that can be set up by hand
LONGEST = 6_000  # letters of a set-up in an address
LARGEST = 4_000_000  # bytes of a set-up
STEPS = 200  # that can be undone
_LEFT_OUT = (*FIXED, "reward")  # keys that nobody sets


class Drawn(NamedTuple):
    """What a person has set: other values of the scenario's layout and start. None: the scenario's own."""

    layout: str | None = None
    start: dict[str, Any] | None = None

    def into(self, scenario: Mapping[str, Any]) -> dict[str, Any]:
        """A scenario's table with this in it."""
        world = dict(scenario["world"]) if self.layout is None else {**scenario["world"], "layout": self.layout}
        start = {} if self.start is None else {"start": self.start}
        return {**scenario, "world": world, **start}

    @property
    def text(self) -> str:
        """For an address; empty if nothing is set."""
        if self == Drawn():
            return ""
        told = json.dumps(self._asdict(), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(zlib.compress(told, 9)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Drawn":
        """The inverse of ``text``; raises UsageError for anything else."""
        if not text:
            return cls()
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            unpacker = zlib.decompressobj()
            told = unpacker.decompress(packed, LARGEST)
            if unpacker.unconsumed_tail:
                raise UsageError(f"setup: more than {LARGEST:,} bytes")
            found = cls(**json.loads(told))
        except (binascii.Error, zlib.error, ValueError, TypeError, RecursionError):
            raise UsageError(f"setup: {shown(text)} is no set-up of the studio") from None
        if not isinstance(found.layout, str | None) or not isinstance(found.start, dict | None):
            raise UsageError(f"setup: {shown(found)}, expected a layout and a start")
        return found


_kept: OrderedDict[str, Drawn] = OrderedDict()  # set-ups that are too long for an address, the latest last
_one = threading.Lock()
KEPT = 200  # of them
_MARK = "~"  # of an address that only names one


def to_address(drawn: Drawn) -> str:
    """A set-up for an address: its text, or the name under which this server keeps it."""
    text = drawn.text
    if len(text) <= LONGEST:
        return text
    name = _MARK + hashlib.sha256(text.encode()).hexdigest()[:24]
    with _one:
        _kept[name] = drawn
        _kept.move_to_end(name)
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
    return name


def from_address(text: str) -> Drawn:
    """The set-up of an address; raises UsageError."""
    if not text.startswith(_MARK):
        return Drawn.read(text)
    with _one:
        if text not in _kept:
            raise UsageError("setup: this address names a large set-up, which the studio has forgotten; open its file")
        return _kept[text]


class Brush(NamedTuple):
    """What can be painted."""

    name: str
    part: int  # of the world's set-up
    value: Any  # a tile, or an entry


class Laid(NamedTuple):
    """Tick 0 of a scenario."""

    drawn: Drawn
    scenario: Scenario
    env: Environment
    state: Any  # of one lane
    description: dict[str, Any]
    parts: tuple[Things | Tiles, ...]  # that can be set up
    varies: frozenset[str]  # keys that hands can set, and that each seed lays out in another way


class Draft:
    """A scenario at tick 0 that a person changes.

    An edit raises UsageError, with nothing changed, if what it asks for is impossible. ``notice`` says what else an
    edit has changed.
    """

    def __init__(self, scenario: Scenario, seed: int):
        self._own, self.seed, self.notice = scenario, seed, ""
        self._past: list[Drawn] = []
        self._undone: list[Drawn] = []
        self._now: Laid | None = None
        self._now = self._laid_out(Drawn())

    # -- what there is -------------------------------------------------------------------------------------------------

    @property
    def drawn(self) -> Drawn:
        return self._now.drawn

    @property
    def scenario(self) -> Scenario:
        """The scenario with what was set."""
        return self._now.scenario

    @property
    def env(self) -> Environment:
        return self._now.env

    @property
    def description(self) -> dict[str, Any]:
        return self._now.description

    @property
    def parts(self) -> tuple[Things | Tiles, ...]:
        return self._now.parts

    @property
    def cells(self) -> tuple[int, int] | None:
        """Rows and columns; None if nothing can be dragged, in a world without a map or on one that is too large."""
        found = self.env.world.cells and self.env.world.cells(self.env.params)
        return found if found and found[0] * found[1] <= MOST_CELLS else None

    @property
    def things(self) -> list[Things]:
        return [part for part in self.parts if isinstance(part, Things)]

    @property
    def maps(self) -> list[Tiles]:
        return [part for part in self.parts if isinstance(part, Tiles)]

    @property
    def brushes(self) -> list[Brush]:
        """Everything that can be painted: new things, then tiles."""
        return [
            Brush(name, k, value)
            for k, part in enumerate(self.parts)
            for name, value in (part.new if isinstance(part, Things) else part.tiles)
        ]

    def at(self, cell: Cell) -> list[tuple[Things, int]]:
        """The things in a cell, each with its number in its list; those on top first."""
        return [
            (part, number)
            for part in self.things
            for number, entry in enumerate(self.description[part.key])
            if place_of(entry) == cell
        ]

    def named(self, part: Things, number: int) -> str:
        """The name of a thing."""
        entry = self.description[part.key][number]
        own = next((entry[key] for key in ("kind", "name") if isinstance(entry, dict) and key in entry), part.name)
        return str(own) if part.new else f"{own} {number}"

    def told(self) -> list[list[str]]:
        """What is in each cell, in words."""
        rows, cols = self.cells or (0, 0)
        found: list[list[list[str]]] = [[[] for _ in range(cols)] for _ in range(rows)]
        for part in self.things:
            for number, entry in enumerate(self.description[part.key]):
                row, col = place_of(entry)
                if 0 <= row < rows and 0 <= col < cols:
                    found[row][col].append(self.named(part, number))
        for tiles in self.maps:
            names = {own: name for name, own in tiles.tiles}
            for row, line in enumerate(self.rows(tiles)):
                for col, own in enumerate(line):
                    found[row][col].append(names[own])
        return [[", ".join(names) for names in line] for line in found]

    def words(self, cell: Cell) -> str:
        """What is in a cell."""
        return self.told()[cell[0]][cell[1]]

    def rows(self, tiles: Tiles) -> list:
        """The rows of a map: letters or numbers."""
        return self.description[tiles.key] if tiles.key else tiles.rows(self.env.params)

    @property
    def others(self) -> list[str]:
        """The keys of the description that can be set as JSON."""
        return [key for key in self.description if key not in _LEFT_OUT]

    def layout(self) -> str:
        """The map as text, which the world's option ``layout`` takes; raises UsageError without one."""
        tiles = next((tiles for tiles in self.maps if tiles.text), None)
        if tiles is None:
            raise UsageError(f"world '{self.env.world.name}' has no map as text")
        return tiles.text(self.env.options, self.description, self.rows(tiles))

    def picture(self, size: int) -> np.ndarray:
        """(H, W, 3) uint8."""
        return self.env.render(self._now.state, 0, size)

    # -- edits ---------------------------------------------------------------------------------------------------------

    def move(self, cell: Cell, to: Cell, key: str | None = None) -> None:
        """Move the thing on top of a cell, or the one of a list; without a thing, exchange the tiles of two cells."""
        self._check([cell, to])
        found = [(part.key, number) for part, number in self.at(cell) if key in (None, part.key)]
        if cell == to:
            return
        if found:
            moved, number = found[0]
            entries = deepcopy(self.description[moved])
            entries[number] = moved_to(entries[number], to)
            self._edit({moved: entries})
        elif key or not self.maps:
            raise UsageError(f"{cell}: nothing there that can be moved")
        else:
            self._exchange(cell, to)

    def paint(self, brush: Brush, cells: Iterable[Cell]) -> None:
        """Put a thing or a tile into cells."""
        part, cells = self.parts[brush.part], list(dict.fromkeys(cells))
        self._check(cells)
        if isinstance(part, Tiles):
            self._redraw(part, dict.fromkeys(cells, brush.value))
            return
        entries = deepcopy(self.description[part.key])
        taken = {place_of(entry) for entry in entries}
        entries += [moved_to(deepcopy(brush.value), cell) for cell in cells if cell not in taken]
        self._edit({part.key: entries})

    def erase(self, cells: Iterable[Cell]) -> None:
        """Remove the things in some cells that can be removed."""
        cells = list(cells)
        self._check(cells)
        if not (patch := self._without(cells)):
            raise UsageError(f"{cells[0] if cells else ''}: nothing there that can be removed")
        self._edit(patch)

    def set(self, key: str, value: Any) -> None:
        """Set a key of the description, or a dotted one, to a JSON value."""
        first, _, rest = key.partition(".")
        if first not in self.others:
            raise UsageError(f"{key}: it cannot be set")
        value = plain(value, key)
        self._edit({first: {**self.description[first], rest: value} if rest else value})

    def change(self, key: str, number: int, entry: Any) -> None:
        """Replace a thing by another description of it."""
        self._edit({key: [entry if k == number else own for k, own in enumerate(self.description[key])]})

    def remove(self, key: str, number: int) -> None:
        """Remove a thing."""
        self._edit({key: [own for k, own in enumerate(self.description[key]) if k != number]})

    def clear(self) -> None:
        """As the scenario has it."""
        self.open(Drawn())

    def open(self, drawn: Drawn) -> None:
        """Another set-up, as an edit."""
        if drawn != self.drawn:
            self._take(self._laid_out(drawn))

    def undo(self) -> None:
        """Take the latest edit back."""
        self._go(self._past, self._undone)

    def redo(self) -> None:
        """Make it again."""
        self._go(self._undone, self._past)

    @property
    def can(self) -> tuple[bool, bool]:
        """Whether there is something to undo, to redo."""
        return bool(self._past), bool(self._undone)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _check(self, cells: Iterable[Cell]) -> None:
        rows, cols = self.cells or (0, 0)
        for row, col in cells:
            if not (0 <= row < rows and 0 <= col < cols):
                raise UsageError(f"({row}, {col}): expected a cell of {rows} x {cols}")

    def _with(self, drawn: Drawn) -> dict[str, Any]:
        return drawn.into(self._own.model_dump())

    def _laid_out(self, drawn: Drawn) -> Laid:
        """The scenario with another set-up; raises UsageError if that is impossible."""
        scenario = load(self._with(drawn), origin=self._own.origin)
        env = scenario.env()
        state = env.reset([self.seed])
        description = json.loads(json.dumps(env.describe(state)))
        parts = env.world.setup(env.params, description)
        return Laid(drawn, scenario, env, state, description, parts, self._varies(drawn, env, parts))

    def _varies(self, drawn: Drawn, env: Environment, parts: tuple[Things | Tiles, ...]) -> frozenset[str]:
        if self._now and self._now.drawn.layout == drawn.layout:
            return self._now.varies
        plainly = load({**self._with(drawn), "start": {}}, origin=self._own.origin).env()
        one, other = (plainly.describe(plainly.reset([seed])) for seed in (self.seed, self.seed ^ 1))
        keys = {part.key for part in parts if part.key} or {key for key in one if key not in _LEFT_OUT}
        return frozenset(key for key in keys if one[key] != other[key])

    def _edit(self, patch: Mapping[str, Any]) -> None:
        """What is set, and all that each seed would lay out in another way: the set-up is that of every seed."""
        stated = {key: self.description[key] for key in self._now.varies}
        self._take(self._laid_out(Drawn(self.drawn.layout, {**stated, **self.env.start, **patch})))

    def _take(self, laid: Laid, notice: str = "") -> None:
        self._undone.clear()
        self._past = [*self._past[1 - STEPS :], self.drawn]
        self._now, self.notice = laid, notice

    def _go(self, out: list[Drawn], into: list[Drawn]) -> None:
        if out:
            laid = self._laid_out(out[-1])
            into.append(self.drawn)
            out.pop()
            self._now, self.notice = laid, ""

    def _exchange(self, cell: Cell, to: Cell) -> None:
        for tiles in self.maps:
            rows = self.rows(tiles)
            one, other = rows[cell[0]][cell[1]], rows[to[0]][to[1]]
            if one != other:
                return self._redraw(tiles, {cell: other, to: one})
        raise UsageError(f"{cell} and {to} are alike")

    def _redraw(self, tiles: Tiles, cells: Mapping[Cell, Any]) -> None:
        """Put other tiles into cells of a map."""
        rows = [list(row) for row in self.rows(tiles)]
        for (row, col), tile in cells.items():
            rows[row][col] = tile
        if isinstance(self.rows(tiles)[0], str):
            rows = ["".join(row) for row in rows]
        if not tiles.key:
            return self._take(*self._mapped(tiles.text(self.env.options, self.description, rows)))
        try:
            self._edit({tiles.key: rows})
        except UsageError:
            if not (without := self._without(cells)):
                raise
            self._edit({tiles.key: rows, **without})
            self.notice = f"{' and '.join(without)}: what stood there is gone"

    def _mapped(self, layout: str) -> tuple[Laid, str]:
        """Another layout, and a notice: what does not fit there any more is laid out anew."""
        wanted = {part.key: self.description[part.key] for part in self.things} | self.env.start
        wanted = {key: value for key, value in wanted.items() if key in self.env.start or key in self._now.varies}
        laid, start, lost = self._laid_out(Drawn(layout, {})), {}, []
        for key, value in wanted.items():
            try:
                if laid.description[key] != value:
                    laid = self._laid_out(Drawn(layout, {**start, key: value}))
                    start[key] = value
            except UsageError:
                lost.append(key)
        return laid, f"{' and '.join(lost)}: laid out anew, since they do not fit this map" if lost else ""

    def _without(self, cells: Iterable[Cell]) -> dict[str, list]:
        """The lists that lose entries without the things in some cells that can be removed."""
        gone, found = set(cells), {}
        for part in self.things:
            kept = [entry for entry in self.description[part.key] if place_of(entry) not in gone]
            if part.new and len(kept) < len(self.description[part.key]):
                found[part.key] = kept
        return found

"""Layouts: the five classic ones by name, overcooked-ai's ``.layout`` files, and plain maps.

A map has one character for each cell: ``X`` counter, ``P`` pot, ``O`` onions, ``T`` tomatoes, ``D`` dishes, ``S``
serving, space floor, 1..9 a cook's first place. A ``.layout`` file is a Python dict whose ``grid`` is such a map; files
of 2019 have ``start_order_list``. ``counter_circuit`` is the package's ``counter_circuit_o_1order``, with onions only.
"""

import ast
from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import explained
from sandbox.core.maps import read_layout
from sandbox.worlds.kitchen.state import Cell, Verb

CLASSIC = {
    "cramped_room": ("XXPXX", "O  2O", "X1  X", "XDXSX"),
    "asymmetric_advantages": ("XXXXXXXXX", "O XSXOX S", "X   P 1 X", "X2  P   X", "XXXDXDXXX"),
    "coordination_ring": ("XXXPX", "X 1 P", "D2X X", "O   X", "XOSXX"),
    "forced_coordination": ("XXXPX", "O X1P", "O2X X", "D X X", "XXXSX"),
    "counter_circuit": ("XXXPPXXX", "X  2   X", "D XXXX S", "X  1   X", "XXXOOXXX"),
}  # fmt: skip
THREE_ONIONS = [{"ingredients": ["onion", "onion", "onion"]}]
KINDS = {
    " ": Cell.FLOOR, "X": Cell.COUNTER, "P": Cell.POT, "O": Cell.ONIONS, "T": Cell.TOMATOES, "D": Cell.DISHES,
    "S": Cell.SERVING,
}  # fmt: skip
KEYS = (
    "grid", "start_all_orders", "start_bonus_orders", "rew_shaping_params", "order_bonus", "onion_value",
    "tomato_value", "onion_time", "tomato_time", "recipe_values", "recipe_times", "cook_time", "delivery_reward",
    "max_num_ingredients", "num_items_for_soup", "start_state", "start_order_list",
)  # fmt: skip
SEQUENCE, ANY = "start_order_list", "any"
EXPECTED = "an Overcooked layout or an Overcooked map"
MOST_CELLS = 1000  # the table of distances has this number squared of entries


class Layout(NamedTuple):
    """A layout as it is read from its source."""

    plan: np.ndarray  # (H, W) int32, see Cell
    starts: np.ndarray  # (N, 2) int32 row, column of each cook's first place
    given: dict  # the other keys of a .layout file
    where: str  # name of the source, for errors


class _Source(NamedTuple):
    """Rows of a map, with their places in its file."""

    rows: list[str]
    places: list[tuple[int, int]]  # line and column, from 1, of the first cell of each row
    where: str

    def error(self, row: int, col: int, what: str) -> UsageError:
        line, column = self.places[row]
        return UsageError(f"{self.where}: line {line}, column {column + col}: {what}")


def _check_shape(source: _Source) -> None:
    """Check that rows are equally wide, symbols are known, and the border has no floor."""
    rows = source.rows
    width = len(rows[0]) if rows else 0
    if not width or len(rows) * width > MOST_CELLS:
        raise UsageError(f"{source.where}: a kitchen has 1 to {MOST_CELLS:,} cells, this one {len(rows)} x {width}")
    for r, line in enumerate(rows):
        for c, char in enumerate(line):
            if char not in KINDS and char not in "123456789":
                raise source.error(r, c, f"{char!r} is not a cell; expected one of X P O T D S, a space, or 1..9")
        if len(line) != width:
            raise source.error(r, min(len(line), width), f"{len(line)} cells in this row, expected {width}")
        for c, char in enumerate(line):
            if (r in (0, len(rows) - 1) or c in (0, width - 1)) and (char == " " or char.isdigit()):
                raise source.error(r, c, "floor at the border; expected a counter or another station")


def parse(source: _Source) -> tuple[np.ndarray, np.ndarray]:
    """The plan and the cooks' first places; raises UsageError with line and column."""
    _check_shape(source)
    found: dict[int, tuple[int, int]] = {}
    for r, line in enumerate(source.rows):
        for c, char in enumerate(line):
            if char.isdigit():
                if int(char) in found:
                    raise source.error(r, c, f"a second place for cook {char}; expected each number once")
                found[int(char)] = (r, c)
    for number in range(1, max(found, default=0) + 1 if found else 2):
        if number not in found:
            raise UsageError(f"{source.where}: no place for cook {number}; expected 1 to {max(found, default=1)}")
    text = "".join(source.rows)
    for what, chars in (("pot", "P"), ("dish dispenser", "D"), ("serving place", "S"), ("onions or tomatoes", "OT")):
        if not any(char in text for char in chars):
            expected = " or ".join(f"'{char}'" for char in chars)
            raise UsageError(f"{source.where}: no {what}; expected at least one {expected}")
    plan = np.array([[KINDS.get(char, Cell.FLOOR) for char in line] for line in source.rows], np.int32)
    return plan, np.array([found[k] for k in sorted(found)], np.int32)


def _plain(text: str, where: str) -> Layout:
    """A map as text. Common indentation is removed: a row never begins with floor."""
    lines = text.split("\n")
    kept = [(k + 1, line) for k, line in enumerate(lines) if line.strip()]
    rows = [line.strip() for _, line in kept]
    places = [(number, len(line) - len(line.lstrip()) + 1) for number, line in kept]
    return Layout(*parse(_Source(rows, places, where)), {"start_all_orders": THREE_ONIONS}, where)


def _value(node: ast.expr, where: str):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        place = f"line {node.lineno}, column {node.col_offset + 1}"
        raise UsageError(f"{where}: {place}: expected a plain value (number, text, list, dict)") from None


def _file(text: str, where: str) -> Layout:
    """A ``.layout`` file."""
    text = "\n" * text[: len(text) - len(text.lstrip())].count("\n") + text.strip()
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = f"line {error.lineno}, column {error.offset}"
        raise UsageError(
            f"{where}: {place}: not a Python dict ({error.msg}); expected an overcooked-ai layout"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:  # null characters; deep nesting
        raise UsageError(f"{where}: not a Python dict ({error}); expected an overcooked-ai layout") from None
    given, source = {}, None
    for key, node in zip(tree.keys, tree.values, strict=True) if isinstance(tree, ast.Dict) else ():
        name = _value(key, where) if key else None
        if name not in KEYS:
            raise unknown("key", name, KEYS, f"{where}: line {node.lineno}, column {node.col_offset + 1}")
        given[name] = _value(node, where)
        if name == "grid" and isinstance(given[name], str):
            long = ast.get_source_segment(text, node).startswith(('"""', "'''"))  # else it is on one line
            rows, places = given.pop(name).split("\n"), []
            for k, row in enumerate(rows):
                before = node.col_offset + (3 if long else 1) if k == 0 or not long else 0
                places.append((node.lineno + k * long, before + len(row) - len(row.lstrip()) + 1))
            source = _Source([row.strip() for row in rows], places, where)
    if source is None:
        raise UsageError(f"{where}: no 'grid'; expected a dict with the map as its text")
    return Layout(*parse(source), _as_today(given, where) if SEQUENCE in given else given, where)


def _as_today(given: dict, where: str) -> dict:
    """The keys of a file of 2019, whose soups have one kind of ingredient each, as today's keys."""
    listed, size = given[SEQUENCE] or [ANY], given.get("num_items_for_soup", 3)
    known = {ANY: ("onion", "tomato"), "onion": ("onion",), "tomato": ("tomato",)}
    if not isinstance(listed, list | tuple) or any(order not in (*known,) for order in listed):
        raise UsageError(f"{where}: {SEQUENCE}: {listed!r}, expected None or a list of {', '.join(known)}")
    if len(set(listed)) > 1 or "start_all_orders" in given:
        expected = "expected orders of one kind, or start_all_orders in its place"
        raise UsageError(f"{where}: {SEQUENCE}: orders that follow one another do not exist in this world; {expected}")
    if size not in (1, 2, 3):
        raise UsageError(f"{where}: num_items_for_soup: {size!r}, expected 1, 2 or 3")
    orders = [{"ingredients": [name] * size} for name in known[listed[0]]]
    return given | {"max_num_ingredients": size, "start_all_orders": orders}


def load(layout: str) -> Layout:
    """A layout by name, by path, or as the map's text itself (anything with more than one line)."""
    if layout in CLASSIC:
        return _plain("\n".join(CLASSIC[layout]), layout)
    text, where = read_layout(layout, CLASSIC, "world 'kitchen'")
    if text.lstrip().startswith("{"):
        return _file(text, where)
    with explained(text, where, EXPECTED):
        return _plain(text, where)


def facing_of(direction) -> int:
    """Our facing for the package's direction (x, y)."""
    return {(0, -1): Verb.NORTH, (0, 1): Verb.SOUTH, (1, 0): Verb.EAST, (-1, 0): Verb.WEST}[tuple(direction)]

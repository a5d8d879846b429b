"""What a person can set up in a kitchen, its rules in words, and what to try."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.setup import Things, Tiles, Try
from sandbox.worlds.kitchen.layouts import KINDS, THREE_ONIONS, load
from sandbox.worlds.kitchen.state import Cell, Params

LETTERS = {cell: letter for letter, cell in KINDS.items()}
_SOUP = {"name": "soup", "ingredients": ["onion", "onion", "onion"]}
_NEW = (("onion", {"name": "onion"}), ("tomato", {"name": "tomato"}), ("dish", {"name": "dish"}), ("soup", _SOUP))

RULES = """Cooks walk on the floor and use what they face. A pot takes up to three ingredients, and then cooks. A cook
with a dish takes the soup that is ready, and serves it; a soup that was ordered counts. A cook holds one thing, and
can put it on an empty counter for another. Two cooks never share a cell, nor pass through each other."""
TRIES = (
    Try("Two cooks in a ring: do they meet head-on?", {"layout": "coordination_ring"}),
    Try("Only one reaches the pots: what do they hand over the counter?", {"layout": "forced_coordination"}),
    Try("A partner with habits of its own: how much slower are they?",
        {"layout": "cramped_room", "severity.strange_partner": "1.0"}),
    Try("A cook who sees everything: what does it do better than the rules?",
        {"layout": "cramped_room", "policy": "oracle"}),
)  # fmt: skip


def setup(params: Params, description: Mapping[str, Any]) -> tuple[Things | Tiles, ...]:
    """Cooks, what lies on counters; and the map, which is a constant."""
    tiles = tuple((cell.name.lower(), letter) for cell, letter in LETTERS.items())
    return Things("players", "cook"), Things("objects", "thing", _NEW), Tiles(tiles, rows=_rows, text=_text)


def _rows(params: Params) -> list[str]:
    return ["".join(LETTERS[Cell(cell)] for cell in row) for row in params.plan.tolist()]


def _text(options: Any, description: Mapping[str, Any], rows: list[str]) -> str:
    """A map whose digits are the places of the cooks; a ``.layout`` if the present one has other orders or times."""
    cells, last = [list(row) for row in rows], (len(rows) - 1, len(rows[0]) - 1)
    for row, col in np.ndindex(len(rows), len(rows[0])):
        if cells[row][col] == " " and (row in (0, last[0]) or col in (0, last[1])):
            raise UsageError(f"({row}, {col}): floor at the border; expected a counter or another station")
    for number, cook in enumerate(description["players"], 1):
        row, col = cook["row"], cook["col"]
        if cells[row][col] != " ":
            raise UsageError(f"cook {number - 1} stands at ({row}, {col}); expected floor there")
        cells[row][col] = str(number)
    text = "\n".join("".join(row) for row in cells) + "\n"
    given = {key: value for key, value in load(options.layout).given.items() if key != "start_state"}
    return text if given == {"start_all_orders": THREE_ONIONS} else repr({"grid": text.strip("\n"), **given}) + "\n"

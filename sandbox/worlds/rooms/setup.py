"""What a person can set up in a flat, its rules in words, and what to try."""

from collections.abc import Mapping
from typing import Any

from sandbox.core.setup import Things, Tiles, Try
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.rendering.text import FLOORS, LETTERS
from sandbox.worlds.rooms.state import Cell, Params, Room

RULES = """A designer furnishes a flat on paper: puts the pencil to a cell, turns it, and places things of a catalogue.
A client has wishes, and tells them when asked. What stands there must be of use: nothing overlaps, doors open, what
must stay free in front of a thing is free, one can walk to it from the entrance, and it has the wall, the power point
or the daylight that it needs. The designer proposes the plan; the client approves it or sends it back, and so does an
accountant if it is dear. A plan that both approve is final: if it meets all wishes within the budget, the task is
done."""
TRIES = (
    Try("A designer who puts one thing after another where it fits: is the client content?", {"policy": "rules"}),
    Try("A client who changes their mind: how often is the plan sent back?",
        {"policy": "rules", "severity.changed_mind": "1.0"}),
    Try("A pillar that nobody had measured: what must move?",
        {"layout": "studio", "policy": "oracle", "severity.wrong_measure": "1.0"}),
    Try("A designer who places at random: what of it is of any use?", {"policy": "random"}),
)  # fmt: skip


def setup(params: Params, description: Mapping[str, Any]) -> tuple[Things | Tiles, ...]:
    """The items of the plan; and the flat, which is a constant."""
    new = tuple((entry.name, {"thing": entry.name, "faces": "south"}) for entry in catalogue().entries)
    tiles = [(cell.name.lower(), letter) for cell, letter in LETTERS.items() if cell != Cell.PILLAR]
    tiles += [(room.name.lower().replace("_", " "), letter) for room, letter in FLOORS.items()]
    return Things("items", "item", tuple((name, entry | {"row": 0, "col": 0}) for name, entry in new)), Tiles(
        tuple(tiles), rows=rows, text=_text
    )


def rows(params: Params) -> list[str]:
    """The drawing of a flat."""
    return [
        "".join(
            FLOORS[Room(room)] if cell == Cell.FLOOR else LETTERS[Cell(cell)] for cell, room in zip(*line, strict=True)
        )
        for line in zip(params.plan.tolist(), params.room.tolist(), strict=True)
    ]


def _text(options: Any, description: Mapping[str, Any], drawn: list[str]) -> str:
    return "\n".join(drawn) + "\n"

"""What a person can set up in a warehouse, its rules in words, and what to try."""

from collections.abc import Mapping
from typing import Any

from sandbox.core.setup import Things, Tiles, Try
from sandbox.worlds.warehouse.state import Cell, Params

LETTERS = {Cell.FLOOR: ".", Cell.SLOT: "x", Cell.GOAL: "g", Cell.WALL: "@"}
_OF_SHELVES = (("aisle", "."), ("shelf", "x"), ("goal", "g"))
_OF_COURIERS = (("open", "."), ("wall", "@"))

RULES = """Robots stand on cells, face one way, and drive forward or turn. Several orders are open at a time, each for
one shelf. A robot takes the shelf up, brings it to a goal, and puts it back on an empty storage place; the delivery
counts at the goal, and another order opens. A robot with a shelf cannot pass below others. Two robots never share a
cell: who finds one in the way waits, and is refused. On a map of movingai, robots carry parcels to destinations
instead."""
TRIES = (
    Try("Eight robots in a tiny warehouse: where do they wait for each other?", {"layout": "tiny", "team": "8"}),
    Try("Fewer robots, the same orders: how many ticks does each delivery take?", {"layout": "tiny", "team": "2"}),
    Try("Close the aisles: which detours do they find?", {"layout": "small", "severity.blocked_aisles": "1.0"}),
    Try("Robots that do anything: how long until the first delivery?", {"layout": "tiny", "policy": "random"}),
)


def setup(params: Params, description: Mapping[str, Any]) -> tuple[Things | Tiles, ...]:
    """Robots, shelves or parcels, closed aisles; and the map, which is a constant."""
    closed = Things("closed", "closed aisle", (("closed aisle", [0, 0]),))
    if params.courier:
        own = Things("agents", "robot"), Things("shelves", "parcel"), Things("goals", "destination")
        return *own, closed, Tiles(_OF_COURIERS, rows=_rows, text=_movingai)
    own = Things("agents", "robot"), Things("shelves", "shelf")
    return *own, closed, Tiles(_OF_SHELVES, rows=_rows, text=_rware)


def _rows(params: Params) -> list[str]:
    return ["".join(LETTERS[cell] for cell in row) for row in params.plan.tolist()]


def _rware(options: Any, description: Mapping[str, Any], rows: list[str]) -> str:
    return "\n".join(rows) + "\n"


def _movingai(options: Any, description: Mapping[str, Any], rows: list[str]) -> str:
    return "\n".join(["type octile", f"height {len(rows)}", f"width {len(rows[0])}", "map", *rows]) + "\n"

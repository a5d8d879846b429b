"""What a person can set up in a wildfire, its rules in words, and what to try."""

from collections.abc import Mapping
from typing import Any

from sandbox.core.setup import Dial, Things, Tiles, Try
from sandbox.worlds.wildfire.serialisation import GROUNDS, KINDS
from sandbox.worlds.wildfire.state import Kind, Params

_BREAK = KINDS[-1]

RULES = """Cells of grass, brush, forest and buildings burn, and a burning cell sets fire to its neighbours: more
likely downwind, uphill and where it is dry; embers fly further. Crews walk one cell a tick, spray water on burning
cells, dig fire breaks, refill at water, and bring people out of buildings. A crew that stands in fire is hurt. The team
has won when nothing burns any more; it has failed as soon as too many buildings or households are lost."""
TRIES = (
    Try("Six crews and a village: where do they stop the fire?", {"layout": "village"}),
    Try("A river runs through it: does it hold the fire?", {"layout": "valley"}),
    Try("The wind turns: who notices in time?", {"layout": "village", "severity.wind_shift": "1.0"}),
    Try("Nobody does anything: what would have burnt?", {"layout": "village", "policy": "idle"}),
)
DIALS = (
    Dial("wind.speed", "speed of the wind in m/s", 0.0, 20.0),
    Dial("wind.towards", "direction in which the wind blows, in degrees: 0 north, 90 east", 0.0, 359.0),
)


def setup(params: Params, description: Mapping[str, Any]) -> tuple[Things | Tiles, ...]:
    """Crews, fires, households, the land, and where it is wet or burnt."""
    land = ((kind.name.lower().replace("_", " "), KINDS[kind]) for kind in Kind)
    return (
        Things("crews", "crew"), Things("burning", "fire", (("fire", [0, 0, 1]),)),
        Things("people", "household", (("household", [0, 0]),)), Tiles(tuple(land), "terrain", text=_text),
        Tiles(tuple(zip(("fine", "wet", "burnt"), GROUNDS, strict=True)), "ground"),
    )  # fmt: skip


def _text(options: Any, description: Mapping[str, Any], rows: list[str]) -> str:
    """A map: forest where it burns, bare ground below crews and in place of fire breaks."""
    cells = [list(row.replace(_BREAK, KINDS[Kind.BARE])) for row in rows]
    for row, col in description["people"]:
        cells[row][col] = "p"
    for row, col, *_ in description["burning"]:
        cells[row][col] = "*"
    for crew in description["crews"]:
        if crew["row"] >= 0:
            cells[crew["row"]][crew["col"]] = "c"
    return "\n".join("".join(row) for row in cells) + "\n"

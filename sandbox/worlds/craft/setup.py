"""What a person can set up in Craft, its rules in words, and what to try."""

from collections.abc import Mapping
from typing import Any

from sandbox.core.setup import Things, Tiles, Try
from sandbox.worlds.craft.layouts import NATIVES, SYMBOLS
from sandbox.worlds.craft.serialisation import DEFAULTS
from sandbox.worlds.craft.state import Kind, Material, Params

_NATIVES = {kind.name.lower(): letter for letter, (kind, _) in NATIVES.items()}

RULES = """Players collect wood, stone, coal, iron and diamonds, drink, eat, sleep, and make tools; each tool needs
materials, and a table or a furnace near by. Hunger, thirst and tiredness grow, and who neglects them loses health.
At night zombies come in numbers, and skeletons shoot in caves; who has no health left is dead for good. An
achievement counts for the team as soon as one player has it."""
TRIES = (
    Try("Two players on one map: what does each of them do first?", {"layout": "crafter", "team": "2"}),
    Try("A night at noon: how long do they live?", {"layout": "crafter", "severity.night": "1.0"}),
    Try("Food and drink run out twice as fast: when do they stop making tools?",
        {"layout": "crafter", "severity.scarcity": "1.0"}),
    Try("One player alone: is it slower than two, or only lonelier?", {"layout": "crafter", "team": "1"}),
)  # fmt: skip


def setup(params: Params, description: Mapping[str, Any]) -> tuple[Things | Tiles, ...]:
    """Players, creatures and plants, and the terrain."""
    new = tuple((name, {"kind": name}) for name in DEFAULTS)
    tiles = ((kind.name.lower(), SYMBOLS[kind]) for kind in Material if kind != Material.UNKNOWN)
    return Things("players", "player"), Things("mobs", "creature", new), Tiles(tuple(tiles), "terrain", text=_text)


def _text(options: Any, description: Mapping[str, Any], rows: list[str]) -> str:
    """A drawn map: grass or path below those who stand on it, and no arrows."""
    cells = [list(row) for row in rows]
    for mob in description["mobs"]:
        if mob["kind"] in _NATIVES:
            cells[mob["row"]][mob["col"]] = _NATIVES[mob["kind"]]
    for player in description["players"]:
        if player["row"] >= 0:
            cells[player["row"]][player["col"]] = _NATIVES[Kind.PLAYER.name.lower()]
    return "\n".join("".join(row) for row in cells) + "\n"

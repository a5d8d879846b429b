"""Interventions in a running Craft: a zombie appears, a player becomes hungry."""

from random import Random

from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim, Intervention, changed, pick
from sandbox.worlds.craft.layouts import SYMBOLS
from sandbox.worlds.craft.state import Material, Params

_WALKED = {SYMBOLS[kind] for kind in (Material.GRASS, Material.SAND, Material.PATH)}
_AROUND = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
_ALIVE = "a player who is alive"


def _alive(given: dict) -> list[int]:
    return [k for k, player in enumerate(given["players"]) if player["inventory"]["health"] > 0]


def _free(given: dict, agent: int) -> list[tuple[int, int]]:
    """The free cells around a player."""
    players, terrain = [given["players"][k] for k in _alive(given)], given["terrain"]
    taken = {(thing["row"], thing["col"]) for thing in (*players, *given["mobs"])}
    row, col = given["players"][agent]["row"], given["players"][agent]["col"]
    around = [(row + down, col + right) for down, right in _AROUND]
    inside = [(r, c) for r, c in around if 0 <= r < len(terrain) and 0 <= c < len(terrain[0])]
    return [(r, c) for r, c in inside if terrain[r][c] in _WALKED and (r, c) not in taken]


def _zombie(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    if len(given["mobs"]) >= params.most_mobs:
        raise UsageError(f"there are {params.most_mobs} creatures already, and no room for more")
    able = [k for k in _alive(given) if _free(given, k)]
    agent = pick(able, aim.agent, dice, f"{_ALIVE}, with a free cell to walk on beside it")
    row, col = dice.choice(_free(given, agent))
    return {"mobs": [*given["mobs"], {"kind": "zombie", "row": row, "col": col}]}


def _hunger(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    players = given["players"]
    able = [k for k in _alive(given) if players[k]["inventory"]["food"] > 0]
    agent = pick(able, aim.agent, dice, f"{_ALIVE}, and not hungry already")
    return {"players": changed(players, agent, inventory={**players[agent]["inventory"], "food": 0})}


INTERVENTIONS = (
    Intervention("zombie", "a zombie stands beside a player", "agent", _zombie),
    Intervention("hunger", "a player has nothing left in its stomach", "agent", _hunger),
)

"""Interventions in a running wildfire: the wind turns, a new fire starts, a crew breaks down."""

from random import Random

import numpy as np

from sandbox.core.intervention import Aim, Intervention, changed, pick
from sandbox.worlds.wildfire.serialisation import GROUNDS, KINDS
from sandbox.worlds.wildfire.state import Ground, Kind, Params

_FUEL = [ord(letter) for letter in KINDS[Kind.GRASS : Kind.BUILDING + 1]]


def _turn(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    wind = given["wind"]
    return {"wind": {**wind, "towards": (wind["towards"] + 90.0) % 360.0}}


def _spark(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    able = np.isin(_codes(given["terrain"]), _FUEL) & (_codes(given["ground"]) == ord(GROUNDS[Ground.FINE]))
    burning = given["burning"]
    for row, col, _ in burning:
        able[row, col] = False
    cell = pick(set(map(tuple, np.argwhere(able).tolist())), aim.cell, dice, "a cell with dry fuel that does not burn")
    return {"burning": [*burning, [*cell, 1]]}


def _codes(rows: list[str]) -> np.ndarray:
    """Character codes (H, W) uint8 of a map."""
    return np.frombuffer("".join(rows).encode(), np.uint8).reshape(len(rows), -1)


def _break_down(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    crews = given["crews"]
    able = [k for k, crew in enumerate(crews) if crew["row"] >= 0 and not crew["down"]]
    return {"crews": changed(crews, pick(able, aim.agent, dice, "a crew that has not broken down"), down=True)}


INTERVENTIONS = (
    Intervention("wind_shift", "the wind turns by 90 degrees, clockwise", "world", _turn),
    Intervention("spark", "fire breaks out in a cell with dry fuel", "cell", _spark),
    Intervention("crew_down", "a crew breaks down for good", "agent", _break_down),
)

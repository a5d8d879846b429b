"""Interventions in a running episode: another wish, an item out of stock, dearer things, a pillar."""

from random import Random

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim, Intervention, changed, pick
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import Params

ON_THE_TABLE = ("proposed", "client", "accountant")


def _back(given: dict) -> dict:
    """What else changes: no proposal outlives what it was made for."""
    return {"deal": {**given["deal"], **dict.fromkeys(ON_THE_TABLE, 0)}} if given["deal"]["proposed"] else {}


def _change_mind(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """A wish gets another style, which the designer is not told."""
    k = dice.randrange(params.wishes)
    style = dice.choice([one for one in catalogue().styles if one != given["wishes"][k]["style"]])
    return {"wishes": changed(given["wishes"], k, style=style, told=False), **_back(given)}


def _sell_out(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    planned = {item["thing"] for item in given["items"]} - {"nothing", *given["out_of_stock"]}
    if not planned:
        raise UsageError("sold_out: no item of the plan is in stock; expected one")
    return {"out_of_stock": [*given["out_of_stock"], dice.choice(sorted(planned))], **_back(given)}


def _raise_prices(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    prices = {name: price + max(1, price // 10) for name, price in given["prices"].items()}
    return {"prices": prices, **_back(given)}


def _find_pillar(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    nooks = {divmod(int(cell), params.plan.shape[1]) for cell in params.nook}
    cell = pick(nooks - set(map(tuple, given["pillars"])), aim.cell, dice, "a cell of floor beside a wall")
    pillars = np.array(sorted([*map(tuple, given["pillars"]), cell])).tolist()
    return {"pillars": pillars, **_back(given)}


INTERVENTIONS = (
    Intervention("other_taste", "a wish asks for another style, and the designer is not told", "world", _change_mind),
    Intervention("sold_out", "a thing of the plan is out of stock", "world", _sell_out),
    Intervention("dearer", "all prices rise by a tenth", "world", _raise_prices),
    Intervention("pillar", "a pillar turns out to stand in a cell beside a wall", "cell", _find_pillar),
)

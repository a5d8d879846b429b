"""Interventions in a running kitchen: a cook loses what he holds, or a pot is emptied."""

from random import Random

from sandbox.core.intervention import Aim, Intervention, changed, pick
from sandbox.worlds.kitchen.state import Params


def _drop(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    cooks = given["players"]
    able = [k for k, cook in enumerate(cooks) if cook["holding"] is not None]
    return {"players": changed(cooks, pick(able, aim.agent, dice, "a cook who holds something"), holding=None)}


def _empty(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    full = {(pot["row"], pot["col"]): k for k, pot in enumerate(given["pots"]) if pot["ingredients"]}
    pot = full[pick(full.keys(), aim.cell, dice, "a pot with something in it")]
    blank = {"ingredients": [], "cooking_ticks": -1, "extra_ticks": 0, "ready": False}
    return {"pots": changed(given["pots"], pot, **blank)}


INTERVENTIONS = (
    Intervention("drop_held", "what a cook holds slips and is lost", "agent", _drop),
    Intervention("spoil_pot", "what is in a pot is thrown away", "cell", _empty),
)

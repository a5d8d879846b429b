"""What a cook does for a pot that its team has given him, in place of what the conventions would have him do."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.needs import DISH, ONION, TO_POT, TOMATO, source
from sandbox.worlds.kitchen.state import FAR, Cook, Plan, Thing
from sandbox.worlds.kitchen.teamwork import PLATE, POT


@kernel
def wanted(pot, kind, rules):
    """What a pot (a row of ``Memory.pots``) waits for: an ingredient, a dish, nothing (to be started); -1 no hands."""
    goal, mix = rules.aim[pot[Plan.MIX]], pot[Plan.MIX]
    if kind == PLATE:
        return DISH if pot[Plan.LEFT] >= 0 else np.int32(-1)
    if kind != POT or pot[Plan.LEFT] >= 0:
        return np.int32(-1)
    if goal >= 0 and goal % 4 > mix % 4:
        return ONION
    if goal >= 0 and goal // 4 > mix // 4:
        return TOMATO
    return np.int32(Thing.NOTHING) if mix > 0 else np.int32(-1)


@kernel
def heed(cook, cells, pots, task, rules):
    """Give a cook what his pot waits for as his target, if he has it or his hands are free; else leave it as it is."""
    number = task[1]
    if not POT <= task[0] - 1 <= PLATE or rules.way[rules.pot_cell[number], cook[Cook.CELL]] >= FAR:
        return
    pot, held = pots[number], cook[Cook.HELD]
    thing, place = wanted(pot, task[0] - 1, rules), np.int32(-1)
    if thing == held:
        place = rules.pot_cell[number]
    elif thing > 0 and held == Thing.NOTHING:
        place = source(cells, cook[Cook.CELL], thing, TO_POT, rules)
    if place >= 0:
        cook[Cook.TARGET], cook[Cook.WAIT] = place, 0
        if thing == DISH and held == DISH:
            cook[Cook.WAIT] = pot[Plan.LEFT]

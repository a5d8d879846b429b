"""What is needed and where it can be found; the basis of task assignment."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import FAR, Cell, Plan, Thing

TO_POT, TO_SERVING = np.int32(0), np.int32(1)
ITEMS = 0  # row of ``Memory.cells``: the thing on each counter
ONION, TOMATO, DISH, SOUP = np.int32(Thing.ONION), np.int32(Thing.TOMATO), np.int32(Thing.DISH), np.int32(Thing.SOUP)
LATER = 40  # steps by which a task that can wait is put back


@kernel
def plan_pots(pots, params):
    """What each pot lacks for the best soup it can become. A hopeless mix is cooked, so that the pot can be emptied."""
    for pot in pots:
        goal = params.aim[pot[Plan.MIX]]
        pot[Plan.ONIONS] = pot[Plan.TOMATOES] = pot[Plan.START] = 0
        if pot[Plan.LEFT] < 0 and goal >= 0:
            pot[Plan.ONIONS] = goal % 4 - pot[Plan.MIX] % 4
            pot[Plan.TOMATOES] = goal // 4 - pot[Plan.MIX] // 4
        if pot[Plan.LEFT] < 0 and pot[Plan.MIX] > 0 and pot[Plan.ONIONS] + pot[Plan.TOMATOES] == 0:
            pot[Plan.START] = 1
        pot[Plan.DISH] = pot[Plan.LEFT] >= 0 or pot[Plan.START]


@kernel
def lack(pots, thing):
    """How much of an ingredient the pots lack; for a dish, how many pots lack one."""
    column = Plan.ONIONS if thing == ONION else Plan.TOMATOES if thing == TOMATO else Plan.DISH
    total = 0
    for pot in pots:
        total += pot[column]
    return total


@kernel
def lack_soon(pots, thing, params):
    """How much of an ingredient the pots will lack once the present soups are out."""
    goal, total = params.aim[0], 0
    for pot in pots:
        if pot[Plan.LEFT] >= 0 and goal >= 0:
            total += goal % 4 if thing == ONION else goal // 4
    return total


@kernel
def passed_on(cells, thing, params):
    """How many of a thing lie on counters between rooms within reach of a room with a pot."""
    total = 0
    for cell in params.counters:
        total += params.shared[cell] and params.beyond[0, cell] == 0 and cells[ITEMS, cell] == thing
    return total


@kernel
def counter(cells, here, params, to, room):
    """The nearest empty counter that is a hand-over nearer to ``to``; with ``to`` -1, any empty counter; -1: none.

    With ``to`` -1, counters within one room come first. ``room``: how many other counters must stay empty, if there are
    others.
    """
    best, least, free = np.int32(-1), np.int32(FAR), 0
    total = 0
    for cell in params.counters:
        far = params.way[cell, here]
        if far >= FAR or (to >= 0 and params.beyond[to, cell] >= params.hops[to, here]):
            continue
        total += 1
        if cells[ITEMS, cell] != 0:
            continue
        free += 1
        if to < 0 and params.shared[cell]:
            far += LATER
        if far < least:
            best, least = cell, far
    return best if free > min(room, total - 1) else np.int32(-1)


@kernel
def source(cells, here, thing, to, params):
    """The nearest cell with a thing: a dispenser, or a counter whose other side is no nearer ``to``; -1: none."""
    kind = Cell.ONIONS if thing == ONION else Cell.TOMATOES if thing == TOMATO else Cell.DISHES
    best = np.int32(-1) if thing == SOUP else params.nearest[kind, here]
    least = params.way[best, here] if best >= 0 else np.int32(FAR)
    for cell in params.counters:
        item = min(cells[ITEMS, cell], SOUP)
        if item == thing and params.way[cell, here] < least and params.beyond[to, cell] >= params.hops[to, here]:
            best, least = cell, params.way[cell, here]
    return best

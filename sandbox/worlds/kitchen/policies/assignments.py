"""Task assignment: a task for each cook from one view of the kitchen, by conventions that all cooks share.

A cook who holds something brings it where it is needed; a cook with free hands takes the cheapest task. A cook who
cannot reach a pot or a serving place puts things on a counter that others can reach.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.policies.needs import (
    DISH,
    ITEMS,
    LATER,
    ONION,
    SOUP,
    TO_POT,
    TO_SERVING,
    TOMATO,
    counter,
    lack,
    lack_soon,
    passed_on,
    plan_pots,
    source,
)
from sandbox.worlds.kitchen.state import FAR, Cell, Cook, Plan

AT_ONCE = 30  # steps by which starting a full pot is preferred
TRIP = 8  # ticks to fetch a dish: if a soup takes longer, the dish is not urgent
BEFORE = 4  # ticks by which an ingredient for the next soup comes after the dish


@kernel
def _send(cook, target, wait):
    cook[Cook.TARGET], cook[Cook.WAIT], cook[Cook.BUSY] = target, wait, 1


@kernel
def _bring_soup(cook, cells, params):
    """Serve the soup, or hand it on."""
    here = cook[Cook.CELL]
    target = params.nearest[Cell.SERVING, here]
    _send(cook, target if target >= 0 else counter(cells, here, params, TO_SERVING, 0), 0)


@kernel
def _bring_dish(cook, cells, pots, params):
    """Bring the dish to the pot that needs it first; else hand it on; put it down if ingredients are lacking."""
    here, best, least, soon = cook[Cook.CELL], -1, np.int32(FAR), np.int32(0)
    for number in range(len(pots)):
        pot, far = pots[number], params.way[params.pot_cell[number], here]
        left = pot[Plan.LEFT] if pot[Plan.LEFT] >= 0 else np.int32(LATER)
        if pot[Plan.DISH] and max(far, left) < least:
            best, least, soon = number, max(far, left), left
    if best >= 0:
        pots[best, Plan.DISH] = 0
        _send(cook, params.pot_cell[best], soon)
    elif params.hops[0, here] > 0:
        if lack(pots, DISH) > 0:
            _send(cook, counter(cells, here, params, TO_POT, 0), 0)
        elif lack(pots, ONION) + lack(pots, TOMATO) > 0:
            _send(cook, counter(cells, here, params, np.int32(-1), 0), 0)
    elif lack(pots, ONION) + lack(pots, TOMATO) > 0:
        _send(cook, counter(cells, here, params, np.int32(-1), 0), 0)


@kernel
def _wait_for_pot(cook, pots, params):
    """Wait near the pot that will be empty first."""
    best, least = -1, np.int32(FAR)
    for number in range(len(pots)):
        left = pots[number, Plan.LEFT]
        if 0 <= left < least and params.way[params.pot_cell[number], cook[Cook.CELL]] < FAR:
            best, least = number, left
    if best >= 0:
        _send(cook, params.pot_cell[best], least + BEFORE)
    return best >= 0


@kernel
def _hands_for_dishes(cooks, cells, params):
    """The number of cooks with free hands who could bring a dish to a pot."""
    total = 0
    for cook in cooks:
        if cook[Cook.CELL] >= 0 and not cook[Cook.AWAY] and cook[Cook.HELD] == 0:
            here = cook[Cook.CELL]
            total += params.hops[0, here] == 0 and source(cells, here, DISH, TO_POT, params) >= 0
    return total


@kernel
def _bring_ingredient(cook, cooks, cells, pots, params):
    """Bring it to the nearest pot that lacks it; else hand it on; else wait with it, or put it down for a dish."""
    here, thing, best, least = cook[Cook.CELL], cook[Cook.HELD], -1, np.int32(FAR)
    column = Plan.ONIONS if thing == ONION else Plan.TOMATOES
    for number in range(len(pots)):
        far = params.way[params.pot_cell[number], here]
        if pots[number, column] > 0 and far < least:
            best, least = number, far
    if best >= 0:
        pots[best, column] -= 1
        _send(cook, params.pot_cell[best], 0)
    elif params.hops[0, here] > 0:
        target = counter(cells, here, params, TO_POT, 1)  # leave room for a dish, or for a soup that is handed back
        if target < 0 and lack(pots, DISH) > passed_on(cells, DISH, params):
            target = counter(cells, here, params, np.int32(-1), 0)
        _send(cook, target, 0)
    elif (
        lack(pots, DISH) > _hands_for_dishes(cooks, cells, params)
        or lack_soon(pots, thing, params) == 0
        or not _wait_for_pot(cook, pots, params)
    ):
        _send(cook, counter(cells, here, params, np.int32(-1), 0), 0)


@kernel
def _fetch_cost(cook, cells, pots, thing, params):
    """Steps to an ingredient or a dish, plus a penalty if it is less urgent; FAR: not needed."""
    here = cook[Cook.CELL]
    now, soon = lack(pots, thing), 0
    if thing != DISH:
        soon = lack_soon(pots, thing, params)
    if params.hops[0, here] > 0:
        passed = passed_on(cells, thing, params)
        now, soon = now - passed, soon + min(0, now - passed)
        if counter(cells, here, params, TO_POT, 1 if thing != DISH else 0) < 0:
            return np.int32(FAR)
    elif lack(pots, DISH) > 0 and thing != DISH:
        soon = 0
    place = source(cells, here, thing, TO_POT, params)
    if place < 0 or now + soon <= 0:
        return np.int32(FAR)
    cost = params.way[place, here] if now > 0 else params.way[place, here] + LATER
    if thing == DISH:
        left = np.int32(LATER)
        for pot in pots:
            if pot[Plan.DISH] and 0 <= pot[Plan.LEFT] < left:
                left = pot[Plan.LEFT]
        cost += max(0, left - TRIP)
    return cost


@kernel
def _take(cook, cells, pots, thing, params):
    """Send a cook to fetch a thing, and count the thing as delivered."""
    _send(cook, source(cells, cook[Cook.CELL], thing, TO_POT, params), 0)
    if params.hops[0, cook[Cook.CELL]] > 0:
        return
    column = Plan.ONIONS if thing == ONION else Plan.TOMATOES if thing == TOMATO else Plan.DISH
    best, least = -1, np.int32(FAR)
    for number in range(len(pots)):
        left = max(np.int32(0), pots[number, Plan.LEFT])
        if pots[number, column] > 0 and left < least:
            best, least = number, left
    if best >= 0:
        pots[best, column] -= 1


@kernel
def _start_cost(cook, pots, params):
    """(pot, cost): the nearest full pot that nobody has started, and the cost of going there."""
    best, least = -1, np.int32(FAR)
    for number in range(len(pots)):
        far = params.way[params.pot_cell[number], cook[Cook.CELL]]
        if pots[number, Plan.START] and far < least:
            best, least = number, far
    return best, least - AT_ONCE if best >= 0 else np.int32(FAR)


@kernel
def _clear(cook, cells, pots, params):
    """A cook without a task takes a thing off the counters if all are full, so that others can hand things over."""
    here, best, least, full = cook[Cook.CELL], np.int32(-1), np.int32(FAR), False
    for cell in params.counters:
        if params.shared[cell] and params.way[cell, here] < FAR:
            if cells[ITEMS, cell] == 0:
                return
            full = True
            if params.way[cell, here] < least and cells[ITEMS, cell] != DISH:
                best, least = cell, params.way[cell, here]
    if full and best >= 0 and params.hops[0, here] == 0 and counter(cells, here, params, np.int32(-1), 0) >= 0:
        _send(cook, best, 0)


@kernel
def _best_task(cook, cells, pots, params):
    """(what, cost) of the cheapest task for free hands; what: the thing to fetch, or 0 to start cooking."""
    number, best = _start_cost(cook, pots, params)
    what = np.int32(0)
    soup = source(cells, cook[Cook.CELL], SOUP, TO_SERVING, params)
    if soup >= 0 and params.way[soup, cook[Cook.CELL]] < best:
        what, best = SOUP, params.way[soup, cook[Cook.CELL]]
    for thing in range(ONION, SOUP):
        if thing <= DISH:
            cost = _fetch_cost(cook, cells, pots, np.int32(thing), params)
            if cost < best:
                what, best = np.int32(thing), cost
    return what, best


@kernel
def _bring(cook, cooks, cells, pots, params):
    """Send a cook to where the thing in his hands is needed."""
    if cook[Cook.HELD] >= SOUP:
        _bring_soup(cook, cells, params)
    elif cook[Cook.HELD] == DISH:
        _bring_dish(cook, cells, pots, params)
    else:
        _bring_ingredient(cook, cooks, cells, pots, params)


@kernel
def _cheapest(cooks, cells, pots, params):
    """(cook, what): the cheapest task of all free cooks; cook -1: none."""
    chosen, what, least = -1, np.int32(0), np.int32(FAR)
    for k in range(len(cooks)):
        if not cooks[k, Cook.BUSY]:
            task, cost = _best_task(cooks[k], cells, pots, params)
            if cost < least:
                chosen, what, least = k, task, cost
    return chosen, what


@kernel
def _begin(cook, what, cells, pots, params):
    """Give a cook with empty hands a task: a thing to fetch, or 0 to start a pot."""
    if what == SOUP:
        target = source(cells, cook[Cook.CELL], SOUP, TO_SERVING, params)
        _send(cook, target, 0)
        cells[ITEMS, target] = 0
    elif what > 0:
        _take(cook, cells, pots, what, params)
    else:
        number, _ = _start_cost(cook, pots, params)
        pots[number, Plan.START] = 0
        _send(cook, params.pot_cell[number], 0)


@kernel
def assign(cooks, cells, pots, params):
    """Give every cook who is himself a target (-1: none), and the ticks until he is needed there."""
    plan_pots(pots, params)
    for cook in cooks:
        cook[Cook.TARGET], cook[Cook.WAIT] = -1, 0
        cook[Cook.BUSY] = cook[Cook.CELL] < 0 or cook[Cook.AWAY]
    for env in range(3):  # dishes on their way decide whether ingredients for later are kept
        for cook in cooks:
            held = cook[Cook.HELD]
            if cook[Cook.BUSY] or held == 0:
                continue
            if env == (0 if held >= SOUP else 1 if held == DISH else 2):
                _bring(cook, cooks, cells, pots, params)
            cook[Cook.BUSY] = env == 2 or cook[Cook.BUSY]
    for _ in range(len(cooks)):
        chosen, what = _cheapest(cooks, cells, pots, params)
        if chosen < 0:
            break
        _begin(cooks[chosen], what, cells, pots, params)
    for cook in cooks:
        if not cook[Cook.BUSY]:
            _clear(cook, cells, pots, params)

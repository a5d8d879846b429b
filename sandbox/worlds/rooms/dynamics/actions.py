"""Who may do what, and what it brings about."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.geometry import fits, survey
from sandbox.worlds.rooms.state import ITEMS, SLOTS, WISHES, Deal, Item, Role, Tally, Verb, Wish

PAINT = np.int64(Verb.REMOVE)  # the last verb of the drawing board


@kernel
def redraw(s, lane, params):
    """Write the cached fields of a lane."""
    survey(
        s.grid[lane], s.item[lane], s.price[lane], s.wish[lane], s.cover[lane], s.reach[lane], s.flaw[lane],
        s.tally[lane], params,
    )  # fmt: skip


@kernel
def withdraw(s, lane):
    """The proposal is no longer on the table."""
    s.deal[lane, Deal.PROPOSED], s.deal[lane, Deal.CLIENT], s.deal[lane, Deal.ACCOUNTANT] = 0, 0, 0


@kernel
def must_be_approved(s, lane, params):
    """Whether the plan costs so much that the accountant must approve it."""
    return s.tally[lane, Tally.COST] > params.limit * s.deal[lane, Deal.BUDGET]


@kernel
def free_slot(item):
    """The first row of a plan without an item; -1: it is full."""
    for k in range(ITEMS):
        if item[k, Item.THING] == 0:
            return np.int64(k)
    return np.int64(-1)


@kernel
def _may_draw(s, lane, params, verb, target):
    """Whether an action at the drawing board has an effect."""
    row, col, turn = np.int64(s.pos[lane, 0, 0]), np.int64(s.pos[lane, 0, 1]), np.int64(s.turn[lane])
    if verb == Verb.ROW:
        return target < s.grid.shape[1] and target != row
    if verb == Verb.COLUMN:
        return target < s.grid.shape[2] and target != col
    if verb == Verb.TURN:
        return target < 4 and target != turn
    if verb == Verb.PLACE:
        return (
            target < len(params.thing) and s.price[lane, target] > 0 and free_slot(s.item[lane]) >= 0
            and fits(s.grid[lane], s.cover[lane], params, target, row, col, turn, np.int64(-1))
        )  # fmt: skip
    if target >= ITEMS or s.item[lane, target, Item.THING] == 0:
        return False
    if verb == Verb.REMOVE:
        return True
    item = s.item[lane, target]
    thing = np.int64(item[Item.THING]) - 1
    same = item[Item.ROW] == row and item[Item.COL] == col and item[Item.TURN] == turn
    return not same and fits(s.grid[lane], s.cover[lane], params, thing, row, col, turn, target)


@kernel
def _is_wish(s, lane, target):
    return target < WISHES and s.wish[lane, target, Wish.CATEGORY] > 0 and s.wish[lane, target, Wish.TOLD] == 0


@kernel
def is_legal(s, lane, params, agent, verb, target):
    """Whether an action has an effect."""
    if verb == Verb.WAIT:
        return target == 0
    if not (0 < verb < params.verbs and 0 <= target < SLOTS):
        return False
    deal = s.deal[lane]
    if agent == Role.DESIGNER:
        if verb <= PAINT:
            return _may_draw(s, lane, params, verb, target)
        if verb == Verb.ASK:
            return deal[Deal.ASKED] == 0 and _is_wish(s, lane, target)
        return verb == Verb.PROPOSE and target == 0 and deal[Deal.PROPOSED] == 0 and s.tally[lane, Tally.COST] > 0
    if agent == Role.CLIENT:
        if verb == Verb.TELL:
            return _is_wish(s, lane, target)
        if deal[Deal.PROPOSED] == 0 or deal[Deal.CLIENT] != 0:
            return False
        return (verb == Verb.APPROVE and target == 0) or (verb == Verb.REVISE and target <= params.wishes)
    if deal[Deal.PROPOSED] == 0 or deal[Deal.ACCOUNTANT] != 0 or not must_be_approved(s, lane, params):
        return False
    return (verb == Verb.APPROVE or verb == Verb.REVISE) and target == 0


@kernel
def _draw(s, lane, verb, target):
    """An action at the drawing board."""
    row, col, turn = s.pos[lane, 0, 0], s.pos[lane, 0, 1], s.turn[lane]
    if verb == Verb.ROW:
        s.pos[lane, 0, 0] = target
    elif verb == Verb.COLUMN:
        s.pos[lane, 0, 1] = target
    elif verb == Verb.TURN:
        s.turn[lane] = target
    elif verb == Verb.REMOVE:
        s.item[lane, target] = 0
    else:
        item = s.item[lane, free_slot(s.item[lane]) if verb == Verb.PLACE else target]
        if verb == Verb.PLACE:
            item[Item.THING] = target + 1
        item[Item.ROW], item[Item.COL], item[Item.TURN] = row, col, turn


@kernel
def act(s, lane, params, agent, verb, target):
    """Perform a legal action."""
    deal = s.deal[lane]
    if verb == Verb.WAIT:
        return
    if agent == Role.DESIGNER and verb <= PAINT:
        _draw(s, lane, verb, target)
        if verb >= Verb.PLACE:
            withdraw(s, lane)
            redraw(s, lane, params)
    elif verb == Verb.ASK:
        deal[Deal.ASKED] = target + 1
    elif verb == Verb.PROPOSE:
        deal[Deal.PROPOSED] = 1
    elif verb == Verb.TELL:
        s.wish[lane, target, Wish.TOLD] = 1
        if deal[Deal.ASKED] == target + 1:
            deal[Deal.ASKED] = 0
    elif verb == Verb.APPROVE:
        deal[Deal.CLIENT if agent == Role.CLIENT else Deal.ACCOUNTANT] = 1
    elif verb == Verb.REVISE:
        if agent == Role.CLIENT and target < params.wishes:
            s.wish[lane, target, Wish.TOLD] = 1
        withdraw(s, lane)
        deal[Deal.REVISIONS] += 1

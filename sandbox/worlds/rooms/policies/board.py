"""What designers have in common: search a place for a thing, and draw a plan that is in mind, stroke by stroke."""

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.actions import free_slot
from sandbox.worlds.rooms.dynamics.geometry import cheapest, count, extent, fits, flaws_of, is_lit, strip, survey
from sandbox.worlds.rooms.state import ITEMS, Flaw, Item, Stream, Tally, Thing, Verb, Wish

NONE = np.int64(-1)
CLASH = np.int64(Flaw.UNREACHED)  # the only flaw that another item's absence from the draft can hide
PATIENCE = 40  # places at which a thing would spoil something else, until the search gives up
BACK, CORNER, SCARCE, JITTER = 3.0, 1.0, 2.0, 2.0  # weights of ``_merit``


@kernel
def judge(memory, lane, params):
    """Survey the draft."""
    survey(
        memory.grid[lane], memory.item[lane], memory.price[lane], memory.wish[lane], memory.cover[lane],
        memory.reach[lane], memory.flaw[lane], memory.tally[lane], params,
    )  # fmt: skip


@kernel
def copy(to, given):
    """Copy a table; the assignment of a whole array would allocate memory."""
    for i in range(given.shape[0]):
        for j in range(given.shape[1]):
            to[i, j] = given[i, j]


@kernel
def put(item, thing, row, col, turn):
    """Write an item (a row) of a plan."""
    item[Item.THING], item[Item.ROW], item[Item.COL], item[Item.TURN] = thing + 1, row, col, turn


@kernel
def _merit(memory, lane, params, thing, row, col, turn):
    """How good a place is: with the back to a wall, in a corner, leaving daylight and power to what needs them."""
    grid, own = memory.grid[lane], params.thing[thing]
    rows, cols = extent(params, thing, turn)
    merit = 0.0
    for quarter in range(1, 4):
        side = (turn + quarter) % 4
        top, left, high, wide = strip(row, col, rows, cols, side, np.int64(1))
        walls = count(grid, memory.cover[lane], top, left, high, wide, 2) / (high * wide)
        merit += (BACK if quarter == 2 else CORNER) * walls
    if not own[Thing.DAYLIGHT]:
        merit -= SCARCE * count(grid, params.light, row, col, rows, cols, 1) / (rows * cols)
    if not own[Thing.POWER]:
        merit -= SCARCE * count(grid, params.power, row, col, rows, cols, 1) / (rows * cols)
    return merit


@kernel
def find_place(memory, lane, params, wish, thing, slot, key, salt):
    """Put a thing that serves a wish into a free slot of the draft, where nothing is wrong with any item then.

    It is the place of the highest merit, with more luck the larger ``salt`` is; with ``salt`` -1, the first place.
    Returns whether there is one.
    """
    grid, cover = memory.grid[lane], memory.cover[lane]
    best, to_row, to_col, to_turn, spoilt = -1e9, NONE, NONE, NONE, 0
    for cell in range(4 * grid.size):
        turn, row, col = cell % 4, cell // 4 // grid.shape[1], cell // 4 % grid.shape[1]
        if not fits(grid, cover, params, thing, row, col, turn, NONE):
            continue
        if wish[Wish.ROOM] and params.room[row, col] != wish[Wish.ROOM]:
            continue
        if wish[Wish.DAYLIGHT] and not is_lit(grid, params, thing, row, col, turn):
            continue
        if flaws_of(grid, cover, memory.reach[lane], params, thing, row, col, turn) & ~CLASH:
            continue
        merit = 0.0
        if salt >= 0:
            merit = _merit(memory, lane, params, thing, row, col, turn)
            merit += JITTER * salt * uniform(key, salt, Stream.SEARCH, cell)
            if merit <= best:
                continue
        put(memory.item[lane, slot], thing, row, col, turn)
        judge(memory, lane, params)
        wrong = memory.tally[lane, Tally.FLAWED]
        memory.item[lane, slot] = 0
        judge(memory, lane, params)
        if wrong == 0:
            best, to_row, to_col, to_turn = merit, row, col, turn
            if salt < 0:
                break
        else:
            spoilt += 1
            if spoilt == PATIENCE:
                break
    if to_row < 0:
        return False
    put(memory.item[lane, slot], thing, to_row, to_col, to_turn)
    judge(memory, lane, params)
    return True


@kernel
def furnish(memory, lane, params, wish, key, salt):
    """Add the cheapest thing for which there is a place, and which serves a wish; returns whether one was found."""
    slot = free_slot(memory.item[lane])
    for rank in range(params.styles if slot >= 0 else 0):
        thing = cheapest(memory.price[lane], params, wish, np.int64(rank))
        if thing < 0:
            break
        if find_place(memory, lane, params, wish, thing, slot, key, salt):
            return True
    return False


@kernel
def area(params, wish):
    """Cells of the largest thing that serves a wish, with what it must keep free: the order of the search."""
    most = np.int64(0)
    for thing in range(len(params.thing)):
        if params.thing[thing, Thing.CATEGORY] + 1 == wish[Wish.CATEGORY]:
            deep = np.int64(params.thing[thing, Thing.DEPTH]) + np.int64(params.thing[thing, Thing.CLEAR])
            most = max(most, deep * np.int64(params.thing[thing, Thing.WIDTH]))
    return most


@kernel
def _is_in(item, plan):
    """Whether an item (a row) is in a plan."""
    for k in range(ITEMS):
        if (plan[k, Item.THING] == item[Item.THING] and plan[k, Item.ROW] == item[Item.ROW]
                and plan[k, Item.COL] == item[Item.COL] and plan[k, Item.TURN] == item[Item.TURN]):  # fmt: skip
            return True
    return False


@kernel
def stroke(item, target, row, col, turn):
    """(verb, target) of the next stroke that brings a plan ``item`` nearer to ``target``; WAIT if they are equal."""
    for k in range(ITEMS):
        if item[k, Item.THING] > 0 and not _is_in(item[k], target):
            return np.int64(Verb.REMOVE), np.int64(k)
    for k in range(ITEMS):
        new = target[k]
        if new[Item.THING] == 0 or _is_in(new, item):
            continue
        if new[Item.ROW] != row:
            return np.int64(Verb.ROW), np.int64(new[Item.ROW])
        if new[Item.COL] != col:
            return np.int64(Verb.COLUMN), np.int64(new[Item.COL])
        if new[Item.TURN] != turn:
            return np.int64(Verb.TURN), np.int64(new[Item.TURN])
        return np.int64(Verb.PLACE), np.int64(new[Item.THING]) - 1
    return np.int64(Verb.WAIT), np.int64(0)

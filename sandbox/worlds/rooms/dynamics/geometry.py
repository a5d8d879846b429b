"""Where things fit, what makes an item unusable, and which wishes a plan meets.

The kernels take the arrays of a plan, of a state or of a policy's draft: ``grid``, ``cover``, ``reach`` (H, W) int8,
``item`` (ITEMS, 4) int16, ``flaw`` (ITEMS,) int16, ``price`` (K,) int32, ``wish`` (WISHES, 5) int16. Numbers are int64.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.state import ITEMS, WISHES, Cell, Flaw, Item, Tally, Thing, Wish

DOWN, RIGHT = np.array([1, 0, -1, 0]), np.array([0, -1, 0, 1])  # by side
FLOOR, DOOR, ENTRANCE = np.int64(Cell.FLOOR), np.int64(Cell.DOOR), np.int64(Cell.ENTRANCE)
NOBODY = np.int64(-1)


@kernel
def extent(params, thing, turn):
    """(rows, columns) that a thing takes up."""
    wide, deep = np.int64(params.thing[thing, Thing.WIDTH]), np.int64(params.thing[thing, Thing.DEPTH])
    return (deep, wide) if turn % 2 == 0 else (wide, deep)


@kernel
def fits(grid, cover, params, thing, row, col, turn, own):
    """Whether a thing can stand there: on floor that no door needs and no item covers but the item ``own``."""
    rows, cols = extent(params, thing, turn)
    if row < 0 or col < 0 or row + rows > grid.shape[0] or col + cols > grid.shape[1]:
        return False
    for r in range(row, row + rows):
        for c in range(col, col + cols):
            if grid[r, c] != FLOOR or params.kept[r, c] or (cover[r, c] != 0 and cover[r, c] != own + 1):
                return False
    return True


@kernel
def strip(row, col, rows, cols, side, depth):
    """(first row, first column, rows, columns) of the cells beside a rectangle, ``depth`` deep."""
    if side == 0:
        return row + rows, col, depth, cols
    if side == 1:
        return row, col - depth, rows, depth
    if side == 2:
        return row - depth, col, depth, cols
    return row, col + cols, rows, depth


@kernel
def count(grid, values, top, left, rows, cols, what):
    """Cells of a rectangle: ``what`` 0: free to walk on (``values`` covers); 1: marked in ``values``; 2: walls."""
    found = 0
    for r in range(max(0, top), min(grid.shape[0], top + rows)):
        for c in range(max(0, left), min(grid.shape[1], left + cols)):
            code = grid[r, c]
            if what == 0:
                found += FLOOR <= code <= ENTRANCE and values[r, c] == 0
            elif what == 1:
                found += values[r, c] != 0
            else:
                found += code == Cell.WALL or code == Cell.SOCKET
    return found


@kernel
def is_lit(grid, params, thing, row, col, turn):
    """Whether daylight reaches a thing at a place."""
    rows, cols = extent(params, thing, turn)
    return count(grid, params.light, row, col, rows, cols, 1) > 0


@kernel
def _lacks(grid, params, thing, row, col, rows, cols):
    """Bits of what the place itself lacks: floor, power, daylight."""
    own, bits, floor = params.thing[thing], 0, 0
    for r in range(row, row + rows):
        for c in range(col, col + cols):
            floor += grid[r, c] == FLOOR
    if floor < rows * cols:
        bits |= Flaw.OVERLAP
    if own[Thing.POWER] and count(grid, params.power, row, col, rows, cols, 1) == 0:
        bits |= Flaw.NO_POWER
    if own[Thing.DAYLIGHT] and count(grid, params.light, row, col, rows, cols, 1) == 0:
        bits |= Flaw.NO_DAYLIGHT
    return bits


@kernel
def flaws_of(grid, cover, reach, params, thing, row, col, turn):
    """Bits (see Flaw) of a thing at a place, as far as they depend on the place."""
    rows, cols = extent(params, thing, turn)
    own, bits = params.thing[thing], _lacks(grid, params, thing, row, col, rows, cols)
    deep, met = np.int64(own[Thing.CLEAR]), 0
    if deep > 0:
        top, left, high, wide = strip(row, col, rows, cols, turn, deep)
        if count(grid, cover, top, left, high, wide, 0) < high * wide:
            bits |= Flaw.BLOCKED
        met += count(grid, reach, top, left, high, wide, 1)
    sides = 0
    for quarter in range(4):
        side = (turn + quarter) % 4
        top, left, high, wide = strip(row, col, rows, cols, side, 1)
        if deep == 0:
            met += count(grid, reach, top, left, high, wide, 1)
        if quarter % 2 == 1 and count(grid, cover, top, left, high, wide, 0) == high * wide:
            sides += 1
        if quarter == 2 and own[Thing.WALL] and count(grid, cover, top, left, high, wide, 2) < high * wide:
            bits |= Flaw.NO_WALL
    if own[Thing.SIDE] and sides == 0:
        bits |= Flaw.BLOCKED
    return bits if met > 0 else bits | Flaw.UNREACHED


# -- the plan as a whole


@kernel
def _walk(grid, cover, reach):
    """Mark what can be walked to from the entrance. Sweeps there and back until nothing is new: no queue is needed."""
    height, width = grid.shape
    for r in range(height):
        for c in range(width):
            reach[r, c] = grid[r, c] == ENTRANCE
    new, back = True, False
    while new:
        new = False
        for k in range(height * width):
            cell = height * width - 1 - k if back else k
            r, c = cell // width, cell % width
            if reach[r, c] or not FLOOR <= grid[r, c] <= ENTRANCE or cover[r, c]:
                continue
            if ((r > 0 and reach[r - 1, c]) or (c > 0 and reach[r, c - 1])
                    or (r + 1 < height and reach[r + 1, c]) or (c + 1 < width and reach[r, c + 1])):  # fmt: skip
                reach[r, c] = 1
                new = True
        back = not back


@kernel
def is_met(grid, item, flaw, params, wish):
    """Whether an item that can be used meets a wish (a row)."""
    for k in range(ITEMS):
        thing = np.int64(item[k, Item.THING]) - 1
        if thing < 0 or flaw[k] or params.thing[thing, Thing.CATEGORY] + 1 != wish[Wish.CATEGORY]:
            continue
        row, col, turn = np.int64(item[k, Item.ROW]), np.int64(item[k, Item.COL]), np.int64(item[k, Item.TURN])
        if wish[Wish.ROOM] and params.room[row, col] != wish[Wish.ROOM]:
            continue
        if wish[Wish.STYLE] and params.thing[thing, Thing.STYLE] + 1 != wish[Wish.STYLE]:
            continue
        if wish[Wish.DAYLIGHT] == 0 or is_lit(grid, params, thing, row, col, turn):
            return True
    return False


@kernel
def survey(grid, item, price, wish, cover, reach, flaw, tally, params):
    """Write what follows from a plan: what is covered, where one can walk, what is wrong, wishes met, costs."""
    for r in range(grid.shape[0]):
        for c in range(grid.shape[1]):
            cover[r, c] = 0
    tally[Tally.COST], tally[Tally.FLAWED], tally[Tally.MET] = 0, 0, 0
    for k in range(ITEMS):
        thing = np.int64(item[k, Item.THING]) - 1
        if thing >= 0:
            tally[Tally.COST] += abs(price[thing])
            rows, cols = extent(params, thing, np.int64(item[k, Item.TURN]))
            for r in range(np.int64(item[k, Item.ROW]), np.int64(item[k, Item.ROW]) + rows):
                for c in range(np.int64(item[k, Item.COL]), np.int64(item[k, Item.COL]) + cols):
                    cover[r, c] = k + 1
    _walk(grid, cover, reach)
    for k in range(ITEMS):
        thing, flaw[k] = np.int64(item[k, Item.THING]) - 1, 0
        if thing >= 0:
            row, col, turn = np.int64(item[k, Item.ROW]), np.int64(item[k, Item.COL]), np.int64(item[k, Item.TURN])
            flaw[k] = flaws_of(grid, cover, reach, params, thing, row, col, turn)
            if price[thing] < 0:
                flaw[k] |= Flaw.OUT_OF_STOCK
            tally[Tally.FLAWED] += flaw[k] != 0
    for k in range(WISHES):
        if wish[k, Wish.CATEGORY]:
            tally[Tally.MET] += is_met(grid, item, flaw, params, wish[k])


@kernel
def serves(params, wish, thing):
    """Whether a thing is of the category and the style of a wish (a row)."""
    own = params.thing[thing]
    return own[Thing.CATEGORY] + 1 == wish[Wish.CATEGORY] and (
        wish[Wish.STYLE] == 0 or own[Thing.STYLE] + 1 == wish[Wish.STYLE]
    )


@kernel
def cheapest(price, params, wish, rank):
    """The ``rank``-th cheapest thing in stock that serves a wish, from 0; -1: there are not so many."""
    last, before = NOBODY, np.int64(-1)
    for _ in range(rank + 1):
        best = NOBODY
        for thing in range(len(params.thing)):
            own = np.int64(price[thing])
            if own > 0 and serves(params, wish, thing) and (own, thing) > (before, last):
                if best < 0 or own < price[best]:
                    best = np.int64(thing)
        if best < 0:
            return NOBODY
        last, before = best, np.int64(price[best])
    return last

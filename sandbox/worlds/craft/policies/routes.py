"""Find and follow routes over a partly known map.

A breadth-first search over time: a cell that must be dug or bridged waits in the queue for the ticks that it costs, so
the first arrival is the quickest. The search ends at the first cell from which the aim is met. A route
is a stack of cells in ``memory.route``; the last is the next to enter.
"""

from enum import IntEnum

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.recipes import WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW
from sandbox.worlds.craft.state import Channel, Kind, Material, Note, Verb

NO = np.int32(-1)


class Aim(IntEnum):
    """Aims of a route: beside a material (its number), or one of these."""

    FRONTIER = 16  # beside an unknown cell
    BURROW = 17  # before two cells of stone in a line, enclosed by solid cells
    BESIDE = 18  # beside a named cell
    BENCH = 19  # where a table is near
    FORGE = 20  # near a table and a furnace
    MEADOW = 21  # on grass or sand, beside an unknown cell
    ROCK = 22  # in the mountains, beside an unknown cell


@kernel
def _delay(material, pick, stones):
    """Ticks to open a cell before it can be entered; -1: impossible. ``pick``: 0 none .. 3 iron."""
    if WALKS[material]:
        return 0
    if material == Material.TREE:
        return 2
    if material == Material.WATER:
        return 2 if stones > 0 else -1
    least = 0
    if material == Material.STONE or material == Material.COAL:
        least = 1
    elif material == Material.IRON:
        least = 2
    elif material == Material.DIAMOND:
        least = 3
    return 2 if 0 < least <= pick else -1


@kernel
def at(known, row, col):
    """The known material of a cell; LAVA beyond the edge."""
    if row < 0 or col < 0 or row >= known.shape[0] or col >= known.shape[1]:
        return np.int8(Material.LAVA)
    return known[row, col]


@kernel
def _solid(material):
    """Whether a material stops mobs and arrows."""
    return material == Material.STONE or material == Material.TREE or Material.COAL <= material <= Material.DIAMOND


@kernel
def _is_burrow(known, row, col, side):
    """Whether two cells of stone lie in a line on this side, enclosed by solid cells."""
    down, right = DROW[side], DCOL[side]
    for far in range(1, 3):
        r, c = row + far * down, col + far * right
        if at(known, r, c) != Material.STONE or r < 1 or c < 1 or r > known.shape[0] - 2 or c > known.shape[1] - 2:
            return False
        if not _solid(at(known, r + right, c + down)) or not _solid(at(known, r - right, c - down)):
            return False
    return _solid(at(known, row + 3 * down, col + 3 * right))


@kernel
def near_table(known, row, col, furnace_too):
    """Whether a table (and a furnace) is within one cell."""
    table, furnace = False, not furnace_too
    if row > 0 and col > 0:
        for r in range(row - 1, min(row + 2, known.shape[0])):
            for c in range(col - 1, min(col + 2, known.shape[1])):
                table |= known[r, c] == Material.TABLE
                furnace |= known[r, c] == Material.FURNACE
    return table and furnace


@kernel
def met(known, row, col, aim, place):
    """The side (Facing) of a cell on which the aim is; 4: the cell itself is the aim; -1: not here."""
    if aim == Aim.BENCH or aim == Aim.FORGE:
        return np.int32(4) if near_table(known, row, col, aim == Aim.FORGE) else NO
    for side in range(4):
        r, c = row + DROW[side], col + DCOL[side]
        if aim == Aim.BURROW:
            if _is_burrow(known, row, col, side):
                return np.int32(side)
            continue
        if r < 0 or c < 0 or r >= known.shape[0] or c >= known.shape[1]:
            continue
        if aim == Aim.BESIDE:
            found = r * known.shape[1] + c == place
        elif aim == Aim.FRONTIER or aim == Aim.MEADOW or aim == Aim.ROCK:
            meadow = known[row, col] == Material.GRASS or known[row, col] == Material.SAND
            found = known[r, c] == Material.UNKNOWN and (aim == Aim.FRONTIER or meadow == (aim == Aim.MEADOW))
        else:
            found = known[r, c] == aim
        if found:
            return np.int32(side)
    return NO


@kernel
def _block_things(came, window, row, col, width):
    """Mark the cells of plants and other players in view as blocked."""
    for i in range(1, 8):
        for j in range(9):
            kind = window[Channel.THING, i, j]
            if (kind == Kind.PLAYER or kind >= Kind.PLANT) and (i != 4 or j != 4):
                came[(row + i - 4) * width + col + j - 4] = 9


@kernel
def _search(known, window, memory, lane, start, aim, place, pick, stones):
    """The nearest cell that meets the aim, -1: none; ``came`` holds side + 1 by which each cell was entered."""
    height, width = known.shape
    queue, came, size = memory.queue[lane], memory.came[lane], known.size
    for cell in range(size):
        came[cell] = 0
    _block_things(came, window, start // width, start % width, width)
    came[start], queue[0] = 10, start
    head, count = 0, 1
    while count:
        entry = queue[head]
        head = head + 1 if head + 1 < size else 0
        count -= 1
        tail = head + count if head + count < size else head + count - size
        cell = entry & 0xFFFF
        if entry >> 16:
            queue[tail] = entry - (1 << 16)
            count += 1
            continue
        row, col = cell // width, cell % width
        if met(known, row, col, aim, place) >= 0:
            return np.int32(cell)
        for side in range(4):
            r, c = row + DROW[side], col + DCOL[side]
            if r < 0 or c < 0 or r >= height or c >= width or came[r * width + c]:
                continue
            delay = _delay(known[r, c], pick, stones)
            if delay >= 0:
                came[r * width + c] = side + 1
                queue[tail] = (r * width + c) | (delay << 16)
                tail = tail + 1 if tail + 1 < size else 0
                count += 1
    return NO


@kernel
def plan(known, window, memory, lane, agent, here, aim, place, pick, stones):
    """Write a route to the aim into memory, of a long one the nearer part; returns whether there is one."""
    note, route, came = memory.notes[lane, agent], memory.route[lane, agent], memory.came[lane]
    note[Note.LEFT], note[Note.AIM], note[Note.PLACE] = 0, aim, place
    end = _search(known, window, memory, lane, here, aim, place, pick, stones)
    if end < 0:
        return False
    width, length, cell = known.shape[1], 0, end
    while cell != here:
        side = came[cell] - 1
        cell -= DROW[side] * width + DCOL[side]
        length += 1
    skip, cell = max(0, length - len(route)), end
    note[Note.LEFT] = length - skip
    for k in range(length):
        if k >= skip:
            route[k - skip] = cell
        side = came[cell] - 1
        cell -= DROW[side] * width + DCOL[side]
    return True


@kernel
def side_of(here, there, width):
    """The side (Facing) of the neighbouring cell ``there``."""
    if there == here - 1:
        return np.int32(0)
    if there == here + 1:
        return np.int32(1)
    return np.int32(2) if there < here else np.int32(3)


@kernel
def enter(known, window, here, there, facing, stones):
    """The next verb to enter a neighbouring cell; -1: it cannot be entered."""
    width = known.shape[1]
    side = side_of(here, there, width)
    material, kind = known[there // width, there % width], window[Channel.THING, 4 + DROW[side], 4 + DCOL[side]]
    turn = np.int32(Verb.MOVE_LEFT + side)
    if material == Material.LAVA or material >= Material.TABLE or kind == Kind.PLAYER or kind >= Kind.PLANT:
        return NO
    if kind == Kind.COW or kind == Kind.ZOMBIE or kind == Kind.SKELETON:
        return np.int32(Verb.DO) if facing == side else turn
    if kind == Kind.ARROW and facing == side:
        return np.int32(Verb.NOOP)  # it flies on
    if WALKS[material] or kind == Kind.ARROW:
        return turn
    if facing != side:
        return turn
    if material == Material.WATER:
        return np.int32(Verb.PLACE_STONE) if stones > 0 else NO
    return np.int32(Verb.DO)


assert max(Kind) == Kind.RIPE and Material.FURNACE < Aim.FRONTIER

"""Movement of ``rules`` and ``oracle``: go to an aim, explore, fetch a material, go to a table."""

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.recipes import WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW
from sandbox.worlds.craft.policies.routes import NO, Aim, at, enter, met, near_table, plan
from sandbox.worlds.craft.state import FIRST_ACHIEVEMENT, FIRST_ITEM, Body, Channel, Column, Material, Note, Verb

PATIENCE = 12  # ticks on one cell after which a route is given up
FURNACE_STONES, TABLE_WOOD = 4, 2
NEAR_ENOUGH = 14  # cells to a table beyond which another one is built


@kernel
def has(vector, item):
    """The number of an item (a column of Body) that the player has."""
    return int(vector[FIRST_ITEM + item - Body.HEALTH])


@kernel
def unlocked(vector, achievement):
    return vector[FIRST_ACHIEVEMENT + achievement] > 0


@kernel
def pick_of(vector):
    """The best pickaxe: 0 none, 1 wood, 2 stone, 3 iron."""
    if has(vector, Body.IRON_PICKAXE):
        return 3
    return 2 if has(vector, Body.STONE_PICKAXE) else 1 if has(vector, Body.WOOD_PICKAXE) else 0


@kernel
def _is_free(known, window, row, col, side):
    """Whether the cell on one side of the player is passable and empty."""
    walkable = WALKS[at(known, row + DROW[side], col + DCOL[side])]
    return walkable and window[Channel.THING, 4 + DROW[side], 4 + DCOL[side]] == 0


@kernel
def random_step(known, window, row, col, dice, agent):
    """A step to a random free neighbouring cell; noop if no neighbouring cell is free."""
    spin = below(4, dice, 1, 0, agent)
    for k in range(4):
        side = (spin + k) % 4
        if _is_free(known, window, row, col, side):
            return np.int32(Verb.MOVE_LEFT + side)
    return np.int32(Verb.NOOP)


@kernel
def go(known, window, vector, memory, lane, agent, aim, place, dice):
    """The verb that leads to an aim, ``do`` once it is ahead; -1: it cannot be reached."""
    note, width = memory.notes[lane, agent], known.shape[1]
    row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), int(vector[Column.FACING])
    here, stones = row * width + col, has(vector, Body.STONE)
    side = met(known, row, col, aim, place)
    if side == 4:
        return np.int32(Verb.NOOP)
    if side >= 0 and aim != Aim.FRONTIER and aim < Aim.MEADOW:
        note[Note.LEFT], note[Note.SIDE] = 0, side
        return np.int32(Verb.DO) if facing == side else np.int32(Verb.MOVE_LEFT + side)
    if note[Note.SHUN] >> aim & 1:
        return NO
    left = note[Note.LEFT]
    if left and memory.route[lane, agent, left - 1] == here:
        left -= 1
        note[Note.LEFT] = left
    fresh = note[Note.AIM] != aim or note[Note.PLACE] != place or left == 0 or note[Note.STUCK] > PATIENCE
    if not fresh:
        there = memory.route[lane, agent, left - 1]
        fresh = abs(there // width - row) + abs(there % width - col) != 1
        end = memory.route[lane, agent, 0]
        fresh |= left < memory.route.shape[2] and met(known, end // width, end % width, aim, place) < 0
    for _ in range(2):
        if fresh:
            if not plan(known, window, memory, lane, agent, here, aim, place, pick_of(vector), stones):
                note[Note.SHUN] |= 1 << aim
                return NO
            if note[Note.STUCK] > PATIENCE:
                note[Note.STUCK] = 0
                return random_step(known, window, row, col, dice, agent)
        if note[Note.LEFT] == 0:
            return random_step(known, window, row, col, dice, agent)
        verb = enter(known, window, here, memory.route[lane, agent, note[Note.LEFT] - 1], facing, stones)
        if verb >= 0:
            return verb
        fresh = True
    return random_step(known, window, row, col, dice, agent)


@kernel
def explore(known, window, vector, memory, lane, agent, first, dice):
    """Go to the edge of the known map, first in one terrain (MEADOW or ROCK); else to any grass."""
    verb = go(known, window, vector, memory, lane, agent, first, np.int32(-1), dice)
    if verb < 0:
        verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.FRONTIER), np.int32(-1), dice)
    if verb >= 0:
        return verb
    note, place, width = memory.notes[lane, agent], NO, known.shape[1]
    if note[Note.AIM] == Aim.BESIDE and note[Note.LEFT] > 1:
        place = note[Note.PLACE]
    else:
        for k in range(8):
            cell = below(known.size, dice, 2 + k, 0, agent)
            if known[cell // width, cell % width] == Material.GRASS:
                place = np.int32(cell)
    if place < 0:
        return NO
    return go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), place, dice)


@kernel
def errand(known, window, vector, memory, lane, agent, material, dice):
    """Fetch a material; explore if none is known."""
    verb = go(known, window, vector, memory, lane, agent, np.int64(material), np.int32(-1), dice)
    if verb < 0:
        country = Aim.ROCK if material == Material.STONE or material >= Material.COAL else Aim.MEADOW
        verb = explore(known, window, vector, memory, lane, agent, np.int64(country), dice)
    return verb


@kernel
def _place(known, window, vector, row, col, verb, dice, agent):
    """Place something ahead, or turn to a side where it can be placed."""
    side = int(vector[Column.FACING])
    if _is_free(known, window, row, col, side):
        return np.int32(verb)
    return random_step(known, window, row, col, dice, agent)


@kernel
def _bench(known, window, vector, memory, lane, agent, forge, dice):
    """Get near a table (and a furnace): walk there, or build; -1: neither is possible."""
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    wood, stone = has(vector, Body.WOOD), has(vector, Body.STONE)
    can_build, verb = wood > TABLE_WOOD and (stone >= FURNACE_STONES or not forge), NO
    if forge:
        if stone >= FURNACE_STONES and near_table(known, row, col, False):
            return _place(known, window, vector, row, col, Verb.PLACE_FURNACE, dice, agent)
        verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.FORGE), np.int32(-1), dice)
    if verb < 0:
        verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.BENCH), np.int32(-1), dice)
    if verb >= 0 and (memory.notes[lane, agent, Note.LEFT] <= NEAR_ENOUGH or not can_build):
        return verb
    if can_build:
        return _place(known, window, vector, row, col, Verb.PLACE_TABLE, dice, agent)
    return errand(known, window, vector, memory, lane, agent, Material.TREE, dice)

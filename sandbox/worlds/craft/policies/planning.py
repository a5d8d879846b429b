"""Decisions of ``rules`` and ``oracle``: danger, needs of the body, then the next step of the tech tree."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.mobs import daylight
from sandbox.worlds.craft.dynamics.recipes import COLLECTED, MADE, NEARBY, REACHED, RECEIVES, REQUIRES, USES, WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW
from sandbox.worlds.craft.policies.errands import (
    FURNACE_STONES,
    PATIENCE,
    TABLE_WOOD,
    _bench,
    _place,
    errand,
    explore,
    go,
    has,
    pick_of,
    random_step,
    unlocked,
)
from sandbox.worlds.craft.policies.routes import NO, Aim, at, met, near_table
from sandbox.worlds.craft.state import MOST, Achievement, Body, Channel, Column, Kind, Material, Note, Verb

# -- pursue: the next step for one achievement that the team wants, from the recipes

DEEPEST = 4  # length of a chain of required tools, at most
FROM = np.zeros(len(Body), np.int64)  # (25,) material from which an item is collected; 0 none
BY = np.zeros(len(Body), np.int64)  # (25,) verb that makes an item
GIVES = np.zeros(len(Achievement), np.int64)  # (22,) material that is collected for an achievement; 0 none
DOES = np.zeros(len(Achievement), np.int64)  # (22,) verb that places or makes something for it; 0 none
for _m in Material:
    if RECEIVES[_m] >= 0:
        FROM[RECEIVES[_m]], GIVES[COLLECTED[_m]] = _m, _m
for _verb in range(Verb.PLACE_STONE, Verb.MAKE_IRON_SWORD + 1):
    DOES[REACHED[_verb]] = _verb
    if _verb >= Verb.MAKE_WOOD_PICKAXE:
        BY[MADE[_verb]] = _verb


@kernel
def lacking(vector, verb):
    """The material to collect for what a verb uses; 0: the player has it all."""
    for k in range(USES.shape[1]):
        if USES[verb, k, 1] and has(vector, USES[verb, k, 0]) < USES[verb, k, 1]:
            return FROM[USES[verb, k, 0]]
    return np.int64(0)


@kernel
def next_step(vector, achievement):
    """(material to fetch, verb to use), 0: none. Required tools come before what is collected with them."""
    fetch, verb = GIVES[achievement], DOES[achievement]
    for _ in range(DEEPEST):
        if verb:
            fetch = lacking(vector, verb)
        if fetch == 0 or REQUIRES[fetch] < 0 or has(vector, REQUIRES[fetch]):
            break
        fetch, verb = 0, BY[REQUIRES[fetch]]
    return fetch, verb


@kernel
def pursue(known, window, vector, memory, lane, agent, achievement, dice):
    """The verb that brings a player nearer to an achievement; -1: its usual plan leads there as well.

    It does for all that needs a furnace, and for cows, foes and sleep.
    """
    fetch, verb = next_step(vector, achievement)
    if verb and NEARBY[verb, 1]:
        return NO
    if fetch:
        return errand(known, window, vector, memory, lane, agent, fetch, dice)
    if verb == 0:
        return NO
    if verb <= Verb.PLACE_PLANT:
        row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), int(vector[Column.FACING])
        if verb == Verb.PLACE_PLANT and at(known, row + DROW[facing], col + DCOL[facing]) != Material.GRASS:
            return errand(known, window, vector, memory, lane, agent, np.int64(Material.GRASS), dice)
        return _place(known, window, vector, row, col, verb, dice, agent)
    return _bench(known, window, vector, memory, lane, agent, False, dice)


# -- planning

LOW, URGENT = 5, 3  # of food and drink: goes to a known place; explores for it before anything else
TIRED, WORN = 3, 0  # energy at which it looks for a burrow; at which it sleeps where it is
DARK, DUSK = 0.5, 0.85  # daylight below which it stays in a burrow; below which it eats and drinks ahead
WEAK, WELL = 4, 8  # health at which it hides in a burrow; at which it comes out again
BOLD = 2  # by day, when there are no zombies, this many fewer points of health are enough
RETRY = 12  # ticks after which an unreachable aim is tried again


@kernel
def _can_make(vector, known, row, col, verb):
    """Whether a tool can be made here and the player does not have it."""
    if has(vector, MADE[verb]):
        return False
    for k in range(3):
        if USES[verb, k, 0] and has(vector, USES[verb, k, 0]) < USES[verb, k, 1]:
            return False
    return near_table(known, row, col, NEARBY[verb, 1])


@kernel
def _fight(window, facing):
    """Turn to a neighbouring zombie or skeleton and hit it; -1: none."""
    for side in range(4):
        kind = window[Channel.THING, 4 + DROW[side], 4 + DCOL[side]]
        if kind == Kind.ZOMBIE or kind == Kind.SKELETON:
            return np.int32(Verb.DO) if facing == side else np.int32(Verb.MOVE_LEFT + side)
    return NO


@kernel
def _notice(window, note, row, col, width):
    """Note where a cow is; returns whether a zombie is in view."""
    zombie, best = False, 1 << 20
    cow = note[Note.COW]
    if cow >= 0 and abs(cow // width - row) <= 3 and abs(cow % width - col) <= 4:
        note[Note.COW] = -1
    for i in range(1, 8):
        for j in range(9):
            zombie |= window[Channel.THING, i, j] == Kind.ZOMBIE
            if window[Channel.THING, i, j] == Kind.COW and abs(i - 4) + abs(j - 4) < best:
                best, note[Note.COW] = abs(i - 4) + abs(j - 4), (row + i - 4) * width + col + j - 4
    return zombie


@kernel
def _find_burrow(known, window, vector, memory, lane, agent, dice):
    """The verb that leads to rock for a burrow; there it notes the burrow and returns -1."""
    note, row, col = memory.notes[lane, agent], int(vector[Column.ROW]), int(vector[Column.COL])
    side = met(known, row, col, Aim.BURROW, -1)
    if side < 0:
        return go(known, window, vector, memory, lane, agent, np.int64(Aim.BURROW), np.int32(-1), dice)
    note[Note.RESTING], note[Note.DOOR], note[Note.INTO] = 1, row * known.shape[1] + col, side
    return NO


@kernel
def _sleep(known, window, vector, memory, lane, agent, zombie, dice):
    """Dig into rock, close the entrance, sleep; without rock or pickaxe, sleep in the open when worn out."""
    note, width = memory.notes[lane, agent], known.shape[1]
    row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), int(vector[Column.FACING])
    here, energy = row * width + col, has(vector, Body.ENERGY)
    if note[Note.RESTING] == 0 and pick_of(vector):
        verb = _find_burrow(known, window, vector, memory, lane, agent, dice)
        if verb >= 0:
            return verb
    if note[Note.RESTING] == 0:
        return np.int32(Verb.SLEEP) if energy <= WORN and not zombie else NO
    side, door = note[Note.INTO], note[Note.DOOR]
    step = DROW[side] * width + DCOL[side]
    into, back = np.int32(Verb.MOVE_LEFT + side), np.int32(Verb.MOVE_LEFT + (side ^ 1))
    if note[Note.STUCK] > 2 * PATIENCE and here != door + step:
        note[Note.RESTING] = 0
        return NO
    if here == door + 2 * step:
        note[Note.RESTING] = 2
        return back
    if here == door + step and note[Note.RESTING] == 2:
        if WALKS[at(known, door // width, door % width)]:
            if facing == side ^ 1:
                return np.int32(Verb.PLACE_STONE)
            return into  # to the far end again, to come back facing the door
        return np.int32(Verb.SLEEP if energy < MOST else Verb.NOOP)
    if here != door and here != door + step:
        note[Note.RESTING] = 0
        return NO
    if WALKS[at(known, row + DROW[side], col + DCOL[side])] or facing != side:
        return into
    return np.int32(Verb.DO)


@kernel
def _needs(known, window, vector, memory, lane, agent, zombie, dice):
    """The verb for drink, food or sleep; -1: none is needed now."""
    note = memory.notes[lane, agent]
    drink, food, energy = has(vector, Body.DRINK), has(vector, Body.FOOD), has(vector, Body.ENERGY)
    light = daylight(note[Note.CLOCK], 0.0)  # by its own clock: the perturbation ``night`` does not stop its work
    low = LOW + 2 * (light < DUSK)
    note[Note.DRINKING] = drink < MOST and (note[Note.DRINKING] or drink <= low)
    note[Note.EATING] = food < MOST - 2 and (note[Note.EATING] or food <= low)
    health, dark = has(vector, Body.HEALTH) + BOLD * (light >= DUSK), light < DARK
    if note[Note.RESTING] and ((energy >= MOST and health >= WELL and not dark) or min(drink, food) <= 1):
        note[Note.RESTING] = 0
    verb = NO
    if note[Note.RESTING] or ((dark or energy <= TIRED or health <= WEAK) and min(drink, food) > 1):
        verb = _sleep(known, window, vector, memory, lane, agent, zombie, dice)
    if verb < 0 and note[Note.DRINKING]:
        verb = go(known, window, vector, memory, lane, agent, np.int64(Material.WATER), np.int32(-1), dice)
    if verb < 0 and note[Note.EATING] and note[Note.COW] >= 0:
        verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), np.int32(note[Note.COW]), dice)
        if verb < 0:
            note[Note.COW] = -1
    if verb < 0 and min(drink, food) <= URGENT:
        verb = explore(known, window, vector, memory, lane, agent, np.int64(Aim.MEADOW), dice)
    return verb


@kernel
def _hunt(known, window, vector, memory, lane, agent, kind, dice):
    """Go to the nearest of a kind in view; -1: none."""
    row, col, width = int(vector[Column.ROW]), int(vector[Column.COL]), known.shape[1]
    best, place = 1 << 20, NO
    for i in range(1, 8):
        for j in range(9):
            if window[Channel.THING, i, j] == kind and abs(i - 4) + abs(j - 4) < best:
                best, place = abs(i - 4) + abs(j - 4), np.int32((row + i - 4) * width + col + j - 4)
    if place < 0:
        return NO
    return go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), np.int32(place), dice)


@kernel
def _by_the_way(known, window, vector, memory, lane, agent, dice):
    """Easy achievements of an endless game: drink, a plant, a placed stone, a fight, a cow; -1: none."""
    row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), int(vector[Column.FACING])
    ahead = at(known, row + DROW[facing], col + DCOL[facing])
    clear = window[Channel.THING, 4 + DROW[facing], 4 + DCOL[facing]] == 0
    if not unlocked(vector, Achievement.PLACE_PLANT):
        if ahead == Material.GRASS and clear:
            return np.int32(Verb.PLACE_PLANT if has(vector, Body.SAPLING) else Verb.DO)
    if not unlocked(vector, Achievement.PLACE_STONE) and has(vector, Body.STONE) and clear:
        if WALKS[ahead] or ahead == Material.WATER:
            return np.int32(Verb.PLACE_STONE)
    verb, strong = NO, has(vector, Body.HEALTH) > 4 and has(vector, Body.WOOD_SWORD)
    if not unlocked(vector, Achievement.EAT_COW) and memory.notes[lane, agent, Note.COW] >= 0:
        cow = np.int32(memory.notes[lane, agent, Note.COW])
        verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), cow, dice)
    if verb < 0 and not unlocked(vector, Achievement.COLLECT_DRINK):
        verb = go(known, window, vector, memory, lane, agent, np.int64(Material.WATER), np.int32(-1), dice)
    if verb < 0 and strong and not unlocked(vector, Achievement.DEFEAT_ZOMBIE):
        verb = _hunt(known, window, vector, memory, lane, agent, Kind.ZOMBIE, dice)
    if verb < 0 and strong and not unlocked(vector, Achievement.DEFEAT_SKELETON):
        verb = _hunt(known, window, vector, memory, lane, agent, Kind.SKELETON, dice)
    return verb


@kernel
def _grow(known, window, vector, memory, lane, agent, dice):
    """Plant saplings, keep zombies and cows away, return to the plants, eat the first that is ripe."""
    note, row, col, width = memory.notes[lane, agent], int(vector[Column.ROW]), int(vector[Column.COL]), known.shape[1]
    verb, seen = _hunt(known, window, vector, memory, lane, agent, Kind.RIPE, dice), False
    if verb >= 0:
        return verb
    for i in range(1, 8):
        for j in range(9):
            if window[Channel.THING, i, j] == Kind.PLANT:
                seen, note[Note.PLOT] = True, (row + i - 4) * width + col + j - 3
    if not seen and note[Note.PLOT]:
        place = np.int32(note[Note.PLOT] - 1)
        if abs(place // width - row) > 3 or abs(place % width - col) > 4:
            verb = go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), place, dice)
        if verb < 0:
            note[Note.PLOT] = 0
    if seen:
        verb = _hunt(known, window, vector, memory, lane, agent, Kind.ZOMBIE, dice)
        if verb < 0:
            verb = _hunt(known, window, vector, memory, lane, agent, Kind.COW, dice)
    if verb < 0:
        verb = pursue(known, window, vector, memory, lane, agent, np.int64(Achievement.PLACE_PLANT), dice)
    return verb


@kernel
def _alone(known, window, vector, memory, lane, agent, goal, dice):
    """What recipes do not lead to: sleep, cows, foes, a ripe plant; -1: something else comes first."""
    if goal == Achievement.WAKE_UP:
        return np.int32(Verb.SLEEP)
    if goal == Achievement.EAT_PLANT and pick_of(vector) and has(vector, Body.WOOD_SWORD):  # it must live till then
        return _grow(known, window, vector, memory, lane, agent, dice)
    if goal == Achievement.EAT_COW:
        cow = np.int32(memory.notes[lane, agent, Note.COW])
        if cow >= 0:
            return go(known, window, vector, memory, lane, agent, np.int64(Aim.BESIDE), cow, dice)
        return explore(known, window, vector, memory, lane, agent, np.int64(Aim.MEADOW), dice)
    if goal == Achievement.DEFEAT_ZOMBIE:
        return _hunt(known, window, vector, memory, lane, agent, Kind.ZOMBIE, dice)
    if goal == Achievement.DEFEAT_SKELETON and has(vector, Body.WOOD_SWORD):
        return _hunt(known, window, vector, memory, lane, agent, Kind.SKELETON, dice)
    return NO


@kernel
def _only(goal):
    """The only achievement of a goal (22,) bool; -1: it has several, or none."""
    only = -1
    for k in range(len(goal)):
        if goal[k]:
            if only >= 0:
                return -1
            only = k
    return only


@kernel
def _lacking_for_iron(vector):
    """The material to fetch next for the tools of iron; 0: the player has all."""
    if has(vector, Body.WOOD) == 0:
        return Material.TREE
    if has(vector, Body.STONE) < FURNACE_STONES + 1:
        return Material.STONE
    if has(vector, Body.COAL) == 0:
        return Material.COAL
    return Material.IRON if has(vector, Body.IRON) == 0 else 0


@kernel
def _climb(known, window, vector, params, memory, lane, agent, dice):
    """The next step of the tech tree."""
    wood, stone = has(vector, Body.WOOD), has(vector, Body.STONE)
    sword, pick = has(vector, Body.WOOD_SWORD), pick_of(vector)
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    deep = (
        params.goal[Achievement.MAKE_IRON_PICKAXE] or params.goal[Achievement.COLLECT_DIAMOND] or not params.goal.any()
    )
    fetch, forge = 0, False
    if pick == 0 or not sword:
        at_work = wood > 0 and pick + sword > 0 and near_table(known, row, col, False)
        if wood < TABLE_WOOD + 2 and not at_work:
            fetch = Material.TREE
    elif pick < 2 or not has(vector, Body.STONE_SWORD):
        least = 2 - (pick >= 2)
        if wood < (6 if deep and stone == 0 else least):
            fetch = Material.TREE
        elif stone < least:
            fetch = Material.STONE
    elif not has(vector, Body.IRON_PICKAXE) or not has(vector, Body.IRON_SWORD):
        fetch, forge = _lacking_for_iron(vector), True
    elif not unlocked(vector, Achievement.COLLECT_DIAMOND):
        fetch = Material.DIAMOND
    else:
        return explore(known, window, vector, memory, lane, agent, np.int64(Aim.ROCK), dice)
    if fetch:
        return errand(known, window, vector, memory, lane, agent, fetch, dice)
    return _bench(known, window, vector, memory, lane, agent, forge, dice)


@kernel
def think(known, window, vector, wanted, params, memory, lane, agent, dice):
    """One player's verb from its map (H, W), window (3, 9, 9), vector, and notes; ``wanted``: an achievement, or -1."""
    note, width = memory.notes[lane, agent], known.shape[1]
    row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), int(vector[Column.FACING])
    here = row * width + col
    note[Note.CLOCK] += 1
    note[Note.STUCK] = note[Note.STUCK] + 1 if note[Note.LAST] == here else 0
    note[Note.LAST] = here
    if note[Note.CLOCK] >= note[Note.UNTIL]:
        note[Note.SHUN], note[Note.UNTIL] = 0, note[Note.CLOCK] + RETRY
    if row < 0 or has(vector, Body.HEALTH) == 0 or (vector[Column.SLEEPING] > 0 and has(vector, Body.ENERGY) < MOST):
        note[Note.STUCK] = 0
        return np.int32(Verb.NOOP)
    zombie = _notice(window, note, row, col, width)
    verb = _fight(window, facing)
    if verb < 0:
        for make in range(Verb.MAKE_WOOD_PICKAXE, Verb.MAKE_IRON_SWORD + 1):
            if _can_make(vector, known, row, col, make):
                return np.int32(make)
        verb = _needs(known, window, vector, memory, lane, agent, zombie, dice)
    only = _only(params.goal) if verb < 0 and wanted < 0 else -1
    if only >= 0 and DOES[only] < Verb.MAKE_WOOD_PICKAXE:
        verb, wanted = _alone(known, window, vector, memory, lane, agent, only, dice), only
    if verb < 0 and wanted >= 0:
        verb = pursue(known, window, vector, memory, lane, agent, wanted, dice)
    if verb < 0 and not params.goal.any():
        verb = _by_the_way(known, window, vector, memory, lane, agent, dice)
    if verb < 0:
        verb = _climb(known, window, vector, params, memory, lane, agent, dice)
    if verb < 0:
        verb = random_step(known, window, row, col, dice, agent)
    return verb

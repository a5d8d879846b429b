"""What a player does for one achievement that its team wants of it: what it takes first, from the recipes."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.errands import _bench, _place, errand, has
from sandbox.worlds.craft.recipes import COLLECTED, MADE, NEARBY, REACHED, RECEIVES, REQUIRES, USES
from sandbox.worlds.craft.routes import NO, at
from sandbox.worlds.craft.state import Achievement, Body, Material, Verb
from sandbox.worlds.craft.things import DCOL, DROW

DEEPEST = 4  # tools that take one another, at most
FROM = np.zeros(len(Body), np.int64)  # (25,) material that an item is collected from; 0 none
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
    """The material to collect for what a verb uses, 0 where the player has it all."""
    for k in range(USES.shape[1]):
        if USES[verb, k, 1] and has(vector, USES[verb, k, 0]) < USES[verb, k, 1]:
            return FROM[USES[verb, k, 0]]
    return np.int64(0)


@kernel
def next_step(vector, achievement):
    """The material to fetch now and the verb to use, 0 for neither: tools come before what is collected with them."""
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
    """The verb that brings a player nearer to an achievement; -1 where its usual way leads there as well.

    So it does to all that takes a furnace, and to what is met by the way: cows, foes, sleep.
    """
    fetch, verb = next_step(vector, achievement)
    if verb and NEARBY[verb, 1]:
        return NO
    if fetch:
        return errand(known, window, vector, memory, lane, agent, fetch, dice)
    if verb == 0:
        return NO
    if verb <= Verb.PLACE_PLANT:
        row, col, facing = int(vector[0]), int(vector[1]), int(vector[2])
        if verb == Verb.PLACE_PLANT and at(known, row + DROW[facing], col + DCOL[facing]) != Material.GRASS:
            return errand(known, window, vector, memory, lane, agent, np.int64(Material.GRASS), dice)
        return _place(known, window, vector, row, col, verb, dice, agent)
    return _bench(known, window, vector, memory, lane, agent, False, dice)

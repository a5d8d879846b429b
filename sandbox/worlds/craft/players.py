"""What players do and need: crafter's ``Player``, with recipes from ``recipes``."""

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.recipes import (
    CHANCE,
    COLLECTED,
    ENTERS,
    LEAVES,
    MADE,
    NEARBY,
    REACHED,
    RECEIVES,
    REQUIRES,
    STANDS_ON,
    USES,
)
from sandbox.worlds.craft.state import MOST, Achievement, Body, Dose, Kind, Material, Mob, Stream, Verb
from sandbox.worlds.craft.things import DCOL, DROW, add, free, put_material, relocate

RIPE_AT = 300  # ticks after which a plant can be eaten
HUNGER, THIRST, FATIGUE = 50, 40, 30  # half ticks, half ticks, ticks until food, drink, energy fall by one
REST, RECOVER, WEAKEN = -10, 50, -30  # ticks until energy, half ticks until health rises, falls by one
COW_FEEDS, PLANT_FEEDS = 6, 4
FAIL_AT_MOST = 0.3  # dose 1 of action_failure: share of actions that do nothing


@kernel
def _has(body, verb):
    """Whether the player has what a verb uses."""
    for k in range(3):
        if body[USES[verb, k, 0]] < USES[verb, k, 1]:
            return False
    return True


@kernel
def has_nearby(grid, row, col, verb):
    """Whether table and furnace stand within one cell, as the verb needs.

    In the first row and the first column nothing is ever near: crafter cuts its map at row - 1, which is then the last.
    """
    table, furnace = not NEARBY[verb, 0], not NEARBY[verb, 1]
    if row > 0 and col > 0:
        for r in range(row - 1, min(row + 2, grid.shape[0])):
            for c in range(col - 1, min(col + 2, grid.shape[1])):
                table |= grid[r, c] == Material.TABLE
                furnace |= grid[r, c] == Material.FURNACE
    return table and furnace


@kernel
def _can_do(s, lane, body, material, thing):
    """Whether ``do`` has an effect on what is ahead."""
    if thing > s.pos.shape[1]:
        mob = s.mobs[lane, thing - 1 - s.pos.shape[1]]
        if mob[Mob.KIND] == Kind.PLANT:
            return mob[Mob.CLOCK] > RIPE_AT
        return mob[Mob.KIND] <= Kind.SKELETON
    if thing > 0 or RECEIVES[material] < 0:
        return False
    return REQUIRES[material] < 0 or body[REQUIRES[material]] > 0


@kernel
def legal(s, lane, agent, verb):
    """Whether a verb has an effect now; the no-op counts as legal always."""
    body, grid, object_at = s.body[lane, agent], s.grid[lane], s.object_at[lane]
    if verb == Verb.NOOP:
        return True
    if body[Body.HEALTH] <= 0 or (body[Body.SLEEPING] and body[Body.ENERGY] < MOST):
        return False
    row, col, facing = s.pos[lane, agent, 0], s.pos[lane, agent, 1], body[Body.FACING]
    if verb <= Verb.MOVE_DOWN:
        side = verb - 1
        if side != facing or grid[row, col] == Material.LAVA:
            return True
        return free(grid, object_at, row + DROW[side], col + DCOL[side], ENTERS)
    if verb == Verb.SLEEP:
        return body[Body.ENERGY] < MOST
    if verb >= Verb.MAKE_WOOD_PICKAXE:
        return _has(body, verb) and has_nearby(grid, row, col, verb)
    row, col = row + DROW[facing], col + DCOL[facing]
    if row < 0 or col < 0 or row >= grid.shape[0] or col >= grid.shape[1]:
        return False
    material, thing = grid[row, col], object_at[row, col]
    if verb == Verb.DO:
        return _can_do(s, lane, body, material, thing)
    if thing or not STANDS_ON[verb, material] or not _has(body, verb):
        return False
    return verb != Verb.PLACE_PLANT or s.census[lane] < s.mobs.shape[1]


@kernel
def _strike(s, lane, agent, slot):
    """``do`` on a mob: eat a ripe plant, hit anything that lives."""
    body, mob, achieved = s.body[lane, agent], s.mobs[lane, slot], s.achieved[lane, agent]
    if mob[Mob.KIND] == Kind.PLANT:
        mob[Mob.CLOCK] = 0
        body[Body.FOOD] += PLANT_FEEDS
        achieved[Achievement.EAT_PLANT] += 1
        return
    damage = 1
    if body[Body.WOOD_SWORD]:
        damage = 2
    if body[Body.STONE_SWORD]:
        damage = 3
    if body[Body.IRON_SWORD]:
        damage = 5
    mob[Mob.HEALTH] = max(0, mob[Mob.HEALTH] - damage)
    if mob[Mob.HEALTH] == 0:
        if mob[Mob.KIND] == Kind.COW:
            body[Body.FOOD] += COW_FEEDS
            body[Body.HUNGER] = 0
            achieved[Achievement.EAT_COW] += 1
        elif mob[Mob.KIND] == Kind.ZOMBIE:
            achieved[Achievement.DEFEAT_ZOMBIE] += 1
        else:
            achieved[Achievement.DEFEAT_SKELETON] += 1


@kernel
def _collect(s, lane, agent, row, col):
    """``do`` on a material that can be collected."""
    body, material = s.body[lane, agent], s.grid[lane, row, col]
    if material == Material.WATER:
        body[Body.THIRST] = 0
    if LEAVES[material] != material:
        put_material(s.grid[lane], s.chunks[lane], row, col, LEAVES[material])
    if CHANCE[material] < 1 and uniform(s.seed[lane], s.tick[lane], Stream.COLLECT, agent) > CHANCE[material]:
        return
    body[RECEIVES[material]] += 1
    s.achieved[lane, agent, COLLECTED[material]] += 1


@kernel
def _build(s, lane, agent, verb, row, col):
    """Place something ahead, or make a tool."""
    body = s.body[lane, agent]
    for k in range(3):
        body[USES[verb, k, 0]] -= USES[verb, k, 1]
    s.achieved[lane, agent, REACHED[verb]] += 1
    if verb >= Verb.MAKE_WOOD_PICKAXE:
        body[MADE[verb]] += 1
    elif verb == Verb.PLACE_PLANT:
        add(s, lane, Kind.PLANT, row, col, 1, 0)
    else:
        material = Material.STONE
        if verb == Verb.PLACE_TABLE:
            material = Material.TABLE
        elif verb == Verb.PLACE_FURNACE:
            material = Material.FURNACE
        put_material(s.grid[lane], s.chunks[lane], row, col, np.int8(material))


@kernel
def act(s, lane, agent, verb):
    """Carry out a legal verb."""
    body, pos = s.body[lane, agent], s.pos[lane, agent]
    if verb == Verb.NOOP:
        return
    if verb == Verb.SLEEP:
        body[Body.SLEEPING] = 1
        return
    if verb <= Verb.MOVE_DOWN:
        body[Body.FACING] = verb - 1
    row, col = pos[0] + DROW[body[Body.FACING]], pos[1] + DCOL[body[Body.FACING]]
    if verb <= Verb.MOVE_DOWN:
        if free(s.grid[lane], s.object_at[lane], row, col, ENTERS):
            relocate(s, lane, Kind.PLAYER, pos[0], pos[1], row, col)
            pos[0], pos[1] = row, col
        if s.grid[lane, pos[0], pos[1]] == Material.LAVA:  # who heals in that very tick is alive until the next move
            body[Body.HEALTH] = 0
    elif verb != Verb.DO:
        _build(s, lane, agent, verb, row, col)
    elif s.object_at[lane, row, col]:
        _strike(s, lane, agent, s.object_at[lane, row, col] - 1 - s.pos.shape[1])
    else:
        _collect(s, lane, agent, row, col)


@kernel
def _need(body, counter, limit, item):
    """One need grows; past its limit the item falls by one."""
    body[counter] += 1 if body[Body.SLEEPING] else 2
    if body[counter] > limit:
        body[counter] = 0
        body[item] -= 1


@kernel
def live(body, scarcity):
    """A tick of hunger, thirst, fatigue and healing; items are kept within 0..9; who was hurt wakes up."""
    sleeping = body[Body.SLEEPING]
    _need(body, Body.HUNGER, HUNGER - int(scarcity * HUNGER / 2), Body.FOOD)
    _need(body, Body.THIRST, THIRST - int(scarcity * THIRST / 2), Body.DRINK)
    body[Body.FATIGUE] = min(body[Body.FATIGUE] - 1, 0) if sleeping else body[Body.FATIGUE] + 1
    if body[Body.FATIGUE] < REST:
        body[Body.FATIGUE] = 0
        body[Body.ENERGY] += 1
    if body[Body.FATIGUE] > FATIGUE - int(scarcity * FATIGUE / 2):
        body[Body.FATIGUE] = 0
        body[Body.ENERGY] -= 1
    if body[Body.FOOD] > 0 and body[Body.DRINK] > 0 and (body[Body.ENERGY] > 0 or sleeping):
        body[Body.RECOVER] += 4 if sleeping else 2
    else:
        body[Body.RECOVER] -= 1 if sleeping else 2
    if body[Body.RECOVER] > RECOVER:
        body[Body.RECOVER] = 0
        body[Body.HEALTH] += 1
    if body[Body.RECOVER] < WEAKEN:
        body[Body.RECOVER] = 0
        body[Body.HEALTH] -= 1
    for item in range(Body.HEALTH, len(body)):
        body[item] = max(0, min(body[item], MOST))
    if body[Body.HEALTH] < body[Body.FELT]:
        body[Body.SLEEPING] = 0
    body[Body.FELT] = body[Body.HEALTH]


@kernel
def update_player(s, lane, agent, verb, may_fail, rules):
    """One player's tick. ``may_fail``: the verb was legal when the tick began, so that it is refused if it no longer is."""
    body = s.body[lane, agent]
    can = legal(s, lane, agent, verb)
    s.refused[lane, agent] = may_fail and not can
    if body[Body.SLEEPING] and body[Body.ENERGY] >= MOST:
        body[Body.SLEEPING] = 0
        s.achieved[lane, agent, Achievement.WAKE_UP] += 1
    fail = rules.dose[Dose.ACTION_FAILURE] * FAIL_AT_MOST
    if can and verb != Verb.NOOP and fail > 0:
        if uniform(s.seed[lane], s.tick[lane], Stream.FAIL, agent) < fail:
            s.refused[lane, agent], can = 1, False
    if can:
        act(s, lane, agent, verb)
    live(body, rules.dose[Dose.SCARCITY])

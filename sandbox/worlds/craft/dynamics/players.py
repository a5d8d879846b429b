"""Actions and needs of players: crafter's ``Player``, with the recipes of ``recipes``."""

import numpy as np

from sandbox.engine.draw import uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.recipes import (
    CHANCE,
    COLLECTED,
    ENTERS,
    LEAVES,
    MADE,
    MAKE,
    NEARBY,
    PLACE,
    REACHED,
    RECEIVES,
    REQUIRES,
    STANDS_ON,
    USES,
)
from sandbox.worlds.craft.dynamics.things import DCOL, DROW, add, free, put_material, relocate
from sandbox.worlds.craft.state import MOST, Achievement, Body, Kind, Material, Mob, Severity, Stream, Verb

RIPE_AT = 300  # ticks after which a plant can be eaten
HUNGER, THIRST, FATIGUE = 50, 40, 30  # half ticks, half ticks, ticks until food, drink, energy fall by one
REST, RECOVER, WEAKEN = -10, 50, -30  # ticks until energy, half ticks until health rises, falls by one
COW_FEEDS, PLANT_FEEDS = 6, 4


@kernel
def _has(body, verb):
    """Whether the player has the items that a verb uses."""
    for k in range(3):
        if body[USES[verb, k, 0]] < USES[verb, k, 1]:
            return False
    return True


@kernel
def _nearby(grid, row, col):
    """(table, furnace): whether one is within one cell.

    In row 0 and column 0 nothing is near: crafter slices its map from row - 1, which there is the last row.
    """
    table, furnace = False, False
    if row > 0 and col > 0:
        for r in range(row - 1, min(row + 2, grid.shape[0])):
            for c in range(col - 1, min(col + 2, grid.shape[1])):
                table |= grid[r, c] == Material.TABLE
                furnace |= grid[r, c] == Material.FURNACE
    return table, furnace


@kernel
def _can_do(s, lane, body, material, thing):
    """Whether ``do`` has an effect on the cell ahead."""
    if thing > s.pos.shape[1]:
        mob = s.mobs[lane, thing - 1 - s.pos.shape[1]]
        if mob[Mob.KIND] == Kind.PLANT:
            return mob[Mob.CLOCK] > RIPE_AT
        return mob[Mob.KIND] <= Kind.SKELETON
    if thing > 0 or RECEIVES[material] < 0:
        return False
    return REQUIRES[material] < 0 or body[REQUIRES[material]] > 0


@kernel
def _can_move(grid, object_at, row, col, facing, side):
    """Whether a move has an effect: a turn, a step, or death by the lava below."""
    if side != facing or grid[row, col] == Material.LAVA:
        return True
    return free(grid, object_at, row + DROW[side], col + DCOL[side], ENTERS)


@kernel
def _can_make(body, verb, table, furnace):
    return _has(body, verb) and (table or not NEARBY[verb, 0]) and (furnace or not NEARBY[verb, 1])


@kernel
def _can_place(s, lane, body, verb, material, thing):
    if thing or not STANDS_ON[verb, material] or not _has(body, verb):
        return False
    return verb != Verb.PLACE_PLANT or s.census[lane] < s.mobs.shape[1]


@kernel
def _awake(body):
    """Whether a player can do anything else than sleep."""
    return body[Body.HEALTH] > 0 and not (body[Body.SLEEPING] and body[Body.ENERGY] < MOST)


@kernel
def _ahead(s, lane, agent):
    """(row, column, material, thing) of the cell that a player faces; material UNKNOWN beyond the edge."""
    facing = s.body[lane, agent, Body.FACING]
    row, col = s.pos[lane, agent, 0] + DROW[facing], s.pos[lane, agent, 1] + DCOL[facing]
    if row < 0 or col < 0 or row >= s.grid.shape[1] or col >= s.grid.shape[2]:
        return row, col, np.int8(Material.UNKNOWN), np.int16(0)
    return row, col, s.grid[lane, row, col], s.object_at[lane, row, col]


@kernel
def _legal(s, lane, agent, verb):
    """Whether a verb has an effect now; the no-op is always legal."""
    body, grid = s.body[lane, agent], s.grid[lane]
    if verb == Verb.NOOP:
        return True
    if not _awake(body):
        return False
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    if verb <= Verb.MOVE_DOWN:
        return _can_move(grid, s.object_at[lane], row, col, body[Body.FACING], verb - 1)
    if verb == Verb.SLEEP:
        return body[Body.ENERGY] < MOST
    if verb >= Verb.MAKE_WOOD_PICKAXE:
        table, furnace = _nearby(grid, row, col)
        return _can_make(body, verb, table, furnace)
    _, _, material, thing = _ahead(s, lane, agent)
    if verb == Verb.DO:
        return _can_do(s, lane, body, material, thing)
    return _can_place(s, lane, body, verb, material, thing)


@kernel
def _fill_mask(s, lane, agent, mask):
    """``_legal`` for all seventeen verbs at once."""
    body, grid = s.body[lane, agent], s.grid[lane]
    for verb in range(len(mask)):
        mask[verb] = verb == Verb.NOOP
    if not _awake(body):
        return
    row, col = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    for side in range(4):
        mask[Verb.MOVE_LEFT + side] = _can_move(grid, s.object_at[lane], row, col, body[Body.FACING], side)
    mask[Verb.SLEEP] = body[Body.ENERGY] < MOST
    _, _, material, thing = _ahead(s, lane, agent)
    mask[Verb.DO] = _can_do(s, lane, body, material, thing)
    if body[Body.WOOD] + body[Body.STONE] + body[Body.SAPLING] == 0:
        return  # everything that is placed or made uses one of these
    for verb in range(Verb.PLACE_STONE, Verb.PLACE_PLANT + 1):
        mask[verb] = _can_place(s, lane, body, verb, material, thing)
    if body[Body.WOOD]:
        table, furnace = _nearby(grid, row, col)
        for verb in range(Verb.MAKE_WOOD_PICKAXE, Verb.MAKE_IRON_SWORD + 1):
            mask[verb] = _can_make(body, verb, table, furnace)


@kernel
def _strike(s, lane, agent, slot):
    """``do`` on a mob: eat a ripe plant, hit a creature."""
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
def _act(s, lane, agent, verb):
    """Carry out a legal verb."""
    body, pos = s.body[lane, agent], s.pos[lane, agent]
    if verb == Verb.NOOP:
        return
    if verb == Verb.SLEEP:
        body[Body.SLEEPING] = 1
        return
    if verb <= Verb.MOVE_DOWN:
        body[Body.FACING] = verb - 1
    row, col, _, _ = _ahead(s, lane, agent)
    if verb <= Verb.MOVE_DOWN:
        if free(s.grid[lane], s.object_at[lane], row, col, ENTERS):
            relocate(s.object_at[lane], s.chunks[lane], Kind.PLAYER, pos[0], pos[1], row, col)
            pos[0], pos[1] = row, col
        if s.grid[lane, pos[0], pos[1]] == Material.LAVA:  # who heals in this tick lives on until its next move
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
def _live(body, scarcity):
    """One tick of hunger, thirst, fatigue and healing; items stay within 0..9; a player that was hurt wakes up."""
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
def update_player(s, lane, agent, verb, may_fail, params):
    """One player's tick. ``may_fail``: the verb was legal when the tick began; it is refused if it is not any more."""
    body = s.body[lane, agent]
    can = _legal(s, lane, agent, verb)
    s.refused[lane, agent] = may_fail and not can
    if body[Body.SLEEPING] and body[Body.ENERGY] >= MOST:
        body[Body.SLEEPING] = 0
        s.achieved[lane, agent, Achievement.WAKE_UP] += 1
    if can:
        _act(s, lane, agent, verb)
    _live(body, params.severity[Severity.SCARCITY])


assert all({"stone", "wood", "sapling"} & set(uses) for uses, _ in PLACE.values())
assert all("wood" in uses for uses, _ in MAKE.values())  # required by ``_fill_mask``

"""Cows, zombies, skeletons, arrows, plants, and the balance of chunks: crafter's rules, with keyed draws.

The n-th draw that crafter makes for the k-th mob of a tick is ``draw(seed, tick, MOB, 8 k + n)``; for the c-th kind of
a chunk ``draw(seed, tick, BALANCE, 8 (3 chunk + c) + n)``. So crafter with our draws does the same.
"""

from math import cos, pi

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.dynamics.recipes import FLIES, WALKS
from sandbox.worlds.craft.dynamics.things import (
    DCOL,
    DROW,
    _nearest,
    add,
    chunk_of,
    free,
    put_material,
    relocate,
    remove,
)
from sandbox.worlds.craft.state import CHUNK, Body, Chunk, Kind, Material, Mob, Stream

NEAR = 18  # cells: mobs nearer to a player act; twice the longer side of the view
BALANCED_EVERY = 10  # ticks
DAY = 300  # ticks
DARKEST = 0.7  # severity 1 of night: share of the daylight that is missing, also at noon
COW_HEALTH, ZOMBIE_HEALTH, SKELETON_HEALTH = 3, 5, 3
# by kind - COW: its ground, distances from players at which it spawns and despawns, and the chances
GROUND = np.array([Chunk.GRASS, Chunk.GRASS, Chunk.PATH], np.int64)
MATERIAL = np.array([Material.GRASS, Material.GRASS, Material.PATH], np.int64)
SPAWN_AT, DESPAWN_AT = np.array([5, 6, 7]), np.array([5, 0, 7])
SPAWN, DESPAWN = np.array([0.01, 0.3, 0.1]), np.array([0.1, 0.4, 0.1])
ROOM = np.array([30, 50, 6])  # cells of its ground that a chunk needs before any spawns
HEALTH = np.array([COW_HEALTH, ZOMBIE_HEALTH, SKELETON_HEALTH])
TURN = np.array([1, 2, 0])  # crafter balances zombies, then skeletons, then cows


@kernel
def daylight(tick, night):
    """Brightness 0..1; ``night`` is the severity of the perturbation."""
    dark = abs(cos(pi * (tick / DAY % 1 + 0.3)))
    return (1 - dark * dark * dark) * (1 - DARKEST * night)


@kernel
def _toward(row, col, to_row, to_col, long_axis):
    """The step (row, column) along the longer or the shorter axis of the way to a cell; can be (0, 0)."""
    down, right = to_row - row, to_col - col
    if (abs(right) > abs(down)) if long_axis else (abs(right) <= abs(down)):
        return 0, (1 if right > 0 else -1 if right < 0 else 0)
    return (1 if down > 0 else -1 if down < 0 else 0), 0


@kernel
def _cow(seed, tick, key):
    """A cow's step."""
    if uniform(seed, tick, Stream.MOB, key) < 0.5:
        side = below(4, seed, tick, Stream.MOB, key + 1)
        return DROW[side], DCOL[side]
    return 0, 0


@kernel
def _zombie(seed, tick, key, mob, far, to_row, to_col):
    """A zombie's step: towards a player within 8 cells, else random."""
    n = 0
    if far <= 8:
        n = 1
        if uniform(seed, tick, Stream.MOB, key) < 0.9:
            return _toward(mob[Mob.ROW], mob[Mob.COL], to_row, to_col, uniform(seed, tick, Stream.MOB, key + 1) < 0.8)
    side = below(4, seed, tick, Stream.MOB, key + n)
    return DROW[side], DCOL[side]


@kernel
def _bite(s, lane, mob, who):
    """A zombie beside a player hits it, then waits five ticks; a sleeper is hit hardest."""
    body = s.body[lane, who]
    if abs(s.pos[lane, who, 0] - mob[Mob.ROW]) + abs(s.pos[lane, who, 1] - mob[Mob.COL]) > 1:
        return
    if mob[Mob.CLOCK]:
        mob[Mob.CLOCK] -= 1
    else:
        body[Body.HEALTH] = max(0, body[Body.HEALTH] - (7 if body[Body.SLEEPING] else 2))
        mob[Mob.CLOCK] = 5


@kernel
def _shoot(s, lane, mob, down, right):
    """Shoot an arrow, if the skeleton has reloaded and the cell is free."""
    row, col = mob[Mob.ROW] + down, mob[Mob.COL] + right
    if mob[Mob.CLOCK] == 0 and (down or right) and free(s.grid[lane], s.object_at[lane], row, col, FLIES):
        facing = (0 if right < 0 else 1) if right else (2 if down < 0 else 3)
        add(s, lane, Kind.ARROW, row, col, 0, facing)
        mob[Mob.CLOCK] = 4


@kernel
def _skeleton(s, lane, seed, tick, key, mob, far, to_row, to_col):
    """A skeleton's tick: near a player it retreats, shoots, or approaches; else it walks at random."""
    row, col, n = mob[Mob.ROW], mob[Mob.COL], 0
    mob[Mob.CLOCK] = max(0, mob[Mob.CLOCK] - 1)
    if far <= 3:
        n = 1
        down, right = _toward(row, col, to_row, to_col, uniform(seed, tick, Stream.MOB, key) < 0.6)
        if free(s.grid[lane], s.object_at[lane], row - down, col - right, WALKS):
            return -down, -right
    if far <= 5:
        n += 1
        if uniform(seed, tick, Stream.MOB, key + n - 1) < 0.5:
            down, right = _toward(row, col, to_row, to_col, True)
            _shoot(s, lane, mob, down, right)
            return 0, 0
    if far <= 8:
        n += 1
        if uniform(seed, tick, Stream.MOB, key + n - 1) < 0.3:
            return _toward(row, col, to_row, to_col, uniform(seed, tick, Stream.MOB, key + n) < 0.6)
    if uniform(seed, tick, Stream.MOB, key + n) < 0.2:
        side = below(4, seed, tick, Stream.MOB, key + n + 1)
        return DROW[side], DCOL[side]
    return 0, 0


@kernel
def _arrow(s, lane, slot):
    """An arrow flies on, or hurts what it hits; tables and furnaces break."""
    mob, grid, players = s.mobs[lane, slot], s.grid[lane], s.pos.shape[1]
    row, col = mob[Mob.ROW] + DROW[mob[Mob.FACING]], mob[Mob.COL] + DCOL[mob[Mob.FACING]]
    if free(grid, s.object_at[lane], row, col, FLIES):
        return DROW[mob[Mob.FACING]], DCOL[mob[Mob.FACING]]
    if 0 <= row < grid.shape[0] and 0 <= col < grid.shape[1]:
        hit = s.object_at[lane, row, col]
        if hit > players:
            s.mobs[lane, hit - 1 - players, Mob.HEALTH] = max(0, s.mobs[lane, hit - 1 - players, Mob.HEALTH] - 2)
        elif hit:
            s.body[lane, hit - 1, Body.HEALTH] = max(0, s.body[lane, hit - 1, Body.HEALTH] - 2)
        elif grid[row, col] == Material.TABLE or grid[row, col] == Material.FURNACE:
            put_material(grid, s.chunks[lane], row, col, np.int8(Material.PATH))
    remove(s, lane, slot)
    return np.int32(0), np.int32(0)


@kernel
def _plant(s, lane, slot):
    """A plant ages; beside a cow, a zombie or a skeleton it dies."""
    mob, players = s.mobs[lane, slot], s.pos.shape[1]
    mob[Mob.CLOCK] = min(mob[Mob.CLOCK] + 1, RIPE_AT + 1)
    for side in range(4):
        row, col = mob[Mob.ROW] + DROW[side], mob[Mob.COL] + DCOL[side]
        if 0 <= row < s.grid.shape[1] and 0 <= col < s.grid.shape[2]:
            thing = s.object_at[lane, row, col] - 1 - players
            if thing >= 0 and Kind.COW <= s.mobs[lane, thing, Mob.KIND] <= Kind.SKELETON:
                mob[Mob.HEALTH] = 0
    if mob[Mob.HEALTH] <= 0:
        remove(s, lane, slot)


@kernel
def _update(s, lane, seed, tick, slot, far, who):
    """One mob's tick. As in crafter, a mob that has died still makes its last move, then is removed."""
    mob, key = s.mobs[lane, slot], 8 * slot
    kind, row, col = mob[Mob.KIND], mob[Mob.ROW], mob[Mob.COL]
    if kind == Kind.PLANT:
        _plant(s, lane, slot)
        return
    if kind != Kind.ARROW and mob[Mob.HEALTH] <= 0:
        remove(s, lane, slot)
    down, right = np.int32(0), np.int32(0)
    if kind == Kind.COW:
        down, right = _cow(seed, tick, key)
    elif kind == Kind.ZOMBIE:
        down, right = _zombie(seed, tick, key, mob, far, s.pos[lane, who, 0], s.pos[lane, who, 1])
    elif kind == Kind.SKELETON:
        down, right = _skeleton(s, lane, seed, tick, key, mob, far, s.pos[lane, who, 0], s.pos[lane, who, 1])
    else:
        down, right = _arrow(s, lane, slot)
    if (down or right) and mob[Mob.KIND] != Kind.NONE:
        passable = FLIES if kind == Kind.ARROW else WALKS
        if free(s.grid[lane], s.object_at[lane], row + down, col + right, passable):
            relocate(s.object_at[lane], s.chunks[lane], kind, row, col, row + down, col + right)
            mob[Mob.ROW], mob[Mob.COL] = row + down, col + right
    if kind == Kind.ZOMBIE:
        _bite(s, lane, mob, who)


@kernel
def update_mobs(s, lane, used):
    """Update the first ``used`` mobs that are near a player; returns whether any was removed."""
    gone, pos, object_at = False, s.pos[lane], s.object_at[lane]
    seed, tick = s.seed[lane], s.tick[lane]
    for slot in range(used):
        far, who = _nearest(pos, object_at, s.mobs[lane, slot, Mob.ROW], s.mobs[lane, slot, Mob.COL])
        if far < NEAR:
            _update(s, lane, seed, tick, slot, far, who)
            gone |= s.mobs[lane, slot, Mob.KIND] == Kind.NONE
    return gone


@kernel
def _spawn(s, lane, chunk, c, key):
    """Spawn a mob on a random cell of its ground, unless it is taken or too near to a player."""
    grid = s.grid[lane]
    wide = (grid.shape[1] + CHUNK - 1) // CHUNK
    top, left = chunk // wide * CHUNK, chunk % wide * CHUNK
    pick = below(s.chunks[lane, chunk, GROUND[c]], s.seed[lane], s.tick[lane], Stream.BALANCE, key)
    for col in range(left, min(left + CHUNK, grid.shape[1])):
        for row in range(top, min(top + CHUNK, grid.shape[0])):
            if grid[row, col] == MATERIAL[c]:
                if pick == 0:
                    if (
                        s.object_at[lane, row, col] == 0
                        and _nearest(s.pos[lane], s.object_at[lane], row, col)[0] >= SPAWN_AT[c]
                    ):
                        add(s, lane, Kind.COW + c, row, col, HEALTH[c], 0)
                    return
                pick -= 1


@kernel
def _despawn(s, lane, chunk, c, key):
    """Despawn a random mob of the chunk, unless it is too near to a player."""
    pick = below(s.chunks[lane, chunk, Chunk.COWS + c], s.seed[lane], s.tick[lane], Stream.BALANCE, key)
    for slot in range(s.census[lane]):
        mob = s.mobs[lane, slot]
        if mob[Mob.KIND] == Kind.COW + c and chunk_of(s.grid[lane], mob[Mob.ROW], mob[Mob.COL]) == chunk:
            if pick == 0:
                if _nearest(s.pos[lane], s.object_at[lane], mob[Mob.ROW], mob[Mob.COL])[0] >= DESPAWN_AT[c]:
                    remove(s, lane, slot)
                    return True
                return False
            pick -= 1
    return False


@kernel
def balance(s, lane, light):
    """Spawn and despawn zombies, skeletons and cows in every listed chunk; returns whether any was removed."""
    chunks, gone = s.chunks[lane], False
    for k in range(len(chunks)):
        chunk = chunks[k, Chunk.ORDER]
        if chunk < 0:
            break
        for turn in range(3):
            c = TURN[turn]
            count, room = chunks[chunk, Chunk.COWS + c], chunks[chunk, GROUND[c]] >= ROOM[c]
            least, most = 1.0, 2.0
            if c == 0:
                most = 1.5 + light
            elif c == 1:
                least = most = 3.5 - 3 * light
            key = 8 * (3 * chunk + turn)
            if room and count < int(least):
                if uniform(s.seed[lane], s.tick[lane], Stream.BALANCE, key) < SPAWN[c]:
                    _spawn(s, lane, chunk, c, key + 1)
            elif count > int(most):
                if uniform(s.seed[lane], s.tick[lane], Stream.BALANCE, key) < DESPAWN[c]:
                    gone |= _despawn(s, lane, chunk, c, key + 1)
    return gone

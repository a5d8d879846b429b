"""The table of things, as in crafter's engine: what is in each cell and in each chunk."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.state import CHUNK, Channel, Chunk, Kind, Material, Mob

DROW = np.array([0, 0, -1, 1], np.int32)  # by Facing
DCOL = np.array([-1, 1, 0, 0], np.int32)
FAR = 1 << 20


@kernel
def chunk_of(grid, row, col):
    """Number of the chunk of a cell; ``grid`` is any array of the map's shape."""
    return row // CHUNK * ((grid.shape[1] + CHUNK - 1) // CHUNK) + col // CHUNK


@kernel
def list_chunk(chunks, chunk):
    """List a chunk: from now on it is balanced."""
    if not chunks[chunk, Chunk.LISTED]:
        chunks[chunk, Chunk.LISTED] = 1
        k = 0
        while chunks[k, Chunk.ORDER] >= 0:
            k += 1
        chunks[k, Chunk.ORDER] = chunk


@kernel
def put_material(grid, chunks, row, col, material):
    """Change a cell, and its chunk's counts of grass and path."""
    chunk, old = chunk_of(grid, row, col), grid[row, col]
    chunks[chunk, Chunk.GRASS] += np.int16(material == Material.GRASS) - np.int16(old == Material.GRASS)
    chunks[chunk, Chunk.PATH] += np.int16(material == Material.PATH) - np.int16(old == Material.PATH)
    grid[row, col] = material


@kernel
def count_materials(grid, chunks):
    """Count grass and path (also tunnels) of every chunk; clear the list of chunks."""
    for chunk in range(len(chunks)):
        for column in range(chunks.shape[1]):
            chunks[chunk, column] = 0
        chunks[chunk, Chunk.ORDER] = -1
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            chunk = chunk_of(grid, row, col)
            chunks[chunk, Chunk.GRASS] += grid[row, col] == Material.GRASS
            chunks[chunk, Chunk.PATH] += abs(grid[row, col]) == Material.PATH


@kernel
def add(s, lane, kind, row, col, health, facing):
    """Append a mob; does nothing if the table is full."""
    slot = s.census[lane]
    if slot >= s.mobs.shape[1]:
        return
    s.census[lane] = slot + 1
    mob = s.mobs[lane, slot]
    mob[Mob.KIND], mob[Mob.ROW], mob[Mob.COL] = kind, row, col
    mob[Mob.HEALTH], mob[Mob.FACING], mob[Mob.CLOCK] = health, facing, 0
    s.object_at[lane, row, col] = slot + 1 + s.pos.shape[1]
    chunk = chunk_of(s.object_at[lane], row, col)
    list_chunk(s.chunks[lane], chunk)
    if kind <= Kind.SKELETON:
        s.chunks[lane, chunk, Chunk.COWS + kind - Kind.COW] += 1


@kernel
def remove(s, lane, slot):
    """Take a mob off the map; its row is removed after the tick (``compact``)."""
    mob = s.mobs[lane, slot]
    row, col, kind = mob[Mob.ROW], mob[Mob.COL], mob[Mob.KIND]
    s.object_at[lane, row, col] = 0
    if kind <= Kind.SKELETON:
        s.chunks[lane, chunk_of(s.object_at[lane], row, col), Chunk.COWS + kind - Kind.COW] -= 1
    mob[Mob.KIND] = Kind.NONE


@kernel
def compact(s, lane):
    """Close the gaps that removed mobs left; keeps the order."""
    mobs, kept, used = s.mobs[lane], 0, s.census[lane]
    for slot in range(used):
        if mobs[slot, Mob.KIND] != Kind.NONE:
            if kept != slot:
                for column in range(mobs.shape[1]):
                    mobs[kept, column] = mobs[slot, column]
                s.object_at[lane, mobs[kept, Mob.ROW], mobs[kept, Mob.COL]] = kept + 1 + s.pos.shape[1]
            kept += 1
    for slot in range(kept, used):
        for column in range(mobs.shape[1]):
            mobs[slot, column] = 0
    s.census[lane] = kept


@kernel
def relocate(object_at, chunks, kind, row, col, to_row, to_col):
    """Move the thing in one cell to another, on the map and in the chunks' counts."""
    object_at[to_row, to_col] = object_at[row, col]
    object_at[row, col] = 0
    if row // CHUNK != to_row // CHUNK or col // CHUNK != to_col // CHUNK:
        old, new = chunk_of(object_at, row, col), chunk_of(object_at, to_row, to_col)
        list_chunk(chunks, new)
        if Kind.COW <= kind <= Kind.SKELETON:
            chunks[old, Chunk.COWS + kind - Kind.COW] -= 1
            chunks[new, Chunk.COWS + kind - Kind.COW] += 1


@kernel
def free(grid, object_at, row, col, passable):
    """Whether a cell is on the map, passable, and empty."""
    if row < 0 or col < 0 or row >= grid.shape[0] or col >= grid.shape[1]:
        return False
    return object_at[row, col] == 0 and passable[grid[row, col]]


@kernel
def _nearest(pos, object_at, row, col):
    """(distance, player) of the nearest player on the map, Manhattan distance, of several the first; FAR: none."""
    best, who = FAR, 0
    for agent in range(len(pos)):
        at_row, at_col = pos[agent, 0], pos[agent, 1]
        far = abs(at_row - row) + abs(at_col - col)
        if far < best and at_row >= 0 and object_at[at_row, at_col] == agent + 1:
            best, who = far, agent
    return best, who


@kernel
def keep_inside(window, row, col, land):
    """Clear the cells of a window beyond the edge of ``land``, where sensor noise may show things."""
    for i in range(window.shape[1]):
        for j in range(window.shape[2]):
            r, c = row + i - window.shape[1] // 2, col + j - window.shape[2] // 2
            if r < 0 or c < 0 or r >= land.shape[0] or c >= land.shape[1]:
                window[Channel.MATERIAL, i, j], window[Channel.THING, i, j] = Material.UNKNOWN, Kind.NONE

"""The warehouse's own perturbation: aisle cells that are closed for an episode, by keyed draws."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import allocating, kernel
from sandbox.worlds.warehouse.state import Cell, Stream

CLOSE_AT_MOST = 0.3  # severity 1 of blocked_aisles: share of the aisle cells that may be closed


@kernel
def _aisle(grid, row, col):
    if row < 0 or col < 0 or row >= grid.shape[0] or col >= grid.shape[1]:
        return False
    return grid[row, col] == Cell.FLOOR or grid[row, col] == Cell.GOAL


@kernel
def can_spare(grid, row, col):
    """Whether every slot beside this aisle cell has another open aisle cell beside it."""
    for side in range(4):
        r, c = row + (-1, 1, 0, 0)[side], col + (0, 0, -1, 1)[side]
        if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] == Cell.SLOT:
            ways = 0
            for k in range(4):
                ways += _aisle(grid, r + (-1, 1, 0, 0)[k], c + (0, 0, -1, 1)[k])
            if ways < 2:
                return False
    return True


@kernel
def _tree(grid, root, seed, queue, inner, seen):
    """Grow a random spanning tree of the aisles from ``root``; ``inner`` marks parents. Returns its size."""
    width = grid.shape[1]
    queue[0], seen[root], count, at = root, 1, 1, 0
    while at < count:
        pick = at + below(count - at, seed, at, Stream.BLOCK, 0)
        cell = queue[pick]
        queue[pick], queue[at] = queue[at], cell
        at += 1
        for side in range(4):
            row, col = cell // width + (-1, 1, 0, 0)[side], cell % width + (0, 0, -1, 1)[side]
            if _aisle(grid, row, col) and not seen[row * width + col]:
                seen[row * width + col], inner[cell] = 1, 1
                queue[count] = row * width + col
                count += 1
    return count


@allocating
def block_aisles(grid, goals, seed, severity):
    """Close leaves of a random spanning tree of the aisles, so that the open ones stay connected."""
    width = grid.shape[1]
    queue, inner, seen = np.empty(grid.size, np.int64), np.zeros(grid.size, np.int8), np.zeros(grid.size, np.int8)
    root = 0
    while not _aisle(grid, root // width, root % width):
        root += 1
    if len(goals):
        root = np.int64(goals[0, 0]) * width + goals[0, 1]
    for k in range(1, _tree(grid, root, seed, queue, inner, seen)):
        row, col = queue[k] // width, queue[k] % width
        leaf = not inner[queue[k]] and grid[row, col] == Cell.FLOOR
        if leaf and uniform(seed, k, Stream.BLOCK, 1) < severity * CLOSE_AT_MOST and can_spare(grid, row, col):
            grid[row, col] = Cell.BLOCKED

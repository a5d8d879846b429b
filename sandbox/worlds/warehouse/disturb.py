"""The warehouse's perturbations as kernels; each dose in 0..1, all keyed draws, none when its dose is 0."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import allocating, kernel
from sandbox.worlds.warehouse.state import Cell, Dose, Stream

CLOSE_AT_MOST = 0.3  # dose 1 of blocked_aisles: share of the aisle cells that can be spared
STUCK_AT_MOST, STUCK_FOR = 0.3, 20  # dose 1 of stuck_robots: share of the time; ticks that one breakdown lasts
FAIL_AT_MOST = 0.5  # dose 1 of action_failure: share of actions that do nothing
WRONG_AT_MOST = 0.2  # dose 1 of sensor_noise: share of cells reported wrongly


@kernel
def prevented(s, lane, agent, rules):
    """Whether a breakdown or a failure keeps this agent from acting in this tick."""
    stuck, fail = rules.dose[Dose.STUCK_ROBOTS], rules.dose[Dose.ACTION_FAILURE]
    if stuck > 0:
        spell = s.tick[lane] // STUCK_FOR
        if uniform(s.seed[lane], spell, Stream.STUCK, agent) < stuck * STUCK_AT_MOST:
            return True
    return fail > 0 and uniform(s.seed[lane], s.tick[lane], Stream.FAIL, agent) < fail * FAIL_AT_MOST


@kernel
def see_wrongly(s, lane, agent, rules, window):
    """Flip the presence of robots and of shelves in some cells of a window; the agent's own cell is never wrong."""
    side = window.shape[1]
    chance = rules.dose[Dose.SENSOR_NOISE] * WRONG_AT_MOST
    for i in range(side):
        for j in range(side):
            key = (agent * side + i) * side + j
            if 2 * i + 1 == side and 2 * j + 1 == side:
                continue
            if uniform(s.seed[lane], s.tick[lane], Stream.NOISE, 2 * key) < chance:
                window[0, i, j] = 1 - window[0, i, j]
                window[1, i, j] = window[0, i, j]
            if uniform(s.seed[lane], s.tick[lane], Stream.NOISE, 2 * key + 1) < chance:
                window[2, i, j] = 1 - window[2, i, j]
                window[3, i, j] = 0


@kernel
def _aisle(grid, row, col):
    if row < 0 or col < 0 or row >= grid.shape[0] or col >= grid.shape[1]:
        return False
    return grid[row, col] == Cell.FLOOR or grid[row, col] == Cell.GOAL


@kernel
def _spare(grid, row, col):
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
def block_aisles(grid, goals, seed, dose):
    """Close leaves of a random spanning tree of the aisles: whatever is closed, the rest hangs together."""
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
        if leaf and uniform(seed, k, Stream.BLOCK, 1) < dose * CLOSE_AT_MOST and _spare(grid, row, col):
            grid[row, col] = Cell.BLOCKED

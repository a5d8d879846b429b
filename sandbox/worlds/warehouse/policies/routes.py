"""Find and follow routes; used by ``rules`` and ``oracle``.

A route is a stack of cells in ``memory.route``; the last is the next to enter. The search is A* with the Manhattan
distance. On a unit grid the estimate f = steps so far + distance stays or grows by 2, so two stacks, for the current f
and the next, replace the heap.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import Cell, Note, Verb

_DROW, _DCOL = (-1, 1, 0, 0), (0, 0, -1, 1)
MARK, SHUT, START = 16, 9, 10  # marks are multiples of MARK; entries of cells that are closed, and of the start
LAST_MARK = (1 << 31) - 2 * MARK
_FACING_TO_TURN = np.array(  # verb by present facing, wanted facing
    [[1, 2, 2, 3], [2, 1, 3, 2], [3, 2, 1, 2], [2, 3, 2, 1]], np.int32
)


@kernel
def distance(a, b, width):
    """Manhattan distance between two cells."""
    return abs(a // width - b // width) + abs(a % width - b % width)


@kernel
def neighbour(cell, side, height, width):
    """The cell beside ``cell`` towards ``side`` (a Facing), -1 beyond the edge."""
    row, col = cell // width + _DROW[side], cell % width + _DCOL[side]
    return row * width + col if 0 <= row < height and 0 <= col < width else -1


@kernel
def verb_towards(facing, here, there, width):
    """The verb (forward or a turn) that leads to the neighbouring cell ``there``."""
    if there // width != here // width:
        wanted = 0 if there < here else 1
    else:
        wanted = 2 if there < here else 3
    return _FACING_TO_TURN[facing, wanted]


@kernel
def _open(grid, cell, target, loaded):
    """Whether a route may enter a cell: loaded robots keep to aisles, except for the last cell."""
    kind = grid[cell // grid.shape[1], cell % grid.shape[1]]
    return kind < Cell.WALL and (not loaded or kind != Cell.SLOT or cell == target)


@kernel
def _new_search(memory, lane, agent, cells, avoid):
    """The mark of a new search, with which ``came`` forgets the last one; marks the cells that it must not enter.

    A cell was entered from ``side`` if its entry of ``came`` is mark + side + 1; an entry below the mark is of an
    earlier search. So a search takes time for the cells that it visits only, on a map of any size.
    """
    came = memory.heap[lane, 8 * cells :]
    mark = came[cells] + MARK
    if mark > LAST_MARK:
        came[:] = 0
        mark = np.int32(MARK)
    came[cells] = mark
    for cell in memory.closed[lane, agent]:
        if cell >= 0:
            came[cell] = mark + SHUT
    if avoid >= 0:
        came[avoid] = mark + SHUT
    return mark


@kernel
def _search(memory, lane, agent, grid, start, target, loaded, avoid):
    """The mark of a search in which ``target`` was reached; 0: it cannot be reached."""
    height, width = grid.shape
    heap, came = memory.heap[lane], memory.heap[lane, 8 * grid.size :]
    mark = _new_search(memory, lane, agent, grid.size, avoid)
    goal_row, goal_col = target // width, target % width
    now, later = 0, 4 * grid.size
    most_now, most_later = 1, 0
    heap[now] = start * 4
    came[target] = 0
    first = True
    while most_now:
        most_now -= 1
        item = np.int64(heap[now + most_now])
        cell = item >> 2
        if first or came[cell] < mark:
            came[cell] = mark + (item & 3) + 1
            if first:
                came[cell], first = mark + START, False
            if cell == target:
                return mark
            row, col = cell // width, cell % width  # the only division: it costs as much as the rest of a neighbour
            here, tall = abs(row - goal_row) + abs(col - goal_col), abs(row - goal_row) > abs(col - goal_col)
            for k in range(4):  # push the longer axis last: it is tried first
                side = k ^ 2 if tall else k
                r, c = row + _DROW[side], col + _DCOL[side]
                there = r * width + c
                if r < 0 or c < 0 or r >= height or c >= width or came[there] >= mark:
                    continue
                kind = grid[r, c]
                if kind < Cell.WALL and (not loaded or kind != Cell.SLOT or there == target):
                    if abs(r - goal_row) + abs(c - goal_col) < here:
                        heap[now + most_now] = there * 4 + side
                        most_now += 1
                    else:
                        heap[later + most_later] = there * 4 + side
                        most_later += 1
        if most_now == 0:
            now, later, most_now, most_later = later, now, most_later, 0
    return np.int32(0)


@kernel
def _before(cell, side, width):
    """The cell from which a search entered ``cell`` towards ``side`` (a Facing)."""
    return cell - _DROW[side] * width - _DCOL[side]


@kernel
def plan(memory, lane, agent, grid, start, target, loaded, avoid):
    """Lay a shortest route from ``start`` to ``target`` that does not enter ``avoid`` (-1: any).

    A route that is too long for the stack is cut after its nearer part; without a route the stack stays empty.
    """
    width, came = grid.shape[1], memory.heap[lane, 8 * grid.size :]
    memory.notes[lane, agent, Note.LEFT], memory.notes[lane, agent, Note.TARGET] = 0, target
    if start == target:
        return
    mark = _search(memory, lane, agent, grid, start, target, loaded, avoid)
    if mark == 0:
        return
    length, cell = 0, np.int64(target)
    while cell != start:
        length += 1
        cell = _before(cell, came[cell] - mark - 1, width)
    route = memory.route[lane, agent]
    skip, cell = max(0, length - len(route)), np.int64(target)
    memory.notes[lane, agent, Note.LEFT] = length - skip
    for k in range(length):
        if k >= skip:
            route[k - skip] = cell
        cell = _before(cell, came[cell] - mark - 1, width)


@kernel
def detour(memory, lane, agent, cell):
    """Put ``cell`` on top of the route: it is entered first."""
    left = memory.notes[lane, agent, Note.LEFT]
    if left < memory.route.shape[2]:
        memory.route[lane, agent, left] = cell
        memory.notes[lane, agent, Note.LEFT] = left + 1


@kernel
def follow(memory, lane, agent, grid, here, target, loaded):
    """The next cell on the way from ``here`` to ``target``; ``here`` itself: no way.

    A robot that was pushed one cell aside returns to its route; in other cases a new route is planned.
    """
    height, width = grid.shape
    route = memory.route[lane, agent]
    while memory.notes[lane, agent, Note.LEFT] and route[memory.notes[lane, agent, Note.LEFT] - 1] == here:
        memory.notes[lane, agent, Note.LEFT] -= 1
    left = memory.notes[lane, agent, Note.LEFT]
    if target != memory.notes[lane, agent, Note.TARGET] or left == 0:
        plan(memory, lane, agent, grid, here, target, loaded, -1)
    elif distance(here, route[left - 1], width) == 2 and left < len(route):
        found = False
        for side in range(4):
            there = neighbour(here, side, height, width)
            if there >= 0 and distance(there, route[left - 1], width) == 1 and _open(grid, there, target, loaded):
                detour(memory, lane, agent, there)
                found = True
                break
        if not found:
            plan(memory, lane, agent, grid, here, target, loaded, -1)
    elif distance(here, route[left - 1], width) != 1:
        plan(memory, lane, agent, grid, here, target, loaded, -1)
    left = memory.notes[lane, agent, Note.LEFT]
    return route[left - 1] if left else np.int32(here)


@kernel
def start(memory, lane, params):
    """Clear the memory of one lane."""
    for agent in range(params.agents):
        for note in range(memory.notes.shape[2]):
            memory.notes[lane, agent, note] = 0
        memory.notes[lane, agent, Note.TARGET], memory.notes[lane, agent, Note.HOME] = -1, -1
        memory.notes[lane, agent, Note.RANK] = agent
        for k in range(memory.closed.shape[2]):
            memory.closed[lane, agent, k] = -1
    for cell in range(memory.claim.shape[1]):
        memory.claim[lane, cell] = 0


assert (Verb.FORWARD, Verb.LEFT, Verb.RIGHT) == (1, 2, 3)  # required by _FACING_TO_TURN

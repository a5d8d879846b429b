"""Lookup tables of a kitchen's plan for policies and observations, made once for each Params."""

from collections import deque

import numpy as np

from sandbox.worlds.kitchen.state import FAR, Cell, Channel

SIGHT = 7  # cells to each side at most, unless the option says otherwise


def sight_of(plan: np.ndarray) -> int:
    """Cells to each side that show the whole kitchen from every floor cell; at most SIGHT."""
    floor = np.argwhere(plan == Cell.FLOOR)
    corner = np.array(plan.shape) - 1
    return min(SIGHT, int(max(floor.max(), (corner - floor).max())))


def views(plan: np.ndarray, sight: int) -> np.ndarray:
    """(H * W, C * K * K) int8: the window of the empty kitchen from each floor cell."""
    side = 2 * sight + 1
    out = np.zeros((plan.size, len(Channel), side, side), np.int8)
    around = np.pad(plan, sight, constant_values=Cell.OUTSIDE)
    for row, col in np.argwhere(plan == Cell.FLOOR):
        out[row * plan.shape[1] + col, Channel.TERRAIN] = around[row : row + side, col : col + side]
    return out.reshape(plan.size, -1)


def spots(plan: np.ndarray, sight: int) -> np.ndarray:
    """(H * W, C + P) int32: the index in a window (row * K + column) of each counter and pot from each cell, or -1."""
    fixed = [np.flatnonzero(plan == kind) for kind in (Cell.COUNTER, Cell.POT)]
    there, here, width = np.concatenate(fixed)[None], np.arange(plan.size)[:, None], plan.shape[1]
    i, j = there // width - here // width + sight, there % width - here % width + sight
    seen = (abs(i - sight) <= sight) & (abs(j - sight) <= sight)
    return np.where(seen, i * (2 * sight + 1) + j, -1).astype(np.int32)


def _beside(cell: int, plan: np.ndarray) -> list[int]:
    """The floor cells around a cell."""
    height, width = plan.shape
    row, col = divmod(cell, width)
    around = ((row - 1, col), (row + 1, col), (row, col + 1), (row, col - 1))
    return [r * width + c for r, c in around if 0 <= r < height and 0 <= c < width and plan[r, c] == Cell.FLOOR]


def ways(plan: np.ndarray) -> np.ndarray:
    """(H * W, H * W) int32: steps from a floor cell (second) to the nearest beside a cell (first; floor: to itself)."""
    out = np.full((plan.size, plan.size), FAR, np.int32)
    beside = [_beside(cell, plan) for cell in range(plan.size)]
    for target in range(plan.size):
        queue = deque([target] if plan.flat[target] == Cell.FLOOR else beside[target])
        out[target, list(queue)] = 0
        while queue:
            cell = queue.popleft()
            for other in beside[cell]:
                if out[target, other] == FAR:
                    out[target, other] = out[target, cell] + 1
                    queue.append(other)
    return out


def nearest(plan: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(8, H * W) int32: for each kind of cell and each floor cell the nearest cell of that kind within reach, or -1."""
    out = np.full((len(Cell), plan.size), -1, np.int32)
    for kind in Cell:
        cells = np.flatnonzero(plan == kind)
        if len(cells):
            best = cells[way[cells].argmin(axis=0)]
            out[kind] = np.where(way[best, np.arange(plan.size)] < FAR, best, -1)
    return out


def hand_overs(plan: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``hops``, ``beyond`` and ``shared`` of Params.

    Counters connect rooms: a thing that is put down in one room can be picked up in the other.
    """
    counters = np.flatnonzero(plan == Cell.COUNTER)
    beside = {int(cell): _beside(int(cell), plan) for cell in counters}
    hops, beyond = np.full((2, plan.size), FAR, np.int32), np.full((2, plan.size), FAR, np.int32)
    room = _rooms(plan)
    for k, kind in enumerate((Cell.POT, Cell.SERVING)):
        hops[k, near[kind] >= 0] = 0
        changed = True
        while changed:
            changed = False
            for cells in beside.values():
                least = min((hops[k, c] for c in cells), default=FAR)
                for c in cells:
                    if hops[k, c] > least + 1:
                        hops[k, room == room[c]] = least + 1
                        changed = True
        for cell, cells in beside.items():
            beyond[k, cell] = min((hops[k, c] for c in cells), default=FAR)
    shared = np.zeros(plan.size, np.int32)
    for cell, cells in beside.items():
        shared[cell] = len({room[c] for c in cells}) > 1
    return hops, beyond, shared


def _rooms(plan: np.ndarray) -> np.ndarray:
    """(H * W,) int64: the number of each cell's connected region of floor; -1 elsewhere."""
    way, room = ways(plan), np.full(plan.size, -1)
    for number, cell in enumerate(np.flatnonzero(plan.ravel() == Cell.FLOOR)):
        if room[cell] < 0:
            room[way[cell] < FAR] = number
    return room

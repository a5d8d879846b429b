"""The path of a walk through a plan: from the entrance to a look at every item, without touching anything.

Lengths are in metres. x goes east, y north, z up; the north-western corner of the drawing is (0, 0).
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.worlds.rooms.catalogue import catalogue
from sandbox.worlds.rooms.state import CELL, Cell, Item, Params, State, Thing

METRE = CELL / 100  # of a cell
EYE = 1.55  # height of the eyes
FARTHEST, BEST = 5.5, 2.8  # from which an item is looked at
PACE, LOOK = 1.1, 1.6  # metres a second; seconds of a look at an item
AHEAD, TURNING = 1.6, 0.9  # metres that one looks ahead; seconds over which a turn of the head is spread
FINE = 30  # poses a second of which the path is made
STEPS = ((1, 0), (0, -1), (-1, 0), (0, 1))
FRONT = np.array([(0, -1), (-1, 0), (0, 1), (1, 0)])  # of an item, by its turn
SIDEWAYS, OUTSIDE = 1.0, 4.0  # metres that a view of the side, or from another room, is worth less
SEE_OVER = 110  # centimetres: what is lower hides nothing
TILT = -0.12  # of the view while walking: downwards


class Pose(NamedTuple):
    """Where the eyes are, and the point that they look at."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]


class Walk(NamedTuple):
    """A walk; ``looks`` are the poses in which the items are looked at, by number."""

    poses: list[Pose]  # FINE a second
    looks: dict[int, Pose]

    def frames(self, count: int) -> list[Pose]:
        """So many poses, evenly spaced in time."""
        at = np.linspace(0, len(self.poses) - 1, count).round().astype(int) if count > 1 else [0]
        return [self.poses[k] for k in at]


def middle(row: float, col: float) -> np.ndarray:
    """(x, y) of the middle of a cell."""
    return np.array([(col + 0.5) * METRE, -(row + 0.5) * METRE])


def cell_of(x: float, y: float) -> tuple[int, int]:
    """Row and column of a point."""
    return int(-y // METRE), int(x // METRE)


def footprint(params: Params, item: np.ndarray) -> tuple[int, int, int, int]:
    """(row, column, rows, columns) of an item (a row of the plan)."""
    thing, row, col, turn = (int(value) for value in item)
    deep, wide = int(params.thing[thing - 1, Thing.DEPTH]), int(params.thing[thing - 1, Thing.WIDTH])
    return (row, col, deep, wide) if turn % 2 == 0 else (row, col, wide, deep)


def centre(params: Params, item: np.ndarray) -> np.ndarray:
    """(x, y, z) of the middle of an item."""
    row, col, rows, cols = footprint(params, item)
    high = catalogue().entries[int(item[Item.THING]) - 1].size[2] / 100
    return np.array([(col + cols / 2) * METRE, -(row + rows / 2) * METRE, 0.5 * high])


def plan_walk(s: State, lane: int, params: Params) -> Walk:
    """The walk through the plan of a lane: always to the nearest item that is still to be looked at."""
    free = s.reach[lane] > 0
    free[s.grid[lane] == Cell.ENTRANCE] = False  # its door is closed behind one
    here = _begin(s.grid[lane])
    spots = {}
    for k in np.flatnonzero(s.item[lane, :, Item.THING]).tolist():
        if spot := _viewpoints(s, lane, params, k, free):
            spots[k] = spot
    points, stops = [middle(*here)], []  # a stop: index of its point, item
    while spots:
        steps = _steps(free, here)
        k = min(spots, key=lambda k: min(_cost(steps, cell, off) for cell, off in spots[k]))
        cell, _ = min(spots.pop(k), key=lambda spot: _cost(steps, *spot))
        points += [middle(*each) for each in _way(steps, cell)]
        stops.append((len(points) - 1, k))
        here = cell
    return _timed(points, {k: centre(params, s.item[lane, k]) for _, k in stops}, stops)


def _begin(grid: np.ndarray) -> tuple[int, int]:
    """The cell inside the entrance."""
    for row, col in np.argwhere(grid == Cell.ENTRANCE).tolist():
        for down, right in STEPS:
            r, c = row + down, col + right
            if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] == Cell.FLOOR:
                return r, c
    raise UsageError("walk: no floor behind the entrance; expected some")


def _cost(steps: np.ndarray, cell: tuple[int, int], off: float) -> float:
    """How far a viewpoint is, and how much worse than the best one it is."""
    return float(steps[cell]) + 8 * off


def _viewpoints(s: State, lane: int, params: Params, k: int, free: np.ndarray) -> list[tuple[tuple[int, int], float]]:
    """Cells from which an item is in sight, each with how much worse than the best view it is, in metres."""
    item, found = s.item[lane, k], []
    aim, high = centre(params, item)[:2], _heights(s, lane, params)
    for row, col in np.argwhere(free & (s.grid[lane] == Cell.FLOOR)).tolist():
        way = middle(row, col) - aim
        far = float(np.linalg.norm(way))
        if 0.9 < far < FARTHEST and _in_sight(high, s.cover[lane], middle(row, col), aim, k):
            front = float(way @ FRONT[int(item[Item.TURN])]) / far  # 1: it faces the eyes
            other = params.room[row, col] != params.room[item[Item.ROW], item[Item.COL]]
            found.append(((row, col), abs(far - BEST) + SIDEWAYS * (1 - front) + OUTSIDE * other))
    return found


def _heights(s: State, lane: int, params: Params) -> np.ndarray:
    """(H, W) centimetres: what stands in each cell; walls end nowhere."""
    open_ = np.isin(s.grid[lane], (Cell.FLOOR, Cell.DOOR, Cell.ENTRANCE, Cell.FIXTURE))
    high = np.where(open_, 0, 1000)
    for k in np.flatnonzero(s.item[lane, :, Item.THING]).tolist():
        high[s.cover[lane] == k + 1] = catalogue().entries[int(s.item[lane, k, Item.THING]) - 1].size[2]
    return high


def _in_sight(high: np.ndarray, cover: np.ndarray, eye: np.ndarray, aim: np.ndarray, k: int) -> bool:
    """Whether nothing high is between two points but the item itself."""
    for share in np.linspace(0, 1, 40):
        cell = cell_of(*(eye + share * (aim - eye)))
        if high[cell] > SEE_OVER and cover[cell] != k + 1:
            return False
    return True


def _steps(free: np.ndarray, here: tuple[int, int]) -> np.ndarray:
    """(H, W) int: steps to every cell that can be walked to from here; a large number for the others."""
    steps, queue = np.full(free.shape, 10**6), deque([here])
    steps[here] = 0
    while queue:
        row, col = queue.popleft()
        for down, right in STEPS:
            r, c = row + down, col + right
            if 0 <= r < free.shape[0] and 0 <= c < free.shape[1] and free[r, c] and steps[r, c] > steps[row, col] + 1:
                steps[r, c] = steps[row, col] + 1
                queue.append((r, c))
    return steps


def _way(steps: np.ndarray, cell: tuple[int, int]) -> list[tuple[int, int]]:
    """The cells of a shortest way to a cell, without the first one; straight on where it can."""
    way, last = [cell], (0, 0)
    while steps[cell] > 0:
        row, col = cell
        inside = [(r, c) for r, c in STEPS if 0 <= row + r < steps.shape[0] and 0 <= col + c < steps.shape[1]]
        near = [(r, c) for r, c in inside if steps[row + r, col + c] == steps[cell] - 1]
        last = last if last in near else near[0]
        cell = (row + last[0], col + last[1])
        way.append(cell)
    return way[-2::-1]


def _smooth(line: np.ndarray) -> np.ndarray:
    """Corners cut twice (Chaikin 1974): no point leaves the cells of the line."""
    for _ in range(2):
        if len(line) < 3:
            break
        ahead = 0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]
        line = np.concatenate([line[:1], np.stack(ahead, axis=1).reshape(-1, 2), line[-1:]])
    return line


def _timed(points: list[np.ndarray], aims: dict[int, np.ndarray], stops: list[tuple[int, int]]) -> Walk:
    """Poses by time: walk to a stop, look at its item, walk on; the head turns smoothly."""
    eyes, views, looked, begin = [], [], {}, 0
    for index, k in [*stops, (len(points) - 1, -1)]:
        line = _smooth(np.array(points[begin : index + 1]))
        if len(line) > 1:
            walked, ahead = _along(line, PACE / FINE), _along(line, PACE / FINE, AHEAD)
            eyes += [*walked]
            views += [
                np.append(to - at, TILT * max(0.2, np.linalg.norm(to - at)))
                for at, to in zip(walked, ahead, strict=True)
            ]
        if k >= 0:
            eye = np.array(points[index])
            eyes += [eye] * int(LOOK * FINE)
            views += [aims[k] - np.append(eye, EYE)] * int(LOOK * FINE)
            looked[k] = len(eyes) - int(LOOK * FINE) // 2
        begin = index
    if not eyes:
        eyes, views = [points[0]], [np.array([0.0, -1.0, TILT])]
    poses = _turned(eyes, views)
    return Walk(poses, {k: poses[index] for k, index in looked.items()})


def _along(line: np.ndarray, every: float, ahead: float = 0.0) -> np.ndarray:
    """Points of a line at even distances, each moved ``ahead`` along it; beyond its end it goes straight on."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.arange(0.0, lengths[-1], every) + ahead
    found = np.stack([np.interp(at, lengths, line[:, axis]) for axis in (0, 1)], axis=1)
    way = line[-1] - line[-2]
    beyond = np.maximum(at - lengths[-1], 0)[:, None] * way / max(np.linalg.norm(way), 1e-9)
    return found + beyond


def _turned(eyes: list[np.ndarray], views: list[np.ndarray]) -> list[Pose]:
    """The poses, with directions averaged over TURNING seconds."""
    ways = np.array([view / max(np.linalg.norm(view), 1e-9) for view in views])
    half = int(TURNING * FINE / 2)
    padded = np.pad(ways, ((half, half), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    mean = sums[2 * half + 1 :] - sums[: -2 * half - 1]
    poses = []
    for eye, way, own in zip(eyes, mean, ways, strict=True):
        way = own if np.linalg.norm(way) < 1e-6 else way / np.linalg.norm(way)
        at = (*map(float, eye), EYE)
        poses.append(Pose(at, tuple(float(a + b) for a, b in zip(at, way, strict=True))))
    return poses

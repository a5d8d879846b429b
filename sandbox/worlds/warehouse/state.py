"""The warehouse's nouns: verbs, cells, state, params, and the shape of every array.

H x W cells, N agents, S shelves (parcels of the courier task), R open requests, G goals. Ids of shelves count from 1
in row-major order of the layout, as in RWARE; 0 stands for none.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from sandbox.core.world import ObservationSpec


class Verb(IntEnum):
    """What a robot can do in one tick; RWARE's five actions."""

    NOOP = 0
    FORWARD = 1
    LEFT = 2
    RIGHT = 3
    TOGGLE_LOAD = 4


class Facing(IntEnum):
    """RWARE's order of directions."""

    NORTH = 0
    SOUTH = 1
    WEST = 2
    EAST = 3


class Cell(IntEnum):
    """What a cell of the plan is."""

    FLOOR = 0  # an aisle: loads are carried here, never put down
    SLOT = 1  # where a shelf may stand; robots without a load pass below
    GOAL = 2  # an aisle where requested shelves are delivered
    WALL = 3
    BLOCKED = 4  # an aisle that the perturbation ``blocked_aisles`` has closed


class Reward(IntEnum):
    """RWARE's reward types."""

    GLOBAL = 0
    INDIVIDUAL = 1
    TWO_STAGE = 2


class Stream(IntEnum):
    """The streams of draws."""

    PLACE = 0
    TURN = 1
    REQUEST = 2
    BLOCK = 3
    PARCEL = 4
    BELIEF = 5


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    BLOCKED_AISLES = 0


class State(NamedTuple):
    """All that changes in an episode."""

    seed: np.ndarray  # (L,) uint64        key of all draws of this lane
    tick: np.ndarray  # (L,) int32
    grid: np.ndarray  # (L, H, W) int8     cell kinds, see Cell
    agent_at: np.ndarray  # (L, H, W) int32   agent + 1 of who stands there, 0 nobody
    shelf_at: np.ndarray  # (L, H, W) int32   id of the shelf there (RWARE: carried ones too; courier: waiting parcels)
    pos: np.ndarray  # (L, N, 2) int32     row, column; -1 for an agent that a belief knows nothing of
    facing: np.ndarray  # (L, N) int8      see Facing
    carrying: np.ndarray  # (L, N) int32   id of the shelf carried
    delivering: np.ndarray  # (L, N) int8  two-stage reward: has delivered, not yet put back
    shelf: np.ndarray  # (L, S, 2) int32   row, column of each shelf
    drop: np.ndarray  # (L, S, 2) int32    courier: where each parcel goes; else (L, 0, 2)
    requested: np.ndarray  # (L, S) int8   1 for shelves on the order board
    request: np.ndarray  # (L, R) int32    ids on the order board
    delivered: np.ndarray  # (L,) int32    requests served so far
    aim: np.ndarray  # (L, N) int32        cell (row * W + column) asked for in the last tick; the own one if none
    refused: np.ndarray  # (L, N) int8     1: a legal action of the last tick was prevented
    reward: np.ndarray  # (L, N) float32   of the last tick
    done: np.ndarray  # (L,) int8          a Finish code


class Params(NamedTuple):
    """What never changes in an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    plan: np.ndarray  # (H, W) int8    see Cell
    goals: np.ndarray  # (G, 2) int32  in the order in which deliveries are looked at
    homes: np.ndarray  # (S, 2) int32  where the shelves stand at first; (S, 2) of -1 for the courier task
    fetchable: np.ndarray  # (S,) bool  beside an aisle; others, within a block of shelves, are never requested
    errands: np.ndarray  # (K, 4) int32 start and goal of the first robots and parcels; (0, 4): all are drawn
    agents: int
    requests: int
    deliveries: int  # the shared task; 0 = no end
    max_ticks: int
    sight: int  # cells seen to each side
    reward: int  # see Reward
    courier: bool
    board: int  # orders that each agent can read; 0 = RWARE's own observation
    severity: np.ndarray  # (4,) float64   see Severity


class Note(IntEnum):
    """What a policy remembers for each agent: the columns of ``Memory.notes``."""

    LEFT = 0  # cells on the route
    TARGET = 1  # cell the route ends at, -1 none
    HOME = 2  # cell where the load goes back to, at first where it was taken up; -1 none
    LOAD = 3  # id of the load as the board gave it, 0 unknown
    WAIT = 4  # ticks that it could not go on (rules: less the cells that it got on)
    AGE = 5  # ticks since its last target was reached: its priority (oracle)
    RANK = 6  # the agent that comes at this place by falling priority (oracle)
    NEXT = 7  # cell planned for the next tick, -1 open (oracle)
    WANTED = 8  # next cell of the route (oracle)
    FOUND = 9  # closed cells met so far
    ORDER = 10  # place on its board that it begins with (rules)
    GIVEN_UP = 11  # cell + 1 of the team's task that it could not get to, 0 none (rules)


class Memory(NamedTuple):
    """What policies remember; a route is a stack of cells (row * W + column) whose last is the next to enter."""

    notes: np.ndarray  # (L, N, 12) int32   see Note
    route: np.ndarray  # (L, N, P) int32    cells
    closed: np.ndarray  # (L, N, 16) int32  closed cells met, a ring; -1 empty
    claim: np.ndarray  # (L, H * W) int32   agent + 1 of who heads for that cell (oracle)
    taken: np.ndarray  # (L, H * W) int32   agent + 1 of who will stand there next (oracle)
    stack: np.ndarray  # (L, D, 7) int32    robots that displace one another: agent, cells tried, cells to try (oracle)
    heap: np.ndarray  # (L, 9 * H * W) int32  scratch of the route search


SELF = ("row", "col", "carrying", "north", "south", "west", "east", "on_highway")  # RWARE's order
ORDER = ("row", "col", "waiting", "id")
DEEPEST = 256  # robots that one push may displace
CHANNELS = ("agent", "facing", "shelf", "requested", "obstacle")


def state_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of State."""
    cells, n, s = params.plan.shape, params.agents, len(params.homes)
    i8, i32 = np.int8, np.int32
    return {
        "seed": ((), np.uint64), "tick": ((), i32), "grid": (cells, i8), "agent_at": (cells, i32),
        "shelf_at": (cells, i32), "pos": ((n, 2), i32), "facing": ((n,), i8), "carrying": ((n,), i32),
        "delivering": ((n,), i8), "shelf": ((s, 2), i32), "drop": ((s if params.courier else 0, 2), i32),
        "requested": ((s,), i8), "request": ((params.requests,), i32), "delivered": ((), i32), "aim": ((n,), i32),
        "refused": ((n,), i8), "reward": ((n,), np.float32), "done": ((), i8),
    }  # fmt: skip


def memory_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of Memory."""
    cells, n = params.plan.size, params.agents
    steps = min(cells, 2 * sum(params.plan.shape))
    shapes = {
        "notes": (n, len(Note)), "route": (n, steps), "closed": (n, 16), "claim": (cells,), "taken": (cells,),
        "stack": (min(n, DEEPEST), 7), "heap": (9 * cells,),
    }  # fmt: skip
    return {name: (shape, np.int32) for name, shape in shapes.items()}


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries."""
    vector = SELF
    if params.board:
        vector += ("goal_row", "goal_col")
        vector += tuple(f"order{k}_{entry}" for k in range(params.board) for entry in ORDER)
    return ObservationSpec(CHANNELS, 2 * params.sight + 1, vector, 0, 0, 4)

"""The warehouse's types: verbs, cells, state, params, and the columns of every array.

H x W cells, N agents, S shelves (parcels of the courier task), R open requests, G goals. Ids of shelves count from 1
in row-major order of the layout, as in RWARE; 0 means none.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, cached, names, shaped


class Verb(IntEnum):
    """The actions of a robot; RWARE's five actions."""

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
    """Kinds of cells."""

    FLOOR = 0  # an aisle: loads are carried here, never put down
    SLOT = 1  # a place for a shelf; robots without a load pass below it
    GOAL = 2  # an aisle where requested shelves are delivered
    WALL = 3
    BLOCKED = 4  # an aisle that the perturbation ``blocked_aisles`` has closed


class RewardType(IntEnum):
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


class Channel(IntEnum):
    """Channels of an observation's window."""

    AGENT = 0  # 1: a robot is there
    FACING = 1  # its Facing + 1; 0: no robot
    SHELF = 2  # 1: a shelf, or a parcel that waits
    REQUESTED = 3  # 1: it is on the order board
    OBSTACLE = 4  # 1: no robot can enter


class Bit(IntEnum):
    """The first bit of each part of an entry of ``State.seen``; a facing has three bits, the others have one."""

    AGENT = 0
    FACING = 1
    SHELF = 4
    REQUESTED = 5
    OPEN = 6  # robots can enter; an entry of zeros is an obstacle
    LOADED = 7  # the robot has a load; windows do not show it


OF_CELL = np.uint8(0x70)  # the bits of the cell; the others are those of the robot in it


class Column(IntEnum):
    """Entries of an observation's vector: RWARE's, in its order; with an order board, also the destination of the load.

    The orders follow, see :class:`Order`.
    """

    ROW = 0
    COL = 1
    CARRYING = 2  # 1: has a load
    NORTH = 3  # 1: faces north; the next three likewise, in the order of Facing
    SOUTH = 4
    WEST = 5
    EAST = 6
    ON_HIGHWAY = 7  # 1: not in a slot
    GOAL_ROW = 8  # courier: destination of the load; else -1
    GOAL_COL = 9


class Order(IntEnum):
    """Entries of one order, in an observation's vector: order k begins at ORDERS + PER_ORDER * k."""

    ROW = 0
    COL = 1
    WAITING = 2  # 1: nobody carries the load
    ID = 3  # of the shelf or parcel


ORDERS, PER_ORDER = len(Column), len(Order)
DEEPEST = 256  # robots that one push may displace


def shelves(params) -> int:
    """Shelves, or parcels of the courier task."""
    return len(params.homes)


def padded(params) -> tuple[int, int]:
    """Rows and columns of the map with a margin as wide as a robot sees."""
    height, width = params.plan.shape
    return height + 2 * params.sight, width + 2 * params.sight


def orders(params) -> tuple[int, int]:
    """The orders that can be read, and what each says."""
    return params.requests if params.board else 0, PER_ORDER


def parcels(params) -> int:
    """Parcels of the courier task; 0 in a warehouse of shelves."""
    return shelves(params) if params.courier else 0


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    grid: Annotated[np.ndarray, shaped(np.int8, "plan")]  # see Cell
    agent_at: Annotated[np.ndarray, shaped(np.int32, "plan")]  # agent + 1 of the robot in the cell, 0 without
    shelf_at: Annotated[np.ndarray, shaped(np.int32, "plan")]  # id of the shelf (a carried one too) or waiting parcel
    pos: Pos  # row -1: unknown place, in a belief
    facing: Annotated[np.ndarray, shaped(np.int8, "agents")]  # see Facing
    carrying: Annotated[np.ndarray, shaped(np.int32, "agents")]  # id of the load, 0 without
    delivering: Annotated[np.ndarray, shaped(np.int8, "agents")]  # two-stage reward: has delivered, not yet put back
    shelf: Annotated[np.ndarray, shaped(np.int32, shelves, 2)]  # row, column of each shelf
    drop: Annotated[np.ndarray, shaped(np.int32, parcels, 2)]  # row, column of each parcel's destination
    requested: Annotated[np.ndarray, shaped(np.int8, shelves)]  # 1: on the order board
    request: Annotated[np.ndarray, shaped(np.int32, "requests")]  # ids on the order board
    delivered: Annotated[np.ndarray, shaped(np.int32)]  # requests served so far
    aim: Annotated[np.ndarray, shaped(np.int32, "agents")]  # cell (row * W + column) last wanted; else its own
    refused: Refused
    reward: Reward
    done: Done
    board: Annotated[np.ndarray, cached(np.float32, orders)]  # see Order
    ahead: Annotated[np.ndarray, cached(np.int32, "agents")]  # cell that it can try to enter; its own: a wall, a shelf
    seen: Annotated[np.ndarray, cached(np.uint8, padded)]  # what a window shows of each cell, in bits; a margin around


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    plan: np.ndarray  # (H, W) int8    see Cell
    goals: np.ndarray  # (G, 2) int32  in the order in which deliveries are checked
    homes: np.ndarray  # (S, 2) int32  where the shelves stand at the start; -1 for the courier task
    fetchable: np.ndarray  # (S,) bool  beside an aisle; others, within a block of shelves, are never requested
    errands: np.ndarray  # (K, 4) int32 start and goal (row, column) of the first robots and parcels; (0, 4): drawn
    agents: int
    requests: int
    deliveries: int  # the shared task; 0 = no end
    max_ticks: int
    sight: int  # cells seen to each side
    reward: int  # see RewardType
    courier: bool
    board: int  # orders that each agent can read; 0 = RWARE's own observation
    severity: np.ndarray  # (1,) float64   by Severity, 0..1


class Note(IntEnum):
    """Columns of ``Memory.notes``, for each agent."""

    LEFT = 0  # cells on the route
    TARGET = 1  # last cell of the route, -1 none
    HOME = 2  # cell to which the load returns, at first where it was picked up; -1 none
    LOAD = 3  # id of the load, from the board; 0 unknown
    WAIT = 4  # ticks without moving on (rules: less the cells moved)
    AGE = 5  # ticks since its last target was reached: its priority (oracle)
    RANK = 6  # row k: the agent of the k-th highest priority (oracle)
    NEXT = 7  # cell planned for the next tick, -1 open (oracle)
    WANTED = 8  # next cell of the route (oracle)
    FOUND = 9  # closed cells met so far
    ORDER = 10  # order of its board that it tries first (rules)
    GIVEN_UP = 11  # cell + 1 of the team's task that it could not reach, 0 none (rules)


def cells(params) -> int:
    """Cells of the map, H * W."""
    return params.plan.size


def longest_route(params) -> int:
    """Maximum length of a stored route, cells."""
    return min(cells(params), 2 * sum(params.plan.shape))


def heap_size(params) -> int:
    """Two stacks of 4 H * W cells, a map, and the mark of the last search, see ``policies.routes``."""
    return 9 * cells(params) + 1


def deepest_push(params) -> int:
    """Robots that one push may displace, at most."""
    return min(params.agents, DEEPEST)


class Memory(NamedTuple):
    """The memory of policies. A route is a stack of cells (row * W + column); the last one is entered next."""

    notes: Annotated[np.ndarray, shaped(np.int32, "agents", len(Note))]
    route: Annotated[np.ndarray, shaped(np.int32, "agents", longest_route)]  # cells
    closed: Annotated[np.ndarray, shaped(np.int32, "agents", 16)]  # closed cells met, a ring; -1 empty
    claim: Annotated[np.ndarray, shaped(np.int32, cells)]  # agent + 1 of the robot that heads for the cell (oracle)
    taken: Annotated[np.ndarray, shaped(np.int32, cells)]  # agent + 1 of the robot that will be there next (oracle)
    stack: Annotated[np.ndarray, shaped(np.int32, deepest_push, 7)]  # pushes (oracle): agent, cells tried, cells to try
    heap: Annotated[np.ndarray, shaped(np.int32, heap_size)]  # scratch of the route search


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries."""
    vector = names(Column)
    if params.board:
        vector += tuple(f"order{k}_{entry}" for k in range(params.board) for entry in names(Order))
    else:
        vector = vector[: Column.GOAL_ROW]
    return ObservationSpec(names(Channel), 2 * params.sight + 1, vector, 0, 0, 4)

"""The nouns of Craft: verbs, materials, things, columns, state, params, and the shape of every array.

H x W cells, N players, M mobs at most, C chunks. Names and numbers are crafter's (Hafner 2021, package 1.8.3); rows
count downwards, so crafter's position (x, y) is our (column, row).
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from sandbox.core.world import ObservationSpec


class Verb(IntEnum):
    """What a player can do in one tick; crafter's actions in crafter's order."""

    NOOP = 0
    MOVE_LEFT = 1
    MOVE_RIGHT = 2
    MOVE_UP = 3
    MOVE_DOWN = 4
    DO = 5
    SLEEP = 6
    PLACE_STONE = 7
    PLACE_TABLE = 8
    PLACE_FURNACE = 9
    PLACE_PLANT = 10
    MAKE_WOOD_PICKAXE = 11
    MAKE_STONE_PICKAXE = 12
    MAKE_IRON_PICKAXE = 13
    MAKE_WOOD_SWORD = 14
    MAKE_STONE_SWORD = 15
    MAKE_IRON_SWORD = 16


class Facing(IntEnum):
    """Crafter's order of directions."""

    LEFT = 0
    RIGHT = 1
    UP = 2
    DOWN = 3


class Material(IntEnum):
    """What a cell is made of; crafter's numbers. 0 is what cannot be seen, or lies beyond the edge."""

    UNKNOWN = 0
    WATER = 1
    GRASS = 2
    STONE = 3
    PATH = 4
    SAND = 5
    TREE = 6
    LAVA = 7
    COAL = 8
    IRON = 9
    DIAMOND = 10
    TABLE = 11
    FURNACE = 12


class Kind(IntEnum):
    """What stands on a cell; RIPE is how a ripe plant is seen, never what is stored."""

    NONE = 0
    PLAYER = 1
    COW = 2
    ZOMBIE = 3
    SKELETON = 4
    ARROW = 5
    PLANT = 6
    RIPE = 7


class Body(IntEnum):
    """Columns of ``State.body``. Hunger, thirst and recovery count in halves: asleep, they grow half as fast."""

    FACING = 0  # see Facing
    SLEEPING = 1
    HUNGER = 2  # half ticks
    THIRST = 3  # half ticks
    FATIGUE = 4  # ticks
    RECOVER = 5  # half ticks
    FELT = 6  # health when it last noticed: who is hurt wakes up
    PAID = 7  # health when the reward was last paid
    UNLOCKED = 8  # achievements when the reward was last paid
    HEALTH = 9  # from here on the items, in crafter's order, each 0..9
    FOOD = 10
    DRINK = 11
    ENERGY = 12
    SAPLING = 13
    WOOD = 14
    STONE = 15
    COAL = 16
    IRON = 17
    DIAMOND = 18
    WOOD_PICKAXE = 19
    STONE_PICKAXE = 20
    IRON_PICKAXE = 21
    WOOD_SWORD = 22
    STONE_SWORD = 23
    IRON_SWORD = 24


ITEMS = tuple(Body(k) for k in range(Body.HEALTH, len(Body)))
MOST = 9  # of each item


class Mob(IntEnum):
    """Columns of ``State.mobs``."""

    KIND = 0  # see Kind; 0 an empty row
    ROW = 1
    COL = 2
    HEALTH = 3
    FACING = 4  # of arrows, see Facing
    CLOCK = 5  # zombie: ticks to its next blow; skeleton: to its next arrow; plant: age, counted to RIPE_AT + 1


class Chunk(IntEnum):
    """Columns of ``State.chunks``: what balancing a chunk of 12 x 12 cells needs to know of it."""

    GRASS = 0  # cells of grass
    PATH = 1  # cells of path
    COWS = 2
    ZOMBIES = 3
    SKELETONS = 4
    LISTED = 5  # 1: something has stood here. Crafter never balances a chunk before
    ORDER = 6  # in row k: the chunk that was listed as number k, -1 none


class Achievement(IntEnum):
    """Crafter's achievements in crafter's order."""

    COLLECT_COAL = 0
    COLLECT_DIAMOND = 1
    COLLECT_DRINK = 2
    COLLECT_IRON = 3
    COLLECT_SAPLING = 4
    COLLECT_STONE = 5
    COLLECT_WOOD = 6
    DEFEAT_SKELETON = 7
    DEFEAT_ZOMBIE = 8
    EAT_COW = 9
    EAT_PLANT = 10
    MAKE_IRON_PICKAXE = 11
    MAKE_IRON_SWORD = 12
    MAKE_STONE_PICKAXE = 13
    MAKE_STONE_SWORD = 14
    MAKE_WOOD_PICKAXE = 15
    MAKE_WOOD_SWORD = 16
    PLACE_FURNACE = 17
    PLACE_PLANT = 18
    PLACE_STONE = 19
    PLACE_TABLE = 20
    WAKE_UP = 21


class Stream(IntEnum):
    """The streams of draws."""

    NOISE = 0
    TERRAIN = 1
    POPULATE = 2
    COLLECT = 3
    MOB = 4
    BALANCE = 5


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    NIGHT = 0
    SCARCITY = 1


class State(NamedTuple):
    """All that changes in an episode."""

    seed: np.ndarray  # (L,) uint64          key of all draws of this lane
    tick: np.ndarray  # (L,) int32
    grid: np.ndarray  # (L, H, W) int8       see Material
    object_at: np.ndarray  # (L, H, W) int16    0 nothing, 1..N player + 1, then N + 1 + row of ``mobs``
    mobs: np.ndarray  # (L, M, 6) int32      see Mob; in the order in which they appeared
    census: np.ndarray  # (L,) int32         rows of ``mobs`` in use
    chunks: np.ndarray  # (L, C, 7) int16    see Chunk
    pos: np.ndarray  # (L, N, 2) int32       row, column; of the dead, where they fell
    body: np.ndarray  # (L, N, 25) int32     see Body
    achieved: np.ndarray  # (L, N, 22) int32  how often, see Achievement
    refused: np.ndarray  # (L, N) int8       1: a legal action of the last tick was prevented
    reward: np.ndarray  # (L, N) float32     of the last tick
    done: np.ndarray  # (L,) int8            a Finish code


class Params(NamedTuple):
    """What never changes in an episode."""

    verbs: int
    noop: int
    plan: np.ndarray  # (H, W) int8     a drawn map; all UNKNOWN: one is generated for each seed
    starts: np.ndarray  # (S, 2) int32    where players begin on a drawn map
    natives: np.ndarray  # (K, 3) int32   kind, row, column of the things on a drawn map
    agents: int
    most_mobs: int
    mobs: bool  # False: no cows, zombies and skeletons, neither at first nor later
    goal: np.ndarray  # (22,) bool       the achievements that the team is to unlock; none: crafter's endless game
    needed: np.ndarray  # (13,) int32    cells of each material that must be in reach at first
    max_ticks: int
    severity: np.ndarray  # (4,) float64    see Severity


class Note(IntEnum):
    """What a policy remembers for each player: the columns of ``Memory.notes``. Cells are row * W + column."""

    LEFT = 0  # cells on the route
    AIM = 1  # what the route leads to, see ``routes.Aim``
    PLACE = 2  # the cell that the aim names, if it names one
    SIDE = 3  # the side on which the aim is found at the end of the route
    STUCK = 4  # ticks in a row on one cell
    LAST = 5  # cell one tick ago
    COW = 6  # cell where a cow was last seen, -1 nowhere
    DRINKING = 7  # 1: goes on until it is full
    EATING = 8
    RESTING = 9  # 1: on the way to bed, 2: it has been at the far end of its burrow
    DOOR = 10  # the cell before its burrow
    INTO = 11  # the side on which the burrow lies
    SHUN = 12  # bits: aims that cannot be reached
    UNTIL = 13  # the clock's time at which they are tried again
    CLOCK = 14  # ticks lived


class Memory(NamedTuple):
    """What policies remember; a route is a stack of cells (row * W + column) whose last is the next to enter."""

    notes: np.ndarray  # (L, N, 15) int32     see Note
    seen: np.ndarray  # (L, N, H, W) int8     the map so far, see Material
    route: np.ndarray  # (L, N, P) int32
    queue: np.ndarray  # (L, H * W) int32     scratch of the route search
    came: np.ndarray  # (L, H * W) int8       scratch: how each cell was entered
    eye: np.ndarray  # (L, 3, 9, 9) int8      scratch: the oracle's window
    mind: np.ndarray  # (L, V) float32        scratch: the oracle's vector


SIDE, ACROSS, DOWN = 9, 4, 3  # the window's side; cells seen to the left and right, and up and down, as in crafter
SELF = ("row", "col", "facing", "sleeping", "daylight")
VECTOR = SELF + tuple(item.name.lower() for item in ITEMS) + tuple(a.name.lower() for a in Achievement)
CHANNELS = ("material", "thing", "facing")
CHUNK = 12
LONGEST = 256  # steps of one route


def chunk_count(shape) -> int:
    return (-(-shape[0] // CHUNK)) * (-(-shape[1] // CHUNK))


def state_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of State."""
    cells, n, i8, i16, i32 = params.plan.shape, params.agents, np.int8, np.int16, np.int32
    return {
        "seed": ((), np.uint64), "tick": ((), i32), "grid": (cells, i8), "object_at": (cells, i16),
        "mobs": ((params.most_mobs, len(Mob)), i32), "census": ((), i32),
        "chunks": ((chunk_count(cells), len(Chunk)), i16), "pos": ((n, 2), i32), "body": ((n, len(Body)), i32),
        "achieved": ((n, len(Achievement)), i32), "refused": ((n,), i8), "reward": ((n,), np.float32),
        "done": ((), i8),
    }  # fmt: skip


def memory_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of Memory."""
    n, cells, i8, i32 = params.agents, params.plan.size, np.int8, np.int32
    return {
        "notes": ((n, len(Note)), i32), "seen": ((n, *params.plan.shape), i8), "route": ((n, min(cells, LONGEST)), i32),
        "queue": ((cells,), i32), "came": ((cells,), i8), "eye": ((len(CHANNELS), SIDE, SIDE), i8),
        "mind": ((len(VECTOR),), np.float32),
    }  # fmt: skip


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries."""
    return ObservationSpec(CHANNELS, SIDE, VECTOR, 0, 0, 12)

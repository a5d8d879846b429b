"""The types of Craft: verbs, materials, things, columns, state and params.

H x W cells, N players, M mobs at most, C chunks. Names and numbers are crafter's (Hafner 2021, package 1.8.3); rows
count downwards, so crafter's position (x, y) is our (column, row).
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, names, shaped


class Verb(IntEnum):
    """The actions of a player; crafter's actions in crafter's order."""

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
    """The material of a cell; crafter's numbers. UNKNOWN: out of view, or beyond the edge."""

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
    """The thing in a cell. RIPE is what observations show of a ripe plant; states never hold it."""

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
    FELT = 6  # health at the last tick: a lower one wakes it up
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
    """Columns of ``State.chunks``: what the balance of a chunk of 12 x 12 cells needs."""

    GRASS = 0  # cells of grass
    PATH = 1  # cells of path
    COWS = 2
    ZOMBIES = 3
    SKELETONS = 4
    LISTED = 5  # 1: a thing has been here; crafter balances no chunk before
    ORDER = 6  # row k: the chunk that was listed as number k, -1 none


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


class Channel(IntEnum):
    """Channels of an observation's window."""

    MATERIAL = 0  # see Material
    THING = 1  # see Kind
    FACING = 2  # of players and arrows: Facing + 1


# Entries of an observation's vector: place, Facing, 1 if asleep, daylight (0..1); amount of each item, 0..9; 1 for each
# achievement that the player has unlocked itself.
_OWN = ("ROW", "COL", "FACING", "SLEEPING", "DAYLIGHT")
Column = IntEnum("Column", (*_OWN, *(item.name for item in ITEMS), *(each.name for each in Achievement)), start=0)
FIRST_ITEM, FIRST_ACHIEVEMENT = len(_OWN), len(_OWN) + len(ITEMS)


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


CHUNK = 12  # cells a side


def chunks(params) -> int:
    """Chunks of the map, also those that the edge cuts."""
    rows, cols = params.plan.shape
    return -(-rows // CHUNK) * -(-cols // CHUNK)


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    grid: Annotated[np.ndarray, shaped(np.int8, "plan")]  # see Material
    object_at: Annotated[np.ndarray, shaped(np.int16, "plan")]  # 0 nothing, player + 1, or N + 1 + row of ``mobs``
    mobs: Annotated[np.ndarray, shaped(np.int32, "most_mobs", len(Mob))]  # in the order in which they appeared
    census: Annotated[np.ndarray, shaped(np.int32)]  # rows of ``mobs`` in use
    chunks: Annotated[np.ndarray, shaped(np.int16, chunks, len(Chunk))]
    pos: Pos  # of the dead, the place of their death
    body: Annotated[np.ndarray, shaped(np.int32, "agents", len(Body))]
    achieved: Annotated[np.ndarray, shaped(np.int32, "agents", len(Achievement))]  # how often
    refused: Refused
    reward: Reward
    done: Done


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int
    plan: np.ndarray  # (H, W) int8     a drawn map; all UNKNOWN: one is generated for each seed
    starts: np.ndarray  # (S, 2) int32    row, column where players begin on a drawn map
    natives: np.ndarray  # (K, 3) int32   kind, row, column of the things on a drawn map
    agents: int
    most_mobs: int
    mobs: bool  # False: there are no cows, zombies and skeletons
    goal: np.ndarray  # (22,) bool       the achievements that complete the task; all False: crafter's endless game
    needed: np.ndarray  # (13,) int32    cells of each material that must be in reach at the start
    max_ticks: int
    severity: np.ndarray  # (2,) float64    by Severity, 0..1


class Note(IntEnum):
    """Columns of ``Memory.notes``, for each player. Cells are row * W + column."""

    LEFT = 0  # cells on the route
    AIM = 1  # aim of the route, see ``routes.Aim``
    PLACE = 2  # the cell of an aim that names one
    SIDE = 3  # the side on which the aim is, at the end of the route
    STUCK = 4  # ticks in a row on one cell
    LAST = 5  # cell one tick ago
    COW = 6  # cell of the last seen cow, -1 none
    DRINKING = 7  # 1: goes on until it is full
    EATING = 8
    RESTING = 9  # 1: goes to its burrow, 2: has been at its far end
    DOOR = 10  # the cell before its burrow
    INTO = 11  # side of the burrow
    SHUN = 12  # bits: aims that cannot be reached
    UNTIL = 13  # value of CLOCK at which they are tried again
    CLOCK = 14  # ticks lived
    PLOT = 15  # cell of the last seen plant, plus 1; 0 none


SIDE, ACROSS, DOWN = 9, 4, 3  # the window's side; cells seen to the left and right, and up and down, as in crafter
LONGEST = 256  # steps of one route


def cells(params) -> int:
    """Cells of the map, H * W."""
    return params.plan.size


def longest_route(params) -> int:
    """Maximum length of a stored route, cells."""
    return min(cells(params), LONGEST)


class Memory(NamedTuple):
    """The memory of policies. A route is a stack of cells (row * W + column); the last one is entered next."""

    notes: Annotated[np.ndarray, shaped(np.int32, "agents", len(Note))]
    seen: Annotated[np.ndarray, shaped(np.int8, "agents", "plan")]  # the map that it has seen, see Material
    route: Annotated[np.ndarray, shaped(np.int32, "agents", longest_route)]
    queue: Annotated[np.ndarray, shaped(np.int32, cells)]  # scratch of the route search
    came: Annotated[np.ndarray, shaped(np.int8, cells)]  # scratch: how each cell was entered
    eye: Annotated[np.ndarray, shaped(np.int8, len(Channel), SIDE, SIDE)]  # scratch: the oracle's window
    mind: Annotated[np.ndarray, shaped(np.float32, len(Column))]  # scratch: the oracle's vector


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries."""
    return ObservationSpec(names(Channel), SIDE, names(Column), 0, 0, 12)

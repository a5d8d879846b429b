"""The kitchen's types: verbs, cells, things, state, params, and the columns of every array.

H x W cells, N cooks, P pots in row-major order. A thing in hand or on a counter is one number: a Thing,
or SOUP + its mix. A mix is onions + 4 * tomatoes, 0..15.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, names, shaped


class Verb(IntEnum):
    """The actions of a cook; Overcooked's six actions in its order. The first four are also facings."""

    NORTH = 0
    SOUTH = 1
    EAST = 2
    WEST = 3
    STAY = 4
    INTERACT = 5


class Cell(IntEnum):
    """Kinds of cells. Cooks walk on the floor only."""

    FLOOR = 0
    COUNTER = 1  # holds one thing
    POT = 2
    ONIONS = 3  # dispensers never run out
    TOMATOES = 4
    DISHES = 5
    SERVING = 6
    OUTSIDE = 7  # beyond the map, in a window


class Thing(IntEnum):
    """What can be in hand or on a counter; a soup is SOUP + mix."""

    NOTHING = 0
    ONION = 1
    TOMATO = 2
    DISH = 3
    SOUP = 16


class Pot(IntEnum):
    """The columns of ``State.pots``."""

    ONIONS = 0
    TOMATOES = 1
    TICKS = 2  # since cooking began; -1: not begun
    EXTRA = 3  # ticks of this soup beyond its recipe's (slow_pot)


class Stream(IntEnum):
    """The streams of draws."""

    AWAY = 0
    SPELL = 1
    WHIM = 2
    STICK = 3
    SLOW = 4
    START = 5


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    STRANGE_PARTNER = 0
    ABSENT_PARTNER = 1
    STICKY_FLOOR = 2
    SLOW_POT = 3


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    pos: Pos  # row -1: unknown place, in a belief
    facing: Annotated[np.ndarray, shaped(np.int32, "agents")]  # 0..3, as the first four verbs
    holding: Annotated[np.ndarray, shaped(np.int32, "agents")]  # a thing
    items: Annotated[np.ndarray, shaped(np.int32, "plan")]  # the thing on each counter
    pots: Annotated[np.ndarray, shaped(np.int32, "pot_cell", len(Pot))]
    served: Annotated[np.ndarray, shaped(np.int32)]  # soups of the order list served so far
    sparse: Annotated[np.ndarray, shaped(np.float32, "agents")]  # pay of each cook for soups served in the last tick
    shaped: Annotated[np.ndarray, shaped(np.float32, "agents")]  # Overcooked's shaped reward of each, of the last tick
    refused: Refused
    reward: Reward  # pay for all soups served; with Params.shaped, plus the cook's own shaped reward
    done: Done


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    plan: np.ndarray  # (H, W) int32        see Cell
    agents: int
    soups: int  # the shared task; 0 = no end
    max_ticks: int
    most: int  # ingredients that a pot takes
    shaped: bool  # the reward includes the shaped one
    sight: int  # cells seen to each side
    scattered: bool  # cooks begin in drawn cells within reach of their place
    cooks: np.ndarray  # (N, 4) int32       at first: row, column, facing, holding
    items: np.ndarray  # (H, W) int32       at first
    pots: np.ndarray  # (P, 4) int32        at first
    pot_cell: np.ndarray  # (P,) int32      cell (row * W + column) of each pot
    pot_at: np.ndarray  # (H, W) int32      its inverse, -1 where there is none
    counters: np.ndarray  # (C,) int32      cells of the counters
    worth: np.ndarray  # (16,) float64      reward for a soup of each mix, with its bonus; 0 if not ordered
    ordered: np.ndarray  # (16,) int32      1: on the order list
    bonus: np.ndarray  # (16,) int32        1: on the bonus list
    cook_time: np.ndarray  # (16,) int32    ticks
    shaping: np.ndarray  # (3,) float64     shaped reward for potting, for a useful dish, for taking up a soup
    views: np.ndarray  # (H * W, C * K * K) int8  the empty kitchen as seen from each floor cell
    spots: np.ndarray  # (H * W, C + P) int32  where in the window from each cell each counter and pot is, or -1
    aim: np.ndarray  # (16,) int32          the mix that a pot with this mix should become; -1: hopeless
    way: np.ndarray  # (H * W, H * W) int32 steps from a floor cell (second) to one beside a cell (first); or FAR
    nearest: np.ndarray  # (8, H * W) int32 for each kind of cell and floor cell: the nearest such cell, -1 none
    hops: np.ndarray  # (2, H * W) int32    hand-overs from a floor cell to a pot (0) and to a serving place (1); or FAR
    beyond: np.ndarray  # (2, H * W) int32  the least ``hops`` of the floor cells around a counter
    shared: np.ndarray  # (H * W,) int32    1: a counter between two rooms
    severity: np.ndarray  # (4,) float64        by Severity, 0..1


class Cook(IntEnum):
    """Columns of ``Memory.cooks``: what a policy knows of each cook."""

    CELL = 0  # -1 unseen
    FACING = 1
    HELD = 2
    AWAY = 3  # 1: not himself, gets no task
    TARGET = 4  # the cell to interact with, -1 none
    WAIT = 5  # ticks until he is needed there
    BUSY = 6  # 1: has a task
    NEXT = 7  # cell planned for the next tick, -1 open (oracle)
    AGE = 8  # ticks without an interaction: its priority (oracle); kept
    STUCK = 9  # ticks in a row without moving on (rules); kept
    LAST = 10  # his last cell (rules); kept


class Plan(IntEnum):
    """Columns of ``Memory.pots``: what a policy knows of each pot."""

    MIX = 0
    LEFT = 1  # ticks until it is ready; 0 ready, -1 not cooking
    ONIONS = 2  # still to be brought
    TOMATOES = 3
    START = 4  # 1: must be started, and no cook is on his way
    DISH = 5  # 1: needs a dish that no cook brings


def cells(params) -> int:
    """Cells of the map, H * W."""
    return params.plan.size


class Memory(NamedTuple):
    """What policies remember, and scratch. All but the columns of ``cooks`` marked "kept" is rewritten every tick."""

    cooks: Annotated[np.ndarray, shaped(np.int32, "agents", len(Cook))]
    pots: Annotated[np.ndarray, shaped(np.int32, "pot_cell", len(Plan))]
    cells: Annotated[np.ndarray, shaped(np.int32, 3, cells)]  # things on counters; search queue or claims; distances
    stack: Annotated[np.ndarray, shaped(np.int32, "agents", 7)]  # cooks that displace one another (oracle)


FAR = 1 << 20
DROW = np.array([-1, 1, 0, 0], np.int32)  # by facing
DCOL = np.array([0, 0, 1, -1], np.int32)
LONGEST = 127  # ticks left that a window can show


class Channel(IntEnum):
    """Channels of an observation's window."""

    TERRAIN = 0  # see Cell
    THING = 1  # held by a cook, lying on a counter, or cooking in a pot, see Thing; any soup is SOUP
    ONIONS = 2  # of a soup
    TOMATOES = 3
    TICKS_LEFT = 4  # of a pot: ticks until its soup is ready, + 1; 0: does not cook
    COOK = 5  # number + 1; 0: nobody
    FACING = 6  # of the cook, + 1


class Column(IntEnum):
    """Entries of an observation's vector; those of each pot follow (PotColumn), then the worth of each of MIXES."""

    ROW = 0
    COL = 1
    NORTH = 2  # 1: faces north; the next three likewise, in the order of the verbs
    SOUTH = 3
    EAST = 4
    WEST = 5
    HOLDING = 6  # see Thing; any soup is SOUP
    SOUP_ONIONS = 7  # of the soup in hand
    SOUP_TOMATOES = 8
    TICKS_LEFT = 9  # of the episode
    SERVED = 10  # soups of the order list, by all
    SOUPS = 11  # that complete the task; 0: it has no end


class PotColumn(IntEnum):
    """Entries of one pot in an observation's vector: pot k begins at FIRST_POT + PER_POT * k."""

    ONIONS = 0
    TOMATOES = 1
    TICKS = 2  # since cooking began; -1: not begun
    READY = 3  # 1: the soup can be taken


FIRST_POT, PER_POT = len(Column), len(PotColumn)
MIXES = np.array([o + 4 * t for o in range(4) for t in range(4) if 0 < o + t <= 3], np.int32)


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries; an order's entry is its worth, 0: not ordered."""
    vector = names(Column) + tuple(f"pot{k}_{entry}" for k in range(len(params.pots)) for entry in names(PotColumn))
    vector += tuple(f"order_{mix % 4}_onions_{mix // 4}_tomatoes" for mix in MIXES)
    return ObservationSpec(names(Channel), 2 * params.sight + 1, vector, 0, 0, LONGEST)

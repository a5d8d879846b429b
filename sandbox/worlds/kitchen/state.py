"""The kitchen's nouns: verbs, cells, things, state, params, and the shape of every array.

H x W cells, N cooks, P pots in row-major order. What a cook holds or what lies on a counter is one number: 0 nothing,
see Thing, or SOUP + its mix. A mix is what a soup is made of: onions + 4 * tomatoes, 0..15.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from sandbox.core.world import ObservationSpec


class Verb(IntEnum):
    """What a cook can do in one tick; Overcooked's six actions in its order. The first four are also facings."""

    NORTH = 0
    SOUTH = 1
    EAST = 2
    WEST = 3
    STAY = 4
    INTERACT = 5


class Cell(IntEnum):
    """What a cell of the plan is. Cooks walk on the floor only."""

    FLOOR = 0
    COUNTER = 1  # holds one thing
    POT = 2
    ONIONS = 3  # dispensers never run out
    TOMATOES = 4
    DISHES = 5
    SERVING = 6
    OUTSIDE = 7  # beyond the map, in a window


class Thing(IntEnum):
    """What can be held or lie about; a soup is SOUP + mix."""

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
    EXTRA = 3  # ticks that this soup takes beyond its recipe's (slow_pot)


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
    """All that changes in an episode."""

    seed: np.ndarray  # (L,) uint64        key of all draws of this lane
    tick: np.ndarray  # (L,) int32
    pos: np.ndarray  # (L, N, 2) int32     row, column; -1 for a cook that a belief knows nothing of
    facing: np.ndarray  # (L, N) int32     0..3, as the first four verbs
    holding: np.ndarray  # (L, N) int32    a thing
    items: np.ndarray  # (L, H, W) int32   the thing on each counter
    pots: np.ndarray  # (L, P, 4) int32    see Pot
    served: np.ndarray  # (L,) int32       soups of the order list served so far
    sparse: np.ndarray  # (L, N) float32   what each cook was paid for soups served in the last tick
    shaped: np.ndarray  # (L, N) float32   Overcooked's shaped reward of the last tick, each cook's own
    refused: np.ndarray  # (L, N) int8     1: a legal action of the last tick was prevented
    reward: np.ndarray  # (L, N) float32   of the last tick: all that was served, for everyone (+ shaped if so chosen)
    done: np.ndarray  # (L,) int8          a Finish code


class Params(NamedTuple):
    """What never changes in an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    plan: np.ndarray  # (H, W) int32        see Cell
    agents: int
    soups: int  # the shared task; 0 = no end
    max_ticks: int
    most: int  # ingredients that a pot takes
    shaped: bool  # the reward includes the shaped one
    sight: int  # cells seen to each side
    scattered: bool  # cooks begin anywhere within reach of their place, not in it
    cooks: np.ndarray  # (N, 4) int32       at first: row, column, facing, holding
    items: np.ndarray  # (H, W) int32       at first
    pots: np.ndarray  # (P, 4) int32        at first
    pot_cell: np.ndarray  # (P,) int32      cell (row * W + column) of each pot
    pot_at: np.ndarray  # (H, W) int32      its inverse, -1 where there is none
    counters: np.ndarray  # (C,) int32      cells of the counters
    worth: np.ndarray  # (16,) float64      reward for a soup of each mix, with its bonus; 0 for one that nobody ordered
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
    severity: np.ndarray  # (4,) float64        see Severity


class Cook(IntEnum):
    """What a policy makes of each cook: the columns of ``Memory.cooks``."""

    CELL = 0  # -1 unseen
    FACING = 1
    HELD = 2
    AWAY = 3  # 1: not himself, nothing can be expected of him
    TARGET = 4  # the cell to interact with, -1 none
    WAIT = 5  # ticks until that makes sense
    BUSY = 6  # 1: has a task
    NEXT = 7  # cell planned for the next tick, -1 open (oracle)
    AGE = 8  # ticks without an interaction: his priority (oracle); kept
    STUCK = 9  # ticks in a row that he could not go on (rules); kept
    LAST = 10  # his last cell (rules); kept


class Plan(IntEnum):
    """What a policy makes of each pot: the columns of ``Memory.pots``."""

    MIX = 0
    LEFT = 1  # ticks until it is ready; 0 ready, -1 not cooking
    ONIONS = 2  # still to be brought
    TOMATOES = 3
    START = 4  # 1: waits to be started, by nobody so far
    DISH = 5  # 1: waits for a dish that nobody brings so far


class Memory(NamedTuple):
    """What policies remember, and their scratch: all but three columns of ``cooks`` is written anew at every tick."""

    cooks: np.ndarray  # (L, N, 11) int32   see Cook
    pots: np.ndarray  # (L, P, 6) int32     see Plan
    cells: np.ndarray  # (L, 3, H * W) int32  things on counters; search queue or claims; distances
    stack: np.ndarray  # (L, N, 7) int32    cooks that displace one another (oracle)


FAR = 1 << 20
DROW = np.array([-1, 1, 0, 0], np.int32)  # by facing
DCOL = np.array([0, 0, 1, -1], np.int32)
CHANNELS = ("terrain", "thing", "onions", "tomatoes", "ticks_left", "cook", "facing")
LONGEST = 127  # ticks left that a window can show
SELF = (
    "row", "col", "north", "south", "east", "west", "holding", "soup_onions", "soup_tomatoes", "ticks_left", "served",
    "soups",
)  # fmt: skip
POT = ("onions", "tomatoes", "ticks", "ready")
MIXES = np.array([o + 4 * t for o in range(4) for t in range(4) if 0 < o + t <= 3], np.int32)


def state_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of State."""
    n, i32, f32 = params.agents, np.int32, np.float32
    return {
        "seed": ((), np.uint64), "tick": ((), i32), "pos": ((n, 2), i32), "facing": ((n,), i32),
        "holding": ((n,), i32), "items": (params.plan.shape, i32), "pots": (params.pots.shape, i32),
        "served": ((), i32), "sparse": ((n,), f32), "shaped": ((n,), f32), "refused": ((n,), np.int8),
        "reward": ((n,), f32), "done": ((), np.int8),
    }  # fmt: skip


def memory_shapes(params: Params) -> dict:
    """Shape of one lane and dtype of each field of Memory."""
    n, cells = params.agents, params.plan.size
    shapes = {"cooks": (n, len(Cook)), "pots": (len(params.pots), len(Plan)), "cells": (3, cells), "stack": (n, 7)}
    return {name: (shape, np.int32) for name, shape in shapes.items()}


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries; an order's entry is its worth, 0 if not ordered."""
    vector = SELF + tuple(f"pot{k}_{entry}" for k in range(len(params.pots)) for entry in POT)
    vector += tuple(f"order_{mix % 4}_onions_{mix // 4}_tomatoes" for mix in MIXES)
    return ObservationSpec(CHANNELS, 2 * params.sight + 1, vector, 0, 0, LONGEST)

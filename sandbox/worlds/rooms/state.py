"""The types of the rooms: verbs, cells, state, params, and the columns of every array.

H x W cells of CELL centimetres, N agents, K things of the catalogue. A thing's place is its north-western cell. Its
turn says where its front is: 0 south, 1 west, 2 north, 3 east. A side of a thing is numbered likewise.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, cached, names, shaped

CELL = 50  # centimetres
SLOTS = 32  # targets of every verb: rows, columns, things of the catalogue, placed items
ITEMS = 24  # that a plan can hold
WISHES = 8  # of a client, at most


class Role(IntEnum):
    """What an agent is, by its number."""

    DESIGNER = 0
    CLIENT = 1
    ACCOUNTANT = 2


class Verb(IntEnum):
    """The actions; see ``rendering.text`` for who may do which."""

    WAIT = 0
    ROW = 1  # the pencil goes to this row
    COLUMN = 2
    TURN = 3  # 0..3
    PLACE = 4  # a thing of the catalogue, at the pencil
    MOVE = 5  # an item of the plan to the pencil
    REMOVE = 6  # an item of the plan
    ASK = 7  # the client for a wish
    PROPOSE = 8  # the plan
    TELL = 9  # the designer a wish
    APPROVE = 10
    REVISE = 11  # send the plan back: because of a wish; target ``wishes``: something cannot be used or reached


class Cell(IntEnum):
    """What a cell is."""

    WALL = 0
    FLOOR = 1
    DOOR = 2
    ENTRANCE = 3
    WINDOW = 4
    SOCKET = 5  # a wall with a power point
    FIXTURE = 6  # of a kitchen or a bathroom
    PILLAR = 7  # which nobody had measured


class Room(IntEnum):
    """Kinds of rooms."""

    NONE = 0
    LIVING_ROOM = 1
    BEDROOM = 2
    STUDY = 3
    HALL = 4
    BATHROOM = 5


class Thing(IntEnum):
    """Columns of ``Params.thing``; lengths in cells."""

    CATEGORY = 0
    STYLE = 1
    WIDTH = 2
    DEPTH = 3
    PRICE = 4  # euros
    CLEAR = 5  # depth of the free strip in front
    SIDE = 6  # 1: a free strip along one side
    WALL = 7
    POWER = 8
    DAYLIGHT = 9


class Item(IntEnum):
    """Columns of ``State.item``."""

    THING = 0  # of the catalogue + 1; 0: no item
    ROW = 1
    COL = 2
    TURN = 3


class Flaw(IntEnum):
    """Bits of ``State.flaw``: why an item cannot be used."""

    OVERLAP = 1  # it would stand on a pillar, or on anything else but floor
    BLOCKED = 2  # its front, or both its sides
    UNREACHED = 4  # no way leads from the entrance to it
    NO_WALL = 8
    NO_POWER = 16
    NO_DAYLIGHT = 32
    OUT_OF_STOCK = 64


class Wish(IntEnum):
    """Columns of ``State.wish``."""

    CATEGORY = 0  # + 1; 0: no wish
    ROOM = 1  # see Room; NONE: any
    STYLE = 2  # + 1; 0: any
    DAYLIGHT = 3  # 1: within reach of a window
    TOLD = 4  # 1: the designer knows it


class Deal(IntEnum):
    """Columns of ``State.deal``."""

    ASKED = 0  # wish that the client is asked for + 1
    PROPOSED = 1
    CLIENT = 2  # 1: approves the proposal
    ACCOUNTANT = 3
    REVISIONS = 4  # proposals that were sent back
    BUDGET = 5  # euros


class Tally(IntEnum):
    """Columns of ``State.tally``: what the plan is worth."""

    MET = 0  # wishes
    FLAWED = 1  # items that cannot be used
    COST = 2  # euros


class Stream(IntEnum):
    """The streams of draws."""

    WISH = 0
    STYLE = 1
    TASTE = 2
    MIND = 3
    STOCK = 4
    PRICE = 5
    PILLAR = 6
    SEARCH = 7


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    CHANGED_MIND = 0
    OUT_OF_STOCK = 1
    PRICE_RISE = 2
    WRONG_MEASURE = 3


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    grid: Annotated[np.ndarray, shaped(np.int8, "plan")]  # see Cell
    item: Annotated[np.ndarray, shaped(np.int16, ITEMS, len(Item))]
    price: Annotated[np.ndarray, shaped(np.int32, lambda params: len(params.thing))]  # euros; negative: out of stock
    wish: Annotated[np.ndarray, shaped(np.int16, WISHES, len(Wish))]
    deal: Annotated[np.ndarray, shaped(np.int32, len(Deal))]
    turn: Annotated[np.ndarray, shaped(np.int8)]  # of the pencil
    cover: Annotated[np.ndarray, cached(np.int8, "plan")]  # item + 1 in each cell; 0: none
    reach: Annotated[np.ndarray, cached(np.int8, "plan")]  # 1: one can walk there from the entrance
    flaw: Annotated[np.ndarray, cached(np.int16, ITEMS)]  # see Flaw
    tally: Annotated[np.ndarray, cached(np.int32, len(Tally))]
    pos: Pos  # of the designer's pencil; the others are nowhere: -1
    refused: Refused  # 1: another agent changed or withdrew the plan first
    reward: Reward  # share of the task gained in the last tick
    done: Done


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int
    agents: int
    max_ticks: int
    wishes: int
    limit: float  # share of the budget from which on the accountant must approve
    plan: np.ndarray  # (H, W) int8       see Cell
    room: np.ndarray  # (H, W) int8       see Room
    kept: np.ndarray  # (H, W) int8       1: stays free, so that a door opens
    light: np.ndarray  # (H, W) int8      1: daylight
    power: np.ndarray  # (H, W) int8      1: within reach of a power point
    nook: np.ndarray  # (P,) int32        cells (row * W + column) where a pillar could be
    thing: np.ndarray  # (K, 10) int32    see Thing
    wants: np.ndarray  # (T, 4) int32     what clients can wish for: the first columns of Wish; STYLE is always 0
    categories: int
    styles: int
    label: np.ndarray  # (5, 2) float64   row and column of the name of each kind of room, in cells; -1: none
    sign: np.ndarray  # (categories + 5, 16) uint8  names of categories and rooms, for the picture
    glyph: np.ndarray  # (sizes, 96, H, W) uint8 the font of the picture
    severity: np.ndarray  # (4,) float64  by Severity, 0..1


class Memory(NamedTuple):
    """What policies remember: the designer's target, and a draft that is rewritten before it is read."""

    target: Annotated[np.ndarray, shaped(np.int16, ITEMS, len(Item))]  # the plan to be drawn
    grid: Annotated[np.ndarray, shaped(np.int8, "plan")]
    item: Annotated[np.ndarray, shaped(np.int16, ITEMS, len(Item))]
    price: Annotated[np.ndarray, shaped(np.int32, lambda params: len(params.thing))]
    wish: Annotated[np.ndarray, shaped(np.int16, WISHES, len(Wish))]
    cover: Annotated[np.ndarray, shaped(np.int8, "plan")]
    reach: Annotated[np.ndarray, shaped(np.int8, "plan")]
    flaw: Annotated[np.ndarray, shaped(np.int16, ITEMS)]
    tally: Annotated[np.ndarray, shaped(np.int32, len(Tally))]


class Channel(IntEnum):
    """Channels of an observation's window: the whole flat, its north-western corner first."""

    CELL = 0  # see Cell
    ROOM = 1  # see Room
    ITEM = 2  # number + 1; 0: none
    WALK = 3  # 1: one can walk there from the entrance


class Column(IntEnum):
    """Entries of an observation's vector; wishes (Wish, and MET), prices and items (Item, and flaws) follow."""

    ROLE = 0
    ROW = 1  # of the pencil
    COL = 2
    TURN = 3
    COST = 4
    BUDGET = 5
    LIMIT = 6  # euros, from which on the accountant must approve
    PROPOSED = 7
    CLIENT = 8  # 1: approves
    ACCOUNTANT = 9
    ASKED = 10  # wish + 1
    REVISIONS = 11
    WISHES = 12
    FLAWED = 13  # items that cannot be used


FIRST_WISH, PER_WISH = len(Column), len(Wish) + 1  # a wish that is not told is 0 to all but the client
FIRST_PRICE = FIRST_WISH + WISHES * PER_WISH
PER_ITEM = len(Item) + 1


def first_item(params) -> int:
    """The entry of the vector at which the items begin."""
    return FIRST_PRICE + len(params.thing)


def observation(params: Params) -> ObservationSpec:
    """Names and sizes of an observation."""
    wishes = (f"wish{k}_{name}" for k in range(WISHES) for name in (*names(Wish), "met"))
    prices = (f"price{k}" for k in range(len(params.thing)))
    items = (f"item{k}_{name}" for k in range(ITEMS) for name in (*names(Item), "flaws"))
    vector = (*names(Column), *wishes, *prices, *items)
    return ObservationSpec(names(Channel), max(params.plan.shape), vector, 0, 0, SLOTS)

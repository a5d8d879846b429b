"""The wildfire's types: verbs, cells, state, params, and the columns of every array.

H x W cells, N crews, M messages a tick, F places on the list of burning cells, B blocks of 16 x 16 cells.

A cell is one byte, so that a map of 4,096 x 4,096 is 17 MB and its digest takes tens of milliseconds: the lowest three
bits are its :class:`Kind`, the other five its :class:`Ground`. A burning cell's age is in its ground, so the list of
burning cells holds places only; if the list is too short, the map is searched (``fire.spread``). Heights and moisture
never change: they are functions of the seed (``terrain``) and are not stored.
"""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np

from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Tick, names, shaped


class Verb(IntEnum):
    """The actions of a crew. Its reach is its own cell and the four beside it."""

    STAY = 0
    NORTH = 1
    SOUTH = 2
    WEST = 3
    EAST = 4
    DOUSE = 5  # one tank: put out burning cells in reach, wet the others
    CUT = 6  # CUT_FOR ticks in a row: its cell becomes a fire break
    REFILL = 7  # fill all tanks, with water in reach
    RESCUE = 8  # rescue the households of all buildings in reach


class Kind(IntEnum):
    """The kind of a cell: ``code & 7``."""

    BARE = 0
    ROAD = 1
    WATER = 2
    GRASS = 3
    BRUSH = 4
    FOREST = 5
    BUILDING = 6
    BREAK = 7  # fuel that a crew has cut away


class Ground(IntEnum):
    """The state of a cell: ``code >> 3``. Burning cells have 5 + age, or 18 + age with a household in them."""

    FINE = 0
    PEOPLE = 1  # a household is in the building
    WET = 2  # doused: what would ignite it dries it instead
    WET_PEOPLE = 3
    BURNT = 4  # burnt out; or put out, except for buildings
    FIRE = 5
    FIRE_PEOPLE = 18


class Count(IntEnum):
    """Columns of ``State.tally``."""

    BUILDINGS = 0  # at the start; on a map without any: cells with fuel
    LOST = 1  # of these, burnt out
    HOUSEHOLDS = 2  # at the start
    PERISHED = 3  # of these, in a building that burnt out
    RESCUED = 4  # of these, taken to safety
    BURNING = 5  # cells that burn now
    BURNT = 6  # cells that have burnt out or were put out
    HURT = 7  # ticks that crews spent in burning cells


class Crew(IntEnum):
    """Columns of ``State.crew``."""

    TANKS = 0  # of water left
    FACING = 1  # 0..3: north, south, west, east
    WORK = 2  # ticks spent on the present cut
    HURT = 3  # ticks spent in burning cells
    DOWN = 4  # 1: broken down for good
    HOME_ROW = 5  # its station, in a village
    HOME_COL = 6
    ALARM_ROW = 7  # start of the fire to which it was called
    ALARM_COL = 8
    REPORT = 9  # what it reports by radio: see Report
    REPORT_ROW = 10
    REPORT_COL = 11


class Report(IntEnum):
    """The kinds of messages."""

    NOTHING = 0
    FIRE = 1
    PEOPLE = 2


class Stream(IntEnum):
    """The streams of draws."""

    WIND = 0
    DRIFT = 1
    VILLAGE = 2
    FUEL = 3
    BARE = 4
    HOUSE = 5
    PEOPLE = 6
    HEIGHT = 7
    MOISTURE = 8
    CREW = 9
    SPREAD = 10
    EMBER = 11
    EMBER_RANGE = 12
    EMBER_ANGLE = 13
    EMBER_CATCH = 14
    RADIO = 15
    SHIFT = 17
    BREAKDOWN = 18
    WRONG = 19
    TREE = 20
    IGNITION = 21


class Severity(IntEnum):
    """Index of each perturbation in ``Params.severity``."""

    WIND_SHIFT = 0
    CREW_LOST = 1
    WRONG_MAP = 2


OLDEST = 12  # largest age of a fire in a cell's byte, ticks
CUT_FOR = 3  # ticks that a fire break takes
BLOCK = 16  # side in cells; one cell with water is known for each block
LIST_AT_MOST = 1 << 18  # places on the list of burning cells: 1 MB


def blocks(params) -> int:
    """Blocks of BLOCK x BLOCK cells, also those that the edge cuts."""
    return -(-params.height // BLOCK) * -(-params.width // BLOCK)


class State(NamedTuple):
    """The state of an episode."""

    seed: Seed
    tick: Tick
    land: Annotated[np.ndarray, shaped(np.uint8, "height", "width")]  # Kind + 8 * Ground
    fires: Annotated[np.ndarray, shaped(np.int32, "longest")]  # burning cells (row * W + col), then zeros
    wells: Annotated[np.ndarray, shaped(np.int32, blocks)]  # for each block, a cell with water, -1 none
    wind: Annotated[np.ndarray, shaped(np.float32, 2)]  # heading without drift, degrees clockwise from north; m/s
    pos: Pos
    crew: Annotated[np.ndarray, shaped(np.int32, "agents", len(Crew))]
    tally: Annotated[np.ndarray, shaped(np.int32, len(Count))]
    refused: Refused
    reward: Reward
    done: Done


class Params(NamedTuple):
    """The constants of an episode."""

    verbs: int
    noop: int  # the verb that does nothing
    height: int
    width: int
    plan: np.ndarray  # (H, W) uint8    as State.land; (0, 0) for generated terrain
    stations: np.ndarray  # (S, 2) int32  where crews start on a plan; else (0, 2)
    ground: np.ndarray  # (5,) float64  shares of noise for grass, brush, bare; relief in degrees; 1.0 for a river
    tile_rows: int  # scenes (a village, water, a fire upwind) along each side of generated terrain
    tile_cols: int
    fires: int  # how many scenes have a fire
    agents: int
    tanks: int
    save: float  # share of buildings and of households
    wind: float  # m/s
    sight: int  # cells seen to each side
    messages: int
    classic: bool  # Mesa's ForestFire
    density: float  # classic: share of cells with a tree
    column: bool  # classic: the first column burns, else the centre
    longest: int  # places on the list of burning cells
    max_ticks: int
    severity: np.ndarray  # (3,) float64    by Severity, 0..1


class Note(IntEnum):
    """Columns of ``Memory.notes``, for each crew."""

    FIRE_ROW = 0  # last known fire, -1 none
    FIRE_COL = 1
    TARGET = 2  # burning cell that it attacks, -1 none (oracle)
    WATER = 3  # seen cell with water, -1 none
    LOST = 4  # ticks without a known fire


class Memory(NamedTuple):
    """What policies remember."""

    notes: Annotated[np.ndarray, shaped(np.int32, "agents", len(Note))]


class Channel(IntEnum):
    """Channels of an observation's window."""

    KIND = 0  # Kind + 1; 0: beyond the map
    FIRE = 1  # ticks that the cell has burnt, at most OLDEST; 0: it does not burn, or was ignited in this tick
    GROUND = 2  # 1: wet, 2: burnt
    PEOPLE = 3  # 1: a household
    CREW = 4  # 1: another crew


class Column(IntEnum):
    """Entries of an observation's vector. Places are those of the crew's own map, which may be wrong; -1: unknown."""

    ROW = 0
    COL = 1
    TANKS = 2  # of water left
    WIND_ROW = 3  # direction of the wind, a vector of length 1; rows count southwards
    WIND_COL = 4
    WIND_SPEED = 5  # m/s
    HOME_ROW = 6  # its station; this and the next two places are those of its map
    HOME_COL = 7
    ALARM_ROW = 8  # start of the fire to which it was called
    ALARM_COL = 9
    WATER_ROW = 10  # the nearest water
    WATER_COL = 11
    IN_FIRE = 12  # 1: its cell burns
    HURT = 13  # ticks spent in burning cells
    WORK = 14  # ticks spent on the present cut
    DOWN = 15  # 1: broken down for good


def observation(params: Params) -> ObservationSpec:
    """The sizes of the observation and the names of its entries."""
    return ObservationSpec(names(Channel), 2 * params.sight + 1, names(Column), params.messages, 0, OLDEST + 1)

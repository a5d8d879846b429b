"""Craft as frames: materials, and plants (on grass), without creatures.

The cell of the player has the material below it.
"""

from typing import Any

import numpy as np

from sandbox.core.frames import Framing
from sandbox.core.world import Observation, names
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.layouts import SYMBOLS
from sandbox.worlds.craft.state import CHUNK, DOWN, SIDE, Achievement, Body, Channel, Kind, Material, Mob, Verb

PLANT, RIPE = len(Material), len(Material) + 1
VIEW = slice(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1)  # rows of the window that are in view
EXAMPLE = """
TTTTTTTTTTTTTT
T..........~~T
T.TT......~~~T
T.T........~~T
T......@.....T
T..........::T
T..##.....:::T
T.####.......T
T.##c##..t...T
T.###i#......T
T..####....T.T
TTTTTTTTTTTTTT
"""


def seen(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """The frames (7 x 9) that the player of each lane sees."""
    window = observation.window[:, 0]
    material, thing = window[:, Channel.MATERIAL, VIEW], window[:, Channel.THING, VIEW]
    cells = np.where(thing == Kind.PLANT, PLANT, np.where(thing == Kind.RIPE, RIPE, material)).astype(np.int8)
    return cells, np.maximum(window[:, Channel.FACING, SIDE // 2, SIDE // 2] - 1, 0).astype(np.int8)


def read(s: Any, lane: int) -> tuple[np.ndarray, int]:
    """The whole map of a lane, and the way that its player faces."""
    cells = s.grid[lane].copy()
    for mob in s.mobs[lane, : s.census[lane]]:
        if mob[Mob.KIND] == Kind.PLANT:
            cells[mob[Mob.ROW], mob[Mob.COL]] = RIPE if mob[Mob.CLOCK] > RIPE_AT else PLANT
    return cells, int(s.body[lane, 0, Body.FACING])


def write(s: Any, lane: int, cells: np.ndarray, place: tuple[int, int], facing: int) -> None:
    """Make a lane look as these cells do, with its player at ``place``."""
    s.grid[lane] = np.where(cells >= PLANT, Material.GRASS, cells)
    s.object_at[lane], s.mobs[lane], s.census[lane] = 0, 0, 0
    for slot, (row, col) in enumerate(np.argwhere(cells >= PLANT)[: s.mobs.shape[1]].tolist()):
        clock = RIPE_AT + 1 if cells[row, col] == RIPE else 0
        s.mobs[lane, slot, [Mob.KIND, Mob.ROW, Mob.COL, Mob.CLOCK]] = Kind.PLANT, row, col, clock
        s.census[lane] = slot + 1
    s.pos[lane, 0], s.body[lane, 0, Body.FACING] = place, facing


def start(text: str) -> dict[str, Any]:
    """The plants of a map: a world without creatures leaves out all that is no material."""
    rows = text.splitlines()
    places = [(row, col) for row, line in enumerate(rows) for col, symbol in enumerate(line) if symbol == "P"]
    return {"mobs": [{"kind": "plant", "row": row, "col": col} for row, col in places]}


def spoken(verb: str) -> str:
    """A verb on a key."""
    return {"noop": "nothing", "do": "use"}.get(verb, verb.removeprefix("move_").replace("_", " "))


FRAMES = Framing(
    tokens=("nothing", *names(Material)[1:], "plant", "ripe plant"),
    symbols=(*(SYMBOLS[each] for each in Material), "P", ""),
    player="@",
    left_out="CZK",
    size=(2 * DOWN + 1, SIDE),
    least=CHUNK,
    options={"agents": 1, "mobs": False, "goal": "none"},
    seen=seen,
    read=read,
    write=write,
    start=start,
    floor=(Material.GRASS, Material.PATH, Material.SAND),
    example=EXAMPLE,
    lacks="The dream has no inventory: it digs stone with bare hands, and puts down what it does not have.",
    spoken=spoken,
    moves=names(Verb)[Verb.MOVE_LEFT : Verb.DO],
    acts=names(Verb)[: Verb.DO + 1],
    aims=(Material.TREE, Material.WATER, Material.STONE, Material.COAL, Material.IRON, Material.SAND),
    taken={Material.TREE: lambda s, lane: int(s.achieved[lane, 0, Achievement.COLLECT_WOOD])},
    awake=lambda s, lane: not s.body[lane, 0, Body.SLEEPING],
)

"""Craft's achievement graph, from the recipes, and the way to things that an agent knows."""

import networkx as nx
import numpy as np

from sandbox.core.errors import unknown
from sandbox.core.world import Ladder
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.recipes import COLLECT, MAKE, PLACE, WALKS
from sandbox.worlds.craft.dynamics.things import DCOL, DROW
from sandbox.worlds.craft.state import Achievement, Body, Kind, Material, Mob, State, Verb

MATERIALS = ("water", "grass", "stone", "path", "sand", "tree", "coal", "iron", "diamond", "table", "furnace")
CREATURES = ("cow", "zombie", "skeleton", "plant")
REACH = 20  # cells within which a placed thing counts as at hand
_VITALS = ("health", "food", "drink", "energy")
_FEEDS = {"collect_drink": Body.DRINK, "eat_cow": Body.FOOD, "eat_plant": Body.FOOD}


def _graph() -> nx.DiGraph:
    graph = nx.DiGraph()
    for what in ("table", "furnace", "plant"):
        graph.add_node(f"place_{what}", leaves=what)
    for what in ("zombie", "skeleton"):
        graph.add_node(f"defeat_{what}", foe=what)
    graph.add_nodes_from(each.name.lower() for each in Achievement)
    for require, item, _, _ in COLLECT.values():
        if require:
            graph.add_edge(f"make_{require}", f"collect_{item}", amount=1)
    for what, (uses, near) in MAKE.items():
        graph.add_edges_from((f"place_{station}", f"make_{what}", {"amount": 1}) for station in near)
        graph.add_edges_from((f"collect_{item}", f"make_{what}", {"amount": n}) for item, n in uses.items())
    for what, (uses, _) in PLACE.items():
        graph.add_edges_from((f"collect_{item}", f"place_{what}", {"amount": n}) for item, n in uses.items())
    graph.add_edge("place_plant", "eat_plant", amount=1)
    return graph


def achieved(s: State, lane: int, agent: int) -> dict[str, int]:
    """How often the player has unlocked each achievement, by name."""
    return {each.name.lower(): int(s.achieved[lane, agent, each]) for each in Achievement}


def holding(s: State, lane: int, agent: int) -> dict[str, int]:
    """Items in hand, levels of food and drink, tables and furnaces within ``REACH``; else 1 if it was ever achieved."""
    body, found = s.body[lane, agent], achieved(s, lane, agent)
    for name in found:
        word, _, what = name.partition("_")
        if name in _FEEDS:
            found[name] = int(body[_FEEDS[name]])
        elif word in ("collect", "make"):
            found[name] = int(body[Body[what.upper()]])
        elif what in ("table", "furnace"):
            cells = np.argwhere(s.grid[lane] == Material[what.upper()])
            found[name] = int((np.abs(cells - s.pos[lane, agent]).sum(axis=1) <= REACH).sum())
    return found | {name: int(body[Body[name.upper()]]) for name in _VITALS}


def _cells(s: State, lane: int, kind: str) -> np.ndarray:
    """(H, W) bool: the cells with a kind of thing."""
    if kind in MATERIALS:
        return s.grid[lane] == Material[kind.upper()]
    if kind not in CREATURES:
        raise unknown("kind", kind, (*MATERIALS, *CREATURES), "toward")
    cells, mobs = np.zeros(s.grid.shape[1:], np.bool_), s.mobs[lane, : s.census[lane]]
    mobs = mobs[mobs[:, Mob.KIND] == Kind[kind.upper()]]
    cells[mobs[:, Mob.ROW], mobs[:, Mob.COL]] = True
    return cells


def _around(cells: np.ndarray) -> np.ndarray:
    """(H, W) bool: ``cells`` and their eight neighbours."""
    padded = np.pad(cells, 1)
    height, width = cells.shape
    return np.any([padded[r : r + height, c : c + width] for r in range(3) for c in range(3)], axis=0)


def toward(s: State, lane: int, agent: int, kind: str, by: str | None = None) -> str | None:
    """The next verb on the way to the nearest cell of a kind; if none can be reached, to the edge of the known map.

    "": the player faces it. None: no way. The way leads over free land, and through stone once the player can dig it.
    """
    goal, free = _cells(s, lane, kind), s.object_at[lane] == 0
    digs = s.achieved[lane, agent, Achievement.COLLECT_STONE] > 0 and s.body[lane, agent, Body.WOOD_PICKAXE] > 0
    stone = (s.grid[lane] == Material.STONE) & bool(digs)
    walk = (WALKS[np.abs(s.grid[lane])] | stone) & free
    stand = _around(_cells(s, lane, by)) if by else np.ones_like(walk)
    goal &= free | (kind in CREATURES)
    scratch = np.empty(walk.size, np.int32), np.empty(walk.size, np.int8)
    at = int(s.pos[lane, agent, 0]), int(s.pos[lane, agent, 1]), int(s.body[lane, agent, Body.FACING])
    code = first_step(walk, goal, stand, *at, *scratch) if goal.any() else -1
    if code < 0:
        code = first_step(walk, s.grid[lane] == Material.UNKNOWN, np.ones_like(walk), *at, *scratch)
        code = code % 4 if code >= 0 else code
    if code < 0:
        return None
    side = code % 4
    ahead = at[0] + DROW[side], at[1] + DCOL[side]
    if code >= 4 and side == at[2]:
        return ""
    dig = code < 4 and side == at[2] and stone[ahead]
    return "do" if dig else Verb(int(Verb.MOVE_LEFT) + side).name.lower()


@kernel
def first_step(walk, goal, stand, row, col, facing, queue, came):
    """Breadth-first search for the nearest cell of ``stand`` beside one of ``goal``; ``walk`` too is (H, W) bool.

    Returns the side (Facing) of the first step; 4 + side: the goal is beside the player, that ahead first; -1: no way.
    ``queue`` (H * W) int32 and ``came`` (H * W) int8 are scratch.
    """
    height, width = walk.shape
    for k in range(came.size):
        came[k] = -1
    queue[0], came[row * width + col], head, tail = row * width + col, 4, 0, 1
    while head < tail:
        cell = queue[head]
        r, c = cell // width, cell % width
        head += 1
        for turn in range(4):
            side = (facing + turn) % 4 if head == 1 else turn
            a, b = r + DROW[side], c + DCOL[side]
            if a < 0 or b < 0 or a >= height or b >= width:
                continue
            if goal[a, b] and stand[r, c]:
                return came[cell] if head > 1 else 4 + side
            if walk[a, b] and came[a * width + b] < 0:
                came[a * width + b] = side if head == 1 else came[cell]
                queue[tail] = a * width + b
                tail += 1
    return -1


LADDER = Ladder(
    graph=_graph(),
    milestones={"wood": "make_wood_pickaxe", "stone": "make_stone_pickaxe", "iron": "make_iron_pickaxe",
                "diamond": "collect_diamond"},
    places=MATERIALS + CREATURES,
    verbs=tuple(verb.name.lower() for verb in Verb if verb >= Verb.DO),
    vitals=_VITALS[1:],
    achieved=achieved,
    holding=holding,
    knows=lambda s, lane, kind: bool(_cells(s, lane, kind).any()),
    toward=toward,
)  # fmt: skip

"""What a player believes: a lane of imagined state, made from its own observation and memory."""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.core.maps import around
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.mobs import HEALTH
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.dynamics.things import add, chunk_of, count_materials, keep_inside, list_chunk
from sandbox.worlds.craft.state import (
    ACROSS,
    DOWN,
    FIRST_ACHIEVEMENT,
    FIRST_ITEM,
    ITEMS,
    SIDE,
    Body,
    Channel,
    Column,
    Kind,
    Material,
    Mob,
    Note,
    Params,
    State,
)  # fmt: skip

# -- facts: a lane as a list of facts, and which of them a player sees. The prediction error is measured on them.


def ground_truth(s: State, lane: int, params: Params) -> np.ndarray:
    """(2 H W + 16 N,) int64: each cell's Material and Kind; each player's items."""
    kinds = np.concatenate([[Kind.NONE], np.full(params.agents, Kind.PLAYER), s.mobs[lane, :, Mob.KIND]])
    parts = s.grid[lane], kinds[s.object_at[lane]], s.body[lane][:, ITEMS]
    return np.concatenate([part.ravel() for part in parts]).astype(np.int64)


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """(2 H W + 16 N,) bool: the cells of its window, and its own items."""
    near = around(params.plan.shape, s.pos[lane, agent], DOWN, ACROSS).ravel()
    return np.concatenate([near, near, np.repeat(np.arange(params.agents) == agent, len(ITEMS))])


# -- value: lives and needs of the players, in achievements

LIFE, POINT = 5.0, 0.1  # for each living player; for each point of health, as in crafter's reward
NEED, LOW = 0.05, 4  # for each squared point of food, drink or energy below LOW


@kernel
def value(s, lane, params):
    """The value of a lane, summed over players."""
    total = 0.0
    for agent in range(params.agents):
        body = s.body[lane, agent]
        if s.pos[lane, agent, 0] < 0 or body[Body.HEALTH] <= 0:
            continue
        total += LIFE + POINT * body[Body.HEALTH]
        for need in range(Body.FOOD, Body.ENERGY + 1):
            total -= NEED * max(0, LOW - body[need]) ** 2
    return total


# -- belief


@kernel
def _empty(out, to, params):
    """Clear a lane: an unknown map without players and mobs."""
    out.tick[to], out.done[to], out.census[to] = 0, Finish.RUNNING, 0
    for slot in range(out.mobs.shape[1]):
        for column in range(out.mobs.shape[2]):
            out.mobs[to, slot, column] = 0
    for row in range(params.plan.shape[0]):
        for col in range(params.plan.shape[1]):
            out.grid[to, row, col], out.object_at[to, row, col] = Material.UNKNOWN, 0
    for agent in range(params.agents):
        out.pos[to, agent, 0], out.pos[to, agent, 1] = -1, -1
        out.reward[to, agent], out.refused[to, agent] = 0, 0
        for column in range(out.body.shape[2]):
            out.body[to, agent, column] = 0
        for k in range(out.achieved.shape[2]):
            out.achieved[to, agent, k] = 0


@kernel
def _believe_player(out, to, agent, row, col, facing, health):
    """Put a player in the cell where it is believed to be; ``health`` is also its food, drink and energy."""
    body = out.body[to, agent]
    out.pos[to, agent, 0], out.pos[to, agent, 1] = row, col
    out.object_at[to, row, col] = agent + 1
    for item in range(Body.HEALTH, Body.ENERGY + 1):
        body[item] = health
    body[Body.FACING], body[Body.FELT], body[Body.PAID] = facing, health, health


@kernel
def believe(obs, lane, agent, memory, params, seed, out, to):
    """Fill lane ``to`` of ``out`` with what ``agent`` believes; ``seed`` (uint64) keys its draws.

    It knows the map that it has seen, the things in view, its own items and achievements. The rest of the map is
    unknown and empty. The counters of its needs start at 0. The time of day follows its own count of ticks.
    """
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    row, col = int(vector[Column.ROW]), int(vector[Column.COL])
    keep_inside(window, row, col, params.plan)
    _empty(out, to, params)
    out.seed[to], out.tick[to] = seed, memory.notes[lane, agent, Note.CLOCK]
    for r in range(params.plan.shape[0]):
        for c in range(params.plan.shape[1]):
            out.grid[to, r, c] = memory.seen[lane, agent, r, c]
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        for j in range(SIDE):
            if window[Channel.MATERIAL, i, j] != Material.UNKNOWN:
                out.grid[to, row + i - SIDE // 2, col + j - ACROSS] = window[Channel.MATERIAL, i, j]
    count_materials(out.grid[to], out.chunks[to])
    if row < 0:
        return
    list_chunk(out.chunks[to], chunk_of(out.grid[to], row, col))
    _believe_player(out, to, agent, row, col, int(vector[Column.FACING]), 0)
    body = out.body[to, agent]
    body[Body.SLEEPING] = int(vector[Column.SLEEPING])
    for k in range(Body.HEALTH, len(body)):
        body[k] = int(vector[FIRST_ITEM + k - Body.HEALTH])
    body[Body.FELT] = body[Body.PAID] = body[Body.HEALTH]
    for k in range(out.achieved.shape[2]):
        out.achieved[to, agent, k] = int(vector[FIRST_ACHIEVEMENT + k])
        body[Body.UNLOCKED] += out.achieved[to, agent, k]
    if body[Body.HEALTH] == 0:
        out.object_at[to, row, col] = 0
    _believe_things(window, row, col, agent, params, out, to)


@kernel
def _believe_things(window, row, col, agent, params, out, to):
    """Put mobs and other players in view where they are seen."""
    other = 0
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        for j in range(SIDE):
            kind, r, c = window[Channel.THING, i, j], row + i - SIDE // 2, col + j - ACROSS
            if kind == Kind.NONE or out.object_at[to, r, c]:
                continue
            if kind == Kind.PLAYER:
                other += other == agent
                if other < params.agents and (r != row or c != col):
                    _believe_player(out, to, other, r, c, max(0, window[Channel.FACING, i, j] - 1), 9)
                    other += 1
            elif kind >= Kind.PLANT:
                add(out, to, Kind.PLANT, r, c, 1, 0)
                if kind == Kind.RIPE:
                    out.mobs[to, out.census[to] - 1, Mob.CLOCK] = RIPE_AT + 1
            elif kind == Kind.ARROW:
                add(out, to, kind, r, c, 0, max(0, window[Channel.FACING, i, j] - 1))
            else:
                add(out, to, kind, r, c, HEALTH[kind - Kind.COW], 0)

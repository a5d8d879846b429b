"""What a player takes the world to be: a lane of imagined state from its own observation and memory."""

from sandbox.core.finish import Finish
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.mobs import HEALTH
from sandbox.worlds.craft.players import RIPE_AT
from sandbox.worlds.craft.state import ACROSS, DOWN, SIDE, Body, Kind, Material, Mob, Note
from sandbox.worlds.craft.things import add, chunk_of, count_materials, keep_inside, list_chunk


@kernel
def _empty(out, to, rules):
    """Nothing and nobody."""
    out.tick[to], out.done[to], out.census[to] = 0, Finish.RUNNING, 0
    for slot in range(out.mobs.shape[1]):
        for column in range(out.mobs.shape[2]):
            out.mobs[to, slot, column] = 0
    for row in range(rules.plan.shape[0]):
        for col in range(rules.plan.shape[1]):
            out.grid[to, row, col], out.object_at[to, row, col] = Material.UNKNOWN, 0
    for agent in range(rules.agents):
        out.pos[to, agent, 0], out.pos[to, agent, 1] = -1, -1
        out.reward[to, agent], out.refused[to, agent] = 0, 0
        for column in range(out.body.shape[2]):
            out.body[to, agent, column] = 0
        for k in range(out.achieved.shape[2]):
            out.achieved[to, agent, k] = 0


@kernel
def _believe_player(out, to, agent, row, col, facing, health):
    """Stand a player where it is believed to be, well if nothing else is known."""
    body = out.body[to, agent]
    out.pos[to, agent, 0], out.pos[to, agent, 1] = row, col
    out.object_at[to, row, col] = agent + 1
    for item in range(Body.HEALTH, Body.ENERGY + 1):
        body[item] = health
    body[Body.FACING], body[Body.FELT], body[Body.PAID] = facing, health, health


@kernel
def believe(obs, lane, agent, memory, rules, seed, out, to):
    """Lane ``to`` of ``out``: the world as ``agent`` takes it to be, with dice of its own (``seed``).

    Known are the part of the map that it remembers and sees, the things in view, its own items and achievements. The
    rest of the map is unknown, and nobody is there; the counters of its needs begin anew. The time of day is by its own
    count of ticks.
    """
    window, vector = obs.window[lane, agent], obs.vector[lane, agent]
    row, col = int(vector[0]), int(vector[1])
    keep_inside(window, row, col, rules.plan)
    _empty(out, to, rules)
    out.seed[to], out.tick[to] = seed, memory.notes[lane, agent, Note.CLOCK]
    for r in range(rules.plan.shape[0]):
        for c in range(rules.plan.shape[1]):
            out.grid[to, r, c] = memory.seen[lane, agent, r, c]
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        for j in range(SIDE):
            if window[0, i, j] != Material.UNKNOWN:
                out.grid[to, row + i - SIDE // 2, col + j - ACROSS] = window[0, i, j]
    count_materials(out.grid[to], out.chunks[to])
    if row < 0:
        return
    list_chunk(out.chunks[to], chunk_of(out.grid[to], row, col))
    _believe_player(out, to, agent, row, col, int(vector[2]), 0)
    body = out.body[to, agent]
    body[Body.SLEEPING] = int(vector[3])
    for k in range(Body.HEALTH, len(body)):
        body[k] = int(vector[5 + k - Body.HEALTH])
    body[Body.FELT] = body[Body.PAID] = body[Body.HEALTH]
    for k in range(out.achieved.shape[2]):
        out.achieved[to, agent, k] = int(vector[21 + k])
        body[Body.UNLOCKED] += out.achieved[to, agent, k]
    if body[Body.HEALTH] == 0:
        out.object_at[to, row, col] = 0
    _believe_things(window, row, col, agent, rules, out, to)


@kernel
def _believe_things(window, row, col, agent, rules, out, to):
    """Stand the mobs and the other players in view where they are seen."""
    other = 0
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        for j in range(SIDE):
            kind, r, c = window[1, i, j], row + i - SIDE // 2, col + j - ACROSS
            if kind == Kind.NONE or out.object_at[to, r, c]:
                continue
            if kind == Kind.PLAYER:
                other += other == agent
                if other < rules.agents and (r != row or c != col):
                    _believe_player(out, to, other, r, c, max(0, window[2, i, j] - 1), 9)
                    other += 1
            elif kind >= Kind.PLANT:
                add(out, to, Kind.PLANT, r, c, 1, 0)
                if kind == Kind.RIPE:
                    out.mobs[to, out.census[to] - 1, Mob.CLOCK] = RIPE_AT + 1
            elif kind == Kind.ARROW:
                add(out, to, kind, r, c, 0, max(0, window[2, i, j] - 1))
            else:
                add(out, to, kind, r, c, HEALTH[kind - Kind.COW], 0)

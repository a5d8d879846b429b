"""Craft's compiled policies: idle, random, uniform, rules, oracle. The last two decide alike (``planning``)."""

from sandbox.core.world import TaskColumn
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.craft.dynamics.kernels import _feel, _look
from sandbox.worlds.craft.dynamics.mobs import daylight
from sandbox.worlds.craft.dynamics.things import keep_inside
from sandbox.worlds.craft.policies.planning import think
from sandbox.worlds.craft.state import Channel, Column, Kind, Material, Mob, Note, Severity


@kernel
def uniform(obs, lane, params, memory, team, dice, actions):
    """Each of the seventeen verbs with equal chance, legal or not: crafter's random baseline."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = below(params.verbs, dice, 0, 0, agent), 0


@kernel
def _remember(known, window, row, col):
    """Write the materials in view to the remembered map."""
    for i in range(1, 8):
        for j in range(9):
            if window[Channel.MATERIAL, i, j] != Material.UNKNOWN:
                known[row + i - 4, col + j - 4] = window[Channel.MATERIAL, i, j]


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Maps what it sees, explores for what is missing, and climbs the tech tree, its team's task first."""
    for agent in team:
        window, vector, known = obs.window[lane, agent], obs.vector[lane, agent], memory.seen[lane, agent]
        row, col = int(vector[Column.ROW]), int(vector[Column.COL])
        keep_inside(window, row, col, known)
        _remember(known, window, row, col)
        task = obs.task[lane, agent]
        wanted = task[TaskColumn.ARGUMENT] if task[TaskColumn.KIND] else -1
        verb = think(known, window, vector, wanted, params, memory, lane, agent, dice)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, 0


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """The same with the whole map, and without sensor noise."""
    for agent in team:
        window, vector = memory.eye[lane], memory.mind[lane]
        _look(s, lane, agent, window)
        _feel(s, lane, agent, daylight(s.tick[lane], params.severity[Severity.NIGHT]), vector)
        if memory.notes[lane, agent, Note.COW] < 0:
            _point_at_cow(s, lane, agent, memory)
        verb = think(s.grid[lane], window, vector, -1, params, memory, lane, agent, dice)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, 0


@kernel
def _point_at_cow(s, lane, agent, memory):
    """Note the cell of the nearest cow."""
    best = 1 << 20
    for slot in range(s.census[lane]):
        if s.mobs[lane, slot, Mob.KIND] == Kind.COW:
            row, col = s.mobs[lane, slot, Mob.ROW], s.mobs[lane, slot, Mob.COL]
            far = abs(row - s.pos[lane, agent, 0]) + abs(col - s.pos[lane, agent, 1])
            if far < best:
                best, memory.notes[lane, agent, Note.COW] = far, row * s.grid.shape[2] + col


@kernel
def start(memory, lane, params):
    """Clear the memory of one lane."""
    for agent in range(params.agents):
        for note in range(memory.notes.shape[2]):
            memory.notes[lane, agent, note] = 0
        memory.notes[lane, agent, Note.COW] = -1
        for row in range(params.plan.shape[0]):
            for col in range(params.plan.shape[1]):
                memory.seen[lane, agent, row, col] = Material.UNKNOWN


POLICIES = {"idle": idle, "random": random, "uniform": uniform, "rules": rules, "oracle": oracle}

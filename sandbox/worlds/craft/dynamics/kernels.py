"""Craft's kernels: reset, step, observe. With one player they are equal to crafter 1.8.3 at every step.

A tick: players act in order, then the mobs near a player in the order in which they appeared; every tenth tick, the
chunks are balanced. With several players, mobs follow the nearest, and a dead player leaves the map. As in crafter's
semantic view, darkness hides nothing.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.dynamics.mobs import BALANCED_EVERY, COW_HEALTH, balance, daylight, update_mobs
from sandbox.worlds.craft.dynamics.players import RIPE_AT, _fill_mask, _legal, update_player
from sandbox.worlds.craft.dynamics.recipes import WALKS
from sandbox.worlds.craft.dynamics.terrain import generate, populate
from sandbox.worlds.craft.dynamics.things import add, chunk_of, compact, count_materials, list_chunk
from sandbox.worlds.craft.state import (
    ACROSS,
    DOWN,
    FIRST_ACHIEVEMENT,
    FIRST_ITEM,
    MOST,
    SIDE,
    Body,
    Channel,
    Column,
    Facing,
    Kind,
    Material,
    Mob,
    Severity,
    Verb,
)


@kernel
def _settle(s, lane, agent, params):
    """Put a player on its start, else on the free cell nearest to the centre (in square rings)."""
    height, width = params.plan.shape
    row, col = height // 2, width // 2
    if agent < len(params.starts):
        row, col = params.starts[agent, 0], params.starts[agent, 1]
    ring = 0
    while ring < height + width:
        for r in range(max(0, row - ring), min(height, row + ring + 1)):
            for c in range(max(0, col - ring), min(width, col + ring + 1)):
                if max(abs(r - row), abs(c - col)) == ring:
                    if s.object_at[lane, r, c] == 0 and WALKS[abs(s.grid[lane, r, c])]:
                        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = r, c
                        s.object_at[lane, r, c] = agent + 1
                        return
        ring += 1


@kernel
def _newborn(s, lane, agent):
    """A new player: full health, food, drink and energy, empty hands, facing down."""
    body = s.body[lane, agent]
    for column in range(len(body)):
        body[column] = 0
    for column in (Body.HEALTH, Body.FOOD, Body.DRINK, Body.ENERGY, Body.FELT, Body.PAID):
        body[column] = MOST
    body[Body.FACING] = Facing.DOWN
    s.reward[lane, agent], s.refused[lane, agent] = 0, 0
    for k in range(s.achieved.shape[2]):
        s.achieved[lane, agent, k] = 0


@kernel
def reset(s, lane, params):
    """Begin the episode of ``s.seed[lane]``: map, players near its centre, first mobs."""
    height, width = params.plan.shape
    grid, drawn = s.grid[lane], params.plan[0, 0] != Material.UNKNOWN
    s.tick[lane], s.done[lane] = 0, Finish.RUNNING
    for slot in range(s.census[lane]):
        for column in range(s.mobs.shape[2]):
            s.mobs[lane, slot, column] = 0
    s.census[lane] = 0
    if not drawn:
        generate(grid, s.seed[lane], params.needed, not params.goal.any())
    for row in range(height):
        for col in range(width):
            s.object_at[lane, row, col] = 0
            if drawn:
                grid[row, col] = params.plan[row, col]
    for agent in range(params.agents):
        _newborn(s, lane, agent)
        _settle(s, lane, agent, params)
    count_materials(grid, s.chunks[lane])
    for agent in range(params.agents):
        list_chunk(s.chunks[lane], chunk_of(grid, s.pos[lane, agent, 0], s.pos[lane, agent, 1]))
    if drawn:
        for k in range(len(params.natives)):
            kind, row, col = params.natives[k]
            if s.object_at[lane, row, col] == 0:
                add(s, lane, kind, row, col, (COW_HEALTH, 5, 3, 0, 1)[kind - Kind.COW], 0)
    else:
        populate(s, lane, params.mobs)


@kernel
def _reached(s, lane, params):
    """Whether the team has unlocked all achievements of its goal."""
    asked = False
    for k in range(len(params.goal)):
        if params.goal[k]:
            asked = True
            unlocked = False
            for agent in range(params.agents):
                unlocked |= s.achieved[lane, agent, k] > 0
            if not unlocked:
                return False
    return asked


@kernel
def _pay(s, lane, agent):
    """Crafter's reward: a tenth of the change of health, and 1 if the player unlocked an achievement."""
    body, total = s.body[lane, agent], 0
    for k in range(s.achieved.shape[2]):
        total += s.achieved[lane, agent, k] > 0
    reward = (body[Body.HEALTH] - body[Body.PAID]) / 10
    if total > body[Body.UNLOCKED]:
        reward += 1
    s.reward[lane, agent] = reward
    body[Body.PAID], body[Body.UNLOCKED] = body[Body.HEALTH], total


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as noop."""
    if s.done[lane] == Finish.RUNNING:
        advance(s, lane, actions, params)


@kernel
def advance(s, lane, actions, params):
    """The tick itself. It is a kernel of its own because ``step`` is compiled anew into the loop of every policy."""
    s.tick[lane] += 1
    used = s.census[lane]
    for agent in range(1, params.agents):  # legal at the start of the tick; refused if another player made it illegal
        s.refused[lane, agent] = _legal(s, lane, agent, _known(actions, lane, agent))
    for agent in range(params.agents):
        if s.body[lane, agent, Body.HEALTH] > 0 and s.pos[lane, agent, 0] >= 0:
            was_legal = agent > 0 and s.refused[lane, agent] > 0
            update_player(s, lane, agent, _known(actions, lane, agent), was_legal, params)
        else:
            s.refused[lane, agent] = 0
    _close(s, lane, update_mobs(s, lane, used), params)


@kernel
def _close(s, lane, gone, params):
    """The end of a tick: chunks are balanced, players are paid, the episode ends. ``gone``: a mob was removed."""
    if params.mobs and s.tick[lane] % BALANCED_EVERY == 0:
        gone |= balance(s, lane, daylight(s.tick[lane], params.severity[Severity.NIGHT]))
    if gone:
        compact(s, lane)
    alive = False
    for agent in range(params.agents):
        _pay(s, lane, agent)
        if s.body[lane, agent, Body.HEALTH] > 0:
            alive |= s.pos[lane, agent, 0] >= 0
        elif s.object_at[lane, s.pos[lane, agent, 0], s.pos[lane, agent, 1]] == agent + 1:
            s.object_at[lane, s.pos[lane, agent, 0], s.pos[lane, agent, 1]] = 0
    if _reached(s, lane, params):
        s.done[lane] = Finish.COMPLETED
    elif not alive:
        s.done[lane] = Finish.STALLED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def _known(actions, lane, agent):
    """The verb of an agent; unknown verbs and targets count as noop."""
    verb = actions[lane, agent, 0]
    if actions[lane, agent, 1] != 0 or verb < 0 or verb > Verb.MAKE_IRON_SWORD:
        return np.int32(Verb.NOOP)
    return verb


@kernel
def _look(s, lane, agent, window):
    """Fill one window (3, 9, 9) int8; the 7 middle rows are in view, as in crafter."""
    height, width, players = s.grid.shape[1], s.grid.shape[2], s.pos.shape[1]
    top, left = s.pos[lane, agent, 0] - SIDE // 2, s.pos[lane, agent, 1] - ACROSS
    for i in range(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1):
        for j in range(SIDE):
            row, col = top + i, left + j
            window[Channel.THING, i, j], window[Channel.FACING, i, j] = Kind.NONE, 0
            if row < 0 or col < 0 or row >= height or col >= width:
                window[Channel.MATERIAL, i, j] = Material.UNKNOWN
                continue
            window[Channel.MATERIAL, i, j] = s.grid[lane, row, col]
            thing = s.object_at[lane, row, col]
            if thing > players:
                mob = s.mobs[lane, thing - 1 - players]
                window[Channel.THING, i, j] = mob[Mob.KIND]
                if mob[Mob.KIND] == Kind.ARROW:
                    window[Channel.FACING, i, j] = mob[Mob.FACING] + 1
                elif mob[Mob.KIND] == Kind.PLANT and mob[Mob.CLOCK] > RIPE_AT:
                    window[Channel.THING, i, j] = Kind.RIPE
            elif thing:
                window[Channel.THING, i, j] = Kind.PLAYER
                window[Channel.FACING, i, j] = s.body[lane, thing - 1, Body.FACING] + 1


@kernel
def _feel(s, lane, agent, light, vector):
    """Fill one vector (V,) float32."""
    body = s.body[lane, agent]
    vector[Column.ROW], vector[Column.COL] = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    vector[Column.FACING], vector[Column.SLEEPING] = body[Body.FACING], body[Body.SLEEPING]
    vector[Column.DAYLIGHT] = light
    for k in range(Body.HEALTH, len(body)):
        vector[FIRST_ITEM + k - Body.HEALTH] = body[k]
    for k in range(s.achieved.shape[2]):
        vector[FIRST_ACHIEVEMENT + k] = s.achieved[lane, agent, k] > 0


@kernel
def observe(s, lane, params, obs):
    """Observation and mask of each player."""
    perceive(s, lane, params, obs.window[lane], obs.vector[lane], obs.mask[lane])


@kernel
def perceive(s, lane, params, windows, vectors, masks):
    """The same. It is a kernel of its own, as ``advance`` is."""
    light = daylight(s.tick[lane], params.severity[Severity.NIGHT])
    for agent in range(params.agents):
        mask, window = masks[agent], windows[agent]
        _feel(s, lane, agent, light, vectors[agent])
        if s.pos[lane, agent, 0] >= 0:
            _look(s, lane, agent, window)
            _fill_mask(s, lane, agent, mask)
        else:
            for verb in range(len(mask)):
                mask[verb] = verb == Verb.NOOP

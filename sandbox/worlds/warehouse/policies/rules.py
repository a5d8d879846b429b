"""The warehouse's compiled policies: idle, random, rules (own observation), oracle (the state)."""

import numpy as np

from sandbox.core.world import TaskColumn
from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.warehouse.policies.oracle import oracle
from sandbox.worlds.warehouse.policies.routes import detour, distance, follow, neighbour, plan, verb_towards
from sandbox.worlds.warehouse.state import ORDERS, PER_ORDER, Cell, Channel, Column, Note, Order, Verb

GIVE_WAY = 0.35  # chance for each tick to give way to a robot ahead
GO_ROUND = 0.5  # chance to do so by another route; else by a step aside
STANDS = 3  # courier: ticks of waiting after which the robot ahead is assumed not to move; in a warehouse, at once
WAIT = np.int32(Verb.NOOP)
LOSE_HOPE = 12  # ticks of waiting, less cells moved, after which a robot chooses another target


@kernel
def _known(cells, cell):
    for other in cells:
        if other == cell:
            return True
    return False


@kernel
def _note_closed(obs, lane, agent, params, memory, row, col):
    """Remember closed aisle cells in sight; a new one discards the route."""
    height, width = params.plan.shape
    sight, closed, most = params.sight, memory.closed[lane, agent], memory.closed.shape[2]
    note = memory.notes[lane, agent]
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            r, c = row + i - sight, col + j - sight
            if obs.window[lane, agent, Channel.OBSTACLE, i, j] and 0 <= r < height and 0 <= c < width:
                if params.plan[r, c] < Cell.WALL and not _known(closed, r * width + c):
                    closed[note[Note.FOUND] % most] = r * width + c
                    note[Note.FOUND] += 1
                    note[Note.LEFT] = 0


@kernel
def _somewhere(params, agent, memory, lane, dice):
    """The present target until it is reached, then a random slot; courier: -1, none."""
    target, width = memory.notes[lane, agent, Note.TARGET], params.plan.shape[1]
    if target >= 0 and memory.notes[lane, agent, Note.LEFT] > 0:
        return target
    if params.courier:
        return np.int32(-1)
    home = params.homes[below(len(params.homes), dice, 1, 0, agent)]
    return home[0] * width + home[1]


@kernel
def _requested_in_sight(obs, lane, agent, params, row, col):
    """A cell in the window with a requested shelf and no robot; -1: none."""
    height, width = params.plan.shape
    window, sight = obs.window[lane, agent], params.sight
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            r, c = row + i - sight, col + j - sight
            waits = window[Channel.REQUESTED, i, j] > 0 and not window[Channel.AGENT, i, j]
            if waits and 0 <= r < height and 0 <= c < width and params.plan[r, c] == Cell.SLOT:
                return np.int32(r * width + c)
    return np.int32(-1)


@kernel
def _target_unladen(obs, lane, agent, params, memory, dice, row, col):
    """Where to go for a load: to the team's task, else the first waiting order, else one in sight, else anywhere.

    A target that it cannot get to is given up: it goes on with the next order, and leaves the team's task until its
    next load.
    """
    width, note = params.plan.shape[1], memory.notes[lane, agent]
    vector, task = obs.vector[lane, agent], obs.task[lane, agent]
    hopeless = note[Note.WAIT] > LOSE_HOPE
    if hopeless:
        note[Note.WAIT] = 0
    if task[TaskColumn.KIND] and task[TaskColumn.ROW] >= 0:
        cell = np.int32(task[TaskColumn.ROW]) * width + np.int32(task[TaskColumn.COL])
        if note[Note.GIVEN_UP] != cell + 1:
            if not hopeless:
                return cell
            note[Note.GIVEN_UP], hopeless = cell + 1, False
    if params.board and hopeless:
        note[Note.ORDER] = (note[Note.ORDER] + 1) % params.board
    for k in range(params.board):
        at = ORDERS + PER_ORDER * ((note[Note.ORDER] + k) % params.board)
        if vector[at + Order.WAITING]:
            return np.int32(vector[at + Order.ROW]) * width + np.int32(vector[at + Order.COL])
    if not params.board:
        seen = _requested_in_sight(obs, lane, agent, params, row, col)
        if seen >= 0:
            return seen
    return _somewhere(params, agent, memory, lane, dice)


@kernel
def _is_taken(obs, lane, agent, params, cell, row, col):
    """Whether the robot sees a shelf in another cell."""
    width, sight = params.plan.shape[1], params.sight
    i, j = cell // width - row + sight, cell % width - col + sight
    inside = 0 <= i <= 2 * sight and 0 <= j <= 2 * sight
    return inside and cell != row * width + col and obs.window[lane, agent, Channel.SHELF, i, j] > 0


@kernel
def _empty_slot(obs, lane, agent, params, row, col):
    """A slot beside the robot without a shelf or a robot; -1: none."""
    height, width = params.plan.shape
    window, sight = obs.window[lane, agent], params.sight
    for side in range(4):
        cell = neighbour(row * width + col, side, height, width)
        if cell >= 0 and params.plan[cell // width, cell % width] == Cell.SLOT:
            i, j = cell // width - row + sight, cell % width - col + sight
            if not (window[Channel.AGENT, i, j] or window[Channel.SHELF, i, j]):
                return np.int32(cell)
    return np.int32(-1)


@kernel
def _slot_for_load(obs, lane, agent, params, memory, dice, row, col):
    """Where to put a shelf that is not requested: back to where it was picked up.

    If that slot is taken or out of reach, the robot goes from slot to slot and takes the first empty one beside it.
    """
    note = memory.notes[lane, agent]
    hopeless = note[Note.WAIT] > LOSE_HOPE
    if note[Note.HOME] >= 0:
        if not (hopeless or _is_taken(obs, lane, agent, params, note[Note.HOME], row, col)):
            return note[Note.HOME]
    note[Note.HOME] = _empty_slot(obs, lane, agent, params, row, col)
    if note[Note.HOME] >= 0:
        return note[Note.HOME]
    target = note[Note.TARGET]
    if target < 0 or note[Note.LEFT] == 0 or hopeless or _is_taken(obs, lane, agent, params, target, row, col):
        home = params.homes[below(len(params.homes), dice, 2, 0, agent)]
        target = home[0] * params.plan.shape[1] + home[1]
    return np.int32(target)


@kernel
def _target_laden(obs, lane, agent, params, memory, dice, row, col):
    """The target with a load: a goal while the load is requested, else a slot."""
    width, sight = params.plan.shape[1], params.sight
    if params.courier:
        vector = obs.vector[lane, agent]
        return np.int32(vector[Column.GOAL_ROW]) * width + np.int32(vector[Column.GOAL_COL])
    if not obs.window[lane, agent, Channel.REQUESTED, sight, sight]:
        return _slot_for_load(obs, lane, agent, params, memory, dice, row, col)
    best, least = np.int32(-1), 1 << 30
    for k in range(len(params.goals)):
        goal = params.goals[(agent + k) % len(params.goals)]
        far = distance(row * width + col, goal[0] * width + goal[1], width)
        if far < least:
            best, least = goal[0] * width + goal[1], far
    return best


@kernel
def _step_aside(obs, lane, agent, params, memory, dice, row, col, ahead):
    """Put a free neighbouring cell on top of the route, if there is one."""
    height, width = params.plan.shape
    window, sight = obs.window[lane, agent], params.sight
    laden = obs.vector[lane, agent, Column.CARRYING] > 0 and not params.courier
    spin = below(4, dice, 3, 0, agent)
    for k in range(4):
        cell = neighbour(row * width + col, (spin + k) % 4, height, width)
        if cell < 0 or cell == ahead:
            continue
        i, j = cell // width - row + sight, cell % width - col + sight
        stopped = window[Channel.AGENT, i, j] or window[Channel.OBSTACLE, i, j]
        if not stopped and not (laden and window[Channel.SHELF, i, j]):
            detour(memory, lane, agent, np.int32(cell))
            return


@kernel
def _go(obs, lane, agent, params, memory, dice, target):
    """The verb that leads towards ``target``, giving way at random to robots ahead."""
    width, sight = params.plan.shape[1], params.sight
    vector = obs.vector[lane, agent]
    row, col, facing = int(vector[Column.ROW]), int(vector[Column.COL]), 0
    while not vector[Column.NORTH + facing]:
        facing += 1
    note = memory.notes[lane, agent]
    here, laden, left = np.int32(row * width + col), vector[Column.CARRYING] > 0, note[Note.LEFT]
    if target != note[Note.TARGET]:
        note[Note.WAIT] = 0
    there = follow(memory, lane, agent, params.plan, here, target, laden)
    if note[Note.LEFT] < left:
        note[Note.WAIT] = max(0, note[Note.WAIT] - 1)
    if there == here:
        note[Note.WAIT] += 1
        return WAIT
    verb = verb_towards(facing, here, there, width)
    if verb != Verb.FORWARD:
        return verb
    i, j = there // width - row + sight, there % width - col + sight
    if obs.mask[lane, agent, Verb.FORWARD] and not obs.window[lane, agent, Channel.AGENT, i, j]:
        return verb
    note[Note.WAIT] += 1
    if uniform(dice, 4, 0, agent) < GIVE_WAY:
        stands = note[Note.WAIT] > STANDS or not params.courier
        if stands and uniform(dice, 5, 0, agent) < GO_ROUND:
            plan(memory, lane, agent, params.plan, here, target, laden, there)
        else:
            _step_aside(obs, lane, agent, params, memory, dice, row, col, there)
        return WAIT
    return verb if obs.mask[lane, agent, Verb.FORWARD] else WAIT


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Each robot acts alone on its own observation and the plan, and gives way at random."""
    width, sight = params.plan.shape[1], params.sight
    for agent in team:
        window, vector, note = obs.window[lane, agent], obs.vector[lane, agent], memory.notes[lane, agent]
        row, col, laden = int(vector[Column.ROW]), int(vector[Column.COL]), vector[Column.CARRYING] > 0
        here = np.int32(row * width + col)
        _note_closed(obs, lane, agent, params, memory, row, col)
        verb = WAIT
        wanted = window[Channel.REQUESTED, sight, sight] > 0
        if not laden and wanted and obs.mask[lane, agent, Verb.TOGGLE_LOAD]:
            verb = np.int32(Verb.TOGGLE_LOAD)
            note[Note.HOME], note[Note.TARGET], note[Note.LOAD], note[Note.GIVEN_UP] = here, -1, 0, 0
            for k in range(params.board):
                at = ORDERS + PER_ORDER * k
                if vector[at + Order.ROW] == row and vector[at + Order.COL] == col:
                    note[Note.LOAD] = int(vector[at + Order.ID])
        elif laden and not wanted and not params.courier and here == note[Note.HOME]:
            verb = np.int32(Verb.TOGGLE_LOAD)
            note[Note.TARGET] = -1  # the home is kept, in case the shelf cannot be put down
        else:
            if laden:
                target = _target_laden(obs, lane, agent, params, memory, dice, row, col)
            else:
                target = _target_unladen(obs, lane, agent, params, memory, dice, row, col)
            if target >= 0:
                verb = _go(obs, lane, agent, params, memory, dice, target)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, 0


POLICIES = {"idle": idle, "random": random, "rules": rules, "oracle": oracle}

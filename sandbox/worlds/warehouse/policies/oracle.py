"""The oracle: sees the state, assigns the orders, and moves the team by priority inheritance with backtracking.

PIBT (Okumura and others, 2022, Artificial Intelligence 310) plans one cell for each robot in order of priority. A robot
in the way inherits the priority and must step aside; if it cannot, the other tries its next cell. Robots turn before
they move, so a robot enters its planned cell only when it faces it and the robot there leaves in the same tick. No move
of the team is refused.
"""

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.policies.routes import distance, follow, neighbour, verb_towards
from sandbox.worlds.warehouse.state import Cell, Note, Verb

PATIENCE = 6  # ticks without progress after which a robot gives up its priority and wanders


@kernel
def _here(s, lane, agent):
    return s.pos[lane, agent, 0] * s.grid.shape[2] + s.pos[lane, agent, 1]


@kernel
def _head_for(memory, lane, agent, cell, alone):
    """Set the agent's target (-1: none); ``alone``: no other agent may choose the cell while this one does."""
    note = memory.notes[lane, agent]
    old = note[Note.TARGET]
    if old >= 0 and memory.claim[lane, old] == agent + 1:
        memory.claim[lane, old] = 0
    if old != cell:
        note[Note.TARGET], note[Note.LEFT] = cell, 0
    if cell >= 0 and alone:
        memory.claim[lane, cell] = agent + 1


@kernel
def _unclaimed(memory, lane, agent, cell):
    return memory.claim[lane, cell] == 0 or memory.claim[lane, cell] == agent + 1


@kernel
def _free_slot(s, lane, cell, load, params):
    """Whether ``cell`` is a slot without a shelf, or with the agent's own ``load``."""
    width = params.plan.shape[1]
    shelf = s.shelf_at[lane, cell // width, cell % width]
    return params.plan[cell // width, cell % width] == Cell.SLOT and (shelf == 0 or shelf == load)


@kernel
def _waits(s, lane, shelf):
    """Whether no robot carries the shelf."""
    holder = s.agent_at[lane, s.shelf[lane, shelf - 1, 0], s.shelf[lane, shelf - 1, 1]] - 1
    return holder < 0 or s.carrying[lane, holder] != shelf


@kernel
def _nearest_order(s, lane, agent, params, memory):
    """The cell of the nearest requested shelf that no other robot heads for; -1: none."""
    width = params.plan.shape[1]
    here, best, least = _here(s, lane, agent), -1, 1 << 30
    for slot in range(params.requests):
        shelf = s.request[lane, slot]
        cell = s.shelf[lane, shelf - 1, 0] * width + s.shelf[lane, shelf - 1, 1]
        far = distance(here, cell, width)
        if far < least and _unclaimed(memory, lane, agent, cell) and _waits(s, lane, shelf):
            best, least = cell, far
    return best


@kernel
def _nearest_slot(s, lane, agent, params, memory):
    """The nearest empty slot that no other robot heads for; -1: none."""
    width = params.plan.shape[1]
    here, best, least = _here(s, lane, agent), -1, 1 << 30
    for k in range(len(params.homes)):
        cell = params.homes[k, 0] * width + params.homes[k, 1]
        far = distance(here, cell, width)
        if far < least and _unclaimed(memory, lane, agent, cell):
            if _free_slot(s, lane, cell, s.carrying[lane, agent], params):
                best, least = cell, far
    return best


@kernel
def _nearest_goal(s, lane, agent, params):
    width = params.plan.shape[1]
    here, best, least = _here(s, lane, agent), -1, 1 << 30
    for k in range(len(params.goals)):
        goal = params.goals[(agent + k) % len(params.goals)]
        far = distance(here, goal[0] * width + goal[1], width)
        if far < least:
            best, least = goal[0] * width + goal[1], far
    return best


@kernel
def _assign(s, lane, agent, params, memory):
    """Set the agent's target; returns whether it should toggle its load in its own cell."""
    width = params.plan.shape[1]
    load, here, target = s.carrying[lane, agent], _here(s, lane, agent), memory.notes[lane, agent, Note.TARGET]
    if load and params.courier:
        _head_for(memory, lane, agent, s.drop[lane, load - 1, 0] * width + s.drop[lane, load - 1, 1], False)
        return False
    if load and s.requested[lane, load - 1]:
        _head_for(memory, lane, agent, _nearest_goal(s, lane, agent, params), False)
        return False
    if load:
        if target < 0 or not _free_slot(s, lane, target, load, params):
            _head_for(memory, lane, agent, _nearest_slot(s, lane, agent, params, memory), True)
        return memory.notes[lane, agent, Note.TARGET] == here
    shelf = s.shelf_at[lane, target // width, target % width] if target >= 0 else 0
    if not (shelf and s.requested[lane, shelf - 1] and _waits(s, lane, shelf)):
        _head_for(memory, lane, agent, _nearest_order(s, lane, agent, params, memory), True)
    return memory.notes[lane, agent, Note.TARGET] == here


@kernel
def _enterable(s, lane, agent, cell, params):
    """Whether the agent can stand in ``cell`` once the robot that is there has left."""
    width = params.plan.shape[1]
    row, col = cell // width, cell % width
    if s.grid[lane, row, col] >= Cell.WALL:
        return False
    if not s.carrying[lane, agent] or params.courier or s.shelf_at[lane, row, col] == 0:
        return True
    other = s.agent_at[lane, row, col] - 1
    return other >= 0 and s.carrying[lane, other] > 0


@kernel
def _candidates(s, lane, agent, params, memory, dice, out):
    """Cells to try, best first, to ``out`` (5,): the route's, its own, then slots if unladen, the one ahead, others.

    A robot that has waited too long tries the others first. This breaks rings of robots that cannot all move at once.
    """
    height, width = params.plan.shape
    here, wanted = _here(s, lane, agent), memory.notes[lane, agent, Note.WANTED]
    wandering = memory.notes[lane, agent, Note.WAIT] > PATIENCE
    for k in range(5):
        out[k] = -1
    out[3 if wandering else 0], out[4 if wandering else 1] = wanted, here
    at, most = 0 if wandering else 2, 3 if wandering else 5
    spin = below(4, dice, 1, agent, 0)
    for turn in range(3):
        for k in range(4):
            side = (spin + k) % 4
            cell = neighbour(here, side, height, width)
            if cell < 0 or cell == wanted or at == most:
                continue
            kind = 2
            if not s.carrying[lane, agent] and params.plan[cell // width, cell % width] == Cell.SLOT:
                kind = 0
            elif s.facing[lane, agent] == side:
                kind = 1
            if kind == turn:
                out[at] = cell
                at += 1


@kernel
def _usable(s, lane, agent, cell, params, memory):
    """Whether the agent can plan to enter ``cell``: no other robot will be there, and the two do not swap."""
    if cell < 0 or memory.taken[lane, cell] or not _enterable(s, lane, agent, cell, params):
        return False
    other = s.agent_at[lane, cell // params.plan.shape[1], cell % params.plan.shape[1]] - 1
    if other < 0 or other == agent:
        return True
    return (
        memory.notes[lane, other, Note.NEXT] != _here(s, lane, agent) and memory.notes[lane, other, Note.NEXT] != cell
    )


@kernel
def _push(s, lane, first, params, memory, dice):
    """Plan the next cell of ``first`` and of the robots that it displaces, which are kept on a stack.

    If a robot finds a free cell, all below it on the stack move. If it finds none it stays, and the robot that pushed
    it tries its next cell.
    """
    width, top = params.plan.shape[1], 0
    stack = memory.stack[lane]
    stack[0, 0], stack[0, 1] = first, 0
    while top >= 0:
        agent = stack[top, 0]
        here = np.int32(_here(s, lane, agent))
        if stack[top, 1] == 0:
            _candidates(s, lane, agent, params, memory, dice, stack[top, 2:])
            memory.notes[lane, agent, Note.NEXT] = here  # planned, so that a push does not come back to it
        pushed = -1
        while stack[top, 1] < 5 and pushed < 0:
            cell = stack[top, 2 + stack[top, 1]]
            stack[top, 1] += 1
            if not _usable(s, lane, agent, cell, params, memory):
                continue
            pushed = s.agent_at[lane, cell // width, cell % width] - 1
            free = pushed < 0 or pushed == agent or memory.notes[lane, pushed, Note.NEXT] >= 0
            if not free and top + 1 == len(stack):
                pushed = -1
                continue
            memory.notes[lane, agent, Note.NEXT], memory.taken[lane, cell] = cell, agent + 1
            if free:
                return
        if pushed >= 0:
            top += 1
            stack[top, 0], stack[top, 1] = pushed, 0
        else:
            memory.notes[lane, agent, Note.NEXT], memory.taken[lane, here] = here, agent + 1
            top -= 1


@kernel
def _prioritise(notes):
    """Sort the column RANK by falling age; the order changes little from tick to tick, so insertion sort is fast."""
    for k in range(1, len(notes)):
        agent, at = notes[k, Note.RANK], k
        while at > 0 and notes[notes[at - 1, Note.RANK], Note.AGE] < notes[agent, Note.AGE]:
            notes[at, Note.RANK] = notes[at - 1, Note.RANK]
            at -= 1
        notes[at, Note.RANK] = agent


@kernel
def _leaves(s, lane, agent, memory, actions):
    """Whether the cell that the agent is about to enter is empty, or is left in this tick."""
    width, cell = s.grid.shape[2], memory.notes[lane, agent, Note.NEXT]
    other = s.agent_at[lane, cell // width, cell % width] - 1
    while other >= 0 and other != agent:
        if actions[lane, other, 0] != Verb.FORWARD or memory.notes[lane, other, Note.NEXT] == _here(s, lane, other):
            return False
        cell = memory.notes[lane, other, Note.NEXT]
        other = s.agent_at[lane, cell // width, cell % width] - 1
    return True


@kernel
def _prepare(s, lane, params, memory, team, actions):
    """Targets and routes for the team; other robots, and those that toggle now, keep their cells."""
    for cell in range(memory.taken.shape[1]):
        memory.taken[lane, cell] = 0
    for agent in range(params.agents):
        memory.notes[lane, agent, Note.NEXT] = _here(s, lane, agent)
    for agent in team:
        memory.notes[lane, agent, Note.NEXT] = -1
    for agent in team:
        here, note = np.int32(_here(s, lane, agent)), memory.notes[lane, agent]
        before, left = note[Note.TARGET], note[Note.LEFT]
        toggle = _assign(s, lane, agent, params, memory)
        target = note[Note.TARGET]
        note[Note.AGE] = note[Note.AGE] + 1 if target >= 0 and target == before else 0
        note[Note.WANTED] = here
        actions[lane, agent, 0], actions[lane, agent, 1] = Verb.TOGGLE_LOAD if toggle else Verb.NOOP, 0
        if toggle:
            note[Note.NEXT], note[Note.WAIT] = here, 0
        elif target >= 0:
            loaded = s.carrying[lane, agent] > 0 and not params.courier
            note[Note.WANTED] = follow(memory, lane, agent, s.grid[lane], here, target, loaded)
            note[Note.WAIT] = note[Note.WAIT] + 1 if note[Note.LEFT] >= left else 0
            if note[Note.WAIT] == PATIENCE + 3 + agent % 4:
                note[Note.AGE], note[Note.WAIT] = 0, -2
    for agent in range(params.agents):
        if memory.notes[lane, agent, Note.NEXT] >= 0:
            memory.taken[lane, memory.notes[lane, agent, Note.NEXT]] = agent + 1


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """Sees the state and makes one plan for the whole team."""
    _prepare(s, lane, params, memory, team, actions)
    width = params.plan.shape[1]
    _prioritise(memory.notes[lane])
    for k in range(params.agents):
        agent = memory.notes[lane, k, Note.RANK]
        if memory.notes[lane, agent, Note.NEXT] < 0:
            _push(s, lane, agent, params, memory, dice)
    for agent in team:
        here, there = np.int32(_here(s, lane, agent)), memory.notes[lane, agent, Note.NEXT]
        if there != here:
            actions[lane, agent, 0] = verb_towards(s.facing[lane, agent], here, there, width)
    for agent in team:
        if actions[lane, agent, 0] == Verb.FORWARD and not _leaves(s, lane, agent, memory, actions):
            actions[lane, agent, 0] = Verb.NOOP

"""The oracle: sees the state, assigns the tasks, and moves all cooks by priority inheritance with backtracking.

PIBT (Okumura and others, 2022, Artificial Intelligence 310) plans one cell for each cook in order of priority. A cook
in the way inherits the priority and must step aside; if he cannot, the other tries his next cell. No two cooks of the
team collide.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.dynamics.observe import time_left
from sandbox.worlds.kitchen.perturbations import HIMSELF, mood
from sandbox.worlds.kitchen.policies.assignments import assign
from sandbox.worlds.kitchen.policies.moves import AT_HAND, INTERACT, STAY, at_target, beside, towards
from sandbox.worlds.kitchen.policies.needs import ITEMS
from sandbox.worlds.kitchen.state import FAR, Cell, Cook, Plan, Pot

TAKEN = 1  # row of ``Memory.cells``: number + 1 of the cook that will be there next
WAITING, IDLE = -1000, -2000  # added to the priority of a cook who is early, of one without a task


@kernel
def _see(s, lane, params, cooks, cells, pots):
    """Fill cooks, things and pots from the state. A cook who is not himself gets no task."""
    width = params.plan.shape[1]
    for agent in range(len(cooks)):
        cook = cooks[agent]
        cook[Cook.CELL] = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1] if s.pos[lane, agent, 0] >= 0 else -1
        cook[Cook.FACING], cook[Cook.HELD] = s.facing[lane, agent], s.holding[lane, agent]
        cook[Cook.AWAY] = mood(s, lane, agent, params) != HIMSELF
    for cell in params.counters:
        cells[ITEMS, cell] = s.items[lane, cell // width, cell % width]
    for number in range(len(pots)):
        pot = s.pots[lane, number]
        pots[number, Plan.MIX] = pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]
        pots[number, Plan.LEFT] = time_left(pot, params)
        if pots[number, Plan.LEFT] > 0:
            pots[number, Plan.LEFT] = params.cook_time[pots[number, Plan.MIX]] + pot[Pot.EXTRA] - pot[Pot.TICKS]


@kernel
def _cost(cook, cell, params):
    """The cost of being in a cell next, in half steps. A cook who is early keeps one step away from his target."""
    if cook[Cook.TARGET] < 0:
        return 0 if cell == cook[Cook.CELL] else 1
    far = params.way[cook[Cook.TARGET], cell]
    if cook[Cook.WAIT] > AT_HAND:
        return 3 if far == 0 else 2 * far
    return 2 * far


@kernel
def _candidates(cook, params, out):
    """His own cell and its neighbours, best first, to ``out`` (5,); -1: none."""
    width, here = params.plan.shape[1], cook[Cook.CELL]
    out[0], count = here, 1
    for facing in range(4):
        cell = beside(here, facing, width)
        if params.plan[cell // width, cell % width] != Cell.FLOOR:
            continue
        at = count
        while at > 0 and _cost(cook, out[at - 1], params) > _cost(cook, cell, params):
            out[at] = out[at - 1]
            at -= 1
        out[at] = cell
        count += 1
    for k in range(count, 5):
        out[k] = -1


@kernel
def _standing(cooks, cell):
    """The cook in a cell, -1 if nobody."""
    for agent in range(len(cooks)):
        if cooks[agent, Cook.CELL] == cell:
            return agent
    return -1


@kernel
def _push(cooks, taken, stack, first, params):
    """Plan the next cell of ``first`` and of the cooks that he displaces, which are kept on a stack."""
    top = 0
    stack[0, 0], stack[0, 1] = first, 0
    while top >= 0:
        agent = stack[top, 0]
        here = cooks[agent, Cook.CELL]
        if stack[top, 1] == 0:
            _candidates(cooks[agent], params, stack[top, 2:])
            cooks[agent, Cook.NEXT] = here  # planned, so that a push does not come back to him
        pushed = -1
        while stack[top, 1] < 5 and pushed < 0:
            cell = stack[top, 2 + stack[top, 1]]
            stack[top, 1] += 1
            if cell < 0 or taken[cell]:
                continue
            pushed = _standing(cooks, cell)
            if pushed >= 0 and pushed != agent and cooks[pushed, Cook.NEXT] == here:
                pushed = -1  # a swap
                continue
            free = pushed < 0 or pushed == agent or cooks[pushed, Cook.NEXT] >= 0
            cooks[agent, Cook.NEXT], taken[cell] = cell, agent + 1
            if free:
                return
        if pushed >= 0:
            top += 1
            stack[top, 0], stack[top, 1] = pushed, 0
        else:
            cooks[agent, Cook.NEXT], taken[here] = here, agent + 1
            top -= 1


@kernel
def _priority(cook):
    if cook[Cook.TARGET] < 0:
        return np.int32(IDLE)
    return cook[Cook.AGE] + np.int32(WAITING if cook[Cook.WAIT] > AT_HAND else 0)


@kernel
def _prepare(cooks, taken, team, params, lane, actions):
    """Cooks beside their target who are not early stay, turn and interact; all others can be moved."""
    for cell in range(len(taken)):
        taken[cell] = 0
    for cook in cooks:
        cook[Cook.NEXT] = cook[Cook.CELL]
    for agent in team:
        cook = cooks[agent]
        if cook[Cook.AWAY] or cook[Cook.CELL] < 0:
            continue
        target, here = cook[Cook.TARGET], cook[Cook.CELL]
        if target >= 0 and params.way[target, here] >= FAR:
            cook[Cook.TARGET] = target = -1
        if target >= 0 and params.way[target, here] == 0 and cook[Cook.WAIT] <= AT_HAND:
            actions[lane, agent, 0] = at_target(cook, params)
        else:
            cook[Cook.NEXT] = -1
    for agent in range(len(cooks)):
        if cooks[agent, Cook.NEXT] >= 0:
            taken[cooks[agent, Cook.NEXT]] = agent + 1


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """Sees the state and makes one plan for the whole team; draws nothing."""
    cooks, cells, pots = memory.cooks[lane], memory.cells[lane], memory.pots[lane]
    _see(s, lane, params, cooks, cells, pots)
    assign(cooks, cells, pots, params)
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = STAY, 0
    _prepare(cooks, cells[TAKEN], team, params, lane, actions)
    for _ in range(len(cooks)):
        first = -1
        for agent in team:
            if cooks[agent, Cook.NEXT] < 0 and cooks[agent, Cook.CELL] >= 0:
                if first < 0 or _priority(cooks[agent]) > _priority(cooks[first]):
                    first = agent
        if first < 0:
            break
        _push(cooks, cells[TAKEN], memory.stack[lane], first, params)
    for agent in team:
        cook = cooks[agent]
        if cook[Cook.NEXT] >= 0 and cook[Cook.NEXT] != cook[Cook.CELL]:
            actions[lane, agent, 0] = towards(cook[Cook.NEXT], cook[Cook.CELL], params.plan.shape[1])
        busy = cook[Cook.TARGET] >= 0 and cook[Cook.WAIT] <= AT_HAND
        cook[Cook.AGE] = cook[Cook.AGE] + 1 if busy and actions[lane, agent, 0] != INTERACT else 0

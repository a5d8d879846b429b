"""The kitchen's compiled policies: idle, random, rules (own observation), oracle (the state)."""

import numpy as np

from sandbox.core.world import TaskColumn
from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.kitchen.belief import thing_seen
from sandbox.worlds.kitchen.policies.assignments import assign
from sandbox.worlds.kitchen.policies.moves import AT_HAND, STAY, at_target, beside
from sandbox.worlds.kitchen.policies.needs import DISH, ITEMS, ONION, TO_POT, TOMATO, source
from sandbox.worlds.kitchen.policies.oracle import oracle
from sandbox.worlds.kitchen.state import FAR, FIRST_POT, PER_POT, Cell, Channel, Column, Cook, Plan, PotColumn, Thing
from sandbox.worlds.kitchen.tasks import PLATE, POT


@kernel
def wanted(pot, kind, params):
    """What a pot (a row of ``Memory.pots``) needs next: an ingredient, a dish, NOTHING (a start); -1: no cook."""
    goal, mix = params.aim[pot[Plan.MIX]], pot[Plan.MIX]
    if kind == PLATE:
        return DISH if pot[Plan.LEFT] >= 0 else np.int32(-1)
    if kind != POT or pot[Plan.LEFT] >= 0:
        return np.int32(-1)
    if goal >= 0 and goal % 4 > mix % 4:
        return ONION
    if goal >= 0 and goal // 4 > mix // 4:
        return TOMATO
    return np.int32(Thing.NOTHING) if mix > 0 else np.int32(-1)


@kernel
def receive(cook, cells, pots, task, params):
    """Give a cook the target that the pot of his team's task needs, if he holds that thing or has free hands."""
    number = task[TaskColumn.ARGUMENT]
    if not POT <= task[TaskColumn.KIND] - 1 <= PLATE or params.way[params.pot_cell[number], cook[Cook.CELL]] >= FAR:
        return
    pot, held = pots[number], cook[Cook.HELD]
    thing, place = wanted(pot, task[TaskColumn.KIND] - 1, params), np.int32(-1)
    if thing == held:
        place = params.pot_cell[number]
    elif thing > 0 and held == Thing.NOTHING:
        place = source(cells, cook[Cook.CELL], thing, TO_POT, params)
    if place >= 0:
        cook[Cook.TARGET], cook[Cook.WAIT] = place, 0
        if thing == DISH and held == DISH:
            cook[Cook.WAIT] = pot[Plan.LEFT]


# -- policies

QUEUE, FIRST = 1, 2  # rows of ``Memory.cells`` in a path search
STEP_ASIDE = 0.3  # chance for each tick to step aside if others block every way
PRESS_ON = 0.7  # chance for each tick, if he does not step aside, to go on


@kernel
def start(memory, lane, params):
    """Clear the memory of one lane."""
    for agent in range(params.agents):
        for k in range(memory.cooks.shape[2]):
            memory.cooks[lane, agent, k] = 0
        memory.cooks[lane, agent, Cook.LAST] = -1


@kernel
def _see(obs, lane, agent, params, cooks, cells, pots):
    """Fill cooks, things and pots from one cook's observation."""
    window, vector, width = obs.window[lane, agent], obs.vector[lane, agent], params.plan.shape[1]
    top, left = int(vector[Column.ROW]) - params.sight, int(vector[Column.COL]) - params.sight
    for other in range(len(cooks)):
        cooks[other, Cook.CELL], cooks[other, Cook.AWAY] = -1, 0
    for cell in params.counters:
        i, j = cell // width - top, cell % width - left
        seen = 0 <= i < window.shape[1] and 0 <= j < window.shape[1]
        cells[ITEMS, cell] = thing_seen(window, i, j) if seen else 0
    for i in range(window.shape[1]):
        for j in range(window.shape[1]):
            other = window[Channel.COOK, i, j] - 1
            inside = 0 <= top + i < params.plan.shape[0] and 0 <= left + j < width
            if other >= 0 and inside:  # sensor noise may show a cook beyond the map
                cooks[other, Cook.CELL] = (top + i) * width + left + j
                cooks[other, Cook.FACING] = window[Channel.FACING, i, j] - 1
                cooks[other, Cook.HELD] = thing_seen(window, i, j)
    for number in range(len(pots)):
        at = FIRST_POT + PER_POT * number
        mix = int(vector[at + PotColumn.ONIONS]) + 4 * int(vector[at + PotColumn.TOMATOES])
        ticks = int(vector[at + PotColumn.TICKS])
        pots[number, Plan.MIX], pots[number, Plan.LEFT] = mix, -1
        if ticks >= 0:
            ready = vector[at + PotColumn.READY] > 0
            pots[number, Plan.LEFT] = 0 if ready else max(1, params.cook_time[mix] - ticks)


@kernel
def _occupied(cooks, cell):
    for cook in cooks:
        if cook[Cook.CELL] == cell:
            return True
    return False


@kernel
def _goes_first(cooks, agent, other):
    """Whether ``other`` has the right of way: he holds the higher thing, or the same and has the lower number."""
    mine, his = cooks[agent, Cook.HELD], cooks[other, Cook.HELD]
    return his > mine or (his == mine and other < agent)


@kernel
def _blocked(cooks, agent, cell, wide, params):
    """Whether another cook is in a cell, or, with ``wide``, is beside it and has the right of way."""
    for other in range(len(cooks)):
        there = cooks[other, Cook.CELL]
        if other != agent and there >= 0:
            if there == cell or (wide and params.way[cell, there] == 1 and _goes_first(cooks, agent, other)):
                return True
    return False


@kernel
def _way_round(cooks, cells, agent, params, wide):
    """The first step of a shortest way to the target around all other cooks; -1: none."""
    width, plan, target, here = params.plan.shape[1], params.plan, cooks[agent, Cook.TARGET], cooks[agent, Cook.CELL]
    queue, first = cells[QUEUE], cells[FIRST]
    for cell in range(len(queue)):
        first[cell] = 0
    queue[0], first[here], count, at = here, 1 + STAY, 1, 0
    while at < count:
        cell = queue[at]
        at += 1
        if params.way[target, cell] == 0:
            return first[cell] - 1
        for facing in range(4):
            other = beside(cell, facing, width)
            if plan[other // width, other % width] == Cell.FLOOR and not first[other]:
                if not _blocked(cooks, agent, other, wide, params):
                    first[other] = 1 + facing if cell == here else first[cell]
                    queue[count] = other
                    count += 1
    return np.int32(-1)


@kernel
def _any_free(cooks, here, params, dice, agent):
    """A step to a random free neighbouring cell, else stay."""
    width, spin = params.plan.shape[1], below(4, dice, 1, 0, agent)
    for k in range(4):
        facing = np.int32((spin + k) % 4)
        cell = beside(here, facing, width)
        if params.plan[cell // width, cell % width] == Cell.FLOOR and not _occupied(cooks, cell):
            return facing
    return STAY


@kernel
def _go(cooks, cells, agent, params, dice):
    """The next verb on the way to the target, around others or giving way at random."""
    cook = cooks[agent]
    here, target = cook[Cook.CELL], cook[Cook.TARGET]
    far = params.way[target, here]
    hold = cook[Cook.WAIT] > AT_HAND
    if hold and far == 1:
        return STAY
    if hold and far == 0:
        return _any_free(cooks, here, params, dice, agent)
    if far == 0:
        return at_target(cook, params)
    first = _way_round(cooks, cells, agent, params, True)
    if first >= 0 and cook[Cook.STUCK] < 2:
        return first
    direct = _way_round(cooks, cells, agent, params, False)
    if uniform(dice, 3, 0, agent) < STEP_ASIDE:
        return _any_free(cooks, here, params, dice, agent)
    return direct if direct >= 0 and uniform(dice, 4, 0, agent) < PRESS_ON else STAY


@kernel
def _yield_way(cooks, agent, params, dice):
    """The verb of a cook without a target: at times, a step aside if another cook is beside him."""
    width, here = params.plan.shape[1], cooks[agent, Cook.CELL]
    for k in range(4):
        if _occupied(cooks, beside(here, k, width)) and uniform(dice, 6, 0, agent) < STEP_ASIDE:
            return _any_free(cooks, here, params, dice, agent)
    return STAY


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Each cook acts on his own observation: his team's pot, else a task by shared conventions."""
    cooks, cells, pots = memory.cooks[lane], memory.cells[lane], memory.pots[lane]
    for agent in team:
        _see(obs, lane, agent, params, cooks, cells, pots)
        assign(cooks, cells, pots, params)
        cook, verb = cooks[agent], STAY
        receive(cook, cells, pots, obs.task[lane, agent], params)
        if cook[Cook.TARGET] >= 0 and params.way[cook[Cook.TARGET], cook[Cook.CELL]] < FAR:
            verb = _go(cooks, cells, agent, params, dice)
        else:
            verb = _yield_way(cooks, agent, params, dice)
        still = cook[Cook.LAST] == cook[Cook.CELL] and verb < STAY
        cook[Cook.STUCK] = cook[Cook.STUCK] + 1 if still else 0
        cook[Cook.LAST] = cook[Cook.CELL]
        if not obs.mask[lane, agent, verb]:
            verb = STAY
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, 0


POLICIES = {"idle": idle, "random": random, "rules": rules, "oracle": oracle}

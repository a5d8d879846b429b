"""The kitchen's compiled policies, from knowing nothing to knowing all: idle, random, rules, oracle."""

import numpy as np

from sandbox.engine.draw import below, uniform
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.kitchen.belief import thing_seen
from sandbox.worlds.kitchen.jobs import ITEMS, assign
from sandbox.worlds.kitchen.moves import AT_HAND, STAY, at_target, beside
from sandbox.worlds.kitchen.oracle import oracle
from sandbox.worlds.kitchen.sight import COOK, FACING, FIRST_POT, PER_POT
from sandbox.worlds.kitchen.state import FAR, Cell, Cook, Plan

QUEUE, FROM = 1, 2  # rows of ``Memory.cells`` in a search for a way round
GO_ROUND = 0.6  # chance in a tick to go round a cook who is in the way, where there is a way round
STEP_ASIDE = 0.3  # chance in a tick to step aside where there is none


@kernel
def start(memory, lane, rules):
    """Forget everything."""
    for agent in range(rules.agents):
        for k in range(memory.cooks.shape[2]):
            memory.cooks[lane, agent, k] = 0
        memory.cooks[lane, agent, Cook.LAST] = -1


@kernel
def _see(obs, lane, agent, rules, cooks, cells, pots):
    """The picture of the kitchen that one cook's observation gives."""
    window, vector, width = obs.window[lane, agent], obs.vector[lane, agent], rules.plan.shape[1]
    top, left = int(vector[0]) - rules.sight, int(vector[1]) - rules.sight
    for other in range(len(cooks)):
        cooks[other, Cook.CELL], cooks[other, Cook.AWAY] = -1, 0
    for cell in rules.counters:
        i, j = cell // width - top, cell % width - left
        seen = 0 <= i < window.shape[1] and 0 <= j < window.shape[1]
        cells[ITEMS, cell] = thing_seen(window, i, j) if seen else 0
    for i in range(window.shape[1]):
        for j in range(window.shape[1]):
            other = window[COOK, i, j] - 1
            if other >= 0:
                cooks[other, Cook.CELL] = (top + i) * width + left + j
                cooks[other, Cook.FACING] = window[FACING, i, j] - 1
                cooks[other, Cook.HELD] = thing_seen(window, i, j)
    for number in range(len(pots)):
        at = FIRST_POT + PER_POT * number
        mix, ticks = int(vector[at]) + 4 * int(vector[at + 1]), int(vector[at + 2])
        pots[number, Plan.MIX], pots[number, Plan.LEFT] = mix, -1
        if ticks >= 0:
            pots[number, Plan.LEFT] = 0 if vector[at + 3] else max(1, rules.cook_time[mix] - ticks)


@kernel
def _occupied(cooks, cell):
    for cook in cooks:
        if cook[Cook.CELL] == cell:
            return True
    return False


@kernel
def _way_round(cooks, cells, here, target, rules):
    """The first step of a shortest way to ``target`` past all other cooks, -1 if there is none; searched backwards."""
    width, plan = rules.plan.shape[1], rules.plan
    queue, seen = cells[QUEUE], cells[FROM]
    for cell in range(len(queue)):
        seen[cell] = 0
    queue[0], seen[here], count, at = here, 1 + STAY, 1, 0
    while at < count:
        cell = queue[at]
        at += 1
        if rules.way[target, cell] == 0:
            return seen[cell] - 1
        for facing in range(4):
            other = beside(cell, facing, width)
            if plan[other // width, other % width] == Cell.FLOOR and not seen[other] and not _occupied(cooks, other):
                seen[other] = 1 + facing if cell == here else seen[cell]
                queue[count] = other
                count += 1
    return np.int32(-1)


@kernel
def _any_free(cooks, here, rules, dice, agent):
    """A step to any free cell beside, or none."""
    width, spin = rules.plan.shape[1], below(4, dice, 1, 0, agent)
    for k in range(4):
        facing = np.int32((spin + k) % 4)
        cell = beside(here, facing, width)
        if rules.plan[cell // width, cell % width] == Cell.FLOOR and not _occupied(cooks, cell):
            return facing
    return STAY


@kernel
def _go(cooks, cells, agent, rules, dice):
    """The next step to the target, round others or giving way at random."""
    cook, width = cooks[agent], rules.plan.shape[1]
    here, target = cook[Cook.CELL], cook[Cook.TARGET]
    far = rules.way[target, here]
    hold = cook[Cook.WAIT] > AT_HAND
    if hold and far == 1:
        return STAY
    if hold and far == 0:
        return _any_free(cooks, here, rules, dice, agent)
    if far == 0:
        return at_target(cook, rules)
    if cook[Cook.STUCK] > 1 and uniform(dice, 3, 0, agent) < STEP_ASIDE:
        return _any_free(cooks, here, rules, dice, agent)
    for k in range(4):
        facing = np.int32(k)
        cell = beside(here, facing, width)
        if rules.way[target, cell] < far and not _occupied(cooks, cell):
            return facing
    first = _way_round(cooks, cells, here, target, rules)
    if first >= 0 and uniform(dice, 4, 0, agent) < GO_ROUND:
        return first
    if first < 0 and uniform(dice, 5, 0, agent) < STEP_ASIDE:
        return _any_free(cooks, here, rules, dice, agent)
    return STAY


@kernel
def _yield_way(cooks, agent, rules, dice):
    """Nothing to do: step aside if somebody is close, now and then."""
    width, here = rules.plan.shape[1], cooks[agent, Cook.CELL]
    for k in range(4):
        if _occupied(cooks, beside(here, k, width)) and uniform(dice, 6, 0, agent) < STEP_ASIDE:
            return _any_free(cooks, here, rules, dice, agent)
    return STAY


@kernel
def rules(obs, lane, rules, memory, team, dice, actions):
    """Each cook for himself, from what he sees: tasks by shared conventions, giving way at random."""
    cooks, cells, pots = memory.cooks[lane], memory.cells[lane], memory.pots[lane]
    for agent in team:
        _see(obs, lane, agent, rules, cooks, cells, pots)
        assign(cooks, cells, pots, rules)
        cook, verb = cooks[agent], STAY
        if cook[Cook.TARGET] >= 0 and rules.way[cook[Cook.TARGET], cook[Cook.CELL]] < FAR:
            verb = _go(cooks, cells, agent, rules, dice)
        else:
            verb = _yield_way(cooks, agent, rules, dice)
        still = cook[Cook.LAST] == cook[Cook.CELL] and verb < STAY
        cook[Cook.STUCK] = cook[Cook.STUCK] + 1 if still else 0
        cook[Cook.LAST] = cook[Cook.CELL]
        if not obs.mask[lane, agent, verb]:
            verb = STAY
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, 0


POLICIES = {"idle": idle, "random": random, "rules": rules, "oracle": oracle}

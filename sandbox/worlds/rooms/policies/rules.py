"""The rules: a designer who asks, and puts one thing after another at the first place that will do."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random
from sandbox.worlds.rooms.dynamics.geometry import is_met
from sandbox.worlds.rooms.policies.board import furnish, judge, stroke
from sandbox.worlds.rooms.policies.oracle import oracle
from sandbox.worlds.rooms.state import (
    FIRST_PRICE,
    FIRST_WISH,
    ITEMS,
    PER_ITEM,
    PER_WISH,
    SLOTS,
    Cell,
    Channel,
    Column,
    Role,
    Verb,
    Wish,
)  # fmt: skip


@kernel
def start(memory, lane, params):
    """No plan in mind."""
    memory.target[lane], memory.item[lane] = 0, 0


@kernel
def _note(obs, lane, params, memory):
    """Copy what the designer sees into the draft; items that are of no use are left out.

    The flat is as it was measured, with the pillars that are seen.
    """
    window, vector = obs.window[lane, 0], obs.vector[lane, 0]
    for r in range(params.plan.shape[0]):
        for c in range(params.plan.shape[1]):
            memory.grid[lane, r, c] = params.plan[r, c]
            if window[Channel.CELL, r, c] == Cell.PILLAR:
                memory.grid[lane, r, c] = Cell.PILLAR
    for thing in range(len(params.thing)):
        memory.price[lane, thing] = np.int64(vector[FIRST_PRICE + thing])
    memory.wish[lane] = 0
    for k in range(params.wishes):
        for column in range(len(memory.wish[lane, k])):
            memory.wish[lane, k, column] = np.int64(vector[FIRST_WISH + PER_WISH * k + column])
    for k in range(ITEMS):
        at = FIRST_PRICE + len(params.thing) + PER_ITEM * k
        for column in range(PER_ITEM - 1):
            memory.target[lane, k, column] = np.int64(vector[at + column])
            memory.item[lane, k, column] = 0 if vector[at + PER_ITEM - 1] else memory.target[lane, k, column]
    judge(memory, lane, params)


@kernel
def _design(obs, lane, params, memory):
    """(verb, target) of the designer: ask for every wish, then meet them one by one, then propose."""
    vector = obs.vector[lane, 0]
    if vector[Column.ASKED] == 0:
        for k in range(SLOTS):
            if obs.mask[lane, 0, Verb.ASK * SLOTS + k]:
                return np.int64(Verb.ASK), np.int64(k)
    _note(obs, lane, params, memory)
    present = memory.target[lane]
    row, col, turn = np.int64(vector[Column.ROW]), np.int64(vector[Column.COL]), np.int64(vector[Column.TURN])
    for k in range(params.wishes):
        wish = memory.wish[lane, k]
        if wish[Wish.CATEGORY] and not is_met(memory.grid[lane], memory.item[lane], memory.flaw[lane], params, wish):
            if furnish(memory, lane, params, wish, np.uint64(0), np.int64(-1)):
                break
    verb, target = stroke(present, memory.item[lane], row, col, turn)
    if verb == Verb.WAIT and obs.mask[lane, 0, Verb.PROPOSE * SLOTS]:
        verb = np.int64(Verb.PROPOSE)
    return verb, target


@kernel
def _judge(obs, lane, agent, params):
    """(verb, target) of the client or the accountant, by what they see."""
    vector, mask = obs.vector[lane, agent], obs.mask[lane, agent]
    if agent == Role.CLIENT and vector[Column.ASKED] > 0:
        return np.int64(Verb.TELL), np.int64(vector[Column.ASKED]) - 1
    if not mask[Verb.APPROVE * SLOTS]:
        return np.int64(Verb.WAIT), np.int64(0)
    if agent == Role.CLIENT:
        for k in range(params.wishes):
            if vector[FIRST_WISH + PER_WISH * k + PER_WISH - 1] == 0:
                return np.int64(Verb.REVISE), np.int64(k)
        if vector[Column.FLAWED] > 0:
            return np.int64(Verb.REVISE), np.int64(params.wishes)
    elif vector[Column.COST] > vector[Column.BUDGET]:
        return np.int64(Verb.REVISE), np.int64(0)
    return np.int64(Verb.APPROVE), np.int64(0)


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Everybody by what they see: the designer as above; client and accountant answer and judge honestly."""
    for agent in team:
        if agent == Role.DESIGNER:
            verb, target = _design(obs, lane, params, memory)
        else:
            verb, target = _judge(obs, lane, agent, params)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, target


POLICIES = {"idle": idle, "random": random, "rules": rules, "oracle": oracle}

"""Reset, observe and step of the rooms."""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.actions import act, is_legal, must_be_approved, redraw, withdraw
from sandbox.worlds.rooms.dynamics.events import begin_deal, happen
from sandbox.worlds.rooms.dynamics.geometry import is_met
from sandbox.worlds.rooms.state import (
    FIRST_PRICE,
    FIRST_WISH,
    ITEMS,
    PER_ITEM,
    PER_WISH,
    SLOTS,
    Channel,
    Column,
    Deal,
    Item,
    Role,
    Tally,
    Verb,
    Wish,
)  # fmt: skip


@kernel
def reset(s, lane, params):
    """An empty flat, and a client whose wishes nobody knows."""
    s.tick[lane], s.turn[lane], s.done[lane] = 0, 0, Finish.RUNNING
    s.item[lane], s.reward[lane], s.refused[lane], s.pos[lane] = 0, 0.0, 0, -1
    s.pos[lane, 0] = 0
    for r in range(params.plan.shape[0]):
        for c in range(params.plan.shape[1]):
            s.grid[lane, r, c] = params.plan[r, c]
    begin_deal(s, lane, params)
    redraw(s, lane, params)


@kernel
def verdict(s, lane, params):
    """What is wrong with the plan: the first wish that it does not meet; ``wishes``: an item that is of no use; -1."""
    if s.tally[lane, Tally.MET] < params.wishes:
        for k in range(params.wishes):
            if not is_met(s.grid[lane], s.item[lane], s.flaw[lane], params, s.wish[lane, k]):
                return np.int64(k)
    return np.int64(params.wishes) if s.tally[lane, Tally.FLAWED] > 0 else np.int64(-1)


@kernel
def answer(s, lane, params, agent):
    """(verb, target) of an honest client or accountant, who tell what they are asked and judge what is proposed."""
    deal = s.deal[lane]
    if agent == Role.CLIENT:
        if deal[Deal.ASKED] > 0:
            return np.int64(Verb.TELL), np.int64(deal[Deal.ASKED]) - 1
        if deal[Deal.PROPOSED] == 0 or deal[Deal.CLIENT] > 0:
            return np.int64(Verb.WAIT), np.int64(0)
        wrong = verdict(s, lane, params)
        return (np.int64(Verb.APPROVE), np.int64(0)) if wrong < 0 else (np.int64(Verb.REVISE), wrong)
    if deal[Deal.PROPOSED] == 0 or deal[Deal.ACCOUNTANT] > 0 or not must_be_approved(s, lane, params):
        return np.int64(Verb.WAIT), np.int64(0)
    fine = s.tally[lane, Tally.COST] <= deal[Deal.BUDGET]
    return np.int64(Verb.APPROVE if fine else Verb.REVISE), np.int64(0)


@kernel
def settled(s, lane, params):
    """(parts of the task that are done, all parts): the wishes met, the client's and the accountant's approval."""
    deal, done = s.deal[lane], np.int64(s.tally[lane, Tally.MET])
    if deal[Deal.PROPOSED] > 0:
        done += np.int64(deal[Deal.CLIENT])
        done += 1 if deal[Deal.ACCOUNTANT] > 0 or not must_be_approved(s, lane, params) else 0
    return done, np.int64(params.wishes) + 2


@kernel
def _close(s, lane, params):
    """A plan that both approve is final: right, or wrong for good."""
    deal, tally = s.deal[lane], s.tally[lane]
    agreed = deal[Deal.PROPOSED] > 0 and deal[Deal.CLIENT] > 0
    if agreed and (deal[Deal.ACCOUNTANT] > 0 or not must_be_approved(s, lane, params)):
        right = tally[Tally.MET] == params.wishes and tally[Tally.FLAWED] == 0
        right = right and tally[Tally.COST] <= deal[Deal.BUDGET]
        s.done[lane] = Finish.COMPLETED if right else Finish.STALLED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def step(s, lane, actions, params):
    """One tick: the agents act in order; a role without an agent answers by itself; then what goes wrong goes wrong."""
    if s.done[lane] != Finish.RUNNING:
        return
    before, parts = settled(s, lane, params)
    for agent in range(params.agents):  # legal at the beginning of the tick: noted before anybody acts
        verb, target = np.int64(actions[lane, agent, 0]), np.int64(actions[lane, agent, 1])
        s.refused[lane, agent] = is_legal(s, lane, params, agent, verb, target)
    for agent in range(3):
        if agent < params.agents:
            verb, target = np.int64(actions[lane, agent, 0]), np.int64(actions[lane, agent, 1])
            if not s.refused[lane, agent]:
                continue
            s.refused[lane, agent] = 0
        else:
            verb, target = answer(s, lane, params, agent)
        if is_legal(s, lane, params, agent, verb, target):
            act(s, lane, params, agent, verb, target)
        elif agent < params.agents:
            s.refused[lane, agent] = 1
    s.tick[lane] += 1
    _close(s, lane, params)
    if s.done[lane] == Finish.RUNNING and happen(s, lane, params):
        withdraw(s, lane)
        redraw(s, lane, params)
    after, _ = settled(s, lane, params)
    for agent in range(params.agents):
        s.reward[lane, agent] = (after - before) / parts


@kernel
def _wishes(s, lane, params, agent, vector):
    """The client knows all wishes; the designer, those that were told; the accountant, none."""
    for k in range(params.wishes):
        wish, at = s.wish[lane, k], FIRST_WISH + PER_WISH * k
        if agent == Role.CLIENT or (agent == Role.DESIGNER and wish[Wish.TOLD] > 0):
            for column in range(len(wish)):
                vector[at + column] = wish[column]
            vector[at + len(wish)] = is_met(s.grid[lane], s.item[lane], s.flaw[lane], params, wish)


@kernel
def _sheet(s, lane, params, agent, vector):
    """The figures of the deal, the price list and the items."""
    deal, tally = s.deal[lane], s.tally[lane]
    vector[Column.ROLE], vector[Column.TURN] = agent, s.turn[lane]
    vector[Column.ROW], vector[Column.COL] = s.pos[lane, 0, 0], s.pos[lane, 0, 1]
    vector[Column.COST], vector[Column.BUDGET] = tally[Tally.COST], deal[Deal.BUDGET]
    vector[Column.LIMIT], vector[Column.FLAWED] = params.limit * deal[Deal.BUDGET], tally[Tally.FLAWED]
    vector[Column.PROPOSED], vector[Column.CLIENT] = deal[Deal.PROPOSED], deal[Deal.CLIENT]
    vector[Column.ACCOUNTANT], vector[Column.ASKED] = deal[Deal.ACCOUNTANT], deal[Deal.ASKED]
    vector[Column.REVISIONS], vector[Column.WISHES] = deal[Deal.REVISIONS], params.wishes
    for thing in range(len(params.thing)):
        vector[FIRST_PRICE + thing] = max(0, s.price[lane, thing])
    for k in range(ITEMS):
        at, item = FIRST_PRICE + len(params.thing) + PER_ITEM * k, s.item[lane, k]
        for column in range(len(item)):
            vector[at + column] = item[column]
        vector[at + len(item)] = s.flaw[lane, k] if item[Item.THING] > 0 else 0


@kernel
def observe(s, lane, params, obs):
    """Everybody sees the plan and the figures; only the client knows what is wished before it is told."""
    for agent in range(params.agents):
        window, vector, mask = obs.window[lane, agent], obs.vector[lane, agent], obs.mask[lane, agent]
        window[:], vector[:] = 0, 0.0
        for r in range(params.plan.shape[0]):
            for c in range(params.plan.shape[1]):
                window[Channel.CELL, r, c], window[Channel.ROOM, r, c] = s.grid[lane, r, c], params.room[r, c]
                window[Channel.ITEM, r, c], window[Channel.WALK, r, c] = s.cover[lane, r, c], s.reach[lane, r, c]
        _sheet(s, lane, params, agent, vector)
        _wishes(s, lane, params, agent, vector)
        for verb in range(params.verbs):
            for target in range(SLOTS):
                legal = is_legal(s, lane, params, np.int64(agent), np.int64(verb), np.int64(target))
                mask[verb * SLOTS + target] = legal

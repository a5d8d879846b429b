"""The oracle: it knows the wishes, searches a plan for all of them, and judges by the state."""

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.kernels import answer
from sandbox.worlds.rooms.policies.board import area, copy, furnish, judge, stroke
from sandbox.worlds.rooms.state import Deal, Role, Stream, Tally, Verb

TRIES = 12
FIRST_WISH = 1 << 20  # index of the draws of wishes; those of cells are smaller


@kernel
def _is_right(s, lane, params, memory):
    tally = memory.tally[lane]
    return (
        tally[Tally.MET] == params.wishes and tally[Tally.FLAWED] == 0
        and tally[Tally.COST] <= s.deal[lane, Deal.BUDGET]
    )  # fmt: skip


@kernel
def _next(params, memory, lane, done, key, salt):
    """The wish to furnish next: the one that takes most room; from the second try on, with luck."""
    best, most = np.int64(-1), -1.0
    for k in range(params.wishes):
        if not done >> k & 1:
            size = float(area(params, memory.wish[lane, k])) + salt * below(8, key, salt, Stream.SEARCH, FIRST_WISH + k)
            if size > most:
                best, most = np.int64(k), size
    return best


@kernel
def design(s, lane, params, memory):
    """Write a plan that meets all wishes into the target. If the present target does, it stays."""
    copy(memory.grid[lane], s.grid[lane])
    copy(memory.wish[lane], s.wish[lane])
    copy(memory.item[lane], memory.target[lane])
    for thing in range(len(params.thing)):
        memory.price[lane, thing] = s.price[lane, thing]
    judge(memory, lane, params)
    for salt in range(TRIES):
        if _is_right(s, lane, params, memory):
            break
        memory.item[lane] = 0
        judge(memory, lane, params)
        done = 0
        for _ in range(params.wishes):
            k = _next(params, memory, lane, done, s.seed[lane], salt)
            done |= 1 << k
            furnish(memory, lane, params, memory.wish[lane, k], s.seed[lane], salt)
    copy(memory.target[lane], memory.item[lane])


@kernel
def oracle(s, lane, params, memory, team, dice, actions):
    """The designer draws the plan and proposes it; client and accountant are honest."""
    for agent in team:
        if agent == Role.DESIGNER:
            design(s, lane, params, memory)
            row, col = np.int64(s.pos[lane, 0, 0]), np.int64(s.pos[lane, 0, 1])
            verb, target = stroke(s.item[lane], memory.target[lane], row, col, np.int64(s.turn[lane]))
            if verb == Verb.WAIT and s.deal[lane, Deal.PROPOSED] == 0:
                verb = np.int64(Verb.PROPOSE)
        else:
            verb, target = answer(s, lane, params, agent)
        actions[lane, agent, 0], actions[lane, agent, 1] = verb, target

"""What cooks see: a window around each, which shows the whole of a small kitchen, and the state of all pots.

Overcooked is fully observable. Here two things are hidden: how long a slow pot takes, and what is beyond the window.
"""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.dynamics.kernels import can_interact, is_ready
from sandbox.worlds.kitchen.state import (
    DCOL,
    DROW,
    FIRST_POT,
    LONGEST,
    MIXES,
    PER_POT,
    Cell,
    Channel,
    Column,
    Pot,
    PotColumn,
    Thing,
    Verb,
)  # fmt: skip

SOUP = np.int32(Thing.SOUP)
ORDERS = len(MIXES)


@kernel
def time_left(pot, params):
    """Ticks until the soup is ready by its recipe, at least 1 until it is; 0: ready, -1: not cooking."""
    if pot[Pot.TICKS] < 0:
        return np.int32(-1)
    if is_ready(pot, params):
        return np.int32(0)
    return max(np.int32(1), params.cook_time[pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]] - pot[Pot.TICKS])


@kernel
def _show(flat, at, area, thing):
    """Write a thing at index ``at`` of the THING channel, and its mix to the next two channels."""
    flat[at] = min(thing, SOUP)
    if thing > SOUP:
        flat[at + area], flat[at + 2 * area] = (thing - SOUP) & 3, (thing - SOUP) >> 2


@kernel
def _look(s, lane, agent, params, window):
    """Fill one cook's window (C, K, K) int8.

    The empty kitchen is copied, then what changes is written by flat index (``reshape`` would cost five times the
    copying). Empty counters are written too: a branch that is hard to predict would cost more.
    """
    side, counters = window.shape[1], len(params.counters)
    area, row, col = side * side, s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    here = row * params.plan.shape[1] + col
    view, flat, items, spots = params.views[here], window.flat, s.items[lane].flat, params.spots[here]
    for k in range(len(view)):
        flat[k] = view[k]
    for k in range(counters):
        if spots[k] >= 0:
            _show(flat, Channel.THING * area + spots[k], area, items[params.counters[k]])
    for number in range(len(params.pot_cell)):
        at, pot = spots[counters + number], s.pots[lane, number]
        if at >= 0 and pot[Pot.ONIONS] + pot[Pot.TOMATOES] > 0:
            _show(flat, Channel.THING * area + at, area, SOUP + pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES])
            flat[Channel.TICKS_LEFT * area + at] = min(LONGEST, time_left(pot, params) + 1)
    for other in range(params.agents):
        i, j = s.pos[lane, other, 0] - row + params.sight, s.pos[lane, other, 1] - col + params.sight
        if 0 <= i < side and 0 <= j < side and s.pos[lane, other, 0] >= 0:
            at = i * side + j
            flat[Channel.COOK * area + at] = other + 1
            flat[Channel.FACING * area + at] = s.facing[lane, other] + 1
            _show(flat, Channel.THING * area + at, area, s.holding[lane, other])


@kernel
def _know(s, lane, agent, params, vector):
    """Fill one cook's vector (V,) float32."""
    held = s.holding[lane, agent]
    vector[Column.ROW], vector[Column.COL] = s.pos[lane, agent, 0], s.pos[lane, agent, 1]
    for k in range(4):
        vector[Column.NORTH + k] = s.facing[lane, agent] == k
    vector[Column.HOLDING] = min(held, SOUP)
    mix = held - SOUP if held >= SOUP else 0
    vector[Column.SOUP_ONIONS], vector[Column.SOUP_TOMATOES] = mix & 3, mix >> 2
    vector[Column.TICKS_LEFT] = params.max_ticks - s.tick[lane]
    vector[Column.SERVED], vector[Column.SOUPS] = s.served[lane], params.soups
    at = FIRST_POT
    for number in range(len(params.pot_cell)):
        pot = s.pots[lane, number]
        vector[at + PotColumn.ONIONS], vector[at + PotColumn.TOMATOES] = pot[Pot.ONIONS], pot[Pot.TOMATOES]
        vector[at + PotColumn.TICKS], vector[at + PotColumn.READY] = pot[Pot.TICKS], is_ready(pot, params)
        at += PER_POT
    for k in range(ORDERS):
        vector[at + k] = params.worth[MIXES[k]]


@kernel
def observe(s, lane, params, obs):
    """Observation and mask of each cook. A move is legal if it turns him or leads to a floor cell."""
    for agent in range(params.agents):
        mask, row, col = obs.mask[lane, agent], s.pos[lane, agent, 0], s.pos[lane, agent, 1]
        if row < 0:
            for verb in range(6):
                mask[verb] = verb == Verb.STAY
            continue
        _look(s, lane, agent, params, obs.window[lane, agent])
        _know(s, lane, agent, params, obs.vector[lane, agent])
        facing = s.facing[lane, agent]
        for verb in range(4):
            mask[verb] = (facing != verb) | (params.plan[row + DROW[verb], col + DCOL[verb]] == Cell.FLOOR)
        mask[Verb.STAY] = True
        ahead_row, ahead_col = row + DROW[facing], col + DCOL[facing]
        mask[Verb.INTERACT] = can_interact(
            s.items[lane], s.pots[lane], s.holding[lane, agent], ahead_row, ahead_col, params
        )

"""What a cook believes: a lane of imagined state, made from its own observation."""

import numpy as np

from sandbox.core.maps import around
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.dynamics.kernels import is_ready, reset
from sandbox.worlds.kitchen.dynamics.orders import USUAL
from sandbox.worlds.kitchen.state import (
    FAR,
    FIRST_POT,
    PER_POT,
    Cell,
    Channel,
    Column,
    Params,
    Pot,
    PotColumn,
    State,
    Thing,
)

# -- facts: a lane as a list of facts, and which of them a cook sees. The prediction error is measured on them.


def ground_truth(s: State, lane: int, params: Params) -> np.ndarray:
    """(3 H W + 3 P + 1,) int64: for each cell the cook (facing + 1), his thing, the thing there; pots; soups served."""
    cook, held = np.zeros((2, *params.plan.shape), np.int64)
    for (row, col), facing, thing in zip(s.pos[lane], s.facing[lane], s.holding[lane], strict=True):
        if row >= 0:
            cook[row, col], held[row, col] = facing + 1, thing
    pots = s.pots[lane, :, [Pot.ONIONS, Pot.TOMATOES, Pot.TICKS]]
    layers = cook, held, s.items[lane], pots, s.served[lane]
    return np.concatenate([np.ravel(layer) for layer in layers]).astype(np.int64)


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """(3 H W + 3 P + 1,) bool: the cells of his window, all pots, and the soups served."""
    near = around(params.plan.shape, s.pos[lane, agent], params.sight, params.sight).ravel()
    return np.concatenate([near, near, near, np.ones(3 * s.pots.shape[1] + 1, np.bool_)])


# -- value: how far the soups are on their way, in soups of the usual kind

# Parts of a usual soup: for an ingredient or a dish in hand, an ingredient in the pot, a pot that cooks, a pot that is
# ready, a soup in hand; and the bonus for a cook beside the place where his thing is needed.
HELD, POTTED, COOKING, READY, TAKEN, NEAR = 0.04, 0.12, 0.45, 0.6, 0.75, 0.05


@kernel
def _near(s, lane, agent, kind, params):
    """1 beside the nearest cell of a kind, less with the steps to it; 0 if there is no way."""
    width = params.plan.shape[1]
    here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
    cell = params.nearest[kind, here]
    if cell < 0 or params.way[cell, here] >= FAR:
        return 0.0
    return 1.0 - params.way[cell, here] / float(params.plan.shape[0] + width)


@kernel
def _in_pots(pots, params):
    """(value of all pots, ingredients that they can take, dishes that they need)."""
    total, room, dishes = 0.0, 0, 0
    for number in range(len(pots)):
        pot = pots[number]
        mix, count = pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES], pot[Pot.ONIONS] + pot[Pot.TOMATOES]
        worth = params.worth[mix] / USUAL
        if is_ready(pot, params):
            total += worth * READY
        elif pot[Pot.TICKS] >= 0:
            total += worth * (COOKING + (READY - COOKING) * pot[Pot.TICKS] / (pot[Pot.TICKS] + params.cook_time[mix]))
        elif params.aim[mix] >= 0:
            total += POTTED * count
            room += params.aim[mix] // 4 + params.aim[mix] % 4 - count
        dishes += pot[Pot.TICKS] >= 0
    return total, room, dishes


@kernel
def value(s, lane, params):
    """Unfinished soups, each as a part of a served one."""
    total, room, dishes = _in_pots(s.pots[lane], params)
    for agent in range(params.agents):
        held = s.holding[lane, agent]
        if s.pos[lane, agent, 0] < 0 or held == Thing.NOTHING:
            continue
        if held >= Thing.SOUP:
            worth = params.worth[held - Thing.SOUP] / USUAL
            total += worth * (TAKEN + NEAR * _near(s, lane, agent, Cell.SERVING, params))
        elif held == Thing.DISH and dishes > 0:
            total += HELD + NEAR * _near(s, lane, agent, Cell.POT, params)
            dishes -= 1
        elif held != Thing.DISH and room > 0:
            total += HELD + NEAR * _near(s, lane, agent, Cell.POT, params)
            room -= 1
    return total


# -- belief


@kernel
def thing_seen(window, i, j):
    """The thing in a cell of the window, in hand or on a counter, with its mix."""
    thing = np.int32(window[Channel.THING, i, j])
    if thing != Thing.SOUP:
        return thing
    return thing + window[Channel.ONIONS, i, j] + 4 * window[Channel.TOMATOES, i, j]


@kernel
def _believe_pots(vector, params, pots):
    """Pots as the vector shows them; a late one is believed to be ready at the next tick."""
    for number in range(len(params.pot_cell)):
        at, pot = FIRST_POT + PER_POT * number, pots[number]
        pot[Pot.ONIONS], pot[Pot.TOMATOES] = int(vector[at + PotColumn.ONIONS]), int(vector[at + PotColumn.TOMATOES])
        pot[Pot.TICKS], pot[Pot.EXTRA] = int(vector[at + PotColumn.TICKS]), 0
        late = pot[Pot.TICKS] - params.cook_time[pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]]
        if pot[Pot.TICKS] >= 0 and late >= 0:
            pot[Pot.EXTRA] = late if vector[at + PotColumn.READY] else late + 1


@kernel
def believe(obs, lane, agent, memory, params, seed, out, to):
    """Fill lane ``to`` of ``out`` with what ``agent`` believes; ``seed`` (uint64) keys its draws.

    It knows the plan, all pots, the clock, the soups served, and its window. Counters out of sight are believed to be
    empty, and cooks out of sight are off the map (row -1). What sensor noise shows beyond the kitchen, or of the cook
    himself in another cell, is ignored.
    """
    window, vector, (height, width) = obs.window[lane, agent], obs.vector[lane, agent], params.plan.shape
    out.seed[to] = seed
    reset(out, to, params)
    out.tick[to], out.served[to] = params.max_ticks - int(vector[Column.TICKS_LEFT]), int(vector[Column.SERVED])
    _believe_pots(vector, params, out.pots[to])
    for other in range(params.agents):
        out.pos[to, other, 0], out.pos[to, other, 1], out.holding[to, other] = -1, -1, 0
    for cell in params.counters:
        out.items[to, cell // width, cell % width] = Thing.NOTHING
    top, left = int(vector[Column.ROW]) - params.sight, int(vector[Column.COL]) - params.sight
    for i in range(window.shape[1]):
        for j in range(window.shape[1]):
            row, col, terrain, other = top + i, left + j, window[Channel.TERRAIN, i, j], window[Channel.COOK, i, j] - 1
            if not (0 <= row < height and 0 <= col < width) or params.plan[row, col] != terrain:
                continue
            if other == agent and (i != params.sight or j != params.sight):
                continue
            if other >= 0:
                out.pos[to, other, 0], out.pos[to, other, 1] = row, col
                out.facing[to, other] = window[Channel.FACING, i, j] - 1
                out.holding[to, other] = thing_seen(window, i, j)
            elif terrain == Cell.COUNTER:
                out.items[to, row, col] = thing_seen(window, i, j)

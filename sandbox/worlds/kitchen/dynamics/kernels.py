"""The kitchen's kernels: reset and step. They are equal to overcooked-ai 1.1.0 at every step.

A tick: cooks interact one after the other; then all move, or none if any two collide; then soups cook. An action that
the mask forbids still takes effect if an earlier cook's interaction of the same tick made it possible, as in
overcooked-ai.
"""

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.perturbations import HIMSELF, mood, slowness, sticks, whim
from sandbox.worlds.kitchen.state import DCOL, DROW, FAR, Cell, Pot, Stream, Thing, Verb

NOTHING, ONION, TOMATO, DISH, SOUP = (np.int32(t) for t in Thing)
STAY = np.int32(Verb.STAY)
MOVED, STUCK = 2, 3  # marks in ``refused`` while moves are being resolved


@kernel
def _is_open(s, lane, agent, cell, params):
    """Whether a cook can begin in a cell: he can reach it from his place, and no cook of a lower number is there."""
    width = params.plan.shape[1]
    row, col, home = cell // width, cell % width, params.cooks[agent]
    if params.plan[row, col] != Cell.FLOOR or params.way[cell, home[0] * width + home[1]] >= FAR:
        return False
    for other in range(agent):
        if s.pos[lane, other, 0] == row and s.pos[lane, other, 1] == col:
            return False
    return True


@kernel
def _scatter(s, lane, params):
    """Draw start and facing of each cook, within reach of his place in the layout."""
    seed, width, cells = s.seed[lane], params.plan.shape[1], params.plan.size
    for agent in range(params.agents):
        count = 0
        for cell in range(cells):
            count += _is_open(s, lane, agent, cell, params)
        left, cell = below(count, seed, 0, Stream.START, 2 * agent), -1
        while left >= 0:
            cell += 1
            left -= _is_open(s, lane, agent, cell, params)
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = cell // width, cell % width
        s.facing[lane, agent] = below(4, seed, 0, Stream.START, 2 * agent + 1)


@kernel
def reset(s, lane, params):
    """Begin the episode of ``s.seed[lane]`` as the layout says; scattered cooks begin in drawn cells."""
    s.tick[lane], s.done[lane], s.served[lane] = 0, Finish.RUNNING, 0
    for agent in range(params.agents):
        first = params.cooks[agent]
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = first[0], first[1]
        s.facing[lane, agent], s.holding[lane, agent] = first[2], first[3]
        s.sparse[lane, agent], s.shaped[lane, agent] = 0, 0
        s.reward[lane, agent], s.refused[lane, agent] = 0, 0
    if params.scattered:
        _scatter(s, lane, params)
    for row in range(params.plan.shape[0]):
        for col in range(params.plan.shape[1]):
            s.items[lane, row, col] = params.items[row, col]
    for pot in range(len(params.pots)):
        for k in range(4):
            s.pots[lane, pot, k] = params.pots[pot, k]


@kernel
def is_ready(pot, params):
    """Whether the soup in a pot (4,) can be taken."""
    mix = pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]
    return pot[Pot.TICKS] >= 0 and pot[Pot.TICKS] >= params.cook_time[mix] + pot[Pot.EXTRA]


@kernel
def can_interact(items, pots, held, row, col, params):
    """Whether a cook who holds ``held`` and faces the cell would change anything by interacting."""
    kind = params.plan[row, col]
    if kind == Cell.FLOOR:
        return False
    if kind == Cell.COUNTER:
        return (held == NOTHING) != (items[row, col] == NOTHING)
    if kind == Cell.SERVING:
        return held >= SOUP
    if kind != Cell.POT:
        return held == NOTHING
    pot = pots[params.pot_at[row, col]]
    count = pot[Pot.ONIONS] + pot[Pot.TOMATOES]
    if held == NOTHING:
        return count > 0 and pot[Pot.TICKS] < 0
    if held == DISH:
        return is_ready(pot, params)
    return held < DISH and pot[Pot.TICKS] < 0 and count < params.most


@kernel
def _is_useful(s, lane, params, cooking):
    """Whether fetching a dish is useful by overcooked-ai's rule: two cooks, no dish on a counter, fewer than pots."""
    dishes = 0
    for agent in range(params.agents):
        dishes += s.holding[lane, agent] == DISH
    if params.agents != 2 or dishes >= cooking:
        return False
    for cell in params.counters:
        if s.items[lane, cell // params.plan.shape[1], cell % params.plan.shape[1]] == DISH:
            return False
    return True


@kernel
def _at_pot(s, lane, agent, number, params):
    """Put in an ingredient, start cooking, or take the soup."""
    pot, held = s.pots[lane, number], s.holding[lane, agent]
    if held == NOTHING:
        pot[Pot.TICKS] = 0
        pot[Pot.EXTRA] = slowness(s, lane, number, params.cook_time[pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]], params)
    elif held == DISH:
        s.holding[lane, agent] = SOUP + pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]
        pot[Pot.ONIONS], pot[Pot.TOMATOES], pot[Pot.TICKS], pot[Pot.EXTRA] = 0, 0, -1, 0
        s.shaped[lane, agent] += np.float32(params.shaping[2])
    else:
        pot[Pot.ONIONS] += held == ONION
        pot[Pot.TOMATOES] += held == TOMATO
        s.holding[lane, agent] = NOTHING
        s.shaped[lane, agent] += np.float32(params.shaping[0])


@kernel
def _interact(s, lane, agent, row, col, params, cooking):
    """Carry out an interaction; ``cooking``: pots that were worth a dish when the tick began."""
    kind, held = params.plan[row, col], s.holding[lane, agent]
    if kind == Cell.COUNTER:
        s.holding[lane, agent], s.items[lane, row, col] = s.items[lane, row, col], held
    elif kind == Cell.POT:
        _at_pot(s, lane, agent, params.pot_at[row, col], params)
    elif kind == Cell.SERVING:
        s.sparse[lane, agent] = np.float32(params.worth[held - SOUP])
        s.served[lane] += params.ordered[held - SOUP]
        s.holding[lane, agent] = NOTHING
    elif kind == Cell.DISHES:
        if _is_useful(s, lane, params, cooking):
            s.shaped[lane, agent] += np.float32(params.shaping[1])
        s.holding[lane, agent] = DISH
    else:
        s.holding[lane, agent] = ONION if kind == Cell.ONIONS else TOMATO


@kernel
def _verb(s, lane, agent, actions, params):
    """The verb that a cook carries out: unknown verbs and targets count as stay; a perturbation may replace it."""
    if s.pos[lane, agent, 0] < 0:
        return STAY
    verb = actions[lane, agent, 0]
    if verb < 0 or verb >= params.verbs or actions[lane, agent, 1] != 0:
        verb = STAY
    how = mood(s, lane, agent, params)
    return verb if how == HIMSELF else whim(s, lane, verb, how)


@kernel
def _worth_a_dish(pots, params):
    """Pots that are ready, cooking, or partly filled, but not full and waiting, as overcooked-ai counts them."""
    count = 0
    for pot in range(len(pots)):
        filled = pots[pot, Pot.ONIONS] + pots[pot, Pot.TOMATOES]
        count += pots[pot, Pot.TICKS] >= 0 or 0 < filled < params.most
    return count


@kernel
def _interactions(s, lane, actions, params):
    """All interactions, cook by cook."""
    cooking = _worth_a_dish(s.pots[lane], params)
    for agent in range(params.agents):
        s.sparse[lane, agent], s.shaped[lane, agent], s.refused[lane, agent] = 0, 0, 0
        if actions[lane, agent, 0] == Verb.INTERACT and _verb(s, lane, agent, actions, params) == Verb.INTERACT:
            facing = s.facing[lane, agent]
            row, col = s.pos[lane, agent, 0] + DROW[facing], s.pos[lane, agent, 1] + DCOL[facing]
            s.refused[lane, agent] = can_interact(s.items[lane], s.pots[lane], s.holding[lane, agent], row, col, params)
    for agent in range(params.agents):
        if _verb(s, lane, agent, actions, params) == Verb.INTERACT:
            facing = s.facing[lane, agent]
            row, col = s.pos[lane, agent, 0] + DROW[facing], s.pos[lane, agent, 1] + DCOL[facing]
            if can_interact(s.items[lane], s.pots[lane], s.holding[lane, agent], row, col, params):
                _interact(s, lane, agent, row, col, params, cooking)
                s.refused[lane, agent] = 0


@kernel
def _collide(s, lane, params):
    """Whether, after all moves, two cooks are in one cell or have swapped."""
    pos, facing = s.pos[lane], s.facing[lane]
    for a in range(1, params.agents):
        for b in range(a):
            down, right = pos[b, 0] - pos[a, 0], pos[b, 1] - pos[a, 1]
            if down == 0 and right == 0 and pos[a, 0] >= 0:
                return True
            if s.refused[lane, a] == MOVED and s.refused[lane, b] == MOVED and abs(down) + abs(right) == 1:
                backwards = down == -DROW[facing[a]] and right == -DCOL[facing[a]]
                if backwards and down == DROW[facing[b]] and right == DCOL[facing[b]]:
                    return True
    return False


@kernel
def _movements(s, lane, actions, params):
    """All turn and move; if any two collide, none moves. A sticky floor prevents a step, not a turn."""
    moved = False
    for agent in range(params.agents):
        verb = _verb(s, lane, agent, actions, params)
        if verb < STAY:
            s.facing[lane, agent] = verb
            row, col = s.pos[lane, agent, 0] + DROW[verb], s.pos[lane, agent, 1] + DCOL[verb]
            if params.plan[row, col] == Cell.FLOOR:
                if sticks(s, lane, agent, params):
                    s.refused[lane, agent] = STUCK
                else:
                    s.pos[lane, agent, 0], s.pos[lane, agent, 1], s.refused[lane, agent] = row, col, MOVED
                moved = True
    if not moved:
        return
    collision = _collide(s, lane, params)
    for agent in range(params.agents):
        if s.refused[lane, agent] == STUCK:
            s.refused[lane, agent] = 1
        elif s.refused[lane, agent] == MOVED:
            if collision:
                s.pos[lane, agent, 0] -= DROW[s.facing[lane, agent]]
                s.pos[lane, agent, 1] -= DCOL[s.facing[lane, agent]]
            s.refused[lane, agent] = collision


@kernel
def close(s, lane, params):
    """The end of a tick."""
    s.tick[lane] += 1
    if params.soups and s.served[lane] >= params.soups:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def step(s, lane, actions, params):
    """One tick; does nothing once the lane is done. Unknown verbs and targets count as stay."""
    if s.done[lane] != Finish.RUNNING:
        return
    _interactions(s, lane, actions, params)
    _movements(s, lane, actions, params)
    for number in range(len(params.pots)):
        pot = s.pots[lane, number]
        if pot[Pot.TICKS] >= 0 and not is_ready(pot, params):
            pot[Pot.TICKS] += 1
    earned = np.float32(0)
    for agent in range(params.agents):
        earned += s.sparse[lane, agent]
    for agent in range(params.agents):
        s.reward[lane, agent] = earned + s.shaped[lane, agent] if params.shaped else earned
    close(s, lane, params)

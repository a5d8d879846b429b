"""What a cook takes the kitchen to be: a lane of imagined state from its own observation."""

import numpy as np

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.kernels import reset
from sandbox.worlds.kitchen.sight import COOK, FACING, FIRST_POT, ONIONS, PER_POT, THING, TOMATOES
from sandbox.worlds.kitchen.state import Cell, Pot, Thing


@kernel
def thing_seen(window, i, j):
    """The thing held or lying in a cell of the window, with its mix."""
    thing = np.int32(window[THING, i, j])
    return thing + window[ONIONS, i, j] + 4 * window[TOMATOES, i, j] if thing == Thing.SOUP else thing


@kernel
def _believe_pots(vector, rules, pots):
    """Pots as the vector says; one that is late is believed to be ready at the next tick."""
    for number in range(len(rules.pot_cell)):
        at, pot = FIRST_POT + PER_POT * number, pots[number]
        for k in range(3):
            pot[k] = int(vector[at + k])
        pot[Pot.EXTRA] = 0
        late = pot[Pot.TICKS] - rules.cook_time[pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]]
        if pot[Pot.TICKS] >= 0 and late >= 0:
            pot[Pot.EXTRA] = late if vector[at + 3] else late + 1


@kernel
def believe(obs, lane, agent, memory, rules, seed, out, to):
    """Lane ``to`` of ``out``: the kitchen as ``agent`` takes it to be, with dice of its own (``seed``).

    Known are the plan, all pots, the clock, what was served, and what is in the window; counters out of sight are
    believed to be empty, and cooks out of sight are nowhere (row -1). Noise may show what cannot be: things beyond the
    kitchen, or itself elsewhere.
    """
    window, vector, (height, width) = obs.window[lane, agent], obs.vector[lane, agent], rules.plan.shape
    out.seed[to] = seed
    reset(out, to, rules)
    out.tick[to], out.served[to] = rules.max_ticks - int(vector[9]), int(vector[10])
    _believe_pots(vector, rules, out.pots[to])
    for other in range(rules.agents):
        out.pos[to, other, 0], out.pos[to, other, 1], out.holding[to, other] = -1, -1, 0
    for cell in rules.counters:
        out.items[to, cell // width, cell % width] = Thing.NOTHING
    for i in range(window.shape[1]):
        for j in range(window.shape[1]):
            row, col = int(vector[0]) + i - rules.sight, int(vector[1]) + j - rules.sight
            other = window[COOK, i, j] - 1
            if not (0 <= row < height and 0 <= col < width) or rules.plan[row, col] != window[0, i, j]:
                continue
            if other == agent and (i != rules.sight or j != rules.sight):
                continue
            if other >= 0:
                out.pos[to, other, 0], out.pos[to, other, 1] = row, col
                out.facing[to, other] = window[FACING, i, j] - 1
                out.holding[to, other] = thing_seen(window, i, j)
            elif window[0, i, j] == Cell.COUNTER:
                out.items[to, row, col] = thing_seen(window, i, j)

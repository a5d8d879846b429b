"""The kitchen as tokens, for a learned world model.

Learned: where a cook goes and turns, what is in his hands, whether his soup counts, what lies on a counter, what is in
a pot and how its clock goes on, all from the patch of 5 x 5 cells around. Known from the rules, and not learned: the
plan, the number of soups that completes the task, the tick limit, the cooking times of recipes (a pot's token says how
many ticks are left), what a pot can take, and that cooks are on the floor, each in a cell of his own: of two that would
be in one, both stay. Only the cells of cooks, the counters beside them, and pots are asked for; nothing else can
change. Learned for sticky floors, too, whose severity a cook knows; not for the kitchen's other perturbations.
"""

from typing import Any

import numpy as np

from sandbox.core.tokens import Channel, Practice, Tokens, patches
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.dynamics.kernels import close
from sandbox.worlds.kitchen.layouts import CLASSIC
from sandbox.worlds.kitchen.state import DCOL, DROW, Cell, Pot, Severity, Thing, Verb

MIX = 4  # token of a thing: NOTHING, ONION, TOMATO, DISH, then MIX + the mix of a soup or a pot
LONGEST = 30  # ticks left that a token tells apart
KIND, THING, CLOCK, COOK, HELD, ACTION, STICKY = range(7)  # input
SEEN = (
    Channel("kind", len(Cell)), Channel("thing", MIX + 16), Channel("clock", 2 + LONGEST), Channel("cook", 5),
    Channel("held", MIX + 16), Channel("action", 1 + len(Verb)), Channel("sticky", 11, own=True),
)  # fmt: skip
OF_A_COOK, OF_A_CELL = 0, 1  # heads
GOES, FACES, HOLDS, SERVES = range(4)  # channels of the first
BECOMES, TICKS = range(2)  # of the second
HEADS = (
    (Channel("goes", 5), Channel("faces", 4), Channel("holds", MIX + 16), Channel("serves", 2)),
    (Channel("becomes", MIX + 16), Channel("ticks", 4)),
)
STANDS, GOES_ON, BEGINS, EMPTIED = range(4)  # what a pot's clock does
READY = 1  # token of a clock; before it 0, not cooking, and after it 1 + the ticks left


@kernel
def thing_token(thing):
    """The token of what is in hand or on a counter."""
    return thing if thing < Thing.SOUP else MIX + thing - Thing.SOUP


@kernel
def thing_of(token):
    """The inverse of :func:`thing_token`."""
    return token if token < MIX else Thing.SOUP + token - MIX


@kernel
def _clock(pot, params):
    if pot[Pot.TICKS] < 0:
        return 0
    left = params.cook_time[pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]] + pot[Pot.EXTRA] - pot[Pot.TICKS]
    return READY + min(max(left, 0), LONGEST)


@kernel
def _cells(s, lane, params, tokens):
    """The tokens of all cells, without the cooks."""
    height, width = params.plan.shape
    for cell in range(height * width):
        row, col = cell // width, cell % width
        for channel in range(tokens.shape[1]):
            tokens[cell, channel] = 0
        tokens[cell, KIND], tokens[cell, THING] = params.plan[row, col], thing_token(s.items[lane, row, col])
    for number in range(len(params.pot_cell)):
        pot, cell = s.pots[lane, number], params.pot_cell[number]
        tokens[cell, THING] = MIX + pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES]
        tokens[cell, CLOCK] = _clock(pot, params)
    tokens[height * width, KIND] = Cell.OUTSIDE


@kernel
def pack(s, lane, actions, params, tokens, asked):
    """See ``core.tokens``."""
    _cells(s, lane, params, tokens)
    width, count = params.plan.shape[1], 0
    for agent in range(params.agents):
        if s.pos[lane, agent, 0] < 0:
            continue
        cell, verb = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1], actions[lane, agent, 0]
        if verb < 0 or verb >= params.verbs or actions[lane, agent, 1] != 0:
            verb = np.int32(Verb.STAY)
        tokens[cell, COOK], tokens[cell, HELD] = 1 + s.facing[lane, agent], thing_token(s.holding[lane, agent])
        tokens[cell, ACTION] = 1 + verb
        tokens[cell, STICKY] = int(10 * params.severity[Severity.STICKY_FLOOR] + 0.5)
        asked[count, 0], asked[count, 1] = cell, OF_A_COOK
        count += 1
    for cell in params.pot_cell:
        asked[count, 0], asked[count, 1] = cell, OF_A_CELL
        count += 1
    for cell in params.counters:
        beside = False
        for way in range(4):
            row, col = cell // width + DROW[way], cell % width + DCOL[way]
            if 0 <= row < params.plan.shape[0] and 0 <= col < width:
                beside = beside or tokens[row * width + col, COOK] > 0
        if beside:
            asked[count, 0], asked[count, 1] = cell, OF_A_CELL
            count += 1
    return count


@kernel
def outcome(s, lane, after, to, params, asked, count, out):
    """See ``core.tokens``."""
    width, agent = params.plan.shape[1], -1
    for k in range(count):
        cell = asked[k, 0]
        row, col = cell // width, cell % width
        if asked[k, 1] == OF_A_COOK:
            agent += 1
            while s.pos[lane, agent, 0] < 0:
                agent += 1
            out[k, GOES] = 0
            for way in range(4):
                if after.pos[to, agent, 0] == row + DROW[way] and after.pos[to, agent, 1] == col + DCOL[way]:
                    out[k, GOES] = 1 + way
            out[k, FACES], out[k, HOLDS] = after.facing[to, agent], thing_token(after.holding[to, agent])
            # the last cook who served: one soup was counted for each pay
            out[k, SERVES] = after.sparse[to, agent] > 0 and after.served[to] > s.served[lane]
        elif params.pot_at[row, col] < 0:
            out[k, BECOMES], out[k, TICKS] = thing_token(after.items[to, row, col]), STANDS
        else:
            old, new = s.pots[lane, params.pot_at[row, col]], after.pots[to, params.pot_at[row, col]]
            out[k, BECOMES] = MIX + new[Pot.ONIONS] + 4 * new[Pot.TOMATOES]
            if new[Pot.TICKS] < 0:
                out[k, TICKS] = EMPTIED if old[Pot.TICKS] >= 0 else STANDS
            elif old[Pot.TICKS] < 0:
                out[k, TICKS] = BEGINS
            else:
                out[k, TICKS] = GOES_ON if new[Pot.TICKS] > old[Pot.TICKS] else STANDS


@kernel
def _change(pot, becomes, ticks, params):
    """The next tick of a pot."""
    mix = becomes - MIX
    if mix >= 0 and mix % 4 + mix // 4 <= params.most:
        pot[Pot.ONIONS], pot[Pot.TOMATOES] = mix % 4, mix // 4
    if ticks == GOES_ON and pot[Pot.TICKS] >= 0:
        pot[Pot.TICKS] += 1
    elif ticks == BEGINS:
        pot[Pot.TICKS], pot[Pot.EXTRA] = 1, 0
    elif ticks == EMPTIED:
        pot[Pot.TICKS], pot[Pot.EXTRA] = -1, 0


@kernel
def _separate(s, lane, params, asked, out, present):
    """Let cooks stay who would be in one cell, until none is with another."""
    width, clash = params.plan.shape[1], True
    while clash:
        clash = False
        for a in range(present):
            for b in range(a):
                if _goal(asked, out, a, width) == _goal(asked, out, b, width):
                    out[a, GOES], out[b, GOES], clash = 0, 0, True


@kernel
def _goal(asked, out, k, width):
    way = out[k, GOES] - 1
    return asked[k, 0] if way < 0 else asked[k, 0] + DROW[way] * width + DCOL[way]


@kernel
def unpack(out, asked, count, s, lane, params):
    """See ``core.tokens``."""
    width, present = params.plan.shape[1], 0
    while present < count and asked[present, 1] == OF_A_COOK:
        cell = _goal(asked, out, present, width)
        if params.plan[cell // width, cell % width] != Cell.FLOOR:
            out[present, GOES] = 0
        present += 1
    _separate(s, lane, params, asked, out, present)
    agent = -1
    for k in range(count):
        cell = _goal(asked, out, k, width) if k < present else np.int64(asked[k, 0])
        row, col = cell // width, cell % width
        if k < present:
            agent += 1
            while s.pos[lane, agent, 0] < 0:
                agent += 1
            s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
            s.facing[lane, agent], s.holding[lane, agent] = out[k, FACES], thing_of(out[k, HOLDS])
            s.served[lane] += out[k, SERVES]
        elif params.pot_at[row, col] < 0:
            s.items[lane, row, col] = thing_of(out[k, BECOMES])
        else:
            _change(s.pots[lane, params.pot_at[row, col]], out[k, BECOMES], out[k, TICKS], params)
    close(s, lane, params)


def _options(dose: float) -> dict[str, Any]:
    return {"scattered": True, "soups": 0, "perturb": {"sticky_floor": dose}}


PRACTICE = Practice(
    layouts=tuple(CLASSIC),
    variants=tuple(map(_options, (0.0, 0.0, 0.3, 0.5, 1.0))),
    tests=tuple({"layout": "cramped_room", **_options(dose)} for dose in (0.0, 0.5)),
    policy="oracle",
)
TOKENS = Tokens(
    practice=PRACTICE,
    seen=SEEN,
    heads=HEADS,
    neighbours=lambda params: patches(*params.plan.shape),
    most=lambda params: params.agents + params.plan.size,
    pack=pack,
    outcome=outcome,
    unpack=unpack,
)

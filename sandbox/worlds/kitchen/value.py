"""What a kitchen has in hand: how far its soups are, in soups of the usual kind."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.kernels import is_ready
from sandbox.worlds.kitchen.orders import USUAL
from sandbox.worlds.kitchen.state import FAR, Cell, Pot, Thing

# Of a usual soup: an ingredient or a dish in hand, an ingredient in the pot, a pot that cooks, then is ready, a soup in
# hand; and what it adds to be near the place where it is needed.
HELD, POTTED, COOKING, READY, TAKEN, NEAR = 0.04, 0.12, 0.45, 0.6, 0.75, 0.05


@kernel
def _near(s, lane, agent, kind, rules):
    """1 beside the nearest cell of a kind, less by the steps to it; 0 where there is no way."""
    width = rules.plan.shape[1]
    here = s.pos[lane, agent, 0] * width + s.pos[lane, agent, 1]
    cell = rules.nearest[kind, here]
    if cell < 0 or rules.way[cell, here] >= FAR:
        return 0.0
    return 1.0 - rules.way[cell, here] / float(rules.plan.shape[0] + width)


@kernel
def _in_pots(pots, rules):
    """The worth of all pots; how many ingredients they can take, and how many dishes they want."""
    total, room, dishes = 0.0, 0, 0
    for number in range(len(pots)):
        pot = pots[number]
        mix, count = pot[Pot.ONIONS] + 4 * pot[Pot.TOMATOES], pot[Pot.ONIONS] + pot[Pot.TOMATOES]
        worth = rules.worth[mix] / USUAL
        if is_ready(pot, rules):
            total += worth * READY
        elif pot[Pot.TICKS] >= 0:
            total += worth * (COOKING + (READY - COOKING) * pot[Pot.TICKS] / (pot[Pot.TICKS] + rules.cook_time[mix]))
        elif rules.aim[mix] >= 0:
            total += POTTED * count
            room += rules.aim[mix] // 4 + rules.aim[mix] % 4 - count
        dishes += pot[Pot.TICKS] >= 0
    return total, room, dishes


@kernel
def value(s, lane, rules):
    """Soups under way, each as a part of one that is served."""
    total, room, dishes = _in_pots(s.pots[lane], rules)
    for agent in range(rules.agents):
        held = s.holding[lane, agent]
        if s.pos[lane, agent, 0] < 0 or held == Thing.NOTHING:
            continue
        if held >= Thing.SOUP:
            worth = rules.worth[held - Thing.SOUP] / USUAL
            total += worth * (TAKEN + NEAR * _near(s, lane, agent, Cell.SERVING, rules))
        elif held == Thing.DISH and dishes > 0:
            total += HELD + NEAR * _near(s, lane, agent, Cell.POT, rules)
            dishes -= 1
        elif held != Thing.DISH and room > 0:
            total += HELD + NEAR * _near(s, lane, agent, Cell.POT, rules)
            room -= 1
    return total

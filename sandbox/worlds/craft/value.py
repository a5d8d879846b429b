"""What players have in hand: their lives and what their bodies need, in achievements.

Things carried are worth nothing by themselves: a player that valued them would not build a table.
"""

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.state import Body

LIFE, HEALTH = 5.0, 0.1  # to be alive; a point of health, as in crafter's reward
NEED, LOW = 0.05, 4  # squared points of food, drink or energy below LOW


@kernel
def value(s, lane, rules):
    """The sum over players."""
    total = 0.0
    for agent in range(rules.agents):
        body = s.body[lane, agent]
        if s.pos[lane, agent, 0] < 0 or body[Body.HEALTH] <= 0:
            continue
        total += LIFE + HEALTH * body[Body.HEALTH]
        for need in range(Body.FOOD, Body.ENERGY + 1):
            total -= NEED * max(0, LOW - body[need]) ** 2
    return total

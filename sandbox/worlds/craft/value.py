"""What players have in hand: their lives, their needs, and what the next tools take; in units of the reward."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.state import MOST, Body

LIFE, NEED, LOW = 3.0, 0.05, 4  # to be alive; each point of food, drink or energy below LOW
CARRIED = ((Body.WOOD, 0.04, 6), (Body.STONE, 0.03, 6), (Body.COAL, 0.15, 2), (Body.IRON, 0.3, 2))  # worth, how many


@kernel
def value(s, lane, rules):
    """The sum over players."""
    total = 0.0
    for agent in range(rules.agents):
        body = s.body[lane, agent]
        if s.pos[lane, agent, 0] < 0 or body[Body.HEALTH] <= 0:
            continue
        total += LIFE
        for need in range(Body.FOOD, Body.ENERGY + 1):
            total -= NEED * max(0, LOW - body[need]) ** 2
        for item, worth, most in CARRIED:
            total += worth * min(body[item], most)
        total += 0.01 * min(body[Body.HEALTH], MOST)
    return total

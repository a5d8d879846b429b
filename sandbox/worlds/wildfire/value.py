"""What a team has saved, and what a fire still threatens: the losses to be expected of what burns. In buildings."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.cells import age_of, can_burn, has_people, kind_of
from sandbox.worlds.wildfire.fire import DCOL, DROW
from sandbox.worlds.wildfire.state import Count, Crew, Kind

HOUSE, PEOPLE = 0.9, 0.9  # of a building, or a household, that burns: it is lost unless somebody comes
FRONT = 0.02  # of each cell beside a burning one that can burn, a building five times as much
WATER = 0.01  # a tank of water in hand


@kernel
def earned(s, lane, rules):
    """Households that were rescued, less buildings and households that are lost, and harm done to crews."""
    tally = s.tally[lane]
    return float(tally[Count.RESCUED] - tally[Count.LOST] - tally[Count.PERISHED] - tally[Count.HURT])


@kernel
def value(s, lane, rules):
    """Minus what burns and what it may set alight; water in hand counts a little."""
    total, land = 0.0, s.land[lane]
    for row in range(rules.height):
        for col in range(rules.width):
            code = land[row, col]
            if age_of(code) == 0:
                continue
            if kind_of(code) == Kind.BUILDING:
                total -= HOUSE + (PEOPLE if has_people(code) else 0.0)
            for k in range(8):
                r, c = row + DROW[k], col + DCOL[k]
                if 0 <= r < rules.height and 0 <= c < rules.width and can_burn(land[r, c]):
                    total -= FRONT * (5.0 if kind_of(land[r, c]) == Kind.BUILDING else 1.0)
    for agent in range(rules.agents):
        if s.pos[lane, agent, 0] >= 0:
            total += WATER * s.crew[lane, agent, Crew.TANKS]
    return total

"""What wildfire teams share out: sectors of the map in which it burns, and the end of the fire as a whole."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import Offer, Own, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.state import Count, Crew, Rules

SECTOR, OUT = 0, 1  # kinds
SIDE = 12  # cells of a sector
KINDS = (
    TaskKind("sector", (
        "Put out every fire in sector {what}.",
        "Nothing is to burn any more in sector {what} of the map.",
        "Sector {what} is yours: go there and fight the fire until it is out.",
    )),
    TaskKind("out", (
        "See to it that nothing burns anywhere.",
        "The whole fire is to be out.",
        "Go on until the last flame on the map is out.",
    )),
)  # fmt: skip
_SECTOR_CODE = task_code(SECTOR, 0)


@kernel
def sector_of(row, col, width):
    """The number of the sector of a cell."""
    return row // SIDE * ((width + SIDE - 1) // SIDE) + col // SIDE


@kernel
def look(obs, lane, agent, rules, task, own, offers):
    """The sectors where the crew sees fire, by the nearest flame in each; its own is over when it sees none there.

    A crew that sees fire fights it, and is not free for another task.
    """
    window, vector, sight = obs.window[lane, agent], obs.vector[lane, agent], rules.sight
    row, col, found = int(vector[0]), int(vector[1]), 0
    own[Own.CELL] = row * rules.width + col
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if not window[1, i, j]:
                continue
            r, c, far = row + i - sight, col + j - sight, abs(i - sight) + abs(j - sight)
            code, place = _SECTOR_CODE + sector_of(r, c, rules.width), 0
            while place < found and offers[place, Offer.CODE] != code:
                place += 1
            if place == len(offers) or (place < found and offers[place, Offer.COST] <= far):
                continue
            offers[place, Offer.CODE], offers[place, Offer.CELL] = code, r * rules.width + c
            offers[place, Offer.COST], offers[place, Offer.HOST] = far, agent
            found = max(found, place + 1)
    for k in range(found, len(offers)):
        offers[k, Offer.CODE] = 0
    own[Own.FREE] = vector[15] == 0 and found == 0
    there = abs(task[2] - row) + abs(task[3] - col) <= sight
    if task[0] == SECTOR + 1 and found == 0 and there:
        task[0], own[Own.FINISHED] = 0, 1


@kernel
def check(s, lane, rules, kind, argument, mark):
    """Whether it still burns, in the sector or anywhere. ``mark`` is not used."""
    tally, place = s.tally[lane], -1
    if kind == SECTOR:
        across = (rules.width + SIDE - 1) // SIDE
        row = min(rules.height - 1, argument // across * SIDE + SIDE // 2)
        col = min(rules.width - 1, argument % across * SIDE + SIDE // 2)
        place = row * rules.width + col
    if tally[Count.BURNING] > len(s.fires[lane]):
        return TaskState.OPEN, mark, place
    for k in range(tally[Count.BURNING]):
        cell = int(s.fires[lane, k])
        if kind == OUT or sector_of(cell // rules.width, cell % rules.width, rules.width) == argument:
            return TaskState.OPEN, mark, place
    return TaskState.DONE, mark, place


@kernel
def tell(s, lane, agent, rules):
    """The nearest fire in sight, else the nearest household, by radio."""
    crew = s.crew[lane, agent]
    return crew[Crew.REPORT], crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL]


def arguments(rules: Rules, kind: int) -> list[str]:
    """Sectors row by row, as "row-column"."""
    down, across = -(-rules.height // SIDE), -(-rules.width // SIDE)
    return ["all"] if kind == OUT else [f"{row}-{col}" for row in range(down) for col in range(across)]


def generate(rules: Rules) -> list[TaskObject]:
    """Every sector, then the fire as a whole."""
    names = [f"sector {called}" for called in arguments(rules, SECTOR)]
    return [*(TaskObject(name, SECTOR, k) for k, name in enumerate(names)), TaskObject("all out", OUT, 0, tuple(names))]


TEAMWORK = Teamwork(KINDS, 4, lambda rules: rules.width, arguments, generate, look, check, tell)

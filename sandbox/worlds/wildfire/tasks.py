"""The wildfire's shared task: its instructions, and how it is verified."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task, TaskColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.state import Channel, Column, Count, Crew, Params

# -- teamwork: the tasks that teams share out: burning sectors of the map, and the end of the whole fire

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
def look(obs, lane, agent, params, task, own, open_tasks):
    """Open tasks: the sectors where the crew sees fire, with the nearest burning cell of each.

    Its own task is over when it sees no fire there. A crew that sees fire fights it, and is not free.
    """
    window, vector, sight = obs.window[lane, agent], obs.vector[lane, agent], params.sight
    row, col, found = int(vector[Column.ROW]), int(vector[Column.COL]), 0
    own[AgentStatus.CELL] = row * params.width + col
    for i in range(2 * sight + 1):
        for j in range(2 * sight + 1):
            if not window[Channel.FIRE, i, j]:
                continue
            r, c, far = row + i - sight, col + j - sight, abs(i - sight) + abs(j - sight)
            code, place = _SECTOR_CODE + sector_of(r, c, params.width), 0
            while place < found and open_tasks[place, OpenTask.CODE] != code:
                place += 1
            if place == len(open_tasks) or (place < found and open_tasks[place, OpenTask.COST] <= far):
                continue
            open_tasks[place, OpenTask.CODE], open_tasks[place, OpenTask.CELL] = code, r * params.width + c
            open_tasks[place, OpenTask.COST], open_tasks[place, OpenTask.HOST] = far, agent
            found = max(found, place + 1)
    for k in range(found, len(open_tasks)):
        open_tasks[k, OpenTask.CODE] = 0
    own[AgentStatus.FREE] = vector[Column.DOWN] == 0 and found == 0
    there = abs(task[TaskColumn.ROW] - row) + abs(task[TaskColumn.COL] - col) <= sight
    if task[TaskColumn.KIND] == SECTOR + 1 and found == 0 and there:
        task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, 1


@kernel
def check(s, lane, params, kind, argument, mark):
    """Whether anything still burns in the sector, or anywhere. ``mark`` is not used."""
    tally, place = s.tally[lane], -1
    if kind == SECTOR:
        across = (params.width + SIDE - 1) // SIDE
        row = min(params.height - 1, argument // across * SIDE + SIDE // 2)
        col = min(params.width - 1, argument % across * SIDE + SIDE // 2)
        place = row * params.width + col
    if tally[Count.BURNING] > len(s.fires[lane]):
        return TaskState.OPEN, mark, place
    for k in range(tally[Count.BURNING]):
        cell = int(s.fires[lane, k])
        if kind == OUT or sector_of(cell // params.width, cell % params.width, params.width) == argument:
            return TaskState.OPEN, mark, place
    return TaskState.DONE, mark, place


@kernel
def tell(s, lane, agent, params):
    """The crew's report: (Report, row, column) of the nearest fire in sight, else the nearest household."""
    crew = s.crew[lane, agent]
    return crew[Crew.REPORT], crew[Crew.REPORT_ROW], crew[Crew.REPORT_COL]


def arguments(params: Params, kind: int) -> list[str]:
    """Sectors row by row, as "row-column"."""
    down, across = -(-params.height // SIDE), -(-params.width // SIDE)
    return ["all"] if kind == OUT else [f"{row}-{col}" for row in range(down) for col in range(across)]


def generate(params: Params) -> list[TaskObject]:
    """One task for each sector, then one for the whole fire."""
    names = [f"sector {called}" for called in arguments(params, SECTOR)]
    return [*(TaskObject(name, SECTOR, k) for k, name in enumerate(names)), TaskObject("all out", OUT, 0, tuple(names))]


TEAMWORK = Teamwork(KINDS, 4, lambda params: params.width, arguments, generate, look, check, tell)


# -- tasks

_TEXTS = (
    "Put the fire out, and save at least {save:.0%} of the buildings and of the people in them.",
    "Together, contain the fire until nothing burns any more; {save:.0%} of all buildings and homes must come through.",
    "Your team's job is done when the last flame is out and no more than {lost:.0%} of the village has been lost.",
)
_CLASSIC = (
    "Let the forest burn out; at least {save:.0%} of its trees are to be left.",
    "Keep {save:.0%} of the trees from burning until the fire is out.",
    "Your team's job is done when nothing burns any more and no more than {lost:.0%} of the trees are gone.",
)


@kernel
def _needed(save, total):
    return total - int((1.0 - save) * total + 1e-9)


@kernel
def progress(s, lane, params):
    """(done, total): buildings and households saved, up to those needed, plus one for the end of the fire."""
    tally = s.tally[lane]
    buildings, homes = tally[Count.BUILDINGS], tally[Count.HOUSEHOLDS]
    total = _needed(params.save, buildings) + _needed(params.save, homes) + 1
    done = min(_needed(params.save, buildings), buildings - tally[Count.LOST])
    done += min(_needed(params.save, homes), homes - tally[Count.PERISHED])
    return done + (tally[Count.BURNING] == 0), total


def task(params: Params) -> Task:
    """The instruction: contain the fire and save a share of what it threatens."""
    texts = _CLASSIC if params.classic else _TEXTS
    told = tuple(text.format(save=params.save, lost=1 - params.save) for text in texts)
    return Task("contain", told)

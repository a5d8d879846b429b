"""The kitchen's shared task: its instructions, and how it is verified."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task, TaskColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import FIRST_POT, PER_POT, Column, Params, Pot, PotColumn, Thing

# -- teamwork: the tasks that teams share out: pots to fill, soups to take out, the count of soups served

POT, PLATE, SERVE = 0, 1, 2  # kinds
MOST = 1000  # soups that a task object can ask for, unless the kitchen's own task asks for more
KINDS = (
    TaskKind("pot", (
        "See to pot {what}: fill it and begin to cook.",
        "Pot {what} is yours: bring what it lacks, then start it.",
        "Put the ingredients for a soup into pot {what} and get it cooking.",
    )),
    TaskKind("plate", (
        "Fetch a dish and take the soup out of pot {what} when it is ready.",
        "Have a dish at hand when the soup of pot {what} is done, and take the soup.",
        "The soup in pot {what} is to be taken out on a dish, and served.",
    )),
    TaskKind("serve", (
        "See to it that {what} soups have been served, counted from the beginning.",
        "The team's count of soups served is to reach {what}.",
        "Go on until {what} soups have been served by all of you together.",
    )),
)  # fmt: skip
_POT_CODE, _PLATE_CODE = task_code(POT, 0), task_code(PLATE, 0)


@kernel
def _is_over(vector, task):
    """Whether a cook sees that a task is done: the pot cooks, its soup is out, or enough soups are served."""
    if task[TaskColumn.KIND] == SERVE + 1:
        return vector[Column.SERVED] >= task[TaskColumn.ARGUMENT]
    cooks = vector[FIRST_POT + PER_POT * task[TaskColumn.ARGUMENT] + PotColumn.TICKS] >= 0
    return cooks == (task[TaskColumn.KIND] == POT + 1)


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """The open task of each pot: to be filled, or to be emptied. A cook who holds a soup is not free.

    The cost is the steps to the pot, or the ticks until the soup is ready if that is longer; out of reach, FAR.
    """
    vector, pots, width = obs.vector[lane, agent], len(params.pot_cell), params.plan.shape[1]
    here = int(vector[Column.ROW]) * width + int(vector[Column.COL])
    own[AgentStatus.CELL], own[AgentStatus.FREE] = here, int(vector[Column.HOLDING]) < Thing.SOUP
    if task[TaskColumn.KIND] and _is_over(vector, task):
        task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, 1
    for k in range(len(open_tasks)):
        open_tasks[k, OpenTask.CODE] = 0
        if k < pots:
            pot = (agent + k) % pots
            at, cell = FIRST_POT + PER_POT * pot, params.pot_cell[pot]
            mix = int(vector[at + PotColumn.ONIONS]) + 4 * int(vector[at + PotColumn.TOMATOES])
            ticks = int(vector[at + PotColumn.TICKS])
            left = max(0, params.cook_time[mix] - ticks) if ticks >= 0 else 0
            open_tasks[k, OpenTask.CODE] = (_PLATE_CODE if ticks >= 0 else _POT_CODE) + pot
            open_tasks[k, OpenTask.CELL], open_tasks[k, OpenTask.HOST] = cell, pot % params.agents
            open_tasks[k, OpenTask.COST] = max(params.way[cell, here], left)


@kernel
def check(s, lane, params, kind, argument, mark):
    """State of a task. ``mark`` of a pot and a plate: 1 once the pot cooks, 2 once its soup has been taken out."""
    if kind == SERVE:
        return (TaskState.DONE if s.served[lane] >= argument else TaskState.OPEN), mark, -1
    cooks = s.pots[lane, argument, Pot.TICKS] >= 0
    mark = max(mark, 1) if cooks else 2 * (mark > 0)
    done = mark >= 1 if kind == POT else mark == 2
    return (TaskState.DONE if done else TaskState.OPEN), mark, params.pot_cell[argument]


def arguments(params: Params, kind: int) -> list[str]:
    """Pots row by row from 0 on; counts of soups."""
    count = max(MOST, params.soups) + 1 if kind == SERVE else len(params.pot_cell)
    return [str(k) for k in range(count)]


def generate(params: Params) -> list[TaskObject]:
    """One task for each soup of the task, in sequence; empty for an endless task."""
    return [
        TaskObject(f"serve {k}", SERVE, k, (f"serve {k - 1}",) if k > 1 else ()) for k in range(1, params.soups + 1)
    ]


TEAMWORK = Teamwork(KINDS, 8, lambda params: params.plan.shape[1], arguments, generate, look, check)


# -- tasks

_TEXTS = (
    "Together, serve {n} soups from the order list.",
    "Your team's job is done when {n} ordered soups have been brought to the serving place.",
    "Fill the pots, cook, and carry {n} soups that guests have ordered to where they are served.",
)


@kernel
def progress(s, lane, params):
    """(soups served, soups that complete the task)."""
    return s.served[lane], params.soups


def task(params: Params) -> Task:
    """The instruction: serve K soups before the tick limit."""
    return Task("serve", tuple(t.format(n=params.soups) for t in _TEXTS))

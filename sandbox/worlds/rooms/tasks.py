"""The task of the rooms: every wish met by a plan that both approve; and the wishes as tasks of a team."""

from sandbox.core.teamwork import AgentStatus, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task, TaskColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.rooms.dynamics.geometry import is_met
from sandbox.worlds.rooms.dynamics.kernels import settled
from sandbox.worlds.rooms.state import FIRST_WISH, PER_WISH, WISHES, Params

_TEXTS = (
    "Furnish the flat: a plan that meets all {n} wishes of the client, within the budget, approved by client and "
    "accountant.",
    "Together, agree on a plan of the flat that gives the client all {n} things they wish for and can be paid.",
    "Your team's job is done when client and accountant have approved a plan in which all {n} wishes are met and "
    "everything can be reached and used.",
)
KINDS = (
    TaskKind("wish", (
        "See to it that the plan meets wish {what} of the client.",
        "Wish {what} is yours: find out what it is, and have it met.",
        "Work on the client's wish {what} until the plan meets it.",
    )),
)  # fmt: skip


def task(params: Params) -> Task:
    """The instruction."""
    return Task("furnish", tuple(text.format(n=params.wishes) for text in _TEXTS))


@kernel
def progress(s, lane, params):
    """(wishes met and approvals given, all of them)."""
    return settled(s, lane, params)


# -- teamwork


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """No open tasks: who is told a wish is told by the client. A task is over when its wish is seen to be met."""
    own[AgentStatus.FREE], own[AgentStatus.CELL] = 1, -1
    if task[TaskColumn.KIND]:
        wish = FIRST_WISH + PER_WISH * task[TaskColumn.ARGUMENT]
        if obs.vector[lane, agent, wish + PER_WISH - 1] > 0:
            task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, 1
    for k in range(len(open_tasks)):
        open_tasks[k, 0] = 0


@kernel
def check(s, lane, params, kind, argument, mark):
    """Whether the plan meets a wish."""
    met = is_met(s.grid[lane], s.item[lane], s.flaw[lane], params, s.wish[lane, argument])
    return (TaskState.DONE if met else TaskState.OPEN), mark, -1


def arguments(params: Params, kind: int) -> list[str]:
    """The numbers of the wishes."""
    return [str(wish) for wish in range(params.wishes)]


def generate(params: Params) -> list[TaskObject]:
    """Every wish, none after another."""
    return [TaskObject(f"wish {wish}", 0, wish) for wish in range(params.wishes)]


TEAMWORK = Teamwork(KINDS, WISHES, lambda params: params.plan.shape[1], arguments, generate, look, check)

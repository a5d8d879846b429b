"""The task of the office: every case closed correctly; and the cases as tasks of a team."""

import numpy as np

from sandbox.core.teamwork import AgentStatus, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.dynamics.kernels import closed
from sandbox.worlds.office.state import Case, Column, Params, Status

KINDS = (
    TaskKind("case", (
        "See to it that case {what} is closed correctly.",
        "Case {what} is yours: bring it to its right end.",
        "Work on case {what} until it is closed, and closed rightly.",
    )),
)  # fmt: skip


def task(params: Params) -> Task:
    """The instruction of the process."""
    names = labels(params)
    return Task(names.title.lower(), tuple(names.texts))


@kernel
def progress(s, lane, params):
    """(cases closed correctly, all cases)."""
    right, _ = closed(s, lane, params)
    return right, params.cases


# -- teamwork: a team can share out the cases


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """No open tasks: a tray shows an activity, and only who takes it sees which case it is. Tasks have no cells."""
    vector = obs.vector[lane, agent]
    own[AgentStatus.FREE] = 1 if vector[Column.TRAY] == 0 and vector[Column.BUSY] == 0 else 0
    own[AgentStatus.CELL] = -1
    for k in range(len(open_tasks)):
        open_tasks[k, 0] = 0


@kernel
def check(s, lane, params, kind, argument, mark):
    """Whether a case is closed, and correctly."""
    status = np.int64(s.case[lane, argument, Case.STATUS])
    if status == Status.RIGHT:
        return TaskState.DONE, mark, -1
    return (TaskState.FAILED if status == Status.WRONG else TaskState.OPEN), mark, -1


def arguments(params: Params, kind: int) -> list[str]:
    """The numbers of the cases."""
    return [str(case + 1) for case in range(params.cases)]


def generate(params: Params) -> list[TaskObject]:
    """Every case, none after another."""
    return [TaskObject(f"case {case + 1}", 0, case) for case in range(params.cases)]


TEAMWORK = Teamwork(KINDS, 8, lambda params: 1, arguments, generate, look, check)

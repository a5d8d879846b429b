"""The warehouse's shared tasks: their instructions, and how they are verified."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task, TaskColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import ORDERS, PER_ORDER, Channel, Column, Order, Params

# -- teamwork: the tasks that teams share out: orders on the board, orders of the first board, the count of deliveries

ORDER, FIRST, DELIVER = 0, 1, 2  # kinds
MOST = 1000  # deliveries that a task object can require
KINDS = (
    TaskKind("order", (
        "Serve the order for load {what}.",
        "Fetch load {what} and bring it to where it is wanted.",
        "Load {what} has been ordered: see to it that it is delivered.",
    )),
    TaskKind("first", (
        "Serve the order that stood in place {what} of the board when the shift began.",
        "See to it that the load of order {what} of the first list is delivered.",
        "Of the orders that you all began with, number {what} is to be served.",
    )),
    TaskKind("deliver", (
        "See to it that {what} orders have been served, counted from the beginning.",
        "The team's count of deliveries is to reach {what}.",
        "Go on until {what} loads have been delivered by all of you together.",
    )),
)  # fmt: skip
_ORDER_CODE = task_code(ORDER, 0)


@kernel
def _is_over(obs, lane, agent, params, task, row, col):
    """Whether a robot without a load has finished its task: the load is delivered, or another robot has taken it."""
    sight, vector = params.sight, obs.vector[lane, agent]
    if task[TaskColumn.ROW] < 0:
        return True
    if task[TaskColumn.ROW] == row and task[TaskColumn.COL] == col:
        return not obs.window[lane, agent, Channel.REQUESTED, sight, sight]
    for k in range(params.board if task[TaskColumn.KIND] == ORDER + 1 else 0):
        at = ORDERS + PER_ORDER * k
        if vector[at + Order.ID] == task[TaskColumn.ARGUMENT]:
            there = vector[at + Order.ROW] == task[TaskColumn.ROW] and vector[at + Order.COL] == task[TaskColumn.COL]
            return not (vector[at + Order.WAITING] and there)
    return False


@kernel
def _host(slot, params):
    """The robot that assigns an order: the one whose board begins with it, else the first whose board shows it."""
    return slot if slot < params.agents else max(0, slot - params.board + 1)


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """Waiting orders on the robot's board. Its own task is over when its load is delivered or taken by another."""
    vector, width, found = obs.vector[lane, agent], params.plan.shape[1], 0
    row, col, laden = int(vector[Column.ROW]), int(vector[Column.COL]), vector[Column.CARRYING] > 0
    own[AgentStatus.CELL], own[AgentStatus.FREE] = row * width + col, not laden
    if task[TaskColumn.KIND] and task[TaskColumn.KIND] <= FIRST + 1:
        if laden and not params.courier and not obs.window[lane, agent, Channel.REQUESTED, params.sight, params.sight]:
            task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, 1
        elif laden:
            task[TaskColumn.ROW], task[TaskColumn.COL] = -1, -1  # the load is fetched
        elif _is_over(obs, lane, agent, params, task, row, col):
            task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, task[TaskColumn.ROW] < 0
    for k in range(params.board):
        at = ORDERS + PER_ORDER * k
        if vector[at + Order.WAITING]:
            shelf = int(vector[at + Order.ID])
            to_row, to_col = int(vector[at + Order.ROW]), int(vector[at + Order.COL])
            open_tasks[found, OpenTask.CODE], open_tasks[found, OpenTask.CELL] = (
                _ORDER_CODE + shelf,
                to_row * width + to_col,
            )
            open_tasks[found, OpenTask.COST] = abs(to_row - row) + abs(to_col - col)
            open_tasks[found, OpenTask.HOST] = _host((agent + k) % params.requests, params)
            found += 1
    for k in range(found, len(open_tasks)):
        open_tasks[k, OpenTask.CODE] = 0


@kernel
def check(s, lane, params, kind, argument, mark):
    """An order is done when its load is no longer requested. ``mark``: the load of the order, -1 when it is done.

    A courier's order is done when its destination has changed; ``mark`` is the destination (row * W + column) + 1.
    """
    width = params.plan.shape[1]
    if kind == DELIVER:
        return TaskState.DONE if s.delivered[lane] >= argument else TaskState.OPEN, mark, -1
    if params.courier and mark >= 0:
        index = argument - 1 if kind == ORDER else argument
        to = s.drop[lane, index, 0] * width + s.drop[lane, index, 1] + 1
        if mark and mark != to:
            return TaskState.DONE, -1, -1
        return TaskState.OPEN, to, s.shelf[lane, index, 0] * width + s.shelf[lane, index, 1]
    load = mark if mark else (argument if kind == ORDER else s.request[lane, argument])
    if load < 0:
        return TaskState.DONE, load, -1
    cell = s.shelf[lane, load - 1, 0] * width + s.shelf[lane, load - 1, 1]
    if s.requested[lane, load - 1]:
        return TaskState.OPEN, load, cell
    return (TaskState.DONE, -1, -1) if mark else (TaskState.OPEN, mark, cell)


def arguments(params: Params, kind: int) -> list[str]:
    """Ids of loads from 1, places of the board from 0, counts of deliveries."""
    return [str(k) for k in range((len(params.homes) + 1, params.requests, MOST + 1)[kind])]


def generate(params: Params) -> list[TaskObject]:
    """The orders of the first board, without dependencies."""
    return [TaskObject(f"order {slot}", FIRST, slot) for slot in range(params.requests)]


TEAMWORK = Teamwork(KINDS, 8, lambda params: params.plan.shape[1], arguments, generate, look, check)


# -- tasks

_SHELVES = (
    "Together, bring {n} requested shelves to the goals; put each shelf back into a free slot afterwards.",
    "Deliver {n} of the shelves on the order board. A delivered shelf goes back to an empty storage place.",
    "Your team's job is done when {n} orders have been served: fetch the shelf, take it to a goal, return it.",
)
_PARCELS = (
    "Together, deliver {n} parcels, each from where it waits to its own destination.",
    "Your team's job is done when {n} parcels have reached the cells they are meant for.",
    "Pick up parcels and bring each to its drop-off cell, until {n} have been delivered.",
)


@kernel
def progress(s, lane, params):
    """(deliveries made, deliveries that complete the task)."""
    return s.delivered[lane], params.deliveries


def task(params: Params) -> Task:
    """The instruction: deliver K requests before the tick limit."""
    texts = _PARCELS if params.courier else _SHELVES
    name = "courier" if params.courier else "deliver"
    return Task(name, tuple(t.format(n=params.deliveries) for t in texts))

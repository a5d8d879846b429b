"""What warehouse teams share out: the orders on the board, those of the beginning, and the count of deliveries."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import Offer, Own, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import Rules

ORDER, FIRST, DELIVER = 0, 1, 2  # kinds
MOST = 1000  # deliveries that a task object can ask for
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
def _is_over(obs, lane, agent, rules, task, row, col):
    """Whether a robot without a load has delivered it, or sees that there is nothing more to fetch for its task."""
    sight, vector = rules.sight, obs.vector[lane, agent]
    if task[2] < 0:
        return True
    if task[2] == row and task[3] == col:
        return not obs.window[lane, agent, 3, sight, sight]
    for k in range(rules.board if task[0] == ORDER + 1 else 0):
        at = 10 + 4 * k
        if vector[at + 3] == task[1]:
            return not (vector[at + 2] and vector[at] == task[2] and vector[at + 1] == task[3])
    return False


@kernel
def _host(slot, rules):
    """Who shares an order out: the robot whose board begins with it, else the first one that sees it at all."""
    return slot if slot < rules.agents else max(0, slot - rules.board + 1)


@kernel
def look(obs, lane, agent, rules, task, own, offers):
    """The orders on the robot's part of the board that wait; its own is over when its load is delivered, or gone."""
    vector, width, found = obs.vector[lane, agent], rules.plan.shape[1], 0
    row, col, laden = int(vector[0]), int(vector[1]), vector[2] > 0
    own[Own.CELL], own[Own.FREE] = row * width + col, not laden
    if task[0] and task[0] <= FIRST + 1:
        if laden and not rules.courier and not obs.window[lane, agent, 3, rules.sight, rules.sight]:
            task[0], own[Own.FINISHED] = 0, 1
        elif laden:
            task[2], task[3] = -1, -1  # nothing to fetch any more
        elif _is_over(obs, lane, agent, rules, task, row, col):
            task[0], own[Own.FINISHED] = 0, task[2] < 0
    for k in range(rules.board):
        at = 10 + 4 * k
        if vector[at + 2]:
            shelf, to_row, to_col = int(vector[at + 3]), int(vector[at]), int(vector[at + 1])
            offers[found, Offer.CODE], offers[found, Offer.CELL] = _ORDER_CODE + shelf, to_row * width + to_col
            offers[found, Offer.COST] = abs(to_row - row) + abs(to_col - col)
            offers[found, Offer.HOST] = _host((agent + k) % rules.requests, rules)
            found += 1
    for k in range(found, len(offers)):
        offers[k, Offer.CODE] = 0


@kernel
def check(s, lane, rules, kind, argument, mark):
    """An order is done when its load is no longer asked for. ``mark``: the load of the order, -1 when it is done.

    A courier's order is done when there is another destination in its place; ``mark`` is then that cell + 1.
    """
    width = rules.plan.shape[1]
    if kind == DELIVER:
        return TaskState.DONE if s.delivered[lane] >= argument else TaskState.OPEN, mark, -1
    if rules.courier and mark >= 0:
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


def arguments(rules: Rules, kind: int) -> list[str]:
    """Ids of loads from 1 on, places of the board from 0 on, counts of deliveries."""
    return [str(k) for k in range((len(rules.homes) + 1, rules.requests, MOST + 1)[kind])]


def generate(rules: Rules) -> list[TaskObject]:
    """The orders of the beginning, in any order."""
    return [TaskObject(f"order {slot}", FIRST, slot) for slot in range(rules.requests)]


TEAMWORK = Teamwork(KINDS, 8, lambda rules: rules.plan.shape[1], arguments, generate, look, check)

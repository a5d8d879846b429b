"""The shared task of a site: its instructions, and how it is verified."""

import numpy as np

from sandbox.core.teamwork import AgentStatus, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.compiler.columns import Element, Op, Plan, Template
from sandbox.worlds.web.dynamics.effects import content
from sandbox.worlds.web.dynamics.kernels import reached
from sandbox.worlds.web.rendering.text import REGISTERS, TEMPLATES, name
from sandbox.worlds.web.state import Info, Params, Verb

# -- teamwork: the tasks that teams share out: the conditions of the goal

MOST = 8  # open tasks that an agent knows at a time
KINDS = (
    TaskKind("condition", (
        "See to it that the part '{what}' of your instruction is fulfilled.",
        "Of what your instruction asks for, '{what}' is to hold on the site.",
        "Bring the site to where the condition '{what}' of its goal is met.",
    )),
)  # fmt: skip


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """No open tasks: pages do not show what is stored. An agent is always free, and tasks have no cells."""
    own[AgentStatus.FREE], own[AgentStatus.CELL] = 1, -1
    for k in range(len(open_tasks)):
        open_tasks[k, 0] = 0


@kernel
def check(s, lane, params, kind, argument, mark):
    """Whether a condition of the episode's template holds now; numbers beyond its last condition are done."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    if argument >= own[Template.GOALS]:
        return TaskState.DONE, mark, -1
    goal = params.goal[own[Template.GOAL] + argument]
    holds = s.register[lane, goal[0]] == content(s.value[lane], goal[1], goal[2])
    return (TaskState.DONE if holds else TaskState.OPEN), mark, -1


def arguments(params: Params, kind: int) -> list[str]:
    """Names of the registers of the goal; numbers if each episode draws its template."""
    if params.own < 0:
        return [str(k) for k in range(params.template[:, Template.GOALS].max())]
    own = params.template[params.own]
    goals = params.goal[own[Template.GOAL] : own[Template.GOAL] + own[Template.GOALS]]
    first = params.own * int(params.template[:, Template.REGISTERS].max())
    return [name(params, REGISTERS, first + int(register)) for register, *_ in goals]


def _recorded(params: Params) -> dict[int, tuple[int, int]]:
    """(step, agent) of the recorded solution at which each register gets its last content."""
    own, found = params.template[params.own], {}
    steps = params.plan[own[Template.PLAN] : own[Template.PLAN] + own[Template.PLANS]]
    for number, step in enumerate(steps):
        row = params.element[own[Template.ELEMENT] + max(0, step[Plan.ELEMENT])]
        effects = params.effect[row[Element.EFFECT] : row[Element.EFFECT] + row[Element.EFFECTS]]
        for op, register, *_ in effects if step[Plan.VERB] == Verb.CLICK else ():
            if Op.SET <= op <= Op.COPY:
                found[int(register)] = number, int(step[Plan.AGENT])
    return found


def generate(params: Params) -> list[TaskObject]:
    """All conditions in the order of the recorded solution, each after those before it; two agents own theirs."""
    called = arguments(params, 0)
    if params.own < 0:
        return [TaskObject(f"condition {one}", 0, k) for k, one in enumerate(called)]
    own, recorded = params.template[params.own], _recorded(params)
    steps = [recorded.get(int(goal[0]), (-1, -1)) for goal in params.goal[own[Template.GOAL] :][: len(called)]]
    found = []
    for k, (step, agent) in sorted(enumerate(steps), key=lambda one: one[1][0]):
        before = np.unique([other for other, _ in steps if 0 <= other < step])[-1:]
        after = tuple(f"condition {called[j]}" for j, (other, _) in enumerate(steps) if other in before)
        owner = agent if own[Template.AGENTS] > 1 else -1
        found.append(TaskObject(f"condition {called[k]}", 0, k, after, owner=owner))
    return found


TEAMWORK = Teamwork(KINDS, MOST, lambda params: 1, arguments, generate, look, check)


# -- tasks

_ANY = (
    "Do on the web site what your instruction says; nothing else may be changed.",
    "Each episode brings a site and an instruction: carry it out on that site.",
    "Reach the state of the site that the instruction asks for, without doing any harm.",
)
_ONE = (
    "Do on the web site '{site}' what your instruction says; nothing else may be changed.",
    "Each episode brings an instruction for the web site '{site}': carry it out there.",
    "Reach the state of the web site '{site}' that the instruction asks for, without doing any harm.",
)


@kernel
def progress(s, lane, params):
    """(conditions of the goal that hold now, all conditions)."""
    return reached(s, lane, params), params.template[s.info[lane, Info.TEMPLATE], Template.GOALS]


def task(params: Params) -> Task:
    """The instruction: every condition of the goal holds at one time.

    The episode's own instruction, with its values, is part of an agent's observation.
    """
    if params.own < 0:
        return Task("any", _ANY)
    site = name(params, TEMPLATES, 0)
    return Task(site, tuple(text.format(site=site) for text in _ONE))

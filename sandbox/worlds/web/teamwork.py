"""What web teams share out: the conditions of the goal.

What the site has stored is not on the pages, so no agent knows by itself which conditions are open: it is told by the
team's graph of task objects. The recorded scripts do not heed a task; they are the whole way already.
"""

import numpy as np

from sandbox.core.teamwork import Own, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.columns import Element, Op, Plan, Template
from sandbox.worlds.web.effects import content
from sandbox.worlds.web.state import Info, Rules, Verb
from sandbox.worlds.web.words import REGISTERS, name

MOST = 8  # open conditions that an agent is told of at a time
KINDS = (
    TaskKind("condition", (
        "See to it that the part '{what}' of your instruction is fulfilled.",
        "Of what your instruction asks for, '{what}' is to hold on the site.",
        "Bring the site to where the condition '{what}' of its goal is met.",
    )),
)  # fmt: skip


@kernel
def look(obs, lane, agent, rules, task, own, offers):
    """No offers, as pages do not say what is stored; an agent is always free, and a site has no places."""
    own[Own.FREE], own[Own.CELL] = 1, -1
    for k in range(len(offers)):
        offers[k, 0] = 0


@kernel
def check(s, lane, rules, kind, argument, mark):
    """Whether a condition of the episode's template holds now; those beyond its last one are done."""
    own = rules.template[s.info[lane, Info.TEMPLATE]]
    if argument >= own[Template.GOALS]:
        return TaskState.DONE, mark, -1
    goal = rules.goal[own[Template.GOAL] + argument]
    holds = s.register[lane, goal[0]] == content(s.value[lane], goal[1], goal[2])
    return (TaskState.DONE if holds else TaskState.OPEN), mark, -1


def arguments(rules: Rules, kind: int) -> list[str]:
    """What the site calls them; numbers from 0 on where each episode has a template of its own."""
    if rules.own < 0:
        return [str(k) for k in range(rules.template[:, Template.GOALS].max())]
    own = rules.template[rules.own]
    goals = rules.goal[own[Template.GOAL] : own[Template.GOAL] + own[Template.GOALS]]
    first = rules.own * int(rules.template[:, Template.REGISTERS].max())
    return [name(rules, REGISTERS, first + int(register)) for register, *_ in goals]


def _recorded(rules: Rules) -> dict[int, tuple[int, int]]:
    """The step of the recorded way in which each register takes its last content, and whose step that is."""
    own, found = rules.template[rules.own], {}
    steps = rules.plan[own[Template.PLAN] : own[Template.PLAN] + own[Template.PLANS]]
    for number, step in enumerate(steps):
        row = rules.element[own[Template.ELEMENT] + max(0, step[Plan.ELEMENT])]
        effects = rules.effect[row[Element.EFFECT] : row[Element.EFFECT] + row[Element.EFFECTS]]
        for op, register, *_ in effects if step[Plan.VERB] == Verb.CLICK else ():
            if Op.SET <= op <= Op.COPY:
                found[int(register)] = number, int(step[Plan.AGENT])
    return found


def generate(rules: Rules) -> list[TaskObject]:
    """All conditions in the order of the recorded way, each after those met before; whose they are, where two work."""
    called = arguments(rules, 0)
    if rules.own < 0:
        return [TaskObject(f"condition {one}", 0, k) for k, one in enumerate(called)]
    own, recorded = rules.template[rules.own], _recorded(rules)
    steps = [recorded.get(int(goal[0]), (-1, -1)) for goal in rules.goal[own[Template.GOAL] :][: len(called)]]
    found = []
    for k, (step, agent) in sorted(enumerate(steps), key=lambda one: one[1][0]):
        before = np.unique([other for other, _ in steps if 0 <= other < step])[-1:]
        after = tuple(f"condition {called[j]}" for j, (other, _) in enumerate(steps) if other in before)
        owner = agent if own[Template.AGENTS] > 1 else -1
        found.append(TaskObject(f"condition {called[k]}", 0, k, after, owner=owner))
    return found


TEAMWORK = Teamwork(KINDS, MOST, lambda rules: 1, arguments, generate, look, check)

"""The shared task of a site: what is said, and how it is verified."""

from functools import partial

from sandbox.core.task import Task
from sandbox.worlds.web.columns import Template
from sandbox.worlds.web.effects import content
from sandbox.worlds.web.state import Info, Rules
from sandbox.worlds.web.words import TEMPLATES, generic, name

_ANY = (
    "Do on the web site what your instruction says; nothing else may be changed.",
    "Each episode brings a site and an instruction: carry it out on that site.",
    "Reach the state of the site that the instruction asks for, without doing any harm.",
)


def _progress(rules: Rules, state, lane: int) -> tuple[int, int]:
    own, value = rules.template[state.info[lane, Info.TEMPLATE]], state.value[lane]
    goals = rules.goal[own[Template.GOAL] : own[Template.GOAL] + own[Template.GOALS]]
    done = sum(int(state.register[lane, r]) == int(content(value, kind, argument)) for r, kind, argument in goals)
    return done, len(goals)


def task(rules: Rules) -> Task:
    """Every condition of the goal holds in the state of the site, at one time."""
    if rules.own < 0:
        return Task("any", _ANY, partial(_progress, rules))
    texts = tuple(generic(rules, 0, number) for number in range(3))
    return Task(name(rules, TEMPLATES, 0), texts, partial(_progress, rules))

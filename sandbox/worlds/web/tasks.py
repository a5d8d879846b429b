"""The shared task of a site: what is said, and how it is verified."""

from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.columns import Template
from sandbox.worlds.web.kernels import reached
from sandbox.worlds.web.state import Info, Rules
from sandbox.worlds.web.words import TEMPLATES, name

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
def progress(s, lane, rules):
    """Conditions of the goal that hold now."""
    return reached(s, lane, rules), rules.template[s.info[lane, Info.TEMPLATE], Template.GOALS]


def task(rules: Rules) -> Task:
    """Every condition of the goal holds in the state of the site, at one time.

    The instruction with the episode's values is part of what an agent perceives; a task has no values yet.
    """
    if rules.own < 0:
        return Task("any", _ANY)
    site = name(rules, TEMPLATES, 0)
    return Task(site, tuple(text.format(site=site) for text in _ONE))

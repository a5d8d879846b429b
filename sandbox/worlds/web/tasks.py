"""The shared task of a site: what is said, and how it is verified."""

from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.web.columns import Template
from sandbox.worlds.web.kernels import reached
from sandbox.worlds.web.state import Info, Rules
from sandbox.worlds.web.words import TEMPLATES, generic, name

_ANY = (
    "Do on the web site what your instruction says; nothing else may be changed.",
    "Each episode brings a site and an instruction: carry it out on that site.",
    "Reach the state of the site that the instruction asks for, without doing any harm.",
)


@kernel
def progress(s, lane, rules):
    """Conditions of the goal that hold now."""
    return reached(s, lane, rules), rules.template[s.info[lane, Info.TEMPLATE], Template.GOALS]


def task(rules: Rules) -> Task:
    """Every condition of the goal holds in the state of the site, at one time."""
    if rules.own < 0:
        return Task("any", _ANY)
    texts = tuple(generic(rules, 0, number) for number in range(3))
    return Task(name(rules, TEMPLATES, 0), texts)

"""The kitchen's shared task: what is said, and how it is verified."""

from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.state import Rules

_TEXTS = (
    "Together, serve {n} soups from the order list.",
    "Your team's job is done when {n} ordered soups have been brought to the serving place.",
    "Fill the pots, cook, and carry {n} soups that guests have ordered to where they are served.",
)


@kernel
def progress(s, lane, rules):
    """Soups served, of those that were asked for."""
    return s.served[lane], rules.soups


def task(rules: Rules) -> Task:
    """Serve K soups before the tick limit."""
    return Task("serve", tuple(t.format(n=rules.soups) for t in _TEXTS))

"""The kitchen's shared task: what is said, and how it is verified."""

from functools import partial

from sandbox.core.task import Task
from sandbox.worlds.kitchen.state import Rules

_TEXTS = (
    "Together, serve {n} soups from the order list.",
    "Your team's job is done when {n} ordered soups have been brought to the serving place.",
    "Fill the pots, cook, and carry {n} soups that guests have ordered to where they are served.",
)


def _progress(total: int, state, lane: int) -> tuple[int, int]:
    return int(state.served[lane]), total


def task(rules: Rules) -> Task:
    """Serve K soups before the tick limit."""
    return Task("serve", tuple(t.format(n=rules.soups) for t in _TEXTS), partial(_progress, rules.soups))

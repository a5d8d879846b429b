"""The warehouse's shared tasks: what is said, and how it is verified."""

from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.warehouse.state import Rules

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
def progress(s, lane, rules):
    """Deliveries, of those that were asked for."""
    return s.delivered[lane], rules.deliveries


def task(rules: Rules) -> Task:
    """Deliver K requests before the tick limit."""
    texts = _PARCELS if rules.courier else _SHELVES
    name = "courier" if rules.courier else "deliver"
    return Task(name, tuple(t.format(n=rules.deliveries) for t in texts))

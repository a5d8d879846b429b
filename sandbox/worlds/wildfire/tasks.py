"""The wildfire's shared task: what is said, and how it is verified."""

from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.wildfire.state import Count, Rules

_TEXTS = (
    "Put the fire out, and save at least {save:.0%} of the buildings and of the people in them.",
    "Together, contain the fire until nothing burns any more; {save:.0%} of all buildings and homes must come through.",
    "Your team's job is done when the last flame is out and no more than {lost:.0%} of the village has been lost.",
)
_CLASSIC = (
    "Let the forest burn out; at least {save:.0%} of its trees are to be left.",
    "Keep {save:.0%} of the trees from burning until the fire is out.",
    "Your team's job is done when nothing burns any more and no more than {lost:.0%} of the trees are gone.",
)


@kernel
def _needed(save, total):
    return total - int((1.0 - save) * total + 1e-9)


@kernel
def progress(s, lane, rules):
    """Buildings and households saved so far, of those that are needed, and one for the fire being out."""
    tally = s.tally[lane]
    buildings, homes = tally[Count.BUILDINGS], tally[Count.HOUSEHOLDS]
    total = _needed(rules.save, buildings) + _needed(rules.save, homes) + 1
    done = min(_needed(rules.save, buildings), buildings - tally[Count.LOST])
    done += min(_needed(rules.save, homes), homes - tally[Count.PERISHED])
    return done + (tally[Count.BURNING] == 0), total


def task(rules: Rules) -> Task:
    """Contain the fire and save a share of what it threatens."""
    texts = _CLASSIC if rules.classic else _TEXTS
    told = tuple(text.format(save=rules.save, lost=1 - rules.save) for text in texts)
    return Task("contain", told)

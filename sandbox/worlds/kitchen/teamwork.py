"""What kitchen teams share out: pots to fill, soups to take out of them, and the count of what has been served."""

from sandbox.core.speech import task_code
from sandbox.core.teamwork import Offer, Own, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.engine.kernel import kernel
from sandbox.worlds.kitchen.sight import FIRST_POT, PER_POT
from sandbox.worlds.kitchen.state import Pot, Rules, Thing

POT, PLATE, SERVE = 0, 1, 2  # kinds
MOST = 1000  # soups that a task object can ask for, where the kitchen's own task asks for no more
KINDS = (
    TaskKind("pot", (
        "See to pot {what}: fill it and begin to cook.",
        "Pot {what} is yours: bring what it lacks, then start it.",
        "Put the ingredients for a soup into pot {what} and get it cooking.",
    )),
    TaskKind("plate", (
        "Fetch a dish and take the soup out of pot {what} when it is ready.",
        "Have a dish at hand when the soup of pot {what} is done, and take the soup.",
        "The soup in pot {what} is to be taken out on a dish, and served.",
    )),
    TaskKind("serve", (
        "See to it that {what} soups have been served, counted from the beginning.",
        "The team's count of soups served is to reach {what}.",
        "Go on until {what} soups have been served by all of you together.",
    )),
)  # fmt: skip
_POT_CODE, _PLATE_CODE = task_code(POT, 0), task_code(PLATE, 0)


@kernel
def _is_over(vector, task):
    """Whether a cook sees that a task is done: the pot cooks, its soup is out, so many were served."""
    if task[0] == SERVE + 1:
        return vector[10] >= task[1]
    cooks = vector[FIRST_POT + PER_POT * task[1] + Pot.TICKS] >= 0
    return cooks == (task[0] == POT + 1)


@kernel
def look(obs, lane, agent, rules, task, own, offers):
    """What each pot waits for, which every cook knows: to be filled, or to be emptied. Who holds a soup is not free.

    The cost is the way, or the time that the soup takes if that is longer; beyond reach, what no way is as long as.
    """
    vector, pots, width = obs.vector[lane, agent], len(rules.pot_cell), rules.plan.shape[1]
    here = int(vector[0]) * width + int(vector[1])
    own[Own.CELL], own[Own.FREE] = here, int(vector[6]) < Thing.SOUP
    if task[0] and _is_over(vector, task):
        task[0], own[Own.FINISHED] = 0, 1
    for k in range(len(offers)):
        offers[k, Offer.CODE] = 0
        if k < pots:
            pot = (agent + k) % pots
            at, cell = FIRST_POT + PER_POT * pot, rules.pot_cell[pot]
            mix, ticks = int(vector[at]) + 4 * int(vector[at + 1]), int(vector[at + Pot.TICKS])
            left = max(0, rules.cook_time[mix] - ticks) if ticks >= 0 else 0
            offers[k, Offer.CODE] = (_PLATE_CODE if ticks >= 0 else _POT_CODE) + pot
            offers[k, Offer.CELL], offers[k, Offer.HOST] = cell, pot % rules.agents
            offers[k, Offer.COST] = max(rules.way[cell, here], left)


@kernel
def check(s, lane, rules, kind, argument, mark):
    """``mark`` of a pot and a plate: 1 once the pot has cooked, 2 once its soup has been taken out after that."""
    if kind == SERVE:
        return (TaskState.DONE if s.served[lane] >= argument else TaskState.OPEN), mark, -1
    cooks = s.pots[lane, argument, Pot.TICKS] >= 0
    mark = max(mark, 1) if cooks else 2 * (mark > 0)
    done = mark >= 1 if kind == POT else mark == 2
    return (TaskState.DONE if done else TaskState.OPEN), mark, rules.pot_cell[argument]


def arguments(rules: Rules, kind: int) -> list[str]:
    """Pots row by row from 0 on; counts of soups."""
    count = max(MOST, rules.soups) + 1 if kind == SERVE else len(rules.pot_cell)
    return [str(k) for k in range(count)]


def generate(rules: Rules) -> list[TaskObject]:
    """The soups that were asked for, one after the other; none where there is no end."""
    return [TaskObject(f"serve {k}", SERVE, k, (f"serve {k - 1}",) if k > 1 else ()) for k in range(1, rules.soups + 1)]


TEAMWORK = Teamwork(KINDS, 8, lambda rules: rules.plan.shape[1], arguments, generate, look, check)

"""What craft teams share out: the achievements of their goal, in the order of the tech tree."""

import networkx as nx
import numpy as np

from sandbox.core.speech import task_code
from sandbox.core.teamwork import Offer, Own, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.ladder import LADDER
from sandbox.worlds.craft.state import Achievement, Rules

ACHIEVE = 0  # kind
STEP = 20  # ticks that an achievement takes, about: tasks are told apart by how many come before them
NAMES = tuple(one.name.lower() for one in Achievement)
FIRST = 21  # entry of the vector that is the first achievement
KINDS = (
    TaskKind("achieve", (
        "See to it that this has been achieved: {what}.",
        "Unlock '{what}', with all that has to come before it.",
        "It is yours to manage the following for the team: {what}.",
    )),
)  # fmt: skip
_CODE = task_code(ACHIEVE, 0)
BEFORE = np.array(
    [[name in nx.ancestors(LADDER.graph, after) for name in NAMES] for after in NAMES]
)  # (22, 22) bool: what must come before each achievement, from the recipes


@kernel
def look(obs, lane, agent, rules, task, own, offers):
    """What of the goal the player has not achieved itself: it is not told what others have.

    The cost grows with what it lacks before that. The dead are not free, and their task is over.
    """
    vector, endless, found = obs.vector[lane, agent], not rules.goal.any(), 0
    alive = vector[5] > 0 and vector[0] >= 0
    own[Own.FREE], own[Own.CELL] = alive, int(vector[0]) * rules.plan.shape[1] + int(vector[1]) if alive else -1
    if task[0] and (vector[FIRST + task[1]] or not alive):
        task[0], own[Own.FINISHED] = 0, vector[FIRST + task[1]] > 0
    for k in range(len(offers)):
        offers[k, Offer.CODE] = 0
    for k in range(len(rules.goal)):
        if alive and (rules.goal[k] or endless) and vector[FIRST + k] == 0:
            cost = STEP
            for other in range(len(rules.goal)):
                cost += STEP * (BEFORE[k, other] and vector[FIRST + other] == 0)
            offers[found, Offer.CODE], offers[found, Offer.CELL] = _CODE + k, -1
            offers[found, Offer.COST], offers[found, Offer.HOST] = cost, k % rules.agents
            found += 1


@kernel
def check(s, lane, rules, kind, argument, mark):
    """An achievement is done once any player has unlocked it, dead or alive. ``mark`` is not used."""
    for agent in range(rules.agents):
        if s.achieved[lane, agent, argument] > 0:
            return TaskState.DONE, mark, -1
    return TaskState.OPEN, mark, -1


def arguments(rules: Rules, kind: int) -> list[str]:
    """Crafter's names of the achievements."""
    return list(NAMES)


def generate(rules: Rules) -> list[TaskObject]:
    """The achievements of the goal, all 22 where it is endless; each comes after those that it takes."""
    goal = [one.name.lower() for one in Achievement if rules.goal[one] or not rules.goal.any()]
    needs = nx.transitive_reduction(nx.transitive_closure_dag(LADDER.graph).subgraph(goal))
    after = {name: tuple(f"achieve {before}" for before in needs.predecessors(name)) for name in goal}
    order = nx.lexicographical_topological_sort(needs, NAMES.index)
    return [TaskObject(f"achieve {name}", ACHIEVE, NAMES.index(name), after[name]) for name in order]


TEAMWORK = Teamwork(KINDS, len(NAMES), lambda rules: rules.plan.shape[1], arguments, generate, look, check)

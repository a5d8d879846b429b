"""The shared task, a set of achievements: its instructions, and how it is verified."""

import networkx as nx
import numpy as np

from sandbox.core.errors import unknown
from sandbox.core.speech import task_code
from sandbox.core.teamwork import AgentStatus, OpenTask, TaskKind, TaskObject, TaskState, Teamwork
from sandbox.core.world import Task, TaskColumn
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.achievements import LADDER
from sandbox.worlds.craft.dynamics.recipes import COLLECT, MAKE, PLACE
from sandbox.worlds.craft.state import FIRST_ACHIEVEMENT, Achievement, Column, Material, Params

# -- teamwork: the tasks that teams share out: the achievements of their goal, in the order of the tech tree

ACHIEVE = 0  # kind
STEP = 20  # estimated ticks of one achievement: the cost of a task is this times the achievements it needs
NAMES = tuple(one.name.lower() for one in Achievement)
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
)  # (22, 22) bool: the achievements that must come before each, from the recipes


@kernel
def look(obs, lane, agent, params, task, own, open_tasks):
    """Open tasks: achievements of the goal that the player itself has not unlocked; it does not know those of others.

    The cost grows with the achievements that must come first. A dead player is not free, and its task is over.
    """
    vector, endless, found = obs.vector[lane, agent], not params.goal.any(), 0
    alive = vector[Column.HEALTH] > 0 and vector[Column.ROW] >= 0
    cell = int(vector[Column.ROW]) * params.plan.shape[1] + int(vector[Column.COL])
    own[AgentStatus.FREE], own[AgentStatus.CELL] = alive, cell if alive else -1
    if task[TaskColumn.KIND] and (vector[FIRST_ACHIEVEMENT + task[TaskColumn.ARGUMENT]] or not alive):
        task[TaskColumn.KIND], own[AgentStatus.FINISHED] = 0, vector[FIRST_ACHIEVEMENT + task[TaskColumn.ARGUMENT]] > 0
    for k in range(len(open_tasks)):
        open_tasks[k, OpenTask.CODE] = 0
    for k in range(len(params.goal)):
        if alive and (params.goal[k] or endless) and vector[FIRST_ACHIEVEMENT + k] == 0:
            cost = STEP
            for other in range(len(params.goal)):
                cost += STEP * (BEFORE[k, other] and vector[FIRST_ACHIEVEMENT + other] == 0)
            open_tasks[found, OpenTask.CODE], open_tasks[found, OpenTask.CELL] = _CODE + k, -1
            open_tasks[found, OpenTask.COST], open_tasks[found, OpenTask.HOST] = cost, k % params.agents
            found += 1


@kernel
def check(s, lane, params, kind, argument, mark):
    """An achievement is done once any player, alive or dead, has unlocked it. ``mark`` is not used."""
    for agent in range(params.agents):
        if s.achieved[lane, agent, argument] > 0:
            return TaskState.DONE, mark, -1
    return TaskState.OPEN, mark, -1


def arguments(params: Params, kind: int) -> list[str]:
    """Crafter's names of the achievements."""
    return list(NAMES)


def generate(params: Params) -> list[TaskObject]:
    """One task for each achievement of the goal, all 22 of an endless game, after those that it requires."""
    goal = [one.name.lower() for one in Achievement if params.goal[one] or not params.goal.any()]
    needs = nx.transitive_reduction(nx.transitive_closure_dag(LADDER.graph).subgraph(goal))
    after = {name: tuple(f"achieve {before}" for before in needs.predecessors(name)) for name in goal}
    order = nx.lexicographical_topological_sort(needs, NAMES.index)
    return [TaskObject(f"achieve {name}", ACHIEVE, NAMES.index(name), after[name]) for name in order]


TEAMWORK = Teamwork(KINDS, len(NAMES), lambda params: params.plan.shape[1], arguments, generate, look, check)


# -- tasks

_WOOD = ("collect_wood", "place_table", "make_wood_pickaxe", "make_wood_sword")
_STONE = (*_WOOD, "collect_stone", "make_stone_pickaxe", "make_stone_sword")
_IRON = (*_STONE, "collect_coal", "collect_iron", "place_furnace", "make_iron_pickaxe", "make_iron_sword")
GOALS = {
    "none": (),
    "wood_tools": _WOOD,
    "stone_tools": _STONE,
    "iron_tools": _IRON,
    "diamond": (*_IRON, "collect_diamond"),
}
SPARE = 2  # factor on the cells of a material that one player would need
_TEXTS = (
    "Survive, and unlock together: {goal}.",
    "Your team's job is done when each of these has been achieved by somebody: {goal}.",
    "Climb the tech tree as a team until you have managed the following: {goal}. Stay alive.",
)
_ENDLESS = "as many as you can of {goal}"


def goal_of(name: str) -> np.ndarray:
    """(22,) bool: the achievements of a named goal, or one achievement by its name."""
    goal = np.zeros(len(Achievement), np.bool_)
    if name.upper() in Achievement.__members__:
        goal[Achievement[name.upper()]] = True
    elif name in GOALS:
        goal[[Achievement[one.upper()] for one in GOALS[name]]] = True
    else:
        known = [*GOALS, *(a.name.lower() for a in Achievement)]
        raise unknown("goal", name, known, "world 'craft'")
    return goal


def _add(needs: dict, achievement: str, made: set) -> None:
    """Add what an achievement uses, with the tools that it requires; each tool is made once."""
    if achievement in made:
        return
    made.add(achievement)
    word, _, what = achievement.partition("_")
    if word == "collect":
        material, require = next((m, r) for m, (r, item, _, _) in COLLECT.items() if item == what)
        needs[material] = max(needs.get(material, 0), 1)
        if require:
            _add(needs, f"make_{require}", made)
    elif word in ("place", "make"):
        uses, near = MAKE[what] if word == "make" else (PLACE[what][0], ())
        for item, amount in uses.items():
            _add(needs, f"collect_{item}", made)
            material = next(m for m, (_, received, _, _) in COLLECT.items() if received == item)
            needs[("used", material)] = needs.get(("used", material), 0) + amount
        for station in near:
            _add(needs, f"place_{station}", made)


def needed_for(goal: np.ndarray) -> np.ndarray:
    """(13,) int32: cells of each material that a map must have in reach, ``SPARE`` times the consumption."""
    needs: dict = {}
    made: set = set()
    for achievement in Achievement:
        if goal[achievement]:
            _add(needs, achievement.name.lower(), made)
    needed = np.zeros(len(Material), np.int32)
    for key, amount in needs.items():
        material = key[1] if isinstance(key, tuple) else key
        index = Material[material.upper()]
        needed[index] = max(needed[index], SPARE * amount if isinstance(key, tuple) else amount)
    for station in ("iron", "diamond"):  # rare: only as many as are used
        index = Material[station.upper()]
        needed[index] = -(-needed[index] // SPARE)
    if needed[Material.STONE]:
        needed[Material.WATER] = max(1, needed[Material.WATER])
    return needed


@kernel
def progress(s, lane, params):
    """(done, total): achievements of the goal that any player has; of all 22 in an endless game."""
    endless, done, total = not params.goal.any(), 0, 0
    for k in range(len(params.goal)):
        if endless or params.goal[k]:
            total += 1
            for agent in range(s.achieved.shape[1]):
                if s.achieved[lane, agent, k] > 0:
                    done += 1
                    break
    return done, total


def task(params: Params) -> Task:
    """The instruction: unlock a set of achievements as a team; with the goal ``none``, as many as possible."""
    names = [a.name.lower() for a in Achievement if params.goal[a]]
    name = next((name for name, parts in GOALS.items() if sorted(parts) == sorted(names)), "_and_".join(names))
    listed = ", ".join(one.replace("_", " ") for one in names)
    if not names:
        listed = _ENDLESS.format(goal="the 22 achievements")
    return Task(name, tuple(text.format(goal=listed) for text in _TEXTS))

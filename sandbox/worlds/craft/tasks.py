"""The shared task: the team's tech tree. What is said, and how it is verified."""

import numpy as np

from sandbox.core.errors import unknown
from sandbox.core.task import Task
from sandbox.engine.kernel import kernel
from sandbox.worlds.craft.recipes import COLLECT, MAKE, PLACE
from sandbox.worlds.craft.state import Achievement, Material, Rules

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
SPARE = 2  # times the cells of a material that one player would need
_TEXTS = (
    "Survive, and unlock together: {goal}.",
    "Your team's job is done when each of these has been achieved by somebody: {goal}.",
    "Climb the tech tree as a team until you have managed the following: {goal}. Stay alive.",
)
_ENDLESS = "as many as you can of {goal}"


def goal_of(name: str) -> np.ndarray:
    """(22,) bool: the achievements of a named goal, or the one that is named."""
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
    """Count what an achievement takes, with the tools that come before it; each tool is made once."""
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
    """(13,) int32: how many cells of each material a map must have in reach, ``SPARE`` times what is used up."""
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
    for station in ("iron", "diamond"):  # rare: no more than are used
        index = Material[station.upper()]
        needed[index] = -(-needed[index] // SPARE)
    if needed[Material.STONE]:
        needed[Material.WATER] = max(1, needed[Material.WATER])
    return needed


@kernel
def progress(s, lane, rules):
    """Achievements of the goal that somebody has; of all, where there is no goal."""
    endless, done, total = not rules.goal.any(), 0, 0
    for k in range(len(rules.goal)):
        if endless or rules.goal[k]:
            total += 1
            for agent in range(s.achieved.shape[1]):
                if s.achieved[lane, agent, k] > 0:
                    done += 1
                    break
    return done, total


def task(rules: Rules) -> Task:
    """Unlock a set of achievements as a team; with the goal ``none``, as many as can be."""
    names = [a.name.lower() for a in Achievement if rules.goal[a]]
    name = next((name for name, parts in GOALS.items() if sorted(parts) == sorted(names)), "_and_".join(names))
    listed = ", ".join(one.replace("_", " ") for one in names)
    if not names:
        listed = _ENDLESS.format(goal="the 22 achievements")
    return Task(name, tuple(text.format(goal=listed) for text in _TEXTS))

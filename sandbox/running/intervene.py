"""Interventions of a person in a running trial. Each function changes the model and returns the events to record.

All take effect in the next tick. The caller, which drives the model, records the events before it.
"""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.intervention import ANY, Aim
from sandbox.core.plain import whole
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.record import Changed, Event, Placed
from sandbox.running.trial import models_used
from sandbox.scenario import Scenario
from sandbox.scenario.change import changed, reseated


def place(model: Sandbox, patch: Mapping[str, Any]) -> list[Event]:
    """Change the world: keys of its description (``World.describe``) with other values."""
    now = _now(model)
    if not isinstance(patch, Mapping):
        raise UsageError(f"place: {shown(patch)}, expected keys of what describe() returns")
    try:
        patch = json.loads(json.dumps(patch, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(f"place: {error}; expected JSON values") from None
    model.intervene(patch)
    return [Placed(**now, patch=patch)]


def intervene(model: Sandbox, name: str, aim: Aim = ANY) -> list[Event]:
    """Perform one of the world's interventions, by its name; missing entries of the aim are drawn."""
    _now(model)
    env, dice = model.env, Random(f"{model.seed}, {model.ticks}, {name}")
    known = {each.name: each for each in env.world.interventions}
    if not isinstance(name, str) or name not in known:
        raise unknown("intervention", name, known, f"world '{env.world.name}'")
    aim = known[name].aimed(aim, env.agents)
    return place(model, known[name].patch(env.params, env.describe(model.state), aim, dice))


def turn(model: Sandbox, key: str, value: float) -> list[Event]:
    """Set one of the world's dials (``World.dials``), by its key."""
    _now(model)
    known = {dial.key: dial for dial in model.env.world.dials}
    if not isinstance(key, str) or key not in known:
        raise unknown("dial", key, known, f"world '{model.env.world.name}'")
    least, most = known[key].least, known[key].most
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise UsageError(f"{key}: {shown(value)}, expected a number in {least}..{most}")
    first, _, rest = key.partition(".")
    return place(model, {first: {**model.env.describe(model.state)[first], rest: float(value)} if rest else value})


def change(model: Sandbox, overrides: Mapping[str, Any]) -> list[Event]:
    """Change keys of the scenario; see ``scenario.change``."""
    _now(model)
    return _follow(model, changed(model.scenario, overrides))


def reseat(model: Sandbox, agent: int, reasoner: str, **options: Any) -> list[Event]:
    """Assign another reasoner to one agent; see ``scenario.change.reseated``."""
    _now(model)
    return _follow(model, reseated(model.scenario, agent, reasoner, **options))


def cut(model: Sandbox, edge: tuple[int, int]) -> list[Event]:
    """Cut the link between two agents of a team."""
    off = _edge(model, edge)
    if model.scenario.team is None:
        raise UsageError("there is no team, so no edge to cut")
    return change(model, {"team.network.cut": [*model.scenario.team.network.cut, off]})


def mend(model: Sandbox, edge: tuple[int, int]) -> list[Event]:
    """Restore the link between two agents."""
    one, other = _edge(model, edge)
    cut = model.scenario.team.network.cut if model.scenario.team else []
    if not (left := [each for each in cut if set(each) == {one, other}]):
        raise UsageError(f"the edge between {one} and {other} is not cut")
    return change(model, {"team.network.cut": [each for each in cut if each not in left]})


def take(model: Sandbox, people: Approvals, agent: int) -> None:
    """Let a person control an agent from now on; the ticks record the person's actions."""
    _now(model)
    _check_people(people)
    people.take(whole(agent, "agent", 0, model.env.agents - 1))
    show(model, people)


def show(model: Sandbox, people: Approvals) -> None:
    """Give people the percepts of the agents that they control; call it after every tick."""
    _check_model(model)
    _check_people(people)
    taken = people.taken
    seen = model.env.observe(model.state) if taken else None
    people.tell([model.question(agent, 0.0, seen=seen) for agent in taken])


def _follow(model: Sandbox, scenario: Scenario) -> list[Event]:
    now, new = _now(model), model.change(scenario)
    return [Changed(**now, scenario=model.scenario.as_dict()), *models_used(new)]


def _edge(model: Sandbox, edge: tuple[int, int]) -> list[int]:
    _now(model)
    if not isinstance(edge, Sequence) or len(edge) != 2:
        raise UsageError(f"edge {shown(edge)}, expected two agents")
    return [whole(agent, "edge: agent", 0, model.env.agents - 1) for agent in edge]


def _check_model(model: Sandbox) -> None:
    if not isinstance(model, Sandbox):
        raise UsageError(f"model {shown(model)}, expected a Sandbox")


def _check_people(people: Approvals) -> None:
    if not isinstance(people, Approvals):
        raise UsageError(f"people {shown(people)}, expected Approvals")


def _now(model: Sandbox) -> dict[str, int]:
    _check_model(model)
    if not model.running:
        raise UsageError("the episode is over and cannot be changed")
    return {"trial": 0, "tick": model.ticks + 1}

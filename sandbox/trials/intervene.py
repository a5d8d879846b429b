"""What a person does to a trial under way. Each function does it to the model and returns the events that record it.

All count from the tick that comes, and are recorded before it: by whoever drives the model, as ``play`` records ticks.
"""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from sandbox.core.errors import UsageError, unknown
from sandbox.core.intervention import ANY, Aim
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.record import Changed, Event, Placed
from sandbox.scenario import Scenario
from sandbox.scenario.change import changed, reseated
from sandbox.trials.trial import models_used


def place(model: Sandbox, patch: Mapping[str, Any]) -> list[Event]:
    """Draw into the world: keys of its description (``World.describe``) with other values."""
    try:
        patch = json.loads(json.dumps(patch, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(f"place: {error}; expected JSON values") from None
    now = _now(model)
    model.intervene(patch)
    return [Placed(**now, patch=patch)]


def intervene(model: Sandbox, name: str, aim: Aim = ANY) -> list[Event]:
    """One of the world's interventions, by its name; what is not aimed at is drawn."""
    known = {each.name: each for each in model.stage.world.interventions}
    if name not in known:
        raise unknown("intervention", name, known, f"world '{model.stage.world.name}'")
    _check_agent(model, aim.agent or 0)
    stage, dice = model.stage, Random(f"{model.seed}, {model.ticks}, {name}")
    return place(model, known[name].patch(stage.rules, stage.describe(model.state), aim, dice))


def change(model: Sandbox, overrides: Mapping[str, Any]) -> list[Event]:
    """Other values for keys of the scenario; see ``scenario.change``."""
    return _follow(model, changed(model.scenario, overrides))


def reseat(model: Sandbox, agent: int, reasoner: str, **options: Any) -> list[Event]:
    """Another reasoner for one agent; see ``scenario.change.reseated``."""
    return _follow(model, reseated(model.scenario, agent, reasoner, **options))


def cut(model: Sandbox, edge: tuple[int, int]) -> list[Event]:
    """Two agents of a team hear each other no longer."""
    if model.scenario.team is None:
        raise UsageError("there is no team here, so nothing to cut")
    return change(model, {"team.network.cut": [*model.scenario.team.network.cut, list(edge)]})


def mend(model: Sandbox, edge: tuple[int, int]) -> list[Event]:
    """Two agents that were cut off hear each other again."""
    cut = model.scenario.team.network.cut if model.scenario.team else []
    if not (left := [each for each in cut if set(each) == set(edge)]):
        raise UsageError(f"the edge between {edge[0]} and {edge[1]} is not cut")
    return change(model, {"team.network.cut": [each for each in cut if each not in left]})


def take(model: Sandbox, people: Approvals, agent: int) -> None:
    """A person steers an agent from now on; what the person does is recorded by the ticks."""
    _check_agent(model, agent)
    people.take(agent)
    show(model, people)


def show(model: Sandbox, people: Approvals) -> None:
    """Tell people what the agents that they steer perceive; call it after every tick."""
    taken = people.taken
    seen = model.stage.observe(model.state) if taken else None
    people.tell([model.question(agent, 0.0, seen=seen) for agent in taken])


def _follow(model: Sandbox, scenario: Scenario) -> list[Event]:
    now, new = _now(model), model.change(scenario)
    return [Changed(**now, scenario=model.scenario.as_dict()), *models_used(new)]


def _check_agent(model: Sandbox, agent: int) -> None:
    if not 0 <= agent < model.stage.agents:
        raise UsageError(f"agent {agent}, expected 0..{model.stage.agents - 1}")


def _now(model: Sandbox) -> dict[str, int]:
    if not model.running:
        raise UsageError("the episode is over; nothing can be done to it any more")
    return {"trial": 0, "tick": model.ticks + 1}

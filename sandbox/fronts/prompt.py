"""The command ``prompt``: what a language model would be sent."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.mind import Mind
from sandbox.agents.reasoners.llm.prompts import prompts_for
from sandbox.agents.speech import Speech
from sandbox.core.decision import Percept
from sandbox.core.errors import UsageError
from sandbox.core.observation import Observation
from sandbox.core.perturb import generic_doses
from sandbox.engine.stage import Stage
from sandbox.fronts.console import Set, out, overrides
from sandbox.scenario import Scenario, load
from sandbox.teams.talk import Talk


def prompt(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML)")],
    agent: Annotated[int | None, typer.Option(help="number of the agent; default: the first with a model")] = None,
    set_: Set = None,
) -> None:
    """Print what the language model of an agent would be sent at the first tick; nothing is asked."""
    for title, text in first_request(load(scenario, overrides(set_)), agent).items():
        out.print(f"[bold]# {title}[/bold]")
        out.print(text, markup=False)
        out.print()


def first_request(scenario: Scenario, agent: int | None) -> dict[str, str]:
    """The parts of an agent's first request, by their titles, in the order in which they are sent."""
    stage, team = scenario.stage(), scenario.roster()
    able = [row for row, group in enumerate(team) if group.llm]
    row = agent if agent is not None else next(iter(able), 0)
    if row not in able:
        having = ", ".join(map(str, able[:20])) or "none"
        raise UsageError(f"agent {row} has no language model; agents that have one: {having}")
    group, observation = team[row], stage.observe(stage.reset([scenario.seed]))
    beliefs = Beliefs(stage, stage.memory(1), scenario.seed)
    dose = generic_doses(scenario.perturb)
    speech = _speech(stage, row, observation, scenario.seed) if stage.team else None
    mind = Mind(group.memory, group.equipment, beliefs, lambda _: {}, row, dose, scenario.seed, speech)
    prompts = prompts_for(group.llm, stage, group.role or stage.world.roles[0], mind)
    setup, percept = prompts.setup(), Percept(row, 0, *(part[0, row] for part in observation))
    mind.begin(percept)
    words = prompts.words(percept, speech)
    turn = prompts.turn(words, memory=mind.memory.context(words), tick=1)
    request = prompts.request(setup, percept, turn, extras=mind.extras)
    form = ("tools", setup.tools) if setup.tools else ("schema of the reply", request.schema)
    return {
        f"instructions to {setup.model}, the same in every tick": setup.instructions,
        "tick 1": request.prompt,
        form[0]: json.dumps(form[1], indent=1),
    }


def _speech(stage: Stage, row: int, observation: Observation, seed: int) -> Speech:
    """The voice and the ears of an agent in the first tick of its team."""
    talk = Talk(stage.team)
    _, loops = stage.cast([None] * stage.agents, team=talk.team)
    loops.confer(stage.reset([seed]), observation, 0, stage.rules, talk.team)
    return Speech(talk, row)

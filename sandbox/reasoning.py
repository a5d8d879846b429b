"""The reasoners of a team that are objects, made of a scenario's groups and of what surrounds them in a model."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.mind import Mind
from sandbox.agents.reasoners.faulty import Faulty
from sandbox.agents.reasoners.human import Human
from sandbox.agents.reasoners.llm import clients
from sandbox.agents.reasoners.llm.playback import Recorded
from sandbox.agents.reasoners.llm.prompts import prompts_for
from sandbox.agents.reasoners.llm.reasoner import LLM
from sandbox.agents.reasoners.scripted import Scripted, parse_script
from sandbox.agents.speech import Speech
from sandbox.core.decision import Reasoner
from sandbox.core.errors import UsageError
from sandbox.core.people import People, Question
from sandbox.core.perturb import OF_REPLIES
from sandbox.engine.stage import Stage
from sandbox.scenario import AgentGroup


class Surroundings(NamedTuple):
    """What a model offers to its reasoners."""

    stage: Stage
    beliefs: Beliefs
    earned: Callable[[int], dict]  # what the last tick brought an agent
    question: Callable[..., Question]  # what a person is asked about an agent
    people: People
    dose: np.ndarray  # (F,) float64, of the generic perturbations
    seed: int
    recorded: Recorded | None  # who answers for language models
    speech: Callable[[int], Speech | None]  # the voice of an agent in its team


def groups_of(agents: Sequence[AgentGroup]) -> Iterator[tuple[range, AgentGroup]]:
    """The groups of a team, each with the rows of its agents."""
    row = 0
    for group in agents:
        yield range(row, row + group.count), group
        row += group.count


def reasoner_for(
    group: AgentGroup, rows: range, around: Surroundings, before: Reasoner | None = None
) -> Reasoner | None:
    """The reasoner of a group, None for a compiled policy; one in the place of another keeps the agents' minds."""
    world, noop, minds = around.stage.world, around.stage.rules.noop, {}
    if isinstance(before, LLM) and group.reasoner == "llm":
        minds = before.retire()
    elif before:
        getattr(before, "close", lambda: None)()
    if group.reasoner == "scripted":
        return Scripted(parse_script(group.script, world, "script"), noop)
    if group.reasoner == "program":
        return _programmed(group.program, rows, around)
    if group.reasoner == "human":
        return Human(group.human, around.people, around.question)
    if group.reasoner != "llm":
        return None
    minds = minds or _minds(group, rows, around)
    prompts = prompts_for(group.llm, around.stage, group.role or world.roles[0], minds[rows.start])
    return clients.reasoner(group.llm, prompts, minds, noop, around.recorded)


def _minds(group: AgentGroup, rows: range, around: Surroundings) -> dict[int, Mind]:
    own = group.memory, group.equipment, around.beliefs, around.earned
    return {row: Mind(*own, row, around.dose, around.seed, around.speech(row)) for row in rows}


def _programmed(source: str, rows: range, around: Surroundings) -> Reasoner:
    try:
        from sandbox.agents.reasoners.program import Programmed
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for programs: pip install 'sandbox[code]'") from None
    speeches = {row: speech for row in rows if (speech := around.speech(row))}
    return Programmed(source, around.beliefs, around.earned, speeches=speeches)


def suffering(reasoner: Reasoner, named: set[str], around: Surroundings) -> Reasoner:
    """The reasoner under the faults of replies, where the scenario names any; a person is none that replies."""
    if not OF_REPLIES & named or isinstance(reasoner, Human):
        return reasoner
    return Faulty(reasoner, around.dose, around.seed, len(around.stage.verbs), around.stage.rules.noop)

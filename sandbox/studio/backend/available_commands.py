"""The commands that a person can give an episode now, as frozen values for pages."""

import os
from dataclasses import dataclass
from typing import Any

from sandbox.agents.generalist.options import GENERALIST
from sandbox.agents.memory.tokens import clip
from sandbox.core.people import Question
from sandbox.core.setup import dialled
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.scenario.load import MODEL as NAMED
from sandbox.scenario.schema import AgentGroup, compiled_reasoners
from sandbox.studio.backend.wording import LINE, NAME, name_of
from sandbox.teams.protocols import PROTOCOLS

ASKED, PROGRAM, MODEL = "human", "program", "llm"
EXAMPLE = """# {name} can do: {verbs}
turn = 0
while True:
    can = legal()  # the verbs that have an effect now, with their targets; see() is what it believes
    verbs = [verb for verb in can if verb != "{noop}"] or ["{noop}"]
    verb = verbs[turn % len(verbs)]
    done = act(verb, can.get(verb, [0])[0])  # takes a tick
    turn += 1
"""
MOST_LINKS = 24  # links that are offered
MOVING = "range"  # the network whose edges follow from positions, and cannot be cut


@dataclass(frozen=True)
class Chance:
    """An intervention or a perturbation."""

    name: str
    summary: str
    at: str = "world"  # of an intervention: agent, cell, world
    severity: float = 0.0  # present one, of a perturbation


@dataclass(frozen=True)
class Knob:
    """An option of the world, or a dial, that can be set while the episode runs."""

    name: str
    summary: str
    value: Any  # a number, a flag or a text
    least: float = 0
    most: float = 0
    dial: bool = False  # whether it is a dial


@dataclass(frozen=True)
class Link:
    """A link between the selected agent and another one that hears it, or did before it was cut."""

    other: int
    name: str
    cut: bool


@dataclass(frozen=True)
class AvailableCommands:
    """All that a person can do at one moment."""

    closed: str = ""  # why nothing can be done, as text; empty if something can
    interventions: tuple[Chance, ...] = ()
    perturbations: tuple[Chance, ...] = ()
    knobs: tuple[Knob, ...] = ()
    agent: int | None = None  # the selected one
    cell: tuple[int, int] | None = None  # the selected one: row, column
    name: str = ""
    reasoner: str = ""
    reasoners: tuple[str, ...] = ()  # that can be assigned to it
    program: str = ""  # its present one, or an example
    model: str = ""  # its present one, or a suggestion; empty if none is known
    told: str = ""  # what it is told to do, for a generalist
    instructions: tuple[str, ...] = ()  # that a generalist has learned here; none: there is no generalist
    links: tuple[Link, ...] = ()
    leads: bool | None = None  # whether it leads its team; None without a leader
    protocol: str = ""  # of the team; empty without one
    protocols: tuple[str, ...] = ()  # that the team can have
    taken: tuple[int, ...] = ()  # agents that a person controls
    lost: tuple[int, ...] = ()
    steered: tuple[Question, ...] = ()  # percepts and legal actions of taken agents


def offer_of(
    model: Sandbox, people: Approvals, agent: int | None, closed: str = "", cell: tuple[int, int] | None = None
) -> AvailableCommands:
    """Made after a tick by the thread that owns the model; ``closed`` says why nothing can be done, if nothing can."""
    world, seated = model.env.world, agent is not None and 0 <= agent < model.env.agents
    group, team = model.scenario.roster()[agent] if seated else None, model.scenario.team
    return AvailableCommands(
        closed=closed or ("" if model.running else "The episode is over."),
        interventions=tuple(Chance(each.name, clip(each.summary, LINE), each.at) for each in world.interventions),
        perturbations=tuple(
            Chance(each.name, clip(each.summary, LINE), severity=model.scenario.perturb.get(each.name, 0.0))
            for each in model.env.perturbations
        ),
        knobs=_knobs(model),
        agent=agent if seated else None,
        cell=cell,
        name=name_of(model, agent) if seated else "",
        reasoner=group.reasoner if group else "",
        reasoners=_reasoners(model),
        program=(group.program or _example(model, agent)) if group else "",
        model=_model(model, group) if group else "",
        told=group.generalist.instruction if group and group.generalist else "",
        instructions=tuple(each.name for each in world.instructed.instructions) if world.instructed else (),
        links=_links(model, agent) if seated else (),
        leads=team.lead == agent if seated and team and PROTOCOLS[team.protocol].led else None,
        protocol=team.protocol if team else "",
        protocols=tuple(PROTOCOLS),
        taken=tuple(people.taken),
        lost=tuple(people.lost),
        steered=tuple(map(_clipped, people.steered)),
    )


def _reasoners(model: Sandbox) -> tuple[str, ...]:
    """What can decide for an agent."""
    world = model.env.world
    known = *compiled_reasoners(world), *model.env.shipped_reasoners, PROGRAM, MODEL, ASKED
    return (*known, GENERALIST) if world.instructed else known


def _knobs(model: Sandbox) -> tuple[Knob, ...]:
    """The world's dials, and its options that can change."""
    world, options, found = model.env.world, model.env.options, []
    told = model.env.describe(model.state) if world.dials else {}
    for dial in world.dials:
        found.append(Knob(dial.key, dial.summary, dialled(told, dial), dial.least, dial.most, True))
    for name in world.live:
        field, value = world.options.model_fields[name], getattr(options, name)
        least, most = (max((getattr(rule, key, 0) for rule in field.metadata), default=0) for key in ("ge", "le"))
        if type(value) is int:  # up to twice what is usual
            most = max(min(most, 2 * field.default) if most else 2 * field.default, value)
        found.append(Knob(name, field.description or name, value, least, most))
    return tuple(found)


def _example(model: Sandbox, agent: int) -> str:
    """A program that performs the legal actions in turn; it works in any world."""
    verbs = model.env.verbs
    return EXAMPLE.format(name=name_of(model, agent), verbs=", ".join(verbs), noop=verbs[model.env.params.noop])


def _model(model: Sandbox, group: AgentGroup) -> str:
    """The group's own model, else the one in the environment variable, else that of another group."""
    others = (each.llm.model for each in model.scenario.agents if each.llm)
    return group.llm.model if group.llm else os.environ.get(NAMED) or next(others, "")


def _links(model: Sandbox, agent: int) -> tuple[Link, ...]:
    if model.talk is None or model.scenario.team.network.kind == MOVING:
        return ()
    cut = [set(edge) for edge in model.scenario.team.network.cut]
    others = model.talk.hearers(agent)[:MOST_LINKS]
    return tuple(Link(other, name_of(model, other), {agent, other} in cut) for other in others)


def _clipped(question: Question) -> Question:
    told = {"name": clip(question.name, NAME), "view": clip(question.view, 4 * LINE), "why": clip(question.why, LINE)}
    return question._replace(**told)

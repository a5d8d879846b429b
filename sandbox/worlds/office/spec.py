"""Office: enterprise processes run by teams of agents and people."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.event_log import Fit
from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.office import compiler, layouts, serialisation
from sandbox.worlds.office.dynamics import kernels
from sandbox.worlds.office.event_log import log_part
from sandbox.worlds.office.instructions import INSTRUCTED
from sandbox.worlds.office.interventions import INTERVENTIONS
from sandbox.worlds.office.policies.rules import POLICIES
from sandbox.worlds.office.rendering import text
from sandbox.worlds.office.rendering.picture import LEGEND, part, render, shown
from sandbox.worlds.office.rendering.places import canvas
from sandbox.worlds.office.setup import RULES, TRIES
from sandbox.worlds.office.state import SLOTS, Params, Severity, State, Verb, observation
from sandbox.worlds.office.tasks import TEAMWORK, progress, task
from sandbox.worlds.office.telling import CHARTS, GANTT, cause, doing, gauges, split

WHERE = "world 'office'"


class Options(BaseModel):
    """Options of an office."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "procure-to-pay"
    """Name of a process, path of a process file, or its text."""
    agents: int = Field(2, ge=1, le=64)
    """Number of agents."""
    cases: int = Field(20, ge=1, le=compiler.MOST_CASES)
    """Cases that arrive."""
    people: int = Field(0, ge=0, le=layouts.MOST_PEOPLE)
    """People of the team, who work beside the agents."""
    load: float = Field(0.7, gt=0, le=5)
    """Work that arrives for the team, as a share of what the staff of the process file can do."""
    speed: float = Field(1.0, gt=0, le=10)
    """Time that an agent needs for an activity, as a share of a person's."""
    review: float = Field(0.0, ge=0, le=1)
    """Share of the agents' completed activities that a person reviews."""
    max_ticks: int = Field(1_000, ge=1, le=1_000_000)
    """Ticks after which the episode ends; a tick is a decision, not a time."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation("wrong_price", "prices on documents are wrong; severity 1: in half of the cases"),
    Perturbation("wrong_quantity", "quantities on documents are wrong; severity 1: in half of the cases"),
    Perturbation("duplicate", "documents repeat those of an earlier case; severity 1: half of them"),
    Perturbation("changed_account", "accounts are not those on file; severity 1: in half of the cases"),
    Perturbation("missing_document", "a document that is needed is not there; severity 1: in half of the cases"),
    Perturbation(
        "infeasible_request", "requests that cannot be met, each before a feasible twin; severity 1: half of the cases"
    ),
    Perturbation("staff_absent", "people do not come; severity 1: on 40 % of the days"),
    Perturbation("load", "cases arrive faster; severity 1: twice as fast"),
    Perturbation("slow_approver", "the manager takes longer; severity 1: ten times as long"),
    Perturbation("changed_form", "documents come on another form, with fields in other places; severity 1: 60 %"),
    Perturbation("policy_change", "the policy changes in the middle; severity 1: in every episode"),
)


def build(options: Options) -> Params:
    """Params of a process; raises UsageError for a bad process file."""
    process, where = layouts.load(options.layout)
    severity = severities(options.perturb, Severity, WHERE)
    return compiler.build(process, where, compiler.Choices(
        options.agents, options.cases, options.people, options.load, options.speed, options.review, options.max_ticks,
        severity,
    ))  # fmt: skip


def conserved(s: State, lane: int, params: Params) -> tuple:
    """What the documents should say does not change, and no case is lost."""
    return s.truth[lane].tolist(), len(s.case[lane])


def fit(events: Any, title: str) -> Fit:
    """See ``office.fit``, which brings pandas and SciPy: no run needs them."""
    from sandbox.worlds.office.fit import fit as fitted

    return fitted(events, title)


def convert(model: Path, parameters: Path) -> Fit:
    """See ``office.prosimos``, which brings pandas and SciPy: no run needs them."""
    from sandbox.worlds.office.prosimos import scenario

    return scenario(model, parameters)


WORLD = World(
    name="office",
    summary="agents and people run an enterprise process, with queues, shifts, documents and rules",
    source="BPI Challenge 2019 (van Dongen 2019) for procure to pay; queueing theory for the engine",
    rules=RULES,
    tries=TRIES,
    live=("max_ticks",),
    verbs=Verb,
    layouts=layouts.names(),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    observation=observation,
    reset=kernels.reset,
    observe=kernels.observe,
    step=kernels.step,
    policies=POLICIES,
    render=render,
    canvas=canvas,
    part=part,
    describe=serialisation.describe,
    place=serialisation.place,
    render_text=text.render_text,
    tools=text.tools,
    task=task,
    progress=progress,
    conserved=conserved,
    teamwork=TEAMWORK,
    event_log=log_part,
    fit=fit,
    convert=convert,
    split=split,
    targets=SLOTS,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    gantt=GANTT,
    shown=shown,
)

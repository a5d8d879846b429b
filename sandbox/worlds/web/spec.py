"""Web: agents carry out instructions on sites whose labels, ids, places and behaviour change."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.web import layouts, serialisation
from sandbox.worlds.web.belief import believe, earned, ground_truth, visible
from sandbox.worlds.web.compiler.columns import Element, Template
from sandbox.worlds.web.compiler.compile import build as build_rules
from sandbox.worlds.web.dynamics import kernels
from sandbox.worlds.web.instructions import INSTRUCTED
from sandbox.worlds.web.interventions import INTERVENTIONS
from sandbox.worlds.web.policies.oracle import start
from sandbox.worlds.web.policies.rules import POLICIES
from sandbox.worlds.web.rendering import text
from sandbox.worlds.web.rendering.picture import LEGEND, canvas, render
from sandbox.worlds.web.setup import RULES, TRIES
from sandbox.worlds.web.state import (
    SLOTS,
    Info,
    Item,
    Memory,
    Params,
    Severity,
    State,
    Verb,
    observation,
)  # fmt: skip
from sandbox.worlds.web.tasks import TEAMWORK, progress, task
from sandbox.worlds.web.telling import CHARTS, cause, doing, gauges, shown

WHERE = "world 'web'"


class Options(BaseModel):
    """Options of a site."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = layouts.ALL
    """Name of a site, all (a site is drawn for each seed), path of a site file, or its text."""
    agents: int = Field(1, ge=1, le=2)
    """Number of agents."""
    max_ticks: int = Field(80, ge=1, le=30_000)
    """Ticks after which the episode ends."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation("renamed_labels", "labels are replaced by synonyms; severity 1: all that have synonyms"),
    Perturbation("changed_ids", "elements have other ids than the recorded ones; severity 1: all"),
    Perturbation("moved_elements", "lines of a page change places; severity 1: all lines of all pages"),
    Perturbation(
        "benign_popups", "a dialog must be closed before anything else works; severity 1: on every page visited"
    ),
    Perturbation("hostile_popups", "a dialog whose inviting button does harm; severity 1: on every page visited"),
    Perturbation("slow_pages", "pages take 2 to 5 ticks, some time out; severity 1: all, 30 % time out"),
    Perturbation(
        "expired_session", "a requested page turns out to be the log-in page; severity 1: half, twice at most"
    ),
    Perturbation("changed_theme", "colours and the order of columns differ; severity 1: in every episode"),
)


def build(options: Options) -> Params:
    """Params of a site; raises UsageError for a bad site file."""
    return build_rules(options.layout, options.agents, options.max_ticks, severities(options.perturb, Severity, WHERE))


def conserved(s: State, lane: int, params: Params) -> tuple:
    """The task and its values do not change, no element is lost, and no two of a page are in one slot."""
    own = params.template[s.info[lane, Info.TEMPLATE]]
    rows = params.element[own[Template.ELEMENT] : own[Template.ELEMENT] + own[Template.ELEMENTS]]
    places = Counter(zip(rows[:, Element.PAGE].tolist(), s.item[lane, : len(rows), Item.SLOT].tolist(), strict=True))
    return s.info[lane].tolist(), s.value[lane].tolist(), sorted(places), max(places.values())


WORLD = World(
    name="web",
    summary="agents carry out instructions on web sites whose labels, ids and manners change",
    source="templates in the manner of MiniWoB++ (Liu and others 2018) and WorkArena L1 (Drouin and others 2024)",
    rules=RULES,
    tries=TRIES,
    live=("max_ticks",),
    roles=text.ROLES,
    verbs=Verb,
    layouts=(*layouts.names(), layouts.ALL),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    memory=Memory,
    observation=observation,
    reset=kernels.reset,
    observe=kernels.observe,
    step=kernels.step,
    believe=believe,
    start=start,
    policies=POLICIES,
    render=render,
    canvas=canvas,
    describe=serialisation.describe,
    place=serialisation.place,
    render_text=text.render_text,
    tools=text.tools,
    task=task,
    progress=progress,
    conserved=conserved,
    ground_truth=ground_truth,
    visible=visible,
    teamwork=TEAMWORK,
    targets=SLOTS,
    earned=earned,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
)

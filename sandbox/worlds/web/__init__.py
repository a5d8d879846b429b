"""Web: agents carry out instructions on sites whose labels, ids, places and manners change."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.perturb import Perturbation, doses
from sandbox.core.world import World
from sandbox.worlds.web import kernels, layouts, scene, words
from sandbox.worlds.web.belief import believe
from sandbox.worlds.web.build import build as build_rules
from sandbox.worlds.web.columns import Element, Template
from sandbox.worlds.web.facts import facts, in_view
from sandbox.worlds.web.interventions import INTERVENTIONS
from sandbox.worlds.web.oracle import start
from sandbox.worlds.web.paint import LEGEND, canvas, paint
from sandbox.worlds.web.policies import POLICIES
from sandbox.worlds.web.state import (
    SLOTS,
    Dose,
    Info,
    Item,
    Memory,
    Rules,
    State,
    Verb,
    memory_shapes,
    observation,
    state_shapes,
)  # fmt: skip
from sandbox.worlds.web.tasks import progress, task
from sandbox.worlds.web.teamwork import TEAMWORK
from sandbox.worlds.web.value import earned

WHERE = "world 'web'"


class Options(BaseModel):
    """What can be chosen of a site."""

    model_config = ConfigDict(extra="forbid", strict=True)

    layout: str = layouts.ALL  # a template's name, all (drawn by seed), a path, or a site file's text
    agents: int = Field(1, ge=1, le=2)
    max_ticks: int = Field(80, ge=1, le=30_000)
    perturb: dict[str, float] = {}


PERTURBATIONS = (
    Perturbation("renamed_labels", "labels say the same in other words; dose 1: all that have synonyms"),
    Perturbation("changed_ids", "elements have other ids than were recorded; dose 1: all"),
    Perturbation("moved_elements", "lines of a page change places; dose 1: all lines of all pages"),
    Perturbation("benign_popups", "a dialog must be closed before anything else works; dose 1: on every page visited"),
    Perturbation("hostile_popups", "a dialog whose inviting button does harm; dose 1: on every page visited"),
    Perturbation("slow_pages", "pages take 2 to 5 ticks, some time out; dose 1: all, 30 % time out"),
    Perturbation("expired_session", "a page asked for turns out to be the log-in page; dose 1: half, twice at most"),
    Perturbation("changed_theme", "colours and the order of columns differ; dose 1: in every episode"),
)


def build(options: Options) -> Rules:
    """The rules of a site; raises UsageError for a bad site file."""
    return build_rules(options.layout, options.agents, options.max_ticks, doses(options.perturb, Dose, WHERE))


def conserved(s: State, lane: int, rules: Rules) -> tuple:
    """The task and its values stay, no element is lost, and no two of a page are in one slot."""
    own = rules.template[s.info[lane, Info.TEMPLATE]]
    rows = rules.element[own[Template.ELEMENT] : own[Template.ELEMENT] + own[Template.ELEMENTS]]
    places = Counter(zip(rows[:, Element.PAGE].tolist(), s.item[lane, : len(rows), Item.SLOT].tolist(), strict=True))
    return s.info[lane].tolist(), s.value[lane].tolist(), sorted(places), max(places.values())


WORLD = World(
    name="web",
    summary="agents carry out instructions on web sites whose labels, ids and manners change",
    source="templates in the manner of MiniWoB++ (Liu and others 2018) and WorkArena L1 (Drouin and others 2024)",
    roles=words.ROLES,
    verbs=tuple(v.name.lower() for v in Verb),
    layouts=(*layouts.names(), layouts.ALL),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    state_shapes=state_shapes,
    memory=Memory,
    memory_shapes=memory_shapes,
    observation=observation,
    agents=lambda rules: rules.agents,
    reset=kernels.reset,
    observe=kernels.observe,
    step=kernels.step,
    believe=believe,
    start=start,
    policies=POLICIES,
    paint=paint,
    canvas=canvas,
    describe=scene.describe,
    place=scene.place,
    text=words.text,
    tools=words.tools,
    task=task,
    progress=progress,
    conserved=conserved,
    facts=facts,
    in_view=in_view,
    teamwork=TEAMWORK,
    targets=SLOTS,
    earned=earned,
    interventions=INTERVENTIONS,
    legend=LEGEND,
)

"""Kitchen: cooks fill pots, wait for soups, and serve what was ordered, in Overcooked-AI's rules."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.errors import UsageError
from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.kitchen import serialisation
from sandbox.worlds.kitchen.belief import believe, ground_truth, value, visible
from sandbox.worlds.kitchen.dynamics import geometry, kernels, observe
from sandbox.worlds.kitchen.dynamics.orders import aims, read_orders
from sandbox.worlds.kitchen.instructions import INSTRUCTED
from sandbox.worlds.kitchen.interventions import INTERVENTIONS
from sandbox.worlds.kitchen.layouts import CLASSIC, load
from sandbox.worlds.kitchen.policies.rules import POLICIES, start
from sandbox.worlds.kitchen.rendering import text
from sandbox.worlds.kitchen.rendering.picture import LEGEND, render
from sandbox.worlds.kitchen.setup import RULES, TRIES, setup
from sandbox.worlds.kitchen.state import (
    Cell,
    Memory,
    Params,
    Pot,
    Severity,
    State,
    Verb,
    observation,
)  # fmt: skip
from sandbox.worlds.kitchen.tasks import TEAMWORK, progress, task
from sandbox.worlds.kitchen.telling import CHARTS, cause, doing, gauges, shown
from sandbox.worlds.kitchen.tokens import TOKENS

WHERE = "world 'kitchen'"


class Options(BaseModel):
    """Options of a kitchen."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "cramped_room"
    """Name of a layout, path of a map or of a .layout file, or the map as text."""
    agents: int = Field(2, ge=1, le=9)
    """Number of cooks; without it, as many as the layout has places."""
    scattered: bool = False
    """Whether cooks begin at random places within reach of their own, drawn for each seed."""
    soups: int = Field(3, ge=0)
    """Soups that complete the shared task; 0: the task has no end."""
    max_ticks: int = Field(400, ge=1, le=2_000_000_000)
    """Ticks after which the episode ends."""
    sight: int | None = Field(None, ge=1, le=15)
    """Cells that a cook sees in each direction; without it, the whole of a small kitchen."""
    reward: Literal["sparse", "shaped"] = "sparse"
    """Reward of learners: sparse (soups that are served) or shaped (each cook's own shaped reward added)."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation(
        "strange_partner",
        "the last cook hesitates, wanders or follows its own habits, 15 ticks at a time; severity 1: 40 % of the time",
    ),
    Perturbation("absent_partner", "the last cook stands idle for one long spell; severity 1: 40 % of the tick limit"),
    Perturbation("sticky_floor", "steps to another cell fail; severity 1: every second one"),
    Perturbation("slow_pot", "each soup cooks longer, by an unknown time; severity 1: up to three times as long"),
)


def build(options: Options) -> Params:
    """Params of a kitchen; raises UsageError for a bad layout and for more cooks than it has places."""
    layout = load(options.layout)
    plan, count = layout.plan, len(layout.starts)
    agents = options.agents if "agents" in options.model_fields_set else count
    if agents > count:
        raise UsageError(f"{WHERE}: {agents} agents, but the layout has places for {count} (the digits)")
    orders = read_orders(layout.given, layout.where)
    pot_cell = np.flatnonzero(plan == Cell.POT).astype(np.int32)
    pot_at = np.full(plan.shape, -1, np.int32)
    pot_at.flat[pot_cell] = np.arange(len(pot_cell))
    cooks, items, pots = serialisation.first(layout, agents, pot_at)
    way = geometry.ways(plan)
    near = geometry.nearest(plan, way)
    hops, beyond, shared = geometry.hand_overs(plan, near)
    far = geometry.sight_of(plan) if options.sight is None else options.sight
    return Params(
        verbs=len(Verb), noop=int(Verb.STAY), plan=plan, agents=agents, soups=options.soups,
        max_ticks=options.max_ticks, most=orders.most, shaped=options.reward == "shaped", sight=far,
        scattered=options.scattered, cooks=cooks, items=items, pots=pots, pot_cell=pot_cell, pot_at=pot_at,
        counters=np.flatnonzero(plan == Cell.COUNTER).astype(np.int32), worth=orders.worth, ordered=orders.ordered,
        bonus=orders.bonus, cook_time=orders.cook_time, shaping=orders.shaping,
        views=geometry.views(plan, far), spots=geometry.spots(plan, far),
        aim=aims(orders, bool((plan == Cell.ONIONS).any()), bool((plan == Cell.TOMATOES).any())),
        way=way, nearest=near, hops=hops, beyond=beyond, shared=shared,
        severity=severities(options.perturb, Severity, WHERE),
    )  # fmt: skip


def info(s: State, agent: int, params: Params) -> dict:
    """The rewards of the last tick, (L, N) float32 each, under the names of Overcooked's environment."""
    return {"sparse_r_by_agent": s.sparse, "shaped_r_by_agent": s.shaped}


def conserved(s: State, lane: int, params: Params) -> tuple:
    """Each cook is in a floor cell of his own, things lie on counters only, and no pot is overfull."""
    cells = [tuple(cell) for cell in s.pos[lane].tolist()]
    on_floor = all(params.plan[cell] == Cell.FLOOR for cell in cells)
    astray = int((s.items[lane][params.plan != Cell.COUNTER] != 0).sum())
    most = bool((s.pots[lane][:, [Pot.ONIONS, Pot.TOMATOES]].sum(axis=1) <= params.most).all())
    return len(set(cells)), on_floor, astray, most


WORLD = World(
    name="kitchen",
    summary="cooks who share pots, counters and narrow floors serve the soups that were ordered",
    source="overcooked-ai 1.1.0 (Carroll and others 2019), equal at every step",
    rules=RULES,
    tries=TRIES,
    live=("soups", "max_ticks"),
    roles=("cook",),
    verbs=Verb,
    layouts=tuple(CLASSIC),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    memory=Memory,
    observation=observation,
    reset=kernels.reset,
    observe=observe.observe,
    step=kernels.step,
    believe=believe,
    start=start,
    policies=POLICIES,
    render=render,
    describe=serialisation.describe,
    place=serialisation.place,
    setup=setup,
    render_text=text.render_text,
    tools=text.tools,
    task=task,
    progress=progress,
    conserved=conserved,
    ground_truth=ground_truth,
    visible=visible,
    tokens=TOKENS,
    teamwork=TEAMWORK,
    info=info,
    value=value,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
    cells=lambda params: params.plan.shape,
)

"""Rooms: a designer, a client with wishes and an accountant furnish a flat."""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.perturb import Perturbation, severities
from sandbox.core.tour import Tour
from sandbox.core.world import World
from sandbox.engine.letters import as_bytes, atlas
from sandbox.worlds.rooms import serialisation
from sandbox.worlds.rooms.catalogue import catalogue, room_name
from sandbox.worlds.rooms.dynamics import kernels
from sandbox.worlds.rooms.dynamics.actions import redraw
from sandbox.worlds.rooms.instructions import INSTRUCTED
from sandbox.worlds.rooms.interventions import INTERVENTIONS
from sandbox.worlds.rooms.layouts import DRAWINGS, load
from sandbox.worlds.rooms.policies.rules import POLICIES, start
from sandbox.worlds.rooms.rendering import text
from sandbox.worlds.rooms.rendering.picture import LEGEND, labels, render, shown
from sandbox.worlds.rooms.setup import RULES, TRIES, setup
from sandbox.worlds.rooms.state import (
    SLOTS,
    WISHES,
    Memory,
    Params,
    Room,
    Severity,
    State,
    Verb,
    Wish,
    observation,
)  # fmt: skip
from sandbox.worlds.rooms.tasks import TEAMWORK, progress, task
from sandbox.worlds.rooms.telling import CHARTS, cause, doing, gauges, info

WHERE = "world 'rooms'"


class Options(BaseModel):
    """Options of a flat."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "two-rooms"
    """Name of a flat, path of a drawing, or the drawing as text."""
    agents: int = Field(3, ge=1, le=3)
    """Number of agents: the designer, then the client, then the accountant. A role without an agent answers honestly
    by itself."""
    wishes: int = Field(6, ge=1, le=WISHES)
    """Wishes of the client, drawn for each seed."""
    limit: float = Field(0.5, ge=0, le=1)
    """Share of the budget up to which a plan needs no approval of the accountant."""
    max_ticks: int = Field(200, ge=1, le=1_000_000)
    """Ticks after which the episode ends."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation("changed_mind", "a wish becomes another one, untold; severity 1: in every episode"),
    Perturbation("out_of_stock", "the cheapest thing for a wish is sold out; severity 1: in every episode"),
    Perturbation("price_rise", "all prices rise; severity 1: in every episode, by 12 %"),
    Perturbation("wrong_measure", "a pillar turns out to stand beside a wall; severity 1: in every episode"),
)


def build(options: Options) -> Params:
    """Params of a flat; raises UsageError for a bad drawing."""
    flat, known = load(options.layout), catalogue()
    wants = known.wants.copy()
    wants[~np.isin(wants[:, Wish.ROOM], flat.room), Wish.ROOM] = Room.NONE
    if not flat.light.any():
        wants[:, Wish.DAYLIGHT] = 0
    names = (*(category.split()[-1] for category in known.categories), *(room_name(room) for room in list(Room)[1:]))
    return Params(
        verbs=len(Verb), noop=int(Verb.WAIT), agents=options.agents, max_ticks=options.max_ticks, wishes=options.wishes,
        limit=options.limit, plan=flat.plan, room=flat.room, kept=flat.kept, light=flat.light, power=flat.power,
        nook=flat.nook, thing=known.thing, wants=wants, categories=len(known.categories), styles=len(known.styles),
        label=labels(flat.room), sign=as_bytes(names, 16), glyph=atlas(),
        severity=severities(options.perturb, Severity, WHERE),
    )  # fmt: skip


def conserved(s: State, lane: int, params: Params) -> tuple:
    """No wish is lost, and no two are of one category; nothing covers what a door needs."""
    categories = s.wish[lane, : params.wishes, Wish.CATEGORY].tolist()
    return len({*categories} - {0}), int((s.cover[lane] * params.kept).sum())


def visible(s: State, lane: int, agent: int, params: Params) -> np.ndarray:
    """Everybody sees the whole plan."""
    return np.ones(params.plan.size, bool)


def tour(s: State, lane: int, params: Params) -> Tour:
    """See ``walk.stage``, which brings Mitsuba: no run needs it."""
    from sandbox.worlds.rooms.walk.stage import Stage

    return Stage(s, lane, params)


def scene(s: State, lane: int, params: Params) -> Any:
    """See ``walk.solid``, which brings trimesh: no run needs it."""
    from sandbox.worlds.rooms.walk import solid

    return solid.scene(s, lane, params)


WORLD = World(
    name="rooms",
    summary="a designer, a client with wishes and an accountant furnish a flat on paper",
    source="rules of our own; clearances as in handbooks of interior design",
    rules=RULES,
    tries=TRIES,
    live=("max_ticks",),
    roles=text.ROLES,
    verbs=Verb,
    layouts=tuple(DRAWINGS),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    memory=Memory,
    observation=observation,
    reset=kernels.reset,
    observe=kernels.observe,
    step=kernels.step,
    refresh=redraw,
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
    teamwork=TEAMWORK,
    targets=SLOTS,
    visible=visible,
    info=info,
    tour=tour,
    scene=scene,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
)

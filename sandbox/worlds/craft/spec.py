"""Craft: survive, gather and make tools in crafter's rules, alone or as a team on one map."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.craft import serialisation
from sandbox.worlds.craft.achievements import LADDER
from sandbox.worlds.craft.belief import believe, ground_truth, value, visible
from sandbox.worlds.craft.dynamics import kernels
from sandbox.worlds.craft.frames import FRAMES
from sandbox.worlds.craft.instructions import INSTRUCTED
from sandbox.worlds.craft.interventions import INTERVENTIONS
from sandbox.worlds.craft.layouts import NAMES, load
from sandbox.worlds.craft.policies.rules import POLICIES, start
from sandbox.worlds.craft.rendering import text
from sandbox.worlds.craft.rendering.picture import LEGEND, render
from sandbox.worlds.craft.setup import RULES, TRIES, setup
from sandbox.worlds.craft.state import (
    CHUNK,
    ITEMS,
    Achievement,
    Body,
    Memory,
    Params,
    Severity,
    State,
    Verb,
    observation,
)  # fmt: skip
from sandbox.worlds.craft.tasks import TEAMWORK, goal_of, needed_for, progress, task
from sandbox.worlds.craft.telling import CHARTS, cause, doing, gauges, shown
from sandbox.worlds.craft.tokens import TOKENS

WHERE = "world 'craft'"


class Options(BaseModel):
    """Options of Craft."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "crafter"
    """crafter (a map is generated for each seed), the path of a map, or the map as text."""
    size: int = Field(64, ge=CHUNK, le=128)
    """Rows and columns of a generated map, in cells."""
    agents: int = Field(2, ge=1, le=64)
    """Number of players."""
    goal: str = "stone_tools"
    """wood_tools, stone_tools, iron_tools, diamond, the name of an achievement, or none (crafter's own game)."""
    mobs: bool = True
    """Whether there are cows, zombies and skeletons."""
    max_ticks: int = Field(1000, ge=1, le=2_000_000_000)
    """Ticks after which the episode ends."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation("night", "daylight is dimmed and zombies multiply; severity 1: by 70 %, at noon too"),
    Perturbation("scarcity", "food, drink and energy run down faster; severity 1: twice as fast"),
)


def build(options: Options) -> Params:
    """Params of Craft; raises UsageError for a bad map, goal or severity."""
    layout, goal = load(options.layout, options.size), goal_of(options.goal)
    natives = layout.natives if options.mobs else layout.natives[:0]
    cells = layout.plan.size
    return Params(
        verbs=len(Verb), noop=int(Verb.NOOP), plan=layout.plan, starts=layout.starts, natives=natives,
        agents=options.agents, most_mobs=max(64, cells // 8), mobs=options.mobs, goal=goal,
        needed=needed_for(goal), max_ticks=options.max_ticks, severity=severities(options.perturb, Severity, WHERE),
    )  # fmt: skip


def info(s: State, agent: int, params: Params) -> dict:
    """Crafter's ``info`` under its names, axis 0: lane; ``player_pos`` is (x, y), column and row."""
    body, dead = s.body[:, agent], s.body[:, agent, Body.HEALTH] <= 0
    return {
        "inventory": {item.name.lower(): body[:, item] for item in ITEMS},
        "achievements": {each.name.lower(): s.achieved[:, agent, each] for each in Achievement},
        "discount": 1 - dead.astype(np.float64), "player_pos": s.pos[:, agent, ::-1], "reward": s.reward[:, agent],
    }  # fmt: skip


def conserved(s: State, lane: int, params: Params) -> tuple:
    """The map of things agrees with their table: nothing is lost, duplicated, or in two places."""
    things = s.object_at[lane][s.object_at[lane] > 0].tolist()
    living = int((s.body[lane, :, Body.HEALTH] > 0).sum())
    return len(things) == len(set(things)), len(things) - living - int(s.census[lane])


WORLD = World(
    name="craft",
    summary="gather, build, make tools and survive nights, zombies and hunger, alone or as a team",
    source="crafter 1.8.3 (Hafner 2021), equal at every step",
    rules=RULES,
    tries=TRIES,
    live=("goal", "mobs", "max_ticks"),
    roles=("gatherer", "smith", "guard"),
    verbs=Verb,
    layouts=NAMES,
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
    frames=FRAMES,
    teamwork=TEAMWORK,
    info=info,
    value=value,
    tokens=TOKENS,
    ladder=LADDER,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
)

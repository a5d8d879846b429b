"""Warehouse: robots fetch requested shelves and bring them to the goals, in RWARE's rules."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.errors import UsageError
from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.warehouse import serialisation
from sandbox.worlds.warehouse.belief import believe, ground_truth, visible
from sandbox.worlds.warehouse.dynamics import kernels
from sandbox.worlds.warehouse.dynamics.seen import refresh
from sandbox.worlds.warehouse.instructions import INSTRUCTED
from sandbox.worlds.warehouse.interventions import INTERVENTIONS
from sandbox.worlds.warehouse.layouts import SIZES, beside, load
from sandbox.worlds.warehouse.policies.routes import start
from sandbox.worlds.warehouse.policies.rules import POLICIES
from sandbox.worlds.warehouse.rendering import text
from sandbox.worlds.warehouse.rendering.picture import LEGEND, render
from sandbox.worlds.warehouse.setup import RULES, TRIES, setup
from sandbox.worlds.warehouse.starts import load as load_starts
from sandbox.worlds.warehouse.state import (
    Cell,
    Memory,
    Params,
    RewardType,
    Severity,
    State,
    Verb,
    observation,
)  # fmt: skip
from sandbox.worlds.warehouse.tasks import TEAMWORK, progress, task
from sandbox.worlds.warehouse.telling import CHARTS, cause, doing, gauges, shown
from sandbox.worlds.warehouse.tokens import TOKENS

WHERE = "world 'warehouse'"
BOARD_AT_MOST = 8  # orders that one robot reads at a time


class Options(BaseModel):
    """Options of a warehouse."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "tiny"
    """Name of a layout, path of an RWARE layout or a movingai map, or the map as text."""
    starts: str = ""
    """For a movingai map: path or text of a .scen file with the starts of robots and parcels, and their goals."""
    agents: int = Field(4, ge=1, le=100_000)
    """Number of robots."""
    requests: int | None = Field(None, ge=1)
    """Orders that are open at the same time; without it, as many as agents, as in RWARE."""
    deliveries: int = Field(10, ge=0)
    """Deliveries that complete the shared task; 0: the task has no end."""
    max_ticks: int = Field(500, ge=1, le=2_000_000_000)
    """Ticks after which the episode ends."""
    board: bool = True
    """Whether robots see the order board; false gives RWARE's own observation."""
    sight: int = Field(1, ge=1, le=8)
    """Cells that a robot sees in each direction."""
    reward: Literal["global", "individual", "two_stage"] = "individual"
    """Reward of learners, as RWARE defines it: global, individual or two_stage."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (Perturbation("blocked_aisles", "aisle cells that can be spared are closed; severity 1: 30 % of them"),)


def build(options: Options) -> Params:
    """Params of a warehouse; raises UsageError for a bad map and for more agents or requests than it holds."""
    layout = load(options.layout)
    plan, courier = layout.plan, layout.courier
    homes = np.argwhere(plan == Cell.SLOT).astype(np.int32)
    fetchable = beside(layout.aisles)[tuple(homes.T)]
    room = int((plan < Cell.WALL).sum())
    requests = options.requests or min(options.agents, options.agents if courier else int(fetchable.sum()) - 1)
    most = room // 2 if courier else room
    if options.agents > most:
        raise UsageError(f"{WHERE}: {options.agents} agents, but a layout of {room} open cells takes {most}")
    if courier:
        if options.reward == "two_stage":
            raise UsageError(
                "world 'warehouse': reward 'two_stage' is for shelves; a courier map takes individual, global"
            )
        if requests > most:
            raise UsageError(f"{WHERE}: {requests} requests, but a map of {room} open cells takes {most}")
        homes, fetchable = np.full((requests, 2), -1, np.int32), np.ones(requests, np.bool_)
    elif requests >= fetchable.sum():
        raise UsageError(f"{WHERE}: {requests} requests, expected fewer than the layout's {fetchable.sum()} shelves")
    board = min(requests, BOARD_AT_MOST) if options.board or courier else 0
    return Params(
        verbs=len(Verb), noop=int(Verb.NOOP), plan=plan, goals=layout.goals, homes=homes, fetchable=fetchable,
        errands=load_starts(options.starts, layout, max(options.agents, requests)), agents=options.agents,
        requests=requests, deliveries=options.deliveries, max_ticks=options.max_ticks, sight=options.sight,
        reward=int(RewardType[options.reward.upper()]), courier=courier, board=board,
        severity=severities(options.perturb, Severity, WHERE),
    )  # fmt: skip


def conserved(s: State, lane: int, params: Params) -> tuple:
    """No robot and no shelf is lost or duplicated, and the board stays full."""
    robots = sorted(s.agent_at[lane][s.agent_at[lane] > 0].tolist())
    shelves = s.shelf_at[lane][s.shelf_at[lane] > 0].tolist()
    if params.courier:
        shelves += s.carrying[lane][s.carrying[lane] > 0].tolist()
    return robots, sorted(shelves), len(set(s.request[lane].tolist())), int(s.requested[lane].sum())


WORLD = World(
    name="warehouse",
    summary="robots fetch requested shelves and bring them to the goals, or carry parcels across a map",
    source="RWARE 2.0.0 (Papoudakis and others 2021), equal at every step; maps of movingai.com",
    rules=RULES,
    tries=TRIES,
    live=("deliveries", "max_ticks"),
    roles=("robot",),
    verbs=Verb,
    layouts=tuple(SIZES),
    perturbations=PERTURBATIONS,
    options=Options,
    build=build,
    state=State,
    memory=Memory,
    observation=observation,
    reset=kernels.reset,
    observe=kernels.observe,
    step=kernels.step,
    refresh=refresh,
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
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
)

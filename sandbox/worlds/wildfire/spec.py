"""Wildfire: crews contain a fire that wind, fuel and slope drive towards villages; or Mesa's plain forest fire."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.errors import UsageError
from sandbox.core.perturb import Perturbation, severities
from sandbox.core.world import World
from sandbox.worlds.wildfire import serialisation
from sandbox.worlds.wildfire.belief import believe, earned, ground_truth, value, visible
from sandbox.worlds.wildfire.dynamics import kernels, observe
from sandbox.worlds.wildfire.dynamics.terrain import SCENE
from sandbox.worlds.wildfire.instructions import INSTRUCTED
from sandbox.worlds.wildfire.interventions import INTERVENTIONS
from sandbox.worlds.wildfire.layouts import GROUND, WHERE, load
from sandbox.worlds.wildfire.policies.rules import POLICIES, start
from sandbox.worlds.wildfire.rendering import text
from sandbox.worlds.wildfire.rendering.picture import LEGEND, canvas, render
from sandbox.worlds.wildfire.setup import DIALS, RULES, TRIES, setup
from sandbox.worlds.wildfire.state import (
    LIST_AT_MOST,
    Count,
    Crew,
    Ground,
    Kind,
    Memory,
    Params,
    Severity,
    State,
    Verb,
    observation,
)  # fmt: skip
from sandbox.worlds.wildfire.tasks import TEAMWORK, progress, task
from sandbox.worlds.wildfire.telling import CHARTS, cause, doing, gauges, shown


class Options(BaseModel):
    """Options of a wildfire."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    layout: str = "village"
    """Name of generated land, path of a map, or the map as text."""
    height: int | None = Field(None, ge=24, le=4096)
    """Rows of generated land; without it, 48."""
    width: int | None = Field(None, ge=24, le=4096)
    """Columns of generated land; without it, 48."""
    agents: int = Field(6, ge=1, le=100_000)
    """Number of crews."""
    fires: int | None = Field(None, ge=1)
    """Fires at the start, at most one for each village; without it, one for every six crews."""
    save: float = Field(0.8, ge=0, le=1)
    """Share of buildings, and of households, that completes the shared task."""
    wind: float = Field(6.0, ge=0, le=20)
    """Speed of the wind in m/s."""
    tanks: int = Field(12, ge=1, le=100)
    """Loads of water that a crew carries."""
    sight: int = Field(5, ge=1, le=10)
    """Cells that a crew sees in each direction."""
    messages: int = Field(4, ge=0, le=32)
    """Messages of other crews that a crew hears in one tick."""
    max_ticks: int = Field(1000, ge=1, le=2_000_000_000)
    """Ticks after which the episode ends."""
    classic: bool = False
    """Whether the fire is that of Mesa's ForestFire example."""
    density: float = Field(0.65, ge=0, le=1)
    """For classic: share of cells with a tree."""
    ignite: Literal["column", "centre"] = "column"
    """For classic: what burns at the start, the first column or the cell in the centre."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0..1."""


PERTURBATIONS = (
    Perturbation("wind_shift", "the wind turns at a drawn tick; severity 1: by 90 degrees"),
    Perturbation("crew_lost", "crews break down for good within 60 ticks; severity 1: a third of them"),
    Perturbation("wrong_map", "places on the crews' maps are up to 6 cells off; severity 1: half of them"),
)


def build(options: Options) -> Params:
    """Params of a wildfire; raises UsageError for a bad map, and for sizes that are given with a map."""
    plan, stations, ground = load(options.layout)
    if len(plan) and (options.height or options.width):
        raise UsageError(f"{WHERE}: height and width are for generated land; the map is {len(plan)} x {plan.shape[1]}")
    height, width = plan.shape if len(plan) else (options.height or 48, options.width or 48)
    tile_rows, tile_cols = max(1, height // SCENE), max(1, width // SCENE)
    fires = min(options.fires or max(1, options.agents // 6), tile_rows * tile_cols)
    return Params(
        verbs=len(Verb), noop=int(Verb.STAY), height=height, width=width, plan=plan, stations=stations, ground=ground,
        tile_rows=tile_rows, tile_cols=tile_cols, fires=fires, agents=options.agents, tanks=options.tanks,
        save=options.save, wind=options.wind, sight=options.sight, messages=options.messages, classic=options.classic,
        density=options.density, column=options.ignite == "column", longest=min(height * width, LIST_AT_MOST),
        max_ticks=options.max_ticks, severity=severities(options.perturb, Severity, WHERE),
    )  # fmt: skip


def conserved(s: State, lane: int, params: Params) -> tuple:
    """Kinds of land change by fire breaks only; counts of buildings, households and burning cells fit the map."""
    kind, ground, tally = s.land[lane] & 7, s.land[lane] >> 3, s.tally[lane].tolist()
    burnt = int(((kind == Kind.BUILDING) & (ground == Ground.BURNT)).sum())
    people = (ground == Ground.PEOPLE) | (ground == Ground.WET_PEOPLE) | (ground >= Ground.FIRE_PEOPLE)
    fuel = int((kind >= Kind.GRASS).sum())
    return (
        fuel,
        [int((kind == k).sum()) for k in (Kind.BARE, Kind.ROAD, Kind.WATER, Kind.BUILDING)],
        tally[Count.LOST] - (tally[Count.BURNT] if params.classic else burnt),
        int(people.sum()) + tally[Count.RESCUED] + tally[Count.PERISHED],
        tally[Count.BURNING] - int((ground >= Ground.FIRE).sum()),
        tally[Count.BURNT] - int((ground == Ground.BURNT).sum()),
        tally[Count.HURT] - int(s.crew[lane, :, Crew.HURT].sum()),
    )


WORLD = World(
    name="wildfire",
    summary="crews contain a fire that wind, fuel and slope drive at villages; or Mesa's plain forest fire",
    source="spread after Alexandridis and others 2008; classic: Mesa's ForestFire, equal in what finally burns",
    rules=RULES,
    tries=TRIES,
    live=("save", "max_ticks"),
    dials=DIALS,
    roles=("crew",),
    verbs=Verb,
    layouts=tuple(GROUND),
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
    canvas=canvas,
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
    teamwork=TEAMWORK,
    earned=earned,
    value=value,
    interventions=INTERVENTIONS,
    instructed=INSTRUCTED,
    legend=LEGEND,
    doing=doing,
    cause=cause,
    charts=CHARTS,
    gauges=gauges,
    shown=shown,
    cells=lambda params: (params.height, params.width),
)

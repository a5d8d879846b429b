"""A complete world in one file: agents walk in an orchard and pick apples. ``examples/minimal.toml`` plays it."""

from enum import IntEnum
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sandbox.core.finish import Finish
from sandbox.core.setup import Try
from sandbox.core.world import Done, ObservationSpec, Pos, Refused, Reward, Seed, Task, Tick, World, names, shaped
from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random

GRASS, TREE = 0, 1  # what a cell of the grid holds
TREES = 11  # stream of random draws; a world numbers its own
DOWN, RIGHT = np.array([0, -1, 1, 0, 0]), np.array([0, 0, 0, -1, 1])  # by verb
Verb = IntEnum("Verb", "WAIT NORTH SOUTH WEST EAST", start=0)
Channel = IntEnum("Channel", "TREE FENCE", start=0)  # of the window
Column = IntEnum("Column", "ROW COL APPLES_LEFT", start=0)  # of the vector


class Options(BaseModel):  # what a scenario says in [world]
    model_config = ConfigDict(extra="forbid", strict=True)
    agents: int = Field(2, ge=1, le=100, description="Number of pickers.")
    side: int = Field(9, ge=3, le=100, description="Rows and columns of the orchard.")
    trees: int = Field(12, ge=1, description="Trees that bear apples.")
    sight: int = Field(2, ge=1, le=8, description="Cells that an agent sees in each direction.")
    max_ticks: int = Field(200, ge=1, description="Ticks after which the episode ends.")
    perturb: dict[str, float] = Field({}, description="Severity of each perturbation by name, 0..1.")


class Params(NamedTuple):  # what never changes: numbers and arrays
    verbs: int  # how many
    noop: int  # the one that does nothing
    agents: int
    side: int
    trees: int
    sight: int
    max_ticks: int


class State(NamedTuple):  # what changes; the first axis is the lane; ``shaped`` says dtype and shape of one lane
    seed: Seed
    tick: Tick
    pos: Pos
    reward: Reward
    refused: Refused
    done: Done
    grid: Annotated[np.ndarray, shaped(np.int8, "side", "side")]
    picked: Annotated[np.ndarray, shaped(np.int32)]


def build(options: Options) -> Params:
    o, trees = options, min(options.trees, options.side**2)
    return Params(len(Verb), Verb.WAIT, o.agents, o.side, trees, o.sight, o.max_ticks)


def observation(params: Params) -> ObservationSpec:
    return ObservationSpec(names(Channel), 2 * params.sight + 1, names(Column), 0, 0, 1)


@kernel
def reset(s, lane, params):
    s.tick[lane], s.picked[lane], s.done[lane] = 0, 0, Finish.RUNNING
    s.grid[lane], s.reward[lane], s.refused[lane] = GRASS, 0.0, 0
    for agent in range(params.agents):
        s.pos[lane, agent, 0], s.pos[lane, agent, 1] = 0, agent % params.side
    planted = k = 0
    while planted < params.trees:
        cell = below(params.side * params.side, s.seed[lane], 0, TREES, k)
        k += 1
        if s.grid[lane, cell // params.side, cell % params.side] == GRASS:
            s.grid[lane, cell // params.side, cell % params.side] = TREE
            planted += 1


@kernel
def is_inside(row, col, side):
    return 0 <= row < side and 0 <= col < side


@kernel
def observe(s, lane, params, obs):
    window, sight = obs.window[lane], params.sight
    window[:] = 0
    for agent in range(params.agents):
        row, col = s.pos[lane, agent]
        for i in range(2 * sight + 1):
            for j in range(2 * sight + 1):
                r, c = row + i - sight, col + j - sight
                window[agent, Channel.FENCE, i, j] = not is_inside(r, c, params.side)
                window[agent, Channel.TREE, i, j] = is_inside(r, c, params.side) and s.grid[lane, r, c] == TREE
        vector, left = obs.vector[lane, agent], params.trees - s.picked[lane]
        vector[Column.ROW], vector[Column.COL], vector[Column.APPLES_LEFT] = row, col, left
        for verb in range(params.verbs):
            obs.mask[lane, agent, verb] = is_inside(row + DOWN[verb], col + RIGHT[verb], params.side)


@kernel
def step(s, lane, actions, params):
    if s.done[lane] != Finish.RUNNING:
        return
    s.tick[lane] += 1
    for agent in range(params.agents):
        verb, s.reward[lane, agent] = actions[lane, agent, 0], 0.0
        if 0 < verb < params.verbs and actions[lane, agent, 1] == 0:
            row, col = s.pos[lane, agent, 0] + DOWN[verb], s.pos[lane, agent, 1] + RIGHT[verb]
            if is_inside(row, col, params.side):
                s.pos[lane, agent, 0], s.pos[lane, agent, 1] = row, col
                s.reward[lane, agent] = s.grid[lane, row, col]
                s.picked[lane] += s.grid[lane, row, col]
                s.grid[lane, row, col] = GRASS
    if s.picked[lane] == params.trees:
        s.done[lane] = Finish.COMPLETED
    elif s.tick[lane] >= params.max_ticks:
        s.done[lane] = Finish.TICK_LIMIT


@kernel
def progress(s, lane, params):
    return s.picked[lane], params.trees


@kernel
def rules(obs, lane, params, memory, team, dice, actions):
    """Go to the nearest tree in sight, else wander."""
    random(obs, lane, params, memory, team, dice, actions)
    for agent in team:
        trees, nearest = obs.window[lane, agent, Channel.TREE], 2 * params.sight + 1
        for i in range(len(trees)):
            for j in range(len(trees)):
                down, right = i - params.sight, j - params.sight
                if trees[i, j] and 0 < abs(down) + abs(right) < nearest:
                    nearest = abs(down) + abs(right)
                    for verb in range(1, params.verbs):
                        if DOWN[verb] * down + RIGHT[verb] * right > 0:
                            actions[lane, agent, 0] = verb


WORLD = World(
    name="orchard", summary="agents pick all apples of an orchard", verbs=Verb, options=Options, build=build,
    state=State, observation=observation, reset=reset, observe=observe, step=step, progress=progress,
    policies={"idle": idle, "random": random, "rules": rules}, legend=(("grass", "#e3ecd3"), ("tree", "#4f8a3c")),
    rules="A tree bears one apple. Who walks on it picks the apple. All apples picked: the task is done.",
    tries=(Try("Pickers that wander: how much longer do they take?", {"policy": "random"}),),
    task=lambda params: Task("pick", ("Pick the apples of all trees.", "Visit every tree.", "Leave no apple behind.")),
)  # fmt: skip

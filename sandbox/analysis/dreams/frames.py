"""Frames of craft as a dream has them: what one player sees, without creatures, as one token a cell.

A token is a material, or a plant (on grass). The cell of the player in the middle has the material below it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.world import Observation
from sandbox.engine.environment import Environment, make
from sandbox.nets.dream import Frames
from sandbox.worlds.craft.dynamics.players import RIPE_AT
from sandbox.worlds.craft.state import DOWN, SIDE, Body, Channel, Kind, Material, Mob

PLANT, RIPE = len(Material), len(Material) + 1
TOKENS = len(Material) + 2
VIEW = slice(SIDE // 2 - DOWN, SIDE // 2 + DOWN + 1)  # rows of the window that are in view
OPTIONS = {"agents": 1, "mobs": False, "goal": "none"}  # of craft, without ``layout`` and ``size``


def seen(observation: Observation) -> Frames:
    """The frames (7 x 9) that the player of each lane sees."""
    window = observation.window[:, 0]
    material, thing = window[:, Channel.MATERIAL, VIEW], window[:, Channel.THING, VIEW]
    cells = np.where(thing == Kind.PLANT, PLANT, np.where(thing == Kind.RIPE, RIPE, material)).astype(np.int8)
    return Frames(cells, np.maximum(window[:, Channel.FACING, SIDE // 2, SIDE // 2] - 1, 0).astype(np.int8))


def whole(state: Any, lane: int = 0) -> Frames:
    """The whole map of a lane as one frame around its player, so large that all of it stays in sight: 2 H - 1 rows."""
    (high, wide), (row, col) = state.grid[lane].shape, state.pos[lane, 0]
    cells = state.grid[lane].copy()
    for mob in state.mobs[lane, : state.census[lane]]:
        if mob[Mob.KIND] == Kind.PLANT:
            cells[mob[Mob.ROW], mob[Mob.COL]] = RIPE if mob[Mob.CLOCK] > RIPE_AT else PLANT
    frame = np.zeros((1, 2 * high - 1, 2 * wide - 1), np.int8)
    frame[0, high - 1 - row : 2 * high - 1 - row, wide - 1 - col : 2 * wide - 1 - col] = cells
    return Frames(frame, state.body[lane, :1, Body.FACING].astype(np.int8))


def joined(parts: Sequence[Frames]) -> Frames:
    """All frames, in order."""
    return Frames(np.concatenate([part.cells for part in parts]), np.concatenate([part.facing for part in parts]))


def pairs(
    env: Environment, seeds: Sequence[int], policy: str, noise: np.ndarray, ticks: int, rng: np.random.Generator
) -> Iterator[tuple[Any, Frames, np.ndarray, Frames, np.ndarray]]:
    """Tick by tick, of the lanes whose player lives on: states, frames, actions (n,), next frames, numbers of lanes."""
    before = None
    for number, (states, actions, after) in enumerate(noisy_play(env, seeds, policy, noise, rng)):
        before = seen(env.observe(states)) if before is None else before
        came = seen(env.observe(after))
        lanes = np.flatnonzero(after.done == 0)
        yield states, before[lanes], actions[lanes, 0, 0], came[lanes], lanes
        before = came
        if number + 1 == ticks:
            return


def environment(size: int) -> Environment:
    """Craft as it is dreamed: one player, no creatures, a generated map."""
    return make("craft", size=size, **OPTIONS)

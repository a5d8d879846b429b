"""Frames of a world as a dream has them: what one player sees, as one token a cell (``World.frames``)."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.errors import UsageError
from sandbox.core.frames import Framing
from sandbox.core.world import World
from sandbox.engine.environment import Environment, make
from sandbox.engine.registry import opened
from sandbox.nets.dream import Frames


def framing_of(world: World) -> Framing:
    """The frames of a world; raises UsageError for a world that has none."""
    if world.frames is None:
        raise UsageError(f"dream: the world '{world.name}' has no frames, so it is not dreamed")
    return world.frames


def seen(env: Environment, states: Any) -> Frames:
    """The frames that the player of each lane sees."""
    return Frames(*framing_of(env.world).seen(env.observe(states)))


def whole(env: Environment, state: Any, lane: int = 0) -> Frames:
    """The whole map of a lane as one frame around its player, so large that all of it stays in sight: 2 H - 1 rows."""
    cells, facing = framing_of(env.world).read(state, lane)
    (high, wide), (row, col) = cells.shape, state.pos[lane, 0]
    frame = np.zeros((1, 2 * high - 1, 2 * wide - 1), np.int8)
    frame[0, high - 1 - row : 2 * high - 1 - row, wide - 1 - col : 2 * wide - 1 - col] = cells
    return Frames(frame, np.array([facing], np.int8))


def joined(parts: Sequence[Frames]) -> Frames:
    """All frames, in order."""
    return Frames(np.concatenate([part.cells for part in parts]), np.concatenate([part.facing for part in parts]))


def pairs(
    env: Environment, seeds: Sequence[int], policy: str, noise: np.ndarray, ticks: int, rng: np.random.Generator
) -> Iterator[tuple[Any, Frames, np.ndarray, Frames, np.ndarray]]:
    """Tick by tick, of the lanes whose player lives on: states, frames, actions (n,), next frames, numbers of lanes."""
    before = None
    for number, (states, actions, after) in enumerate(noisy_play(env, seeds, policy, noise, rng)):
        before = seen(env, states) if before is None else before
        came = seen(env, after)
        lanes = np.flatnonzero(after.done == 0)
        yield states, before[lanes], actions[lanes, 0, 0], came[lanes], lanes
        before = came
        if number + 1 == ticks:
            return


def environment(world: str, size: int) -> Environment:
    """A world as it is dreamed: one player, a generated map."""
    return make(world, size=size, **framing_of(opened(world)).options)

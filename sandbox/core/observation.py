"""What agents see: one observation for all worlds, of which words and pixels are renderings."""

from typing import NamedTuple

import numpy as np


class Observation(NamedTuple):
    """The view of every agent of every lane. L lanes, N agents, C channels, K window side, A (verb, target) pairs."""

    window: np.ndarray  # (L, N, C, K, K) int8    the surroundings; centre is the agent; channels are the world's
    vector: np.ndarray  # (L, N, V) float32       what the agent knows besides; entries are the world's
    mask: np.ndarray  # (L, N, A) bool            False: the pair (verb * targets + target) would have no effect
    inbox: np.ndarray  # (L, N, M, 4) int32       messages: sender + 1 (0 = empty), kind, two arguments
    task: np.ndarray  # (L, N, 4) int32           what its team wants: kind + 1 (0 = nothing), argument, row, col


class ObservationSpec(NamedTuple):
    """The sizes of an observation; ``low`` and ``high`` bound the window's values."""

    channels: tuple[str, ...]
    side: int
    vector: tuple[str, ...]
    messages: int
    low: int
    high: int


def observation_shapes(spec: ObservationSpec, agents: int, pairs: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape of one lane and dtype of each field; ``pairs`` of verb and target."""
    return {
        "window": ((agents, len(spec.channels), spec.side, spec.side), np.int8),
        "vector": ((agents, len(spec.vector)), np.float32),
        "mask": ((agents, pairs), np.bool_),
        "inbox": ((agents, spec.messages, 4), np.int32),
        "task": ((agents, 4), np.int32),
    }

"""Digests of many lanes at once are those of hashlib, lane by lane."""

import hashlib

import numpy as np
import pytest

import sandbox
from sandbox.engine.digests import LOCKED, SIDE, digests, hashes


@pytest.mark.parametrize("size", [1, 54, 55, 56, 63, 64, 119, 120, 128, 1120, LOCKED - 1, LOCKED])
def test_padding_and_blocks_of_every_size(size):
    for lanes in (1, SIDE - 1, SIDE, SIDE + 1, 2 * SIDE):
        rows = np.random.default_rng(size).integers(0, 256, (lanes, size), dtype=np.uint8)
        found = hashes([rows])
        assert found.shape == (lanes, 32) and found.dtype == np.uint8
        assert [row.tobytes() for row in found] == [hashlib.sha256(row.tobytes()).digest() for row in rows]


@pytest.mark.parametrize("world", ["web", "craft", "warehouse"])
def test_the_lanes_of_a_world(world):
    """A state below the limit, and one above it; also of a part of the lanes, which is not contiguous."""
    env = sandbox.make(world)
    state = env.reset(range(7))
    expected = [env.digest(state, lane) for lane in range(7)]
    assert [row.tobytes().hex() for row in digests(state)] == expected
    every_second = type(state)(*(field[::2] for field in state))
    assert [row.tobytes().hex() for row in digests(every_second)] == expected[::2]

"""Lanes: digests, copies, forks."""

import hashlib
from typing import NamedTuple

import numpy as np

from sandbox.engine.arrays import Arrays, copy_lane, digest


def many(count: int, stream: int = 0) -> np.ndarray:
    return np.random.default_rng(stream).integers(0, 2**64, count, dtype=np.uint64)


class Mixed(NamedTuple):
    """Every shape and type that a state may hold."""

    seed: np.ndarray
    flags: np.ndarray
    grid: np.ndarray
    nothing: np.ndarray
    share: np.ndarray


SHAPES = {
    "seed": ((), np.uint64),
    "flags": ((5,), np.bool_),
    "grid": ((3, 7), np.int8),
    "nothing": ((0, 2), np.int32),
    "share": ((2, 2, 2), np.float32),
}
ARRAYS = Arrays(Mixed, SHAPES, "mixed")


def mixed(lanes: int) -> Mixed:
    s = ARRAYS.allocate(lanes)
    for k, field in enumerate(s):
        field[...] = (many(max(1, field.size), stream=k)[: field.size] % np.uint64(100)).reshape(field.shape)
    return s


def test_allocated_lanes_are_zero_and_of_their_shapes():
    s = ARRAYS.allocate(3)
    assert [(f.shape, f.dtype, f.any()) for f in s] == [((3, *shape), dtype, False) for shape, dtype in SHAPES.values()]


def test_a_digest_is_sha256_of_the_lanes_bytes(tiny):
    s = mixed(4)
    for lane in range(4):
        data = b"".join(field[lane].tobytes() for field in s)
        assert digest(s, lane) == hashlib.sha256(data).digest()
    assert tiny.digest(tiny.reset([7])) == digest(tiny.reset([7]), 0).hex()


def test_every_byte_of_a_lane_counts_and_none_of_its_neighbours():
    s = mixed(3)
    before = [digest(s, lane) for lane in range(3)]
    for field in s:
        if field.size:
            field[1:2].reshape(-1).view(np.uint8)[-1] ^= 1
            after = [digest(s, lane) for lane in range(3)]
            assert after[1] != before[1] and (after[0], after[2]) == (before[0], before[2])
            before = after


def test_copying_a_lane_copies_all_of_it_and_nothing_else():
    source, target = mixed(4), ARRAYS.allocate(2)
    kept, other = digest(source, 3), digest(target, 0)
    copy_lane(source, 3, target, 1)
    assert digest(target, 1) == digest(source, 3) == kept and digest(target, 0) == other


def test_a_fork_goes_its_own_way(tiny):
    state = tiny.play([1, 2], "random", ticks=20)[0]
    fork = tiny.allocate(3)
    tiny.fork(state, 1, fork, 2)
    before, blank = tiny.digest(state, 1), tiny.digest(fork, 0)
    assert tiny.digest(fork, 2) == before
    actions = np.full((3, tiny.agents, 2), (1, 0), np.int32)
    tiny.world.step(fork, 2, actions, tiny.params)
    assert tiny.digest(state, 1) == before != tiny.digest(fork, 2) and tiny.digest(fork, 0) == blank
    tiny.world.step(state, 1, actions, tiny.params)
    assert tiny.digest(state, 1) == tiny.digest(fork, 2)
    tiny.fork(fork, 2, fork, 0)  # within one state
    assert tiny.digest(fork, 0) == tiny.digest(fork, 2)

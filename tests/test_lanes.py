"""Lanes: SHA-256 against hashlib, copies, forks, saving and loading."""

import hashlib
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine import lanes
from sandbox.engine.sha256 import absorb, begin, finish


def many(count: int, stream: int = 0) -> np.ndarray:
    return np.random.default_rng(stream).integers(0, 2**64, count, dtype=np.uint64)


def sha256(*parts: bytes) -> bytes:
    hasher, out = begin(), np.zeros(32, np.uint8)
    for part in parts:
        absorb(hasher, np.frombuffer(part, np.uint8).copy())
    finish(hasher, out)
    return out.tobytes()


def test_sha256_of_every_length_up_to_300():
    data = many(40).tobytes()
    for length in range(301):
        assert sha256(data[:length]) == hashlib.sha256(data[:length]).digest(), length


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_sha256_in_parts(parts):
    assert sha256(*parts) == hashlib.sha256(b"".join(parts)).digest()


def test_sha256_of_a_large_array():
    data = many(100_000).tobytes()
    assert sha256(data[:1], data[1:]) == hashlib.sha256(data).digest()


# -- lanes -------------------------------------------------------------------------------------------------------------


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


def mixed(lanes_: int) -> Mixed:
    s = lanes.allocate(Mixed, SHAPES, lanes_)
    for k, field in enumerate(s):
        field[...] = (many(max(1, field.size), stream=k)[: field.size] % np.uint64(100)).reshape(field.shape)
    return s


def kernel_digest(s, lane: int) -> bytes:
    out = np.zeros(32, np.uint8)
    lanes.digest_lane(s, lane, out)
    return out.tobytes()


def test_allocated_lanes_are_zero_and_of_their_shapes():
    s = lanes.allocate(Mixed, SHAPES, 3)
    assert [(f.shape, f.dtype, f.any()) for f in s] == [((3, *shape), dtype, False) for shape, dtype in SHAPES.values()]


def test_the_digest_kernel_equals_hashlib(tiny):
    s, played = mixed(4), tiny.play([1, 2, 3], "random", ticks=5)[0]
    for lane in range(3):
        assert kernel_digest(s, lane) == lanes.digest(s, lane)
        assert kernel_digest(played, lane) == lanes.digest(played, lane) == bytes.fromhex(tiny.digest(played, lane))


def test_every_byte_of_a_lane_counts_and_none_of_its_neighbours():
    s = mixed(3)
    before = [lanes.digest(s, lane) for lane in range(3)]
    for field in s:
        if field.size:
            field[1:2].reshape(-1).view(np.uint8)[-1] ^= 1
            after = [lanes.digest(s, lane) for lane in range(3)]
            assert after[1] != before[1] and (after[0], after[2]) == (before[0], before[2])
            before = after


def test_copying_a_lane_copies_all_of_it_and_nothing_else():
    source, target = mixed(4), lanes.allocate(Mixed, SHAPES, 2)
    kept, other = lanes.digest(source, 3), lanes.digest(target, 0)
    lanes.copy_lane(lanes.pairs(source, target), 3, 1)
    assert lanes.digest(target, 1) == lanes.digest(source, 3) == kept and lanes.digest(target, 0) == other


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


def test_saved_lanes_come_back_byte_for_byte(tiny):
    for kind, state in ((Mixed, mixed(3)), (tiny.world.state, tiny.play([1, 2], "random", ticks=9)[0])):
        back = lanes.load(kind, lanes.save(state))
        assert type(back) is kind
        for ours, theirs in zip(state, back, strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()

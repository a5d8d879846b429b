"""The engine against slow, obvious twins: draws, SHA-256, lanes, and the same result on any number of threads."""

import hashlib
import threading
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine import draw as draws
from sandbox.engine import lanes, pool
from sandbox.engine.kernel import kernel
from sandbox.engine.sha256 import absorb, begin, finish

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
SEEDS = st.integers(0, MASK)
TICKS, STREAMS, INDICES = st.integers(0, 2**31 - 2), st.integers(0, 2**21), st.integers(0, 2**31)

# -- draws -------------------------------------------------------------------------------------------------------------


def twin_mix(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def twin_draw(seed: int, tick: int, stream: int, index: int) -> int:
    """In Python's own integers, which know no word size."""
    z = twin_mix(seed + GOLDEN * (tick + 1) & MASK)
    return twin_mix(z + GOLDEN * ((stream << 32) + index + 1) & MASK)


@kernel
def fill_draws(seed, tick, stream, first, out):
    for k in range(len(out)):
        out[k] = draws.draw(seed, tick, stream, first + k)


@kernel
def fill_below(n, seed, out):
    for k in range(len(out)):
        out[k] = draws.below(n, seed, k // 1000, 0, k % 1000)


def many(count: int, seed: int = 1, tick: int = 0, stream: int = 0, first: int = 0) -> np.ndarray:
    out = np.zeros(count, np.uint64)
    fill_draws(np.uint64(seed), tick, stream, first, out)
    return out


@given(SEEDS, TICKS, STREAMS, INDICES)
def test_draws_equal_their_twins(seed, tick, stream, index):
    key = (np.uint64(seed), tick, stream, index)
    expected = twin_draw(seed, tick, stream, index)
    assert draws.draw(*key) == expected
    assert draws.uniform(*key) == (expected >> 11) / 2**53
    with np.errstate(over="ignore"):
        assert int(draws.mix.py_func(np.uint64(seed))) == int(draws.mix(np.uint64(seed))) == twin_mix(seed)
        assert int(draws.draw.py_func(*key)) == expected
        assert float(draws.uniform.py_func(*key)) == draws.uniform(*key)


@given(st.integers(1, 2**31), SEEDS, TICKS, STREAMS, INDICES)
def test_below_is_in_range_and_equals_its_twin(n, seed, tick, stream, index):
    found = draws.below(n, np.uint64(seed), tick, stream, index)
    assert 0 <= found < n
    assert found == (twin_draw(seed, tick, stream, index) >> 32) * n >> 32
    with np.errstate(over="ignore"):
        assert int(draws.below.py_func(n, np.uint64(seed), tick, stream, index)) == found


@pytest.mark.parametrize(
    "key, bits, ten",
    [
        ((0, 0, 0, 0), 0xA706DD2F4D197E6F, 6),
        ((1, 0, 0, 0), 0x5E41AB087439611E, 3),
        ((0, 1, 0, 0), 0x46B73E79F0C37C00, 2),
        ((0, 0, 1, 0), 0x1F69EA35BA1A6227, 1),
        ((0, 0, 0, 1), 0xB382A305F4414F5E, 7),
        ((42, 7, 3, 11), 0xCF1B63472CD7B9BC, 8),
        ((MASK, 2**31 - 2, 2**21, 2**31), 0xE12E3673E7885E2F, 8),
    ],
)
def test_known_draws(key, bits, ten):
    """Recorded runs rest on these values: they never change."""
    seed, *rest = key
    assert draws.draw(np.uint64(seed), *rest) == bits and draws.below(10, np.uint64(seed), *rest) == ten


def test_the_mixer_is_a_bijection():
    """Each of its three steps can be undone."""

    def unshift(z, by):
        x = z
        for _ in range(64 // by + 1):
            x = z ^ (x >> by)
        return x

    for k in range(1000):
        z = twin_draw(k, 0, 0, 0)
        back = unshift(int(draws.mix(np.uint64(z))), 31) * pow(0x94D049BB133111EB, -1, 2**64) & MASK
        back = unshift(back, 27) * pow(0xBF58476D1CE4E5B9, -1, 2**64) & MASK
        assert unshift(back, 30) == z


def test_no_two_keys_collide():
    """10^6 keys over seeds, ticks, streams and indices; a collision of good 64-bit draws has a chance below 10^-7."""
    found = [many(100, seed, tick, stream) for seed in range(10) for tick in range(25) for stream in range(40)]
    assert len(np.unique(np.concatenate(found))) == 1_000_000


def _even(counts: np.ndarray) -> None:
    """Pearson's statistic within five standard deviations of its mean, for equally likely cells."""
    mean = counts.sum() / len(counts)
    degrees = len(counts) - 1
    assert abs(((counts - mean) ** 2 / mean).sum() - degrees) < 5 * np.sqrt(2 * degrees)


@pytest.mark.parametrize("what", ["seed", "tick", "stream", "first"])
def test_draws_are_uniform_along_every_part_of_the_key(what):
    bits = np.concatenate([many(4, **{what: 5 * k + 1}) for k in range(50_000)])
    for shift in (0, 8, 28, 56):
        _even(np.bincount((bits >> np.uint64(shift)).astype(np.uint8), minlength=256))
    ones = np.unpackbits(bits.view(np.uint8)).reshape(len(bits), 64).mean(0)
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / np.sqrt(len(bits))


@pytest.mark.parametrize("what", ["seed", "tick", "stream", "first"])
def test_neighbouring_keys_are_independent(what):
    """Half of the bits change, each with equal chance, and pairs of draws fill the square evenly."""
    here = np.concatenate([many(1, **{what: 2 * k}) for k in range(50_000)])
    beside = np.concatenate([many(1, **{what: 2 * k + 1}) for k in range(50_000)])
    changed = np.unpackbits((here ^ beside).view(np.uint8)).reshape(-1, 64).mean(0)
    assert np.abs(changed - 0.5).max() < 5 * 0.5 / np.sqrt(len(here))
    _even(np.bincount(((here >> np.uint64(60)) * np.uint64(16) + (beside >> np.uint64(60))).astype(int), minlength=256))


@pytest.mark.parametrize("n", [2, 3, 5, 7, 10, 100, 1000])
def test_below_is_unbiased(n):
    out = np.zeros(1_000_000, np.int64)
    fill_below(n, np.uint64(9), out)
    _even(np.bincount(out, minlength=n))


# -- SHA-256 -----------------------------------------------------------------------------------------------------------


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
    tiny.world.step(fork, 2, actions, tiny.rules)
    assert tiny.digest(state, 1) == before != tiny.digest(fork, 2) and tiny.digest(fork, 0) == blank
    tiny.world.step(state, 1, actions, tiny.rules)
    assert tiny.digest(state, 1) == tiny.digest(fork, 2)
    tiny.fork(fork, 2, fork, 0)  # within one state
    assert tiny.digest(fork, 0) == tiny.digest(fork, 2)


def test_saved_lanes_come_back_byte_for_byte(tiny):
    for kind, state in ((Mixed, mixed(3)), (tiny.world.state, tiny.play([1, 2], "random", ticks=9)[0])):
        back = lanes.load(kind, lanes.save(state))
        assert type(back) is kind
        for ours, theirs in zip(state, back, strict=True):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


# -- threads -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 500), st.integers(1, 64))
def test_ranges_cover_every_lane_once(count, parts):
    spans = pool.ranges(count, parts)
    assert [lane for start, stop in spans for lane in range(start, stop)] == list(range(count))
    sizes = [stop - start for start, stop in spans]
    assert len(spans) <= parts and max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("threads", [None, 1, 2, 7])
def test_work_over_lanes_is_summed_and_its_errors_come_out(threads):
    assert pool.over_lanes(lambda start, stop: sum(range(start, stop)), 101, threads) == 5050
    with pytest.raises(ZeroDivisionError):
        pool.over_lanes(lambda start, stop: 1 // 0, 101, threads)


@pytest.mark.parametrize("policy", ["idle", "random", "rules", "oracle"])
def test_any_number_of_threads_and_lanes_plays_the_same(warm_tiny, policy):
    seeds, ticks = range(100, 117), 60
    state, tally, digests = warm_tiny.play(seeds, policy, ticks, threads=1, trace=ticks)
    for threads in (2, 5):
        again, counted, same = warm_tiny.play(seeds, policy, ticks, threads=threads, trace=ticks)
        assert np.array_equal(same, digests)
        assert all(np.array_equal(a, b) for a, b in zip((*state, *tally), (*again, *counted), strict=True))
    for lane in (0, 16):
        alone, counted, same = warm_tiny.play([seeds[lane]], policy, ticks, trace=ticks)
        assert np.array_equal(same[0], digests[lane]) and warm_tiny.digest(alone) == warm_tiny.digest(state, lane)
        assert all(np.array_equal(a[0], b[lane]) for a, b in zip(counted, tally, strict=True))
    assert digests[0, -1].tobytes().hex() == warm_tiny.digest(state, 0)


def test_no_lanes_play_too(warm_tiny):
    state, tally, digests = warm_tiny.play([], "rules", 5, trace=5)
    assert state.seed.shape == (0,) and tally.reward.shape == (0, 4) and digests.shape == (0, 5, 32)


def _by_hand(stage, seed: int) -> str:
    """Observe and step from Python, with actions of one's own."""
    state, rng = stage.reset([seed, seed + 1]), np.random.default_rng(seed)
    seen, hasher = stage.observation(2), hashlib.sha256()
    for _ in range(30):
        for part in stage.observe(state, seen):
            hasher.update(part.tobytes())
        actions = np.zeros((2, stage.agents, 2), np.int32)
        actions[..., 0] = rng.integers(0, 5, (2, stage.agents))
        stage.step(state, actions)
    return hasher.hexdigest() + stage.digest(state, 0) + stage.digest(state, 1)


def _played(stage, seed: int) -> bytes:
    policy = ("rules", "random", "oracle")[seed % 3]
    return stage.play([seed, seed + 7], policy, 40, threads=1 + seed % 2, trace=40)[2].tobytes()


def at_once(count: int, work) -> list:
    """``work(k)`` on a thread of its own for each k, all let go at the same moment."""
    found, gate = [None] * count, threading.Barrier(count)

    def run(k):
        gate.wait()
        found[k] = work(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_on_lanes_of_their_own_do_not_meet(warm_tiny):
    def work(k):
        return [(_played(warm_tiny, k + 10 * turn), _by_hand(warm_tiny, k + 10 * turn)) for turn in range(3)]

    alone = [work(k) for k in range(6)]
    assert at_once(6, work) == alone


def test_threads_share_one_state_lane_by_lane(warm_tiny):
    """Neighbouring lanes of the same arrays."""
    actions = np.full((8, warm_tiny.agents, 2), (1, 0), np.int32)
    alone, shared = warm_tiny.reset(range(8)), warm_tiny.reset(range(8))
    for lane in range(8):
        for _ in range(50):
            warm_tiny.world.step(alone, lane, actions, warm_tiny.rules)

    def work(lane):
        for _ in range(50):
            warm_tiny.world.step(shared, lane, actions, warm_tiny.rules)

    at_once(8, work)
    assert all(np.array_equal(a, b) for a, b in zip(alone, shared, strict=True))


COLD = """
import json, threading
import numpy as np
from sandbox.engine.kernel import specialise
from toy import loops

NAMES = ("double", "triple")
found, gate = [None] * 8, threading.Barrier(8)

def work(k):
    out = np.zeros(4, np.int64)
    gate.wait()
    loop = specialise(loops.total, NAMES[k % 2], rate=getattr(loops, NAMES[k % 2]))
    loop(out, np.uint64(k), 100)
    found[k] = out.tolist()

threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
alone = []
for k in range(8):
    out = np.zeros(4, np.int64)
    specialise(loops.total, NAMES[k % 2], rate=getattr(loops, NAMES[k % 2]))(out, np.uint64(k), 100)
    alone.append(out.tolist())
print(json.dumps([found, alone]))
"""


def test_a_cold_first_call_from_many_threads(install):
    cold = install.run("-c", COLD)
    warm = install.run("-c", COLD)
    assert cold[0] == cold[1] == warm[0] == warm[1] and None not in cold[0]

"""Keyed draws against slow, obvious twins: equal, uniform, independent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine import draw as draws
from sandbox.engine.kernel import kernel

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
SEEDS = st.integers(0, MASK)
TICKS, STREAMS, INDICES = st.integers(0, 2**31 - 2), st.integers(0, 2**21), st.integers(0, 2**31)


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

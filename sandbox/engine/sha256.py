"""SHA-256 (FIPS 180-4) as kernels, so that compiled loops can digest a lane after every tick; hashlib is its twin."""

from typing import NamedTuple

import numpy as np

from sandbox.engine.kernel import allocating, kernel


def _primes(n: int) -> list[int]:
    found: list[int] = []
    k = 2
    while len(found) < n:
        if all(k % p for p in found):
            found.append(k)
        k += 1
    return found


def _root(n: int, power: int) -> int:
    """The first 32 bits of the fractional part of the ``power``-th root of ``n``, by integer bisection."""
    low, high = 0, n << 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**power <= n << (32 * power) else (low, middle)
    return low & 0xFFFFFFFF


_ROUNDS = np.array([_root(p, 3) for p in _primes(64)], np.uint32)
_INITIAL = np.array([_root(p, 2) for p in _primes(8)], np.uint32)


class Hasher(NamedTuple):
    """A hash under way."""

    state: np.ndarray  # (8,) uint32
    block: np.ndarray  # (64,) uint8    bytes that wait for a full block
    words: np.ndarray  # (64,) uint32   message schedule
    length: np.ndarray  # (1,) int64    bytes so far


@allocating
def begin():
    return Hasher(_INITIAL.copy(), np.empty(64, np.uint8), np.empty(64, np.uint32), np.zeros(1, np.int64))


@kernel
def _turn(x, n):
    return (x >> np.uint32(n)) | (x << np.uint32(32 - n))


@kernel
def _compress(h, data, at):
    w = h.words
    for i in range(16):
        j = at + 4 * i
        w[i] = (
            (np.uint32(data[j]) << np.uint32(24))
            | (np.uint32(data[j + 1]) << np.uint32(16))
            | (np.uint32(data[j + 2]) << np.uint32(8))
            | np.uint32(data[j + 3])
        )
    for i in range(16, 64):
        x, y = w[i - 15], w[i - 2]
        s0 = _turn(x, 7) ^ _turn(x, 18) ^ (x >> np.uint32(3))
        s1 = _turn(y, 17) ^ _turn(y, 19) ^ (y >> np.uint32(10))
        w[i] = np.uint32(w[i - 16] + s0 + w[i - 7] + s1)
    a, b, c, d, e, f, g, k = h.state
    for i in range(64):
        t1 = np.uint32(k + (_turn(e, 6) ^ _turn(e, 11) ^ _turn(e, 25)) + ((e & f) ^ (~e & g)) + _ROUNDS[i] + w[i])
        t2 = np.uint32((_turn(a, 2) ^ _turn(a, 13) ^ _turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c)))
        k, g, f, e, d, c, b, a = g, f, e, np.uint32(d + t1), c, b, a, np.uint32(t1 + t2)
    h.state[0] += a
    h.state[1] += b
    h.state[2] += c
    h.state[3] += d
    h.state[4] += e
    h.state[5] += f
    h.state[6] += g
    h.state[7] += k


@allocating
def absorb(h, data):
    """Take in ``data`` (any length, uint8)."""
    fill, at = h.length[0] % 64, 0
    h.length[0] += data.size
    if fill:
        at = min(64 - fill, data.size)
        h.block[fill : fill + at] = data[:at]
        if fill + at < 64:
            return
        _compress(h, h.block, 0)
    while at + 64 <= data.size:
        _compress(h, data, at)
        at += 64
    h.block[: data.size - at] = data[at:]


@allocating
def finish(h, out):
    """Pad, and write the digest to ``out`` (32,) uint8."""
    bits, fill = h.length[0] * 8, h.length[0] % 64
    h.block[fill] = 0x80
    h.block[fill + 1 :] = 0
    if fill >= 56:
        _compress(h, h.block, 0)
        h.block[:] = 0
    for i in range(8):
        h.block[63 - i] = (bits >> (8 * i)) & 0xFF
    _compress(h, h.block, 0)
    for i in range(32):
        out[i] = (h.state[i // 4] >> np.uint32(24 - 8 * (i % 4))) & np.uint32(0xFF)

"""The digests of many lanes at once: SHA-256 (FIPS 180-4) in a kernel that hashes 256 lanes side by side.

Of short states, hashlib would take twice as long as playing a web episode does, and would hold the interpreter lock
meanwhile. Of longer states it releases the lock, and there it is used.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from sandbox.core.world import digested
from sandbox.engine.kernel import kernel

SIDE = 256  # lanes side by side; with 128 it takes a third longer, with 32 twice as long
LOCKED = 2048  # bytes from which hashlib releases the interpreter lock
BLOCK, WORDS, ROUNDS = 64, 16, 64  # bytes and words of a block; rounds for each
_u = np.uint32


_primes = [n for n in range(2, 312) if all(n % k for k in range(2, n))]
START = np.array([int(prime ** (1 / 2) % 1 * 2**32) for prime in _primes[:8]], _u)  # section 5.3.3
CONSTANTS = np.array([int(prime ** (1 / 3) % 1 * 2**32) for prime in _primes], _u)  # section 4.2.2


@kernel
def _rotated(x, bits):
    return (x >> _u(bits)) | (x << _u(32 - bits))


@kernel
def _swapped(x):
    """The word with its bytes in the opposite order: the words of a block are big-endian."""
    return ((x & _u(0xFF)) << _u(24)) | ((x & _u(0xFF00)) << _u(8)) | ((x >> _u(8)) & _u(0xFF00)) | (x >> _u(24))


@kernel
def _expand(word, k):
    """The word of round ``k`` of each lane (section 6.2.2, step 1), in the place of the one sixteen rounds before."""
    for lane in range(SIDE):
        x, y = word[(k + 1) & 15, lane], word[(k + 14) & 15, lane]
        small = _rotated(x, 7) ^ _rotated(x, 18) ^ (x >> _u(3))
        large = _rotated(y, 17) ^ _rotated(y, 19) ^ (y >> _u(10))
        word[k & 15, lane] = _u(word[k & 15, lane] + small + word[(k + 9) & 15, lane] + large)


@kernel
def _round(word, work, k):
    """Round ``k`` (step 3). Instead of moving a to h by one place, the names move around the eight rows."""
    constant = CONSTANTS[k]
    for lane in range(SIDE):
        a, b, c = work[-k & 7, lane], work[(1 - k) & 7, lane], work[(2 - k) & 7, lane]
        e, f, g = work[(4 - k) & 7, lane], work[(5 - k) & 7, lane], work[(6 - k) & 7, lane]
        large = _rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)
        t1 = _u(work[(7 - k) & 7, lane] + large + (g ^ (e & (f ^ g))) + constant + word[k & 15, lane])
        t2 = _u((_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + ((a & b) | (c & (a | b))))
        work[(3 - k) & 7, lane] = _u(work[(3 - k) & 7, lane] + t1)
        work[(7 - k) & 7, lane] = _u(t1 + t2)


@kernel
def _block(rows, first, block, word, work):
    """Hash one block of each lane: the words of the rows from ``first`` on, 64 rounds, and the sum (steps 1 to 4)."""
    for lane in range(SIDE):
        for k in range(WORDS):
            word[k, lane] = _swapped(rows[first + lane, WORDS * block + k])
    for row in range(8):
        for lane in range(SIDE):
            work[row, lane] = work[8 + row, lane]
    for k in range(ROUNDS):
        if k >= WORDS:
            _expand(word, k)
        _round(word, work, k)
    for row in range(8):
        for lane in range(SIDE):
            work[8 + row, lane] = _u(work[8 + row, lane] + work[row, lane])


@kernel
def hash_rows(rows, word, work, hashed):
    """Hash padded ``rows`` (L, W) uint32 into ``hashed`` (L, 8) uint32, both as bytes lie in memory.

    L is a multiple of ``SIDE``, W of ``WORDS``. Scratch: ``word`` (16, SIDE), ``work`` (16, SIDE) uint32; the last
    eight rows of the latter are the hashes so far.
    """
    for first in range(0, rows.shape[0], SIDE):
        for row in range(8):
            for lane in range(SIDE):
                work[8 + row, lane] = START[row]
        for block in range(rows.shape[1] // WORDS):
            _block(rows, first, block, word, work)
        for lane in range(SIDE):
            for row in range(8):
                hashed[first + lane, row] = _swapped(work[8 + row, lane])


def digests(state: Any) -> np.ndarray:
    """The digest of every lane (L, 32) uint8, equal to that of ``engine.arrays``."""
    return hashes(getattr(state, name) for name in digested(type(state)))


def hashes(fields: Iterable[np.ndarray]) -> np.ndarray:
    """SHA-256 (L, 32) uint8 of every lane of some arrays, whose first axis is the lanes."""
    parts = [np.ascontiguousarray(field).reshape(len(field), -1).view(np.uint8) for field in fields]
    lanes, size = len(parts[0]), sum(part.shape[1] for part in parts)
    if size >= LOCKED:
        rows = np.concatenate(parts, axis=1)
        return np.frombuffer(b"".join(hashlib.sha256(row).digest() for row in rows), np.uint8).reshape(lanes, 32)
    rows = np.zeros((-(-lanes // SIDE) * SIDE, -(-(size + 9) // BLOCK) * BLOCK), np.uint8)
    np.concatenate(parts, axis=1, out=rows[:lanes, :size])
    rows[:, size] = 0x80  # padding (section 5.1.1): a bit, zeros, and the number of bits
    rows[:, -8:] = np.frombuffer((8 * size).to_bytes(8, "big"), np.uint8)
    hashed = np.empty((len(rows), 8), _u)
    hash_rows(rows.view(_u), np.empty((WORDS, SIDE), _u), np.empty((16, SIDE), _u), hashed)
    return hashed[:lanes].view(np.uint8)

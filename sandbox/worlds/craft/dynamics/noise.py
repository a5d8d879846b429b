"""Gradient noise in three dimensions, after K. Spencer's OpenSimplex (2014), with keyed gradients.

Lattice points are the integer points of a stretched space; a quarter sphere of noise, (2 - d^2)^4 times a gradient, is
summed over all lattice points nearer than the square root of 2. Its values have the distribution of crafter's. The
points that can be near enough are looked up for each part of a lattice cell, SPLIT along each axis.
"""

from itertools import product
from math import floor

import numpy as np

from sandbox.engine.draw import GOLDEN, mix
from sandbox.engine.kernel import kernel

STRETCH, SQUISH, NORM = -1 / 6, 1 / 3, 103.0
SPLIT = 4  # parts of a lattice cell along each axis
POINTS, FAR = 16, 9  # lattice points near a part, at most; an offset that is never near
_A, _B, _C = np.uint64(0x8CB92BA72F3D8DD7), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_S32, _24 = np.uint64(32), np.uint64(24)


def _near() -> np.ndarray:
    """For each part of a cell, the offsets of the lattice points that may contribute: (parts, 3, POINTS) int64.

    The lists are filled up with points that are too far away to contribute.
    """
    offsets = np.array(list(product(range(-2, 4), repeat=3)))
    ticks = np.linspace(0, 1 / SPLIT, 5)
    inside = np.array(list(product(ticks, repeat=3)))
    table = np.full((SPLIT**3, 3, POINTS), FAR, np.int64)
    for k, part in enumerate(product(range(SPLIT), repeat=3)):
        apart = (np.array(part) / SPLIT + inside)[:, None] - offsets
        apart = apart + SQUISH * apart.sum(axis=2, keepdims=True)
        found = offsets[(apart**2).sum(axis=2).min(axis=0) < 2.05]
        table[k, :, : len(found)] = found.T
    return table


NEAR = _near()


@kernel
def noise(key, x, y, z, terms):
    """Noise of the place (x, y, z), about -0.86..0.86; ``key`` is a uint64, ``terms`` (POINTS,) float64 is scratch.

    The loop over lattice points has neither branches nor a sum, so that processors compute several points at once.
    """
    shift = STRETCH * (x + y + z)
    xs, ys, zs = x + shift, y + shift, z + shift
    i, j, k = np.int64(floor(xs)), np.int64(floor(ys)), np.int64(floor(zs))
    xs, ys, zs = xs - i, ys - j, zs - k
    near = NEAR[(int(xs * SPLIT) * SPLIT + int(ys * SPLIT)) * SPLIT + int(zs * SPLIT)]
    corner = np.uint64(key) + _A * np.uint64(i) + _B * np.uint64(j) + _C * np.uint64(k) + GOLDEN
    for n in range(POINTS):
        a, b, c = near[0, n], near[1, n], near[2, n]
        dx, dy, dz = xs - a, ys - b, zs - c
        shift = SQUISH * (dx + dy + dz)
        dx, dy, dz = dx + shift, dy + shift, dz + shift
        reach = max(2.0 - dx * dx - dy * dy - dz * dz, 0.0)
        h = mix(corner + _A * np.uint64(a) + _B * np.uint64(b) + _C * np.uint64(c))
        g = np.int64(((h >> _S32) * _24) >> _S32)  # which of 24 gradients: (p, q, r) with its signs, rolled
        p, q, r = (11.0 if g & 4 else -11.0), (4.0 if g & 2 else -4.0), (4.0 if g & 1 else -4.0)
        gx = p if g < 8 else r if g < 16 else q
        gy = q if g < 8 else p if g < 16 else r
        gz = r if g < 8 else q if g < 16 else p
        reach *= reach
        terms[n] = reach * reach * (gx * dx + gy * dy + gz * dz)
    total = 0.0
    for n in range(POINTS):
        total += terms[n]
    return total / NORM

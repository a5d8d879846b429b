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
GRADIENTS = np.array(
    [np.roll((11 * a, 4 * b, 4 * c), k) for k in range(3) for a, b, c in product((-1, 1), repeat=3)], np.float64
)  # (24, 3)
_A, _B, _C = np.uint64(0x8CB92BA72F3D8DD7), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_S32, _24 = np.uint64(32), np.uint64(24)


def _near() -> tuple[np.ndarray, np.ndarray]:
    """For each part of a cell, the offsets (27.., 3) of the lattice points that may contribute, and their number."""
    offsets = np.array(list(product(range(-2, 4), repeat=3)))
    ticks = np.linspace(0, 1 / SPLIT, 5)
    inside = np.array(list(product(ticks, repeat=3)))
    lists = []
    for part in product(range(SPLIT), repeat=3):
        apart = (np.array(part) / SPLIT + inside)[:, None] - offsets
        apart = apart + SQUISH * apart.sum(axis=2, keepdims=True)
        least = (apart**2).sum(axis=2).min(axis=0)
        lists.append(offsets[least < 2.05])
    count = np.array([len(found) for found in lists], np.int32)
    table = np.zeros((len(lists), count.max(), 3), np.int32)
    for k, found in enumerate(lists):
        table[k, : len(found)] = found
    return table, count


NEAR, COUNT = _near()


@kernel
def noise(key, x, y, z):
    """Noise of the place (x, y, z), about -0.86..0.86; ``key`` is a uint64."""
    shift = STRETCH * (x + y + z)
    xs, ys, zs = x + shift, y + shift, z + shift
    i, j, k = int(floor(xs)), int(floor(ys)), int(floor(zs))
    xs, ys, zs = xs - i, ys - j, zs - k
    part = (int(xs * SPLIT) * SPLIT + int(ys * SPLIT)) * SPLIT + int(zs * SPLIT)
    total = 0.0
    for n in range(COUNT[part]):
        a, b, c = NEAR[part, n, 0], NEAR[part, n, 1], NEAR[part, n, 2]
        dx, dy, dz = xs - a, ys - b, zs - c
        shift = SQUISH * (dx + dy + dz)
        dx, dy, dz = dx + shift, dy + shift, dz + shift
        reach = 2.0 - dx * dx - dy * dy - dz * dz
        if reach > 0:
            h = mix(np.uint64(key) + _A * np.uint64(i + a) + _B * np.uint64(j + b) + _C * np.uint64(k + c) + GOLDEN)
            g = np.int64(((h >> _S32) * _24) >> _S32)
            reach *= reach
            total += reach * reach * (GRADIENTS[g, 0] * dx + GRADIENTS[g, 1] * dy + GRADIENTS[g, 2] * dz)
    return total / NORM

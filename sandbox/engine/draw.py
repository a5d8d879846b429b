"""Counter-based randomness: a draw is a pure function of its key, so lanes, threads, machines and tiers agree.

The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"),
applied once for each part of the key. Every constant is typed: uint64 with a Python integer is an integer in Numba but
a float in NumPy. The Python twins (``.py_func``) wrap around with a warning; silence it with ``numpy.errstate``.
"""

import numpy as np

from sandbox.engine.kernel import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11), np.uint64(32)
_UNIT = 1.0 / (1 << 53)

POLICY = 1 << 20  # stream of the keys that policies draw from; worlds number their own streams from 0
IMAGINED = 1 << 21  # stream of the seeds of imagined lanes
FAULT = 1 << 22  # and the next: streams of the generic perturbations
NETWORK = 1 << 23  # and the next: streams of the messages between agents
FORESEEN = 1 << 24  # stream of the draws of a learned world model


@kernel
def mix(z):
    """The SplitMix64 finaliser, a bijection of uint64."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@kernel
def draw(seed, tick, stream, index):
    """64 random bits (uint64) for the key (seed, tick, stream, index)."""
    z = mix(np.uint64(seed) + GOLDEN * np.uint64(tick + 1))
    return mix(z + GOLDEN * ((np.uint64(stream) << _S32) + np.uint64(index) + np.uint64(1)))


@kernel
def uniform(seed, tick, stream, index):
    """A float64 in [0, 1), of 53 random bits."""
    return np.float64(draw(seed, tick, stream, index) >> _S11) * _UNIT


@kernel
def below(n, seed, tick, stream, index):
    """An int64 in 0..n-1, for n up to 2**31; the bias is below n / 2**32."""
    return np.int64(((draw(seed, tick, stream, index) >> _S32) * np.uint64(n)) >> _S32)

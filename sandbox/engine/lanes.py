"""Lanes: a state is one NamedTuple of arrays whose first axis is the lane. Allocate, fork, digest, save, load."""

import hashlib
import io
from collections.abc import Mapping

import numpy as np
from numba import literal_unroll

from sandbox.engine.kernel import allocating


def allocate(kind: type, shapes: Mapping[str, tuple], lanes: int):
    """A ``kind`` (NamedTuple class) of zeroed arrays of shape (lanes, *shape) by its field's (shape, dtype)."""
    return kind(**{name: np.zeros((lanes, *shapes[name][0]), shapes[name][1]) for name in kind._fields})


def pairs(source, target) -> tuple:
    """The fields of two states of one kind side by side: what ``copy_lane`` walks."""
    return tuple(zip(source, target, strict=True))


@allocating
def copy_lane(fields, lane, to):
    """Copy lane ``lane`` of the first to lane ``to`` of the second state of ``fields = pairs(first, second)``."""
    for field in literal_unroll(fields):
        field[1][to] = field[0][lane]


def digest(s, lane: int) -> bytes:
    """SHA-256 over the bytes of all fields of one lane, in order."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(field[lane]).tobytes() for field in s)).digest()


def save(s) -> bytes:
    """A state as bytes (NumPy's own ``npz``)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **s._asdict())
    return buffer.getvalue()


def load(kind: type, data: bytes):
    """The inverse of :func:`save`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as fields:
        return kind(**{name: fields[name] for name in kind._fields})

"""Arrays of kernels: allocated, checked, copied and digested, lane by lane.

Kernels check nothing: a wrong array would crash the process.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Any

import numpy as np
from numba import literal_unroll

from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import whole
from sandbox.core.world import Shape, digested
from sandbox.engine.kernel import allocating

LANES, TICKS = 2**31 - 1, 2**62  # at most; kernels count lanes and positions in 32 bits
_FACTS = attrgetter("__class__", "shape", "dtype", "flags.carray")  # carray: aligned, writable, in C order


@cache
def _memory() -> int:
    """Bytes of this machine's memory; a huge number if the system does not report it."""
    if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= getattr(os, "sysconf_names", {}).keys():
        return sys.maxsize
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def room(needed: int, what: str) -> None:
    """Raise UsageError for more memory than there is. The system would grant it, and kill the process later."""
    if needed > _memory():
        raise UsageError(f"{what}: {needed / 1e9:,.0f} GB, this machine has {_memory() / 1e9:,.0f} GB")


class Arrays:
    """The arrays of a NamedTuple ``kind``: shape and dtype of a lane for each field. ``maker`` names their constructor.

    A check costs 3 microseconds, because it compares the arrays with those that were checked last.
    """

    def __init__(self, kind: type, shapes: Mapping[str, Shape], maker: str):
        self.kind, self.maker = kind, maker
        self._shapes = {name: (tuple(shapes[name][0]), np.dtype(shapes[name][1])) for name in kind._fields}
        self.lane_bytes = sum(dtype.itemsize * int(np.prod(shape)) for shape, dtype in self._shapes.values())
        self._checked: tuple[int, tuple] = (0, ())  # lanes, facts of each field

    def allocate(self, lanes: int):
        """Zeroed arrays of ``lanes`` lanes."""
        lanes = whole(lanes, f"{self.maker}: lanes", 0, LANES)
        room(lanes * self.lane_bytes, f"{self.maker}: {lanes} lanes")
        return self.kind(*(np.zeros((lanes, *shape), dtype) for shape, dtype in self._shapes.values()))

    def lanes(self, value: Any, where: str, expected: int | None = None) -> int:
        """The number of lanes of ``value``; raises UsageError for another number than expected, or another kind."""
        if type(value) is not self.kind:
            raise UsageError(
                f"{where}: got a {type(value).__name__}, expected what {self.maker}() of this world returns"
            )
        try:
            facts = tuple(map(_FACTS, value))
        except AttributeError:  # only arrays have flags
            facts = None
        lanes, known = self._checked
        if facts != known:
            lanes = self._check(value, where)
            self._checked = lanes, facts
        if expected is not None and lanes != expected:
            raise UsageError(f"{where}: {self.kind.__name__} of {lanes} lanes, expected {expected}")
        return lanes

    def lane(self, value: Any, lane: Any, where: str) -> int:
        """The number of one of the lanes of ``value``."""
        return whole(lane, f"{where}: lane", 0, self.lanes(value, where) - 1)

    def _check(self, value: Any, where: str) -> int:
        lanes = len(value[0]) if isinstance(value[0], np.ndarray) and value[0].ndim else 1
        for field, (name, (shape, dtype)) in zip(value, self._shapes.items(), strict=True):
            wanted = np.ndarray, (lanes, *shape), dtype, True
            if not isinstance(field, np.ndarray) or _FACTS(field) != wanted:
                expected = f"an array {dtype} {wanted[1]}, writable and in C order"
                raise UsageError(f"{where}: {self.kind.__name__}.{name}: got {_told(field)}, expected {expected}")
        return lanes


def copy_lane(source, lane: int, target, to: int) -> None:
    """Copy one lane of a state to a lane of another state of its kind, or of the same."""
    copy_fields(tuple(zip(source, target, strict=True)), lane, to)


def copied(state: Any, rows: np.ndarray) -> Any:
    """Copies of some lanes of a state, or of other arrays with lanes: ``rows`` are numbers (n,), or flags (L,) bool."""
    return type(state)(*(field[rows] for field in state))


@allocating
def copy_fields(fields, lane, to):
    """Copy lane ``lane`` of the first to lane ``to`` of the second array of each pair in ``fields``."""
    for field in literal_unroll(fields):
        field[1][to] = field[0][lane]


def digest(state, lane: int) -> bytes:
    """SHA-256 over the bytes of all fields of one lane that are not cached, in order."""
    fields = (getattr(state, name) for name in digested(type(state)))
    return hashlib.sha256(b"".join(np.ascontiguousarray(field[lane]).tobytes() for field in fields)).digest()


def _told(field: Any) -> str:
    """An array as text, by its checked properties; any other value unchanged."""
    if not isinstance(field, np.ndarray):
        return shown(field)
    writable = "" if field.flags.writeable else ", read-only"
    order = "" if field.flags.c_contiguous else ", not in C order"
    return f"{type(field).__name__} {field.dtype} {field.shape}{writable}{order}"


def whole_array(value: Any, what: str, shape: tuple[int | None, ...], dtype: type, low: int, high: int) -> np.ndarray:
    """Whole numbers in ``low`` .. ``high`` as an array for kernels; ``shape``: None is any length."""
    try:
        found = np.asarray(value)
    except Exception:  # rows of different lengths, objects that cannot be arrays
        found = None
    wanted = ", ".join("any" if length is None else str(length) for length in shape)
    fits = found is not None and found.ndim == len(shape)
    fits = fits and all(want in (None, got) for want, got in zip(shape, found.shape, strict=True))
    if not fits or (found.size and found.dtype.kind not in "iu"):
        raise UsageError(f"{what}: got {_told(value if found is None else found)}, expected whole numbers ({wanted})")
    if found.size and not (low <= int(found.min()) and int(found.max()) <= high):
        raise UsageError(f"{what}: {int(found.min())}..{int(found.max())}, expected {low}..{high}")
    return np.require(found, dtype, ["C", "A", "W"])


def actions_of(actions: Any, where: str, shape: tuple[int, int, int], bounds: np.ndarray) -> np.ndarray:
    """Actions (L, N, 2) int32 for kernels; ``bounds`` (2,) uint32 are the numbers of verbs and targets."""
    if type(actions) is not np.ndarray or actions.dtype != np.int32 or not actions.flags.carray:
        actions = whole_array(actions, f"{where}: actions", shape, np.int32, -LANES, LANES)
    if actions.shape != shape:
        raise UsageError(f"{where}: actions {actions.shape}, expected {shape}: lanes, agents, verb and target")
    outside = actions.view(np.uint32) >= bounds  # a negative number is a huge one
    if outside.any():
        lane, agent, _ = np.argwhere(outside)[0].tolist()
        found, (verbs, targets) = tuple(actions[lane, agent].tolist()), bounds.tolist()
        expected = f"a verb of 0..{verbs - 1} and a target of 0..{targets - 1}"
        raise UsageError(f"{where}: actions[{lane}, {agent}] is {found}, expected {expected}")
    return actions

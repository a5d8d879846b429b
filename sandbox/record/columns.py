"""The outcomes of trials as columns: arrays, one for each measure, and their bytes for storage and for the root.

A column of T trials is one of these arrays: integers (T,), also for True and False; floats (T,); hashes (T, 32) uint8,
for texts of 64 hexadecimal digits; other values, also mixed ones and None, (T,) object.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.finish import Outcome

MEASURES = Outcome._fields
LEFT_OUT = ("seconds",)  # measured by the clock, so they differ at each execution, and the root must not
BLOCK = 1024  # trials of a leaf under the root, and at most in a stored chunk
# A stored column of integers has the narrowest type that holds its values, from minus this limit to below it.
WIDTHS = {"<i1": 1 << 7, "<i2": 1 << 15, "<i4": 1 << 31, "<i8": 1 << 63}
HASH = 32  # bytes of SHA-256
_encode = json.JSONEncoder(separators=(",", ":")).encode


def column(values: Sequence) -> np.ndarray:
    """The array of some values; a value that fits no typed array makes it one of objects."""
    kinds = set(map(type, values))
    if kinds <= {int, bool}:
        try:
            return np.array(values, np.int64)
        except OverflowError:
            pass
    elif kinds == {float}:
        return np.array(values)
    elif kinds == {str} and (found := _hashes(values)) is not None:
        return found
    array = np.empty(len(values), object)
    array[:] = values
    return array


def hashes(found: Iterable[bytes]) -> np.ndarray:
    """The column of some hashes."""
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, HASH)


def _hashes(texts: Sequence[str]) -> np.ndarray | None:
    """The column of some texts; None if one of them is no hash."""
    whole = "".join(texts)
    if any(len(each) != 2 * HASH for each in texts) or whole != whole.lower():
        return None
    try:
        found = bytes.fromhex(whole)
    except ValueError:
        return None
    return hashes([found]) if len(found) == HASH * len(texts) else None  # fromhex skips spaces


@lru_cache(maxsize=1024, typed=True)
def repeated(value: Any, trials: int) -> np.ndarray:
    """The column in which every trial has this value."""
    one = column([value])
    return np.broadcast_to(one, (trials, *one.shape[1:]))


def values(array: np.ndarray) -> list:
    """The values of a column: int, float, str, None."""
    if array.ndim == 2:
        return [row.tobytes().hex() for row in array]
    return (array.view(np.int8) if array.dtype == bool else array).tolist()


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One column of several."""
    if len(parts) == 1 and (parts[0].dtype != object or not parts[0].strides[0]):
        return parts[0]
    if len({(part.ndim, part.dtype.kind) for part in parts}) == 1 and parts[0].dtype != object:
        return np.concatenate(parts)
    return column([value for part in parts for value in values(part)])


def of_outcomes(outcomes: Sequence[Outcome]) -> dict[str, np.ndarray]:
    """The columns of some outcomes, at least one."""
    return dict(zip(MEASURES, map(column, zip(*outcomes, strict=True)), strict=True))


class Packed(NamedTuple):
    """The outcomes of some trials, as a table stores them."""

    trials: int
    successes: int
    errors: int  # infrastructure errors
    fallbacks: int  # decisions of fallbacks, in trials without such an error
    hash: str  # SHA-256 of ``measures``, hexadecimal
    measures: bytes  # all columns that are under the root, see ``pack``
    rest: bytes  # the columns of ``LEFT_OUT``

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray]) -> "Packed":
        """The packed form of the columns of ``MEASURES``, which may stand in any order."""
        measures, rest = (pack(columns[name] for name in names) for names in halves(MEASURES))
        return cls(len(columns["success"]), *counted(columns), sha256(measures).hexdigest(), measures, rest)

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The column of each of the names, in their order; raises ValueError or TypeError for damaged ones."""
        found: dict[str, np.ndarray] = {}
        for data, half in zip((self.measures, self.rest), halves(names), strict=True):
            found |= zip(half, unpack(data, len(half), self.trials), strict=True)
        if (self.successes, self.errors, self.fallbacks) != counted(found):
            raise ValueError("a chunk counts other trials than it has")
        if self.hash != sha256(self.measures).hexdigest():
            raise ValueError("a chunk has another hash than its trials")
        return {name: found[name] for name in names}

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes, one for each trial."""
        return outcomes(self.columns(MEASURES))


def halves(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns that are under the root, and the others."""
    return [name for name in names if name not in LEFT_OUT], [name for name in names if name in LEFT_OUT]


def outcomes(columns: Mapping[str, np.ndarray]) -> list[Outcome]:
    """The outcomes with these columns; measures that are missing have their defaults."""
    rows = zip(*map(values, columns.values()), strict=True)
    return [Outcome(**dict(zip(columns, row, strict=True))) for row in rows]


def counted(columns: Mapping[str, np.ndarray]) -> tuple[int, int, int]:
    """Successes, infrastructure errors, and decisions of fallbacks in trials without such an error."""
    fallbacks = columns["fallbacks"]
    failed = np.not_equal(columns["error"], np.array(None)).astype(bool)
    return int(columns["success"].sum()), int(failed.sum()), int(fallbacks[~failed].sum())


# -- bytes -------------------------------------------------------------------------------------------------------------


def pack(columns: Iterable[np.ndarray]) -> bytes:
    """The bytes of some columns, of equal length: equal values give equal bytes.

    They are: the length of the head (4 bytes, little-endian), the head, and the bytes of the arrays, one after the
    other. The head is a JSON list with an entry for each column: ``{"all": value}`` if all trials have one value,
    ``{"each": [values]}`` for objects, else the dtype of its array, "hash" for hashes.
    """
    head: list[dict | str] = []
    arrays: list[bytes] = []
    for array in columns:
        kind, data = _packed(array)
        head.append(kind)
        arrays.append(data)
    text = _encode(head).encode()
    return len(text).to_bytes(4, "little") + text + b"".join(arrays)


def _packed(array: np.ndarray) -> tuple[dict | str, bytes]:
    if not array.strides[0]:  # repeated
        return {"all": values(array[:1])[0]}, b""
    if array.dtype == object:
        each = array.tolist()
        same = each.count(each[0]) == len(each) and len(set(map(type, each))) == 1  # 1 is not 1.0
        return ({"all": each[0]} if same else {"each": each}), b""
    if array.ndim == 2:
        return "hash", array.tobytes()
    bits = array.view(np.int64) if array.dtype.kind == "f" else array
    low, high = int(bits.min()), int(bits.max())
    if low == high:
        return {"all": values(array[:1])[0]}, b""
    if array.dtype.kind == "f":
        return "<f8", array.astype("<f8").tobytes()
    width = next(width for width, limit in WIDTHS.items() if -limit <= low and high < limit)
    return width, array.astype(width).tobytes()


def unpack(data: bytes, count: int, trials: int) -> list[np.ndarray]:
    """The ``count`` columns in some bytes; raises ValueError or TypeError for damaged bytes."""
    start = 4 + int.from_bytes(data[:4], "little")
    try:
        head = json.loads(data[4:start])
    except RecursionError:
        raise ValueError("the head of a chunk is nested too deeply") from None
    if not (isinstance(head, list) and len(head) == count):
        raise ValueError("a chunk has another number of columns")
    found = []
    for kind in head:
        if isinstance(kind, dict):
            ((how, value),) = kind.items()
            array = repeated(value, trials) if how == "all" else column(value)
        else:
            shape, dtype = ((trials, HASH), "u1") if kind == "hash" else ((trials,), kind)
            if dtype not in (*WIDTHS, "<f8", "u1"):
                raise ValueError(f"a column of {dtype}")
            array = np.ndarray(shape, dtype, data, start)
            start += array.nbytes
        if len(array) != trials:
            raise ValueError("a column has another number of trials than its chunk")
        found.append(array)
    if start != len(data):
        raise ValueError("a chunk has more bytes than its columns")
    return found


# -- blocks: the leaves under the root of a batch ----------------------------------------------------------------------


class Piece(NamedTuple):
    """Consecutive trials of one block, all of a chunk or some."""

    condition: Any
    start: int
    stop: int
    hash: str  # SHA-256 of the packed columns if these are all of the chunk, else empty
    columns: Callable[[], list[np.ndarray]]  # those under the root


def pieces_of_chunk(
    condition: int, start: int, stop: int, hash: str, columns: Callable[[], list[np.ndarray]]
) -> Iterator[Piece]:
    """The trials ``start`` .. ``stop`` - 1, cut where blocks begin."""
    for block in range(start // BLOCK, (stop - 1) // BLOCK + 1):
        first, last = max(start, BLOCK * block), min(stop, BLOCK * (block + 1))

        def own(first: int = first, last: int = last) -> list[np.ndarray]:
            return [array[first - start : last - start] for array in columns()]

        yield Piece(condition, first, last, hash if (first, last) == (start, stop) else "", own)


def pieces_of_rows(rows: Iterable[tuple], kept: Sequence[int]) -> Iterator[Piece]:
    """The same of rows in the order of condition and trial, which are their first two values."""
    numbered = ((row, row[1] - number) for number, row in enumerate(rows))
    for (condition, _, _), some in groupby(numbered, lambda one: (one[0][0], one[0][1] // BLOCK, one[1])):
        own = [row for row, _ in some]

        def columns(own: list[tuple] = own) -> list[np.ndarray]:
            return [column([row[place] for row in own]) for place in kept]

        yield Piece(condition, own[0][1], own[-1][1] + 1, "", columns)


def leaves(found: Iterable[Piece], asked: Mapping[tuple[int, int], str]) -> Iterator[bytes]:
    """The leaf of every block: condition, spans of trials, hash of their packed columns, hashes of their answers.

    It depends on the values, not on the chunks in which they are stored. ``found`` are the pieces in order, ``asked``
    has the hashes of answers by condition and trial.
    """
    answers: dict[tuple[int, int], list] = {}
    for (condition, trial), told in sorted(asked.items()):
        answers.setdefault((condition, trial // BLOCK), []).append([trial, told])
    for place, some in groupby(found, lambda piece: (piece.condition, piece.start // BLOCK)):
        parts = list(some)
        spans = [[parts[0].start, parts[0].stop]]
        for part in parts[1:]:
            if part.start == spans[-1][1]:
                spans[-1][1] = part.stop
            else:
                spans.append([part.start, part.stop])
        whole = parts[0].hash if len(parts) == 1 else ""
        if not whole:
            columns = zip(*(part.columns() for part in parts), strict=True)
            whole = sha256(pack(map(joined, columns))).hexdigest()
        yield _encode([place[0], spans, whole, answers.get(place, [])]).encode()

"""Plain values: converts values of NumPy, pandas, pathlib and other libraries to JSON values."""

import operator
from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from itertools import islice
from math import isfinite
from numbers import Integral, Real
from operator import index
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.core.errors import LONGEST, SHORT, UsageError, shown

# -- seeds of episodes: whole numbers of 64 bits

LARGEST = 2**64 - 1


def checked_seed(value: Any, name: str = "seed") -> int:
    """A seed as a plain integer, also from NumPy's integers. Raises UsageError for anything else."""
    try:
        seed = -1 if isinstance(value, bool) else operator.index(value)
    except Exception:  # objects of other libraries may raise anything
        seed = -1
    if not 0 <= seed <= LARGEST:
        raise UsageError(f"{name}: expected a whole number 0..2**64-1, got {shown(value)}")
    return seed


# -- plain

MOST = 1_000_000  # values to take from an iterator, which may have no end
LARGEST = 2**64 - 1  # the largest integer: a seed; counts are smaller
MOST_OF_A_RANGE = 2**31 - 1  # seeds; kernels count lanes in 32 bits
_LISTS = Sequence | Iterator | KeysView | ValuesView


def plain(value: Any, where: str = "", key: str = "") -> Any:
    """None, bools, ints, finite floats, texts, and lists and dicts of them; raises UsageError for anything else.

    Arrays, ranges, tuples, series and generators become lists; scalars become numbers; paths become texts. A set is
    refused since it has no order. ``where`` and ``key`` name the value in the error.
    """
    try:
        return _plain(value, where, key)
    except RecursionError:
        raise _refused("a value inside itself, or nested too deeply", where, key) from None


def without_nulls(value: Any) -> Any:
    """JSON values without the entries of tables that are None, which TOML cannot state."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def flag(value: Any, what: str) -> bool:
    """True or False; raises UsageError for any other value, such as 1."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{what}: expected True or False, got {shown(value)}")
    return bool(value)


def path(value: Any, what: str) -> Path:
    """A valid path; raises UsageError for any other value."""
    try:
        found = Path(fspath(value))
        found.is_file()  # ValueError for an invalid name; OSError for one that is too long
    except Exception:
        raise UsageError(f"{what}: expected a path, got {shown(value)}") from None
    return found


def callback(value: Any, what: str) -> Any:
    """A callback or None; raises UsageError for any other value."""
    if value is not None and not callable(value):
        raise UsageError(f"{what}: expected a function or None, got {shown(value)}")
    return value


def whole(value: Any, what: str, least: int | None = None, most: int | None = None) -> int:
    """An int of any library; raises UsageError for other values, bools, and numbers outside ``least``..``most``."""
    try:
        number = None if isinstance(value, bool) else index(value)
    except Exception:  # objects of other libraries may raise anything
        number = None
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        raise UsageError(f"{what}: expected {_range(least, most, number is None)}, got {shown(value)}")
    return number


def _range(least: int | None, most: int | None, kind: bool) -> str:
    """The expected range in words; with ``kind`` it also says that a whole number is expected."""
    if least is None or most is None:
        return "a whole number" if least is None else f"a whole number of at least {least}"
    return f"a whole number, {least}..{most}" if kind else f"{least}..{most}"


def seeds(given: int | Iterable[int]) -> np.ndarray:
    """Seeds as (L,) uint64, from one or many ints; raises UsageError for values outside 0..2**64-1."""
    if hasattr(given, "dtype") and (array := np.asarray(given)).dtype.kind in "iu":
        checked_seed(array.min(initial=0), "seeds")
        return array.astype(np.uint64).reshape(-1)
    if isinstance(given, range):
        return _seeds_of(given)
    some: list[Any] = [given]
    if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Set):
        some = list(islice(given, MOST + 1))
    if len(some) > MOST:
        raise UsageError(f"seeds: more than {MOST:,}; expected as many at most, or an array")
    return np.array([checked_seed(seed, "seeds") for seed in some], np.uint64)


def _seeds_of(given: range) -> np.ndarray:
    """A range as an array, without iterating over it."""
    for end in (given[0], given[-1]) if given else ():
        checked_seed(end, "seeds")
    if given and (given[-1] - given[0]) // given.step >= MOST_OF_A_RANGE:
        raise UsageError(f"seeds: {given}: more than {MOST_OF_A_RANGE:,}")
    return np.arange(given.start, given.stop, given.step, dtype=np.uint64)


def _plain(value: Any, where: str, key: str) -> Any:
    if value is None or type(value) in (bool, int) and -LARGEST <= value <= LARGEST:
        return value
    if isinstance(value, str):
        return _text(str.__str__(value), where, key)
    if hasattr(value, "model_dump"):  # a pydantic model of ours
        return _plain(value.model_dump(), where, key)
    if isinstance(value, Mapping):
        return {_key(name, where, key): _plain(item, where, _below(key, name)) for name, item in value.items()}
    if isinstance(value, np.bool_ | Real):
        return _number(value, where, key)
    if isinstance(value, PathLike):
        return _text(fspath(value), where, key)
    if isinstance(value, _LISTS) and not isinstance(value, bytes | bytearray | memoryview):
        items = list(islice(value, MOST + 1)) if isinstance(value, Iterator) else value
        if len(items) > MOST and isinstance(value, Iterator):
            raise _refused(f"more than {MOST:,} values", where, key)
        return [_plain(item, where, _below(key, k)) for k, item in enumerate(items)]
    if callable(tolist := getattr(value, "tolist", None)) and not isinstance(found := tolist(), type(value)):
        return _plain(found, where, key)
    if isinstance(value, Set):
        raise _refused("a set, which has no order; expected a list", where, key)
    expected = "expected a number, a text, true or false, a list or a table"
    raise _refused(f"{type(value).__name__} {shown(value)}; {expected}", where, key)


def _number(value: Any, where: str, key: str) -> bool | int | float:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        if not -LARGEST <= (count := int(value)) <= LARGEST:
            raise _refused(f"expected a number of 64 bits, got {shown(count)}", where, key)
        return count
    number = float(value)
    if not isfinite(number):
        raise _refused(f"expected a finite number, got {number}", where, key)
    return number


def _key(name: Any, where: str, key: str) -> str:
    if not isinstance(name, str):
        raise _refused(f"the key {shown(name)}; expected a text", where, key)
    return _text(str.__str__(name), where, key)


def _below(key: str, name: object) -> str:
    """The place of a value inside another, for errors; cut to a limited length."""
    return f"{key}.{str(name)[:SHORT]}"[:LONGEST].strip(".")


def utf8(text: str) -> str:
    """A text that files and records can contain: each lone surrogate becomes a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _text(text: str | bytes, where: str, key: str) -> str:
    if isinstance(text, bytes):
        raise _refused(f"a path of bytes {shown(text)}; expected a text", where, key)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate, which no file or record can contain
            raise _refused(f"{shown(text)}, which is not Unicode text", where, key) from None
    return text


def _refused(what: str, where: str, key: str) -> UsageError:
    return UsageError(": ".join(part for part in (where, key, what) if part))

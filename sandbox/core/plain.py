"""Values from elsewhere as plain ones: what NumPy, pandas, pathlib and other libraries give becomes JSON values."""

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

# -- seeds: Seeds of episodes: whole numbers of 64 bits.

LARGEST = 2**64 - 1


def checked_seed(value: Any, name: str = "seed") -> int:
    """A seed as a plain integer; NumPy's are taken. Raises UsageError for anything else."""
    try:
        seed = -1 if isinstance(value, bool) else operator.index(value)
    except Exception:  # whatever an object of somebody else's raises
        seed = -1
    if not 0 <= seed <= LARGEST:
        raise UsageError(f"{name}: expected a whole number 0..2**64-1, got {shown(value)}")
    return seed


# -- plain

MOST = 1_000_000  # values that are taken one by one: some iterators have no end
LARGEST = 2**64 - 1  # an integer: a seed, as all that is counted is less
MOST_OF_A_RANGE = 2**31 - 1  # seeds; kernels count lanes in 32 bits
_LISTS = Sequence | Iterator | KeysView | ValuesView


def plain(value: Any, where: str = "", key: str = "") -> Any:
    """None, bools, ints, finite floats, texts, and lists and dicts of them; raises UsageError for anything else.

    Arrays, ranges, tuples, series and generators become lists, scalars of any library numbers, paths texts. A set has
    no order, so it is refused. ``where`` and ``key`` name the value in the error.
    """
    try:
        return _plain(value, where, key)
    except RecursionError:
        raise _refused("a value inside itself, or nested too deeply", where, key) from None


def flag(value: Any, what: str) -> bool:
    """True or False; raises UsageError for what could pass for them."""
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{what}: expected True or False, got {shown(value)}")
    return bool(value)


def path(value: Any, what: str) -> Path:
    """A path that a file can have; raises UsageError for what is none."""
    try:
        found = Path(fspath(value))
        found.is_file()  # ValueError for what no file can be called; too long a name is an OSError
    except Exception:
        raise UsageError(f"{what}: expected a path, got {shown(value)}") from None
    return found


def callback(value: Any, what: str) -> Any:
    """A function that is called back, or None."""
    if value is not None and not callable(value):
        raise UsageError(f"{what}: expected a function or None, got {shown(value)}")
    return value


def whole(value: Any, what: str, least: int | None = None, most: int | None = None) -> int:
    """An int of any library; raises UsageError for other values, for bools, and for one outside ``least``..``most``."""
    try:
        number = None if isinstance(value, bool) else index(value)
    except Exception:  # whatever an object of somebody else's raises
        number = None
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        raise UsageError(f"{what}: expected {_range(least, most, number is None)}, got {shown(value)}")
    return number


def _range(least: int | None, most: int | None, kind: bool) -> str:
    """In words what a whole number must be; ``kind``: that it must be one, too."""
    if least is None or most is None:
        return "a whole number" if least is None else f"a whole number of at least {least}"
    return f"a whole number, {least}..{most}" if kind else f"{least}..{most}"


def seeds(given: int | Iterable[int]) -> np.ndarray:
    """Seeds as (L,) uint64, from one or many ints; raises UsageError for what is no seed (0..2**64-1)."""
    if hasattr(given, "dtype") and (array := np.asarray(given)).dtype.kind in "iu":
        checked_seed(array.min(initial=0), "seeds")
        return array.astype(np.uint64).reshape(-1)
    if isinstance(given, range):
        return _seeds_of(given)
    many = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Set)
    some = list(islice(given, MOST + 1)) if many else [given]
    if len(some) > MOST:
        raise UsageError(f"seeds: more than {MOST:,}; expected as many at most, or an array")
    return np.array([checked_seed(seed, "seeds") for seed in some], np.uint64)


def _seeds_of(given: range) -> np.ndarray:
    """A range as an array, however long it is: nothing is taken one by one."""
    for end in (given[0], given[-1]) if given else ():
        checked_seed(end, "seeds")
    if given and (given[-1] - given[0]) // given.step >= MOST_OF_A_RANGE:
        raise UsageError(f"seeds: {given}: more than {MOST_OF_A_RANGE:,}")
    return np.arange(given.start, given.stop, given.step, np.uint64)


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
        if not -LARGEST <= (number := int(value)) <= LARGEST:
            raise _refused(f"expected a number of 64 bits, got {shown(number)}", where, key)
        return number
    number = float(value)
    if not isfinite(number):
        raise _refused(f"expected a finite number, got {number}", where, key)
    return number


def _key(name: Any, where: str, key: str) -> str:
    if not isinstance(name, str):
        raise _refused(f"the key {shown(name)}; expected a text", where, key)
    return _text(str.__str__(name), where, key)


def _below(key: str, name: object) -> str:
    """The place of a value in another, for errors: short, however long the names are, as there may be many values."""
    return f"{key}.{str(name)[:SHORT]}"[:LONGEST].strip(".")


def _text(text: str | bytes, where: str, key: str) -> str:
    if isinstance(text, bytes):
        raise _refused(f"a path of bytes {shown(text)}; expected a text", where, key)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate: no file and no record can hold it
            raise _refused(f"{shown(text)}, which is not Unicode text", where, key) from None
    return text


def _refused(what: str, where: str, key: str) -> UsageError:
    return UsageError(": ".join(part for part in (where, key, what) if part))

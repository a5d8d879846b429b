"""Values from elsewhere as plain ones: what NumPy, pandas, pathlib and other libraries give becomes JSON values."""

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from math import isfinite
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.seeds import checked_seed

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


def whole(value: Any, what: str, least: int | None = None) -> int:
    """An int of any library; raises UsageError for other values, for bools, and for one below ``least``."""
    number = plain(value, what)
    if not isinstance(number, int) or isinstance(number, bool) or (least is not None and number < least):
        expected = "a whole number" + ("" if least is None else f" of at least {least}")
        raise UsageError(f"{what}: expected {expected}, got {_short(value)}")
    return number


def seeds(given: int | Iterable[int]) -> np.ndarray:
    """Seeds as (L,) uint64, from one or many ints; raises UsageError for what is no seed (0..2**64-1)."""
    if hasattr(given, "dtype") and (array := np.asarray(given)).dtype.kind in "iu":
        checked_seed(array.min(initial=0), "seeds")
        return array.astype(np.uint64).reshape(-1)
    many = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping | Set)
    return np.array([checked_seed(seed, "seeds") for seed in (given if many else [given])], np.uint64)


def _plain(value: Any, where: str, key: str) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if hasattr(value, "model_dump"):  # a pydantic model of ours
        return _plain(value.model_dump(), where, key)
    if isinstance(value, Mapping):
        return {_key(name, where, key): _plain(item, where, f"{key}.{name}".strip(".")) for name, item in value.items()}
    if isinstance(value, np.bool_ | Real):
        return _number(value, where, key)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, PathLike):
        return _text(fspath(value), where, key)
    if isinstance(value, _LISTS) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(item, where, f"{key}.{k}".strip(".")) for k, item in enumerate(value)]
    if callable(tolist := getattr(value, "tolist", None)) and not isinstance(found := tolist(), type(value)):
        return _plain(found, where, key)
    if isinstance(value, Set):
        raise _refused("a set, which has no order; expected a list", where, key)
    expected = "expected a number, a text, true or false, a list or a table"
    raise _refused(f"{type(value).__name__} {_short(value)}; {expected}", where, key)


def _number(value: Any, where: str, key: str) -> bool | int | float:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    if not isfinite(number):
        raise _refused(f"expected a finite number, got {number}", where, key)
    return number


def _key(name: Any, where: str, key: str) -> str:
    if not isinstance(name, str):
        raise _refused(f"the key {_short(name)}; expected a text", where, key)
    return str.__str__(name)


def _text(path: str | bytes, where: str, key: str) -> str:
    if isinstance(path, bytes):
        raise _refused(f"a path of bytes {_short(path)}; expected a text", where, key)
    return path


def _short(value: Any) -> str:
    try:
        return repr(value).split("\n")[0][:60]
    except Exception:  # a repr of somebody else's
        return f"a {type(value).__name__}"


def _refused(what: str, where: str, key: str) -> UsageError:
    return UsageError(": ".join(part for part in (where, key, what) if part))

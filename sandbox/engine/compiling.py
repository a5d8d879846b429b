"""What has to be compiled before kernels can be called, and how far that is."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from sandbox.engine.cache import Store

_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
_TYPE = re.compile(r" of type \w+\(.*")  # a state's type is thousands of characters long


class Compiled(NamedTuple):
    """How far a compilation is."""

    kernel: str  # that has just been begun or done
    done: int
    total: int
    share: float  # of the work that is done, by the size of the code


def unstored(kernels: Iterable[Any]) -> dict[Any, int]:
    """What has to be compiled for some kernels and all that they call, each with the size of its code."""
    found, waiting = {}, [kernel for kernel in kernels if isinstance(kernel, Dispatcher)]
    while waiting:
        kernel = waiting.pop()
        if kernel not in found and not kernel.overloads and not _is_stored(kernel):
            found[kernel] = _size(kernel)
            waiting += _called(kernel)
    return found


@contextmanager
def heard(kernels: dict[Any, int], told: Callable[[Compiled], None]) -> Iterator[None]:
    """Meanwhile ``told`` hears of each of these kernels (``unstored``) when it is begun and when it is done."""
    listener = _Listener(kernels, told)
    with event.install_listener("numba:compile", listener):
        yield


class _Listener(event.Listener):
    def __init__(self, kernels: dict[Any, int], told: Callable[[Compiled], None]):
        self._left, self._told = dict(kernels), told
        self._total, self._size = len(kernels), sum(kernels.values())

    def on_start(self, event: event.Event) -> None:
        self._tell(event.data["dispatcher"])

    def on_end(self, event: event.Event) -> None:
        self._left.pop(event.data["dispatcher"], None)
        self._tell(event.data["dispatcher"])

    def _tell(self, kernel: Any) -> None:
        done, left = self._total - len(self._left), sum(self._left.values())
        self._told(Compiled(kernel.py_func.__qualname__, done, self._total, 1 - left / max(self._size, 1)))


def _is_stored(kernel: Any) -> bool:
    return isinstance(kernel._cache, Store) and kernel._cache.stored


def _named(kernel: Any) -> Iterator[Any]:
    """The kernels whose names stand in the code of one."""
    function = kernel.py_func
    found = (function.__globals__.get(name) for name in function.__code__.co_names)
    return (each for each in found if isinstance(each, Dispatcher))


def _called(kernel: Any) -> Iterator[Any]:
    """The kernels that one calls; one that is written into it calls on its behalf."""
    for each in _named(kernel):
        if each.targetoptions.get("inline") == "always":
            yield from _called(each)
        else:
            yield each


@cache
def _size(kernel: Any) -> int:
    """Of a kernel's code, with all that is written into it."""
    options = ("inline", "forceinline")
    inner = [each for each in _named(kernel) if any(each.targetoptions.get(name) for name in options)]
    return len(kernel.py_func.__code__.co_code) + sum(map(_size, inner))


def in_a_line(error: Exception) -> str:
    """What is wrong with a kernel that does not compile: file, line, and why; "" for any other error."""
    if not isinstance(error, NumbaError):
        return ""
    text = str(error)
    places = _PLACE.findall(text)
    lines = (line.strip() for line in text.splitlines())
    why = _TYPE.sub("", next((line for line in lines if line and not line.startswith("Failed in")), text))[:300]
    where = f"{places[0][0]}, line {places[0][1]}: " if places else ""
    return f"{where}the kernel does not compile: {why}"

"""The kernels to compile before others can be called, and the progress of compiling them."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from numba.core import event
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from sandbox.engine.cache import ENTRY, PART, stored_names
from sandbox.engine.dispatcher import Embedded, Kernel

WAITING = "sandbox:waiting"  # the event that this process waits for another one that compiles
_PLACE = re.compile(r'File "([^"]+)", line (\d+)')
_TYPE = re.compile(r" of type \w+\(.*")  # a state's type is thousands of characters long


class Compiled(NamedTuple):
    """The progress of a compilation."""

    kernel: str  # the kernel that has just been started or finished
    done: int
    total: int
    share: float  # finished share of the work, by the size of the code


class Step(NamedTuple):
    """One of the two steps of a kernel (see ``engine.dispatcher``)."""

    kernel: Kernel
    entry: bool  # machine code of the kernel and of all that it calls; otherwise the LLVM code of the kernel alone

    @property
    def suffix(self) -> str:
        return ENTRY if self.entry else PART


def unstored(kernels: Iterable[Any]) -> dict[Step, int]:
    """The steps to compile so that Python can call these kernels, each with its size."""
    found: dict[Step, int] = {}
    seen: set[Kernel] = set()
    for kernel in kernels:
        if isinstance(kernel, Kernel) and not kernel.overloads and not _is_stored(kernel, ENTRY):
            below = _below(kernel)
            for each in below:
                if each not in seen and not each.compiled and not _is_stored(each, PART):
                    found[Step(each, False)] = _size(each)
                seen.add(each)
            found[Step(kernel, True)] = whole_size(kernel) // 2  # measured: the second step takes half as long
    return found


@contextmanager
def heard(steps: dict[Step, int], told: Callable[[Compiled], None]) -> Iterator[None]:
    """Meanwhile, call ``told`` when each of these steps (``unstored``) begins and ends, here or in another process."""
    listener = _Listener(steps, told)
    with event.install_listener("numba:compile", listener), event.install_listener(WAITING, listener):
        yield


class _Listener(event.Listener):
    def __init__(self, steps: dict[Step, int], told: Callable[[Compiled], None]):
        self._left, self._told, self._latest = dict(steps), told, ""
        self._total, self._size = len(steps), sum(steps.values())

    def on_start(self, event: event.Event) -> None:
        if event.data:
            self._latest = event.data["dispatcher"].py_func.__qualname__
        self._tell()

    def on_end(self, event: event.Event) -> None:
        if event.data:
            self._left.pop((event.data["dispatcher"], event.data.get("entry")), None)
        self._tell()

    def _tell(self) -> None:
        stored = stored_names({step.kernel.store for step in self._left} - {None})
        own = {step for step in self._left if step.kernel.store and (step.kernel.store.name, step.suffix) in stored}
        self._left = {step: size for step, size in self._left.items() if step not in own}
        done, left = self._total - len(self._left), sum(self._left.values())
        self._told(Compiled(self._latest, done, self._total, 1 - left / max(self._size, 1)))


def _is_stored(kernel: Kernel, suffix: str) -> bool:
    return kernel.store is not None and kernel.store.has(suffix)


def _named(kernel: Any) -> Iterator[Any]:
    """The kernels named in the code of a kernel."""
    function = kernel.py_func
    found = (function.__globals__.get(name) for name in function.__code__.co_names)
    return (each.kernel if isinstance(each, Embedded) else each for each in found if isinstance(each, Dispatcher))


def _called(kernel: Any) -> Iterator[Kernel]:
    """The kernels that a kernel calls, directly or by kernels inlined into it."""
    for each in _named(kernel):
        if isinstance(each, Kernel):
            yield each
        else:
            yield from _called(each)


def _below(kernel: Kernel) -> list[Kernel]:
    """A kernel and all that it calls, each once."""
    found, waiting = {}, [kernel]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found[each] = None
            waiting += _called(each)
    return list(found)


@cache
def whole_size(kernel: Kernel) -> int:
    """The size of a kernel's code and of all that it calls."""
    return sum(map(_size, _below(kernel)))


@cache
def _size(kernel: Any) -> int:
    """The size of a kernel's code, with all kernels that are inlined before compilation."""
    written = [each for each in _named(kernel) if not isinstance(each, Kernel)]
    return len(kernel.py_func.__code__.co_code) + sum(map(_size, written))


def in_a_line(error: Exception) -> str:
    """The error of a kernel that does not compile: file, line, and reason; "" for any other error."""
    if not isinstance(error, NumbaError):
        return ""
    text = str(error)
    places = _PLACE.findall(text)
    lines = (line.strip() for line in text.splitlines())
    why = _TYPE.sub("", next((line for line in lines if line and not line.startswith("Failed in")), text))[:300]
    where = f"{places[0][0]}, line {places[0][1]}: " if places else ""
    return f"{where}the kernel does not compile: {why}"

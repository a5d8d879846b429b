"""The only module that decides how kernels are compiled."""

from collections.abc import Callable
from functools import cache
from types import FunctionType

from numba import config, njit

from sandbox.engine.cache import check_source, foreign, prepare, store_of
from sandbox.engine.dispatcher import Embedded, Kernel

CACHE = prepare()  # before the first kernel, because each is bound to its cache folder when it is decorated


def _compile(function: Callable, **options) -> Callable:
    check_source(function.__code__.co_filename)
    if tag := foreign(function.__code__.co_filename):
        function.__foreign__ = tag
    if config.DISABLE_JIT:
        return function
    options |= {"nopython": True, "boundscheck": None, "nogil": True, "error_model": "numpy"}
    inner = function.__name__.startswith("_")  # a part of other kernels of its module, inlined into them
    return Kernel(function, options, store_of(function), inner)


def kernel(function: Callable) -> Callable:
    """Compile ``function`` for one lane: cached on disk, without the interpreter lock, exact floating point.

    A kernel fills the arrays that it is given and allocates nothing; allocation is a compile error. Therefore
    references are not counted: a call with a state of twenty arrays costs nanoseconds, not half a microsecond. Kernels
    are serial; threads run ranges of lanes (``engine.pool``). ``.py_func`` is the function itself, its Python twin.
    """
    return _compile(function, _nrt=False)


def allocating(function: Callable) -> Callable:
    """A kernel that may allocate scratch memory; for functions that are rarely called, with few arrays."""
    return _compile(function, _nrt=True)


def twin(function: Callable) -> Callable:
    """The Python function of a kernel: for a single call outside the loops, which does not justify compiling it."""
    return getattr(function, "py_func", function)


@cache
def embedded(function: Callable) -> Callable:
    """A kernel to inline into its calling loop, because passing a whole state may cost more than the kernel."""
    return function if config.DISABLE_JIT else Embedded(function)


@cache
def _specialised(template: Callable, name: str, inline: bool, kernels: tuple[tuple[str, Callable], ...]) -> Callable:
    copy = FunctionType(template.__code__, {**template.__globals__, **dict(kernels)}, template.__name__)
    tags = (getattr(getattr(each, "py_func", each), "__foreign__", "") for _, each in kernels)
    tag = ".".join(sorted({tag for tag in tags if tag}))
    copy.__qualname__ = f"{template.__qualname__}.{name}" + (f".{tag}" if tag else "")
    copy.__module__, copy.__doc__ = template.__module__, template.__doc__
    if tag:
        copy.__foreign__ = tag
    return njit(inline="always", _nrt=False)(copy) if inline else kernel(copy)


def specialise(template: Callable, name: str, inline: bool = False, **kernels: Callable) -> Callable:
    """A compiled copy of a generic loop whose free names (``step``, ``observe``, ...) are a world's own ``kernels``.

    The copy has its own qualified name ``template.name``, under which it is found in the cache at the next start; a
    closure would be compiled anew each time. So ``name`` must be unique among all copies of a template. A kernel whose
    source the cache folder does not cover (a world given by its path) adds a hash of it. An ``inline`` copy is a part
    of other loops only: it is inlined into them, which saves passing the whole state in every tick.
    """
    return _specialised(template, name, inline, tuple(sorted(kernels.items())))

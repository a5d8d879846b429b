"""Threads over ranges of lanes: kernels release the interpreter lock, so plain threads use every core."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from sandbox.core.interrupts import uninterrupted

HALTED = -1  # the tick limit that ends an episode at once
_thread = threading.local()


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ranges(lanes: int, parts: int) -> list[tuple[int, int]]:
    """``lanes`` cut into at most ``parts`` ranges of nearly equal length."""
    parts = max(1, min(parts, lanes))
    return [(lanes * k // parts, lanes * (k + 1) // parts) for k in range(parts)]


class Playing:
    """The loops of threads that have called ``adopt``, so that another thread can end them."""

    def __init__(self) -> None:
        self._limits: dict[int, np.ndarray] = {}

    def adopt(self) -> None:
        """Register this thread."""
        _thread.playing = self

    def halt(self) -> None:
        """End all loops after their present tick; they raise KeyboardInterrupt in their threads."""
        for limit in tuple(self._limits.values()):
            limit[0] = HALTED

    @contextmanager
    def under(self, limit: np.ndarray) -> Iterator[None]:
        self._limits[id(limit)] = limit
        try:
            yield
        finally:
            del self._limits[id(limit)]


def over_lanes(work: Callable[[int, int], int], lanes: int, limit: np.ndarray, threads: int | None = None) -> int:
    """Call ``work(start, stop)`` over all lanes on ``threads`` (default: the cores we may use); returns the sum.

    ``limit`` (1,) is the tick limit, which ``work`` reads at every tick. Ctrl-C lowers it. The main thread
    only waits, because it receives Ctrl-C only when a kernel returns.
    """
    threads = threads or cores()
    with getattr(_thread, "playing", Playing()).under(limit):
        if (threads == 1 or lanes == 1) and threading.current_thread() is not threading.main_thread():
            played = work(0, lanes)
        else:
            played = _in_threads(work, lanes, limit, threads)
    if limit[0] == HALTED:
        raise KeyboardInterrupt
    return played


def _in_threads(work: Callable[[int, int], int], lanes: int, limit: np.ndarray, threads: int) -> int:
    # More ranges than threads, since episodes differ in length: a thread that is done takes the next range.
    parts = 1 if threads == 1 else threads * 4

    def halt() -> None:
        limit[0] = HALTED

    with uninterrupted(halt), ThreadPoolExecutor(threads) as executor:
        try:
            return sum(executor.map(lambda span: work(*span), ranges(lanes, parts)))
        except BaseException:
            halt()
            raise

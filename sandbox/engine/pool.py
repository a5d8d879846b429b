"""Threads over ranges of lanes: kernels release the interpreter lock, so plain threads use every core."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ranges(lanes: int, parts: int) -> list[tuple[int, int]]:
    """``lanes`` cut into at most ``parts`` ranges of nearly equal length."""
    parts = max(1, min(parts, lanes))
    return [(lanes * k // parts, lanes * (k + 1) // parts) for k in range(parts)]


def over_lanes(work: Callable[[int, int], int], lanes: int, threads: int | None = None) -> int:
    """Call ``work(start, stop)`` over all lanes on ``threads`` (default: the cores we may use); returns the sum."""
    threads = threads or cores()
    if threads == 1 or lanes == 1:
        return work(0, lanes)
    # More ranges than threads: episodes differ in length, and a thread that is done early takes the next range.
    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(lambda span: work(*span), ranges(lanes, threads * 4)))

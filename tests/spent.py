"""What a run of the tests spends its time on: a table below the summary, where the variable CI is set."""

import os
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import Any

import pytest
from numba.core import event

SHOWN = 15  # files
PARTS = ("wall", "own", "compiling", "children")  # seconds: by the clock; CPU of the worker, and compiling in it


class Compiling(event.Listener):
    """Seconds of CPU for each kernel and signature, without those of the kernels that are compiled for it."""

    def __init__(self):
        self.seconds: Counter[str] = Counter()
        self._open: list[list[float]] = []  # a thread compiles at a time: Numba has a lock

    def on_start(self, event: event.Event) -> None:
        self._open.append([time.thread_time(), 0.0])

    def on_end(self, event: event.Event) -> None:
        begun, inner = self._open.pop()
        took = time.thread_time() - begun
        if self._open:
            self._open[-1][1] += took
        function = event.data["dispatcher"].py_func
        self.seconds[f"{function.__module__}.{function.__qualname__} {event.data.get('args')}"] += took - inner


class Spent:
    """A plugin of pytest: of each worker, and on the controller of all of them."""

    def __init__(self, config: pytest.Config):
        self._config, self._compiling = config, Compiling()
        self._files: dict[str, Counter[str]] = defaultdict(Counter)
        self._compiled: Counter[str] = Counter()  # by kernel
        self._times: Counter[str] = Counter()  # how many workers compiled a kernel
        event.register("numba:compile", self._compiling)

    @contextmanager
    def _measured(self, file: str):
        before, compiled = _clocks(), self._compiling.seconds.total()
        yield
        taken = {name: now - then for name, now, then in zip(PARTS, _clocks(), before, strict=True)}
        self._files[file].update(taken | {"compiling": self._compiling.seconds.total() - compiled})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        with self._measured(item.nodeid.partition("::")[0]):
            return (yield)

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        told = {"files": {file: dict(spent) for file, spent in self._files.items()}}
        told["kernels"] = dict(self._compiling.seconds)
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["spent"] = told
        else:
            self._files.clear()
            self._add(told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._add(getattr(node, "workeroutput", {}).get("spent", {"files": {}, "kernels": {}}))

    def _add(self, told: dict) -> None:
        for file, spent in told["files"].items():
            self._files[file].update(spent)
        self._compiled.update(told["kernels"])
        self._times.update(dict.fromkeys(told["kernels"], 1))

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if not os.environ.get("CI") or not self._files:
            return
        write = terminalreporter.write_line
        write(f"{'seconds, all workers together':42}" + "".join(f"{name:>11}" for name in PARTS))
        longest = sorted(self._files, key=lambda file: -self._files[file]["wall"])
        for file in longest[:SHOWN]:
            write(f"{file:42}" + "".join(f"{self._files[file][name]:11.1f}" for name in PARTS))
        total = sum(self._files.values(), Counter())
        write(f"{f'all {len(longest)} files':42}" + "".join(f"{total[name]:11.1f}" for name in PARTS))
        again = [name for name, times in self._times.items() if times > 1]
        write(
            f"{len(self._compiled):,} kernels compiled in {self._compiled.total():.0f} s of CPU; of these by several "
            f"workers {len(again)}, {sum(self._compiled[name] for name in again):.0f} s"
        )


def _clocks() -> tuple[float, float, float, float]:
    """The clock; the CPU of this process; compiling, which is counted elsewhere; the CPU of children that ended."""
    times = os.times()
    return time.monotonic(), time.process_time(), 0.0, times.children_user + times.children_system

"""Progress of a trial or a batch: a live bar on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sandbox.report.lines import as_line

if TYPE_CHECKING:
    from sandbox.engine.compiling import Compiled
    from sandbox.learn.training import Progress as Trained
    from sandbox.model import Sandbox
    from sandbox.running.batch import Progress as Count

PLAIN_SECONDS = 2.0  # between two plain lines
SLOW_SECONDS = 10.0  # until the same line is printed again
REDRAW_SECONDS = 0.1


class _Shown:
    """A progress display; use it in a ``with`` block."""

    def __init__(self, console: Console):
        told = [TextColumn(f"{{task.{part}}}", markup=False) for part in ("description", "fields[told]")]
        columns = told[0], BarColumn(), told[1], TimeElapsedColumn()
        self._console = console
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task: TaskID | None = None
        self._next = self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Draw nothing within this context."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _is_due(self, over: bool) -> bool:
        now = time.monotonic()
        if now < self._next and not over:
            return False
        self._next = now + (REDRAW_SECONDS if self._bar else PLAIN_SECONDS)
        return True

    def _rate(self, count: int) -> float:
        return count / max(time.monotonic() - self._started, 1e-9)

    def _show(self, name: str, told: str, done: float | None, total: float | None) -> None:
        if self._bar is None:
            self._console.print(told)
            return
        if self._task is None:
            self._task = self._bar.add_task(as_line(name), told="")
        self._bar.update(self._task, total=total, completed=done, told=as_line(told))


class Live(_Shown):
    """Progress of one trial: called with the model after every tick."""

    def __call__(self, model: "Sandbox") -> None:
        if model.ticks == 0:
            self._started = time.monotonic()
        if not self._is_due(not model.running):
            return
        from sandbox.running.explain import score_of, standing  # with what Python has loaded by then

        told = f"tick {model.ticks}, {standing(model)}, {self._rate(model.ticks):,.0f} ticks/s"
        name = model.scenario.title or model.scenario.world.name
        score = score_of(model)
        self._show(name, told, score.value, score.most or None)


class Episodes(_Shown):
    """Progress of consecutive episodes, or of other things: called with the number done, and the total."""

    def __init__(self, console: Console, name: str, what: str = "episodes"):
        super().__init__(console)
        self._name, self._what = name, what

    def __call__(self, done: int, total: int) -> None:
        if self._is_due(done >= total):
            rate = self._rate(done)
            pace = f"{1 / rate:,.0f} s each" if 0 < rate < 0.5 else f"{rate:.1f} {self._what}/s"
            self._show(self._name, f"{done:,} of {total:,} {self._what}, {pace}", done, total)


class Training(_Shown):
    """Progress of a training, in CPU seconds of its budget."""

    def __init__(self, console: Console, name: str):
        super().__init__(console)
        self._name = name

    def __call__(self, now: "Trained") -> None:
        if self._is_due(now.seconds >= now.budget):
            told = f"{now.seconds:,.0f} of {now.budget:,.0f} CPU s, {now.told}"
            self._show(self._name, told, min(now.seconds, now.budget), now.budget)


class Compiling(_Shown):
    """Progress of compilation; a line is repeated where a kernel takes long."""

    def __init__(self, console: Console, name: str):
        super().__init__(console)
        self._name, self._over, self._latest = name, threading.Event(), ""

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def __enter__(self) -> Self:
        if not self._bar:
            threading.Thread(target=self._go_on, name="compiling", daemon=True).start()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        super().__exit__()

    def __call__(self, now: "Compiled") -> None:
        left = f", about {self.seconds * (1 - now.share) / now.share:,.0f} s left" if now.share > 0.02 else ""
        self._latest = f"kernel {min(now.done + 1, now.total)} of {now.total} ({now.kernel}){left}"
        if self._is_due(False):
            self._tell(int(100 * now.share))

    def _tell(self, done: int | None = None) -> None:
        told = self._latest if self._bar else f"{self._name}: {self._latest}, {self.seconds:.0f} s so far"
        self._show(self._name, told, done, 100)

    def _go_on(self) -> None:
        while not self._over.wait(SLOW_SECONDS):
            if self._latest and time.monotonic() > self._next + SLOW_SECONDS - PLAIN_SECONDS:
                self._tell()


class Counting(_Shown):
    """Progress of a batch."""

    def __init__(self, console: Console, name: str):
        super().__init__(console)
        self._name = name
        self._before: int | None = None

    def __call__(self, count: "Count") -> None:
        if self._before is None:  # trials of an earlier call cost no time in this one
            self._before, self._started = count.done, time.monotonic()
        if not self._is_due(count.done >= count.total):
            return
        share = f", {count.successes:,} succeed" if count.done else ""  # no rate: conditions are not pooled
        rate = self._rate(count.done - self._before)
        left = f", {(count.total - count.done) / rate:,.0f} s left" if rate and count.done < count.total else ""
        told = f"{count.done:,} of {count.total:,} trials{share}, {rate:,.0f} trials/s{left}"
        self._show(self._name, told, count.done, count.total)

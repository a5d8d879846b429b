"""Progress of a trial: a live bar on a terminal, plain lines elsewhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.model import Sandbox

PLAIN_SECONDS = 2.0  # between two plain lines
REDRAW_SECONDS = 0.1


class Live:
    """Called with the model after every tick; use it in a ``with``."""

    def __init__(self, console: Console):
        self._console = console
        told = TextColumn("{task.fields[told]}")
        columns = (TextColumn("{task.description}"), BarColumn(), told, TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = None
        self._next = self._started = time.monotonic()

    def __enter__(self) -> "Live":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, model: Sandbox) -> None:
        now = time.monotonic()
        if model.ticks == 0:
            self._started = now
        if now < self._next and model.running:
            return
        self._next = now + (REDRAW_SECONDS if self._bar else PLAIN_SECONDS)
        rate = model.ticks / max(now - self._started, 1e-9)
        told = f"tick {model.ticks}, {model.tasks_done} of {model.tasks_total or 'no end'} tasks, {rate:,.0f} ticks/s"
        if self._bar is None:
            self._console.print(told)
            return
        if self._task is None:
            self._task = self._bar.add_task(model.scenario.title or model.scenario.world.name, told="")
        self._bar.update(self._task, total=model.tasks_total or None, completed=model.tasks_done, told=told)

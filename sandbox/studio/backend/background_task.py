"""A task in a thread of its own, with progress and cancellation. It does not depend on Streamlit."""

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from sandbox.core.errors import SandboxError


class Progress(Protocol):
    """Progress of a task; nothing is done before it has ``compiled``."""

    done: int
    total: int
    compiling: bool


@dataclass(frozen=True)
class Report:
    """The state of a background task."""

    phase: Literal["working", "done", "stopped", "failed"] = "working"
    progress: Progress | None = None
    value: Any = None  # the result of the work
    error: str = ""  # why it failed, in one line
    seconds: float = 0.0  # so far
    left: float | None = None  # estimated remaining seconds


class Stopped(Exception):
    """Raised by work that was asked to stop."""


Work = Callable[[Callable[[Progress], None], Callable[[], bool]], Any]


class _Box:
    """The state that thread and task share. The thread has no reference to the task, so that a dropped task ends."""

    def __init__(self) -> None:
        self.report, self.stopped, self.finished = Report(), threading.Event(), threading.Event()
        self.began, self.played_from = time.monotonic(), 0.0


class BackgroundTask:
    """Starts ``work(on_progress, stop)`` at once. It is stopped when nothing refers to it, as after its session."""

    def __init__(self, work: Work):
        self._box = _Box()
        weakref.finalize(self, self._box.stopped.set)
        threading.Thread(target=_run, args=(self._box, work), name="sandbox-errand", daemon=True).start()

    def stop(self) -> None:
        """Ask it to end soon."""
        self._box.stopped.set()

    def wait(self, seconds: float) -> bool:
        """Wait for its end; returns whether it has ended."""
        return self._box.finished.wait(seconds)

    def peek(self) -> Report:
        """The latest report."""
        report = self._box.report
        if report.phase != "working":
            return report
        return replace(report, seconds=time.monotonic() - self._box.began, left=_left(self._box))


def _left(box: _Box) -> float | None:
    progress = box.report.progress
    if progress is None or progress.compiling or not progress.done:
        return None
    return (time.monotonic() - box.played_from) * (progress.total - progress.done) / progress.done


def _run(box: _Box, work: Work) -> None:
    def note(progress: Progress) -> None:
        if not progress.compiling and not box.played_from:
            box.played_from = time.monotonic()
        box.report = Report(progress=progress)

    try:
        value, error = work(note, box.stopped.is_set), ""
    except Stopped:
        value, error = None, ""
    except SandboxError as failure:
        value, error = None, str(failure)
    except Exception as failure:  # otherwise the thread would die silently, and the page wait for ever
        value, error = None, f"{type(failure).__name__}: {failure}"
    phase = "failed" if error else "stopped" if value is None and box.stopped.is_set() else "done"
    box.report = Report(phase, box.report.progress, value, error, time.monotonic() - box.began)
    box.finished.set()

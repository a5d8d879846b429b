"""A thread that does one job after the other while a page shows the result, and ends when none does."""

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.core.errors import SandboxError

SWITCH = 0.0005  # seconds of the interpreter's switch interval, instead of 5 ms: kernels release the GIL,
# and take it back at every call; they should not wait for a page that is drawn
HELD_UP = 1.0  # seconds after which a new command does not wait for the present job

Job = Callable[[], None]


class Worker(ABC):
    """A thread that does jobs, which a subclass defines. All fields are changed only under ``_changed``."""

    def __init__(self, idle: float):
        self._idle = idle  # seconds
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._job: Job | None = None  # the present one
        self._forsaken: dict[threading.Thread, Any] = {}
        self._closed = False
        self._looked = self._began = 0.0  # time of the last poll, time at which the present job began

    @abstractmethod
    def choose(self, now: float) -> tuple[Job | None, float]:
        """The next job, or None and the seconds until the next one."""

    @abstractmethod
    def failed(self, job: Job, words: str) -> None:
        """A job failed."""

    @abstractmethod
    def left(self, what: Any) -> None:
        """Called when a job ends that was abandoned with ``what``."""

    @abstractmethod
    def ended(self) -> None:
        """Called before the thread ends."""

    def _wake(self) -> None:
        """Note a poll, and wake the thread: there may be something to do."""
        self._looked = time.monotonic()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="sandbox-studio", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _leave(self, what: Any) -> bool:
        """Abandon the thread with ``what`` if a model that does not answer delays its job; returns whether it does.

        The thread ends with its job, and the next command starts another one.
        """
        held_up = isinstance(self._job, partial) and what in self._job.args and time.monotonic() - self._began > HELD_UP
        if held_up:
            self._forsaken[self._thread] = what
            self._thread = self._job = None
        return held_up

    def _run(self) -> None:
        sys.setswitchinterval(SWITCH)
        while self._work():
            pass

    def _work(self) -> bool:
        """Do the next job; False to end the thread. (A separate call, so that no reference to an old job remains.)"""
        job = self._wait()
        if job is None:
            return False
        try:
            job()
        except SandboxError as error:
            self.failed(job, str(error))
        except Exception as error:  # otherwise the thread would die silently, and the page wait for ever
            self.failed(job, f"{type(error).__name__}: {error}")
        with self._changed:
            what = self._forsaken.pop(threading.current_thread(), None)
            if what is None:
                self._job = None
                self._changed.notify_all()
                return True
        self.left(what)
        return False

    def _wait(self) -> Job | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                left = self._looked + self._idle - now
                if left <= 0:
                    break
                job, pause = self.choose(now)
                if job:
                    self._job, self._began = job, now
                    return job
                self._changed.wait(min(pause, left))
            self._thread = None
        self.ended()
        return None

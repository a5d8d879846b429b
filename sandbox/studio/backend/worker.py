"""A thread that does one job after the other while a page shows the result, and ends when none does."""

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sandbox.core.errors import SandboxError

SWITCH = 0.0005  # seconds after which who computes hands the interpreter on, in place of 5 ms: kernels, which run
# without it, ask for it back at every call, and should not wait while a page is drawn
HELD_UP = 1.0  # seconds after which a job is not waited for by who wants something else

Job = Callable[[], None]


class Worker:
    """What it does next is its subclass's to say, in ``choose``; all of its fields change under ``_changed`` only."""

    def __init__(self, idle: float):
        self._idle = idle  # seconds
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._job: Job | None = None  # the present one
        self._forsaken: dict[threading.Thread, Any] = {}
        self._closed = False
        self._looked = self._began = 0.0  # when somebody looked, when the present job began

    def choose(self, now: float) -> tuple[Job | None, float]:
        """The next job, or None and the seconds until the next one."""
        raise NotImplementedError

    def failed(self, job: Job, words: str) -> None:
        """A job failed."""
        raise NotImplementedError

    def left(self, what: Any) -> None:
        """The job is done with something that the thread was left with."""
        raise NotImplementedError

    def ended(self) -> None:
        """The thread is about to end."""
        raise NotImplementedError

    def _wake(self) -> None:
        """Somebody looks: there may be something to do."""
        self._looked = time.monotonic()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="sandbox-studio", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _leave(self, what: Any) -> bool:
        """Leave the thread with something that its job has been held up with, by a model that does not answer; whether
        it is. It ends with the job, and the next order starts another one."""
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
        """Do the next job; False when the thread is to end. (A call of its own, so that no old job is held on to.)"""
        job = self._wait()
        if job is None:
            return False
        try:
            job()
        except SandboxError as error:
            self.failed(job, str(error))
        except Exception as error:  # or the thread would die in silence, and the page wait for ever
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

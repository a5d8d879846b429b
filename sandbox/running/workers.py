"""Where work runs: on threads or processes here, or on a Dask or Ray cluster (extras of these names).

All are executors of ``concurrent.futures``, so that one loop, ``Work``, serves them all. What a job comes to depends on
nothing but its arguments, so that it can be done again wherever a worker dies. Processes here end with their parent.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from functools import cache
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any, Generic, Self, TypeVar

from sandbox.core.errors import SandboxError, UsageError, shown
from sandbox.core.interrupts import uninterrupted
from sandbox.engine.pool import Playing, cores

PATIENCE = 10  # seconds until a cluster must have answered
AHEAD = 2  # jobs for each worker that are handed out: enough to keep it busy, few enough to keep memory flat
ROUND = 0.2  # seconds at most that nothing is said of work that goes on, and that Ctrl-C waits

Assignment = TypeVar("Assignment")


class Workers:
    """Some executor and how many chunks it works on at a time; use it in a ``with``.

    ``on`` is None for this machine, ``dask://host:port``, ``ray://host:port``, or ``ray`` for a Ray of its own here;
    ``compiled`` chunks hold no interpreter lock. Raises UsageError where the cluster or its package is not there.
    """

    def __init__(self, on: str | None, compiled: bool, count: int | None = None):
        self._on, self._compiled, self._count = on, compiled, count
        self._playing = Playing()
        self.executor, self.count = self._start()

    def _start(self) -> tuple[Executor, int]:
        if self._on is not None and not isinstance(self._on, str):
            raise UsageError(f"--on {shown(self._on)}: expected dask://host:port, ray://host:port or ray")
        kind, _, address = (self._on or "local").partition("://")
        if kind == "local" and not address:
            count = self._count or cores()
            return self._threads(count) if self._compiled else _processes(count), count
        if kind == "dask" and address:
            executor, count = _dask(f"tcp://{address}")
        elif kind == "ray":
            executor, count = _ray(f"ray://{address}" if address else "local", self._count)
        else:
            raise UsageError(f"--on {self._on}: expected dask://host:port, ray://host:port or ray")
        return executor, self._count or count

    def _threads(self, count: int) -> Executor:
        return ThreadPoolExecutor(count, initializer=self._playing.adopt)

    def restart(self) -> None:
        """Go on with a new executor: the old one is broken."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor, self.count = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with uninterrupted():
            if kind and isinstance(self.executor, _Processes):
                self.executor.terminate()
            self.executor.shutdown(wait=False, cancel_futures=True)
            self._playing.halt()  # else the process would end only when the last chunk does


class Work(Generic[Assignment]):
    """Hands jobs out to workers, never more than a few at a time.

    A job's own trouble belongs into what it comes to. What else goes wrong is a worker's: a job that a worker died over
    is done once more with nothing beside it, then in ``parts``, so that what kills its worker each time is found.
    """

    def __init__(
        self,
        crew: Workers,
        function: Callable,
        arguments: Callable[[Assignment], tuple],
        parts: Callable[[Assignment], list[Assignment]],
    ):
        self._crew, self._function, self._arguments, self._parts = crew, function, arguments, parts
        self._running: dict[Future, Assignment] = {}
        self._suspects: deque[Assignment] = deque()  # to be done with nothing beside them
        self._again: set[Assignment] = set()  # all that ever were

    def rounds(self, todo: Iterator[Assignment]) -> Iterator[list[tuple[Assignment, Any]]]:
        """What is done, again and again until all is: jobs, each with what it came to, or the error of its worker.

        The first list is empty, and so is one after each ``ROUND`` in which nothing was done. A SandboxError that a job
        raises is raised here.
        """
        found: list[tuple[Assignment, Any]] = []
        while True:
            with uninterrupted():
                self._hand_out(todo)
            yield found
            if not self._running:
                return
            alone, found = len(self._running) == 1, []
            with uninterrupted():
                ended = [(self._running.pop(future), future, future.exception()) for future in self._done()]
            for job, future, error in ended:
                if error is None:
                    found.append((job, future.result()))
                elif isinstance(error, SandboxError):
                    raise error
                elif more := self._suspected(job, alone):
                    self._suspects.extend(more)
                else:
                    found.append((job, error))

    def _hand_out(self, todo: Iterator[Assignment]) -> None:
        if self._suspects:
            todo = iter([self._suspects.popleft()] if not self._running else [])
        for job in islice(todo, self._crew.count * AHEAD - len(self._running)):
            self._running[self._submit(*self._arguments(job))] = job

    def _submit(self, *own: Any) -> Future:
        try:
            return self._crew.executor.submit(self._function, *own)
        except BrokenExecutor as error:  # it broke since it was last heard of
            future: Future = Future()
            future.set_exception(error)
            return future

    def _done(self) -> set[Future]:
        done = wait(self._running, ROUND, FIRST_COMPLETED).done
        if any(isinstance(future.exception(), BrokenExecutor) for future in done):
            done = wait(self._running).done  # a broken executor fails them all
            self._crew.restart()
        return done

    def _suspected(self, job: Assignment, alone: bool) -> list[Assignment]:
        """What is to be done again of a job that a worker died over; nothing where it is the job that kills it."""
        if not (alone and job in self._again):
            again = [job]
        elif len(again := self._parts(job)) == 1:
            return []
        self._again |= {*again}
        return again


def _processes(count: int) -> "_Processes":
    return _Processes(count, multiprocessing.get_context("spawn"), end_with_parent)


def end_with_parent() -> None:
    """From now on this process ends, whatever it is doing, when the one that started it is gone, however that died."""
    threading.Thread(target=_outlive_nobody, name="parent", daemon=True).start()


def _outlive_nobody() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()  # a pipe whose other end only the parent has
    os._exit(1)


class _Processes(ProcessPoolExecutor):
    """Processes that leave Ctrl-C to this one, which ends them: each would say where it was, and some would go on."""

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        resource_tracker.ensure_running()  # which would let the signal in again
        with _blocked(signal.SIGINT):  # processes are started here, and inherit it
            return super().submit(function, *args, **kwargs)

    def terminate(self) -> None:
        """End them in the middle of what they do."""
        for process in list((self._processes or {}).values()):
            process.terminate()


@contextmanager
def _blocked(number: int) -> Iterator[None]:
    """A signal waits until this is over; in processes that are started meanwhile, for ever."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, whose processes do not inherit it
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _missing(extra: str, error: ModuleNotFoundError) -> UsageError:
    return UsageError(f"{error.name} is missing for --on {extra}: pip install 'sandbox[{extra}]'")


def _dask(address: str) -> tuple[Executor, int]:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise _missing("dask", error) from None
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UsageError(f"--on dask: no scheduler answers at {address} ({type(error).__name__})") from None
    client.wait_for_workers(1, timeout=PATIENCE)
    return _DaskExecutor(client), sum(client.nthreads().values())


class _DaskExecutor(Executor):
    """Dask's own executor, which gives its client back at the end."""

    def __init__(self, client: Any):
        self._client, self._executor = client, client.get_executor(pure=False)

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        return self._executor.submit(function, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


def _ray(address: str, count: int | None) -> tuple[Executor, int]:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise _missing("ray", error) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told what is run here
    local = {"num_cpus": count or cores(), "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="error", ignore_reinit_error=True, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"--on {address}: no Ray answers there ({type(error).__name__})") from None
    return _RayExecutor(ray), int(ray.cluster_resources().get("CPU", 1))


class _RayExecutor(Executor):
    """Tasks of Ray as futures; a task whose worker dies is played again by Ray itself, three times."""

    def __init__(self, ray: Any):
        self._ray, self._remote = ray, cache(ray.remote)
        self._running: set[Any] = set()

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        reference = self._remote(function).remote(*args, **kwargs)
        self._running.add(reference)
        future = reference.future()
        future.add_done_callback(lambda _: self._running.discard(reference))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for reference in list(self._running) if cancel_futures else ():
            self._ray.cancel(reference)
        self._ray.shutdown()

"""Where work runs: on threads or processes here, or on a Dask or Ray cluster (extras of these names).

All are executors of ``concurrent.futures``, so that one loop, ``Work``, serves them all. The result of a job depends
only on its arguments, so that it can be repeated after a worker died. Processes here end with their parent.
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
AHEAD = 2, 16  # jobs in progress for each worker: hosted, and compiled, which must last while the disk is slow
ROUND = 0.2  # seconds between two reports of continuing work, at most; also the delay of Ctrl-C

Assignment = TypeVar("Assignment")


class Workers:
    """An executor and the number of chunks it works on at a time; use it in a ``with``.

    ``on`` is None for this machine, ``dask://host:port``, ``ray://host:port``, or ``ray`` for a new Ray instance here;
    ``compiled`` chunks do not hold the GIL. Raises UsageError if the cluster or its package is missing.
    """

    def __init__(self, on: str | None, compiled: bool, count: int | None = None):
        self._on, self._compiled, self._count = on, compiled, count
        self.ahead = AHEAD[compiled]  # jobs in progress for each worker
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
        """Continue with a new executor after the old one broke."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor, self.count = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with uninterrupted():
            if kind and isinstance(self.executor, _Processes):
                self.executor.terminate()
            self.executor.shutdown(wait=False, cancel_futures=True)
            self._playing.halt()  # otherwise the process would end only with the last chunk


class Work(Generic[Assignment]):
    """Distributes jobs to workers, a few at a time.

    A job returns its own errors as its result. Other errors are those of workers: a job whose worker died is repeated
    alone, then in ``parts``, so that a part that always kills its worker is found.
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
        self._suspects: deque[Assignment] = deque()  # to be repeated alone
        self._again: set[Assignment] = set()  # all former suspects

    def rounds(self, todo: Iterator[Assignment]) -> Iterator[list[tuple[Assignment, Any]]]:
        """Lists of finished jobs until all are done: each with its result, or the error of its worker.

        The first list is empty, and so is the list after each ``ROUND`` without a finished job. A SandboxError of a job
        is raised here.
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
        for job in islice(todo, self._crew.count * self._crew.ahead - len(self._running)):
            self._running[self._submit(*self._arguments(job))] = job

    def _submit(self, *own: Any) -> Future:
        try:
            return self._crew.executor.submit(self._function, *own)
        except BrokenExecutor as error:  # it broke since the last check
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
        """The jobs to repeat after a worker died over one; none if the job itself is the cause."""
        if not (alone and job in self._again):
            again = [job]
        elif len(again := self._parts(job)) == 1:
            return []
        self._again |= {*again}
        return again


def _processes(count: int) -> "_Processes":
    return _Processes(count, multiprocessing.get_context("spawn"), end_with_parent)


def end_with_parent() -> None:
    """From now on, end this process at once when its parent has ended, for whatever reason."""
    threading.Thread(target=_outlive_nobody, name="parent", daemon=True).start()


def _outlive_nobody() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()  # waits at a pipe whose other end only the parent holds
    os._exit(1)


class _Processes(ProcessPoolExecutor):
    """Processes that ignore Ctrl-C, since this one ends them; otherwise each would print a traceback."""

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        resource_tracker.ensure_running()  # it would unblock the signal
        with _blocked(signal.SIGINT):  # processes started here inherit this
            return super().submit(function, *args, **kwargs)

    def terminate(self) -> None:
        """Kill the processes."""
        for process in list((self._processes or {}).values()):
            process.terminate()


@contextmanager
def _blocked(number: int) -> Iterator[None]:
    """Block a signal meanwhile; processes started inside keep it blocked."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, whose processes do not inherit signal masks
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
    """Dask's own executor, which closes its client at the end."""

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
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # sends no usage statistics
    local = {"num_cpus": count or cores(), "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level="error", ignore_reinit_error=True, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UsageError(f"--on {address}: no Ray answers there ({type(error).__name__})") from None
    return _RayExecutor(ray), int(ray.cluster_resources().get("CPU", 1))


class _RayExecutor(Executor):
    """Tasks of Ray as futures; Ray itself repeats a task whose worker dies, up to three times."""

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

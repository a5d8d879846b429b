"""Where chunks of a batch run: here on threads or processes, or on a Dask or Ray cluster (extras of these names).

All are executors of ``concurrent.futures``, so that one loop serves them all, and what a chunk comes to depends on
nothing but its scenario and its seeds.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

from sandbox.core.errors import UsageError, shown
from sandbox.engine.pool import Playing, cores

SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 10  # seconds until a cluster must have answered


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
            return self._threads(count) if self._compiled else _Processes(
                count, multiprocessing.get_context("spawn")
            ), count
        if kind == "dask" and address:
            executor, count = _dask(f"tcp://{address}")
        elif kind == "ray":
            executor, count = _ray(self._on if address else "local", self._count)
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
        if kind and isinstance(self.executor, _Processes):
            self.executor.terminate()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self._playing.halt()  # else the process would end only when the last chunk does


class _Processes(ProcessPoolExecutor):
    """Processes that leave Ctrl-C to this one, which ends them: each would say where it was, and some would go on."""

    def submit(self, function, /, *args, **kwargs) -> Future:
        with _ignored(signal.SIGINT):  # processes are started here, and inherit it
            return super().submit(function, *args, **kwargs)

    def terminate(self) -> None:
        """End them in the middle of what they do."""
        for process in list((self._processes or {}).values()):
            process.terminate()


@contextmanager
def _ignored(number: int) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


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

    def submit(self, function, /, *args, **kwargs) -> Future:
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
        self._ray, self._remote, self._running = ray, cache(ray.remote), set()

    def submit(self, function, /, *args, **kwargs) -> Future:
        reference = self._remote(function).remote(*args, **kwargs)
        self._running.add(reference)
        future = reference.future()
        future.add_done_callback(lambda _: self._running.discard(reference))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for reference in list(self._running) if cancel_futures else ():
            self._ray.cancel(reference)
        self._ray.shutdown()

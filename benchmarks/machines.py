"""Batches on Dask and Ray: throughput on one and two workers here, what a chunk costs, and what 100 machines would do.

The web's trials are the cheapest, so that nothing else shows as clearly what it costs to hand chunks out and take their
results. Dask's scheduler and workers are processes of their own, as on a cluster.
"""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil
from distributed import Client

import sandbox
from benchmarks.report import Figure
from benchmarks.trees import HERE
from sandbox.running.batch import Progress, play_chunk
from sandbox.running.episodes import LANES
from sandbox.running.workers import Work, Workers
from sandbox.scenario import load

WEB = {"world": {"name": "web", "layout": "all"}, "agents": [{"count": 1, "reasoner": "rules"}]}
WAREHOUSE = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
SPANS = 5  # of a batch, each measured by itself
MACHINES, CORES = (1, 10, 100), 2  # as many cores as here
JOBS = 400  # empty chunks


class Cluster(NamedTuple):
    """A cluster of this machine: how ``--on`` calls it, and who works for it."""

    on: str | None
    workers: Callable[[], list[psutil.Process]]
    scheduler: Callable[[], list[psutil.Process]]  # of Ray: its services


@contextmanager
def here(workers: int) -> Iterator[Cluster]:
    """Threads of this process."""
    yield Cluster(None, list, list)


@contextmanager
def dask(workers: int) -> Iterator[Cluster]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "scheduler.json"
        common = ["--scheduler-file", str(file), "--no-dashboard"]

        def start(*words: str) -> psutil.Process:
            env = os.environ | {"PYTHONPATH": str(HERE)}
            command = [sys.executable, "-m", "distributed.cli." + words[0], *common, *words[1:]]
            process = subprocess.Popen(
                command, env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return psutil.Process(process.pid)

        scheduler = start("dask_scheduler", "--port", "0", "--host", "127.0.0.1")
        crew = [start("dask_worker", "--nthreads", "1", "--no-nanny") for _ in range(workers)]
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(workers)
            address = client.scheduler.address.replace("tcp://", "dask://")
        yield Cluster(address, lambda: crew, lambda: [scheduler])


@contextmanager
def ray(workers: int) -> Iterator[Cluster]:
    """Ray starts with the batch; its processes are children of this one."""
    os.environ["PYTHONPATH"] = str(HERE)

    def named(is_worker: bool) -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [one for one in children if " ".join(one.cmdline()).startswith("ray::") == is_worker]

    yield Cluster("ray", lambda: named(True), lambda: named(False))


class Spent(NamedTuple):
    """A moment of a batch: trials done, seconds on the clock, and of CPU of driver, workers and scheduler so far."""

    done: int
    clock: float
    driver: float
    workers: float
    scheduler: float


def spent(done: int, cluster: Cluster) -> Spent:
    def cpu(processes: list[psutil.Process]) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    return Spent(done, time.perf_counter(), time.process_time(), cpu(cluster.workers()), cpu(cluster.scheduler()))


def measured(cluster: Cluster, scenario: dict, workers: int, trials: int) -> list[Spent]:
    """The moments between the spans of a batch, the first after a tenth of them: the workers are ready then.

    The batch is stopped before its last chunk, since its root would be of another kind of work.
    """
    marks, found = [trials // 10 + k * (trials - trials // 10) // SPANS for k in range(SPANS + 1)], []

    def told(progress: Progress) -> bool:
        if progress.done >= marks[len(found)]:
            found.append(spent(progress.done, cluster))
        return len(found) == len(marks)

    with TemporaryDirectory() as folder:
        more = 4 * workers * LANES
        sandbox.batch(scenario, Path(folder) / "b", trials + more, workers, cluster.on, on_progress=told)
    return found


KINDS = {"here": here, "dask": dask, "ray": ray}


class Cost(NamedTuple):
    """CPU milliseconds that a chunk takes of each, by span."""

    driver: list[float]
    workers: list[float]
    scheduler: list[float]


def parts(moments: list[Spent]) -> tuple[list[float], Cost]:
    """Trials a second, and the cost of a chunk, both by span."""
    spans = [Spent(*(b - a for a, b in zip(one, other, strict=True))) for one, other in pairwise(moments)]
    each = ([1e3 * LANES * getattr(span, who) / span.done for span in spans] for who in Cost._fields)
    return [span.done / span.clock for span in spans], Cost(*each)


def throughput(quick: bool, trials: int | None) -> list[Figure]:
    """Trials a second of the web by spans of one batch, what a chunk takes of whom, and what follows for machines."""
    count, figures, found = trials or (200_000 if quick else 10_000_000), [], {}
    for kind, start in KINDS.items():
        for workers in (1, 2):
            with start(workers) as cluster:
                rates, cost = parts(measured(cluster, WEB, workers, count))
            name = f"{kind}, {workers} worker{'s' * (workers > 1)}"
            figures.append(Figure(name, "trials/s", rates, beside=figures[0] if figures else None))
            if cluster.on and workers == 1:
                found["web", kind] = cost
                figures += [Figure(f"{name}, {who}", "CPU ms/chunk", each) for who, each in cost._asdict().items()]
    for kind in ("dask", "ray"):
        with KINDS[kind](1) as cluster:
            found["warehouse", kind] = parts(measured(cluster, WAREHOUSE, 1, max(100_000, count // 50)))[1]
    return figures + [each for (world, kind), cost in found.items() for each in computed(f"{kind}, {world}", cost)]


def computed(name: str, cost: Cost) -> list[Figure]:
    """Trials a second by MACHINES: a chunk in the time that the slowest part takes, each on cores of its own."""
    one, found = {who: median(each) / 1e3 for who, each in cost._asdict().items()}, []  # CPU seconds
    for machines in MACHINES:
        takes = one | {"workers": one["workers"] / (machines * CORES)}
        limit = max(takes, key=takes.get)
        told = f"computed, not measured: {name}, {machines} x {CORES} workers, limited by {limit}"
        found.append(Figure(told, "trials/s", [LANES / takes[limit]]))
    return found


def nothing(*chunk) -> None:
    """A chunk without trials."""


@cache
def _played(scenario: str) -> Any:
    return play_chunk(scenario, 0, LANES)


def result(scenario: str, *chunk) -> Any:
    """The result of a chunk, played once for all."""
    return _played(scenario)


def overhead(quick: bool, trials: int | None) -> list[Figure]:
    """What a chunk takes on the clock without its trials: one worker, as many chunks at once as in a batch."""
    text, figures = load(WEB).model_dump_json(), []
    size = Figure("a chunk's result, pickled", "kB", [len(pickle.dumps(play_chunk(text, 0, LANES))) / 1e3])
    for kind in ("dask", "ray"):
        with KINDS[kind](1) as cluster, Workers(cluster.on, compiled=True, count=1) as crew:
            for work in (nothing, result):
                rounds = []
                for _ in range(3 if quick else 7):
                    jobs = Work(crew, work, lambda job: (text, job, job + LANES), lambda job: [job])
                    begun = time.perf_counter()
                    for _ in jobs.rounds(iter(range(JOBS))):
                        pass
                    rounds.append(1e3 * (time.perf_counter() - begun) / JOBS)
                what = "an empty chunk" if work is nothing else "a chunk that only returns its result"
                figures.append(Figure(f"{kind}, {what}", "ms", rounds))
    return [size, *figures]


PEERS = ("dask", "distributed", "ray")
OPTIONS = {"--trials": {"type": int, "metavar": "N", "help": "of each batch of the web, instead of ten million"}}
SPEEDS = {"throughput": throughput, "overhead": overhead}

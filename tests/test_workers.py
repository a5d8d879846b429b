"""Batches on threads, processes, Dask and Ray: identical tables, and a worker that dies loses nothing."""

import asyncio
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import numpy as np
import pandas as pd
import psutil
import pytest
import ray
from distributed import LocalCluster

import sandbox
from sandbox.agents.llm.hosted import _loop, _wait_for
from sandbox.core.errors import SandboxError, UsageError
from sandbox.engine.pool import over_lanes
from sandbox.running import batch as batches
from sandbox.running import workers
from sandbox.running.workers import Work, Workers

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 60},
    "agents": [{"count": 4, "reasoner": "rules"}],
    "sweep": {"world.deliveries": [1, 2]},
}
SCRIPTED = {
    "world": {"name": "warehouse", "layout": "tiny", "max_ticks": 150},
    "agents": [{"count": 1, "reasoner": "rules"}, {"count": 1, "reasoner": "scripted", "script": ["left"]}],
}


def _rows(folder) -> pd.DataFrame:
    return sandbox.results(folder).drop(columns="seconds")


@pytest.fixture(scope="module")
def dask():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def here(tmp_path_factory) -> dict[str, pd.DataFrame]:
    """What this machine's threads and processes make of the two scenarios."""
    folder = tmp_path_factory.mktemp("here")
    return {
        "compiled": _rows(sandbox.batch(SCENARIO, folder / "compiled", trials=3000)),
        "hosted": _rows(sandbox.batch(SCRIPTED, folder / "hosted", trials=40, workers=2)),
    }


INSIDE = {module.__file__ for module in (threading, concurrent.futures._base, concurrent.futures.thread)}


def _moments(play: Callable[[], object], interrupted_at: int = 0) -> int:
    """Play something, with Ctrl-C at one of the moments at which the main thread is inside pools, futures and locks.

    Returns how many such moments there were: each line there, and each call and return.
    """
    moments = 0

    def trace(frame, event, _):
        nonlocal moments
        if frame.f_code.co_filename not in INSIDE or frame.f_code.co_name == "weakref_cb":  # where Python drops it
            return None
        moments += 1
        if moments == interrupted_at:
            signal.raise_signal(signal.SIGINT)
        return trace

    sys.settrace(trace)
    try:
        play()
    finally:
        sys.settrace(None)
    return moments


def _worked() -> None:
    with Workers(None, compiled=True, count=2) as crew:
        done = [one for found in Work(crew, abs, lambda job: (job,), lambda job: [job]).rounds(iter(range(6)))
                for one in found]  # fmt: skip
    assert sorted(done) == [(job, job) for job in range(6)]


def _over_lanes() -> None:
    assert over_lanes(lambda start, stop: stop - start, 40, np.full(1, 100), threads=2) == 40


@pytest.mark.parametrize("play", [_worked, _over_lanes])
def test_ctrl_c_at_any_moment_leaves_no_thread_waiting(play):
    """A thread that waits for a lock which nobody gives back would keep the process from ending."""
    before, all_of_them, interrupted = set(threading.enumerate()), _moments(play), 0
    assert all_of_them > 300
    for moment in range(1, all_of_them, 3):
        try:
            _moments(play, moment)  # fewer than before, if the threads were faster
        except KeyboardInterrupt:
            interrupted += 1
        for thread in set(threading.enumerate()) - before:
            thread.join(10)
            assert not thread.is_alive(), f"Ctrl-C at moment {moment} of {all_of_them}"
    assert interrupted > all_of_them / 3 / 2


def test_ctrl_c_at_any_moment_leaves_language_models_able_to_answer():
    def asked():
        _wait_for(asyncio.sleep(0.01))

    for moment in range(1, _moments(asked), 2):
        with suppress(KeyboardInterrupt):
            _moments(asked, moment)
        assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0), _loop()).result(10) is None


def test_ctrl_c_is_not_lost_while_processes_begin(monkeypatch):
    monkeypatch.setattr(ProcessPoolExecutor, "submit", lambda *_: signal.raise_signal(signal.SIGINT) or Future())
    with pytest.raises(KeyboardInterrupt), Workers(None, compiled=False, count=1) as crew:
        crew.executor.submit(abs, 1)


def _killing(victims, told):
    """A callback that kills one worker once some trials are done."""

    def kill(progress):
        if progress.done and not told:
            told.append(next(pid for pid in victims() if pid != os.getpid()))
            os.kill(told[0], signal.SIGKILL)

    return kill


def _address(cluster: LocalCluster) -> str:
    return cluster.scheduler_address.replace("tcp://", "dask://")


def test_dask_gives_the_same_table_also_when_a_worker_is_killed(dask, here, tmp_path):
    folder = sandbox.batch(SCENARIO, tmp_path / "compiled", trials=3000, on=_address(dask))
    pd.testing.assert_frame_equal(_rows(folder), here["compiled"])
    killed = []
    kill = _killing(lambda: [worker.pid for worker in dask.workers.values()], killed)
    folder = sandbox.batch(SCRIPTED, tmp_path / "hosted", trials=40, on=_address(dask), on_progress=kill)
    assert killed
    pd.testing.assert_frame_equal(_rows(folder), here["hosted"])


def _ray_workers() -> list[int]:
    children = psutil.Process().children(recursive=True)
    return [process.pid for process in children if "ray::play_chunk" in " ".join(process.cmdline())]


def test_ray_gives_the_same_table_also_when_a_worker_is_killed(here, tmp_path, monkeypatch):
    """Two batches on one Ray, which takes seconds to start: only the second one shuts it down."""
    killed = []

    def kill(progress):
        if progress.done and not killed and (found := _ray_workers()):
            killed.append(found[0])
            os.kill(found[0], signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(ray, "shutdown", lambda: None)
        folder = sandbox.batch(SCRIPTED, tmp_path / "hosted", trials=40, on="ray", on_progress=kill)
    assert killed
    pd.testing.assert_frame_equal(_rows(folder), here["hosted"])
    folder = sandbox.batch(SCENARIO, tmp_path / "compiled", trials=3000, on="ray")
    pd.testing.assert_frame_equal(_rows(folder), here["compiled"])
    assert not ray.is_initialized()


def test_a_local_process_that_is_killed_loses_nothing(here, tmp_path):
    def victims():
        return [child.pid for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]

    killed = []
    folder = sandbox.batch(SCRIPTED, tmp_path / "b", trials=40, workers=2, on_progress=_killing(victims, killed))
    assert killed
    pd.testing.assert_frame_equal(_rows(folder), here["hosted"])


PARENT = """
import signal
import time
from sandbox.running.workers import Workers
if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it would be ignored
    with Workers(None, False, 2) as crew:
        for future in [crew.executor.submit(time.sleep, 0.5) for _ in range(4)]:
            future.result()
        busy = [crew.executor.submit(time.sleep, 1000) for _ in range(2)]
        time.sleep(0.5)
        print(*crew.executor._processes, flush=True)
        busy[0].result()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_processes_end_with_their_parent_however_it_dies(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py")]
    numbers = signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
    parents = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in numbers]
    for parent, number in zip(parents, numbers, strict=True):
        workers = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) == 2 and set(workers) <= set(family)
        parent.send_signal(number)
        assert parent.wait() == -number
        assert not psutil.wait_procs(family, timeout=20)[1]


class _Mortal:
    """Workers that die over the trials of ``deadly``; the first chunk is slow, so that it dies with them."""

    def __init__(self, deadly: set[int]):
        self.deadly, self.restarts, self.count, self.ahead = deadly, 0, 2, 2
        self.executor, self._slow, self._broken = self, None, False

    def submit(self, function, scenario, start, stop, sources):
        if self._broken:
            raise BrokenProcessPool("died before")
        future = Future()
        if self.deadly & set(range(start, stop)):
            self._broken = True
            for each in filter(None, (self._slow, future)):
                each.set_exception(BrokenProcessPool("died"))
            self._slow = None
        elif start == 0 and self.restarts == 0 and self.deadly:
            self._slow = future
        else:
            future.set_result(function(scenario, start, stop, sources))
        return future

    def restart(self) -> None:
        self.restarts += 1
        self._broken = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_a_trial_that_kills_its_worker_is_a_row_and_harms_no_other(here, tmp_path, monkeypatch):
    crew = _Mortal({13})
    monkeypatch.setattr(batches, "Workers", lambda *_: crew)
    rows = _rows(sandbox.batch(SCRIPTED, tmp_path / "b", trials=40))
    assert crew.restarts == 3 and rows["error"].notna().sum() == 1
    assert (rows["finish"][13], rows["error"][13]) == ("error", "its worker died: BrokenProcessPool")
    others = [k for k in range(40) if k != 13]
    pd.testing.assert_frame_equal(rows.loc[others], here["hosted"].loc[others])
    crew.deadly = set()  # the same call tries it once more
    pd.testing.assert_frame_equal(_rows(sandbox.batch(SCRIPTED, tmp_path / "b", trials=40)), here["hosted"])


def test_workers_that_cannot_play_at_all_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "Workers", lambda *_: _Mortal(set(range(40))))
    with pytest.raises(SandboxError, match="no worker can play a trial: BrokenProcessPool"):
        sandbox.batch(SCRIPTED, tmp_path / "b", trials=40)


def test_a_worker_with_other_sources_is_refused():
    with pytest.raises(SandboxError, match="another version of sandbox"):
        batches.play_chunk("{}", 0, 1, "0123456789abcdef")


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ("dask://127.0.0.1:1", "no scheduler answers at tcp://127.0.0.1:1"),
        ("ray://127.0.0.1:1", "no Ray answers there"),
        ("dask", "expected dask://host:port, ray://host:port or ray"),
        ("slurm://x", "expected dask://host:port"),
    ],
)
def test_a_cluster_that_is_not_there_is_told(on, told, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 1)
    with pytest.raises(UsageError, match=told):
        sandbox.batch(SCENARIO, tmp_path / "b", trials=1, on=on)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("extra", "on"), [("dask", "dask://127.0.0.1:1"), ("ray", "ray")])
def test_a_missing_extra_is_named(extra, on, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed" if extra == "dask" else "ray", None)
    with pytest.raises(UsageError, match=rf"pip install 'sandbox\[{extra}\]'"):
        Workers(on, True)


def test_here_compiled_chunks_run_on_threads():
    with Workers(None, True, 3) as crew:
        assert isinstance(crew.executor, ThreadPoolExecutor) and crew.count == 3
        assert crew.executor.submit(time.monotonic).result() > 0

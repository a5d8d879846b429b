"""Compiling in two processes: the same kernels, each once; either may end at any time, and none is left over."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.core.world_model import WorldModel
from sandbox.engine import cache, parallel
from sandbox.engine.environment import make
from sandbox.engine.parallel import Job, TeamKernels, _jobs, compile_teams

ROOT = Path(__file__).resolve().parents[1]
WORLD = str(ROOT / "examples/minimal_world.py")
PLAYED = """
import json, os, sys, time
import numba.core.event as event
import sandbox
from sandbox.engine import cache, parallel
from sandbox.engine.environment import make

parallel.WORTH = 0
{setting}
started, popen = [], parallel.subprocess.Popen
def begun(*given, **named):
    started.append(popen(*given, **named))
    return started[-1]
parallel.subprocess.Popen = begun
env = make({world!r})
with event.install_recorder("numba:compile") as heard:
    state, _ = env.play([1], "rules", ticks=20)
    digest = env.digest(state)
ended = [each.data for _, each in heard.buffer if each.is_end]
own = [(each["dispatcher"].py_func.__qualname__, each["entry"], str(each["args"])) for each in ended]
found = {{"digest": digest, "own": own, "started": len(started)}}
found["ended"] = all(each.returncode is not None for each in started)
found["stored"] = len([name for name in os.listdir(cache.folder) if name.endswith(".nbc")])
found["left"] = [name for name in os.listdir(cache.folder) if not name.endswith(".nbc") and name != "claims"]
print(json.dumps(found))
"""


def played(folder: Path, setting: str = "") -> dict:
    """Play an episode in a new process; with what it compiled itself."""
    env = {**os.environ, "SANDBOX_CACHE": str(folder)}
    command = [sys.executable, "-c", PLAYED.format(setting=setting, world=WORLD)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


ALONE = "parallel.cores = lambda: 1"


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict:
    return played(tmp_path_factory.mktemp("alone"), ALONE)


@pytest.mark.skipif(not cache.CLAIMS, reason="no second process without locks")
def test_two_processes_compile_each_kernel_once_and_play_the_same(alone, tmp_path):
    """The second process starts late for a small world, so the first one waits for it here."""
    setting = "work = parallel._work\nparallel._work = lambda jobs: (time.sleep(5), work(jobs))"
    found = played(tmp_path, setting)
    assert (found["digest"], found["stored"]) == (alone["digest"], alone["stored"])
    assert alone["started"] == 0 and found["started"] == 1 and found["ended"] and not found["left"]
    assert len(found["own"]) < len(alone["own"]) == len({tuple(each) for each in alone["own"]})


def test_nothing_is_started_where_all_is_stored_or_little_is_missing(tmp_path):
    assert played(tmp_path, "parallel.WORTH = 1e9")["started"] == 0
    again = played(tmp_path)
    assert again["started"] == 0 and not again["own"]


LATE = "import threading, os; threading.Timer(2.5, os._exit, [9]).start(); take_part()"
FULL = "from sandbox.engine import cache; cache.write = lambda *_: False; take_part()"
FAILS = {
    "deaf": "import sys, time; sys.stdin.close(); time.sleep(60)",
    "idle": "import pickle, sys, time; pickle.load(sys.stdin.buffer); pickle.load(sys.stdin.buffer); time.sleep(60)",
    "killed at work": parallel.SECOND.replace("take_part()", LATE),
    "its disk is full": parallel.SECOND.replace("take_part()", FULL),
    "gone at once": "this is no program",
}


@pytest.mark.parametrize("second", FAILS)
def test_a_second_process_that_fails_costs_only_its_help(second, alone, tmp_path):
    found = played(tmp_path, f"parallel.SECOND = {FAILS[second]!r}")
    assert (found["digest"], found["stored"]) == (alone["digest"], alone["stored"]) and found["ended"]


@pytest.mark.parametrize("setting", ["parallel.get_executable = lambda: '/nowhere/python'", "sys.frozen = True"])
def test_where_no_second_process_can_start_the_first_compiles_all(setting, alone, tmp_path):
    found = played(tmp_path, setting)
    assert found["own"] == alone["own"] and found["digest"] == alone["digest"]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="/proc")
@pytest.mark.parametrize("ended", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_second_process_ends_with_the_first(ended, tmp_path):
    setting = "parallel._work = lambda jobs: (print(started[0].pid, flush=True), time.sleep(60))"
    command = [sys.executable, "-c", PLAYED.format(setting=setting, world=WORLD)]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen(command, env={**os.environ, "SANDBOX_CACHE": str(tmp_path)}, **quiet)
    second = int(first.stdout.readline())
    time.sleep(1)
    assert _alive(second)
    first.send_signal(ended)
    first.wait(30)
    until = time.monotonic() + 30
    while _alive(second) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(second)
    first.stdout.close()


# -- claims ------------------------------------------------------------------------------------------------------------

CLAIMING = """
import sys, time
from pathlib import Path
from sandbox.engine.cache import claim
with claim(Path(sys.argv[1])) as granted:
    print(granted, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not cache.CLAIMS, reason="no locks")
def test_a_claim_is_of_one_process_and_ends_with_it(tmp_path, monkeypatch):
    path, other = tmp_path / "a.part.nbc", tmp_path / "b.part.nbc"
    holder = subprocess.Popen([sys.executable, "-c", CLAIMING, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    with cache.claim(path, wait=False) as granted:
        assert not granted
    with cache.claim(other, wait=False) as granted:
        assert granted
    monkeypatch.setattr(cache, "PATIENCE", 0.1)  # it may have been stopped for good
    with cache.claim(path) as granted:
        assert granted
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with cache.claim(path, wait=False) as granted:
        assert granted


def test_where_nothing_can_be_locked_all_is_granted(tmp_path):
    (tmp_path / "folder").write_text("")
    for wait in (False, True):
        with cache.claim(tmp_path / "folder" / "a.part.nbc", wait) as granted:
            assert granted


# -- jobs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("policies", ["mixed", "search"])
def test_the_jobs_are_all_that_is_compiled(whole, policies, monkeypatch):
    """Types of arguments that differ from those of a real call would be compiled for nothing."""
    monkeypatch.setattr(parallel, "WORTH", 0)
    env = make("kitchen")
    team = {"mixed": ["rules", "random"], "search": [WorldModel(base="rules"), "rules"]}[policies]
    compile_teams([TeamKernels(env, team, whole)])
    jobs = _jobs([TeamKernels(env, team, whole)])
    assert jobs and all(job.is_done() for job in jobs)
    missed = []
    with monkeypatch.context() as patched:
        patched.setattr(cache.Store, "load_entry", _only_stored(missed))
        env.warm_up(team, whole)
    assert not {job.kernel.store.name for job in jobs} & set(missed)
    entries = [job for job in jobs if job.entry]
    assert entries and not env.uncompiled(team, whole)
    assert all(job.args in job.kernel.overloads for job in entries)


def _only_stored(missed: list):
    load = cache.Store.load_entry

    def stored(self, args, context):
        found = load(self, args, context)
        if found is None:
            missed.append(self.name)
        return found

    return stored


def test_a_kernel_that_does_not_compile_is_no_job_for_ever(monkeypatch):
    from numba import types

    from sandbox.engine.kernel import kernel

    def wrong(x):
        return x.no_such_thing

    jobs = [Job(kernel(wrong), (types.int64,), entry) for entry in (False, True)]
    assert all(job.is_over() for job in jobs)

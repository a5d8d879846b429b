"""Compiles the kernels of teams, in two processes if there is much to compile and another core.

Both processes have the same list of jobs, and take from it what no other process is doing (``cache.claim``). They share
nothing but the cache folder, so either may end at any time; the other one then does what is missing. The second process
ends when all is done, and at once when its parent ends or closes its standard input.
"""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.spawn import get_executable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import typeof
from numba.core import event
from numba.core.errors import NumbaError

from sandbox.engine import cache
from sandbox.engine.compiling import WAITING, Step, whole_size
from sandbox.engine.dispatcher import Kernel
from sandbox.engine.loops import share, shared
from sandbox.engine.pool import cores

if TYPE_CHECKING:
    from sandbox.engine.environment import Environment
    from sandbox.engine.search import Policy

WORTH = 20_000  # bytes of code: a second process takes a second to start, in which so much is compiled
PAUSE = 0.01  # seconds between two looks at what another process is doing
SECOND = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from sandbox.engine.parallel import take_part
take_part()
"""
_one = threading.Lock()


class TeamKernels(NamedTuple):
    """The kernels of a team."""

    env: "Environment"
    policies: "Sequence[Policy]"  # one for each agent
    whole: bool  # for whole episodes; otherwise for hosted ticks

    def jobs(self) -> "list[Job]":
        """All steps of the kernels that Python calls, and parts of the kernels that they call."""
        env = self.env
        state, memory, stats, team = env.allocate(1), env.memories.allocate(1), env.stats(1), env.company(1)
        assignment, compiled = env.assign_policies(self.policies, memory, stats, team)
        given = {
            "s": state, "obs": env.observation(1), "lane": 0, "params": env.params, "memory": memory, "team": team,
            "assignment": assignment, "agents": assignment.agents, "work": assignment.work,
            "nets": assignment.nets, "nothing": (),
            "dice": np.uint64(0), "actions": np.zeros((1, env.agents, 2), np.int32), "stats": stats,
            "faults": env.faults(1), "laid_out": False, "first": 0, "end": 1, "ticks": np.zeros(1, np.int64),
        }  # fmt: skip
        types = {name: typeof(value) for name, value in given.items()}
        calls = (call for call in compiled.calls(self.whole) if isinstance(call.kernel, Kernel))
        return [Job(call.kernel, tuple(types[name] for name in call.arguments), call.entry) for call in calls]


class Job(NamedTuple):
    """One step of one kernel (see ``engine.dispatcher``)."""

    kernel: Kernel
    args: tuple
    entry: bool

    def is_done(self) -> bool:
        return self.kernel.is_done(self.args, self.entry)

    def is_over(self) -> bool:
        """Do the job, unless another process does it; whether it is done. A kernel that fails does so when called."""
        try:
            return self.is_done() or self.kernel.advance(self.args, self.entry)
        except NumbaError:
            return True


def compile_teams(teams: Sequence[TeamKernels]) -> None:
    """Compile all kernels of these teams. Kernels that are compiled or stored already cost little."""
    with _one:
        missing: dict[Step, int] = {}
        for team in teams:
            missing |= team.env.uncompiled(team.policies, team.whole)
        if sum(size for step, size in missing.items() if step.kernel.store) <= WORTH:
            return  # each kernel is compiled when it is called
        with _second_process(teams):
            _work(_jobs(teams))


def _jobs(teams: Sequence[TeamKernels]) -> list[Job]:
    """All jobs: first the parts, then the entries, since these need parts; the largest first."""
    found = {job: None for team in teams for job in team.jobs()}
    return sorted(found, key=lambda job: (job.entry, -whole_size(job.kernel)))


def _work(jobs: list[Job]) -> None:
    """Do all jobs that no other process is doing, until all are done."""
    while jobs:
        left = [job for job in jobs if not job.is_over()]
        if len(left) == len(jobs):
            with event.trigger_event(WAITING):
                time.sleep(PAUSE)
        jobs = left


# -- the second process ------------------------------------------------------------------------------------------------


@contextmanager
def _second_process(teams: Sequence[TeamKernels]) -> Iterator[None]:
    """Meanwhile, a second process does a part of the jobs, if there can be one."""
    process = None
    if cores() > 1 and cache.CLAIMS and multiprocessing.parent_process() is None and not hasattr(sys, "frozen"):
        # A process that cannot be started, or told what to do, only costs its help.
        with suppress(Exception):
            told = [(team, shared(team.env.world)) for team in teams]
            told = pickle.dumps(sys.path) + pickle.dumps((cache.folder, told))
            nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = subprocess.Popen([get_executable(), "-c", SECOND], stdin=subprocess.PIPE, **nowhere)
            process.stdin.write(told)
            process.stdin.flush()
    try:
        yield
    finally:
        if process:
            process.kill()
            with suppress(OSError):
                process.stdin.close()
            process.wait()


def take_part() -> None:
    """The second process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent decides
    folder, told = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    teams = [team for team, _ in told]
    for team, policies in told:
        share(team.env.world, policies)
    if cache.folder == folder:  # otherwise a source has changed since the parent started
        _work(_jobs(teams))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)

"""Programs of agents: plain Python, run by pydantic-monty (extra ``code``) in an isolated process.

A program acts by calling a *verb* of its world, ``collect()`` or ``click(3)``, or ``act("click", 3)``. That suspends
it: the tick takes the decision, and the next tick resumes the program with the result. There are no threads; a
suspended program is a value, which ``dump`` converts to bytes. All other functions belong to the host and return
within the tick.

Any error ends the program with one line; nothing is raised. Steps, calls and memory are limited, so that a program ends
at the same place on every machine. The clock has a single use: a program that computes for more than
``Limits.seconds`` in one tick is stopped, with an error that names the clock. All steps of a tick take a hundredth of
that; the clock stops a built-in that computes long in a single step. Time in the functions of the host does not count,
because ``Limits.calls`` bounds them. A program's own clock does not advance, its random numbers are the same at every
start, and it cannot sleep.
"""

import atexit
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore
from typing import Any, NamedTuple, Self

import pydantic_monty as monty

from sandbox.agents.programs.step_limit import COUNTED, PACE, REPORT, with_step_limit
from sandbox.core.decision import Decision, Trace
from sandbox.core.errors import UsageError, unknown

Functions = Mapping[str, Callable[..., Any]]

ACT = "act"  # calls a verb by its name
LIVE = 16  # suspended programs that keep a worker each; all others are stored as bytes
WORKERS = 64  # at most
PRINTED = 2_000  # printed characters that are kept of a tick
FINISHED = "the program has ended"
_POLICY = {"datetime": datetime(2000, 1, 1), "sleep": "zero", "random_start": {"seed": 0}}
_live = BoundedSemaphore(LIVE)


class Limits(NamedTuple):
    """Limits of a program; all but memory and depth are for one tick."""

    calls: int = 1_000  # of functions other than verbs
    steps: int = 500_000  # rounds of loops and entries of functions
    memory: int = 32 << 20  # bytes
    depth: int = 200  # of calls within calls
    seconds: float = 10.0  # of computing, without the functions of the host; stops operations that never end


LIMITS = Limits()


class Result(NamedTuple):
    """The result of a program without verbs."""

    value: Any  # of the last line, if that is an expression
    printed: str
    error: str  # empty if it ended normally


class _Ended(Exception):
    """The program has to end; its message says why."""


@cache
def _pool(process: int) -> monty.Monty:
    """The workers of this process; a forked process gets its own."""
    pool = monty.Monty(min_processes=1, max_processes=WORKERS, checkout_timeout=60.0).__enter__()
    atexit.register(pool.__exit__, None, None, None)
    return pool


class Program:
    """A program of one agent, before its first tick, suspended in a verb, or ended.

    ``verbs`` and ``targets`` are the world's. ``ended`` is empty while it runs, then says why it ended; ``failed``
    says whether that was an error. ``value`` is the value of its last line.
    """

    def __init__(self, source: str, verbs: Sequence[str], targets: int = 1, limits: Limits = LIMITS):
        self._source, self._verbs, self._targets, self._limits = source, tuple(verbs), targets, limits
        self.ended, self.failed, self.value, self.printed = "", False, None, ""
        self._state = b""  # the suspended program, if no worker holds it
        self._session = self._snapshot = None
        self._placed = False  # whether it has one of the ``LIVE`` places
        self._spent = 0.0  # seconds of computing in this tick

    # -- one tick ------------------------------------------------------------------------------------------------------

    def advance(self, functions: Functions, answer: Any = None) -> Decision | None:
        """Run on to the next verb; ``answer`` is the value of the last one. None once the program has ended."""
        if self.ended:
            return None
        self.printed, self._spent = "", 0.0
        try:
            return self._to_next_verb(functions, answer)
        except (_Ended, UsageError) as end:
            self._end(str(end))
        except monty.MontyError as error:
            self._end(_in_words(error, self._limits))
        return None

    def _to_next_verb(self, functions: Functions, answer: Any) -> Decision | None:
        snapshot = self._resumed(answer)
        calls, paces = 0, 0
        while not isinstance(snapshot, monty.MontyComplete):
            name = getattr(snapshot, "function_name", "")
            if name == REPORT:
                paces += 1
                if paces * PACE > self._limits.steps:
                    raise _Ended(f"more than {self._limits.steps:,} steps in one tick")
                snapshot = self._timed(snapshot.resume, {"return_value": None})
                continue
            if name in self._verbs or name == ACT:
                return self._suspended(snapshot)
            calls += 1
            if calls > self._limits.calls:
                raise _Ended(f"more than {self._limits.calls:,} calls of functions in one tick")
            snapshot = self._answered(snapshot, functions)
        self.value = snapshot.output
        self._end()
        return None

    def _resumed(self, answer: Any):
        """Continue up to the next point at which the program waits for the host."""
        if self._session is None:
            self._session = _pool(os.getpid()).checkout(limits=_limits(self._limits), os_policy=_POLICY).__enter__()
            if not self._state:
                return self._timed(self._session.feed_start, with_step_limit(self._source), print_callback=self._print)
            self._snapshot = self._session.load_snapshot(self._state, print_callback=self._print)
        return self._timed(self._snapshot.resume, {"return_value": answer})

    def _timed(self, go: Callable, *args: Any, **options: Any):
        """Continue under the limit of time. The interpreter limits each operation; this limits their sum in a tick."""
        began = time.monotonic()
        snapshot = go(*args, **options)
        self._spent += time.monotonic() - began
        if self._spent > self._limits.seconds:
            raise _Ended(_too_long(self._limits))
        return snapshot

    def _suspended(self, snapshot) -> Decision:
        name, given = snapshot.function_name, (*snapshot.args, *snapshot.kwargs.values())
        if name == ACT:
            name, given = given[0] if given else "", given[1:]
            if name not in self._verbs:
                raise _Ended(str(unknown("verb", name, self._verbs)))
        decision = Decision(self._verbs.index(name), self._target(name, given))
        self._snapshot, self._state = snapshot, b""
        self._placed = self._placed or _live.acquire(blocking=False)
        if not self._placed:
            self.close()
        return decision._replace(trace=Trace(self.printed) if self.printed else None)

    def _target(self, name: str, given: tuple) -> int:
        if len(given) > 1:
            raise _Ended(f"{name}: {len(given)} arguments, expected a target at most")
        target = given[0] if given else 0
        if not isinstance(target, int) or isinstance(target, bool) or not 0 <= target < self._targets:
            raise _Ended(f"{name}: target {target!r:.40}, expected 0..{self._targets - 1}")
        return target

    def _answered(self, snapshot, functions: Functions):
        """Continue after a call of a function, an undefined name, or an access to a file or module."""
        if isinstance(snapshot, monty.NameLookupSnapshot):
            name = snapshot.variable_name
            known = {"value": _stub(name)} if name in {*functions, *self._verbs, ACT} else {}
            return self._timed(snapshot.resume, **known)
        if not isinstance(snapshot, monty.FunctionSnapshot):
            raise _Ended("waits for what never comes")
        if snapshot.is_os_function:
            return self._timed(snapshot.resume_not_handled)
        name = snapshot.function_name
        if name not in functions:
            raise _Ended(str(unknown("function", name, {*functions, *self._verbs})))
        try:
            found = {"return_value": functions[name](*snapshot.args, **snapshot.kwargs)}
        except Exception as error:  # the program may catch it
            found = {"exc_type": "ValueError", "message": _one_line(f"{name}: {error}")}
        return self._timed(snapshot.resume, found)

    def _print(self, stream: str, text: str) -> None:
        self.printed = (self.printed + text)[:PRINTED]

    # -- its life ------------------------------------------------------------------------------------------------------

    def _end(self, error: str = "") -> None:
        self.ended, self.failed = _one_line(error) or FINISHED, bool(error)
        self.close()

    def _release(self) -> None:
        session, self._session, self._snapshot = self._session, None, None
        if session is not None:
            session.__exit__(None, None, None)
        if self._placed:
            self._placed = False
            _live.release()

    def close(self) -> None:
        """Release the worker. A program that has not ended can continue later."""
        if self._snapshot is not None and not self.ended:
            self._state = self._snapshot.dump()
        self._release()

    def dump(self) -> bytes:
        """The present state of the program as bytes. Load only bytes that you have dumped yourself."""
        state = self._snapshot.dump() if self._snapshot is not None and not self.ended else self._state
        told = [self._source, self._verbs, self._targets, self._limits, self.ended, self.failed, self.printed]
        return json.dumps(told).encode() + b"\n" + state

    @classmethod
    def load(cls, data: bytes) -> Self:
        """The program that ``dump`` has saved; it continues from there, in any process."""
        told, _, state = data.partition(b"\n")
        source, verbs, targets, limits, ended, failed, printed = json.loads(told)
        program = cls(source, verbs, targets, Limits(*limits))
        program.ended, program.failed, program.printed, program._state = ended, failed, printed, state
        return program

    def __reduce__(self):
        return Program.load, (self.dump(),)

    def __del__(self):
        self._release()


def run(source: str, functions: Functions | None = None, limits: Limits = LIMITS) -> Result:
    """Run a program without verbs to its end."""
    program = Program(source, (), limits=limits)
    program.advance(functions or {})
    return Result(program.value, program.printed, program.ended if program.failed else "")


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "max_turn_duration_secs": limits.seconds, "max_memory": limits.memory, "max_recursion_depth": limits.depth,
        "max_suspensions": 1 << 31,
    }  # fmt: skip


def _stub(name: str) -> Callable:
    """An object with the name of a function of the host, by which its calls are recognised."""

    def stub(): ...

    stub.__name__ = name
    return stub


def _in_words(error: monty.MontyError, limits: Limits) -> str:
    """One line: the error, and its line in the program."""
    if isinstance(error, monty.MontyCrashedError):
        return "the interpreter broke off"
    what = error.display("type-msg") if hasattr(error, "display") else str(error)
    if what.startswith("TimeoutError: turn"):
        return _too_long(limits)
    if what.startswith("MemoryError: memory limit"):
        return f"more than {limits.memory >> 20} MiB of memory"
    frames = error.traceback() if hasattr(error, "traceback") else ()
    lines = [frame.source_line.strip() for frame in frames if frame.source_line]
    own = [line for line in lines if COUNTED not in line]
    return f"{what}, at {own[-1][:80]!r}" if own else what


def _too_long(limits: Limits) -> str:
    return f"more than {limits.seconds:g} s of computing in one tick, by the clock"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]

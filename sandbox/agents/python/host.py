"""The other side of ``child``: a process for an agent's own code, and what it may do to this one.

It has so many seconds for an answer, and so many bytes. A process that exceeds them, dies or writes anything else is
killed with its descendants. One process plays one trial after another, each with new objects.
"""

import atexit
import json
import os
import pickle
import selectors
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sandbox.agents.python.child import LENGTH
from sandbox.agents.python.options import EXPECTED, PREFIX
from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import utf8

LARGEST = 1_000_000  # bytes of an answer
ASKED = 1_000  # questions of the code in one tick
STARTING = 120.0  # seconds to import the code and begin a trial
ENDING = 5.0  # seconds to end a trial
IDLE = 4  # processes that are kept for further trials
# The same modules as here. -I: a file such as types.py in the working folder is not found before Python's own.
_BEGIN = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from sandbox.agents.python.child import main; main()"
_KEPT = 2_000  # last characters of what a process wrote to its standard error
_CHUNK = 1 << 16


class Gone(Exception):
    """The process did not answer, and has been killed; the message says why."""


class Host:
    """A process for the code of ``target``."""

    def __init__(self, target: str):
        self.target = target
        life, self._life = os.pipe()  # the process ends when this end is closed, at the latest with this process
        os.set_inheritable(self._life, False)
        path = json.dumps([each or os.getcwd() for each in sys.path])
        command = [sys.executable, "-I", "-c", _BEGIN, path, str(life)]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(life,),
                start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(life)
        self._said, self._errors = b"", ""
        os.set_blocking(self._process.stdin.fileno(), False)
        self._reading, self._writing = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._reading.register(self._process.stdout, selectors.EVENT_READ)
        self._writing.register(self._process.stdin, selectors.EVENT_WRITE)
        self._drain = threading.Thread(target=self._keep_errors, daemon=True)
        self._drain.start()

    def _keep_errors(self) -> None:
        for part in iter(lambda: self._process.stderr.read1(_CHUNK), b""):
            self._errors = (self._errors + part.decode(errors="replace"))[-_KEPT:]

    def ask(self, request: tuple, within: float, serve: Callable[..., Any] | None = None) -> dict[str, Any]:
        """The answer to a request within so many seconds; ``serve`` answers questions meanwhile. Raises Gone."""
        until, asked = time.monotonic() + within, 0
        try:
            self._send(request, until, within)
            while "ask" in (answer := self._line(until, within)):
                asked, began = asked + 1, time.monotonic()
                if asked > ASKED or serve is None:
                    raise Gone(f"more than {ASKED:,} questions in one tick")
                served = _served(serve, answer)
                until += time.monotonic() - began  # our own time does not count
                self._send(served, until, within)
            return answer
        except Gone:
            self.kill()
            raise
        except OSError:
            self.kill()
            raise Gone(self._ending()) from None

    def _send(self, request: tuple, until: float, within: float) -> None:
        body = pickle.dumps(request)
        left = memoryview(LENGTH.pack(len(body)) + body)
        while left:
            self._wait(self._writing, until, within)
            left = left[os.write(self._process.stdin.fileno(), left[:_CHUNK]) :]

    def _line(self, until: float, within: float) -> dict[str, Any]:
        while b"\n" not in self._said:
            self._wait(self._reading, until, within)
            part = os.read(self._process.stdout.fileno(), _CHUNK)
            if not part:
                raise Gone(self._ending())
            self._said += part
            if len(self._said) > LARGEST:
                raise Gone(f"its answer has more than {LARGEST:,} bytes")
        line, _, self._said = self._said.partition(b"\n")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise Gone(f"it wrote {shown(line.decode(errors='replace'))} in place of an answer")
        return answer

    def _wait(self, selector: selectors.BaseSelector, until: float, within: float) -> None:
        if not selector.select(max(0.0, until - time.monotonic())):
            raise Gone(f"no answer within {within:g} s")

    def _ending(self) -> str:
        """How the process ended, with the last line of its standard error."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self._drain.join(1.0)
        code, last = self._process.returncode, self._errors.strip().rpartition("\n")[2]
        how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
        return f"its process ended with {how}{f': {shown(last)}' if last else ''}"

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and all that it has started."""
        end_tree(self._process.pid)
        with suppress(OSError):
            os.close(self._life)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def end_tree(pid: int) -> None:
    """End a process that leads a session, and all that it has started, as far as they are known."""
    import psutil  # it cannot be imported on every system

    with suppress(OSError, psutil.Error):
        for each in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                each.kill()
    with suppress(OSError):
        os.killpg(pid, 9)


def _served(serve: Callable[..., Any], answer: dict[str, Any]) -> tuple[bool, Any]:
    """Whether a question could be answered, and the answer or the reason."""
    given = answer.get("given")
    try:
        return True, serve(answer["ask"], *(given if isinstance(given, list) else []))
    except UsageError as error:
        return False, str(error)


_idle: deque[tuple[int, Host]] = deque()  # processes that wait for a trial, with the process that has started them


def taken(target: str) -> Host:
    """A process for a target: one that has played before, or a new one."""
    for _ in range(len(_idle)):
        with suppress(IndexError):  # another thread took it
            owner, host = _idle.popleft()
            if owner == os.getpid() and host.target == target and host.alive:
                return host
            _idle.append((owner, host))
    return Host(target)


def found(target: str) -> tuple[Host, str]:
    """A process in which a target has been imported, and the version of its code; raises UsageError if it cannot be."""
    host = taken(target)
    answer = _find(host)
    if answer.get("edited"):  # since that process imported it
        host.kill()
        host = Host(target)
        answer = _find(host)
    if "version" not in answer:
        host.kill()
        raise UsageError(f"reasoner {PREFIX}{target}: not found ({answer.get('error')}); {EXPECTED}")
    return host, utf8(str(answer["version"]))


def _find(host: Host) -> dict[str, Any]:
    try:
        return host.ask(("find", host.target), STARTING)
    except Gone as error:
        return {"error": error}


def version_of(target: str) -> str:
    """The version of a target's code: the SHA-256 of its file. Raises UsageError if it cannot be imported."""
    host, version = found(target)
    given_back(host)
    return version


def given_back(host: Host) -> None:
    """Keep a process for the next trial, in place of the one that has waited longest."""
    _idle.append((os.getpid(), host))
    while len(_idle) > IDLE:
        _end(*_idle.popleft())


def _end(owner: int, host: Host) -> None:
    if owner == os.getpid():  # a forked process may not end those of its parent
        host.kill()


@atexit.register
def end() -> None:
    """End all processes that wait."""
    while _idle:
        _end(*_idle.popleft())

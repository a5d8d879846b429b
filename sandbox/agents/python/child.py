"""The process of an agent's own code: it reads requests, lets the code answer, and writes the answers.

Requests are pickled and preceded by their length. Answers are lines of JSON, because the other side must not trust this
one. What the code prints is sent along; what it writes to the standard output by other ways goes to the standard error.
"""

import io
import json
import os
import pickle
import struct
import sys
import threading
from typing import Any, BinaryIO

from sandbox.agents.python.api import Seat, Setting, told
from sandbox.agents.python.options import found, version_of
from sandbox.core.errors import UsageError

PRINTED = 2_000  # characters that are kept of a tick
LENGTH = struct.Struct("<Q")


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed."""

    def __init__(self) -> None:
        self._kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._kept += text[: max(0, PRINTED - len(self._kept))]
        return len(text)

    def taken(self) -> str:
        kept, self._kept = self._kept, ""
        return kept.rstrip()


class Loop:
    """Reads requests from ``source`` and writes answers to ``sink`` until there are no more."""

    def __init__(self, source: BinaryIO, sink: BinaryIO):
        self._source, self._sink, self._pid = source, sink, os.getpid()
        self._thing: Any = None  # the code of this process
        self._version, self._seat = "", None
        self._printed = sys.stdout = Printed()

    def run(self) -> None:
        while (request := self._read()) is not None:
            self._write(self._answered(*request))

    def _answered(self, kind: str, *given: Any) -> dict[str, Any]:
        try:
            answer = {"find": self._find, "begin": self._begin, "decide": self._decide, "end": self._end}[kind](*given)
        except (Exception, SystemExit) as error:
            answer = {"error": told(error)}
        return {**answer, "printed": self._printed.taken()}

    def _find(self, target: str) -> dict[str, Any]:
        if self._thing is None:
            self._thing = found(target)
            self._version = version_of(self._thing)
        return {"version": self._version, "edited": version_of(self._thing) != self._version}

    def _begin(self, options: dict, setting: Setting) -> dict[str, Any]:
        self._seat = None
        self._seat = Seat(self._thing, options, setting)
        return {}

    def _decide(self, percepts: list) -> dict[str, Any]:
        return {"answers": self._seat.answer(percepts, self._ask)}

    def _end(self) -> dict[str, Any]:
        seat, self._seat = self._seat, None
        if seat:
            seat.close()
        return {}

    def _ask(self, what: str, *given: Any) -> Any:
        self._write({"ask": what, "given": given})
        answer = self._read()
        if answer is None:
            raise SystemExit
        right, value = answer
        if not right:
            raise UsageError(value)
        return value

    def _read(self) -> Any:
        head = self._source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        return pickle.loads(self._source.read(*LENGTH.unpack(head)))

    def _write(self, answer: dict[str, Any]) -> None:
        if os.getpid() != self._pid:  # the code has forked, and this is the copy
            os._exit(0)
        self._sink.write(json.dumps(answer).encode() + b"\n")
        self._sink.flush()


def end_with(life: int) -> None:
    """End this process as soon as the other one has ended, whatever the code does meanwhile."""

    def wait() -> None:
        os.read(life, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Take over the pipes, so that the code cannot reach them by accident."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    end_with(int(sys.argv[2]))
    Loop(source, sink).run()

"""The process of a command: closed standard files, and Ctrl-C while there are no results to keep."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal, TextIO


def complete_files() -> None:
    """Replace closed standard files by the null device; otherwise the next opened file takes their number.

    Characters that an output cannot encode are escaped.
    """
    while (file := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(file)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None or getattr(sys, name).closed:
            setattr(sys, name, _null("r" if name == "stdin" else "w"))
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")


def give_up_output() -> None:
    """Discard the text buffered for the standard output; writing it would fail again when the process ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # it is not a file
        sys.stdout = _null("w")


def _null(mode: Literal["r", "w"]) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")


def answer_interrupts() -> None:
    """Make Ctrl-C during an import end the process at once and silently; otherwise it works as in Python.

    Commands import when they are called, and a module whose import is interrupted may fail in any way.
    """
    if _is_usual():
        signal.signal(signal.SIGINT, _interrupted)


@contextmanager
def quitting() -> Iterator[None]:
    """Within this context Ctrl-C ends the process at once and silently: compilers handle it late, or badly."""
    if not _is_usual():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_usual() -> bool:
    """Whether Ctrl-C has its usual handler, in the main thread."""
    usual = signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _interrupted)
    return usual and threading.current_thread() is threading.main_thread()


def _interrupted(_number: int, frame: FrameType | None) -> None:
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        frame = frame.f_back
    raise KeyboardInterrupt

"""The process as it is started: standard files that are closed, and Ctrl-C where there is nothing to keep."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO


def complete_files() -> None:
    """Put the null device in the place of standard files that are closed, or the next file that is opened takes it.

    What an output cannot encode is written as an escape.
    """
    while (file := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(file)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None or getattr(sys, name).closed:
            setattr(sys, name, _null(mode))
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")


def give_up_output() -> None:
    """Nothing more can be written to the standard output: what waits there would fail once more at the very end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # it is no file
        sys.stdout = _null("w")


def _null(mode: str) -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8")


def answer_interrupts() -> None:
    """From now on Ctrl-C in the midst of an import ends the process at once and without a word; else as in Python.

    Commands import when they are called, and a module whose import is interrupted may say anything.
    """
    if _is_usual():
        signal.signal(signal.SIGINT, _interrupted)


@contextmanager
def quitting() -> Iterator[None]:
    """Meanwhile Ctrl-C ends the process at once and without a word: imports and compilers answer it late, or badly."""
    if not _is_usual():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_usual() -> bool:
    """Whether Ctrl-C is answered here, and nobody has set another answer."""
    usual = signal.getsignal(signal.SIGINT) in (signal.default_int_handler, _interrupted)
    return usual and threading.current_thread() is threading.main_thread()


def _interrupted(_number: int, frame: FrameType | None) -> None:
    while frame:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        frame = frame.f_back
    raise KeyboardInterrupt

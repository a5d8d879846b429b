"""The process as it is started: standard files that are closed, and Ctrl-C where there is nothing to keep."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def quitting() -> Iterator[None]:
    """Meanwhile Ctrl-C ends the process at once and without a word: imports and compilers answer it late, or badly."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

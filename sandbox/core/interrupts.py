"""Delays Ctrl-C where an interruption would be harmful.

Python raises KeyboardInterrupt between any two instructions of the main thread. Inside ``concurrent.futures`` this may
happen just after a lock was taken, which is then never released: a thread of the pool waits for it for ever, and the
process for the thread. Code that waits for other threads therefore delays Ctrl-C.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def uninterrupted(told: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Delay Ctrl-C until the end of this context; ``told`` is called at once, so that the code inside can end sooner.

    The signal handler calls ``told`` in the main thread, at any line. It must not take a lock that the main thread may
    hold.
    """
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or not callable(before):
        yield
        return
    came: list[FrameType | None] = []

    def note(_: int, frame: FrameType | None) -> None:
        came.append(frame)
        told()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(signal.SIGINT, came[0])

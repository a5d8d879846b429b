"""One writer for a folder: a lock of the operating system, which ends with its process.

Some file systems, such as the homes of clusters, have no locks. There a file names the writer's process and machine.
The same machine ignores the file once that process has ended.
"""

import os
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import SoftFileLock, Timeout, lock_descriptor

from sandbox.core.errors import RecordError
from sandbox.record.store import explain, fcntl, has_locks
from sandbox.record.whole import within

LOCK, OWNER = "run.lock", "run.owner"
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
TRIES = 10  # tries to take a lock, because ``held`` takes it for a moment


class Lock:
    """Locks a folder for writing, and creates it if needed; raises RecordError if another process writes there.

    ``native`` says whether the file system has locks.
    """

    def __init__(self, folder: Path) -> None:
        self._path = within(folder, LOCK)
        self._file: int | None = None
        self._owner = SoftFileLock(within(folder, OWNER), timeout=0, thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.native = has_locks(folder)
            if self.native:
                self._take()
            else:
                self._owner.acquire()
        except Timeout:
            told = f"{OWNER} names process {self._owner.pid}; remove that file if the process is gone"
            raise RecordError(f"{folder}: another process is writing this run ({told})") from None
        except FileExistsError:
            raise RecordError(f"{folder}: it is a file; expected a folder, or a place for one") from None
        except OSError as error:
            raise explain(error, folder) from error

    def _take(self) -> None:
        for _ in range(TRIES):
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
            try:
                if lock_descriptor(file, blocking=False) and _is(file, self._path):
                    self._file = file
                    return
            finally:
                if self._file is None:
                    os.close(file)
            time.sleep(0.02)
        raise RecordError(f"{self._path.parent}: another process is writing this run; choose another folder")

    def release(self) -> None:
        """Release the folder."""
        if self._file is None:
            self._owner.release()
            return
        with suppress(OSError):  # Windows cannot remove an open file
            if _is(self._file, self._path):  # otherwise the folder was removed, and another process may own it by now
                self._path.unlink()
        os.close(self._file)
        self._file = None


class Reading:
    """Marks a folder as being read until ``close``, for ``remove``; has no effect on a file system without locks."""

    def __init__(self, folder: Path) -> None:
        self.close = lambda: None
        if fcntl is not None:
            with suppress(OSError):  # the error appears when a file in the folder is read
                file = os.open(folder, os.O_RDONLY)
                self.close = weakref.finalize(self, os.close, file)
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def remove(folder: Path) -> bool:
    """Remove a folder with its content, unless a process writes or reads there; returns whether it was removed.

    Symbolic links are removed and not followed. On a file system without locks, readers are unknown, and nothing is
    removed.
    """

    def removed() -> None:
        with _alone(folder):
            shutil.rmtree(folder)

    return _unwritten(folder, removed)


def move(folder: Path, to: Path) -> bool:
    """Move a folder on its file system, unless a process writes there; returns whether it was moved.

    Processes that read there go on. Links and file systems without locks are as in ``remove``.
    """

    def moved() -> None:
        os.rename(folder, to)
        (to / LOCK).unlink(missing_ok=True)  # our own, which ``release`` no longer finds

    return _unwritten(folder, moved)


def _unwritten(folder: Path, act: Callable[[], None]) -> bool:
    """Act on a folder in which no process writes meanwhile; returns whether that was possible."""
    if folder.is_symlink():
        return False
    try:
        lock = Lock(folder)
    except RecordError:
        return False
    try:
        if not lock.native:
            return False
        act()
        return True
    except OSError:
        return False
    finally:
        lock.release()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Within this context no process can begin to read; raises OSError if one reads already."""
    if fcntl is None:  # Windows cannot remove an open file
        yield
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def held(folder: Path) -> bool:
    """Whether a process writes in a folder. The check creates no file and keeps no lock."""
    try:
        return _owned(folder) if (folder / OWNER).exists() else _locked(folder / LOCK)
    except OSError:  # the file is missing, or can no longer be opened
        return False


def _locked(path: Path) -> bool:
    file = os.open(path, os.O_RDONLY)
    try:
        return not lock_descriptor(file, blocking=False)
    finally:
        os.close(file)


def _owned(folder: Path) -> bool:
    try:
        with SoftFileLock(folder / OWNER, timeout=0):
            return False
    except Timeout:
        return True


def _is(file: int, path: Path) -> bool:
    """Whether an open file is still the one at its path; the last holder may have removed it."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False

"""The folder of compiled kernels: one for each state of the sources, so that an edit never uses a stale kernel.

Numba invalidates a cached kernel when its own file changes, but not when a kernel that it calls, in another file, does.
So the folder's name is a hash of every source that may define kernels or parts of them: this package's FLOORS, and the
packages that register worlds.
"""

import errno
import glob
import hashlib
import inspect
import os
import pickle
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from platformdirs import user_cache_path

from sandbox.core.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# -- store: compiled kernels on disk, one file for each kernel and each signature of its arguments, with a checksum

PART, ENTRY = ".part.nbc", ".entry.nbc"
_DIGITS = 16  # of the hash in the name of a file
_SUM = sha256().digest_size
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')  # characters forbidden in names of files on Windows


def read(path: Path) -> bytes | None:
    """The content of a file; None if it is missing, damaged or unreadable."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data[_SUM:] if len(data) > _SUM and sha256(data[_SUM:]).digest() == data[:_SUM] else None


def write(path: Path, content: bytes) -> bool:
    """Write a file, whole or not at all. If the disk is full or read-only, the kernel is compiled again next time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(sha256(content).digest() + content)
                file.close()
                if path.is_dir():
                    shutil.rmtree(path)
                os.replace(file.name, path)
            except BaseException:
                file.close()
                os.unlink(file.name)
                raise
        return True
    return False


# -- claims: which files a process is making, so that another one waits for it instead of making the same

CLAIMS = fcntl is not None
PATIENCE = 60.0  # seconds to wait for another process, which may have been stopped
_POLL = 0.005  # seconds
_claimed: dict[Path, int] = {}  # the open file of each folder


@contextmanager
def claim(path: Path, wait: bool = True) -> Iterator[bool]:
    """Meanwhile, this process makes the file ``path``; False if another one does.

    With ``wait`` the other process is waited for, and the result is True. A claim is a lock on a byte of one file, at
    the position that is a hash of the name. The system ends it with its process. Where no locks can be had, all claims
    are granted.
    """
    file, place = _claims(path.parent), int.from_bytes(sha256(path.name.encode()).digest()[:7], "little")
    until = time.monotonic() + PATIENCE
    while not (granted := _lock(file, place)) and wait and time.monotonic() < until:
        time.sleep(_POLL)
    try:
        yield granted or wait
    finally:
        if granted and file is not None:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


def _claims(folder: Path) -> int | None:
    """The open file of a folder's claims, which stays open: to close it would end all claims of this process."""
    if CLAIMS and folder not in _claimed:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            _claimed[folder] = os.open(folder / "claims", os.O_RDWR | os.O_CREAT, 0o600)
    return _claimed.get(folder)


def _lock(file: int | None, place: int) -> bool:
    if file is None:
        return True
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


class Store:
    """The files of one kernel: a part (LLVM code) and an entry (machine code) for each signature.

    Loading returns None for a file that is missing, damaged, or of another signature or machine; the kernel is then
    compiled again.
    """

    def __init__(self, function: Callable, source: bytes) -> None:
        self.name = _FORBIDDEN.sub("_", f"{function.__module__}.{function.__qualname__}")
        code = function.__code__
        self._origin = sys.version, code.co_filename, code.co_firstlineno, sha256(source).hexdigest()
        self.folder = folder

    def has(self, suffix: str) -> bool:
        """Whether a PART or an ENTRY is stored for some signature."""
        return any(read(path) is not None for path in self.folder.glob(f"{glob.escape(self.name)}-*{suffix}"))

    def holds(self, args: tuple, context: Any, suffix: str) -> bool:
        """Whether there is a file for these types of arguments."""
        return self._file(args, context, suffix)[0].is_file()

    def claim(self, args: tuple, context: Any, suffix: str, wait: bool = True):
        """See :func:`claim`."""
        return claim(self._file(args, context, suffix)[0], wait)

    def symbol(self, args: tuple, context: Any) -> str:
        """What the kernel for these types of arguments is called in LLVM code."""
        return self._file(args, context, "")[0].name

    def part_of(self, name: str) -> Any:
        """The content of the file of a part, which may be of another kernel."""
        found = _unpickled(self.folder / name)
        return found and found[1]

    def load_part(self, args: tuple, context: Any) -> tuple[str, tuple] | None:
        """The name of the file, and its content."""
        context.refresh()
        path, key = self._file(args, context, PART)
        found = _unpickled(path)
        return (path.name, found[1]) if found and found[0] == key else None

    def save_part(self, args: tuple, context: Any, content: tuple) -> str:
        """Save a part; returns the name of its file, or "" if it could not be written."""
        path, key = self._file(args, context, PART)
        return path.name if write(path, dumps((key, content))) else ""

    def load_entry(self, args: tuple, context: Any) -> CompileResult | None:
        context.refresh()
        path, key = self._file(args, context, ENTRY)
        found = _unpickled(path)
        try:
            return CompileResult._rebuild(context, *found[1]) if found and found[0] == key else None
        except Exception:  # intact, but from changed modules: after any error of Numba, compile again
            return None

    def save_entry(self, args: tuple, context: Any, entry: CompileResult) -> None:
        path, key = self._file(args, context, ENTRY)
        write(path, dumps((key, entry._reduce())))

    def _file(self, args: tuple, context: Any, suffix: str) -> tuple[Path, tuple]:
        key = args, context.codegen().magic_tuple(), self._origin
        return self.folder / f"{self.name}-{sha256(repr(key).encode()).hexdigest()[:_DIGITS]}{suffix}", key


def stored_names(stores: Iterable[Store]) -> set[tuple[str, str]]:
    """The names of the kernels in the folders of these stores, with PART or ENTRY."""
    found = set()
    for folder in {store.folder for store in stores}:
        with suppress(OSError):
            for file in os.listdir(folder):
                name, _, rest = file.rpartition("-")
                found.add((name, rest[_DIGITS:]))
    return found


def _unpickled(path: Path) -> Any:
    content = read(path)
    try:
        return pickle.loads(content) if content else None
    except Exception:  # from changed modules: after any error of unpickling, compile again
        return None


def store_of(function: Callable) -> Store | None:
    """The store of a kernel; None if its source is unknown, as for a kernel typed at a prompt."""
    try:
        return Store(function, _source(function))
    except (OSError, TypeError):
        return None


def _source(function: Callable) -> bytes:
    """The source of a kernel: its file, or its cell of a notebook."""
    name = function.__code__.co_filename
    return Path(name).read_bytes() if os.path.isfile(name) else inspect.getsource(function).encode()


# -- cache

FLOORS = ("core", "engine", "worlds", "teams")  # the others hold no kernels
KEEP = 8  # newest folders, which are not pruned
_OURS = re.compile(r"[0-9a-f]{16}")
GRACE = 24 * 3600.0  # seconds since its last use before a folder may be pruned
PACKAGE = Path(__file__).resolve().parents[1]

folder = Path(os.devnull)  # for kernels compiled from now on; ``prepare`` creates it
_sources: dict[str, bytes] = {}  # contents when they were first hashed


def _packages() -> list[Path]:
    """The packages that may define kernels."""
    return [*(PACKAGE / floor for floor in FLOORS), *_others()]


def _others() -> list[Path]:
    """The packages that register worlds."""
    roots = []
    for point in entry_points(group="sandbox.worlds"):
        try:
            spec = find_spec(point.value.split(":")[0].split(".")[0])
        except (ImportError, ValueError):  # not a name of a module; the registry reports it
            continue
        if spec and spec.has_location:
            origin = Path(spec.origin).resolve()
            roots.append(origin.parent if spec.submodule_search_locations else origin)
    return roots


def fingerprint(roots: list[Path]) -> str:
    """A hash over names and contents of all Python files below ``roots``, and over Numba's version and settings."""
    how = f"{numba.__version__} {int(numba.config.OPT)} {numba.config.BOUNDSCHECK}"
    digest = hashlib.sha256(how.encode())
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            source = path.read_bytes()
            _sources.setdefault(str(path), source)
            digest.update(str(path.relative_to(root)).encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:16]


@cache
def version_of_sources() -> str:
    """A hash of all sources; machines with different hashes may give different outcomes."""
    return fingerprint([PACKAGE, *_others()])


@cache
def check_source(name: str) -> None:
    """Disable the cache if a file was edited after it was hashed; its kernels would be stored under the old sources.

    Worlds are imported when they are first used, which may be long after the start.
    """
    global folder
    path = Path(name).resolve()
    if str(path) in _sources and _sources[str(path)] != path.read_bytes():
        folder = Path(tempfile.mkdtemp(prefix="sandbox-kernels-"))


@cache
def foreign(name: str) -> str:
    """A hash of a source that the fingerprint does not cover, such as a world that is given by its path; else ""."""
    path = Path(name).resolve()
    if str(path) in _sources or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _writable(base: Path) -> bool:
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return True
    except OSError:
        return False


def _base() -> Path:
    if chosen := os.environ.get("SANDBOX_CACHE"):
        if not _writable(Path(chosen)):
            raise UsageError(f"SANDBOX_CACHE: {chosen}: cannot be written; expected a folder for compiled kernels")
        return Path(chosen)
    home = user_cache_path("sandbox") / "kernels"
    return home if _writable(home) else _own_temporary()


def _own_temporary() -> Path:
    """A folder below the temporary one that no other user can write to, because Numba executes its content."""
    owner = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"sandbox-kernels-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = folder.lstat()
    mine = told.st_uid == owner and stat.S_ISDIR(told.st_mode) and not told.st_mode & 0o022
    return folder if mine else Path(tempfile.mkdtemp(prefix="sandbox-kernels-"))


def prune(base: Path, keep: int = KEEP, grace: float = GRACE) -> None:
    """Remove Sandbox's cache folders that are neither among the ``keep`` newest nor used within ``grace`` seconds."""
    found = []
    for folder in base.iterdir():
        if _OURS.fullmatch(folder.name) and folder.is_dir():
            with suppress(FileNotFoundError):  # another process may prune too
                found.append((folder.stat().st_mtime, folder))
    for used, folder in sorted(found, reverse=True)[keep:]:
        if time.time() - used > grace:
            shutil.rmtree(folder, ignore_errors=True)


def prepare() -> Path:
    """Create the folder for the present sources, mark it as used, and prune old ones.

    It is not stored in Numba's own setting, because Numba resets that whenever a variable NUMBA_* changes.
    """
    global folder
    folder = _base() / fingerprint(_packages())
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    prune(folder.parent)
    return folder

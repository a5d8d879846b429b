"""The folder of compiled kernels: one for each state of the sources, so that an edit never meets a stale kernel.

Numba invalidates a cached kernel when its own file changes, but not when a kernel that it calls, in another file,
does. So the folder's name is a hash of every source that may define kernels or what they are made of: this package's
FLOORS, and the packages that register worlds.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import numba
from platformdirs import user_cache_path

from sandbox.core.errors import UsageError

FLOORS = ("core", "engine", "worlds", "teams")  # the others hold no kernels
KEEP = 8  # newest folders that pruning leaves alone
_OURS = re.compile(r"[0-9a-f]{16}")
GRACE = 24 * 3600.0  # seconds since its last use before a folder may be pruned
PACKAGE = Path(__file__).resolve().parents[1]

_sources: dict[str, bytes] = {}  # as they were first hashed


def _packages() -> list[Path]:
    """What may define kernels."""
    return [*(PACKAGE / floor for floor in FLOORS), *_others()]


def _others() -> list[Path]:
    """The packages that register worlds."""
    roots = []
    for point in entry_points(group="sandbox.worlds"):
        try:
            spec = find_spec(point.value.split(":")[0].split(".")[0])
        except (ImportError, ValueError):  # no name of a module; the registry says so
            continue
        if spec and spec.has_location:
            origin = Path(spec.origin).resolve()
            roots.append(origin.parent if spec.submodule_search_locations else origin)
    return roots


def fingerprint(roots: list[Path]) -> str:
    """A hash over names and contents of all Python files below ``roots``, over Numba's version and how it compiles."""
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
    """A hash of all sources: machines that differ in it may come to other outcomes."""
    return fingerprint([PACKAGE, *_others()])


@cache
def check_source(name: str) -> None:
    """Give up the cache if a file was edited after it was hashed: its kernels would be kept under the old sources.

    Worlds are imported when they are asked for, which may be long after the start.
    """
    path = Path(name).resolve()
    if str(path) in _sources and _sources[str(path)] != path.read_bytes():
        numba.config.CACHE_DIR = tempfile.mkdtemp(prefix="sandbox-kernels-")


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
    """A folder below the temporary one that nobody else can have filled: Numba runs what it finds there."""
    owner = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"sandbox-kernels-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    told = folder.lstat()
    mine = told.st_uid == owner and stat.S_ISDIR(told.st_mode) and not told.st_mode & 0o022
    return folder if mine else Path(tempfile.mkdtemp(prefix="sandbox-kernels-"))


def prune(base: Path, keep: int = KEEP, grace: float = GRACE) -> None:
    """Remove cache folders of ours that are neither among the ``keep`` newest nor used within ``grace`` seconds."""
    found = []
    for folder in base.iterdir():
        if _OURS.fullmatch(folder.name) and folder.is_dir():
            with suppress(FileNotFoundError):  # another process prunes as well
                found.append((folder.stat().st_mtime, folder))
    for used, folder in sorted(found, reverse=True)[keep:]:
        if time.time() - used > grace:
            shutil.rmtree(folder, ignore_errors=True)


def prepare() -> Path:
    """Make the folder for the sources as they are, mark it as used, prune old ones, and point Numba at it."""
    folder = _base() / fingerprint(_packages())
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    prune(folder.parent)
    numba.config.CACHE_DIR = str(folder)
    return folder

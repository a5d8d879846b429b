"""The folder of compiled kernels: one for each state of the sources, so that an edit never meets a stale kernel.

Numba invalidates a cached kernel when its own file changes, but not when a kernel that it calls, in another file,
does. So the folder's name is a hash of every source that may define kernels: this package's and those of the packages
that register worlds.
"""

import hashlib
import os
import shutil
import tempfile
import time
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import numba
from platformdirs import user_cache_path

KEEP = 8  # newest folders that pruning leaves alone
GRACE = 24 * 3600.0  # seconds since its last use before a folder may be pruned


def _packages() -> list[Path]:
    roots = [Path(__file__).resolve().parents[1]]
    for point in entry_points(group="sandbox.worlds"):
        spec = find_spec(point.value.split(":")[0].split(".")[0])
        if spec and spec.origin:
            origin = Path(spec.origin).resolve()
            roots.append(origin.parent if spec.submodule_search_locations else origin)
    return roots


def fingerprint(roots: list[Path]) -> str:
    """A hash over names and contents of all Python files below ``roots``, and over Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for root in roots:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _writable(base: Path) -> bool:
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return True
    except OSError:
        return False


def _base() -> Path:
    if chosen := os.environ.get("SANDBOX_CACHE"):
        return Path(chosen)
    home = user_cache_path("sandbox") / "kernels"
    return home if _writable(home) else Path(tempfile.gettempdir()) / f"sandbox-kernels-{os.getuid()}"


def prune(base: Path, keep: int = KEEP, grace: float = GRACE) -> None:
    """Remove folders that are neither among the ``keep`` newest nor used within ``grace`` seconds."""
    folders = sorted((p for p in base.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in folders[keep:]:
        if time.time() - folder.stat().st_mtime > grace:
            shutil.rmtree(folder, ignore_errors=True)


def prepare() -> Path:
    """Make the folder for the sources as they are, mark it as used, prune old ones, and point Numba at it."""
    folder = _base() / fingerprint(_packages())
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    prune(folder.parent)
    numba.config.CACHE_DIR = str(folder)
    return folder


def is_cached(folder: Path, name: str) -> bool:
    """Whether a kernel of this qualified name lies in the cache."""
    return any(folder.glob(f"**/*.{name}-*.nbi"))

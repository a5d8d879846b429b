"""Deleting runs, with undo: a deleted folder is moved into the trash of its folder of runs, which is pruned."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sandbox.core.errors import RecordError
from sandbox.record.lock import held, move, remove
from sandbox.record.whole import within
from sandbox.running.jobs import status

TRASH = ".trash"  # below the folder of runs
KEPT = 50  # deleted folders


def delete(folder: str | Path, runs: str | Path) -> Path:
    """Move a folder below ``runs`` into the trash; returns its place there, for ``restore``.

    Raises RecordError if it is not below ``runs``, is a link, holds other runs that are in use, or if a process writes
    there. The latest ``KEPT`` deleted folders are kept; older ones are removed for good.
    """
    folder, runs = Path(folder), Path(runs)
    place = _below(folder, runs)
    for each in (folder, *_nested(folder)):
        if held(each) or status(each).active:
            raise RecordError(f"{each}: a process writes there; stop it first")
    trash = within(runs, TRASH)
    token = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    moved = trash / token / place
    try:
        moved.parent.mkdir(parents=True)
        if not move(folder, moved):
            moved.parent.rmdir()
            raise RecordError(f"{folder}: it cannot be moved: a process writes there, or its file system has no locks")
    except OSError as error:
        raise RecordError(f"{folder}: it cannot be moved into the trash ({error.strerror})") from None
    _prune(trash)
    return moved


def restore(moved: str | Path, runs: str | Path) -> Path:
    """Move a deleted folder back to where it was; raises RecordError if it is gone, or its place is taken."""
    moved, runs = Path(moved), Path(runs)
    inside = _below(moved, runs).parts
    if inside[0] != TRASH or len(inside) < 3:
        raise RecordError(f"{moved}: it is not in the trash")
    back = runs.joinpath(*inside[2:])
    if back.exists() or back.is_symlink():
        raise RecordError(f"{back}: its place is taken")
    try:
        back.parent.mkdir(parents=True, exist_ok=True)
        os.rename(moved, back)
    except OSError as error:
        raise RecordError(f"{moved}: it cannot be moved back ({error.strerror})") from None
    return back


def _below(folder: Path, runs: Path) -> Path:
    """The path of a folder below ``runs``, where no link leads out of it; raises RecordError for any other."""
    try:
        place = folder.resolve(strict=True).relative_to(runs.resolve(strict=True))
    except (OSError, ValueError, RuntimeError):
        raise RecordError(f"{folder}: no folder below the folder of runs") from None
    if folder.is_symlink() or not folder.is_dir() or not place.parts:
        raise RecordError(f"{folder}: expected the folder of a run")
    return place


def _nested(folder: Path) -> Iterator[Path]:
    for where, folders, _ in os.walk(folder):
        yield from (Path(where, name) for name in folders)


def _prune(trash: Path) -> None:
    """Remove the oldest deleted folders."""
    for old in sorted(path for path in trash.iterdir() if not path.is_symlink())[:-KEPT]:
        remove(old)

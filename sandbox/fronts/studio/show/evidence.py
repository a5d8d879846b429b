"""What can be asked of a record: whether its chain is whole, whether it runs again, its episode as a video."""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.core.errors import RecordError
from sandbox.fronts.filming import film
from sandbox.fronts.studio.show.errand import Errand
from sandbox.record import open_run, verify_chain
from sandbox.record.store import DATABASE, explain
from sandbox.trials.replay import replay, verify


def chain_of(folder: Path) -> Errand:
    """Recompute the hash chain; its value is a ``record.ChainReport``."""
    return Errand(_plain(lambda: _chain(folder)))


def executed(folder: Path) -> Errand:
    """Execute every trial again; its value is a ``trials.replay.Verdict``."""
    return Errand(_plain(lambda: verify(folder)))


def video(folder: Path, trial: int, suffix: str) -> Errand:
    """The episode as a file's bytes; ``suffix`` is .gif or .mp4."""
    return Errand(_plain(lambda: _filmed(folder, trial, suffix)))


def copy_of(folder: Path) -> bytes:
    """The record as one file, whoever is writing it; raises RecordError."""
    try:
        source = sqlite3.connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(":memory:")) as target:
            source.backup(target)
            return target.serialize()
    except sqlite3.Error as error:
        raise explain(error, folder / DATABASE) from error


def outcomes(folder: Path) -> dict[int, dict[str, Any]]:
    """What each finished trial came to; empty where nothing can be read."""
    try:
        with open_run(folder) as run:
            return run.outcomes
    except RecordError:
        return {}


def _plain(work: Callable[[], Any]) -> Callable:
    """Work that does not tell how far it is."""
    return lambda on_progress, stop: work()


def _chain(folder: Path):
    with open_run(folder) as run:
        return verify_chain(run)


def _filmed(folder: Path, trial: int, suffix: str) -> bytes:
    with open_run(folder) as run, tempfile.TemporaryDirectory() as place:
        return film(replay(run, trial), Path(place) / f"episode{suffix}").read_bytes()

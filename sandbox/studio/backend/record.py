"""Operations on a record: check its chain, execute it again, make a video of its episode."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.cli._video import film
from sandbox.core.errors import RecordError
from sandbox.model import Sandbox
from sandbox.record import ChainReport, Run, open_run, verify_chain
from sandbox.record.store import DATABASE, explain
from sandbox.running.replay import replay, verify
from sandbox.running.transcript import transcript
from sandbox.studio.backend.background_task import BackgroundTask, Stopped


class Steps(NamedTuple):
    """Progress of a task on a record, in steps."""

    done: int
    total: int
    unit: str = "tick"
    compiling: bool = False


def chain_of(folder: Path) -> BackgroundTask:
    """Recompute the hash chain; its value is a ``record.ChainReport``."""
    return BackgroundTask(lambda *told: _chain(folder, *told))


def executed(folder: Path) -> BackgroundTask:
    """Execute every trial again; its value is a ``running.replay.Verdict``."""
    return BackgroundTask(lambda on_progress, stop: verify(folder, on_tick=_counter(_ticks(folder), on_progress, stop)))


def video(folder: Path, trial: int, suffix: str) -> BackgroundTask:
    """The episode as a file's bytes; ``suffix`` is .gif or .mp4."""
    return BackgroundTask(lambda *told: _filmed(folder, trial, suffix, *told))


def transcript_of(folder: Path, trial: int) -> BackgroundTask:
    """The transcript of a trial up to its last recorded tick; its value is a ``running.transcript.Transcript``."""
    return BackgroundTask(
        lambda on_progress, stop: transcript(folder, trial, on_tick=_counter(_ticks(folder, trial), on_progress, stop))
    )


def copy_of(folder: Path) -> bytes:
    """The record as one file, also while a process writes it; raises RecordError."""
    try:
        source = sqlite3.connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(":memory:")) as target:
            source.backup(target)
            return target.serialize()
    except sqlite3.Error as error:
        raise explain(error, folder / DATABASE) from error


def outcomes(folder: Path) -> dict[int, dict[str, Any]]:
    """The outcome of each finished trial; empty if nothing can be read."""
    try:
        with open_run(folder) as run:
            return run.outcomes
    except RecordError:
        return {}


def _ticks(folder: Path, trial: int | None = None) -> int:
    """Number of recorded ticks, of one trial or of all."""
    with open_run(folder) as run:
        sql = "SELECT COUNT(*) FROM event WHERE kind = 'tick' AND (trial = ? OR ? IS NULL)"
        return next(run.query(sql, (trial, trial)))[0]


def _counter(
    total: int, on_progress: Callable[[Steps], None], stop: Callable[[], bool], unit: str = "tick"
) -> Callable[[], None]:
    """A function to call at each step; it raises Stopped."""
    steps = count(1)

    def one_more() -> None:
        if stop():
            raise Stopped
        on_progress(Steps(next(steps), total, unit))

    return one_more


def _chain(folder: Path, on_progress, stop) -> ChainReport:
    with open_run(folder) as run:
        events = next(run.query("SELECT COUNT(*) FROM event"))[0]
        return verify_chain(run, on_event=_counter(events, on_progress, stop, "event"))


def _filmed(folder: Path, trial: int, suffix: str, on_progress, stop) -> bytes:
    one_more = _counter(_ticks(folder, trial) + 1, on_progress, stop)  # the reset is a frame too

    def models(run: Run) -> Iterator[Sandbox]:
        for model in replay(run, trial):
            one_more()
            yield model

    with open_run(folder) as run, tempfile.TemporaryDirectory() as place:
        return film(models(run), Path(place) / f"episode{suffix}").read_bytes()

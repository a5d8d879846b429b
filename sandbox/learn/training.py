"""A training run: rounds within a budget of CPU seconds, with checkpoints, so that a stop loses nothing.

The folder of a run has ``checkpoint.safetensors`` (all that the job needs to continue, and the CPU seconds so far) and,
at the end, the weights and their card. The same command continues a run that was stopped, and a larger budget one that
has ended.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from sandbox.core.errors import UsageError
from sandbox.core.interrupts import uninterrupted
from sandbox.record.whole import replacing

CHECKPOINT = "checkpoint.safetensors"
EVERY = 20.0  # CPU seconds between two checkpoints


class Job(Protocol):
    """What is trained."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Plain values: a checkpoint of other settings is not continued."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do, whatever the budget."""

    def round(self) -> str:
        """Train for a second or so; returns a line of progress."""

    def arrays(self) -> dict[str, np.ndarray]:
        """All that the job needs to continue."""

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The inverse of :meth:`arrays`."""


class Progress(NamedTuple):
    """The state of a run, for display."""

    seconds: float  # of CPU, so far
    budget: float
    told: str  # by the job


def train(job: Job, folder: Path, seconds: float, tell: Callable[[Progress], object] = lambda now: None) -> float:
    """Train until ``seconds`` of CPU are spent, from the folder's checkpoint if there is one; returns what was spent.

    Ctrl-C ends it after the present round, and raises KeyboardInterrupt when the checkpoint is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = _restore(job, folder / CHECKPOINT)
    started, stopped = time.process_time(), []
    saved = spent = before
    with uninterrupted(lambda: stopped.append(True)):
        while spent < seconds and not stopped and not job.is_over:
            told = job.round()
            spent = before + time.process_time() - started
            tell(Progress(spent, seconds, told))
            if spent - saved > EVERY:
                saved = _save(job, folder / CHECKPOINT, spent)
        _save(job, folder / CHECKPOINT, spent)
    return spent


def _save(job: Job, path: Path, spent: float) -> float:
    told = {"settings": json.dumps(job.settings, sort_keys=True), "seconds": repr(spent)}
    with replacing(path) as part:
        part.write_bytes(save(job.arrays(), told))
    return spent


def _restore(job: Job, path: Path) -> float:
    """The CPU seconds of a checkpoint, which the job continues; 0 without one."""
    if not path.exists():
        return 0.0
    try:
        with safe_open(path, "numpy") as file:
            told = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no mapping
    except (SafetensorError, OSError):
        raise UsageError(f"{path}: damaged; remove it to begin anew") from None
    if told.get("settings") != json.dumps(job.settings, sort_keys=True):
        raise UsageError(f"{path}: a training with other settings; expected another --out, or the same settings")
    try:
        job.restore(arrays)
    except (KeyError, ValueError):
        raise UsageError(f"{path}: of another version of Sandbox; remove it to begin anew") from None
    return float(told["seconds"])

"""What a runner publishes: values that a page may keep, since nothing changes them afterwards."""

from dataclasses import dataclass
from typing import Literal

from sandbox.fronts.studio.show.strip import Strip

Phase = Literal["empty", "preparing", "ready", "failed"]


@dataclass(frozen=True)
class Counters:
    """How far an episode is."""

    tick: int
    done: int
    total: int  # 0: the task has no end
    reward: float
    refused: int  # legal actions that were prevented
    finish: str  # in words
    over: bool
    task: str  # what the team is asked to do, in words
    course: tuple[tuple[int, int], ...]  # (tick, tasks done) wherever the latter changed
    error: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """All that a page shows, at one moment."""

    number: int  # grows with every change
    phase: Phase
    playing: bool
    active: bool  # whether more is to come without being asked for
    waited: float  # seconds that the preparation has taken so far
    counters: Counters | None
    strip: Strip | None  # the latest
    error: str | None  # what was wrong with the order, in one line

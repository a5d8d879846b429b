"""What a runner publishes: values that a page may keep, since nothing changes them afterwards."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["empty", "preparing", "ready", "failed"]


@dataclass(frozen=True, eq=False)
class Strip:
    """Painted frames to be played one after the other, ``fps`` a second."""

    episode: int  # frames of another episode have nothing to do with these
    first: int  # number of the first frame, counted over the life of the runner
    count: int
    height: int
    width: int
    fps: int
    pixels: bytes  # count x height x width x RGB, one byte each


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

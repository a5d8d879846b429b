"""What a runner publishes: values that a page may keep, since nothing changes them afterwards."""

from dataclasses import dataclass
from typing import Literal

from sandbox.core.people import Question

Phase = Literal["empty", "preparing", "reading", "ready", "failed"]


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
    head: int  # the last tick that is recorded
    live: bool  # whether more can come than is recorded
    done: int
    total: int  # 0: the task has no end
    reward: float
    refused: int  # legal actions that were prevented
    finish: str  # in words
    over: bool  # no tick comes after this one
    task: str  # what the team is asked to do, in words
    folder: str  # of its record
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a page shows, at one moment. Two episodes may be shown in step."""

    number: int  # grows with every change
    phase: Phase
    playing: bool
    active: bool  # whether more is to come without being asked for
    waited: float  # seconds that the preparation has taken so far
    shots: tuple[Counters, ...]  # of each episode
    strips: tuple[Strip, ...]  # the latest
    error: str | None  # what was wrong with the order, in one line
    notice: str | None  # why the latest intervention was not done
    pending: tuple[Question, ...]  # what waits for a person's answer

    @property
    def counters(self) -> Counters | None:
        """Of the first episode."""
        return self.shots[0] if self.shots else None

    @property
    def strip(self) -> Strip | None:
        return self.strips[0] if self.strips else None

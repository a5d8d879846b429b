"""What a runner publishes: values that a page may keep, since nothing changes them afterwards."""

from dataclasses import dataclass
from typing import Literal

from sandbox.core.people import Question
from sandbox.studio.backend.beside import Look, Scene
from sandbox.studio.backend.feed import Event
from sandbox.studio.backend.frame_rate import LOOK
from sandbox.studio.backend.frames import Frames

Phase = Literal["empty", "preparing", "reading", "ready", "failed"]


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
    autonomy: float | None  # share of decisions that were the agents' own; None where all follow compiled policies
    over: bool  # no tick comes after this one
    task: str  # what the team is asked to do, in words
    folder: str  # of its record
    trial: int  # in it
    world: str
    title: str
    seed: int
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a page shows, at one moment. Two episodes may be shown in step."""

    number: int = 0  # grows with every change
    phase: Phase = "empty"
    playing: bool = False
    active: bool = False  # whether more is to come without being asked for
    pause: float = LOOK  # seconds until the next look, where more is to come
    waited: float = 0.0  # seconds that the preparation has taken so far
    shots: tuple[Counters, ...] = ()  # of each episode
    strips: tuple[Frames, ...] = ()  # the latest
    error: str | None = None  # what was wrong with the order, in one line
    notice: str | None = None  # why the latest intervention was not done
    pending: tuple[Question, ...] = ()  # what waits for a person's answer
    look: Look = Look()  # what is looked at
    scene: Scene | None = None  # beside the picture, of the first episode
    difference: Event | None = None  # where two episodes part

    @property
    def counters(self) -> Counters | None:
        """Of the first episode."""
        return self.shots[0] if self.shots else None

    @property
    def strip(self) -> Frames | None:
        return self.strips[0] if self.strips else None

    @property
    def over(self) -> bool:
        """Whether no tick comes after this one."""
        return bool(self.shots) and all(shot.over for shot in self.shots)

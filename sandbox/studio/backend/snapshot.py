"""The snapshots of a runner: values that a page may keep, because nothing changes them afterwards."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from sandbox.core.people import Question
from sandbox.core.telling import Gauge
from sandbox.engine.compiling import Compiled
from sandbox.studio.backend.beside import Look, Scene
from sandbox.studio.backend.feed import Event
from sandbox.studio.backend.frame_rate import LOOK
from sandbox.studio.backend.frames import Frames

Phase = Literal["empty", "preparing", "reading", "ready", "stopped", "failed"]


@dataclass(frozen=True)
class Counters:
    """Progress of an episode."""

    tick: int
    head: int  # the last tick that is recorded
    live: bool  # whether it can continue beyond its recorded ticks
    done: int
    total: int  # 0: the task has no end
    reward: float
    refused: int  # legal actions that were prevented
    finish: str  # as text
    autonomy: float | None  # share of decisions that were the agents' own; None if all follow compiled policies
    over: bool  # whether the episode has ended here
    task: str  # the team's task as text
    folder: str  # of its record
    trial: int  # number of the trial in it
    world: str
    title: str
    seed: int
    gauges: tuple[Gauge, ...] = ()  # of the whole team, the score first
    shown: frozenset[str] = frozenset()  # what of the legend is in the picture
    named: str = ""  # of two episodes: what differs in it from the other one
    error: str | None = None


class Moment(NamedTuple):
    """All that is shown of one tick: the page shows the parts of one moment together, and never of two."""

    shots: tuple[Counters, ...]  # of each episode
    scene: Scene


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All data of a page at one moment. It may show two episodes in step."""

    number: int = 0  # grows with every change
    phase: Phase = "empty"
    playing: bool = False
    active: bool = False  # whether it changes without a command
    pause: float = LOOK  # seconds until the next poll, while active
    waited: float = 0.0  # seconds of preparation so far
    compiled: Compiled | None = None  # how far the preparation has come; None if there is nothing to compile
    blank: bool = False  # whether the page must not go on showing its last picture
    shots: tuple[Counters, ...] = ()  # of each episode
    strips: tuple[Frames, ...] = ()  # the latest frames of each episode
    moments: tuple[Moment, ...] = ()  # of the latest frames, one for each of their stretches
    still: bool = False  # whether the latest frames replace all that wait to be shown
    hold: int = 0  # if not 0, the page is asked to hold, and to tell the tick that it shows: ``Runner.held``
    error: str | None = None  # error of the episode's source, one line
    notice: str | None = None  # why the latest intervention failed
    pending: tuple[tuple[Question, float], ...] = ()  # open questions to people, each with the seconds that are left
    look: Look = Look()  # the viewer's selection
    scene: Scene | None = None  # data beside the picture, of the first episode
    difference: Event | None = None  # first difference of two episodes

    @property
    def counters(self) -> Counters | None:
        """Counters of the first episode."""
        return self.shots[0] if self.shots else None

    @property
    def strip(self) -> Frames | None:
        return self.strips[0] if self.strips else None

    @property
    def over(self) -> bool:
        """Whether the episode has ended here."""
        return bool(self.shots) and all(shot.over for shot in self.shots)

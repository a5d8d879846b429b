"""The runner: a thread that owns the shown episode, so that a page can rerun at any time.

A page gives commands (load, play, pause, step, seek, speed, size, look, do) and polls snapshots; it never accesses a
model. The thread does not call Streamlit. It works ahead of the page by at most ``ROOM`` frames: without polls, the
simulation waits. After ``idle`` seconds without a poll, the thread ends, and the next command or poll starts another
one that continues. So an ended session leaves no thread, and its models are freed with its runner.
"""

import gc
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sandbox.core.errors import UsageError
from sandbox.oversight.approvals import Approvals
from sandbox.studio.backend.beside import Look, Scene
from sandbox.studio.backend.camera import Click, Shot, boxed, develop
from sandbox.studio.backend.comparison import Comparison
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.episode_source import Order
from sandbox.studio.backend.frame_rate import FrameRate
from sandbox.studio.backend.frames import WHOLE, View
from sandbox.studio.backend.snapshot import Phase, Snapshot
from sandbox.studio.backend.worker import Job, Worker

STEP_FRAMES = 8  # of a single step
ROOM = 40  # waiting frames, at most; a tick in progress may exceed it
IDLE = 8.0  # seconds
SEEN = 1.0  # seconds between two scenes while it plays

Deed = Callable[[EpisodePlayer], None]  # an intervention of a person


class Runner(Worker):
    """Thread-safe control of the episode that one browser tab shows."""

    def __init__(self, idle: float = IDLE):
        self.order: Order = ()  # the episodes loaded last
        self.people = Approvals()  # they answer for the present episode, from any thread
        super().__init__(idle)
        self._speed, self._box, self._view = 4.0, (600, 600), WHOLE
        self._showing: Comparison | None = None  # stepped and painted by the thread only
        self._now, self._thrift = Snapshot(), FrameRate()
        self._reels: list[list[Shot]] = []  # by episode: shots that are still to be painted
        self._playing = self._resized = self._due_load = False
        self._generation = self._painted = self._steps = 0
        self._target: int | None = None  # the tick to move to
        self._deeds: deque[Deed] = deque()
        self._left: list[Comparison] = []  # to be closed by the thread
        self._since = self._due = self._seen = 0.0

    # -- commands ------------------------------------------------------------------------------------------------------

    def load(self, *order) -> None:
        """Replace the present episodes by new ones, paused at tick 0."""
        with self._changed:
            self.order = order
            self._clear("preparing")
            self._due_load, self._since = True, time.monotonic()
            self._wake()

    def reset(self) -> None:
        """Start the same episodes again."""
        if self.order:
            self.load(*self.order)

    def play(self) -> None:
        with self._changed:
            self._playing, self._due = True, time.monotonic() - self._thrift.look  # covers the time until the next poll
            self._wake()

    def pause(self) -> None:
        """Pause; no tick begins after this call."""
        with self._changed:
            self._playing, self._steps = False, 0
            self._wake()

    def step(self) -> None:
        """Pause, then play exactly one tick."""
        with self._changed:
            self._playing, self._steps = False, self._steps + 1
            self._wake()

    def seek(self, tick: int) -> None:
        """Pause at an earlier tick, or at a recorded one."""
        with self._changed:
            self._playing, self._steps, self._target = False, 0, tick
            self._wake()

    def do(self, deed: Deed) -> None:
        """Intervene in the first episode between two ticks; if that fails, ``notice`` says why."""
        with self._changed:
            self._now = replace(self._now, notice=None)
            self._deeds.append(deed)
            self._wake()

    def look(self, look: Look) -> None:
        """Set the viewer's selection: an agent, layers over the world, a panel beside it."""
        with self._changed:
            if look != self._now.look:
                self._now, self._resized = replace(self._now, look=look), True
                self._wake()

    def click(self, click: Click) -> None:
        """Select the clicked agent, or else the cell."""
        with self._changed:
            agent, cell = self._showing.hit(click) if self._showing else (None, None)
            look = self._now.look._replace(agent=agent, cell=cell)
        self.look(look)

    def set_speed(self, ticks_a_second: float) -> None:
        with self._changed:
            self._speed = float(ticks_a_second)
            self._changed.notify_all()

    def resize(self, width: int, height: int, view: View = WHOLE) -> None:
        """Set the size of the picture in pixels, and the part of the world that it shows."""
        box = boxed(width, height)
        with self._changed:
            if (box, view) != (self._box, self._view):
                self._box, self._view, self._resized = box, view, True
                self._wake()

    def close(self) -> None:
        """End the thread and release the models; the runner cannot be used afterwards."""
        with self._changed:
            self._closed = True
            self._clear("empty")
            self._changed.notify_all()

    # -- snapshots -----------------------------------------------------------------------------------------------------

    def peek(self) -> Snapshot:
        """The latest snapshot; waiting frames stay for the next poll."""
        with self._changed:
            since = self._since if self._now.phase == "preparing" else self._began if self._job else None
            waited = time.monotonic() - since if since else 0.0
            told = {"waited": waited, "pause": self._thrift.look, "pending": tuple(self.people.pending)}
            return replace(self._now, playing=self._playing, active=self._active(), **told)

    def poll(self, wait: float = 0.0) -> Snapshot:
        """The latest snapshot with all frames since the last poll; waits up to ``wait`` seconds for frames."""
        with self._changed:
            self._looked = time.monotonic()
            if self._active():
                self._wake()
                self._changed.wait_for(lambda: (self._reels and not self._behind()) or not self._active(), wait)
            number, first, (reels, self._reels) = self._generation, self._painted, (self._reels, [])
            self._painted += _length(reels)
            fps, began = self._thrift.fps, time.perf_counter()
        strips = tuple(develop(reel, number, first, fps) for reel in reels)  # slow, so it runs without the lock
        with self._changed:
            self._thrift.took(time.perf_counter() - began, _length(reels))
            if strips and number == self._generation:
                self._now = replace(self._now, strips=strips)
            return self.peek()

    def _behind(self) -> bool:
        """Whether ticks are due, and the waiting frames do not last until the next poll."""
        return self._playing and self._due < time.monotonic() and _length(self._reels) < self._thrift.frames

    def _active(self) -> bool:
        waiting = self._due_load or self._job or self._reels or (self._showing is not None and self._resized)
        asked = self._playing or self._steps or self._target is not None or self._deeds
        return bool(waiting or self._now.phase == "reading" or (self._now.phase == "ready" and asked))

    def _clear(self, phase: Phase) -> None:
        """Drop the present snapshot. The thread cannot publish older data afterwards: the generation differs."""
        self._generation += 1
        old, self._showing = self._showing, None
        self._now = Snapshot(self._now.number + 1, phase, look=self._now.look)
        self._playing, self._due_load, self._steps, self._reels = False, False, 0, []
        self._target = None
        self._deeds.clear()
        self.people.leave()
        self.people = Approvals()
        if old and not self._leave(old):
            self._left.append(old)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def choose(self, now: float) -> tuple[Job | None, float]:
        showing, number = self._showing, self._generation
        if self._left:
            return self._left.pop().close, 0.0
        if self._due_load:
            self._due_load = self._resized = False
            return partial(self._load, number, self.order, self.people), 0.0
        if showing is None or self._now.phase not in ("ready", "reading"):
            return None, self._idle
        if self._now.phase == "reading":
            return partial(self._read, number, showing), 0.0
        if self._resized:
            self._resized, self._reels = False, []
            return partial(self._still, number, showing), 0.0
        if self._deeds:
            return partial(self._deed, number, showing, self._deeds.popleft()), 0.0
        if self._target is not None:
            return partial(self._seek, number, showing, self._target), 0.0
        return self._next_tick(now, number, showing)

    def _next_tick(self, now: float, number: int, showing: Comparison) -> tuple[Job | None, float]:
        if self._now.over:
            self._playing, self._steps = False, 0
            return None, self._idle
        if self._steps:
            self._steps -= 1
            return partial(self._advance, number, showing, 1, STEP_FRAMES), 0.0
        if not self._playing or _length(self._reels) >= ROOM:
            return None, self._idle
        if now < self._due:
            return None, self._due - now
        ticks, parts = self._thrift.cut(self._speed)
        self._due = max(self._due + ticks / self._speed, now - self._thrift.look)  # a longer delay is not caught up
        return partial(self._advance, number, showing, ticks, parts), 0.0

    def left(self, what: Comparison) -> None:
        what.close()

    def ended(self) -> None:
        with self._changed:
            old, self._left = self._left, []
        for showing in old:
            showing.close()

    # -- jobs of the thread --------------------------------------------------------------------------------------------

    def _load(self, number: int, order: Order, people: Approvals) -> None:
        gc.collect()  # models contain reference cycles; this frees the former ones
        showing = Comparison(order, people, self._box)
        if not self._still(number, showing, "preparing"):  # shows a picture while kernels compile
            return showing.close()  # no page waits for these episodes any more
        showing.warm_up()
        self._publish(number, showing, [], "reading" if showing.unread else "ready")

    def _still(self, number: int, showing: Comparison, phase: Phase = "ready") -> bool:
        """Publish a still picture of the present state; returns whether a page still waits for it."""
        showing.look = self._now.look
        return self._publish(number, showing, showing.still(self._box, self._view), phase)

    def _read(self, number: int, showing: Comparison) -> None:
        if showing.read():
            self._still(number, showing)
        else:
            self._publish(number, showing, [], "reading")

    def _seek(self, number: int, showing: Comparison, tick: int) -> None:
        there = showing.seek(tick)
        with self._changed:
            if there and self._target == tick:
                self._target = None
            self._reels = []
        self._still(number, showing)

    def _deed(self, number: int, showing: Comparison, deed: Deed) -> None:
        told = None
        try:
            deed(showing.films[0])
        except UsageError as error:
            told = str(error)
        with self._changed:
            if number == self._generation:
                self._now = replace(self._now, notice=told)
        self._still(number, showing)

    def _advance(self, number: int, showing: Comparison, ticks: int, parts: int) -> None:
        self._publish(number, showing, showing.advance(ticks, parts, 1 / self._thrift.fps))

    def _publish(self, number: int, showing: Comparison, shot: list[Shot], phase: Phase = "ready") -> bool:
        """Publish the present state with another shot of each episode; returns whether a page still waits for it."""
        shots, scene, difference = showing.counters(), self._scene(showing), showing.difference
        with self._changed:
            if number != self._generation:
                return False
            told = {"shots": shots, "scene": scene, "difference": difference}
            self._now = replace(self._now, number=self._now.number + 1, phase=phase, **told)
            self._showing, self._playing = showing, self._playing and not self._now.over
            reels = self._reels or [[] for _ in shot]
            self._reels = [[*reel, one] for reel, one in zip(reels, shot, strict=True)] if shot else self._reels
            self._changed.notify_all()
            return True

    def _scene(self, showing: Comparison) -> Scene:  # made only a few times a second while it plays
        now, scene = time.monotonic(), self._now.scene
        if scene is None or not self._playing or showing.over or now - self._seen > SEEN:
            scene, self._seen = showing.scene(), now
        return scene

    def failed(self, job: Job, words: str) -> None:
        with self._changed:
            if isinstance(job, partial) and job.args[0] == self._generation:
                self._clear("failed")
                self._now = replace(self._now, error=words)


def _length(reels: list[list[Shot]]) -> int:
    """Frames that wait."""
    return sum(shot.parts for shot in reels[0]) if reels else 0

"""The runner: a thread that owns the shown episode, so that a page can rerun at any time.

One number counts: the tick that is shown. It is the page's, which plays what it was sent at its own pace, so the runner
works ahead of it. A pause, a step or an intervention during play asks the page to hold and to tell its tick (``held``).
The runner then returns to that tick; the ticks after it were never recorded, and are forgotten.

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
from typing import NamedTuple

from sandbox.core.errors import UsageError
from sandbox.core.people import Question
from sandbox.engine.compiling import Compiled, heard
from sandbox.oversight.approvals import Approvals
from sandbox.studio.backend.beside import AGENT, INTERVENE, RECORD, TEAM, Look, Scene
from sandbox.studio.backend.camera import Click, Frame, Shot, boxed, develop
from sandbox.studio.backend.comparison import Comparison
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.episode_source import Order
from sandbox.studio.backend.frame_rate import FrameRate
from sandbox.studio.backend.frames import WHOLE, View
from sandbox.studio.backend.snapshot import Moment, Phase, Snapshot
from sandbox.studio.backend.worker import Job, Worker

STEP_FRAMES = 8  # of a single step
ROOM = 40  # waiting frames, at most; a tick in progress may exceed it
IDLE = 8.0  # seconds
SEEN = 1.0  # seconds between two scenes while it plays, of panels that tell of no tick
COSTLY = 4  # moments a second, at most, of panels that take long to make
UNSEEN = 6.0  # seconds after which what was sent has surely been shown, and is recorded
PATIENT = 10.0  # seconds that a page may take to tell the tick at which it holds

Deed = Callable[[EpisodePlayer], None]  # an intervention of a person


class Waiting(NamedTuple):
    """A moment that the page has not taken yet."""

    shots: list[Shot]  # of each episode
    moment: Moment
    still: bool


class Runner(Worker):
    """Thread-safe control of the episode that one browser tab shows."""

    def __init__(self, idle: float = IDLE, name: str = ""):
        self.name, self.owner, self.browser = name, None, ""  # of the session that shows it (``studio.session``)
        self.order: Order = ()  # the episodes loaded last
        self.people = Approvals()  # they answer for the present episode, from any thread
        super().__init__(idle)
        self._speed, self._frame = 4.0, Frame((600, 600))
        self._showing: Comparison | None = None  # stepped and painted by the thread only
        self._now, self._thrift = Snapshot(), FrameRate()
        self._reel: list[Waiting] = []
        self._hold, self._held, self._holding = 0, None, 0.0  # number of the present hold, its tick, when it began
        self._holds = self._sent = 0  # holds so far, the tick that was sent last
        self._sent_at: deque[tuple[float, int]] = deque()  # times and ticks of what may not have been shown yet
        self._ahead = False  # whether ticks were played since the page last held
        self._page = False  # whether a page shows it
        self._playing = self._resized = self._due_load = False
        self._generation = self._painted = self._steps = 0
        self._target: int | None = None  # the tick to move to
        self._deeds: deque[Deed] = deque()
        self._left: list[Comparison] = []  # to be closed by the thread
        self._since = self._due = self._seen = 0.0

    # -- commands ------------------------------------------------------------------------------------------------------

    def load(self, *order, tick: int = 0) -> None:
        """Replace the present episodes by new ones, paused at a tick.

        Nothing is played to get there if the episode has hosted reasoners, which may cost money: it stays at tick 0.
        """
        with self._changed:
            other, self.order = order != self.order, order
            self._clear("preparing")
            self._now = replace(self._now, blank=other)
            self._due_load, self._since = True, time.monotonic()
            self._target = tick or None
            self._wake()

    def cancel(self) -> None:
        """Stop a preparation; ``reset`` starts it again. What is compiled is kept."""
        with self._changed:
            if self._now.phase in ("preparing", "reading"):
                self._clear("stopped")
                self._now = replace(self._now, blank=True)
                self._changed.notify_all()

    def show_again(self) -> None:
        """Another page shows it from now on, paused at the tick that was sent last."""
        with self._changed:
            self._page = False
            self._ask_to_hold()
            self._playing, self._steps = False, 0
            self._now = replace(self._now, strips=(), moments=())
            self._resized = True
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
        """Pause at the tick that is shown."""
        with self._changed:
            self._ask_to_hold()
            self._playing, self._steps = False, 0
            self._wake()

    def held(self, hold: int, tick: int) -> None:
        """The page holds, and shows a tick."""
        with self._changed:
            if hold == self._hold:
                self._held = tick
                self._wake()

    def _ask_to_hold(self) -> None:
        """Before a command that concerns what is seen; what has been asked of a model or a person is not forgotten."""
        if self._hold or not self._ahead or self._showing is None:
            return
        if self._showing.hosted:
            self._resized = True  # shows the newest tick at once
            return
        self._holds, self._holding = self._holds + 1, time.monotonic()
        self._hold, self._held, self._reel = self._holds, None if self._page else self._sent, []

    def step(self) -> None:
        """Pause, then play exactly one tick."""
        with self._changed:
            self._ask_to_hold()
            self._playing, self._steps = False, self._steps + 1
            self._wake()

    def seek(self, tick: int) -> None:
        """Pause at an earlier tick, or at a recorded one."""
        with self._changed:
            self._ask_to_hold()
            self._playing, self._steps, self._target = False, 0, tick
            self._wake()

    def do(self, deed: Deed) -> None:
        """Intervene in the first episode between two ticks; if that fails, ``notice`` says why."""
        with self._changed:
            self._ask_to_hold()
            self._now = replace(self._now, notice=None)
            self._deeds.append(deed)
            self._wake()

    def look(self, look: Look) -> None:
        """Set the viewer's selection: an agent, layers over the world, a panel beside it."""
        with self._changed:
            if look != self._now.look:
                self._now, self._resized = replace(self._now, look=look), True
                self._wake()

    def click(self, click: Click, picture: int = 0) -> None:
        """Select the clicked agent, or else the cell."""
        with self._changed:
            agent, cell = self._showing.hit(click, picture) if self._showing else (None, None)
            look = self._now.look._replace(agent=agent, cell=cell)
        self.look(look)

    def set_speed(self, ticks_a_second: float) -> None:
        with self._changed:
            self._speed = float(ticks_a_second)
            self._changed.notify_all()

    def resize(self, width: int, height: int, view: View = WHOLE, follow: bool = False) -> None:
        """Set the size of the picture in pixels, and the part of the world that it shows.

        ``follow``: that part moves with the selected agent, or with the first one.
        """
        frame = Frame(boxed(width, height), view, follow)
        with self._changed:
            self._page = True
            if frame != self._frame:
                self._frame, self._resized = frame, True
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
            told = {"waited": waited, "pause": self._thrift.look, "pending": self._pending()}
            told["hold"] = self._hold if self._held is None else 0
            return replace(self._now, playing=self._playing, active=self._active(), **told)

    def _pending(self) -> tuple[tuple[Question, float], ...]:
        return tuple((question, self.people.left(question)) for question in self.people.pending)

    def poll(self, wait: float = 0.0) -> Snapshot:
        """The latest snapshot with all frames since the last poll; waits up to ``wait`` seconds for frames."""
        with self._changed:
            self._looked = time.monotonic()
            if self._due_load and isinstance(self._job, partial) and self._job.func == self._load:
                self._leave(self._job.args[-1])  # one that nobody waits for any more, and which may take a minute
            if self._active():
                self._wake()
                self._changed.wait_for(lambda: (self._reel and not self._behind()) or not self._active(), wait)
            number, first, (reel, self._reel) = self._generation, self._painted, (alike(self._reel), [])
            self._painted += _length(reel)
            hold, fps, began = self._hold, self._thrift.fps, time.perf_counter()
        reels = zip(*(each.shots for each in reel), strict=True)
        strips = tuple(develop(shots, number, first, fps) for shots in reels)  # slow, so it runs without the lock
        with self._changed:
            self._thrift.took(time.perf_counter() - began, _length(reel))
            if strips and (number, hold) == (self._generation, self._hold):
                moments, still = tuple(each.moment for each in reel), any(each.still for each in reel)
                self._now = replace(self._now, strips=strips, moments=moments, still=still)
                self._sent = moments[-1].shots[0].tick
                self._sent_at.append((time.monotonic(), self._sent))
            return self.peek()

    def _behind(self) -> bool:
        """Whether ticks are due, and the waiting frames do not last until the next poll."""
        return self._playing and self._due < time.monotonic() and _length(self._reel) < self._thrift.frames

    def _active(self) -> bool:
        waiting = self._due_load or self._job or self._reel or self._hold
        asked = self._playing or self._steps or self._target is not None or self._deeds
        if self._showing is not None:
            waiting, asked = waiting or self._resized, asked or self._showing.unsettled
        return bool(waiting or self._now.phase == "reading" or (self._now.phase == "ready" and asked))

    def _clear(self, phase: Phase) -> None:
        """Drop the present snapshot. The thread cannot publish older data afterwards: the generation differs."""
        self._generation += 1
        old, self._showing = self._showing, None
        self._now = Snapshot(self._now.number + 1, phase, look=self._now.look)
        self._playing, self._due_load, self._steps, self._reel = False, False, 0, []
        self._hold, self._sent, self._ahead = 0, 0, False
        self._sent_at.clear()
        self._target = None
        self._deeds.clear()
        self.people.leave()
        people, self.people = self.people, Approvals()
        if old is None or not self._leave(old):
            self._leave(people)  # a preparation, which may take a minute
            self._left += [old] if old else []

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
        if self._hold:
            late = self._holding + PATIENT - now
            if self._held is None and late > 0:
                return None, late
            return partial(self._drop, number, showing, self._sent if self._held is None else self._held), 0.0
        if self._resized:
            self._resized, self._reel = False, []
            return partial(self._still, number, showing), 0.0
        if self._deeds:
            return partial(self._deed, number, showing, self._deeds.popleft()), 0.0
        if self._target is not None:
            return partial(self._seek, number, showing, self._target), 0.0
        return self._next_tick(now, number, showing)

    def _next_tick(self, now: float, number: int, showing: Comparison) -> tuple[Job | None, float]:
        if self._now.over:
            self._playing, self._steps = False, 0
            if showing.unsettled and not self._reel:
                return partial(self._settle, number, showing), 0.0
            return None, self._idle
        if self._steps:
            self._steps -= 1
            return partial(self._advance, number, showing, 1, STEP_FRAMES, False), 0.0
        if not self._playing or _length(self._reel) >= ROOM:
            return None, self._idle
        if now < self._due:
            return None, self._due - now
        ticks, parts = self._thrift.cut(self._speed)
        if self._now.look.panel in (AGENT, TEAM):
            ticks, parts = max(ticks, round(self._speed / COSTLY)), max(parts, self._thrift.fps // COSTLY)
        self._due = max(self._due + ticks / self._speed, now - self._thrift.look)  # a longer delay is not caught up
        return partial(self._advance, number, showing, ticks, parts, True), 0.0

    def left(self, what: Comparison | Approvals) -> None:
        if isinstance(what, Comparison):
            what.close()

    def ended(self) -> None:
        with self._changed:
            old, self._left = self._left, []
        for showing in old:
            showing.close()

    # -- jobs of the thread --------------------------------------------------------------------------------------------

    def _load(self, number: int, order: Order, people: Approvals) -> None:
        gc.collect()  # models contain reference cycles; this frees the former ones
        steps = {step: size for one in order for step, size in one.uncompiled().items()}
        with heard(steps, partial(self._compiling, number)):
            showing = Comparison(order, people, self._frame)
            showing.draw()
            if not self._still(number, showing, "preparing"):  # shows a picture while kernels compile
                return showing.close()  # no page waits for these episodes any more
            showing.warm_up()
        self._publish(number, showing, [], "reading" if showing.unread else "ready")

    def _compiling(self, number: int, now: Compiled) -> None:
        with self._changed:
            if number == self._generation:
                self._now = replace(self._now, compiled=now)

    def _still(self, number: int, showing: Comparison, phase: Phase = "ready") -> bool:
        """Publish a still picture of the present state; returns whether a page still waits for it."""
        showing.look = self._now.look
        return self._publish(number, showing, showing.still(self._frame), phase, still=True)

    def _drop(self, number: int, showing: Comparison, tick: int) -> None:
        """Return to the tick that is shown."""
        showing.drop(tick)
        with self._changed:
            if number == self._generation:
                self._hold, self._reel, self._ahead = 0, [], False
                self._sent_at.clear()
        self._still(number, showing)

    def _read(self, number: int, showing: Comparison) -> None:
        if showing.read():
            self._still(number, showing)
        else:
            self._publish(number, showing, [], "reading")

    def _seek(self, number: int, showing: Comparison, tick: int) -> None:
        there = (showing.hosted and tick > max(film.head for film in showing.films)) or showing.seek(tick)
        with self._changed:
            if there and self._target == tick:
                self._target = None
            self._reel = []
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

    def _advance(self, number: int, showing: Comparison, ticks: int, parts: int, ahead: bool) -> None:
        showing.settle(self._shown())
        shots = showing.advance(ticks, parts, 1 / self._thrift.fps, ahead)
        with self._changed:
            self._ahead = self._ahead or ahead
            if self._hold:  # not shown, and about to be forgotten
                return
        self._publish(number, showing, shots)

    def _settle(self, number: int, showing: Comparison) -> None:
        showing.settle()
        self._publish(number, showing, [])

    def _shown(self) -> int:
        """A tick that has been shown, for sure."""
        shown = 0
        with self._changed:
            while self._sent_at and self._sent_at[0][0] < time.monotonic() - UNSEEN:
                shown = self._sent_at.popleft()[1]
        return shown

    def _publish(
        self, number: int, showing: Comparison, shot: list[Shot], phase: Phase = "ready", still: bool = False
    ) -> bool:
        """Publish the present state with another shot of each episode; returns whether a page still waits for it."""
        shots, scene, difference = showing.counters(), self._scene(showing, still), showing.difference
        with self._changed:
            if number != self._generation:
                return False
            told = {"shots": shots, "scene": scene, "difference": difference}
            self._now = replace(self._now, number=self._now.number + 1, phase=phase, **told)
            self._showing, self._playing = showing, self._playing and not self._now.over
            if shot:
                self._reel.append(Waiting(shot, Moment(shots, scene), still))
            self._changed.notify_all()
            return True

    def _scene(self, showing: Comparison, still: bool) -> Scene:
        """The panel's data; those of a panel that tells of no tick are made less often while it plays."""
        now, scene = time.monotonic(), self._now.scene
        timeless = self._now.look.panel in (INTERVENE, RECORD) and self._playing and not still and not showing.over
        if scene is None or not timeless or now - self._seen > SEEN:
            scene, self._seen = showing.scene(), now
        return scene

    def failed(self, job: Job, words: str) -> None:
        with self._changed:
            if isinstance(job, partial) and job.args[0] == self._generation:
                self._clear("failed")
                self._now = replace(self._now, error=words)


def _length(reel: list[Waiting]) -> int:
    """Frames that wait."""
    return sum(each.shots[0].parts for each in reel)


def alike(reel: list[Waiting]) -> list[Waiting]:
    """The moments whose pictures have the size of the last, and show a part as large."""
    looks = [[(shot.shape, shot.view[2:]) for shot in each.shots] for each in reel]
    return [each for each, look in zip(reel, looks, strict=True) if look == looks[-1]]

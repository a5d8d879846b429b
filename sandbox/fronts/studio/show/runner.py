"""The runner: a thread that owns what is shown, so that a page can rerun at any time and the show goes on.

A page gives orders (load, play, pause, step, seek, speed, size, look, do) and polls snapshots; it never meets a model.
The thread calls nothing of Streamlit's. It works ahead of the page by ``ROOM`` frames at most: where nobody looks, the
simulation waits; where nobody has looked for ``idle`` seconds, the thread ends, and the next order or poll starts
another one that goes on from there. So a session that is gone leaves no thread, and its models go with its runner.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.fronts.studio.show.film import Film
from sandbox.fronts.studio.show.showing import Frames, Order, Showing
from sandbox.fronts.studio.show.snapshot import Counters, Phase, Snapshot, Strip
from sandbox.fronts.studio.show.worker import Job, Worker
from sandbox.oversight.approvals import Approvals

FPS = 20  # frames a second
STEP_FRAMES = 8  # of a single step
ROOM = 24  # frames that wait for the page; a tick in progress may exceed it
IDLE = 8.0  # seconds
LAG = 0.25  # seconds of delay that are caught up
PIXELS = 1_000_000  # of a frame at most

Deed = Callable[[Film], None]  # what a person does to an episode


class Runner(Worker):
    """Thread-safe control of what one browser tab is shown."""

    def __init__(self, idle: float = IDLE):
        self.order: Order = ()  # what was loaded last
        self.people = Approvals()  # who answer for the present episode, from any thread
        super().__init__(idle)
        self._speed, self._box = 4.0, (600, 600)
        self._showing: Showing | None = None  # stepped and painted by the thread only
        self._shots: tuple[Counters, ...] = ()
        self._frames: list[Frames] = []  # by film
        self._strips: tuple[Strip, ...] = ()
        self._phase: Phase = "empty"
        self._error: str | None = None
        self._notice: str | None = None
        self._playing = self._resized = self._due_load = False
        self._number = self._generation = self._painted = self._steps = 0
        self._target: int | None = None  # a tick to be sought
        self._deeds: deque[Deed] = deque()
        self._left: list[Showing] = []  # to be closed by the thread
        self._since = self._due = 0.0

    # -- orders --------------------------------------------------------------------------------------------------------

    def load(self, *order) -> None:
        """Put fresh episodes in place of the present ones, paused at tick 0."""
        with self._changed:
            self.order = order
            self._clear("preparing")
            self._due_load, self._since = True, time.monotonic()
            self._wake()

    def reset(self) -> None:
        """The same from the start."""
        if self.order:
            self.load(*self.order)

    def play(self) -> None:
        with self._changed:
            self._playing, self._due = True, time.monotonic()
            self._wake()

    def pause(self) -> None:
        """No tick begins after this."""
        with self._changed:
            self._playing, self._steps = False, 0
            self._wake()

    def step(self) -> None:
        """Pause, and make exactly one tick."""
        with self._changed:
            self._playing, self._steps = False, self._steps + 1
            self._wake()

    def seek(self, tick: int) -> None:
        """Pause at a tick that was, or that is recorded."""
        with self._changed:
            self._playing, self._steps, self._target = False, 0, tick
            self._wake()

    def do(self, deed: Deed) -> None:
        """Have something done to the first episode between two ticks; if it cannot be, ``notice`` says why."""
        with self._changed:
            self._notice = None
            self._deeds.append(deed)
            self._wake()

    def set_speed(self, ticks_a_second: float) -> None:
        with self._changed:
            self._speed = float(ticks_a_second)
            self._changed.notify_all()

    def resize(self, width: int, height: int) -> None:
        """Paint into a box of this many pixels from now on."""
        shrink = min(1.0, (PIXELS / max(1, width * height)) ** 0.5)
        box = (max(64, int(width * shrink)), max(64, int(height * shrink)))
        with self._changed:
            if box != self._box:
                self._box, self._resized = box, True
                self._wake()

    def close(self) -> None:
        """End the thread and let go of the models; the runner is of no use afterwards."""
        with self._changed:
            self._closed = True
            self._clear("empty")
            self._changed.notify_all()

    # -- what is to be seen --------------------------------------------------------------------------------------------

    def peek(self) -> Snapshot:
        """The latest snapshot; frames that wait stay for the next poll."""
        with self._changed:
            return Snapshot(
                number=self._number,
                phase=self._phase,
                playing=self._playing,
                active=self._active(),
                waited=time.monotonic() - self._since if self._phase == "preparing" else 0.0,
                shots=self._shots,
                strips=self._strips,
                error=self._error,
                notice=self._notice,
                pending=tuple(self.people.pending),
            )

    def poll(self, wait: float = 0.0) -> Snapshot:
        """The same, with every frame since the last poll as its strips; waits up to ``wait`` seconds for some."""
        with self._changed:
            self._looked = time.monotonic()
            if self._active():
                self._wake()
                self._changed.wait_for(lambda: self._frames or not self._active(), wait)
            if self._frames:
                self._strips = self._cut()
            return self.peek()

    def _cut(self) -> tuple[Strip, ...]:
        """The frames that wait, as a strip for each film."""
        films, self._frames = self._frames, []
        first, self._painted = self._painted, self._painted + len(films[0])
        return tuple(_strip(self._generation, first, frames) for frames in films)

    def _active(self) -> bool:
        waiting = self._due_load or self._busy or self._frames or (self._showing is not None and self._resized)
        asked = self._playing or self._steps or self._target is not None or self._deeds
        reading = self._phase == "reading"
        return bool(waiting or reading or (self._phase == "ready" and asked))

    def _over(self) -> bool:
        return bool(self._shots) and all(shot.over for shot in self._shots)

    def _clear(self, phase: Phase) -> None:
        """Forget what is shown. What the thread is about to publish of it is dropped: the generation differs."""
        self._generation += 1
        self._number += 1
        old, self._showing = self._showing, None
        self._phase, self._shots, self._strips, self._error, self._notice = phase, (), (), None, None
        self._playing, self._due_load, self._steps, self._frames = False, False, 0, []
        self._target = None
        self._deeds.clear()
        self.people = Approvals()
        if old:
            self._left.append(old)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def choose(self, now: float) -> tuple[Job | None, float]:
        showing, number = self._showing, self._generation
        if self._left:
            return self._left.pop().close, 0.0
        if self._due_load:
            self._due_load = self._resized = False
            return partial(self._load, number, self.order, self.people), 0.0
        if showing is None or self._phase not in ("ready", "reading"):
            return None, self._idle
        if self._phase == "reading":
            return partial(self._read, number, showing), 0.0
        if self._resized:
            self._resized, self._frames = False, []
            return partial(self._still, number, showing), 0.0
        if self._deeds:
            return partial(self._deed, number, showing, self._deeds.popleft()), 0.0
        if self._target is not None:
            return partial(self._seek, number, showing, self._target), 0.0
        return self._next_tick(now, number, showing)

    def _next_tick(self, now: float, number: int, showing: Showing) -> tuple[Job | None, float]:
        if self._over():
            self._playing, self._steps = False, 0
            return None, self._idle
        if self._steps:
            self._steps -= 1
            return partial(self._advance, number, showing, 1, STEP_FRAMES), 0.0
        if not self._playing or (self._frames and len(self._frames[0]) >= ROOM):
            return None, self._idle
        if now < self._due:
            return None, self._due - now
        ticks, parts = max(1, round(self._speed / FPS)), max(1, round(FPS / self._speed))
        self._due = max(self._due + ticks / self._speed, now - LAG)
        return partial(self._advance, number, showing, ticks, parts), 0.0

    def ended(self) -> None:
        with self._changed:
            old, self._left = self._left, []
        for showing in old:
            showing.close()

    # -- jobs of the thread --------------------------------------------------------------------------------------------

    def _load(self, number: int, order: Order, people: Approvals) -> None:
        showing = Showing(order, people, self._box)
        if not self._publish(number, showing, showing.still(self._box), "preparing"):  # a picture while it compiles
            return showing.close()  # nobody waits for it any more
        showing.warm_up()
        self._publish(number, showing, [], "reading" if showing.unread else "ready")

    def _still(self, number: int, showing: Showing) -> None:
        self._publish(number, showing, showing.still(self._box))

    def _read(self, number: int, showing: Showing) -> None:
        if showing.read():
            self._publish(number, showing, showing.still(self._box))
        else:
            self._publish(number, showing, [], "reading")

    def _seek(self, number: int, showing: Showing, tick: int) -> None:
        there = showing.seek(tick)
        frames = showing.still(self._box)
        with self._changed:
            if there and self._target == tick:
                self._target = None
            self._frames = []
        self._publish(number, showing, frames)

    def _deed(self, number: int, showing: Showing, deed: Deed) -> None:
        told = None
        try:
            deed(showing.films[0])
        except UsageError as error:
            told = str(error)
        with self._changed:
            if number == self._generation:
                self._notice = told
        self._publish(number, showing, showing.still(self._box))

    def _advance(self, number: int, showing: Showing, ticks: int, parts: int) -> None:
        self._publish(number, showing, showing.advance(ticks, parts, 1 / FPS))

    def _publish(self, number: int, showing: Showing, frames: list[Frames], phase: Phase = "ready") -> bool:
        """Show how things stand, and more frames of each film; whether anybody waits for them."""
        shots = showing.counters()
        with self._changed:
            if number != self._generation:
                return False
            self._phase, self._shots, self._showing = phase, shots, showing
            self._playing = self._playing and not self._over()
            if self._frames and frames:
                frames = [old + new for old, new in zip(self._frames, frames, strict=True)]
            self._frames = frames or self._frames
            self._number += 1
            self._changed.notify_all()
            return True

    def failed(self, job: Job, words: str) -> None:
        with self._changed:
            if isinstance(job, partial) and job.args[0] == self._generation:
                self._clear("failed")
                self._error = words


def _strip(episode: int, first: int, frames: Frames) -> Strip:
    height, width, _ = frames[0].shape
    return Strip(episode, first, len(frames), height, width, FPS, np.stack(frames).tobytes())

"""The runner: a thread that owns a simulation, so that a page can rerun at any time and the show goes on.

A page gives orders (load, play, pause, step, speed, size) and polls snapshots; it never meets the model. The thread
calls nothing of Streamlit's. It works ahead of the page by ``ROOM`` frames at most: where nobody looks, the simulation
waits; where nobody has looked for ``idle`` seconds, the thread ends, and the next order or poll starts another one that
goes on from there. So a session that is gone leaves no thread, and its model is freed with its runner.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from sandbox.core.errors import SandboxError
from sandbox.fronts.studio.show.camera import Shot, develop
from sandbox.fronts.studio.show.episode import Episode
from sandbox.fronts.studio.show.snapshot import Counters, Phase, Snapshot
from sandbox.fronts.studio.show.strip import WHOLE, Strip, View

FPS = 24  # frames a second
STEP_FRAMES = 8  # of a single step
ROOM = 24  # frames that wait for the page; a tick in progress may exceed it
IDLE = 8.0  # seconds
LAG = 0.25  # seconds of delay that are caught up
PIXELS = 1_000_000  # of a frame at most

Order = tuple[Mapping, int]  # scenario and seed


class Runner:
    """Thread-safe control of one simulation at a time."""

    def __init__(self, idle: float = IDLE):
        self.order: Order | None = None  # what was loaded last
        self._idle, self._speed, self._box, self._view = idle, 4.0, (600, 600), WHOLE
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._episode: Episode | None = None  # stepped and painted by the thread only
        self._counters: Counters | None = None
        self._shots: list[Shot] = []
        self._strip: Strip | None = None
        self._phase: Phase = "empty"
        self._error: str | None = None
        self._playing = self._busy = self._closed = self._resized = self._due_load = False
        self._number = self._generation = self._painted = self._steps = 0
        self._polled = self._since = self._due = 0.0

    # -- orders --------------------------------------------------------------------------------------------------------

    def load(self, scenario: Mapping, seed: int) -> None:
        """Put a fresh episode in place of the present one, paused at tick 0."""
        with self._changed:
            self.order = (scenario, seed)
            self._clear("preparing")
            self._due_load, self._since = True, time.monotonic()
            self._wake()

    def reset(self) -> None:
        """The same episode from the start."""
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

    def set_speed(self, ticks_a_second: float) -> None:
        with self._changed:
            self._speed = float(ticks_a_second)
            self._changed.notify_all()

    def resize(self, width: int, height: int, view: View = WHOLE) -> None:
        """Paint into a box of this many pixels from now on, and this part of the world only."""
        shrink = min(1.0, (PIXELS / max(1, width * height)) ** 0.5)
        box = (max(64, int(width * shrink)), max(64, int(height * shrink)))
        with self._changed:
            if (box, view) != (self._box, self._view):
                self._box, self._view, self._resized = box, view, True
                self._wake()

    def close(self) -> None:
        """End the thread and let go of the model; the runner is of no use afterwards."""
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
                counters=self._counters,
                strip=self._strip,
                error=self._error,
            )

    def poll(self, wait: float = 0.0) -> Snapshot:
        """The same, with every frame since the last poll as its strip; waits up to ``wait`` seconds for some."""
        with self._changed:
            self._polled = time.monotonic()
            if self._active():
                self._wake()
                self._changed.wait_for(lambda: self._shots or not self._active(), wait)
            generation, first, (shots, self._shots) = self._generation, self._painted, (self._shots, [])
            self._painted += sum(shot.parts for shot in shots)
        strip = develop(shots, generation, first, FPS) if shots else None  # takes its time: not in the thread's way
        with self._changed:
            if strip and generation == self._generation:
                self._strip = strip
            return self.peek()

    def _active(self) -> bool:
        waiting = self._due_load or self._busy or self._shots or (self._episode is not None and self._resized)
        return bool(waiting or (self._phase == "ready" and not self._over() and (self._playing or self._steps)))

    def _over(self) -> bool:
        return self._counters is not None and self._counters.over

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _clear(self, phase: Phase) -> None:
        """Forget the present episode. What the thread is about to publish of it is dropped: the generation differs."""
        self._generation += 1
        self._number += 1
        self._phase, self._episode, self._counters, self._strip, self._error = phase, None, None, None, None
        self._playing, self._due_load, self._steps, self._shots = False, False, 0, []

    def _wake(self) -> None:
        self._polled = time.monotonic()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="sandbox-studio", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while self._work():
            pass

    def _work(self) -> bool:
        """Do the next job; False when the thread is to end. (A call of its own, so that no old job is held on to.)"""
        job = self._wait()
        if job is None:
            return False
        generation, make = job
        try:
            make()
        except SandboxError as error:
            self._fail(generation, str(error))
        except Exception as error:  # or the thread would die in silence, and the page wait for ever
            self._fail(generation, f"{type(error).__name__}: {error}")
        with self._changed:
            self._busy = False
            self._changed.notify_all()
        return True

    def _wait(self) -> tuple[int, Callable[[], None]] | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                left = self._polled + self._idle - now
                if left <= 0:
                    break
                make, pause = self._choose(now)
                if make:
                    self._busy = True
                    return self._generation, make
                self._changed.wait(min(pause, left))
            self._thread = None
            return None

    def _choose(self, now: float) -> tuple[Callable[[], None] | None, float]:
        """The next job, or None and how long there is none."""
        episode, generation = self._episode, self._generation
        if self._due_load:
            self._due_load = self._resized = False
            return partial(self._load, generation, *self.order), 0.0
        if episode is None or self._phase != "ready":
            return None, self._idle
        if self._resized:
            self._resized, self._shots, seen = False, [], (self._box, self._view)
            return lambda: self._publish(generation, episode, [episode.still(*seen)]), 0.0
        if self._over():
            return None, self._idle
        if self._steps:
            self._steps -= 1
            return partial(self._advance, generation, episode, 1, STEP_FRAMES), 0.0
        if not self._playing or sum(shot.parts for shot in self._shots) >= ROOM:
            return None, self._idle
        if now < self._due:
            return None, self._due - now
        ticks, parts = max(1, round(self._speed / FPS)), max(1, round(FPS / self._speed))
        self._due = max(self._due + ticks / self._speed, now - LAG)
        return partial(self._advance, generation, episode, ticks, parts), 0.0

    def _advance(self, generation: int, episode: Episode, ticks: int, parts: int) -> None:
        self._publish(generation, episode, [episode.advance(ticks, parts, 1 / FPS)])

    def _load(self, generation: int, scenario: Mapping, seed: int) -> None:
        episode = Episode(scenario, seed, self._box)
        self._publish(
            generation, episode, [episode.still(self._box, self._view)], "preparing"
        )  # a picture to look at while the rest is compiled
        episode.warm_up()
        self._publish(generation, episode, [], "ready")

    def _publish(self, generation: int, episode: Episode, shots: list[Shot], phase: Phase = "ready") -> None:
        counters = episode.counters()
        with self._changed:
            if generation == self._generation:
                self._phase, self._counters, self._episode = phase, counters, episode
                self._playing = self._playing and not counters.over
                self._shots += shots
                self._number += 1
                self._changed.notify_all()

    def _fail(self, generation: int, words: str) -> None:
        with self._changed:
            if generation == self._generation:
                self._clear("failed")
                self._error = words

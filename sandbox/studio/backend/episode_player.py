"""An episode at any of its ticks: a model and its record. Live episodes and replays share one code path.

A recorded tick is executed again, with the record instead of language models and people, and must reach the recorded
state. A tick beyond the record is played and recorded. After seeking back, playing repeats the record to its end, and
then continues the episode.
"""

import io
import pickle
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.agents.llm.offline import Recorded
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.finish import Finish
from sandbox.core.people import People
from sandbox.core.telling import Transition
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.record import Event, Log, Run, RunFinished, TrialFinished, open_run
from sandbox.record.lock import Reading
from sandbox.running import intervene
from sandbox.running.explain import Witness
from sandbox.running.recorded_answers import answers_of
from sandbox.running.replay import follow, model_of
from sandbox.running.trial import opening, outcome_of, record_step, record_tools
from sandbox.scenario import Scenario

# -- past: the recorded ticks of an episode

INTERVENTIONS = ("changed", "placed")  # kinds of events


@dataclass
class Past:
    """The digests of an episode's states, and its interventions."""

    digests: list[str] = field(default_factory=list)  # of the state after tick 1, 2, ...
    interventions: dict[int, list[Event]] = field(default_factory=dict)  # by the tick that followed
    error: str | None = None  # the error that ended it

    @classmethod
    def read(cls, run: Run, trial: int) -> "Past":
        """The past of a recorded trial; raises RecordError if the file is unreadable."""
        sql = "SELECT json_extract(body, '$.digest') FROM event WHERE kind = 'tick' AND trial = ? ORDER BY seq"
        past = cls([digest for (digest,) in run.query(sql, (trial,))])
        past.note(event for event in run.milestones(*INTERVENTIONS) if event.trial == trial)
        return past

    def note(self, events: Iterable[Event]) -> None:
        """Store the interventions among some events."""
        for event in events:
            if event.kind in INTERVENTIONS:
                self.interventions.setdefault(event.tick, []).append(event)


# -- episode_player

WORK = 0.5  # seconds of stepping after which a checkpoint is made
SHARE = 20.0  # and at least so many times the cost of making it
KEPT = 24  # checkpoints; if there are more, every second one is dropped
MOST = 256_000_000  # bytes of all of them
UNSEEN = 5_000_000  # ticks times agents that are held back from the record, at most; 12 bytes each


class EpisodePlayer:
    """One episode. Raises UsageError if the scenario cannot run, RecordError for an unusable record."""

    def __init__(self, model: Sandbox, folder: Path, trial: int, past: Past, people: Approvals, log: Log | None):
        self.model, self.folder, self.trial = model, folder, trial
        self.people, self.past = people, past
        self.until = 0  # if not 0: it is not played beyond this tick
        self._reading = Reading(folder)  # otherwise another studio might remove it once it is sealed
        self.on_tick: Callable[[EpisodePlayer], None] = lambda film: None
        self._log = log
        self._witness = Witness()
        self._unseen = _Unseen()
        self._checkpoints: dict[int, bytes] = {}
        self._worked = self._keeping = self._seconds = 0.0
        if log:
            record_tools(model, log)
        self._finalizer = weakref.finalize(self, _seal, log) if log else None  # an unused player seals its record

    @classmethod
    def begin(
        cls, scenario: Scenario, seed: int, folder: Path, people: Approvals,
        recorded: Recorded | None = None,
    ) -> "EpisodePlayer":  # fmt: skip
        """A new episode at tick 0, recorded in ``folder``; ``recorded`` answers instead of language models."""
        model = Sandbox(scenario, rng=seed, people=people, recorded=recorded)
        log = Log.create(folder)
        log.extend(opening(model))
        return cls(model, folder, 0, Past(), people, log)

    @classmethod
    def open(cls, folder: Path, trial: int = 0) -> "EpisodePlayer":
        """A recorded trial at tick 0."""
        with open_run(folder) as run:
            return cls(model_of(run, trial), folder, trial, Past.read(run, trial), Approvals(), None)

    # -- position ------------------------------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        return self.model.ticks

    @property
    def head(self) -> int:
        """The last tick that is recorded."""
        return len(self.past.digests)

    @property
    def agents(self) -> int:
        return self.model.env.agents

    @property
    def live(self) -> bool:
        """Whether it can continue beyond its recorded ticks."""
        return self._log is not None

    @property
    def hosted(self) -> bool:
        """Whether anything but compiled policies decides in it."""
        return bool(self.model.reasoners)

    @property
    def transition(self) -> Transition | None:
        """The present tick, for its explanation; None at tick 0, and right after ``seek`` went back."""
        return self._witness.transition(self.model)

    @property
    def over(self) -> bool:
        """Whether no tick comes after the present one."""
        ended = not self.model.running or (self.tick >= self.head and not self.live)
        return ended or bool(self.until and self.tick >= self.until)

    @property
    def closed(self) -> str:
        """Why it accepts no intervention now, as text; empty if it does."""
        if self.live and self.tick == self.head and self.model.running:
            return ""
        told = f"this is the past; tick {self.head} is the present" if self.live else "the episode is over"
        return f"{told}; the past cannot be changed"

    @property
    def scenario(self) -> Scenario:
        """The present scenario; interventions change it."""
        return self.model.scenario

    # -- movement ------------------------------------------------------------------------------------------------------

    def advance(self, ahead: bool = False) -> None:
        """One tick: the recorded one if it exists, else a new one.

        A new one that is played ``ahead`` of what is shown is not recorded yet, see ``settle`` and ``drop``. Ticks of
        hosted reasoners are always recorded at once: what a model or a tool has done cannot be taken back.
        """
        if self.over:
            return
        began = time.thread_time()
        if self.tick < self.head:
            self._again()
        else:
            self._onward(ahead and not self.hosted)
        self._worked += time.thread_time() - began
        self.on_tick(self)
        if self._worked > max(WORK, SHARE * self._keeping) and not self.model.reasoners:
            self._keep()

    def _again(self) -> None:
        tick = self.tick + 1
        self._follow(tick)
        self._witness.watch(self.model)
        self.model.step()
        if self.model.error or self.model.latest.digest != self.past.digests[tick - 1]:
            told = self.model.error or "the state differs"
            raise RecordError(f"{self.folder}: tick {tick} does not run as recorded: {told}")
        if tick == self.head:
            self._follow(tick + 1)  # interventions after the last tick

    def _follow(self, tick: int) -> None:
        """Repeat the interventions before a tick."""
        for event in self.past.interventions.get(tick, ()):
            follow(self.model, event)

    def _onward(self, ahead: bool) -> None:
        if not ahead:
            self.settle()
        self._witness.watch(self.model)
        began = time.perf_counter()
        record_step(self.model, self._unseen if ahead else self._log)
        self._seconds += time.perf_counter() - began
        if self.model.error is None:
            self.past.digests.append(self.model.latest.digest)
        if not ahead or self.model.error:
            self.settle()
        elif len(self._unseen.ticks) * self.agents > UNSEEN:
            self.settle(self._settled + 1)
        intervene.show(self.model, self.people)

    @property
    def unsettled(self) -> bool:
        """Whether it was played ahead of what is recorded."""
        return bool(self._unseen.ticks)

    def settle(self, tick: int | None = None) -> None:
        """Record what was played ahead, up to a tick; all of it by default."""
        while self._unseen.ticks and (tick is None or self._settled < tick):
            self._log.extend(self._unseen.ticks.popleft())
        if self._log and not self._unseen.ticks and not self.model.running and self.tick == self.head:
            self._end("failed" if self.model.verdict == Finish.ERROR else "done")

    @property
    def _settled(self) -> int:
        """The last tick of the record."""
        return self.head - len(self._unseen.ticks)

    def drop(self, tick: int) -> int:
        """Forget what was played ahead of a tick; returns the last tick that remains. ``seek`` then moves there."""
        self.settle(tick)
        head = self._settled
        if head < self.head:
            self._unseen.ticks.clear()
            del self.past.digests[head:]
            self._checkpoints = {at: kept for at, kept in self._checkpoints.items() if at <= head}
        return head

    def seek(self, tick: int) -> bool:
        """Move to a tick, at most to the end, for at most ``WORK`` seconds; returns whether it is reached."""
        self.settle()
        tick, until = max(0, tick), time.perf_counter() + WORK
        if tick < self.tick:
            self._back(tick)
        while self.tick < tick and not self.over:
            self.advance()
            if time.perf_counter() > until:
                return False
        return True

    def _back(self, tick: int) -> None:
        """Restore the latest checkpoint before a tick, or tick 0; the record answers up to its end."""
        error, until = self.model.error, self.head if self.live else None
        if self._log:
            self._log.flush()
        at = max((kept for kept in self._checkpoints if kept <= tick), default=None)
        with open_run(self.folder) as run:
            if at is None:
                self.model.close()
                people = self.people if self.live else None
                self.model = model_of(run, self.trial, until, people, self.scenario.origin)
            else:
                people = answers_of(run, self.trial, until, self.people)
                self.model = _Unpickler(io.BytesIO(self._checkpoints[at]), people).load()
        if self._log:
            record_tools(self.model, self._log)
        self.past.error = self.past.error or error
        self._worked = 0.0
        if self.tick == self.head:
            self._follow(self.tick + 1)  # interventions after the last tick

    def _keep(self) -> None:
        began, file = time.thread_time(), io.BytesIO()
        _Pickler(file, self.model.people).dump(self.model)
        self._checkpoints[self.tick] = file.getvalue()
        if len(self._checkpoints) > min(KEPT, max(2, MOST // len(file.getvalue()))):
            self._checkpoints = dict(sorted(self._checkpoints.items())[1::2])
        self._worked, self._keeping = 0.0, time.thread_time() - began

    def actions(self, tick: int) -> list[tuple[int, int]]:
        """Verb and target of each agent in a recorded tick; empty if there is no such tick."""
        self.settle()
        if self._log:
            self._log.flush()
        with open_run(self.folder) as run:
            found = run.tick(self.trial, tick)
        return [] if found is None else list(map(tuple, found.actions.tolist()))

    # -- interventions -------------------------------------------------------------------------------------------------

    def intervene(self, deed: Callable[[Sandbox], list[Event]]) -> None:
        """Intervene before the next tick, and record it (``running.intervene``).

        Raises UsageError if that is impossible, or if the next tick is already recorded.
        """
        if self.closed:
            raise UsageError(f"tick {self.tick}: {self.closed}")
        self.settle()
        events = deed(self.model)
        self._log.extend(events)
        self.past.note(events)
        intervene.show(self.model, self.people)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _end(self, status: str) -> None:
        outcome = outcome_of(self.model, self._seconds)
        log, self._log = self._log, None
        log.extend([TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status=status)])
        self._finalizer()  # closes the log, once

    def close(self) -> None:
        """Seal an open record as stopped, if possible, and release the model."""
        with suppress(RecordError):  # a full disk or a removed folder, reported when it happened
            self.settle()
            if self._log and self.tick == self.head:
                self.model.stop()
                self._end("stopped")
            elif self._finalizer:
                self._finalizer()
        self._reading.close()
        self.model.close()


class _Unseen:
    """Events that are held back from the record, by tick."""

    def __init__(self) -> None:
        self.ticks: deque[list[Event]] = deque()

    def extend(self, events: Iterable[Event]) -> None:
        self.ticks.append(list(events))


def _seal(log: Log) -> None:
    with suppress(RecordError):  # reported when the last event was added
        log.close()


class _Pickler(pickle.Pickler):
    """Pickles a model by reference to its people, who are not copied."""

    def __init__(self, file: io.BytesIO, people: People):
        super().__init__(file, protocol=5)
        self._people = people

    def persistent_id(self, what: Any) -> str | None:
        return "people" if what is self._people else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, people: People):
        super().__init__(file)
        self._people = people

    def persistent_load(self, _: str) -> People:
        return self._people

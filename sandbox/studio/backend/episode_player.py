"""An episode at any of its ticks: a model beside its record. Live and replay share one code path.

A tick that is recorded is executed again, with the record in the place of language models and people, and must come to
the recorded state; one that is not, is new, and is recorded. So who seeks back sees what was, and who then plays on
comes to where the episode ended, and goes on from there.
"""

import io
import json
import pickle
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.agents.llm.offline import Recorded
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.finish import Finish
from sandbox.core.people import People
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.record import Event, Log, Run, RunFinished, TrialFinished, open_run
from sandbox.record.lock import Reading
from sandbox.running import intervene
from sandbox.running.recorded_answers import answers_of
from sandbox.running.replay import follow, model_of
from sandbox.running.trial import opening, outcome_of, record_step, record_tools
from sandbox.scenario import Scenario

# -- past: What an episode has come to so far, tick by tick, as its record has it.

INTERVENTIONS = ("changed", "placed")  # kinds of events


@dataclass
class Past:
    """The states of an episode by their digests, and what people did to it."""

    digests: list[str] = field(default_factory=list)  # of the state after tick 1, 2, ...
    interventions: dict[int, list[Event]] = field(default_factory=dict)  # by the tick that came next
    error: str | None = None  # that ended it

    @classmethod
    def read(cls, run: Run, trial: int) -> "Past":
        """Raises RecordError where the file is unreadable."""
        sql = "SELECT json_extract(body, '$.digest') FROM event WHERE kind = 'tick' AND trial = ? ORDER BY seq"
        past = cls([digest for (digest,) in run.query(sql, (trial,))])
        past.note(event for event in run.milestones(*INTERVENTIONS) if event.trial == trial)
        return past

    def note(self, events: Iterable[Event]) -> None:
        """Keep those that are interventions."""
        for event in events:
            if event.kind in INTERVENTIONS:
                self.interventions.setdefault(event.tick, []).append(event)


# -- episode_player

WORK = 0.5  # seconds of stepping after which a checkpoint is worth its place
SHARE = 20.0  # and of how many times its own cost
KEPT = 24  # checkpoints; where there are more, every second one goes
MOST = 256_000_000  # bytes of all of them


class EpisodePlayer:
    """One episode. Raises UsageError where the scenario cannot run, RecordError where the record cannot be used."""

    def __init__(self, model: Sandbox, folder: Path, trial: int, past: Past, people: Approvals, log: Log | None):
        self.model, self.folder, self.trial = model, folder, trial
        self.people, self.past = people, past
        self._reading = Reading(folder)  # else the studio of somebody else might remove it once it is sealed
        self.on_tick: Callable[[EpisodePlayer], None] = lambda film: None
        self._log = log
        self._checkpoints: dict[int, bytes] = {}
        self._worked = self._keeping = self._seconds = 0.0
        if log:
            record_tools(model, log)
        self._finalizer = weakref.finalize(self, _seal, log) if log else None  # who forgets a film seals its record

    @classmethod
    def begin(
        cls, scenario: Scenario, seed: int, folder: Path, people: Approvals,
        recorded: Recorded | None = None,
    ) -> "EpisodePlayer":  # fmt: skip
        """A fresh episode at tick 0, to be recorded in ``folder``; ``recorded`` answers in place of language models."""
        model = Sandbox(scenario, rng=seed, people=people, recorded=recorded)
        log = Log.create(folder)
        log.extend(opening(model))
        return cls(model, folder, 0, Past(), people, log)

    @classmethod
    def open(cls, folder: Path, trial: int = 0) -> "EpisodePlayer":
        """A recorded trial at tick 0."""
        with open_run(folder) as run:
            return cls(model_of(run, trial), folder, trial, Past.read(run, trial), Approvals(), None)

    # -- where it stands -----------------------------------------------------------------------------------------------

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
        """Whether it can go on beyond what is recorded."""
        return self._log is not None

    @property
    def over(self) -> bool:
        """Whether no tick comes after the present one."""
        return not self.model.running or (self.tick >= self.head and not self.live)

    @property
    def closed(self) -> str:
        """Why nothing can be done to it now, in words; empty where something can."""
        if self.live and self.tick == self.head and self.model.running:
            return ""
        told = f"this is the past; tick {self.head} is the present" if self.live else "the episode is over"
        return f"{told}; the past cannot be changed"

    @property
    def scenario(self) -> Scenario:
        """As it is now; interventions change it."""
        return self.model.scenario

    # -- going on, and back --------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """One tick: the recorded one where there is one, else a new one."""
        if self.over:
            return
        began = time.thread_time()
        if self.tick < self.head:
            self._again()
        else:
            self._onward()
        self._worked += time.thread_time() - began
        self.on_tick(self)
        if self._worked > max(WORK, SHARE * self._keeping) and not self.model.reasoners:
            self._keep()

    def _again(self) -> None:
        tick = self.tick + 1
        self._follow(tick)
        self.model.step()
        if self.model.error or self.model.latest.digest != self.past.digests[tick - 1]:
            told = self.model.error or "the state differs"
            raise RecordError(f"{self.folder}: tick {tick} does not run as recorded: {told}")
        if tick == self.head:
            self._follow(tick + 1)  # what no tick has followed yet

    def _follow(self, tick: int) -> None:
        """Do what was done before a tick that is recorded, or is to come."""
        for event in self.past.interventions.get(tick, ()):
            follow(self.model, event)

    def _onward(self) -> None:
        began = time.perf_counter()
        record_step(self.model, self._log)
        self._seconds += time.perf_counter() - began
        if self.model.error is None:
            self.past.digests.append(self.model.latest.digest)
        if not self.model.running:
            self._end("failed" if self.model.verdict == Finish.ERROR else "done")
        intervene.show(self.model, self.people)

    def seek(self, tick: int) -> bool:
        """Go to a tick, or for ``WORK`` seconds towards it; whether it is there. Beyond the end is the end."""
        tick, until = max(0, tick), time.perf_counter() + WORK
        if tick < self.tick:
            self._back(tick)
        while self.tick < tick and not self.over:
            self.advance()
            if time.perf_counter() > until:
                return False
        return True

    def _back(self, tick: int) -> None:
        """The model at the latest checkpoint before a tick, or at tick 0; the record answers up to its end."""
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

    def _keep(self) -> None:
        began, file = time.thread_time(), io.BytesIO()
        _Pickler(file, self.model.people).dump(self.model)
        self._checkpoints[self.tick] = file.getvalue()
        if len(self._checkpoints) > min(KEPT, max(2, MOST // len(file.getvalue()))):
            self._checkpoints = dict(sorted(self._checkpoints.items())[1::2])
        self._worked, self._keeping = 0.0, time.thread_time() - began

    def actions(self, tick: int) -> list[tuple[int, int]]:
        """Verb and target of each agent in a recorded tick; none where there is no such tick."""
        if self._log:
            self._log.flush()
        with open_run(self.folder) as run:
            sql = "SELECT json_extract(body, '$.actions') FROM event WHERE kind = 'tick' AND trial = ? AND tick = ?"
            found = next(run.query(sql, (self.trial, tick)), ("[]",))[0]
        return [(verb, target) for verb, target in json.loads(found)]

    # -- what people do ------------------------------------------------------------------------------------------------

    def intervene(self, deed: Callable[[Sandbox], list[Event]]) -> None:
        """Have something done before the next tick, and recorded (``running.intervene``).

        Raises UsageError where it cannot be done, and where what comes is recorded already.
        """
        if self.closed:
            raise UsageError(f"tick {self.tick}: {self.closed}")
        events = deed(self.model)
        self._log.extend(events)
        self.past.note(events)
        intervene.show(self.model, self.people)

    # -- the end -------------------------------------------------------------------------------------------------------

    def _end(self, status: str) -> None:
        outcome = outcome_of(self.model, self._seconds)
        log, self._log = self._log, None
        log.extend([TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status=status)])
        self._finalizer()  # closes it, once

    def close(self) -> None:
        """Seal the record where it is open and can be, as one that was stopped, and let the model go."""
        with suppress(RecordError):  # its disk is full, or its folder is gone, which was told when it happened
            if self._log and self.tick == self.head:
                self.model.stop()
                self._end("stopped")
            elif self._finalizer:
                self._finalizer()
        self._reading.close()
        self.model.close()


def _seal(log: Log) -> None:
    with suppress(RecordError):  # why it cannot be sealed was told when the last event was added
        log.close()


class _Pickler(pickle.Pickler):
    """People stay who they are: they are not copied with a model."""

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

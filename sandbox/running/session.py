"""A session: a run that is driven by hand, tick by tick, and recorded like any other."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.core.finish import Outcome
from sandbox.core.intervention import ANY, Aim
from sandbox.core.plain import checked_seed, path
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.record import Event, Log
from sandbox.running import intervene
from sandbox.running.trial import closing_events, opening, outcome_of, record_step, record_tools, warm
from sandbox.scenario import Scenario, load


class Session:
    """An episode under way; ``session`` makes it. Use it in a ``with`` block, or call ``close``.

    ``model`` is the Mesa model and ``people`` are who answers: from another thread while a tick waits for them. Each
    method raises UsageError, in one line, where something cannot be done now; then nothing has changed.
    """

    def __init__(self, scenario: Scenario, seed: int, out: Path | None):
        self.people = Approvals()
        self.model = Sandbox(scenario, rng=seed, people=self.people)
        self.outcome: Outcome | None = None  # once it is closed
        self._seconds = 0.0
        try:
            warm(scenario, self.model.env, False)
            self._log = None if out is None else Log.create(out)
        except BaseException:
            self.model.close()
            raise
        self._note(list(opening(self.model)))
        if self._log:
            record_tools(self.model, self._log)

    @property
    def running(self) -> bool:
        """Whether another tick can be made."""
        return self.outcome is None and self.model.running

    def step(self, ticks: int = 1) -> bool:
        """Make some ticks and record them; returns whether the episode goes on."""
        for _ in range(ticks):
            if not self.running:
                break
            began = time.perf_counter()
            if self._log:
                record_step(self.model, self._log)
            else:
                self.model.step()
            self._seconds += time.perf_counter() - began
            intervene.show(self.model, self.people)
        return self.running

    def intervene(self, name: str, aim: Aim = ANY) -> None:
        """Do one of the world's interventions, by its name; what is not aimed at is drawn."""
        self._note(intervene.intervene(self.model, name, aim))

    def place(self, patch: Mapping[str, Any]) -> None:
        """Draw into the world: keys of ``Environment.describe`` with other values."""
        self._note(intervene.place(self.model, patch))

    def change(self, overrides: Mapping[str, Any]) -> None:
        """Change keys of the scenario, such as ``{"perturb.action_failure": 0.5}``; see ``scenario.change``."""
        self._note(intervene.change(self.model, overrides))

    def reseat(self, agent: int, reasoner: str, **options: Any) -> None:
        """Give an agent another reasoner."""
        self._note(intervene.reseat(self.model, agent, reasoner, **options))

    def cut(self, edge: tuple[int, int]) -> None:
        """Let two agents of a team hear each other no longer."""
        self._note(intervene.cut(self.model, edge))

    def mend(self, edge: tuple[int, int]) -> None:
        """Let two agents that were cut off hear each other again."""
        self._note(intervene.mend(self.model, edge))

    def take(self, agent: int) -> None:
        """Steer an agent by hand from now on: it does what ``key`` says, else nothing."""
        intervene.take(self.model, self.people, agent)

    def key(self, agent: int, action: str) -> None:
        """What an agent that was taken over does in the next tick: a verb, or a verb and its target."""
        self.people.key(agent, action)

    def release(self, agent: int) -> None:
        """Give an agent that was taken over back to its reasoner."""
        self.people.release(agent)

    def answer(self, agent: int, action: str) -> None:
        """Say what an agent that waits for a person is to do; from another thread, while ``step`` waits."""
        self.people.answer(agent, action)

    def close(self) -> Outcome:
        """End the episode where it is, complete the record, and return the outcome. A second call does nothing."""
        if self.outcome is None:
            stopped = self.model.running
            if stopped:
                self.model.stop()
            self.outcome = outcome_of(self.model, self._seconds)
            self._note(closing_events(self.outcome, stopped))
            if self._log:
                self._log.close()
            self.model.close()
        return self.outcome

    def _note(self, events: list[Event]) -> None:
        if self._log:
            self._log.extend(events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def session(
    scenario: str | Path | Mapping | Scenario,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
) -> Session:
    """Begin a run that you drive yourself; arguments and errors as those of ``run``.

    The record in the folder ``out`` is that of any run: ``verify``, ``replay`` and ``resume`` take it.
    """
    out = None if out is None else path(out, "out")
    chosen = load(scenario, overrides)
    return Session(chosen, chosen.seed if seed is None else checked_seed(seed), out)

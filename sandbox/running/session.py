"""A session: a run that you drive by hand, tick by tick, recorded like any other."""

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
    """A running episode, created by ``session``. Use it in a ``with`` block, or call ``close``.

    ``model`` is the Mesa model. ``people`` answers questions, from another thread while a tick waits for them. Each
    method raises UsageError, with nothing changed, if the operation is not possible now.
    """

    def __init__(self, scenario: Scenario, seed: int, out: Path | None):
        self.people = Approvals()
        self.model = Sandbox(scenario, rng=seed, people=self.people)
        self.outcome: Outcome | None = None  # set by ``close``
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
        """Whether another tick can be played."""
        return self.outcome is None and self.model.running

    def step(self, ticks: int = 1) -> bool:
        """Play some ticks and record them; returns whether the episode continues."""
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
        """Perform one of the world's interventions, by name; missing entries of the aim are drawn."""
        self._note(intervene.intervene(self.model, name, aim))

    def place(self, patch: Mapping[str, Any]) -> None:
        """Change the world: keys of ``Environment.describe`` with other values."""
        self._note(intervene.place(self.model, patch))

    def change(self, overrides: Mapping[str, Any]) -> None:
        """Change keys of the scenario, such as ``{"perturb.action_failure": 0.5}``; see ``scenario.change``."""
        self._note(intervene.change(self.model, overrides))

    def reseat(self, agent: int, reasoner: str, **options: Any) -> None:
        """Give an agent another reasoner."""
        self._note(intervene.reseat(self.model, agent, reasoner, **options))

    def cut(self, edge: tuple[int, int]) -> None:
        """Cut the link between two agents of a team."""
        self._note(intervene.cut(self.model, edge))

    def mend(self, edge: tuple[int, int]) -> None:
        """Restore a link that was cut."""
        self._note(intervene.mend(self.model, edge))

    def take(self, agent: int) -> None:
        """Steer an agent by hand from now on: it does what ``key`` says, otherwise nothing."""
        intervene.take(self.model, self.people, agent)

    def key(self, agent: int, action: str) -> None:
        """Set the action of a steered agent for the next tick: a verb, or a verb and its target."""
        self.people.key(agent, action)

    def release(self, agent: int) -> None:
        """Give a steered agent back to its reasoner."""
        self.people.release(agent)

    def answer(self, agent: int, action: str) -> None:
        """Answer for an agent that waits for a person; from another thread, while ``step`` waits."""
        self.people.answer(agent, action)

    def close(self) -> Outcome:
        """End the episode here, complete the record, and return the outcome. A second call does nothing."""
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
    """Start a run that you drive yourself; arguments and errors are those of ``run``.

    The record in the folder ``out`` is that of any run: ``verify``, ``replay`` and ``resume`` accept it.
    """
    out = None if out is None else path(out, "out")
    chosen = load(scenario, overrides)
    return Session(chosen, chosen.seed if seed is None else checked_seed(seed), out)

"""Replay and verification: the record's actions, played again through the same kernels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.agents.memory import Memory
from sandbox.agents.memory.minds import restored
from sandbox.core.decision import Edit
from sandbox.core.errors import RecordError, UsageError
from sandbox.core.people import People
from sandbox.core.speech import Act, Said
from sandbox.model import Sandbox
from sandbox.record import (
    ChainReport,
    Changed,
    Event,
    HumanActed,
    MemoryEdited,
    MessageSaid,
    Placed,
    Reviewed,
    Run,
    RunStarted,
    TickDone,
    open_run,
    verify_chain,
)
from sandbox.scenario import Scenario
from sandbox.scenario.recorded import read_scenario
from sandbox.trials.playback import answers_of, calls_of
from sandbox.trials.trial import beside

BESIDE = {
    MemoryEdited: "an agent remembers otherwise", HumanActed: "a person acts for another agent",
    MessageSaid: "an agent says something else", Reviewed: "the guard reviews otherwise",
}  # fmt: skip


def scenario_of(run: Run) -> Scenario:
    """The scenario as it ran; raises RecordError where the record does not begin with one."""
    first = next(run.events(), None)
    if not isinstance(first, RunStarted):
        raise RecordError(f"{run.folder}: the record does not begin with a scenario; nothing can be replayed")
    return read_scenario(first.scenario, run.folder)


def model_of(run: Run, trial: int = 0, until: int | None = None, people: People | None = None) -> Sandbox:
    """The model of a recorded trial, at tick 0.

    The record answers for language models and people; after tick ``until``, where it is one, they do themselves.
    """
    started = {event.trial: event for event in run.trials}
    if trial not in started:
        raise RecordError(f"{run.folder}: no trial {trial}; recorded: {', '.join(map(str, started)) or 'none'}")
    said = {"recorded": calls_of(run, trial, until), "people": answers_of(run, trial, until, people)}
    return Sandbox(scenario_of(run), rng=started[trial].seed, **said)


def memory_of(run: Run, agent: int, tick: int | None = None, trial: int = 0) -> Memory:
    """The memory of an agent as it was after a tick, by default the last one that is recorded; made from the record.

    Raises UsageError where the agent is none with a language model.
    """
    team = scenario_of(run).roster()
    if not (0 <= agent < len(team) and team[agent].llm):
        raise UsageError(f"agent {agent} has no memory; expected one with a language model")
    edits = [
        Edit(**event.model_dump(exclude={"kind", "trial", "agent"}))
        for event in run.milestones("memory")
        if (event.trial, event.agent) == (trial, agent) and (tick is None or event.tick <= tick)
    ]
    return restored(team[agent].memory, edits)


def follow(model: Sandbox, event: Changed | Placed) -> None:
    """Do to a model what somebody did to it between two ticks of its record."""
    if isinstance(event, Placed):
        model.intervene(event.patch)
    else:
        model.change(read_scenario(event.scenario, f"tick {event.tick}"))


def replay(run: Run, trial: int = 0) -> Iterator[Sandbox]:
    """The model after reset and after every recorded tick, driven by the recorded actions alone.

    Raises RecordError at the first tick after which the state is not the recorded one.
    """
    model, said = model_of(run, trial), []  # of the tick that comes
    yield model
    for event in run.events(trial):
        if isinstance(event, Changed | Placed):
            follow(model, event)
        elif isinstance(event, MessageSaid):
            said.append((event.agent, Said(Act(event.act), event.to, event.task, event.value, event.text)))
        elif isinstance(event, TickDone):
            model.replay_tick(np.array(event.actions, np.int32).reshape(-1, 2), said)
            said = []
            if model.latest.digest != event.digest:
                raise RecordError(f"{run.folder}: trial {trial}, tick {event.tick}: the replayed state differs")
            yield model


@dataclass(frozen=True)
class Verdict:
    """What ``verify`` found: the chain, and how far each trial was executed again with the same result."""

    chain: ChainReport
    ticks: int  # executed again, over all trials
    differs: str | None  # the first difference, in words

    @property
    def passed(self) -> bool:
        return self.chain.intact and self.differs is None

    @property
    def summary(self) -> str:
        again = f"not the same when executed again: {self.differs}" if self.differs else (
            f"{self.ticks} ticks executed again, all equal" if self.ticks else "nothing was executed again"
        )  # fmt: skip
        return f"{self.chain.summary}\n{again}"


def verify(folder: str | Path, expected_root: str | None = None, on_tick: Callable[[], None] = lambda: None) -> Verdict:
    """Recompute the hash chain, then execute every trial again from its seed and compare decisions and states.

    ``on_tick`` is called after each tick that was executed again; what it raises ends the check.
    """
    with open_run(folder) as run:
        chain = verify_chain(run, expected_root)
        if not chain.intact:
            return Verdict(chain, 0, None)
        ticks = 0
        for started in run.trials:
            for difference in retrace(model_of(run, started.trial), run, started.trial):
                if difference:
                    return Verdict(chain, ticks, difference)
                ticks += 1
                on_tick()
        return Verdict(chain, ticks, None)


def retrace(model: Sandbox, run: Run, trial: int = 0) -> Iterator[str | None]:
    """Execute a recorded trial again, decisions and all; yields after each tick what differs, in words, or None."""
    told = []  # of the tick that comes
    for event in run.events(trial):
        if isinstance(event, Changed | Placed):
            follow(model, event)
        elif isinstance(event, tuple(BESIDE)):
            told.append(event)
        elif isinstance(event, TickDone):
            model.step()
            difference = _difference(model, event, told)
            yield f"trial {trial}, tick {event.tick}: {difference}" if difference else None
            told = []


def _difference(model: Sandbox, event: TickDone, told: list[Event]) -> str | None:
    if model.error:
        return model.error
    if model.latest is None or model.latest.tick != event.tick:
        return "the episode ends earlier"
    if [list(pair) for pair in event.actions] != model.latest.actions.tolist():
        return "an agent decides otherwise"
    again = beside(model, event.trial)
    for kind, words in BESIDE.items():
        if [one for one in told if isinstance(one, kind)] != [one for one in again if isinstance(one, kind)]:
            return words
    return "the state differs" if model.latest.digest != event.digest else None

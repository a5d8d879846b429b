"""Replay and verification: the recorded actions, played again through the same kernels."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from sandbox.agents.llm.clients import price_of
from sandbox.agents.memory import Memory
from sandbox.agents.memory.group import restored
from sandbox.core.decision import Edit, ToolUse
from sandbox.core.errors import RecordError, SandboxError, UsageError, shown
from sandbox.core.finish import Finish, Outcome
from sandbox.core.people import People
from sandbox.core.speech import Act, Said
from sandbox.model import Sandbox
from sandbox.reasoning import Seats
from sandbox.record import (
    AgentAnswered,
    CallDone,
    ChainReport,
    Changed,
    Event,
    HumanActed,
    MemoryEdited,
    MessageSaid,
    ModelUsed,
    Placed,
    Resumed,
    Reviewed,
    Run,
    RunFinished,
    RunStarted,
    TickDone,
    ToolAnswered,
    TrialFinished,
    open_run,
    verify_chain,
)
from sandbox.record.store import one_line
from sandbox.running.recorded_answers import answers_of, calls_of
from sandbox.running.trial import DONE, FAILED, STOPPED, models_used, opening, outcome_of, tick_events, worst
from sandbox.running.trust import BREAKS, PRICES, Notes, changes, difference, of_beginning, of_outcome
from sandbox.scenario import Scenario
from sandbox.scenario.capabilities import NOTHING, Grant, Origin, record
from sandbox.scenario.recorded import read_scenario

ROOTED = "the noted root agrees: nothing was changed since it was noted"
UNROOTED = "no noted root was given: a record that was rewritten as a whole, or is of another seed, agrees with itself"
ON_TRUST = "taken on trust, because executing again cannot check it"
OF_ANY = "which a record can claim of any tick"
MOST_TOLD = 10  # lines
BROKEN_OFF = {each.words: each for each in (Finish.STOPPED, Finish.ERROR, Finish.RUNNING)}  # the last: earlier versions
IN_A_TICK = CallDone | AgentAnswered | MemoryEdited | HumanActed | MessageSaid | Reviewed


def scenario_of(run: Run, origin: Origin | None = None) -> Scenario:
    """The scenario that ran, with the ``origin`` of a record; raises RecordError if its first event has none."""
    first = next(run.events(), None)
    if not isinstance(first, RunStarted):
        raise RecordError(f"{run.folder}: the record does not begin with a scenario; nothing can be replayed")
    return read_scenario(first.scenario, origin or record(run.folder))


def model_of(
    run: Run, trial: int = 0, until: int | None = None, people: People | None = None, origin: Origin | None = None
) -> Sandbox:
    """The model of a recorded trial, at tick 0.

    The record answers for language models, functions and people. After tick ``until``, if given, they answer
    themselves, if the ``origin`` grants them; the default is that of a record, which grants nothing. Raises UsageError
    without a grant.
    """
    origin = origin or record(run.folder)
    started = {event.trial: event for event in run.trials}
    if trial not in started:
        raise RecordError(f"{run.folder}: no trial {trial}; recorded: {', '.join(map(str, started)) or 'none'}")
    calls, acts = calls_of(run, trial, until, origin.grant), answers_of(run, trial, until, people)
    return Sandbox(scenario_of(run, origin), rng=started[trial].seed, recorded=calls, people=acts)


def memory_of(run: Run, agent: int, tick: int | None = None, trial: int = 0) -> Memory:
    """The memory of an agent after a tick, by default the last recorded one; rebuilt from the record.

    Raises UsageError if the agent has no language model.
    """
    team = scenario_of(run).roster()
    if not (0 <= agent < len(team) and team[agent].llm):
        raise UsageError(f"agent {agent} has no memory; expected one with a language model")
    edits = [
        Edit(**event.model_dump(exclude={"kind", "trial", "agent"}))
        for event in run.milestones("memory", trial=trial)
        if isinstance(event, MemoryEdited) and event.agent == agent and (tick is None or event.tick <= tick)
    ]
    return restored(team[agent].memory, edits)


def follow(model: Sandbox, event: Changed | Placed) -> Seats:
    """Repeat a recorded intervention on a model; returns the new reasoners."""
    if isinstance(event, Placed):
        model.intervene(event.patch)
        return []
    return model.change(read_scenario(event.scenario, model.scenario.origin))


def replay(run: Run, trial: int = 0, allow: Grant = NOTHING) -> Iterator[Sandbox]:
    """The model after reset and after every recorded tick, driven by the recorded actions alone.

    Raises RecordError at the first tick whose state differs from the recorded one.
    """
    model, said = model_of(run, trial, origin=record(run.folder, allow)), []  # of the next tick
    yield model
    for event in run.events(trial):
        if isinstance(event, Changed | Placed):
            follow(model, event)
        elif isinstance(event, MessageSaid):
            said.append((event.agent, Said(Act(event.act), event.to, event.task, event.value, event.text)))
        elif isinstance(event, TickDone):
            model.replay_tick(event.actions, said)
            said = []
            if model.latest is None or model.latest.digest != event.digest:
                raise RecordError(f"{run.folder}: trial {trial}, tick {event.tick}: the replayed state differs")
            yield model


def trust_line(trusted: Iterable[str]) -> list[str]:
    """The entries of records that cannot be verified, in one line; none without any."""
    told = "; ".join(trusted)
    return [f"{ON_TRUST}: {told}"] if told else []


@dataclass(frozen=True)
class Verdict:
    """The result of ``verify``: the chain, the number of equal ticks, and remarks."""

    chain: ChainReport
    ticks: int  # executed again, over all trials
    differs: str | None  # the first difference, as text
    rooted: bool = False  # whether a noted root was given
    told: tuple[str, ...] = ()  # changes and interruptions of the run, and fields that its record lacks
    trusted: tuple[str, ...] = ()  # entries of the record that cannot be verified

    @property
    def passed(self) -> bool:
        return self.chain.intact and self.differs is None

    @property
    def lines(self) -> tuple[str, ...]:
        """A line each: the chain, the execution, and remarks if both are correct."""
        if not self.chain.intact:
            return self.chain.summary, "nothing was executed again"
        if self.differs:
            return self.chain.summary, f"not the same when executed again: {self.differs}"
        again = f"{self.ticks} ticks executed again, all equal" if self.ticks else "there is no tick to execute again"
        again += ", and so is the outcome" if self.ticks and self.chain.finished else ""
        told, more = self.told[:MOST_TOLD], len(self.told) - MOST_TOLD
        told = (*told, f"and {more} more of this kind") if more > 0 else told
        return self.chain.summary, again, *told, *trust_line(self.trusted), ROOTED if self.rooted else UNROOTED

    @property
    def summary(self) -> str:
        return "\n".join(self.lines)


def verify(
    folder: str | Path, expected_root: str | None = None, on_tick: Callable[[], None] = lambda: None,
    allow: Grant = NOTHING,
) -> Verdict:  # fmt: skip
    """Recompute the hash chain, then execute every trial again from its seed and compare everything recorded.

    ``on_tick`` is called after each executed tick; its exceptions end the check. Functions that are tools are called
    only if ``allow`` grants them and the record lacks their answer.
    """
    rooted = expected_root is not None
    with open_run(folder) as run:
        chain, notes, ticks = verify_chain(run, expected_root), Notes(), 0
        if not chain.intact:
            return Verdict(chain, 0, None, rooted)
        for difference in _differences(run, chain, notes, record(folder, allow)):
            if difference:
                return Verdict(chain, ticks, difference, rooted)
            ticks += 1
            on_tick()
        return Verdict(chain, ticks, None, rooted, tuple(notes.told), tuple(notes.trusted))


def _differences(run: Run, chain: ChainReport, notes: Notes, origin: Origin) -> Iterator[str | None]:
    """Differences to the record as text, or None: after each tick of each trial, and for the run as a whole."""
    begun, trials = next(run.events(), None), run.trials
    if isinstance(begun, RunStarted):
        notes.take(begun)
        if difference := of_beginning(begun, len(trials)):
            yield difference
    for started in trials:
        with closing(model_of(run, started.trial, origin=origin)) as model:
            yield from retrace(model, run, started.trial, notes)
    if difference := _of_ends(run, chain, notes):
        yield difference


def _of_ends(run: Run, chain: ChainReport, notes: Notes) -> str | None:
    """Difference between the recorded ends of the run and the ends of its trials."""
    trials, ended = {started.trial for started in run.trials}, dict[int, str]()
    statuses = {trial: iter(each) for trial, each in notes.statuses.items()}
    for event in run.milestones("trial_finished", "resumed", "run_finished"):
        if isinstance(event, TrialFinished):
            ended[event.trial] = next(statuses[event.trial])
        elif isinstance(event, Resumed):
            ended.pop(event.trial, None)
        elif isinstance(event, RunFinished):
            if left := trials - ended.keys():
                return f"the run is finished, but its trial {min(left)} is not"
            if (event.status, event.trials) != (status := worst(ended.values()), len(ended)):
                said = f"the run is said to be {event.status}, with {event.trials} trials"
                return f"{said}; it is {status}, with {len(ended)}"
    return None if chain.finished or trials - ended.keys() else "all trials are finished, but the run is not"


def retrace(
    model: Sandbox, run: Run, trial: int = 0, notes: Notes | None = None, outcomes: bool = True
) -> Iterator[str | None]:
    """Execute a recorded trial again, decisions and all, and compare each event with its re-executed one.

    Yields after each tick the difference as text, or None, and differences before the first tick or after the last.
    Without ``outcomes``, outcomes are not compared, because that of a resumed run does not count.
    """
    trace = _Trace(model, trial, notes or Notes(), outcomes)
    for event in run.events(trial):
        try:
            difference = trace.take(event)
        except SandboxError as error:
            difference = str(error)
        if difference or isinstance(event, TickDone):
            tick = f", tick {event.tick}" if hasattr(event, "tick") else ""
            yield f"trial {trial}{tick}: {difference}" if difference else None
    if difference := trace.end():
        yield f"trial {trial}: {difference}"


class _Trace:
    """Follows the events of one recorded trial with a model at its tick 0. ``take`` returns a difference as text."""

    def __init__(self, model: Sandbox, trial: int, notes: Notes, outcomes: bool):
        self._model, self._trial, self._notes, self._outcomes = model, trial, notes, outcomes
        self._due = deque(self._prepared(islice(opening(model), 1, None)))  # events that must be recorded next
        self._told: list[Event] = []  # of the next tick
        self._answers: list[ToolAnswered] = []  # of functions, in that tick
        self._broken: list[ToolAnswered] = []  # the same, before the tick was interrupted
        self._used: list[ToolUse] = []  # of these, by the agents
        self._ended = False
        self._scripted = self._rows_of_scripts()
        model.functions.on_answer = self._used.append

    def take(self, event: Event) -> str | None:
        if not (isinstance(event, CallDone) and event.agent in self._scripted):
            self._notes.take(event)
        if self._due:
            return difference(event, self._due.popleft(), self._notes)
        if isinstance(event, IN_A_TICK):
            self._told.append(event)
            return None
        if isinstance(event, TickDone):
            return self._tick(event)
        if self._told:
            return f"{event.kind} in the middle of a tick"
        return self._between(event)

    def end(self) -> str | None:
        """The difference after the last event."""
        if self._told or self._due:
            return "the record ends where no run can stop: entries are missing"
        if not self._ended:
            over = "" if self._model.running else f"; its episode had ended: {self._model.verdict.words}"
            self._notes.tell(f"trial {self._trial} has no outcome: the run was killed, or is being written{over}")
            self._notes.trust(BREAKS)
        return None

    def _tick(self, event: TickDone) -> str | None:
        model, told = self._model, [*self._told, event]
        self._told = []
        model.step()
        if model.error:
            return model.error
        if model.latest is None or model.latest.tick != event.tick:
            return "the episode ends earlier"
        return self._compare(told, tick_events(model, self._trial)) or self._of_functions()

    def _compare(self, told: Sequence[Event], made: Sequence[Event]) -> str | None:
        found = (difference(*pair, self._notes) for pair in zip_longest(told, made))
        return next(filter(None, found), None)

    def _of_functions(self) -> str | None:
        """Compare the calls of functions in a tick; calls before an interruption of the tick may differ."""
        made = [ToolAnswered(trial=self._trial, **use._asdict()) for use in self._used]
        for each in self._broken:
            if each in made:
                made.remove(each)
        told, self._answers, self._broken = self._answers, [], []
        self._used.clear()
        return self._compare(told, made)

    def _between(self, event: Event) -> str | None:
        """Compare the events between two ticks."""
        match event:
            case ToolAnswered():
                self._answers.append(event)
            case Resumed():
                self._notes.tell(f"before tick {event.tick} the run was interrupted, and resumed")
                self._notes.trust(BREAKS)
                self._broken, self._answers, self._ended = [*self._broken, *self._answers], [], False
            case Placed() | Changed() if not self._model.running:
                return "an event follows the end of its episode"
            case Placed():
                follow(self._model, event)
                keys = ", ".join(sorted(event.patch))
                self._notes.tell(f"before tick {event.tick} somebody drew into the world ({one_line(keys)})")
            case Changed():
                return self._change(event)
            case TrialFinished():
                return self._finish(event.outcome)
            case _:
                return f"unexpected event: {event.kind}"
        return None

    def _change(self, event: Changed) -> str | None:
        model, before = self._model, self._model.scenario
        new = follow(model, event)
        self._due.extend(self._prepared(models_used(new)))
        self._scripted = self._rows_of_scripts()
        found = changes(before, model.scenario)
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        told = ", ".join(found[:3]) or "to the same"
        self._notes.tell(f"before tick {event.tick} the scenario was changed ({told}{more})")
        return None

    def _prepared(self, events: Iterable[Event]) -> Iterator[Event]:
        """Re-executed events of the trial, with the recorded price of a model if the scenario states none."""
        roster = self._model.scenario.roster()
        for event in events:
            if isinstance(event, ModelUsed) and (options := roster[event.agents[0]].llm):
                if options.price or not options.hosted:
                    event = event.model_copy(update={"price": price_of(options)})
                else:
                    price = " and ".join(f"{1e6 * each:g}" for each in event.price)
                    self._notes.tell(f"a million tokens of {event.model} cost {price} US dollars, in and out")
                    self._notes.trust(PRICES)
            yield event.model_copy(update={"trial": self._trial})

    def _rows_of_scripts(self) -> set[int]:
        """The agents whose language model is a script, which is in the scenario."""
        roster = self._model.scenario.roster()
        return {row for row, group in enumerate(roster) if group.llm and group.llm.kind == "scripted"}

    def _finish(self, told: dict[str, Any]) -> str | None:
        """Compare the outcome, and check that the end was reached, unless the episode was interrupted."""
        model, finish, self._ended = self._model, told.get("finish"), True
        if model.running and finish in BROKEN_OFF:
            made, status = self._broken_off(BROKEN_OFF[finish], told), FAILED if finish == "error" else STOPPED
        else:
            if model.running and model.is_timed:
                self._notes.tell(f"trial {self._trial} ended by the clock after tick {model.ticks}, {OF_ANY}")
                model.time_is_up()
            if model.running:
                return f"the outcome says {shown(finish)}; executed again, the episode goes on after tick {model.ticks}"
            made = outcome_of(model, 0.0)
            status = FAILED if made.error else DONE
        self._notes.statuses.setdefault(self._trial, []).append(status)
        return of_outcome(told, made, self._notes) if self._outcomes else None

    def _broken_off(self, finish: Finish, told: dict[str, Any]) -> Outcome:
        """The outcome of an episode that is interrupted here; an error is taken from the record."""
        model, failed = self._model, finish == Finish.ERROR
        error = told.get("error") if failed else None
        if failed and not (error and isinstance(error, str)):
            raise RecordError("the outcome says that the trial failed, but names no error")
        ended, why = ("failed", f": {one_line(error)}") if error else ("was stopped", "")
        place = f"after tick {model.ticks}{why}"
        self._notes.tell(f"trial {self._trial} {ended} {place}, {OF_ANY} and is no end of its episode")
        self._notes.trust(BREAKS)
        model.state.done[0] = finish
        made = outcome_of(model, 0.0)
        model.state.done[0] = Finish.RUNNING
        return made._replace(error=error)

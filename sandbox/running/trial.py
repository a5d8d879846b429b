"""One trial: a scenario, overrides and a seed become an outcome and, in a folder, a record."""

import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sandbox.agents.llm.offline import Recorded
from sandbox.agents.llm.reasoner import LLM
from sandbox.agents.python.reasoner import Own
from sandbox.agents.reasoners import without_faults
from sandbox.core.decision import Answered, Call, Reasoner, ToolUse
from sandbox.core.finish import Finish, Outcome
from sandbox.core.interrupts import uninterrupted
from sandbox.core.people import People
from sandbox.core.plain import callback, checked_seed, path
from sandbox.engine.environment import Environment
from sandbox.engine.play import FINISHES, EpisodeStats, Talk
from sandbox.model import Sandbox, Tick
from sandbox.record import (
    AgentAnswered,
    AgentEntry,
    CallDone,
    CodeUsed,
    Event,
    HumanActed,
    Log,
    MemoryEdited,
    MessageSaid,
    ModelUsed,
    Reviewed,
    RunFinished,
    RunStarted,
    TickDone,
    ToolAnswered,
    TrialFinished,
    TrialStarted,
)
from sandbox.scenario import Scenario, load

# -- warm: kernels are ready before the clock of a trial starts

_READY: set[tuple] = set()  # in this process


def warm(scenario: Scenario, env: Environment, whole: bool) -> None:
    """Compile the kernels of a team, or read them from their cache, once. The ``seconds`` of trials exclude it."""
    team = scenario.world.name, scenario.policies, scenario.team and scenario.team.protocol, whole
    if team not in _READY:
        with suppress(Exception):  # a trial that cannot be played reports the reason itself
            env.warm_up([group.policy for group in scenario.roster()], whole)
        _READY.add(team)


# -- trial

OnTick = Callable[[Sandbox], None]
OnEvent = Callable[[Event], None]
NAMED = 3  # agents that fail for the same reason
DONE, STOPPED, FAILED = "done", "stopped", "failed"  # statuses of an ended run


def versions() -> dict[str, str]:
    """Versions of the software on which a result depends."""
    packages = ("sandbox", "mesa", "numba", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def outcome_of(model: Sandbox, seconds: float) -> Outcome:
    """The outcome of an episode, from the world's state and the counts of decisions."""
    finish = model.verdict
    columns = measured(np.array([finish], np.int8), model.state.tick, model.finalise())
    return Outcome(
        world=model.scenario.world.name,
        seed=model.seed,
        **{name: column.tolist()[0] for name, column in columns.items()},
        seconds=round(seconds, 3),
        digest=model.env.digest(model.state),
        error=(model.error or model.outage) if finish == Finish.ERROR else None,
        **asdict(model.usage),
        autonomy=model.autonomy,
        failure=_failures(model),
    )


def _failures(model: Sandbox) -> str | None:
    """Why agents failed; agents that failed for the same reason are named together."""
    rows = defaultdict[str, list[int]](list)
    for row, why in sorted(model.failures.items()):
        rows[why].append(row)
    return "; ".join(f"{_named(model.names, each)}: {why}" for why, each in rows.items()) or None


def _named(names: Sequence[str], rows: list[int]) -> str:
    listed = ", ".join(names[row] for row in rows[:NAMED])
    return listed + (f" and {len(rows) - NAMED} more" if len(rows) > NAMED else "")


def measured(finish: np.ndarray, ticks: np.ndarray, stats: EpisodeStats) -> dict[str, np.ndarray]:
    """The measures from the arrays of L lanes, by the fields of ``Outcome``: an array (L,) each.

    ``finish`` (L,) int8 has the codes of ``Finish``, ``ticks`` is (L,).
    """
    success, (done, total) = finish == Finish.COMPLETED, stats.progress.T
    agents = stats.idle.shape[1]
    work = ticks[:, None].astype(np.int64) - stats.idle
    all_work, squares = work.sum(axis=1), (work * work).sum(axis=1)
    steps = ticks
    if not success.all():
        steps = ticks.astype(object)
        steps[~success] = None
    return {
        "success": success,
        "finish": FINISHES[finish],
        "ticks": ticks,
        "steps_to_completion": steps,
        "reward": stats.reward.sum(axis=1),
        "tasks_done": done,
        "tasks_total": total,
        "invalid_actions": stats.invalid.sum(axis=1),
        "refused_actions": stats.refused.sum(axis=1),
        "imagined_ticks": stats.imagined.sum(axis=1),
        "idle_share": stats.idle.sum(axis=1) / np.maximum(1, ticks * agents),
        # Jain's index (1984) of the ticks at work; 1 without work
        "load_balance": np.where(squares > 0, all_work * all_work / np.maximum(1, agents * squares), 1.0),
        **{what.name.lower(): stats.talk[:, what] for what in Talk},
    }


def run(
    scenario: str | Path | Mapping | Scenario,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    on_tick: OnTick | None = None,
    people: People | None = None,
    on_event: OnEvent | None = None,
    recorded: Recorded | None = None,
    reasoners: Mapping[int, Any] | None = None,
) -> Outcome:
    """Run one trial in the hosted tier.

    ``seed`` defaults to the scenario's. ``out`` is a folder for the record; it must not hold a run yet. ``on_tick`` is
    called with the model after reset and after every tick, ``on_event`` with every event, recorded or not. ``people``
    decide for human agents and escalated actions; without them fallbacks act and escalated actions are denied, at once.
    ``recorded`` answers instead of language models. ``reasoners`` are objects of your own that decide, by the number of
    their group in ``agents``: with ``decide(observations)``, ``act(observation, legal)``, or functions like ``act``.
    Ctrl-C ends the episode as ``stopped``, with a complete record until then, and is raised again.
    """
    for name, function in {"on_tick": on_tick, "on_event": on_event}.items():
        callback(function, name)
    out = None if out is None else path(out, "out")
    scenario = load(scenario, overrides)
    seed = scenario.seed if seed is None else checked_seed(seed)
    model = Sandbox(scenario, rng=seed, people=people, recorded=recorded, reasoners=reasoners)
    with closing(model), nullcontext() if out is None else Log.create(out) as log:
        told = _Heard(log, on_event) if on_event else log
        if told:
            told.extend(opening(model))
            told.flush()
            record_tools(model, told)
        return play(model, told, on_tick)


class _Heard(NamedTuple):
    """Takes events like a log, and passes them on."""

    log: Log | None
    on_event: OnEvent

    def extend(self, events: Iterable[Event]) -> None:
        events = list(events)
        if self.log:
            self.log.extend(events)
        for event in events:
            self.on_event(event)

    def flush(self) -> None:
        if self.log:
            self.log.flush()


def opening(model: Sandbox) -> Iterator[Event]:
    """The first events of a run of one trial."""
    scenario = model.scenario
    yield RunStarted(scenario=scenario.as_dict(), scenario_hash=scenario.hash, versions=versions(), trials=1)
    entries = tuple(AgentEntry(name=a.name, role=a.role, reasoner=a.reasoner) for a in model.agents)
    yield TrialStarted(trial=0, seed=model.seed, agents=entries)
    yield from models_used(model.reasoners)


def play(model: Sandbox, log: Log | _Heard | None, on_tick: OnTick | None = None) -> Outcome:
    """Play a model from its present tick to the end; see ``run``."""
    warm(model.scenario, model.env, False)
    started, interrupted, stopped = time.perf_counter(), None, False
    try:
        if on_tick:
            on_tick(model)
        while model.running:
            if log:
                record_step(model, log)
            else:
                model.step()
            if on_tick:
                on_tick(model)
    except KeyboardInterrupt as error:
        interrupted, stopped = error, model.running
        model.stop()
    outcome = outcome_of(model, time.perf_counter() - started)
    if log:
        log.extend(closing_events(outcome, stopped))
    if interrupted:
        raise interrupted
    return outcome


def closing_events(outcome: Outcome, stopped: bool) -> list[Event]:
    """The last events of a run of one trial; ``stopped``: before the end of its episode."""
    status = STOPPED if stopped else FAILED if outcome.error else DONE
    return [TrialFinished(trial=0, outcome=outcome.as_dict()), RunFinished(trials=1, status=status)]


def record_step(model: Sandbox, log: Log | _Heard) -> None:
    """Play a tick and record it. A tick that fails or is interrupted is neither recorded nor counted."""
    before, recorded = model.counted(), False
    try:
        model.step()
        if model.error is None:
            with uninterrupted():
                record_tick(model, log)
                recorded = True
    finally:
        if not recorded:
            model.take_back(before)


def record_tick(model: Sandbox, log: Log | _Heard) -> None:
    """Record the latest tick as a whole. If it used calls or a person's time, it is on disk before the next begins."""
    log.extend(tick_events(model))
    if _latest(model).traces:
        log.flush()


def _latest(model: Sandbox) -> Tick:
    if model.latest is None:
        raise ValueError("no tick of this episode has been made")
    return model.latest


def record_tools(model: Sandbox, log: Log | _Heard) -> None:
    """Record answers of the user's functions at once from now on, so that no effect is lost."""

    def on_use(use: ToolUse) -> None:
        log.extend([ToolAnswered(trial=0, **use._asdict())])
        log.flush()

    model.functions.on_use = on_use


def worst(statuses: Iterable[str]) -> str:
    """The status of a run from the statuses of its trials."""
    return max(statuses, key=(DONE, STOPPED, FAILED).index, default=DONE)


def tick_events(model: Sandbox, trial: int = 0) -> list[Event]:
    """The events of the latest tick: calls, other notes, and the tick itself."""
    calls = [CallDone(trial=trial, **call._asdict()) for call in _calls(model)]
    return [*calls, *beside(model, trial), tick_event(model, trial)]


def tick_event(model: Sandbox, trial: int = 0) -> TickDone:
    """The event of the latest tick."""
    latest = _latest(model)
    return TickDone.model_construct(
        trial=trial, tick=latest.tick, digest=latest.digest, actions=latest.actions, reward=latest.reward.astype("<f8")
    )


def beside(model: Sandbox, trial: int = 0) -> list[Event]:
    """Events of the latest tick other than calls and actions, in the order of the agents."""
    latest = _latest(model)
    traces, place = latest.traces.items(), {"trial": trial, "tick": latest.tick}
    edits = [MemoryEdited(trial=trial, agent=row, **edit._asdict()) for row, trace in traces for edit in trace.edits]
    said = [MessageSaid(**place, agent=row, **one._asdict()) for row, one in latest.said]
    answers = [_answered(place, row, trace.answered) for row, trace in traces if trace.answered]
    acts = [HumanActed(**place, agent=row, action=trace.person) for row, trace in traces if trace.person]
    return [*edits, *answers, *acts, *said, *(Reviewed(**place, **review._asdict()) for review in latest.reviews)]


def _answered(place: dict[str, int], row: int, answer: Answered) -> AgentAnswered:
    said = tuple(one._asdict() for one in answer.said)
    return AgentAnswered(**place, agent=row, **{**answer._asdict(), "said": said})


def models_used(reasoners: Iterable[tuple[Sequence[int], Reasoner]]) -> Iterator[ModelUsed | CodeUsed]:
    """An event for each group with a language model, the common beginning of its requests, or with code of its own."""
    for rows, reasoner in reasoners:
        asking = without_faults(reasoner)
        if isinstance(asking, LLM):
            told = {**asking.setup.model_dump(), "functions": asking.functions}
            yield ModelUsed(trial=0, agents=tuple(rows), **told)
        elif isinstance(asking, Own):
            yield CodeUsed(trial=0, agents=tuple(rows), version=asking.version)


def _calls(model: Sandbox) -> Iterator[Call]:
    """The calls of the latest tick, in the order of the agents."""
    return (call for trace in _latest(model).traces.values() for call in trace.calls)

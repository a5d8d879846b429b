"""A batch: every condition of a scenario's sweep, tried on the same seeds, chunk by chunk, resumed by calling it again.

Chunks run on any ``concurrent.futures.Executor`` (``trials.workers``). What a chunk comes to depends on nothing but its
scenario and its seeds, so neither the place nor the order matters.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.finish import Outcome
from sandbox.core.plain import callback, path, whole
from sandbox.engine.cache import version_of_sources
from sandbox.engine.stage import Stage
from sandbox.record.table import Chunk, Table
from sandbox.scenario import Scenario, load
from sandbox.scenario.sweep import conditions
from sandbox.trials.claims import Course
from sandbox.trials.episodes import LANES, Played, broken, play
from sandbox.trials.trial import versions
from sandbox.trials.workers import Workers

HOSTED = 8  # trials of a chunk that is played in the hosted tier
AHEAD = 2  # chunks for each worker that are handed out: enough to keep it busy, few enough to keep memory flat
DEADLY = 3  # trials that kill their workers before any is played: then it is not the trials
SOURCES = version_of_sources()


class Progress(NamedTuple):
    """How far a batch is; a callback that is told, and answers True, ends it early."""

    done: int
    successes: int
    errors: int  # infrastructure errors, which count for nothing
    fallbacks: int  # decisions in trials that count, which fallbacks made
    total: int

    @property
    def failures(self) -> int:
        return self.done - self.successes - self.errors

    def after(self, found: list[Outcome]) -> "Progress":
        """With a few more outcomes."""
        successes = sum(outcome.success for outcome in found)
        errors = sum(outcome.error is not None for outcome in found)
        fallbacks = sum(outcome.fallbacks for outcome in found if outcome.error is None)
        more = len(found), successes, errors, fallbacks
        return Progress(*(before + now for before, now in zip(self[:4], more, strict=True)), self.total)


OnProgress = Callable[[Progress], bool | None]


def plan(scenario: Scenario, apart: int = 0) -> list[Scenario]:
    """The scenario of each condition, checked; raises UsageError, naming the condition, where one cannot run.

    Trial k of a condition has the condition's seed plus k. Usually conditions share their seeds; else those of one
    begin ``apart`` after those of the one before.
    """
    found = conditions(scenario.sweep)
    base = scenario.model_copy(update={"sweep": {}})
    planned = []
    for number, overrides in enumerate(found):
        try:
            if apart and "seed" in overrides:
                raise UsageError("sweep.seed: each condition of a certificate has seeds of its own")
            each = load(base, overrides)
            planned.append(each.model_copy(update={"seed": each.seed + apart * number}))
            _staged(planned[-1].model_dump_json())
        except UsageError as error:
            raise UsageError(f"condition {number} of {len(found)} {overrides or ''}: {error}") from None
    return planned


def batch(
    scenario: str | Path | Mapping | Scenario,
    out: str | Path,
    trials: int | None = None,
    workers: int | None = None,
    on: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    on_plan: Callable[[list[Scenario]], None] | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    """Try every condition of ``scenario`` on ``trials`` seeds (default: the scenario's); returns the folder ``out``.

    The same call again goes on where the last one ended and tries infrastructure errors once more; with more ``trials``
    it adds to them. Conditions share their seeds, so their differences are paired. ``on`` names a cluster
    (``trials.workers``). ``on_plan`` is told the scenario of each condition before anything is played here. Ctrl-C
    keeps every finished chunk and is raised again. Raises UsageError where ``out`` holds another batch, RecordError
    where it cannot be written.
    """
    scenario = load(scenario, overrides)
    count = scenario.trials.count if trials is None else whole(trials, "trials", 1)
    return play_all(scenario, out, count, workers, on, on_plan, on_progress)


def play_all(
    scenario: Scenario,
    out: str | Path,
    count: int,
    workers: int | None = None,
    on: str | None = None,
    on_plan: Callable[[list[Scenario]], None] | None = None,
    on_progress: OnProgress | None = None,
    course: Course | None = None,
) -> Path:
    """The same for ``count`` trials of each condition, or with a ``course`` for the trials of its claim."""
    for name, function in {"on_plan": on_plan, "on_progress": on_progress}.items():
        callback(function, name)
    out, workers = path(out, "out"), None if workers is None else whole(workers, "workers", 1)
    planned = plan(scenario, count if course else 0)
    last = max(each.seed for each in planned) + count - 1
    if last >= 2**63:
        raise UsageError(f"seeds {scenario.seed} .. {last}: a batch takes those below 2**63")
    known = scenario.model_copy(update={"trials": type(scenario.trials)()}).as_dict()  # more trials are no change
    compiled = all(each.compiled for each in planned)
    with Workers(on, compiled, workers) as crew, Table(out, known, conditions(scenario.sweep)) as table:
        if on_plan and on is None:
            on_plan(planned)
        table.note(planned=count * len(planned), versions=versions(), max_errors=scenario.trials.max_errors,
                   keeps_calls=scenario.trials.keep_calls)  # fmt: skip
        size = LANES if compiled else HOSTED
        todo = table.missing(len(planned), count, size)
        if course:
            todo = iter(sorted(todo, key=lambda chunk: chunk.start))  # in the order in which they count
            for chunk, found in table.trials():
                course.add(chunk.condition, chunk.start, found)
        _Work(table, crew, planned, Progress(*table.counts(), count * len(planned)), course).run(todo, on_progress)
        if course:
            table.cut(course.kept)
        if not course and not any(table.missing(len(planned), count, size)):
            table.note(root=table.root())
    return out


class _Work:
    """Hands chunks out and puts what they come to into the table, never more than a few at a time.

    A trial's own trouble is its outcome. What else goes wrong is a worker's: a chunk that a worker died over is played
    once more with nothing beside it, then trial by trial, so that one that kills its worker is an error of its own.
    """

    def __init__(self, table: Table, crew: Workers, planned: list[Scenario], progress: Progress,
                 course: Course | None):  # fmt: skip
        self._table, self._crew, self._planned, self._progress, self._course = table, crew, planned, progress, course
        self._texts = [scenario.model_dump_json() for scenario in planned]
        self._running: dict[Future, Chunk] = {}
        self._suspects: deque[Chunk] = deque()
        self._played, self._deadly = False, 0  # whether any worker has played anything; trials that killed theirs

    def run(self, todo: Iterator[Chunk], on_progress: OnProgress | None) -> None:
        while True:
            if not (over := self._course is not None and self._course.over):
                self._hand_out(todo)
            enough = on_progress and on_progress(self._progress)
            if over or enough or not self._running:
                return
            alone = len(self._running) == 1
            for future in self._done():
                chunk, error = self._running.pop(future), future.exception()
                if error is None:
                    self._played = True
                    self._add(chunk, *future.result())
                elif isinstance(error, SandboxError):
                    raise error
                else:
                    self._suspect(chunk, error, alone)

    def _hand_out(self, todo: Iterator[Chunk]) -> None:
        if not self._suspects:
            more = islice(todo, self._crew.count * AHEAD - len(self._running))
        else:
            more = [self._suspects.popleft()] if not self._running else []
        for chunk in more:
            self._running[self._submit(self._texts[chunk.condition], chunk.start, chunk.stop, SOURCES)] = chunk

    def _submit(self, *own: Any) -> Future:
        try:
            return self._crew.executor.submit(play_chunk, *own)
        except BrokenExecutor as error:  # it broke since it was last heard of
            future = Future()
            future.set_exception(error)
            return future

    def _done(self) -> set[Future]:
        done = wait(self._running, return_when=FIRST_COMPLETED).done
        if any(isinstance(future.exception(), BrokenExecutor) for future in done):
            done = wait(self._running).done  # a broken executor fails them all
            self._crew.restart()
        return done

    def _suspect(self, chunk: Chunk, error: BaseException, alone: bool) -> None:
        condition, start, stop = chunk
        if not alone:
            self._suspects.append(chunk)
        elif stop - start > 1:
            self._suspects.extend(Chunk(condition, k, k + 1) for k in range(start, stop))
        else:
            self._deadly += 1
            if self._deadly == DEADLY and not self._played:
                raise SandboxError(f"no worker can play a trial: {type(error).__name__}: {error}")
            scenario, told = self._planned[condition], f"its worker died: {type(error).__name__}"
            self._add(chunk, [broken(scenario, scenario.seed + start, told)], {})

    def _add(self, chunk: Chunk, found: list[Outcome], asked: dict[int, bytes]) -> None:
        self._table.add(chunk, found, asked)
        self._progress = self._progress.after(found)
        if self._course:
            self._course.add(chunk.condition, chunk.start, found)


def play_chunk(scenario: str, start: int, stop: int, sources: str = SOURCES) -> Played:
    """What came of trials ``start`` .. ``stop`` - 1 of a scenario in JSON; what an executor's worker runs."""
    if sources != SOURCES:
        raise SandboxError("a worker has another version of sandbox than this machine; install the same on both")
    ready, stage = _staged(scenario)
    return play(ready, stage, range(ready.seed + start, ready.seed + stop))


@lru_cache(maxsize=16)
def _staged(scenario: str) -> tuple[Scenario, Stage]:
    ready = Scenario.model_validate_json(scenario)
    return ready, ready.stage()

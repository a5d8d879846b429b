"""A batch: every condition of a scenario's sweep, tried on the same seeds, chunk by chunk, resumed by calling it again.

Chunks run on any ``concurrent.futures.Executor`` (``running.workers``). The result of a chunk depends only on its
scenario and its seeds, not on place or order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.agents.python.host import version_of
from sandbox.agents.python.options import KIND, target_of
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.plain import callback, path, whole
from sandbox.engine import registry
from sandbox.engine.cache import foreign, version_of_sources
from sandbox.engine.environment import Environment
from sandbox.record.columns import Packed, of_outcomes
from sandbox.record.table import Chunk, Table
from sandbox.running.claims import Course, lies_in
from sandbox.running.episodes import LANES, Played, broken, play
from sandbox.running.trial import versions
from sandbox.running.workers import Work, Workers
from sandbox.scenario import Scenario, load
from sandbox.scenario.load import overridden, self_contained
from sandbox.scenario.sweep import check_free, conditions

HOSTED = 8  # trials of a chunk that is played in the hosted tier
DEADLY = 3  # trials that kill their workers before any trial is played; then the trials are not the cause
SOURCES = version_of_sources()


class Progress(NamedTuple):
    """The progress of a batch; a callback that returns True ends the batch."""

    done: int
    successes: int
    errors: int  # infrastructure errors, which are excluded
    fallbacks: int  # decisions of fallbacks, in trials that count
    total: int

    @property
    def failures(self) -> int:
        return self.done - self.successes - self.errors

    def after(self, found: Packed) -> "Progress":
        """The progress after some more trials."""
        return Progress(
            done=self.done + found.trials,
            successes=self.successes + found.successes,
            errors=self.errors + found.errors,
            fallbacks=self.fallbacks + found.fallbacks,
            total=self.total,
        )


OnProgress = Callable[[Progress], bool | None]


def plan(scenario: Scenario, apart: int = 0) -> list[Scenario]:
    """The scenario of each condition, checked; raises UsageError, naming the condition, if one cannot run.

    Trial k of a condition has the condition's seed plus k. By default conditions share their seeds; otherwise the seeds
    of each condition begin ``apart`` after those of the one before.
    """
    if apart and any("seed" in overrides for overrides in conditions(scenario.sweep)):
        raise UsageError("sweep.seed: each condition of a certificate has seeds of its own")
    planned: list[Scenario] = []

    def take(each: Scenario) -> None:
        planned.append(each.model_copy(update={"seed": each.seed + apart * len(planned)}))
        _, env = _staged(planned[-1].model_dump_json())
        if env.start:
            env.reset([planned[-1].seed])  # checks it

    for _ in overridden(scenario, take):
        pass  # iterating checks each condition, and names it in errors
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

    The same call continues where the last one ended, and tries infrastructure errors once more; with more ``trials`` it
    adds to them. Conditions share their seeds, so their differences are paired. ``overrides`` are dotted keys that are
    not swept. ``on`` names a cluster (``running.workers``). ``on_plan`` is called with the scenario of each condition
    before anything is played here. Ctrl-C keeps every finished chunk and is raised again. Raises UsageError if ``out``
    holds another batch, RecordError if it cannot be written.
    """
    scenario = load(scenario, overrides)
    check_free(scenario.sweep, () if overrides is None else [str(key) for key, _ in overrides.items()])
    count = scenario.trials.count if trials is None else whole(trials, "trials", 1)
    if lies_in(path(out, "out")):
        raise UsageError(f"{out}: holds a certificate; choose another folder")
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
    scenario = self_contained(scenario, planned)
    last = max(each.seed for each in planned) + count - 1
    if last >= 2**63:
        raise UsageError(f"seeds {scenario.seed} .. {last}: a batch takes those below 2**63")
    known = scenario.model_copy(update={"trials": type(scenario.trials)()}).as_dict()  # the number of trials may change
    compiled = all(each.compiled for each in planned)
    with Workers(on, compiled, workers) as crew, Table(out, known, conditions(scenario.sweep)) as table:
        if on_plan and on is None:
            on_plan(planned)
        _check_world(table, scenario.world.name)
        _check_code(table, planned)
        table.note(planned=count * len(planned), versions=versions(), max_errors=scenario.trials.max_errors,
                   keeps_calls=scenario.trials.keep_calls)  # fmt: skip
        size = LANES if compiled else HOSTED
        todo = table.missing(len(planned), count, size)
        if course:
            todo = iter(sorted(todo, key=lambda chunk: chunk.start))  # in the order of counting
            for chunk, found in table.trials():
                course.add(chunk.condition, chunk.start, found)
        progress = Progress(*table.counts(), count * len(planned))
        _Filling(table, planned, progress, course).run(crew, todo, on_progress)
        if course:
            table.cut(course.kept)
        if not course and not any(table.missing(len(planned), count, size)):
            table.note(root=table.root())
    return out


class _Filling:
    """Writes the results of chunks into the table; a trial that kills its worker becomes an infrastructure error."""

    def __init__(self, table: Table, planned: list[Scenario], progress: Progress, course: Course | None):
        self._table, self._planned, self._progress, self._course = table, planned, progress, course
        self._texts = [scenario.model_dump_json() for scenario in planned]
        self._played, self._deadly = False, 0  # whether any chunk was played; number of trials that killed workers

    def run(self, crew: Workers, todo: Iterator[Chunk], on_progress: OnProgress | None) -> None:
        work, begun = Work(crew, play_chunk, self._arguments, _trials), False
        for found in work.rounds(iter(()) if self._over else todo):
            if not found:
                self._table.check()  # ``add`` does otherwise
            for chunk, played in found:
                died = isinstance(played, BaseException)
                self._played |= not died
                self._add(chunk, self._killed(chunk, played) if died else played)
            enough = (found or not begun) and on_progress and on_progress(self._progress)
            if enough or self._over:
                return
            begun = True

    @property
    def _over(self) -> bool:
        """Whether the trials so far decide a claim."""
        return self._course is not None and self._course.over

    def _arguments(self, chunk: Chunk) -> tuple:
        return self._texts[chunk.condition], chunk.start, chunk.stop, SOURCES

    def _killed(self, chunk: Chunk, error: BaseException) -> Played:
        """The outcome of a trial that killed its worker."""
        self._deadly += 1
        if self._deadly == DEADLY and not self._played:
            raise SandboxError(f"no worker can play a trial: {type(error).__name__}: {error}")
        scenario, told = self._planned[chunk.condition], f"its worker died: {type(error).__name__}"
        return Played(Packed.of(of_outcomes([broken(scenario, scenario.seed + chunk.start, told)])), {})

    def _add(self, chunk: Chunk, played: Played) -> None:
        self._table.add(chunk, *played)
        self._progress = self._progress.after(played.found)
        if self._course:
            self._course.add(chunk.condition, chunk.start, played.outcomes)


def _trials(chunk: Chunk) -> list[Chunk]:
    return [Chunk(chunk.condition, k, k + 1) for k in range(chunk.start, chunk.stop)]


def _check_code(table: Table, planned: Iterable[Scenario]) -> None:
    """Refuse to mix trials of different versions of agents' own code; raises UsageError if it cannot be imported."""
    targets = {target_of(group.reasoner, "agents") for each in planned for group in each.agents if group.kind == KIND}
    versions = {target: version_of(target) for target in sorted(targets)}
    noted = table.noted().get("code", versions)
    if changed := [target for target in versions if noted.get(target, versions[target]) != versions[target]]:
        raise UsageError(f"{table.path}: its trials were played before {changed[0]} was edited; choose another folder")
    if versions:
        table.note(code=versions)


def _check_world(table: Table, world: str) -> None:
    """Refuse to mix trials of different versions of a world given as a file."""
    version = foreign(world) if registry.is_file(world) else ""
    if table.noted().get("world_version", version) != version:
        raise UsageError(f"{table.path}: its trials were played before {world} was edited; choose another folder")
    if version:
        table.note(world_version=version)


def play_chunk(scenario: str, start: int, stop: int, sources: str = SOURCES) -> Played:
    """Results of trials ``start`` .. ``stop`` - 1 of a scenario in JSON; executed by a worker."""
    if sources != SOURCES:
        raise SandboxError("a worker has another version of sandbox than this machine; install the same on both")
    ready, env = _staged(scenario)
    return play(ready, env, range(ready.seed + start, ready.seed + stop))


@lru_cache(maxsize=16)
def _staged(scenario: str) -> tuple[Scenario, Environment]:
    ready = Scenario.model_validate_json(scenario)
    registry.opened(ready.world.name)  # a separate process has not executed the file of a world yet
    return ready, ready.env()

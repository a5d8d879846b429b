"""A batch: every condition of a scenario's sweep, tried on the same seeds, chunk by chunk, resumed by calling it again.

Chunks run on any ``concurrent.futures.Executor``: threads where all reasoners are compiled (their kernels hold no
interpreter lock), else processes. What a chunk comes to depends on nothing but its scenario and its seeds.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.core.errors import UsageError
from sandbox.core.finish import Outcome
from sandbox.engine.pool import cores
from sandbox.engine.stage import Stage
from sandbox.record.table import Chunk, Table
from sandbox.scenario import Scenario, load
from sandbox.scenario.sweep import conditions
from sandbox.trials.episodes import LANES, outcomes

HOSTED = 8  # trials of a chunk that is played in the hosted tier
AHEAD = 2  # chunks for each worker that are handed out: enough to keep it busy, few enough to keep memory flat


class Progress(NamedTuple):
    """How far a batch is; a callback that is told, and answers True, ends it early."""

    done: int
    successes: int
    errors: int  # infrastructure errors, which count for nothing
    total: int

    @property
    def failures(self) -> int:
        return self.done - self.successes - self.errors


def plan(scenario: Scenario) -> list[Scenario]:
    """The scenario of each condition, checked; raises UsageError, naming the condition, where one cannot run."""
    found = conditions(scenario.sweep)
    base = scenario.model_copy(update={"sweep": {}})
    planned = []
    for number, overrides in enumerate(found):
        try:
            planned.append(load(base, overrides))
            planned[-1].stage()
        except UsageError as error:
            raise UsageError(f"condition {number} of {len(found)} {overrides or ''}: {error}") from None
    return planned


def batch(
    scenario: str | Path | Mapping | Scenario,
    out: str | Path,
    trials: int | None = None,
    workers: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], bool | None] | None = None,
) -> Path:
    """Try every condition of ``scenario`` on ``trials`` seeds (default: the scenario's); returns the folder ``out``.

    The same call again goes on where the last one ended; with more ``trials`` it adds to them. Conditions share their
    seeds, so their differences are paired. Ctrl-C keeps every finished chunk and is raised again. Raises UsageError
    where ``out`` holds another batch, RecordError where it cannot be written.
    """
    scenario = load(scenario, overrides)
    count, planned = trials or scenario.trials.count, plan(scenario)
    if scenario.seed + count >= 2**63:
        raise UsageError(f"seeds {scenario.seed} .. {scenario.seed + count - 1}: a batch takes those below 2**63")
    known = scenario.model_copy(update={"trials": type(scenario.trials)()}).as_dict()  # more trials are no change
    with Table(out, known, conditions(scenario.sweep)) as table:
        compiled = all(each.compiled for each in planned)
        todo = table.missing(len(planned), count, LANES if compiled else HOSTED)
        with _executor(compiled, workers or cores()) as executor:
            _work(table, todo, planned, executor, workers or cores(), count * len(planned), on_progress)
    return Path(out)


def _executor(compiled: bool, workers: int) -> Executor:
    if compiled:
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _work(
    table: Table, todo: Iterator[Chunk], planned: list[Scenario], executor: Executor, workers: int, total: int,
    on_progress: Callable[[Progress], bool | None] | None,
) -> None:  # fmt: skip
    """Hand chunks out and put what they come to into the table, never more than a few at a time."""
    texts = [scenario.model_dump_json() for scenario in planned]
    running, (done, successes, errors) = {}, table.counts()
    try:
        while True:
            for chunk in islice(todo, workers * AHEAD - len(running)):
                running[executor.submit(play_chunk, texts[chunk.condition], chunk.start, chunk.stop)] = chunk
            enough = on_progress and on_progress(Progress(done, successes, errors, total))
            if enough or not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                found = future.result()
                table.add(running.pop(future), found)
                done += len(found)
                successes += sum(outcome.success for outcome in found)
                errors += sum(outcome.error is not None for outcome in found)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def play_chunk(scenario: str, start: int, stop: int) -> list[Outcome]:
    """The outcomes of trials ``start`` .. ``stop`` - 1 of a scenario in JSON; what an executor's worker runs."""
    ready, stage = _staged(scenario)
    return list(outcomes(ready, stage, range(ready.seed + start, ready.seed + stop)))


@lru_cache(maxsize=16)
def _staged(scenario: str) -> tuple[Scenario, Stage]:
    ready = Scenario.model_validate_json(scenario)
    return ready, ready.stage()

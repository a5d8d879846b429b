"""The calls of language models in recorded trials: when each was made, by whom, its tokens; and how bursty they are.

There are two clocks. ``WORLD``: the time in the world at which an agent has to decide, in the office its minutes, in
other worlds ticks of ``tick_seconds``; while a model answers, it stands still. ``RUN``: the computer's clock while the
trial was played, on which an agent's next call waits for the model, for the others of its team and for the simulation.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sandbox.analysis.results import results
from sandbox.core.errors import UsageError
from sandbox.engine.registry import find
from sandbox.record import CallDone, Event, ModelUsed, open_run
from sandbox.record.table import holds_a_run, read_trial
from sandbox.running.recorded_answers import ANSWERS
from sandbox.running.reexecute import again
from sandbox.scenario.capabilities import record
from sandbox.scenario.recorded import read_scenario
from sandbox.statistics import CONFIDENCE, Estimate, bootstrap

LETTERS = 4  # characters of a token, roughly, in English and in JSON; where a model told no tokens, as scripts do
WINDOWS = (1, 10, 100)  # in mean gaps
LEAST = 5  # windows of each trial; longer ones are left out
FEWEST = 3  # calls
STREAMS = 200  # made up, of each kind


class Clock(StrEnum):
    """The clock on which calls are told."""

    WORLD = "world"
    RUN = "run"


class Calls(NamedTuple):
    """The N calls of one trial, in the order of time."""

    began: np.ndarray  # (N,) float64    seconds since the trial began
    ended: np.ndarray  # (N,) float64    on the world's clock the same
    agent: np.ndarray  # (N,) int64
    sample: np.ndarray  # (N,) int64     of the agent's decision: an agent's samples are asked for at once
    prompt: np.ndarray  # (N,) int64     tokens read
    output: np.ndarray  # (N,) int64     tokens written
    span: float  # seconds that the trial lasted
    counted: bool  # whether the model told its tokens; else they are estimated from the texts

    @property
    def agents(self) -> int:
        """The number of agents that made calls."""
        return len(np.unique(self.agent))


# -- reading


def calls_in(
    folder: str | Path, clock: Clock = Clock.WORLD, condition: int | None = None,
    on_trial: Callable[[int, int], None] = lambda done, of: None,
) -> list[Calls]:  # fmt: skip
    """The calls of each trial of a run or batch, of one ``condition`` of a sweep.

    On the world's clock, trials of a world with a clock of its own are executed again. ``on_trial`` gets the numbers of
    finished trials and of all. Raises UsageError if no model was called, if a sweep's condition is not chosen, or if
    the calls have no time on the clock; RecordError if a trial does not run as recorded.
    """
    rows = _chosen(results(folder), Path(folder), condition)
    scenario = read_scenario({**rows.attrs["scenario"], "sweep": {}}, record(folder))
    gantt, found = find(scenario.world.name).gantt, []
    for done, (row, trial) in enumerate(zip(rows.index, rows["trial"], strict=True), 1):
        events = list(_events(Path(folder), int(row), int(trial)))
        calls = [event for event in events if isinstance(event, CallDone)]
        if not calls:
            continue
        if clock == Clock.RUN:
            began, ended, span = _on_run(calls, Path(folder))
        else:
            last = int(rows.loc[row, "ticks"])
            moments = scenario.tick_seconds * np.arange(last + 1)
            if gantt:
                models = again(folder, int(row), int(trial))
                moments = 60 * np.array([gantt.clock(model.state, 0, model.env.params) for model in models])
            began = ended = np.array([moments[call.tick - 1] for call in calls])
            span = float(moments[-1])
        found.append(_calls(calls, events, began, ended, span))
        on_trial(done, len(rows))
    if not found and rows["calls"].sum():
        raise UsageError(f"{folder}: the calls of its models were not kept; expected trials.keep_calls = true")
    if sum(len(trial.began) for trial in found) < FEWEST:
        told = f"{sum(len(trial.began) for trial in found)} calls of language models" if found else "no language model"
        raise UsageError(f"{folder}: {told}; expected a run with the reasoner 'llm' and {FEWEST} calls or more")
    return found


def middle(trial: Calls, share: float) -> Calls:
    """The part of a trial in which the middle ``share`` of its calls were made, without its beginning and its end."""
    edge = int(len(trial.began) * (1 - share) / 2)
    begin, end = float(trial.began[edge]), float(trial.began[-1 - edge]) if edge else trial.span
    kept = (trial.began >= begin) & (trial.began < end) if edge else slice(None)
    start = begin if edge else 0.0
    return Calls(
        trial.began[kept] - start, trial.ended[kept] - start, trial.agent[kept], trial.sample[kept], trial.prompt[kept],
        trial.output[kept], end - start, trial.counted,
    )  # fmt: skip


def _chosen(rows: pd.DataFrame, folder: Path, condition: int | None) -> pd.DataFrame:
    """The rows of trials that were played to their end, of one condition."""
    known = sorted(rows["condition"].unique().tolist())
    if condition is None and len(known) > 1:
        raise UsageError(f"{folder}: {len(known)} conditions, which are not one stream; choose one by --condition")
    if condition is not None and condition not in known:
        raise UsageError(f"--condition {condition}: expected one of {', '.join(map(str, known))}")
    kept = rows[rows["error"].isna() & ((rows["condition"] == condition) if condition is not None else True)]
    kept.attrs = rows.attrs
    return kept


def _events(folder: Path, row: int, trial: int) -> Iterator[Event]:
    """The models and calls of a trial."""
    if not holds_a_run(folder):
        yield from read_trial(folder, row).asked
        return
    with open_run(folder) as run:
        yield from run.milestones(*ANSWERS, trial=trial)


def _on_run(calls: Sequence[CallDone], folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Begin and end of each call, and the end of the last one."""
    if any(call.began is None for call in calls):
        raise UsageError(f"{folder}: its calls have no time on the clock of the run: their model is a script, or their "
                         "record is of an earlier version; expected --clock world")  # fmt: skip
    began = np.array([call.began for call in calls], np.float64)
    ended = began + [call.seconds for call in calls]
    return began, ended, float(ended.max())


def _calls(
    calls: Sequence[CallDone], events: Sequence[Event], began: np.ndarray, ended: np.ndarray, span: float
) -> Calls:  # fmt: skip
    before: dict[int, int] = {}  # characters that come first in each request, by agent
    for event in events:
        if isinstance(event, ModelUsed):
            size = len(event.instructions) + len(json.dumps(event.tools)) * bool(event.tools)
            before |= dict.fromkeys(event.agents, size)
    read = [call.input_tokens or -(-(before.get(call.agent, 0) + len(call.prompt)) // LETTERS) for call in calls]
    wrote = [call.output_tokens or -(-sum(map(len, (call.reply or {}).values())) // LETTERS) for call in calls]
    order = np.argsort(began, kind="stable")
    agent, sample, prompt, output = (
        np.array(each, np.int64)[order]
        for each in ([call.agent for call in calls], [call.sample for call in calls], read, np.maximum(wrote, 1))
    )
    told = all(call.input_tokens for call in calls)
    return Calls(began[order], ended[order], agent, sample, prompt, output, span, told)


# -- burstiness


class Streams(NamedTuple):
    """Statistics of some streams of calls: an index of dispersion for each window, and the gaps' variation.

    The index of dispersion for counts (Cox and Lewis 1966) is the variance of the number of calls in a window over its
    mean. The squared coefficient of variation of gaps is their variance over their squared mean. Both are 1 for a
    Poisson stream and 0 for an even one.
    """

    windows: tuple[float, ...]  # seconds
    dispersion: tuple[Estimate, ...]
    variation: Estimate


def windows_of(trials: Sequence[Calls]) -> tuple[float, ...]:
    """Windows of 1, 10 and 100 mean gaps, in seconds, of which every trial has some."""
    gap = sum(trial.span for trial in trials) / sum(len(trial.began) for trial in trials)
    return tuple(gap * each for each in WINDOWS if all(trial.span >= LEAST * gap * each for trial in trials))


def burstiness(trials: Sequence[Calls]) -> Streams:
    """The statistics of recorded streams; the intervals are a bootstrap over trials, unknown for one trial."""
    streams, spans, windows = [trial.began for trial in trials], [trial.span for trial in trials], windows_of(trials)
    spread = [bootstrap(partial(_dispersion, _counts(streams, spans, each)), len(trials)) for each in windows]
    return Streams(windows, tuple(spread), bootstrap(partial(_variation, _gaps(streams)), len(trials)))


def poisson(trials: Sequence[Calls], seed: int = 0) -> Streams:
    """The same of Poisson streams of the same rate and length: mean and the range of 95 % of made-up data sets."""
    rng, spans = np.random.default_rng(seed), np.array([trial.span for trial in trials])
    rate = sum(len(trial.began) for trial in trials) / spans.sum()
    return _made_up(trials, lambda: [np.sort(rng.uniform(0, span, rng.poisson(rate * span))) for span in spans])


def bulk(trials: Sequence[Calls], seed: int = 0) -> Streams:
    """The same of a bulk job of media generation at the same rate.

    It is a queue of equal long jobs, each submitted when the server has done the one before: MLPerf Inference's "single
    stream" (Reddi et al. 2020, ISCA). So jobs come at equal gaps; only the moment of the first is by chance.
    """
    rng, spans = np.random.default_rng(seed), [trial.span for trial in trials]
    gap = sum(spans) / sum(len(trial.began) for trial in trials)
    return _made_up(trials, lambda: [np.arange(rng.uniform(0, gap), span, gap) for span in spans])


def _made_up(trials: Sequence[Calls], make: Callable[[], list[np.ndarray]]) -> Streams:
    spans, windows, everything = [trial.span for trial in trials], windows_of(trials), np.arange(len(trials))
    with np.errstate(divide="ignore", invalid="ignore"):  # streams without any call
        found = np.array([
            [*(_dispersion(_counts(streams, spans, each), everything) for each in windows),
             _variation(_gaps(streams), everything)]
            for streams in (make() for _ in range(STREAMS))
        ])  # fmt: skip
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(found, [tail, 1 - tail], axis=0)
    *spread, gaps = map(Estimate, np.nanmean(found, axis=0).tolist(), low.tolist(), high.tolist())
    return Streams(windows, tuple(spread), gaps)


def _counts(streams: Sequence[np.ndarray], spans: Sequence[float], window: float) -> np.ndarray:
    """(T, 3) of each stream's counts in whole windows: their number, sum, and sum of squares."""
    rows = []
    for stream, span in zip(streams, spans, strict=True):
        whole = int(span / window)
        counts = np.bincount((stream / window).astype(np.int64), minlength=whole)[:whole]
        rows.append((whole, counts.sum(), (counts**2).sum()))
    return np.array(rows, np.float64)


def _gaps(streams: Sequence[np.ndarray]) -> np.ndarray:
    """(T, 3) of each stream's gaps: their number, sum, and sum of squares."""
    gaps = [np.diff(stream) for stream in streams]
    return np.array([(len(each), each.sum(), (each**2).sum()) for each in gaps], np.float64)


def _dispersion(sums: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Variance over mean of all values of the ``chosen`` (..., T) streams together."""
    number, total, squares = (sums[:, k][chosen].sum(axis=-1) for k in range(3))
    return np.maximum(squares - total**2 / number, 0.0) / (number - 1) * number / total


def _variation(sums: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Variance over squared mean, likewise."""
    number, total = (sums[:, k][chosen].sum(axis=-1) for k in range(2))
    return _dispersion(sums, chosen) * number / total

"""Trials of a batch, executed again: one of them, to be watched; or many, to verify the batch against its plan.

Language models and functions answer from the record. The verification cannot show: the measures in NOT_AGAIN; whether
an infrastructure error was one, if that depends on a model or a program; notes (time of creation, versions, settings of
errors and calls, number of planned trials); and whether an author has played other trials and made up all of it. The
root that a witness notes protects against the latter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby, islice
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple, get_args, get_type_hints

from sandbox.agents.llm.offline import Recorded
from sandbox.core.errors import RecordError, SandboxError
from sandbox.core.finish import Finish, Outcome
from sandbox.model import Sandbox
from sandbox.record import open_run
from sandbox.record.columns import LEFT_OUT as NOT_AGAIN
from sandbox.record.columns import MEASURES
from sandbox.record.store import one_line
from sandbox.record.table import Chunk, Rows, holds_a_run, read_trial, read_whole
from sandbox.running.batch import plan, play_chunk
from sandbox.running.episodes import LANES
from sandbox.running.recorded_answers import recorded_of
from sandbox.running.replay import replay
from sandbox.running.trial import OnTick, run
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import NOTHING, Grant, record
from sandbox.scenario.recorded import read_scenario
from sandbox.scenario.sweep import conditions

COLUMNS = ["condition", "trial", *MEASURES]
_STORED = {bool: (int,), float: (int, float)}  # types that SQLite returns for a type; it has no booleans
KINDS = {
    name: tuple(stored for one in get_args(kind) or (kind,) for stored in _STORED.get(one, (one,)))
    for name, kind in get_type_hints(Outcome).items()
}
MOST = 20  # problems that are listed
OnTrial = Callable[[int, int], None]


class Checked(NamedTuple):
    """The result of a check."""

    root: str  # over the present rows
    trials: int
    planned: int
    executed: int  # trials executed again, among those with an outcome
    lost: int  # infrastructure errors, which cannot be executed again
    problems: list[str]
    certificate: dict | None = None  # recomputed from the rows

    @property
    def summary(self) -> str:
        """A summary of a check without problems."""
        able = self.trials - self.lost
        told = [] if self.trials >= self.planned else [f"unfinished: {self.trials:,} of {self.planned:,} trials"]
        if self.lost:
            told.append(f"{self.lost:,} infrastructure errors, which cannot be executed again")
        share = f"all {able:,}" if self.executed == able else f"{self.executed:,} of {able:,}"
        return "\n".join([*told, f"{share} trials executed again, all equal"])


class Row(NamedTuple):
    """A trial in the table."""

    place: int  # among all rows
    condition: int
    trial: int
    outcome: Outcome


class Opened(NamedTuple):
    """A batch and its plan."""

    folder: Path
    found: Rows
    planned: list[Scenario]  # of each condition, with its seed
    rows: list[Row]  # rows that are readable as trials

    def able(self, row: Row) -> bool:
        """Whether a trial can be executed again; a failed one, only if it is compiled as a whole."""
        return row.outcome.error is None or self.planned[row.condition].compiled

    @property
    def lost(self) -> int:
        """The number of trials that cannot be executed again."""
        return sum(not self.able(row) for row in self.rows)


def check(
    folder: str | Path, sample: int, root: str | None = None, on_trial: OnTrial = lambda done, of: None,
    allow: Grant = NOTHING,
) -> Checked:  # fmt: skip
    """Compare a batch with its plan and execute ``sample`` of its trials again, drawn anew at each call, or all.

    ``root`` is the one that a witness noted. ``on_trial`` gets the numbers of finished trials and of all. Functions
    that are tools are called only if ``allow`` grants them and their answer is missing. Raises RecordError without a
    batch.
    """
    found = read_whole(folder)
    batch, now, there = opened(folder, found, allow=allow), found.root(), len(found.rows)
    problems = [*misplaced(batch), *against(now, found.facts.get("root"), root)]
    executed, differing = execute(batch, sample, on_trial, allow)
    planned = max(found.facts.get("planned", 0), there)
    return Checked(now, there, planned, executed, batch.lost, first(problems) + first(differing))


def opened(folder: str | Path, found: Rows, apart: int = 0, allow: Grant = NOTHING) -> Opened:
    """A table with its plan; raises RecordError if its scenario cannot be tried."""
    scenario = read_scenario(found.scenario, record(folder, allow))
    try:
        planned = plan(scenario, apart)
    except SandboxError as error:
        raise RecordError(f"{folder}: its scenario cannot be tried ({one_line(str(error))})") from None
    return Opened(Path(folder), found, planned, list(_readable(found, len(planned))))


def against(now: str, noted: object, witnessed: str | None) -> Iterator[str]:
    """Differences of the present root to the one in the batch, and to the one noted by a witness."""
    if noted is not None and noted != now:
        yield f"the batch notes the root {noted}, its trials give {now}"
    if witnessed is not None and witnessed.strip().lower() != now:
        yield f"the noted root is {one_line(witnessed)}, the trials give {now}: changed, or another batch"


def first(problems: Sequence[str]) -> list[str]:
    """The first few problems, a line each."""
    more = len(problems) - MOST
    return [*map(one_line, problems[:MOST]), *([f"and {more:,} more"] if more > 0 else [])]


# -- against the plan --------------------------------------------------------------------------------------------------


def misplaced(batch: Opened) -> Iterator[str]:
    """Differences of rows, marks and conditions to the plan, as texts."""
    found = batch.found
    if set(found.columns) - set(COLUMNS) or found.columns[:2] != COLUMNS[:2]:
        yield f"unknown columns: {', '.join(sorted(set(found.columns) - set(COLUMNS))) or found.columns[:2]}"
        return
    if found.overrides != dict(enumerate(conditions(found.scenario.get("sweep", {})))):
        yield "the conditions are not those of the scenario's sweep"
    there = [row[:2] for row in found.rows]
    rows, marks = set(there), set(islice(_marked(found.chunks), 2 * len(there) + MOST))
    for place in sorted(rows ^ marks, key=str):
        yield f"{_place(*place)}: " + ("missing" if place in marks else "no entry says that it was played")
    if len(rows) < len(there):
        yield "a trial has more than one row"
    if sum(1 for _ in islice(_marked(found.chunks), len(marks) + 1)) > len(marks):
        yield "a trial has more than one mark"
    if found.asked.keys() - rows:
        yield "there are answers of trials that are not there"
    for index in sorted(set(range(len(there))) - {row.place for row in batch.rows}):
        yield f"{_place(*there[index])}: it is not a trial of the plan, or has a value that is not a measure"
    for row in batch.rows:
        yield from _unlike(row, batch.planned[row.condition])


def _unlike(row: Row, scenario: Scenario) -> Iterator[str]:
    """Differences of a row to its plan, and its inconsistencies."""
    outcome = row.outcome
    done, seed = outcome.finish == Finish.COMPLETED.words, scenario.seed + row.trial
    for name, expected in (
        ("seed", seed), ("world", scenario.world.name), ("success", done),
        ("steps_to_completion", outcome.ticks if done else None),
    ):  # fmt: skip
        if getattr(outcome, name) != expected:
            found = bool(outcome.success) if name == "success" else getattr(outcome, name)
            yield f"{_place(row.condition, row.trial)}: {name} is {found!r}, expected {expected!r}"
    if (outcome.finish == Finish.ERROR.words) != (outcome.error is not None):
        yield f"{_place(row.condition, row.trial)}: finish is {outcome.finish!r}, error is {outcome.error!r}"


def _readable(found: Rows, among: int) -> Iterator[Row]:
    """The rows with valid measures. Measures missing in a batch of an earlier version have their defaults."""
    names = found.columns[2:]
    if not set(names) <= set(MEASURES):
        return
    kinds = [KINDS[name] for name in names]
    for index, (condition, trial, *values) in enumerate(found.rows):
        placed = type(condition) is type(trial) is int and 0 <= condition < among and 0 <= trial < 1 << 63
        if placed and all(map(isinstance, values, kinds)):
            outcome = Outcome(**dict(zip(names, values, strict=True)))
            if outcome.success in (0, 1):
                yield Row(index, condition, trial, outcome)


def _marked(chunks: Iterable[Chunk]) -> Iterator[tuple[int, int]]:
    """The trials that are marked as done; a forged mark may claim any number of them."""
    for condition, start, stop in chunks:
        if type(start) is type(stop) is int:
            yield from ((condition, trial) for trial in range(start, stop))


def _place(condition: object, trial: object) -> str:
    return f"condition {condition}, trial {trial}"


# -- execution ---------------------------------------------------------------------------------------------------------


def execute(batch: Opened, sample: int, on_trial: OnTrial, allow: Grant = NOTHING) -> tuple[int, list[str]]:
    """Execute some trials again; returns their number, and the differences."""
    able = [row for row in batch.rows if batch.able(row)]
    chosen = sorted(SystemRandom().sample(able, min(sample, len(able))))
    texts, problems, done = [each.model_dump_json() for each in batch.planned], [], 0
    for condition, rows in _together(chosen):
        compiled, hosted = batch.planned[condition].compiled, (_hosted(batch.folder, row, allow) for row in rows)
        outcomes: Iterable[Outcome | str] = _compiled(texts[condition], rows) if compiled else hosted
        for row, outcome in zip(rows, outcomes, strict=True):
            told = outcome if isinstance(outcome, str) else _differs(row.outcome, outcome, batch.found.columns)
            if told:
                problems.append(f"{_place(row.condition, row.trial)}, seed {row.outcome.seed}: {told}")
            done += 1
            on_trial(done, len(chosen))
    return done, problems


def _together(rows: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Rows grouped such that consecutive trials are played in one chunk."""
    ahead = ((row, row.trial - number) for number, row in enumerate(rows))
    for (condition, *_), found in groupby(ahead, lambda one: (one[0].condition, one[1], one[0].trial // LANES)):
        yield condition, [row for row, _ in found]


def _compiled(scenario: str, rows: Sequence[Row]) -> Sequence[Outcome | str]:
    try:
        return play_chunk(scenario, rows[0].trial, rows[-1].trial + 1).outcomes
    except (SandboxError, ArithmeticError, ValueError) as error:  # such as an impossible number of a trial
        return [f"it cannot be played ({one_line(str(error))})"] * len(rows)


def _hosted(folder: str | Path, row: Row, allow: Grant) -> Outcome | str:
    try:
        return rerun(trial_of(folder, row.place, allow))
    except SandboxError as error:
        return str(error)


def _differs(before: Outcome, again: Outcome, columns: Sequence[str]) -> str:
    """The measures that differ, as text, among those that the batch has."""
    names = [name for name in MEASURES if name in columns and name not in NOT_AGAIN]
    differs = [name for name in names if getattr(before, name) != getattr(again, name)]
    return f"not the same when executed again: {', '.join(differs)}" if differs else ""


# -- one trial ---------------------------------------------------------------------------------------------------------


class Tried(NamedTuple):
    """One trial of a batch or a certificate, with all that is needed to play it again."""

    scenario: Scenario  # of its condition
    seed: int
    digest: str  # of the last state, hexadecimal; must be reached again
    outcome: dict[str, Any]  # by measure
    recorded: Recorded | None  # recorded answers of its language models and functions; None: no calls

    def play(self) -> Iterator[Sandbox]:
        """The model after reset and after every tick; RecordError if it does not reach the recorded state."""
        with closing(Sandbox(self.scenario, rng=int(self.seed), recorded=self.recorded)) as model:
            yield model
            while model.running:
                model.step()
                yield model
            self.check(model.env.digest(model.state))

    def check(self, digest: str) -> None:
        """Raise RecordError if the last state is not the recorded one."""
        if self.digest and digest != self.digest:
            raise RecordError(f"seed {self.seed}: it does not reach the state that the batch recorded")


def again(folder: str | Path, row: int, trial: int) -> Iterator[Sandbox]:
    """The model of a trial after reset and after every tick; it is one model, which moves on.

    ``trial`` of a single run from its record, the ``row`` of a batch from its seed. Raises RecordError if it does not
    run as recorded.
    """
    if not holds_a_run(folder):
        yield from trial_of(folder, row).play()
        return
    with open_run(folder) as run:
        yield from replay(run, trial)


def trial_of(folder: str | Path, row: int, allow: Grant = NOTHING) -> Tried:
    """The trial in a row of ``results`` of a batch, counted from 0, to be played again without any call.

    Functions without records are called only if they are allowed. Raises RecordError if the batch or the row does not
    exist, or if its answers were not kept.
    """
    scenario, overrides, columns, asked = read_trial(folder, row)
    base = read_scenario({**scenario, "sweep": {}}, record(folder, allow))
    outcome = {name: value for name, value in columns.items() if name not in ("condition", "trial")}
    chosen = load(base, overrides, allow=NOTHING)
    if chosen.reasoners & {"llm", "python", "edge"} and not asked:
        raise RecordError(f"{folder}: row {row}: the answers of its agents were not kept (trials.keep_calls)")
    answers = recorded_of(asked, allow=allow) if asked else None
    return Tried(chosen, outcome["seed"], outcome["digest"], outcome, answers)


def rerun(tried: Tried, out: str | Path | None = None, on_tick: OnTick | None = None) -> Outcome:
    """Play a trial of a batch again; ``out`` gets its whole record, like that of a single run.

    Raises RecordError if it does not reach the recorded state.
    """
    outcome = run(tried.scenario, tried.seed, out=out, on_tick=on_tick, recorded=tried.recorded)
    tried.check(outcome.digest)
    return outcome

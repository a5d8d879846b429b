"""Verification of a record: everything is recomputed from the stored bodies.

A record that was rewritten as a whole, root included, or cut off together with its root, is consistent. Only a root
that was noted elsewhere (``expected_root``) distinguishes it from the true one.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.core.errors import RecordError
from sandbox.record.chain import GENESIS, Merkle, chain_hash, leaf_hash
from sandbox.record.events import (
    AgentAnswered,
    CallDone,
    Changed,
    CodeUsed,
    Event,
    HumanActed,
    MemoryEdited,
    MessageSaid,
    ModelUsed,
    Placed,
    Resumed,
    Reviewed,
    RunFinished,
    RunStarted,
    TickDone,
    ToolAnswered,
    TrialFinished,
    TrialStarted,
    is_canonical,
    parse,
)
from sandbox.record.read import Run
from sandbox.record.store import DATABASE, SCHEMA, one_line

_OF_A_TICK = (
    CallDone
    | ToolAnswered
    | AgentAnswered
    | MemoryEdited
    | HumanActed
    | MessageSaid
    | Reviewed
    | TickDone
    | Resumed
    | Changed
    | Placed
)
_IN_TRIAL = TrialStarted | ModelUsed | CodeUsed | _OF_A_TICK | TrialFinished
_PROBLEMS = 20  # problems that are listed; the first ones suffice
_ROWS = "SELECT seq, trial, tick, kind, CAST(body AS BLOB), prev, hash FROM event ORDER BY seq"


@dataclass(frozen=True)
class ChainReport:
    """The result of ``verify_chain``; ``problems`` are texts, in the order of the record."""

    intact: bool
    finished: bool  # whether its last event is run_finished
    events: int
    root: str  # Merkle root over the present rows, hexadecimal
    last_trial: int | None
    last_tick: int | None
    problems: tuple[str, ...]

    @property
    def summary(self) -> str:
        """One line."""
        if not self.intact:
            more = len(self.problems) - 1
            return f"not intact: {self.problems[0]}" + (f" (and {more} more)" if more else "")
        if self.finished:
            return f"finished, chain intact, {self.events} events, root {self.root}"
        begun = self.last_trial is not None
        place = f"trial {self.last_trial} ends at tick {self.last_tick}" if begun else "no trial begun"
        return f"{place}, unfinished, chain intact"


class _Row(NamedTuple):
    seq: int
    trial: int | None
    tick: int | None
    kind: str
    body: bytes
    prev: str
    hash: str


class _Course:
    """Checks the order of events: one run, each trial once, its ticks 1, 2, 3, ..."""

    def __init__(self) -> None:
        self.event: Event | None = None  # the latest
        self.trial: int | None = None
        self.tick: int | None = None
        self._ticks: dict[int, int] = {}  # the latest tick of each trial
        self._closed: set[int] = set()

    def follow(self, event: Event) -> Iterator[str]:
        """Take the next event; yields the errors of its place."""
        if isinstance(event, RunStarted) != (self.event is None):
            yield "a run begins with run_started, and only there"
        if isinstance(self.event, RunFinished):
            if isinstance(event, Resumed) and self.event.status != "done":
                self._closed.discard(event.trial)
            else:
                yield "an event after run_finished"
        self.event = event
        if isinstance(event, _IN_TRIAL):
            yield from self._in_trial(event)

    def _in_trial(self, event: _IN_TRIAL) -> Iterator[str]:
        trial, before = event.trial, self._ticks.get(event.trial)
        if isinstance(event, TrialStarted) and before is not None:
            yield f"trial {trial} begins a second time"
        if not isinstance(event, TrialStarted) and before is None:
            yield f"{event.kind} of trial {trial}, which has not begun"
        if trial in self._closed:
            yield f"{event.kind} of trial {trial}, which is finished"
        if isinstance(event, _OF_A_TICK) and event.tick != (before or 0) + 1:
            yield f"trial {trial} goes from tick {before or 0} to tick {event.tick}"
        if isinstance(event, TrialFinished):
            self._closed.add(trial)
        self._ticks[trial] = event.tick if isinstance(event, TickDone) else before or 0
        self.trial, self.tick = trial, self._ticks[trial]


def verify_chain(
    run: Run, expected_root: str | None = None, on_event: Callable[[], None] = lambda: None
) -> ChainReport:
    """Recompute chain, order and root of the run; ``expected_root`` (hexadecimal) is the one noted by a witness.

    ``on_event`` is called after each event; its exceptions end the check. Raises RecordError if the file cannot be
    read as a database; changes of its rows are in the report.
    """
    with run.snapshot():
        _check_file(run)
        tree, course = Merkle(), _Course()
        problems = list(_first(_walk(run, tree, course, on_event)))
        meta = run.meta
    root, finished = tree.root().hex(), isinstance(course.event, RunFinished)
    problems += _against_meta(meta, tree.size, root, finished)
    noted = root if expected_root is None else expected_root.strip().lower()
    if noted != root:
        problems.append(f"the noted root is {noted}, the record gives {root}: rewritten, or another run")
    words = tuple(map(one_line, problems))
    return ChainReport(not problems, finished, tree.size, root, course.trial, course.tick, words)


def _check_file(run: Run) -> None:
    """Check that indexes agree with the table; else a reader of one trial would see other rows than those verified."""
    path = run.folder / DATABASE
    (verdict,) = next(run.query("PRAGMA integrity_check(1)"))
    if verdict != "ok":
        raise RecordError(f"{path}: it is damaged ({one_line(verdict)})")
    with closing(sqlite3.connect(":memory:")) as blank:
        blank.executescript(SCHEMA)
        for table in ("event", "meta"):
            columns = f"PRAGMA table_info({table})"
            if list(run.query(columns)) != blank.execute(columns).fetchall():
                raise RecordError(f"{path}: its table {table} is not that of a run")


def _first(problems: Iterator[str]) -> Iterator[str]:
    """The first few problems. The rest is consumed, because the walk also computes the root."""
    for number, problem in enumerate(problems):
        if number < _PROBLEMS:
            yield problem


def _walk(run: Run, tree: Merkle, course: _Course, on_event: Callable[[], None]) -> Iterator[str]:
    """Fill tree and course from the rows; yields each problem with its seq."""
    seq, previous = 0, GENESIS.hex()
    for row in map(_Row._make, run.query(_ROWS)):
        leaf = leaf_hash(row.body or b"")
        tree.add(leaf)
        for problem in (*_link(row, seq, previous, leaf), *_content(row, course)):
            yield f"seq {row.seq}: {problem}"
        seq, previous = row.seq, row.hash
        on_event()


def _link(row: _Row, seq: int, previous: str, leaf: bytes) -> Iterator[str]:
    """Errors between a row and the one before it, and between its body and its hash."""
    if row.seq > seq + 1:
        missing = f"row {seq + 1} is" if row.seq == seq + 2 else f"rows {seq + 1} to {row.seq - 1} are"
        yield f"{missing} missing before it"
    elif row.seq != seq + 1:
        yield f"it stands after seq {seq}"
    elif row.prev != previous:
        yield "it does not follow the row before it (a row was changed, removed, doubled or moved)"
    try:
        link = chain_hash(bytes.fromhex(row.prev), leaf).hex()
    except (TypeError, ValueError):
        link = None
    if link != row.hash:
        yield "the row was changed (its body does not give its hash)"


def _content(row: _Row, course: _Course) -> Iterator[str]:
    """Errors of a row's event, of its columns, and of its place in the run."""
    try:
        event = parse(row.body or b"")
    except RecordError as error:
        yield str(error)
        return
    if not is_canonical(event, row.body):
        yield "the event is not written as events are (sorted keys, each once)"
    for column in ("trial", "tick", "kind"):
        told, body = getattr(row, column), getattr(event, column, None)
        if told != body:
            yield f"column {column} says {told}, the body says {body}"
    yield from course.follow(event)


def _against_meta(meta: dict[str, str], events: int, root: str, finished: bool) -> Iterator[str]:
    """Differences between the seal and the rows. A run that was killed has no seal."""
    if meta.get("events", str(events)) != str(events):
        yield f"after the last row: the seal counts {meta['events']} events, there are {events}"
    if meta.get("root", root) != root:
        yield f"the root in the seal is {meta['root']}, the rows give {root}"
    if (missing := {"events", "root"} - meta.keys()) and (finished or len(missing) == 1):
        yield f"the seal is incomplete ({', '.join(sorted(missing))} missing)"

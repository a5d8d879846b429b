"""Trials of a batch executed again: each must come to what its row says, and nobody is asked anything anew."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sandbox.core.errors import SandboxError
from sandbox.core.finish import Outcome
from sandbox.scenario.recorded import read_scenario
from sandbox.trials.batch import plan, play_chunk
from sandbox.trials.results import Tried, results, trial_of
from sandbox.trials.trial import OnTick, run

EXACT = ("digest", "finish", "ticks", "success", "own_decisions", "fallbacks", "invalid_replies")


class Checked(NamedTuple):
    """What came of a check."""

    executed: int
    problems: list[str]


def check(folder: str | Path, sample: int, on_trial: Callable[[int, int], None] = lambda done, of: None) -> Checked:
    """Execute ``sample`` trials of a batch again, drawn anew at each call, or all of a smaller one.

    ``on_trial`` is told how many are done, and of how many. Infrastructure errors came to nothing, and are left out.
    Raises RecordError where there is no batch.
    """
    rows = results(folder)
    rows = rows[rows["error"].isna()]
    scenario = read_scenario(rows.attrs["scenario"], folder)
    planned = [(each, each.model_dump_json()) for each in plan(scenario)]
    chosen, problems = rows.sample(min(sample, len(rows))), []
    for done, row in enumerate(chosen.itertuples(), 1):
        each, text = planned[row.condition]
        try:
            again = _compiled(text, row.trial) if each.compiled else rerun(trial_of(folder, row.Index))
            differs = [name for name in EXACT if getattr(again, name) != getattr(row, name)]
        except SandboxError as error:
            problems.append(f"condition {row.condition}, seed {row.seed}: {error}")
        else:
            if differs:
                told = f"condition {row.condition}, seed {row.seed}: not the same when executed again"
                problems.append(f"{told}: {', '.join(differs)}")
        on_trial(done, len(chosen))
    return Checked(len(chosen), problems)


def _compiled(scenario: str, trial: int) -> Outcome:
    return play_chunk(scenario, trial, trial + 1).outcomes[0]


def rerun(tried: Tried, out: str | Path | None = None, on_tick: OnTick | None = None) -> Outcome:
    """Play a trial of a batch again; ``out`` gets the whole record of it, as that of a single run.

    Raises RecordError where it does not come to the recorded state.
    """
    outcome = run(tried.scenario, tried.seed, out=out, on_tick=on_tick, recorded=tried.recorded)
    tried.check(outcome.digest)
    return outcome

"""Resuming a run that was killed, stopped or failed. The record is the only checkpoint.

The recorded ticks are executed again, with the record instead of language models and people, and every state is
compared. After the last recorded tick they answer themselves.
"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.core.errors import RecordError, UsageError, shown
from sandbox.core.finish import Outcome
from sandbox.core.people import People
from sandbox.core.plain import callback
from sandbox.record import ChainReport, Changed, Log, Resumed, Run, RunFinished, open_run, verify_chain
from sandbox.record.lock import Lock
from sandbox.running.intervene import change
from sandbox.running.replay import model_of, retrace, scenario_of
from sandbox.running.trial import OnTick, play, record_tools, versions
from sandbox.scenario import Scenario
from sandbox.scenario.capabilities import Grant, Origin, configured, record
from sandbox.scenario.load import naming
from sandbox.scenario.recorded import read_scenario


def resume(
    folder: str | Path,
    overrides: Mapping[str, Any] | None = None,
    on_tick: OnTick | None = None,
    people: People | None = None,
    allow: str | Grant | None = None,
) -> Outcome:
    """Continue the run in ``folder``, in its own record, to the end; the arguments are those of ``run``.

    ``overrides`` change the scenario from the next tick on, as far as ``scenario.change`` allows. ``on_tick`` is called
    from the last recorded tick on; ``seconds`` of the outcome count from there. A record has no capabilities of its
    own: ``allow`` grants what the scenario may reach from then on, in addition to the configuration
    (``scenario.load``); None grants what the overrides name. Raises UsageError for overrides that are not possible and
    capabilities that are not granted, RecordError if the run is finished, is being written, was forged, or does not
    reach the recorded states.
    """
    callback(on_tick, "on_tick")
    if overrides is not None and not hasattr(overrides, "items"):  # a pandas series has items, too
        raise UsageError(f"overrides: expected dotted keys and their values, got {shown(overrides)}")
    with open_run(folder) as run:
        Lock(run.folder).release()  # another writer is reported before any work
        chain = _unfinished(run)
        granted = configured() + (naming(overrides or {}) if allow is None else Grant.of(allow))
        model = model_of(run, 0, chain.last_tick, people, record(folder, granted))
        with closing(model):
            for difference in retrace(model, run, outcomes=False):
                if difference:
                    raise RecordError(f"{folder}: it does not run as recorded: {difference}")
            goes_on = Resumed(trial=0, tick=model.ticks + 1, versions=versions())
            changes = change(model, overrides) if overrides else []
            with Log.reopen(folder, [goes_on, *changes], chain.root) as log:
                record_tools(model, log)
                return play(model, log, on_tick)


def _unfinished(run: Run) -> ChainReport:
    """The verified chain of a run that can be resumed."""
    chain = verify_chain(run)
    if not chain.intact:
        raise RecordError(f"{run.folder}: {chain.summary}")
    if chain.last_trial is None:
        raise RecordError(f"{run.folder}: it has not begun; remove it and run the scenario again")
    if status(run) == "done":
        raise RecordError(f"{run.folder}: the run is finished; nothing to resume")
    return chain


def status(run: Run) -> str:
    """The status of a run: done, stopped or failed; empty before its end."""
    ends = list(run.milestones("run_finished", "resumed"))[-1:]
    return ends[0].status if ends and isinstance(ends[0], RunFinished) else ""


def scenario_now(run: Run, origin: Origin | None = None) -> Scenario:
    """The scenario of a run after its changes; ``origin`` as in ``scenario_of``."""
    first = scenario_of(run, origin)
    changes = [event.scenario for event in run.milestones("changed") if isinstance(event, Changed)]
    return read_scenario(changes[-1], first.origin) if changes else first


def is_begun(folder: str | Path, scenario: Scenario, seed: int) -> bool:
    """Whether a folder contains exactly this trial, unfinished."""
    with open_run(folder) as run:
        return (
            bool(run.trials) and run.trials[0].seed == seed and scenario_of(run) == scenario and status(run) != "done"
        )

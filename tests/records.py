"""Runs for the tests of the record: a story of three trials, written, edited, verified."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.record import (
    Log,
    RunFinished,
    RunStarted,
    TickDone,
    TrialFinished,
    TrialStarted,
    open_run,
    verify_chain,
)

SCENARIO = {"title": "Lager – größer", "world": {"x": [1, 2.5, None]}}
START = RunStarted(scenario=SCENARIO, scenario_hash="h", versions={"sandbox": "1"}, trials=3)
END = RunFinished(trials=3, status="done")


def tick(trial: int, number: int) -> TickDone:
    return TickDone(trial=trial, tick=number, actions=((1, 0), (4, 7)), reward=(0.5, -0.1), digest=f"{number:064x}")


def outcome(trial: int) -> dict:
    return {"success": True, "seed": 2**64 - 1 - trial, "reward": 0.1 + 0.2}


def story(trials: int = 3, ticks: int = 20) -> list:
    agents = [{"name": f"a{number}", "role": "courier", "reasoner": "rules"} for number in range(2)]
    events = [START]
    for trial in range(trials):
        events.append(TrialStarted(trial=trial, seed=2**64 - 1 - trial, agents=agents))
        events += [tick(trial, number) for number in range(1, ticks + 1)]
        events.append(TrialFinished(trial=trial, outcome=outcome(trial)))
    return [*events, END]


def record(folder: Path, events: list) -> str:
    with Log.create(folder) as log:
        for event in events:
            log.append(event)
    return log.root


def edit(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.executescript(script)


def verify(folder: Path, expected: str | None = None):
    with open_run(folder) as run:
        return verify_chain(run, expected)

"""An imported process beside Prosimos, which runs in an interpreter of its own: the same model and parameters."""

import os
import re
import subprocess
from csv import DictReader
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import sandbox
from benchmarks.report import console, table
from sandbox.worlds.office.prosimos import scenario
from sandbox.worlds.office.state import DAY, Case, Status, Time

PEER = "PROSIMOS"  # the Python of an environment with prosimos
MODEL = Path("examples/bpmn/claims.bpmn")
CASES, SEED = 1_000, 20_000
_RUN = """
import random, sys
import numpy
from prosimos.simulation_engine import run_simulation
model, parameters, cases, seed, statistics, log = sys.argv[1:]
random.seed(int(seed))
numpy.random.seed(int(seed))
run_simulation(model, parameters, int(cases), statistics, log, "2024-01-01T08:00:00+00:00")
"""
Row = dict[str, float]


def by_prosimos(python: str, model: Path, parameters: Path, cases: int, seed: int) -> Row:
    """Hours of a case, and the use of each resource, of one simulation that begins on a Monday at 8:00."""
    with TemporaryDirectory() as folder:
        statistics, log = Path(folder) / "statistics.csv", Path(folder) / "log.csv"
        words = [python, "-c", _RUN, model, parameters, cases, seed, statistics, log]
        subprocess.run([*map(str, words)], check=True, stdout=subprocess.DEVNULL)
        begun, ended, taken = dict[str, float](), dict[str, float](), 0.0
        for row in DictReader(log.open()):
            enabled, end = (datetime.fromisoformat(row[key]).timestamp() / 3600 for key in ("enable_time", "end_time"))
            case, taken = row["case_id"], taken + end - enabled
            begun[case], ended[case] = min(begun.get(case, enabled), enabled), max(ended.get(case, end), end)
        lines = statistics.read_text().splitlines()
    hours = np.array([ended[case] - begun[case] for case in begun])
    at = next(k for k, line in enumerate(lines) if line.startswith("Resource ID"))
    people = [line.split(",") for line in lines[at + 1 : lines.index('""', at)]]
    worked = sum(float(words[4]) for words in people) / 3600
    return _row(hours, (taken - worked) / cases, [(words[1], float(words[2])) for words in people])


def _row(hours: np.ndarray, waited: float, people: list[tuple[str, float]]) -> Row:
    """Figures of a simulation; the use of people of one kind is their mean."""
    use: dict[str, list[float]] = {}
    for name, share in people:
        use.setdefault(re.sub(r"_\d+$", "s", name), []).append(share)
    return {"mean": float(hours.mean()), "median": float(np.median(hours)), "waited": waited,
            **{f"use of {name}": float(np.mean(shares)) for name, shares in use.items()}}  # fmt: skip


def by_ours(made: dict, seeds: list[int], resources: list[str]) -> list[Row]:
    """The same of episodes of the imported scenario, in which people do all the work."""
    options = {key: value for key, value in made["world"].items() if key != "name"}
    env = sandbox.make("office", agents=1, **options)
    state, _ = env.play(seeds, "idle")
    assert (state.case[:, :, Case.STATUS] == Status.RIGHT).all()
    hours = (state.time[:, :, Time.CLOSED] - state.time[:, :, Time.ARRIVED]) / 60
    waited = state.time[:, :, Time.QUEUE] / 60
    rows = []
    for lane in range(len(seeds)):
        open_ = [_open(env.params.hours[person], state.time[lane]) for person in range(env.params.people)]
        use = state.worked[lane] / np.array(open_)
        rows.append(_row(hours[lane], float(waited[lane].mean()), [*zip(resources, use.tolist(), strict=False)]))
    return rows


def _open(hours: np.ndarray, time: np.ndarray) -> float:
    """Minutes of somebody's hours from the first arrival to the last end."""
    begin, end = time[:, Time.ARRIVED].min(), time[:, Time.CLOSED].max()
    parts = len(hours) // 7
    days = np.arange(begin // DAY, end // DAY + 1)
    own = hours.reshape(7, parts, 2)[(days % 7).astype(int)] + (days * DAY)[:, None, None]
    return float(np.clip(np.minimum(own[..., 1], end) - np.maximum(own[..., 0], begin), 0, None).sum())


def beside_prosimos(quick: bool) -> None:
    """Means over seeds, with 95 % intervals, and the differences."""
    python = os.environ.get(PEER)
    if python is None:
        console.print(f"Prosimos: set {PEER} to a Python that has it (3.11 or 3.12, pip install prosimos)")
        return
    seeds = [*range(SEED, SEED + (5 if quick else 40))]
    theirs = [by_prosimos(python, MODEL, MODEL.with_suffix(".json"), CASES, seed) for seed in seeds]
    made = scenario(MODEL, MODEL.with_suffix(".json")).scenario
    made["world"] |= {"cases": CASES, "max_ticks": 1_000_000}
    people = ["Assessor 1", "Assessor 2", "Head", "Clerk_0", "Clerk_1", "System"]  # in the order of their posts
    ours = by_ours(made, seeds, people)  # and who settles what is escalated: nobody here
    rows = [[told, *compared([row[key] for row in theirs], [row[key] for row in ours])] for key, told in _told(ours[0])]
    title = f"{MODEL.name}: {CASES:,} cases, {len(seeds)} seeds from {SEED:,}"
    table(title, ["", "Prosimos", "imported", "difference"], rows)


def _told(row: Row) -> list[tuple[str, str]]:
    words = {"mean": "time of a case, mean hours", "median": "time of a case, median hours",
             "waited": "wait of a case, with pauses of work, mean hours"}  # fmt: skip
    return [(key, words.get(key, key)) for key in row]


def compared(theirs: list[float], ours: list[float]) -> list[str]:
    """Mean and half of its interval, of both; and of the difference, in per cent of theirs."""
    ends = [(np.mean(one), 1.96 * np.std(one, ddof=1) / len(one) ** 0.5) for one in (theirs, ours)]
    (a, da), (b, db) = ends
    cells = [f"{mean:.3g} +- {half:.2g}" for mean, half in ends]
    return [*cells, f"{100 * (b / a - 1):+.1f} % +- {100 * np.hypot(da, db) / a:.1f}"]

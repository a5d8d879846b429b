"""Are agents burstier than media generation? The claim of ``docs/inference-trace.md``; and K agents on one server."""

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import sandbox
from benchmarks.pages import DOCS, show
from benchmarks.report import console
from benchmarks.stand_in import record
from sandbox.analysis.calls import Calls, Clock, Streams, bulk, burstiness, calls_in, middle, poisson
from sandbox.analysis.serving import SEEDS, SERVERS, Point, curve
from sandbox.report.figures import save
from sandbox.report.serving import NAMES, duration, durations, interval, picture
from sandbox.statistics import Estimate

PEERS = ("scipy",)
PAGE = "inference-trace.md"
MEASURED = 310_000  # the first seed; no rule was tuned from 300,000 on
PICTURED = "procure-to-pay"
REPLY = 60  # tokens that a model writes for a decision, as in benchmarks/office_study.py
TRIALS, QUICK, REAL = 20, 3, 3  # seeds of a world, of a quick run, and of Gemma
OPTIONS = {
    "--seed": {"type": int, "default": MEASURED, "help": f"the first seed, default {MEASURED:,}"},
    "--gemma": {"action": "store_true", "help": "Gemma 3 270M only (extra gemma), on the clock of the run"},
}  # fmt: skip


class Setting(NamedTuple):
    """A world with so many agents, and the middle share of the calls that counts."""

    world: dict
    agents: int
    part: float


OFFICE = {"name": "office", "cases": 150, "people": 1, "load": 0.7, "max_ticks": 100_000}
SETTINGS = {
    **{name: Setting(OFFICE | {"layout": name}, 3, 0.5) for name in ("procure-to-pay", "lead-to-cash", "service-desk")},
    "warehouse": Setting({"name": "warehouse", "layout": "small", "deliveries": 40}, 4, 1.0),
}
GEMMA = {"name": "warehouse", "layout": "tiny", "deliveries": 5, "max_ticks": 30}


def stand_ins(setting: Setting, seeds: range) -> list[Calls]:
    """The calls of a stand-in, on the world's clock."""
    found = []
    with TemporaryDirectory() as folder:
        for seed in seeds:
            out = Path(folder) / str(seed)
            record(setting.world, setting.agents, seed, REPLY, out)
            found += [middle(trial, setting.part) for trial in calls_in(out)]
    return found


def gemma(seeds: range) -> list[Calls]:
    """The calls of a real model, on the clock of the run."""
    found = []
    with TemporaryDirectory() as folder:
        for seed in seeds:
            out = Path(folder) / str(seed)
            llm = {"model": "gemma", "timeout": 3_600.0}
            group = {"count": 2, "reasoner": "llm", "llm": llm}
            assert sandbox.run({"world": GEMMA, "agents": [group]}, seed=seed, out=out).error is None
            found += calls_in(out, Clock.RUN)
    return found


def above(own: Streams, other: Streams) -> bool:
    """Whether every interval lies above the other's range."""
    pairs = zip((*own.dispersion, own.variation), (*other.dispersion, other.variation), strict=True)
    return all(one.low > beyond.high for one, beyond in pairs)


def rows_of(name: str, trials: list[Calls]) -> list[list[str]]:
    """Of a table: what was measured, what the made-up streams have, and the verdicts."""
    own, chance, even = burstiness(trials), poisson(trials), bulk(trials)
    calls = sum(len(trial.began) for trial in trials)
    gap = sum(trial.span for trial in trials) / calls

    def cells(streams: Streams) -> list[str]:
        spread: list[Estimate | None] = [*streams.dispersion, None, None][:3]
        return [interval(each) if each else "" for each in (*spread, streams.variation)]

    verdicts = ["earned" if above(own, other) else "refused" for other in (even, chance)]
    return [
        [name, f"{len(trials)}", f"{calls:,}", duration(gap), *cells(own), *verdicts],
        [f"{name}, Poisson", "", "", "", *cells(chance), "", ""],
        [f"{name}, bulk job", "", "", "", *cells(even), "", ""],
    ]


COLUMNS = ("calls", "trials", "n", "mean gap", "windows of 1 gap", "of 10", "of 100", "variation of gaps",
           "above the bulk job", "above Poisson")  # fmt: skip


def latencies(name: str, points: list[Point]) -> list[list[str]]:
    return [
        [f"{name}, {point.agents:,}", f"{point.busy:.0%}", *map(durations, point.latency), durations(point.chance[1])]
        for point in points
    ]


def main(arguments: Namespace) -> int:
    """Print the tables, and unless it is a quick run write them, with a picture."""
    seeds = range(arguments.seed, arguments.seed + (QUICK if arguments.quick else TRIALS))
    if arguments.gemma:
        trials = gemma(seeds[:REAL])
        show(PAGE, "bursts-gemma", COLUMNS, rows_of("Gemma", trials), arguments.quick)
        return 0
    bursts, waits, server = [], [], SERVERS["llama2-70b"]
    for name, setting in SETTINGS.items():
        trials = stand_ins(setting, seeds)
        points = curve(trials, server, seeds=range(QUICK if arguments.quick else SEEDS))
        bursts += rows_of(name, trials)
        waits += latencies(name, points)
        console.print(f"{name}: {len(trials)} trials")
        if name == PICTURED and not arguments.quick:
            save(picture(trials, points), DOCS / "images" / f"calls-{name}.svg")
    show(PAGE, "bursts", COLUMNS, bursts, arguments.quick)
    columns = ("calls as in, agents", "busy", *NAMES, f"{NAMES[1]} by chance")
    show(PAGE, "waits", columns, waits, arguments.quick)
    return 0

"""The record of a run: what it costs in time beside the same run without one, and on disk."""

import tempfile
from pathlib import Path

from benchmarks.report import Figure, at_most
from benchmarks.rounds import Pace, in_turns
from benchmarks.studio import scenario, yard
from sandbox.model import Sandbox
from sandbox.record import Log
from sandbox.running.trial import opening, record_step

AGENTS, SIDE = (10, 100, 1_000, 10_000), 316  # the map has room for the largest team
TIMES, BYTES = 2.0, 2.0  # of the time without a record, and for each agent and tick, at most; with the largest team


def cost(quick: bool) -> list[Figure]:
    """The same episode in turns, stepped and recorded; a round ends with all of its ticks on disk."""
    figures, rounds = [], 3 if quick else 7
    for agents in AGENTS[-1:] if quick else AGENTS:
        given, ticks = scenario(yard(SIDE), agents), max(100, 200_000 // agents)
        bare, recorded = Sandbox(given, rng=1), Sandbox(given, rng=1)
        with tempfile.TemporaryDirectory() as folder, Log.create(folder) as log:
            log.extend(opening(recorded))

            def step(model: Sandbox = bare, ticks: int = ticks) -> int:
                for _ in range(ticks):
                    model.step()
                return ticks

            def record(model: Sandbox = recorded, ticks: int = ticks, log: Log = log) -> int:
                for _ in range(ticks):
                    record_step(model, log)
                log.flush()
                return ticks

            for work in (step, record):
                work()  # compiles
            stepped, kept = Pace(f"stepped, {agents:,} agents", step), Pace(f"recorded, {agents:,} agents", record)
            in_turns(rounds, stepped, kept)
            log.close()
            size = (Path(folder) / "run.db").stat().st_size / agents / recorded.ticks
        bare_cost, cost = (Figure(each.name, "CPU ms/tick", [1e3 / rate for rate in each.cpu_rates])
                           for each in (stepped, kept))  # fmt: skip
        target = at_most(TIMES, of_ratio=True) if agents == AGENTS[-1] else None
        figures += [bare_cost, cost._replace(beside=bare_cost, target=target)]
    return [*figures, Figure(kept.name, "bytes/agent-tick", [size], target=at_most(BYTES))]


PEERS = ()
SPEEDS = {"cost": cost}

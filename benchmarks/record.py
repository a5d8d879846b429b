"""The record of a run: what it costs in time beside the same run without one, and on disk."""

import tempfile
from pathlib import Path

from benchmarks.pace import Pace
from benchmarks.report import console, met, table
from benchmarks.studio import scenario, yard
from sandbox.model import Sandbox
from sandbox.record import Log
from sandbox.running.trial import opening, record_step

AGENTS, SIDE = (10, 100, 1_000, 10_000), 316  # the map has room for the largest team
TIMES, BYTES = 2.0, 2.0  # of the time without a record, and for each agent and tick, at most; with the largest team


def cost(quick: bool) -> None:
    """The same episode in turns, stepped and recorded; a round ends with all of its ticks on disk."""
    rows, rounds = [], 3 if quick else 7
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

            paces = Pace("stepped", step), Pace("recorded", record)
            for pace in (*paces, *paces * rounds):
                pace.run()
            log.close()
            size = (Path(folder) / "run.db").stat().st_size / agents / recorded.ticks
        bare_cpu, recorded_cpu = ([cpu for *_, cpu in pace.rounds[1:]] for pace in paces)
        ratios = [one / other for one, other in zip(recorded_cpu, bare_cpu, strict=True)]
        rows.append([agents, 1000 / paces[0].rate, 1000 / paces[1].rate, min(ratios), max(ratios), size])
    table(f"Couriers on {SIDE} x {SIDE} cells", ["agents", "ms a tick", "recorded", "CPU, times: least", "most",
          "bytes an agent and tick"], rows)  # fmt: skip
    *_, most, size = rows[-1]
    console.print(f"{AGENTS[-1]:,} agents, times: {met(most, TIMES, False)}; bytes: {met(size, BYTES, False)}")


PEERS = ()
PARTS = {"cost": cost}

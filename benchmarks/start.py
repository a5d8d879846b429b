"""How long one waits for the first tick of each world: cold, for a second team, warm."""

import json
import tempfile
from pathlib import Path

from benchmarks.report import Figure, at_most
from benchmarks.trees import BESIDE, printed, trees
from sandbox.engine import registry

PEERS = ()
OPTIONS = BESIDE
STARTS = {"cold": at_most(10), "second team": at_most(2), "warm": at_most(1.5)}  # seconds
TEAMS = ("rules", "random", "random")  # one agent follows this policy, all others rules
CODE = """
import time; begun = time.time()
import json, sys
import sandbox
world, team = sys.argv[1:]
env = sandbox.make(world)
count = env.agents
table = {"world": {"name": world}, "agents": [{"count": 1, "reasoner": team}]}
if count > 1:
    table["agents"].append({"count": count - 1, "reasoner": "rules"})
model = sandbox.Sandbox(table, rng=1)
model.step()
assert model.ticks == 1 and model.error is None
print(json.dumps([time.time() - begun, time.process_time()]))
"""


def first_tick(tree: Path, cache: str, world: str, team: str) -> tuple[float, float]:
    """Seconds on the clock, and of processor time, from the start of a process to the end of its first hosted tick."""
    return tuple(json.loads(printed(tree, CODE, world, team, cache=cache)))


def waits(quick: bool, beside: str | None) -> list[Figure]:
    """Of each world, cold also in processor time; each round and tree begins with an empty cache."""
    figures, measured = [], trees(beside)
    for world in registry.names():
        found = {(name, start): [] for name in measured for start in STARTS}
        for _ in range(1 if quick else 3):
            for name, tree in measured.items():
                with tempfile.TemporaryDirectory() as cache:
                    for start, team in zip(STARTS, TEAMS, strict=True):
                        found[name, start].append(first_tick(tree, cache, world, team))
        for start, target in STARTS.items():
            for k, unit in enumerate(("s", "CPU s") if start == "cold" else ("s",)):
                this, *other = [[each[k] for each in found[name, start]] for name in measured]
                there = Figure(list(measured)[1], unit, other[0]) if other else None
                figures.append(Figure(f"{world}, {start}", unit, this, there, None if k else target))
    return figures


SPEEDS = {"waits": waits}

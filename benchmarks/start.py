"""How long one waits for the first tick of each world: cold, for a second team, warm; also beside another tree."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import sandbox
from benchmarks.report import met, table
from sandbox.engine import registry

PEERS = ()
OPTIONS = {"--beside": {"metavar": "PATH", "help": "another tree of Sandbox, such as a worktree of an earlier commit"}}
HERE = Path(sandbox.__file__).parents[1]
CODE = """
import json, sys, time
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
print(json.dumps([time.time(), time.process_time()]))
"""


def first_tick(tree: Path, cache: str, world: str, team: str) -> tuple[float, float]:
    """Seconds on the clock, and of processor time, from the start of a process to the end of its first hosted tick."""
    env = os.environ | {"SANDBOX_CACHE": cache, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-c", f"import time; begun = time.time()\n{CODE}\nprint(begun)", world, team]
    done = subprocess.run(command, env=env, cwd=cache, capture_output=True, text=True, check=True)
    found, begun = done.stdout.splitlines()
    ended, spent = json.loads(found)
    return ended - float(begun), spent


def main(arguments) -> int:
    trees = {"this": HERE} | ({"beside": Path(arguments.beside).resolve()} if arguments.beside else {})
    rows = []
    for world in registry.names():
        found = {}
        for name, tree in trees.items():
            with tempfile.TemporaryDirectory() as cache:
                found[name] = [first_tick(tree, cache, world, team) for team in ("rules", "random", "random")]
        for k, (what, target) in enumerate((("cold", 10), ("second team", 2), ("warm", 1.5))):
            clock, spent = found["this"][k]
            other = found["beside"][k][1] if "beside" in found else ""
            ratio = f"{spent / other:.2f} x" if other else ""
            rows.append([world, what, clock, spent, other, ratio, met(clock, target, at_least=False)])
    header = ["world", "start", "seconds", "CPU s", "CPU s beside", "ratio", "target"]
    table("Process start to first hosted tick, one agent of another policy in the second team", header, rows)
    return 0

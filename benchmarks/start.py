"""How long one waits for the first tick of each world: cold, for a second team, warm; then the steady speed.

Both also beside another tree, in turns: kernels that compile faster must not play slower.
"""

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
OPTIONS = {
    "--beside": {"metavar": "PATH", "help": "another tree of Sandbox, such as a worktree of an earlier commit"},
    "--only": {"choices": ("wait", "pace"), "help": "one part of it"},
}
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


def printed(tree: Path, cache: str, code: str, *arguments: str) -> str:
    """What a process of its own prints that runs the code with the Sandbox of a tree."""
    env = os.environ | {"SANDBOX_CACHE": cache, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=env, cwd=cache, capture_output=True, text=True, check=True).stdout


def first_tick(tree: Path, cache: str, world: str, team: str) -> tuple[float, float]:
    """Seconds on the clock, and of processor time, from the start of a process to the end of its first hosted tick."""
    code = f"import time; begun = time.time()\n{CODE}\nprint(begun)"
    found, begun = printed(tree, cache, code, world, team).splitlines()
    ended, spent = json.loads(found)
    return ended - float(begun), spent


PACE = """
import sys, time
import sandbox
world, policy, lanes, ticks = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
env = sandbox.make(world)
env.play([1], policy, ticks=2)
best = 0.0
for _ in range(5):
    begun = time.process_time()
    state, _ = env.play(range(100, 100 + lanes), policy, ticks=ticks)
    best = max(best, float(state.tick.sum()) / (time.process_time() - begun))
print(best)
"""
CASES = (  # world, policy, episodes, ticks
    ("warehouse", "random", 200, 500), ("warehouse", "rules", 200, 500), ("kitchen", "random", 400, 400),
    ("kitchen", "rules", 200, 400), ("wildfire", "rules", 20, 200), ("craft", "rules", 40, 300),
    ("web", "rules", 9_000, 99),
)  # fmt: skip
ROUNDS = 3


def pace(tree: Path, cache: str, *case) -> float:
    """Ticks of episodes for each second of CPU, on one thread, resets and observations included; the best of five."""
    return float(printed(tree, cache, PACE, *map(str, case)))


def paces(trees: dict[str, Path]) -> None:
    """The steady speed of each tree in turns, and the least and most of the ratios of the rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for case in CASES:
            found = [{name: pace(tree, cache, *case) for name, tree in trees.items()} for _ in range(ROUNDS)]
            ratios = [each["this"] / each["beside"] for each in found if "beside" in each]
            ratio = f"{min(ratios):.2f} .. {max(ratios):.2f} x" if ratios else ""
            rows.append([" ".join(case[:2]), max(each["this"] for each in found), ratio])
    table("Ticks for each second of CPU, one thread", ["world and policy", "ticks/s", "beside, by rounds"], rows)


def waits(trees: dict[str, Path]) -> None:
    """The time to the first tick of each world."""
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


def main(arguments) -> int:
    trees = {"this": HERE} | ({"beside": Path(arguments.beside).resolve()} if arguments.beside else {})
    if arguments.only in (None, "wait"):
        waits(trees)
    if arguments.only in (None, "pace"):
        paces(trees)
    return 0

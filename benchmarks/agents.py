"""Agents that are the user's own code: what they cost beside PettingZoo's loop, and how they compare with rules."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import sandbox
from benchmarks import frameworks, policies
from benchmarks.pages import difference, number, share, show
from benchmarks.report import Figure, console
from benchmarks.rounds import Pace, in_turns
from sandbox.analysis.results import results
from sandbox.record.table import runs_in
from sandbox.running.batch import batch
from sandbox.running.reexecute import check
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.statistics import Estimate, mean_difference, paired_success, success_rate

ROOT = Path(__file__).parents[1]
SCENARIOS = {path.stem: path for path in sorted((ROOT / "scenarios" / "agents").glob("*.toml"))}
EXAMPLES, RUNS = ROOT / "examples" / "agents", Path("runs")
PAGE, FEW = "bring-your-own-agent.md", 5  # trials of a quick table
TRAINED = {  # steps, and what differs from the scenario: after a wrong click a longer episode teaches nothing
    "craft": (446_464, {"max_ticks": 200}), "web": (241_664, {"max_ticks": 1}),
}  # fmt: skip
WORLD, ROBOTS = {"name": "warehouse", "layout": "small", "deliveries": 0}, 4
HERE = f"python:{__name__}:first"


def first(observation, legal):
    """An agent that costs next to nothing."""
    return next(iter(legal))


def pace(quick: bool) -> list[Figure]:
    """Decisions a second on the clock: the same team and ticks, from the first tick to the outcome."""
    ticks = 500 if quick else 3_000
    scenario = partial(_scenario, ticks)
    loop = Pace("PettingZoo's own loop", lambda: _loop(ticks))
    contestants = [
        Pace("an object in this process", lambda: _run(scenario("rules"), {0: first})),
        Pace("code in a process of its own", lambda: _run(scenario(HERE))),
        Pace("a compiled policy, hosted", lambda: _run(scenario("rules"))),
    ]
    for each in (loop, *contestants):
        each.work()
    in_turns(3 if quick else 7, loop, *contestants)
    beside = loop.figure("decisions")
    return [beside, *(each.figure("decisions", beside=beside) for each in contestants)]


def _scenario(ticks: int, reasoner: str) -> dict:
    return {"world": {**WORLD, "max_ticks": ticks}, "agents": [{"count": ROBOTS, "reasoner": reasoner}]}


def _run(scenario: dict, reasoners: dict[int, Callable] | None = None) -> int:
    outcome = sandbox.run(scenario, 1, reasoners=reasoners)
    assert outcome.failure is None and outcome.fallbacks == 0, outcome
    return outcome.ticks * ROBOTS


def _loop(ticks: int) -> int:
    options = {key: value for key, value in WORLD.items() if key != "name"}
    env = sandbox.parallel_env(WORLD["name"], agents=ROBOTS, max_ticks=ticks, **options)
    given, _ = env.reset(seed=1)
    played = 0
    while env.agents:
        given, *_ = env.step({name: int(np.flatnonzero(each["action_mask"])[0]) for name, each in given.items()})
        played += 1
    return played * ROBOTS


# -- compared ----------------------------------------------------------------------------------------------------------


def compared(quick: bool) -> None:
    """Agents of five kinds beside rules and chance, on the same seeds; all are verified without their code."""
    rows = []
    for world, path in SCENARIOS.items():
        agents = {"rules": {}, "random": {"agents.0.reasoner": "random"},
                  "`Greedy`": {"agents.0.reasoner": f"python:{EXAMPLES / 'greedy.py'}:Greedy"},
                  "PPO": _trained(world, path, quick), "`policy:`": _on_success(world, path, quick)}  # fmt: skip
        found = {name: _batch(f"{world}-{name.strip('`')}", path, sets, quick) for name, sets in agents.items()}
        found["`Greedy`, by MCP"] = _by_mcp(world, path, quick)
        found["LangGraph"] = frameworks.graph(path, FEW if quick else load(path).trials.count)
        rows += [[world, name, *_cells(own, found["rules"])] for name, own in found.items()]
    show(PAGE, "compared", ["scenario", "agent", "success", "success beside rules, points", "ticks",
                            "ticks beside rules, where both succeed"], rows, quick)  # fmt: skip


def _trained(world: str, path: Path, quick: bool) -> dict:
    """The overrides of a policy that was trained in the world of a scenario, on seeds of its own."""
    steps, changed = TRAINED[world]
    steps = 4_096 if quick else steps
    file = (RUNS / f"agents-{world}-{steps}.zip").resolve()
    example = EXAMPLES / "sb3_agent.py"
    if not file.exists():
        options = {key: value for key, value in load(path).world.model_dump().items() if key != "name"} | changed
        subprocess.run([sys.executable, example, world, json.dumps(options), file, str(steps)], check=True)
    return {"agents.0.reasoner": f"python:{example}:Policy", "agents.0.python": {"options": {"file": str(file)}}}


def _on_success(world: str, path: Path, quick: bool) -> dict:
    """The overrides of our own policy, trained for as many steps on the success of the task."""
    steps, changed = TRAINED[world]
    steps = 4_096 if quick else steps
    sets = [part for key, value in changed.items() for part in ("--set", f"world.{key}={value}")]
    file = policies.learned(RUNS / f"learn/policy-agents-{world}-{steps}", str(path), [*sets, "--steps", str(steps)])
    return {"agents.0.reasoner": f"policy:{file.resolve()}"}


def _batch(name: str, path: Path, overrides: dict, quick: bool) -> pd.DataFrame:
    folder = batch(path, RUNS / f"agents-{name}{'-quick' * quick}", FEW if quick else None, overrides=overrides)
    checked = check(folder, sample=10**6)
    assert not checked.problems and checked.executed == checked.trials, checked
    console.print(f"{name}: {checked.executed} of {checked.trials} trials executed again from the record, all equal")
    return results(folder).set_index("seed")


def _by_mcp(world: str, path: Path, quick: bool) -> pd.DataFrame:
    """Runs of an MCP client, which takes the seat over stdio."""
    folder, scenario = RUNS / f"agents-{world}-mcp{'-quick' * quick}", load(path)
    count = FEW if quick else scenario.trials.count
    if not folder.exists():
        words = [path, folder, scenario.seed, count]
        subprocess.run([sys.executable, EXAMPLES / "mcp_client.py", *map(str, words)], check=True)
    verdicts = [verify(run) for run in runs_in(folder)]
    assert len(verdicts) == count and all(each.passed for each in verdicts), folder
    console.print(f"{world}-mcp: {count} runs executed again from the record, all equal")
    return results(folder).set_index("seed")


def _cells(own: pd.DataFrame, rules: pd.DataFrame) -> list[str]:
    rate, ticks = success_rate(int(own["success"].sum()), len(own)), own["ticks"].mean()
    told = share(rate)
    if own is rules:
        return [told, "", number(ticks), ""]
    points = Estimate(*(100 * each for each in paired_success(rules["success"], own["success"]).difference))
    both = (own["success"] & rules["success"]).to_numpy(bool)
    slower = (own["ticks"] - rules["ticks"]).to_numpy(float)[both]
    return [told, difference(points, 1, 0), number(ticks),
            difference(mean_difference(slower), -1) if len(slower) > 1 else ""]  # fmt: skip


PEERS = ("pettingzoo", "stable_baselines3")
SPEEDS = {"pace": pace}
PARTS = {"compared": compared}

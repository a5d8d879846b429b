"""Agents of six frameworks: the same model, task and seeds; what each costs beside Sandbox's own reasoner ``llm``.

The model is that of ``benchmarks.deciding``, and every framework is installed in an environment of its own.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pandas as pd

from benchmarks.llm import server
from benchmarks.pages import difference, number, share, show
from benchmarks.report import Figure, console
from sandbox.analysis.results import results
from sandbox.running.reexecute import check
from sandbox.statistics import mean_difference, success_rate

ROOT = Path(__file__).parents[1]
EXAMPLES, RUNS = ROOT / "examples" / "frameworks", Path("runs")
SCENARIO = ROOT / "scenarios" / "agents" / "craft.toml"
PAGE, MODEL = "frameworks.md", "deciding"
FAULTY = 5  # one reply in so many is useless
TRIALS, FEW = 50, 3
NAMES = {  # as they call themselves
    "agent_framework": "Microsoft Agent Framework", "crewai": "CrewAI", "langgraph": "LangGraph",
    "openai_agents": "OpenAI Agents SDK", "pydantic_ai": "pydantic-ai", "smolagents": "smolagents",
}  # fmt: skip
PATIENCE = "agents.0.python.patience=60"
RULES, LLM = "the same rules without a model", "Sandbox's own `llm` reasoner"
OWN = {
    RULES: ["agents.0.reasoner=python:benchmarks.deciding:alone"],
    LLM: ["agents.0.reasoner=llm", f"agents.0.llm.model=openai:{MODEL}"],
}


class Played(NamedTuple):
    """A batch of one agent."""

    rows: pd.DataFrame  # by seed
    calls: int  # of the model, as its server counts them
    tokens: int

    @property
    def ticks(self) -> int:
        return int(self.rows["ticks"].sum())

    @property
    def latency(self) -> pd.Series:
        """Milliseconds of each trial for one of its decisions. The first trial starts the process: it is left out."""
        return (1000 * self.rows["seconds"] / self.rows["ticks"]).iloc[1:]


def example(name: str) -> str:
    """The reasoner of a framework's example."""
    path = EXAMPLES / f"{name}_agent.py"
    (made,) = re.findall(r"^class (\w+)\(Player\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return f"python:{path}:{made}"


@cache
def environment(name: str) -> str:
    """The interpreter of an environment that has what an example asks for, besides all that this one has."""
    folder = (RUNS / "environments" / name).resolve()
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        text = (EXAMPLES / f"{name}_agent.py").read_text(encoding="utf-8")
        (block,) = re.findall(r"^# /// script\n(.*?)^# ///$", text, re.DOTALL | re.MULTILINE)
        wanted = tomllib.loads(re.sub(r"^# ?", "", block, flags=re.MULTILINE))["dependencies"]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        own = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                             check=True, capture_output=True, text=True).stdout.strip()  # fmt: skip
        Path(own, "zz_sandbox.pth").write_text(sysconfig.get_path("purelib"))  # its own packages are found first
    return str(python)


def played(name: str, sets: list[str], trials: int, faulty: int = 0, python: str = sys.executable,
           scenario: Path = SCENARIO) -> Played:  # fmt: skip
    """A batch by an interpreter, with the server that decides. It is verified here, without framework and server."""
    folder = RUNS / f"frameworks-{scenario.stem}-{name}-{faulty}-{trials}"
    counted = folder.with_suffix(".json")
    if not counted.exists():
        command = [python, "-m", "sandbox", "batch", scenario, "--trials", trials, "--workers", 1, "--out", folder]
        options = [word for each in sets for word in ("--set", each)]
        with server(faulty, module="benchmarks.deciding") as address:
            subprocess.run([str(word) for word in [*command, *options]], check=True, stdout=subprocess.DEVNULL,
                           env={**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_MODEL": MODEL})  # fmt: skip
            with urlopen(address) as reply:
                counted.write_bytes(reply.read())
    checked = check(folder, sample=10**6)
    assert not checked.problems and checked.executed == checked.trials, checked
    rows, told = results(folder).set_index("seed"), json.loads(counted.read_text())
    assert rows["error"].isna().all() and rows["failure"].isna().all(), rows[["error", "failure"]]
    console.print(f"{name}: {checked.executed} trials executed again from the record, all equal")
    return Played(rows, told.get("calls", 0), told.get("read", 0) + told.get("written", 0))


def _all(trials: int, faulty: int = 0) -> dict[str, Played]:
    """Every contestant on the same seeds: our own reasoners first."""
    own = {name: played(re.sub(r"\W+", "-", name), sets, trials, faulty) for name, sets in OWN.items()}
    others = {called: played(name, [f"agents.0.reasoner={example(name)}", PATIENCE], trials, faulty, environment(name))
              for name, called in NAMES.items()}  # fmt: skip
    return own | others


def graph(scenario: Path, trials: int) -> pd.DataFrame:
    """LangGraph's example in a scenario, by seed."""
    sets = [f"agents.0.reasoner={example('langgraph')}", PATIENCE]
    return played("langgraph", sets, trials, python=environment("langgraph"), scenario=scenario).rows


def latency(quick: bool) -> list[Figure]:
    """Milliseconds of a decision, trial by trial on the same seeds; the server answers at once."""
    found = {name: each.latency.tolist() for name, each in _all(FEW if quick else TRIALS).items()}
    unit = "ms/decision"
    alone, llm = (Figure(name, unit, found.pop(name)) for name in (RULES, LLM))
    return [alone, llm, *(Figure(name, unit, values, beside=llm) for name, values in found.items())]


def compared(quick: bool) -> None:
    """Success, calls, tokens and time of all, with a model without faults and with a faulty one."""
    trials = FEW if quick else TRIALS
    sound, flawed = _all(trials), _all(trials, FAULTY)
    rows = [[name, *_cells(sound[name], flawed[name], sound[LLM])] for name in sound]
    show(PAGE, "frameworks", [
        "agent", "success", "success, faulty", "ticks without an action, faulty", "calls a decision",
        "calls a decision, faulty", "tokens a decision", "ms a decision", "overhead beside `llm`, ms",
    ], rows, quick)  # fmt: skip


def _cells(sound: Played, flawed: Played, llm: Played) -> list[str]:
    over = mean_difference((sound.latency - llm.latency).to_numpy(float))
    return [
        _rate(int(sound.rows["success"].sum()), len(sound.rows)),
        _rate(int(flawed.rows["success"].sum()), len(flawed.rows)),
        _rate(int(flawed.rows["fallbacks"].sum()), flawed.ticks),
        number(sound.calls / sound.ticks), number(flawed.calls / flawed.ticks), number(sound.tokens / sound.ticks, 0),
        number(sound.latency.median()), "" if sound is llm else difference(over, -1),
    ]  # fmt: skip


def _rate(good: int, of: int) -> str:
    return share(success_rate(good, of))


def tested(quick: bool) -> None:
    """The tests of every example in its environment, as the weekly job runs them; ends with 1 if one fails."""
    failed = [name for name in NAMES if subprocess.run(
        [environment(name), "-m", "pytest", "-n", "0", "tests/test_frameworks.py", "-k", f"{name}_agent"], cwd=ROOT
    ).returncode]  # fmt: skip
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


PEERS = ("pydantic-ai-slim", "openai")
SPEEDS = {"latency": latency}
PARTS = {"compared": compared, "tested": tested}

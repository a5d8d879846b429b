"""Language models: what a decision costs on top of the client's own call, on a server that answers at once."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sandbox
from benchmarks.report import Figure, at_most, console
from benchmarks.rounds import Pace, in_turns
from sandbox.running.replay import verify

OVERHEAD, REPLAYED = 1.2, 0.5  # ms of CPU time for one decision, at most
CPU = "CPU ms/decision"
AT_ONCE = 64
PEER = "MESA_LLM_PYTHON"  # the variable that names an interpreter with mesa-llm


@contextmanager
def server(*words: object, module: str = "benchmarks.llm_server") -> Iterator[str]:
    """The address of a server in a process of its own, which the words tell what to reply; by default always a verb."""
    command = [sys.executable, "-m", module, *map(str, words or ["left"])]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        os.environ["OPENAI_API_KEY"] = "none"
        os.environ["OPENAI_BASE_URL"] = process.stdout.readline().strip()
        yield os.environ["OPENAI_BASE_URL"]
    finally:
        process.stdin.close()
        process.wait()


WAREHOUSE = {"name": "warehouse", "layout": "large", "deliveries": 0}


def scenario(agents: int, ticks: int, world: dict = WAREHOUSE, at_once: int = AT_ONCE) -> dict:
    llm = {"model": "openai:gpt-5.2", "concurrency": at_once, "timeout": 120.0}
    group = {"count": agents, "reasoner": "llm", "llm": llm}
    return {"world": {**world, "max_ticks": ticks}, "agents": [group]}


def _ours(agents: int, ticks: int, *options) -> int:
    outcome = sandbox.run(scenario(agents, ticks, *options), seed=1)
    assert outcome.fallbacks == 0 and outcome.error is None, outcome
    return agents * ticks


def _bare(agents: int, ticks: int) -> int:
    """The same requests by the client alone: one loop, as many at once, nothing read or checked."""
    import asyncio

    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest

    from sandbox.agents.llm.hosted import Hosted, _settings, _wait_for

    reasoner = sandbox.Sandbox(scenario(agents, ticks), rng=1).reasoners[0][1]
    client, setup = Hosted(reasoner._options, reasoner.setup), reasoner.setup
    model = sandbox.Sandbox(scenario(agents, ticks), rng=1)
    model.env.world.observe(model.state, 0, model.env.params, model.observation)
    prompts = [reasoner._prompts.words(model.percept(row)) for row in range(agents)]
    parameters = client._parameters(reasoner._prompts.request(setup, model.percept(0), ""), frozenset())
    settings = {"model_settings": _settings(client._options, frozenset()), "model_request_parameters": parameters}

    async def one(prompt: str, places: asyncio.Semaphore) -> None:
        async with places:
            messages = [ModelRequest.user_text_prompt(prompt, instructions=setup.instructions)]
            await model_request(client._model(frozenset()), messages, **settings)

    async def tick() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(one(prompt, places) for prompt in prompts))

    for _ in range(ticks):
        _wait_for(tick())
    return agents * ticks


def overhead(quick: bool) -> list[Figure]:
    """CPU time of this process for one decision: the client's call alone, and ours around it."""
    agents, ticks, rounds = 100, 3 if quick else 10, 3 if quick else 7
    with server():
        bare, ours = (lambda: _bare(agents, ticks)), (lambda: _ours(agents, ticks))
        paces = [Pace("pydantic-ai's call alone", bare), Pace("ours", ours)]
        for pace in paces:
            pace.work()
        in_turns(rounds, *paces)
    alone, whole = (_cost(pace) for pace in paces)
    added = [mine - other for mine, other in zip(whole.values, alone.values, strict=True)]
    return [
        alone,
        whole._replace(beside=alone),
        Figure("ours, on top of the call", CPU, added, target=at_most(OVERHEAD)),
    ]


def _cost(pace: Pace) -> Figure:
    return Figure(pace.name, CPU, [1000 / rate for rate in pace.cpu_rates])


def crowd(quick: bool) -> list[Figure]:
    """Some hundred crews at once, on a server that takes half a second for each reply."""
    figures, ticks = [], 2 if quick else 5
    world = {"name": "wildfire", "layout": "valley"}
    for agents in (100, 500):
        with server("stay", 0.5):
            _ours(agents, 1, world, 1000)
            pace = Pace(
                f"{agents} agents at once, replies after .5 s", lambda agents=agents: _ours(agents, ticks, world, 1000)
            )
            in_turns(2 if quick else 3, pace)
        figures += [Figure(pace.name, "s/tick", [agents / rate for rate in pace.rates]), _cost(pace)]
    return figures


def replayed(quick: bool) -> list[Figure]:
    """A recorded run verified without its server: every decision made again from the record, all in."""
    agents, ticks = 100, 3 if quick else 20
    with tempfile.TemporaryDirectory() as folder:
        with server():
            sandbox.run(scenario(agents, ticks), seed=1, out=Path(folder) / "run")
        costs = []
        for _ in range(3):
            cpu = time.process_time()
            verdict = verify(Path(folder) / "run")
            costs.append(1000 * (time.process_time() - cpu) / (agents * ticks))
            assert verdict.passed, verdict.summary
    return [Figure("replayed, the chain read and checked", CPU, costs, target=at_most(REPLAYED))]


def peer(quick: bool) -> list[Figure]:
    """mesa-llm in its own interpreter, beside ours on the same server; the same number of agents and ticks."""
    python, agents, ticks = os.environ.get(PEER), 100, 3 if quick else 10
    if python is None:
        console.print(f"mesa-llm: set {PEER} to a Python that has it (3.12 or newer, pip install mesa-llm mcp)")
        return []
    script = Path(__file__).with_name("llm_peer.py")
    with server() as address:
        _ours(agents, 1)
        ours = Pace("ours: checked, within budgets", lambda: _ours(agents, ticks))
        in_turns(5, ours)
        told = subprocess.run(
            [python, "-P", script, address, str(agents), str(ticks)], stdout=subprocess.PIPE, check=True
        )
    mine = _cost(ours)
    names = "mesa-llm: one call with tools", "mesa-llm: its reasoner ReAct (two calls)"
    theirs = [
        Figure(name, CPU, rounds, beside=mine) for name, rounds in zip(names, json.loads(told.stdout), strict=True)
    ]
    return [mine, *theirs]


PEERS = ("pydantic-ai-slim", "openai")
SPEEDS = {"overhead": overhead, "crowd": crowd, "replayed": replayed, "peer": peer}

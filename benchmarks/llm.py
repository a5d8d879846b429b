"""Language models: what a decision costs on top of the client's own call, on a server that answers at once."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import sandbox
from benchmarks.pace import Pace
from benchmarks.report import console, met, table
from sandbox.running.replay import verify

OVERHEAD, REPLAYED = 1.2, 0.5  # ms of CPU time for one decision, at most
AT_ONCE = 64
PEER = "MESA_LLM_PYTHON"  # the variable that names an interpreter with mesa-llm


@contextmanager
def server(verb: str = "left", seconds: float = 0.0) -> Iterator[str]:
    """The address of a server whose every reply is the same verb."""
    command = [sys.executable, "-m", "benchmarks.llm_server", verb, str(seconds)]
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

    from sandbox.agents.llm.hosted import _wait_for

    reasoner = sandbox.Sandbox(scenario(agents, ticks), rng=1).reasoners[0][1]
    client, setup = reasoner._client, reasoner.setup
    model = sandbox.Sandbox(scenario(agents, ticks), rng=1)
    model.env.world.observe(model.state, 0, model.env.params, model.observation)
    prompts = [reasoner._prompts.words(model.percept(row)) for row in range(agents)]
    parameters = client._parameters(reasoner._prompts.request(setup, model.percept(0), ""))

    async def one(prompt: str, places: asyncio.Semaphore) -> None:
        async with places:
            messages = [ModelRequest.user_text_prompt(prompt, instructions=setup.instructions)]
            settings = {"model_settings": client._settings, "model_request_parameters": parameters}
            await model_request(client._model, messages, **settings)

    async def tick() -> None:
        places = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(one(prompt, places) for prompt in prompts))

    for _ in range(ticks):
        _wait_for(tick())
    return agents * ticks


def overhead(quick: bool) -> None:
    """CPU time of this process for one decision: the client's call alone, and ours around it."""
    agents, ticks, rounds = 100, 3 if quick else 10, 3 if quick else 7
    with server():
        bare, ours = (lambda: _bare(agents, ticks)), (lambda: _ours(agents, ticks))
        paces = [Pace("pydantic-ai's call alone", bare), Pace("ours", ours)]
        for pace in paces:
            pace.work()
        for _ in range(rounds):
            for pace in paces:
                pace.run()
    cost = [1000 / pace.cpu_rate for pace in paces]
    rows = [[pace.name, ms, pace.rate] for pace, ms in zip(paces, cost, strict=True)]
    columns = ["", "ms CPU a decision", "decisions/s"]
    table(f"{agents} agents, {AT_ONCE} calls at once, median of {rounds}", columns, rows)
    console.print(f"on top of the call: {cost[1] - cost[0]:.2f} ms; {met(cost[1] - cost[0], OVERHEAD, at_least=False)}")


def crowd(quick: bool) -> None:
    """Some hundred crews at once, on a server that takes half a second for each reply."""
    rows, ticks = [], 2 if quick else 5
    world = {"name": "wildfire", "layout": "valley"}
    for agents in (100, 500):
        with server("stay", 0.5):
            _ours(agents, 1, world, 1000)
            pace = Pace(str(agents), lambda agents=agents: _ours(agents, ticks, world, 1000))
            pace.run()
        rows.append([agents, agents / pace.rate, 1000 / pace.cpu_rate])
    table("All agents of a tick at once; each reply takes 0.5 s", ["agents", "s a tick", "ms CPU a decision"], rows)


def replayed(quick: bool) -> None:
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
    cost = median(costs)
    console.print(f"replayed: {cost:.3f} ms CPU a decision, reading and checking the chain included; "
                  f"{met(cost, REPLAYED, at_least=False)}")  # fmt: skip


def peer(quick: bool) -> None:
    """mesa-llm in its own interpreter, beside ours on the same server; the same number of agents and ticks."""
    python, agents, ticks = os.environ.get(PEER), 100, 3 if quick else 10
    if python is None:
        console.print(f"mesa-llm: set {PEER} to a Python that has it (3.12 or newer, pip install mesa-llm mcp)")
        return
    script = Path(__file__).with_name("llm_peer.py")
    with server() as address:
        _ours(agents, 1)
        ours = Pace("ours", lambda: _ours(agents, ticks))
        for _ in range(5):
            ours.run()
        told = subprocess.run([python, script, address, str(agents), str(ticks)], stdout=subprocess.PIPE, check=True)
    mine, (one, react) = 1000 / ours.cpu_rate, map(float, told.stdout.split())
    rows = [["ours: checked, within budgets, a fallback at hand", mine, 1.0],
            ["mesa-llm: one call with tools", one, one / mine],
            ["mesa-llm: its reasoner ReAct (two calls)", react, react / mine]]  # fmt: skip
    table(f"{agents} agents on the same server", ["", "ms CPU a decision", "x ours"], rows)


PEERS = ("pydantic-ai-slim", "openai")
PARTS = {"overhead": overhead, "crowd": crowd, "replayed": replayed, "peer": peer}

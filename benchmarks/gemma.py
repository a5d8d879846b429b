"""Gemma 3 270M on this machine: what a decision costs, and whether it plays better than legal moves at random."""

import json
import time
from urllib.request import Request, urlopen

import numpy as np

import sandbox
from benchmarks.pages import difference, number, share, show
from benchmarks.report import Figure, console
from sandbox.agents.llm import local_server
from sandbox.agents.llm.local_server import serve
from sandbox.agents.llm.options import Options
from sandbox.statistics import mean_difference, paired_success, success_rate

PEERS = ("xllamacpp",)
PAGE = "llm.md"
SEED = 300_000  # the prompt was chosen on seeds from 100,000 on
ASKED, SECONDS = 4, 60.0  # decisions whose cost is measured; CPU seconds for a task
LLM = {"model": "gemma", "timeout": 3600.0, "concurrency": 1}
TASKS = {
    "web: click one button": {"name": "web", "layout": "click-button", "max_ticks": 1},
    "web: log in": {"name": "web", "layout": "login-user", "max_ticks": 10},
    "craft: collect wood": {"name": "craft", "goal": "collect_wood", "max_ticks": 15},
    "warehouse: one delivery": {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 30},
    "kitchen: one soup": {"name": "kitchen", "layout": "cramped_room", "soups": 1, "max_ticks": 45},
    "wildfire: village": {"name": "wildfire", "layout": "village", "max_ticks": 20},
}  # the most ticks are few: one and a half times what rules take, or less
local_server.cores = lambda: 1  # so it takes one thread: two that wait for each other on busy cores cost more


def _scenario(world: dict, reasoner: str) -> dict:
    llm = {"llm": LLM} if reasoner == "llm" else {}
    return {"world": world, "agents": [{"reasoner": reasoner, **llm}]}


def cost(quick: bool) -> list[Figure]:
    """CPU seconds of a decision at the log-in page, with the beginning of the prompt read once, and read every time."""
    server, bodies = serve(Options(**LLM)), _bodies(2 if quick else ASKED)
    anew, kept = ([_asked(server, body, reuse) for body in bodies] for reuse in (False, True))  # the last one stays
    read = Figure("the whole prompt read", "CPU s/decision", [each[0] for each in anew])
    return [
        read,
        Figure("its beginning kept", "CPU s/decision", [each[0] for each in kept], beside=read),
        Figure("the whole prompt read, and written", "tokens/CPU s", [each[1] / each[0] for each in anew]),
        Figure("prompt", "tokens", [each[2] for each in anew]),
    ]


def _bodies(count: int) -> list[dict]:
    """Requests of the first tick of as many episodes."""
    found = []
    for seed in range(SEED, SEED + count):
        model = sandbox.Sandbox(_scenario(TASKS["web: log in"], "llm"), rng=seed)
        ((_, reasoner),) = model.reasoners
        model.env.observe(model.state, model.observation)
        percept = model.percept(0)
        request = reasoner._prompts.request(reasoner.setup, percept, reasoner._prompts.words(percept))
        told = {"system": reasoner.setup.instructions, "user": request.prompt}
        form = {"type": "json_schema", "json_schema": {"name": "action", "strict": True, "schema": request.schema}}
        found.append({"messages": [{"role": role, "content": text} for role, text in told.items()],
                      "response_format": form, "max_tokens": 64})  # fmt: skip
        model.close()
    return found


def _asked(server, body: dict, reuse: bool) -> tuple[float, int, int]:
    """CPU seconds, tokens of prompt and reply, and tokens of the prompt of one request."""
    data = json.dumps({**body, "cache_prompt": reuse}).encode()
    begun = time.process_time()  # the server is in this process
    with urlopen(Request(f"{server.address}/chat/completions", data, {"Content-Type": "application/json"})) as reply:
        usage = json.load(reply)["usage"]
    return time.process_time() - begun, usage["total_tokens"], usage["prompt_tokens"]


def success(quick: bool) -> None:
    """Success and parts of the task done, beside legal moves at random on the same seeds, as many as time allows."""
    server, rows = serve(Options(**LLM)), []  # held: it keeps what it has read from one episode to the next
    for name, world in TASKS.items():
        pairs, begun, calls, tokens = [], time.process_time(), 0, 0
        while time.process_time() - begun < (5 if quick else SECONDS):
            seed = SEED + len(pairs)
            own, chance = (sandbox.run(_scenario(world, each), seed=seed) for each in ("llm", "random"))
            assert own.error is None and own.fallbacks == own.invalid_replies == 0, own
            pairs.append((own, chance))
            calls, tokens = calls + own.calls, tokens + own.tokens
        spent = time.process_time() - begun
        rows.append([name, number(len(pairs), 0), *_compared(pairs), number(tokens / calls, 0),
                     number(spent / calls, 2)])  # fmt: skip
        console.print(rows[-1])
    del server
    show(PAGE, "gemma", ["task", "n", "success", "at random", "success, points", "part of the task done, points",
                         "tokens a decision", "CPU s a decision"], rows, quick)  # fmt: skip


def _compared(pairs: list) -> list[str]:
    won = np.array([[each.success for each in pair] for pair in pairs])
    done = 100 * np.array([[each.tasks_done / each.tasks_total for each in pair] for pair in pairs])
    shares = [success_rate(int(own.sum()), len(own)) for own in won.T]
    told = [share(each) for each in shares]
    points = [100 * each for each in paired_success(won[:, 1], won[:, 0]).difference]
    parts = difference(mean_difference(done[:, 0] - done[:, 1]), 1, 0) if len(pairs) > 1 else ""
    return [*told, difference(type(shares[0])(*points), 1, 0), parts]


SPEEDS = {"cost": cost}
PARTS = {"success": success}

"""Servers that fail in every way: the episode ends with a truthful outcome, budgets hold, nothing is tried for ever."""

import gzip
import json
import random
import time
from functools import cache

import pytest
from fake_llm import Server, completion, plays, send, tool_call
from studio import until

import sandbox
from sandbox.agents.llm import reasoner
from sandbox.agents.llm.http import MOST
from sandbox.running.replay import verify

TICKS, AGENTS, RETRIES = 5, 2, 1
LIMIT = 15_000  # tokens: some calls, not all


def scenario(model: str, agents: int = AGENTS, **options) -> dict:
    llm = {"model": model, "timeout": 0.4, "retries": RETRIES, "max_tokens": 100, "reason": 0, **options}
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": TICKS}
    return {"world": world, "agents": [{"count": agents, "reasoner": "llm", "fallback": "rules", "llm": llm}]}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(reasoner, "BACK_OFF", 0.01)


def says(message: dict, usage=(100, 10)):
    return raw(completion(message, usage))


def raw(data: bytes, status: int = 200, **headers: str):
    return lambda server, handler, body: send(handler, data, status, **headers)


def hang(server, handler, body):
    server.ended.wait(20)


def half(server, handler, body):
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "5000")
    handler.end_headers()
    handler.wfile.write(completion(tool_call("left"))[:100])
    handler.close_connection = True


def drip(server, handler, body):
    """One byte after the other, for ever."""
    handler.send_response(200)
    handler.send_header("content-length", "100000")
    handler.end_headers()
    while not server.ended.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()


@cache
def packed() -> bytes:
    return gzip.compress(b" " * 100_000_000, 1)


def bomb(server, handler, body):
    """A reply of 100 MB in 100 kB, packed as nobody asked for."""
    send(handler, packed(), content_encoding="gzip")


def hang_up(server, handler, body):
    handler.close_connection = True


FLOOD = "".join(map(chr, range(0x300, 0x370))) * 500 + "\x00\u202e\ufffe\U0010ffff"
NEVER = {  # nothing that these say is of use
    "429": raw(b'{"error": {"message": "slow down"}}', 429, retry_after="3600"), "500": raw(b"oops", 500),
    "503 in bytes": raw(bytes(range(256)), 503), "hang": hang, "half": half, "drip": drip, "hang up": hang_up,
    "bomb": bomb,
    "no JSON": raw(b"{nope"), "HTML": raw(b"<html>login</html>", content_type="text/html"), "nothing": raw(b""),
    "null": raw(b"null"), "list": raw(b"[1, 2]"), "no choices": raw(b'{"id": "1", "choices": []}'),
    "nested": raw(b"[" * 100_000), "error in 200": raw(b'{"error": {"message": "no", "code": 500}}'),
    "redirect": raw(b"", 302, location="http://127.0.0.1:1/v1"),
    "text": says({"content": "I would rather not."}), "empty": says({"content": ""}), "silence": says({}),
    "unknown tool": says(tool_call("launch")), "no tool name": says(tool_call("")),
    "wrong arguments": says(tool_call("left", "[7]")), "no arguments": says(tool_call("left", "[[[")),
    "nested arguments": says(tool_call("left", "[" * 100_000)), "10 MB": says({"content": "x" * 10_000_000}),
    "10 MB of arguments": says(tool_call("left", '{"a": "' + "x" * 10_000_000)),
    "flood": says({"content": FLOOD, **tool_call(FLOOD, FLOOD)}), "surrogates": says(tool_call("\ud800", '"\ud800"')),
    "wrong types": raw(json.dumps({"choices": [{"message": {"content": 7, "tool_calls": "left"}}]}).encode()),
}  # fmt: skip


OUTAGES = {"429", "500", "503 in bytes", "hang", "half", "drip", "hang up", "redirect", "error in 200"}


@pytest.mark.parametrize("model", ["openai:gpt-5.2", "local"])
@pytest.mark.parametrize("name", NEVER)
def test_hostile(name, model, monkeypatch, tmp_path):
    ticks = 1 if "10 MB" in name else TICKS
    with Server(NEVER[name]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        model = f"local:{server.address}" if model == "local" else model
        patience = {} if name in OUTAGES else {"timeout": 30.0}
        table = scenario(model, budget={"tokens": LIMIT}, **patience)
        outcome = sandbox.run(table, seed=1, overrides={"world.max_ticks": ticks}, out=tmp_path / "run")
        until(lambda: name == "redirect" or len(server.requests) >= outcome.calls)  # the server may note one late
        asked = len(server.requests)
    if name in OUTAGES:  # nobody has answered: the trial counts for nothing
        assert "never got a reply of" in outcome.error and (outcome.finish, outcome.success) == ("error", False)
        assert outcome.invalid_replies == 0
    else:  # what came was of no use: the agents' own failure
        assert (outcome.error, outcome.finish) == (None, "tick limit")
    assert outcome.ticks == ticks and outcome.own_decisions == outcome.autonomy == 0
    assert outcome.fallbacks == ticks * AGENTS and outcome.calls <= ticks * AGENTS * (RETRIES + 1)
    assert outcome.tokens <= LIMIT
    assert asked == outcome.calls or name == "redirect", "what is sent is counted"
    verdict = verify(tmp_path / "run")  # the server is gone
    assert verdict.passed and verdict.ticks == ticks, verdict.summary


def test_a_reply_without_an_end_is_cut():
    sent, piece = [], b" " * 2**16

    def endless(server, handler, body):
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        while not server.ended.is_set():
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            sent.append(len(piece))

    with Server(endless) as server:
        table = scenario(f"local:{server.address}", 1, timeout=60.0, retries=0)
        outcome = sandbox.run(table, seed=1, overrides={"world.max_ticks": 1})
    assert (outcome.fallbacks, outcome.calls) == (1, 1) and MOST <= sum(
        sent
    ) < 10 * MOST  # the system's buffers take some


def many_calls(count: int) -> bytes:
    return completion({"tool_calls": [tool_call("left")["tool_calls"][0]] * count})


FLOODS = {
    "300,000 calls": (lambda: many_calls(300_000), "more than 10,000 objects and lists"),
    "20,000 calls": (lambda: many_calls(20_000), "more than 10,000 objects and lists"),
    "a million brackets": (lambda: b'{"choices": ' + b"[" * 1_000_000, "more than 10,000 objects and lists"),
    "20,000 choices": (lambda: completion({"content": "[" * 20_000}), "more than 10,000 objects and lists"),
    "30 MB of text": (lambda: completion({"content": "x" * 30_000_000}), "more than 2,000,000 bytes"),
    "a huge number": (lambda: b'{"choices": ' + b"1" * 1_900_000 + b"}", "4300 digits"),
    "depth": (lambda: b'{"choices": ' + b"[" * 9_000, "RecursionError"),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_its_agents_own_failure_and_holds_nobody_up(kind):
    """Two agents; one gets what no client should read, the other its answer, in time."""
    made, told = FLOODS[kind]
    flood, asked = made(), []

    def behave(server, handler, body):
        asked.append(body)
        send(handler, flood) if len(asked) % 2 else plays("left")(server, handler, body)

    with Server(behave) as server:
        table = scenario(f"local:{server.address}", retries=0, timeout=5.0)
        table["agents"] = [{**table["agents"][0], "count": 1}] * 2
        model = sandbox.Sandbox(table, seed=1)
        model.step()
    calls = [trace.calls[0] for trace in model.latest.traces.values()]
    (bad,), (good,) = [c for c in calls if c.reply is None], [c for c in calls if c.reply]
    assert told in bad.error and not bad.outage and good.seconds < 5


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_no_retry_can_mend_is_an_error_of_the_infrastructure(status):
    with Server(raw(b'{"error": {"message": "no such key"}}', status)) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}"), seed=1)
        assert len(server.requests) <= AGENTS
    assert outcome.finish == "error" and str(status) in outcome.error and not outcome.success


def test_nobody_listens(tmp_path):
    outcome = sandbox.run(scenario("local:http://127.0.0.1:9/v1"), seed=1, out=tmp_path / "run")
    assert "never got a reply of local:http://127.0.0.1:9/v1" in outcome.error and not outcome.success
    assert (outcome.fallbacks, outcome.tokens, outcome.autonomy) == (TICKS * AGENTS, 0, 0)
    assert verify(tmp_path / "run").passed


@pytest.mark.parametrize("usage", [(10**12, 10**12), (-5, -5), None, (0, 0)])
def test_a_server_that_lies_about_tokens_cannot_break_a_budget(usage):
    with Server(plays("left", usage)) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", budget={"tokens": LIMIT}), seed=1)
    assert outcome.error is None and 0 < outcome.tokens <= LIMIT or usage == (-5, -5)


def test_seconds_are_a_budget_too():
    with Server(hang) as server:
        started = time.perf_counter()
        outcome = sandbox.run(scenario(f"local:{server.address}", timeout=30.0, budget={"seconds": 0.5}), seed=1)
        assert time.perf_counter() - started < 5
    assert outcome.error is None and outcome.calls == AGENTS and outcome.fallbacks == TICKS * AGENTS


def test_what_passes_is_tried_again():
    def flaky(server, handler, body):
        bad = len(server.requests) % 2
        send(handler, b"{}", 429) if bad else plays("left")(server, handler, body)

    with Server(flaky) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", agents=1), seed=1)
    assert outcome.fallbacks == 0 and outcome.calls == 2 * TICKS


def test_identical_requests_of_a_tick_are_asked_once():
    with Server(plays("left")) as server:
        table = scenario(f"local:{server.address}", agents=5, prompts={"turn": "What now?"})
        outcome = sandbox.run(table, seed=1)
        asked = len(server.requests)
    assert asked == outcome.calls < 5 * TICKS and outcome.fallbacks == 0


def test_results_do_not_depend_on_latency():
    """Replies that differ by agent and tick come in any order, some of them useless at first."""

    def behave(server, handler, body):
        time.sleep(0.01 * random.random())
        text = body["messages"][-1]["content"]
        verbs = text.rsplit("You can: ", 1)[1].split(".")[0].split(", ")
        say = "?" if len(text) % 5 == 0 and "could not be used" not in text else verbs[len(text) % len(verbs)]
        send(handler, completion({"content": json.dumps({"verb": say})}, (len(text), 7)))

    with Server(behave) as server:
        table = scenario(f"local:{server.address}", agents=4, concurrency=3, timeout=30.0, budget={"tokens": 7_000})
        found = {tuple(_told(sandbox.run(table, seed=2))) for _ in range(50)}
    assert len(found) == 1


def _told(outcome) -> list:
    assert outcome.calls and outcome.fallbacks
    return [outcome.digest, outcome.calls, outcome.tokens, outcome.fallbacks]

"""Each hosted provider in its own tongue: what goes out, and what comes back, on a server that speaks it."""

import json

import pytest
from fake_llm import Server, completion, send, tool_call

import sandbox
from sandbox.agents.llm import reasoner
from sandbox.running.replay import verify

TICKS, THOUGHT, WHY = 3, "A shelf stands to the left.", {"reason": "nearer"}


def openai(body: dict) -> bytes:
    return completion(tool_call("left", json.dumps(WHY)) | {"reasoning_content": THOUGHT})


def anthropic(body: dict) -> bytes:
    thinking = {"type": "thinking", "thinking": THOUGHT, "signature": "x"}
    call = {"type": "tool_use", "id": "t", "name": "left", "input": WHY}
    return json.dumps({
        "id": "m", "type": "message", "role": "assistant", "model": "fake", "content": [thinking, call],
        "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 10},
    }).encode()  # fmt: skip


def google(body: dict) -> bytes:
    parts = [{"text": THOUGHT, "thought": True}, {"functionCall": {"name": "left", "args": WHY}}]
    content = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    return json.dumps({"candidates": [content], "usageMetadata": usage, "modelVersion": "fake"}).encode()


PROVIDERS = {  # the kind: a model, the variables of its key and its address, what it answers
    "openai": ("gpt-5.2", "OPENAI_API_KEY", "OPENAI_BASE_URL", openai),
    "anthropic": ("claude-sonnet-4-5", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", anthropic),
    "google": ("gemini-2.5-flash", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", google),
}


@pytest.fixture(params=PROVIDERS)
def kind(request, monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(PROVIDERS[request.param][1], "secret")
    return request.param


def scenario(kind: str, server: Server, monkeypatch) -> dict:
    """A robot whose model is one of the provider's, at the address of our server."""
    name, _, address, _ = PROVIDERS[kind]
    monkeypatch.setenv(address, server.address.removesuffix("" if kind == "openai" else "/v1"))
    llm = {"model": f"{kind}:{name}", "max_tokens": 100, "temperature": 0.5, "timeout": 5.0}
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": TICKS}
    return {"world": world, "agents": [{"reasoner": "llm", "llm": llm}]}


def test_an_episode_in_its_own_tongue(kind, monkeypatch):
    answer = PROVIDERS[kind][3]
    with Server(lambda server, handler, body: send(handler, answer(body))) as server:
        model = sandbox.Sandbox(scenario(kind, server, monkeypatch), rng=1)
        while model.running:
            model.step()
    sent = server.requests
    assert (model.usage.calls, model.usage.tokens, model.usage.fallbacks) == (TICKS, TICKS * 110, 0)
    assert model.usage.money > 0, "list prices are known"
    (call,) = model.latest.traces[0].calls
    assert call.reply["tool"] == "left" and json.loads(call.reply["arguments"]) == WHY
    assert call.reply["thinking"] == THOUGHT and model.latest.traces[0].thought == "nearer"
    first, second = json.dumps(sent[0]), json.dumps(sent[1])
    same = next(k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert model.error is None and "You control one robot" in first
    assert all(f'"{verb}"' in first for verb in model.env.verbs)
    assert "secret" not in first and "0.5" in first and "100" in first
    if kind == "anthropic":
        assert sent[0]["tool_choice"]["type"] == "any" and "cache_control" in json.dumps(sent[0]["system"])
        assert "cache_control" in json.dumps(sent[0]["tools"])
    if kind == "google":
        assert sent[0]["toolConfig"]["functionCallingConfig"]["mode"] == "ANY"
    if kind == "openai":
        assert sent[0]["tool_choice"] == "required" and same > first.index("You control one robot")


def test_what_passes_is_tried_again_and_replays_without_the_server(kind, monkeypatch, tmp_path):
    monkeypatch.setattr(reasoner, "BACK_OFF", 0.01)

    def flaky(server, handler, body):
        bad = len(server.requests) % 2
        send(handler, b'{"error": {}}', 429) if bad else send(handler, PROVIDERS[kind][3](body))

    with Server(flaky) as server:
        outcome = sandbox.run(scenario(kind, server, monkeypatch), seed=1, out=tmp_path / "run")
    assert (outcome.error, outcome.calls, outcome.fallbacks) == (None, 2 * TICKS, 0)
    assert len(server.requests) == 2 * TICKS
    assert verify(tmp_path / "run").passed

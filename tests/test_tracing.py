"""Traces: the tree of spans, their names and numbers, a real OTLP endpoint, and endpoints that are down or hang."""

import gzip
import itertools
import json
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from commands import told
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import sandbox
from sandbox.core.speech import Act
from sandbox.record import CallDone, Changed, MessageSaid, ModelUsed, Placed, Resumed, TickDone, open_run
from sandbox.scenario import load
from sandbox.telemetry import genai, otlp, tracing

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 40}
LINES = [
    {"verb": "left", "reason": "a secret reason"}, {"text": "a secret that is no action"}, {"verb": "right"},
    {"error": "TooBusy: try later"}, {"verb": "left", "tokens": 30},
]  # fmt: skip
ORIGIN = 1_000_000.0


def scenario(**options) -> dict:
    """Two robots with a scripted model, and one with rules."""
    llm = {"model": "scripted", "replies": LINES, **options}
    group = {"count": 2, "reasoner": "llm", "fallback": "rules", "llm": llm}
    return {"title": "A small team", "world": WORLD, "agents": [group, {"reasoner": "rules"}]}


class Kept:
    """Spans kept in memory, by name and parent."""

    def __init__(self, content: bool = False):
        self.exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.take = tracing.Spans(provider, ORIGIN, content)

    @property
    def spans(self) -> list:
        return self.exporter.get_finished_spans()

    def named(self, operation: str) -> list:
        return [span for span in self.spans if span.attributes.get("gen_ai.operation.name") == operation]

    def below(self, parent) -> list:
        return [span for span in self.spans if span.parent and span.parent.span_id == parent.context.span_id]


def of_record(folder, content: bool = False) -> Kept:
    with open_run(folder) as run:
        return of_events(run.events(), content=content)


def of_events(*events, content: bool = False) -> Kept:
    kept = Kept(content)
    for event in itertools.chain(*events):
        kept.take(event)
    kept.take.close()
    return kept


def opening(folder) -> tuple[list, TickDone]:
    """A record's events before its first tick, without calls; and that tick."""
    with open_run(folder) as record:
        events = list(record.events(0))
        begun = [next(record.events()), *(event for event in events[:4] if event.kind in ("trial_started", "model"))]
    return begun, next(event for event in events if event.kind == "tick")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A recorded run, its outcome, and the spans that were made while it went on."""
    folder, live = tmp_path_factory.mktemp("traced") / "run", Kept()
    outcome = sandbox.run(scenario(), seed=3, out=folder, on_event=live.take)
    live.take.close()
    assert outcome.error is None and outcome.calls > 10 and outcome.ticks > 5
    return folder, outcome, live


# -- the tree ----------------------------------------------------------------------------------------------------------


def test_the_tree_is_trial_tick_agent_call_and_action(run):
    folder, outcome, _ = run
    kept = of_record(folder)
    (root,) = kept.named("invoke_workflow")
    assert root.name == "invoke_workflow A small team" and root.parent is None
    assert len({span.context.trace_id for span in kept.spans}) == 1
    assert kept.take.traces == [f"{root.context.trace_id:032x}"]
    ticks = kept.below(root)
    assert [tick.attributes["sandbox.tick"] for tick in ticks] == list(range(1, outcome.ticks + 1))
    calls = 0
    for tick in ticks:
        turns = kept.below(tick)
        assert [turn.attributes["sandbox.agent"] for turn in turns] == [0, 1], "the one with rules has no spans"
        for turn in turns:
            *chats, action = kept.below(turn)
            assert turn.name == f"invoke_agent {turn.attributes['gen_ai.agent.name']}"
            assert {chat.name for chat in chats} <= {"chat scripted"} and action.name.startswith("execute_tool ")
            calls += len(chats)
    assert calls == outcome.calls and len(kept.spans) == 1 + outcome.ticks * 5 + calls


def test_numbers_are_those_of_the_outcome_and_the_record(run):
    folder, outcome, _ = run
    kept = of_record(folder)
    chats, (root,) = kept.named("chat"), kept.named("invoke_workflow")
    used = [sum(chat.attributes[f"gen_ai.usage.{way}_tokens"] for chat in chats) for way in ("input", "output")]
    assert sum(used) == outcome.tokens == root.attributes["sandbox.tokens"] > 0
    assert root.attributes["sandbox.finish"] == outcome.finish and root.attributes["sandbox.digest"] == outcome.digest
    ticks = kept.below(root)
    for tick in ticks:
        acted = [count for key, count in tick.attributes.items() if key.startswith("sandbox.actions.")]
        assert sum(acted) == 3, "all agents are counted"
    assert sum(tick.attributes["sandbox.reward"] for tick in ticks) == pytest.approx(outcome.reward)
    with open_run(folder) as record:
        verbs = sandbox.make("warehouse", layout="tiny").verbs
        taken = [verbs[verb] for event in record.events(0) if event.kind == "tick" for verb, _ in event.actions[:2]]
    assert [action.attributes["gen_ai.tool.name"] for action in kept.named("execute_tool")] == taken


def test_a_call_that_failed_says_so(run):
    kept = of_record(run[0])
    with open_run(run[0]) as record:
        calls = list(record.milestones("call"))
    chats = kept.named("chat")
    assert [chat.attributes.get("error.type") for chat in chats] == [
        genai.error_type(call) if call.error else None for call in calls
    ]
    assert {"unusable_reply", "TooBusy", "no_reply", None} == {chat.attributes.get("error.type") for chat in chats}
    assert all(
        chat.status.is_ok != ("error.type" in chat.attributes) for chat in chats if chat.status.is_unset is False
    )
    assert chats[0].kind.name == "CLIENT" and chats[0].attributes["gen_ai.request.max_tokens"] == 512


def test_live_spans_are_those_of_the_record(run):
    """One code path: names, parents, attributes and times."""

    def facts(kept):
        names = {span.context.span_id: span.name for span in kept.spans}
        return [
            (span.name, span.parent and names[span.parent.span_id], span.start_time, span.end_time, span.attributes)
            for span in kept.spans
        ]

    assert facts(of_record(run[0])) == facts(run[2])


def test_content_is_there_on_request_only(run):
    bare, full = of_record(run[0]), of_record(run[0], content=True)
    assert "secret" not in "".join(span.to_json() for span in bare.spans)
    first = full.named("chat")[0].attributes
    ((asked,), (said,)) = (json.loads(first[f"gen_ai.{way}.messages"]) for way in ("input", "output"))
    assert asked["role"] == "user" and "You are robot 0" in asked["parts"][0]["content"]
    assert said["role"] == "assistant" and "a secret reason" in said["parts"][0]["content"]
    assert "robot" in json.loads(first["gen_ai.system_instructions"])[0]["content"]


def test_what_the_guard_did_is_told_where_it_happened():
    """On the agent's own span; of agents that have none, as a number of the tick."""
    world, kept = WORLD | {"max_ticks": 3}, Kept()
    agents = [{"reasoner": "scripted", "script": ["left", "right", "left"]}, {"reasoner": "rules"}]
    guard = [
        {"agent": "robot-0", "verb": "left", "effect": "modify", "to": "right"},
        {"agent": "robot-1", "effect": "deny"},
    ]
    assert sandbox.run({"world": world, "agents": agents, "guard": guard}, seed=3, on_event=kept.take).error is None
    kept.take.close()
    turns, ticks = kept.named("invoke_agent"), [span for span in kept.spans if span.name == "tick"]
    assert [[event.name for event in turn.events] for turn in turns] == [["sandbox.review"], [], ["sandbox.review"]]
    assert dict(turns[0].events[0].attributes) == {
        "sandbox.said": "left 0", "sandbox.rule": 0, "sandbox.effect": "modify", "sandbox.enforced": "right 0",
        "sandbox.by": "rule",
    }  # fmt: skip
    assert turns[0].start_time == turns[0].events[0].timestamp
    assert [tick.attributes["sandbox.events.review"] for tick in ticks] == [2, 1, 2]
    assert kept.named("execute_tool")[0].name == "execute_tool right", "the action that was enforced"


def test_messages_are_told_where_they_were_said(run):
    begun, tick = opening(run[0])
    said = {"act": Act.TELL, "to": -1, "task": 0, "value": 0, "text": "a secret"}
    messages = [MessageSaid(trial=0, tick=1, agent=1, **said), MessageSaid(trial=0, tick=1, agent=1, **said)]
    for content in (False, True):
        kept = of_events(begun, messages, [tick, tick.model_copy(update={"tick": 2})], content=content)
        turns = kept.named("invoke_agent")
        assert [len(turn.events) for turn in turns] == [0, 2, 0, 0], "each tick has its own"
        told = dict(turns[1].events[0].attributes)
        assert turns[1].events[0].name == "sandbox.said" and (told["sandbox.act"], told["sandbox.to"]) == ("tell", -1)
        assert told.get("sandbox.text") == ("a secret" if content else None)


def test_a_run_that_was_resumed_has_its_last_outcome_and_those_who_decided_then(run):
    begun, tick = opening(run[0])
    with open_run(run[0]) as record:
        last = list(record.events())[-2:]
    other = scenario() | {"agents": [{"count": 2, "reasoner": "rules"}, {"reasoner": "scripted", "script": ["left"]}]}
    again = Resumed(trial=0, tick=2, versions={}), Changed(trial=0, tick=2, scenario=load(other).as_dict())
    second = tick.model_copy(update={"tick": 2})
    kept = of_events(begun, [tick], last, again, [second])
    assert [turn.attributes["sandbox.agent"] for turn in kept.named("invoke_agent")] == [0, 1, 2]
    (root,) = kept.named("invoke_workflow")
    assert root.attributes["sandbox.finished"] is False and "sandbox.finish" not in root.attributes
    (root,) = of_events(begun, [tick], last, again, [second], last).named("invoke_workflow")
    assert root.attributes["sandbox.finished"] is True


def test_what_somebody_drew_into_the_world_is_told_of(run):
    begun, tick = opening(run[0])
    placed = Placed(trial=0, tick=2, patch={"closed": [[9, 0]]})
    (root,) = of_events(begun, [tick, placed, tick.model_copy(update={"tick": 2})]).named("invoke_workflow")
    (told,) = root.events
    assert told.name == "sandbox.placed" and dict(told.attributes) == {"sandbox.tick": 2, "sandbox.keys": ("closed",)}


# -- time --------------------------------------------------------------------------------------------------------------


def test_ticks_follow_one_another_and_hold_what_is_in_them(run):
    kept = of_record(run[0])
    (root,) = kept.named("invoke_workflow")
    now = root.start_time
    assert now == ORIGIN * 1e9
    for tick in kept.below(root):
        assert tick.start_time == now and tick.end_time >= now + 1e9
        now = tick.end_time
        for turn in kept.below(tick):
            assert (turn.start_time, turn.end_time) == (tick.start_time, tick.end_time)
            assert all(tick.start_time <= part.start_time <= part.end_time <= now for part in kept.below(turn))
    assert root.end_time == now


def _call(agent: int, sample: int, attempt: int, seconds: float) -> CallDone:
    return CallDone(
        trial=0, tick=1, agent=agent, sample=sample, attempt=attempt, key="0" * 64, prompt="", reply={"text": "x"},
        error="", retry=False, input_tokens=1, output_tokens=1, money=0.0, seconds=seconds,
    )  # fmt: skip


def test_calls_keep_their_seconds_and_their_order(run):
    """Two samples side by side, the second in two attempts; the judge (sample 2) after both; the tick waits for it."""
    begun, tick = opening(run[0])
    begun[0].scenario["agents"][0]["llm"]["samples"] = 2
    begun[0].scenario["tick_seconds"] = 2.5
    calls = [_call(0, 0, 0, 0.5), _call(0, 1, 0, 1.0), _call(0, 1, 1, 2.0), _call(0, 2, 0, 0.25), _call(1, 0, 0, 0.1)]
    kept = of_events(begun, calls, [tick, tick])
    laid = [((s.start_time - ORIGIN * 1e9) / 1e9, (s.end_time - ORIGIN * 1e9) / 1e9) for s in kept.named("chat")]
    assert laid == [(0, 0.5), (0, 1), (1, 3), (3, 3.25), (0, 0.1)]
    acted = [action.start_time for action in kept.named("execute_tool")]
    assert acted == [(ORIGIN + t) * 1e9 for t in (3.25, 0.1, 3.25, 3.25)]
    (root,) = kept.named("invoke_workflow")
    assert root.end_time == (ORIGIN + 3.25 + 2.5) * 1e9, "a tick without calls has the scenario's seconds"
    assert root.attributes["sandbox.finished"] is False


@pytest.mark.parametrize(("model", "provider", "name"), [
    ("openai:gpt-5.2", "openai", "gpt-5.2"), ("google:gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"),
    ("local:http://10.0.0.7:8080/v1#qwen", "local", "qwen"), ("gguf:/home/me/tiny.gguf", "llama.cpp", "tiny.gguf"),
    ("gemma", "llama.cpp", "gemma"),
])  # fmt: skip
def test_models_are_named_as_the_conventions_do(model, provider, name):
    used = ModelUsed(
        trial=0, agents=(0,), model=model, instructions="", tools=(), max_tokens=9, temperature=0.5, price=(0, 0)
    )
    told = genai.request_attributes(used)
    assert (told["gen_ai.provider.name"], told["gen_ai.request.model"]) == (provider, name)
    assert told["gen_ai.request.temperature"] == 0.5
    assert (told.get("server.address"), told.get("server.port")) == (
        ("10.0.0.7", 8080) if provider == "local" else (None, None)
    )


# -- a collector -------------------------------------------------------------------------------------------------------


class Endpoint(ThreadingHTTPServer):
    """A small OTLP collector; ``status`` is what it answers, None: nothing, ever."""

    daemon_threads = True

    def __init__(self, status: int | None = 200):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.paths, self.requests, self.over = status, [], [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def spans(self) -> list:
        return [
            span
            for request in self.requests for resource in request.resource_spans
            for scope in resource.scope_spans for span in scope.spans
        ]  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status is None:
            self.server.over.wait(30)
            return
        self.server.paths.append(self.path)
        if callable(self.server.status):
            with suppress(OSError):  # the sender has hung up
                self.server.status(self)
            return
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


def answers(body: bytes, status: int = 200, **headers: str):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def without_end(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.over.is_set():
        handler.wfile.write(b"x" * 1_000_000)


def drips(handler, begin=b"HTTP/1.1 200 OK\r\n\r\n"):
    """A byte now and then: no read takes long."""
    handler.wfile.write(begin)
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def takes_a_part(handler):
    said = ExportTraceServiceResponse(partial_success={"rejected_spans": 3, "error_message": "no room"})
    answers(said.SerializeToString(), content_type="application/x-protobuf")(handler)


def test_a_record_arrives_at_a_collector(run, capsys):
    folder, outcome, live = run
    with Endpoint() as collector:
        assert told("trace", folder, "--otlp", collector.url) == 0
    assert set(collector.paths) == {"/v1/traces"}
    assert sorted(span.name for span in collector.spans) == sorted(span.name for span in live.spans)
    (resource,) = {request.resource_spans[0].resource.SerializeToString() for request in collector.requests}
    assert b"service.name" in resource
    tokens = [
        field.value.int_value
        for span in collector.spans for field in span.attributes if field.key.startswith("gen_ai.usage.")
    ]  # fmt: skip
    assert sum(tokens) == outcome.tokens
    (trace,) = {span.trace_id.hex() for span in collector.spans}
    said = capsys.readouterr().out
    assert trace in said and f"{len(live.spans)} spans sent to {collector.url}" in said
    with open_run(folder) as record:
        created = record.meta["created"]
    root = next(span for span in collector.spans if not span.parent_span_id)
    assert time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(root.start_time_unix_nano / 1e9)) in created


@pytest.fixture
def table(tmp_path):
    replies = json.dumps(LINES[::2]).replace('":', '" =')
    path = tmp_path / "team.toml"
    path.write_text(
        '[world]\nname = "warehouse"\nlayout = "tiny"\ndeliveries = 1\nmax_ticks = 40\n'
        f'[[agents]]\nreasoner = "llm"\nfallback = "rules"\nllm = {{ model = "scripted", replies = {replies} }}\n'
    )
    return path


def test_a_run_is_traced_while_it_goes_on(table, tmp_path, capsys):
    with Endpoint() as collector:
        assert told("run", table, "--out", tmp_path / "run", "--trace", collector.url, "--trace-content") == 0
    names = [span.name for span in collector.spans]
    assert names.count("invoke_workflow warehouse") == 1 and "chat scripted" in names
    assert any(field.key == "gen_ai.input.messages" for span in collector.spans for field in span.attributes)
    assert f"{len(names)} spans sent" in capsys.readouterr().out
    assert told("verify", tmp_path / "run") == 0


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(("status", "why"), [
    ("down", "connection refused"), (None, "no answer within 0.3 s"), (404, "it answers 404"), (503, "it answers 503"),
    (answers(b"", 302, location="/elsewhere"), "it answers 302 Found; expected the address of the collector itself"),
    (answers(b"", 304), "it answers 304"), (without_end, "it answers with more than 65,536 bytes"),
    (drips, "no answer within 0.3 s"), (partial(drips, begin=b"HTTP/1.1 200 OK\r\nx: "), "no answer within 0.3 s"),
    (takes_a_part, "it does not take them (no room)"), (answers(b"<html>", 403), "it answers 403"),
])  # fmt: skip
def test_a_bad_collector_costs_seconds_and_no_run(table, run, tmp_path, capsys, monkeypatch, status, why):
    monkeypatch.setattr(otlp, "TIMEOUT", 0.3)
    with Endpoint(None if status == "down" else status) as collector:
        url = closed_port() if status == "down" else collector.url
        started = time.monotonic()
        assert told("run", table, "--out", tmp_path / "run", "--trace", url) == 0
        assert told("trace", run[0], "--otlp", url) == 1
        assert time.monotonic() - started < 5
    with open_run(tmp_path / "run") as record:
        assert record.outcomes[0]["success"]
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if "spans" in line or "opentelemetry" in line.lower()]
    assert len(lines) == 2 and all(why in line and url in line for line in lines), said.err
    assert lines[0].startswith("warning: traces: ") and lines[1].startswith("error: traces: ")


@pytest.mark.parametrize("answer", [
    answers(b"no protobuf", content_type="application/x-protobuf"), answers(b"<html>", content_type="text/html"),
    answers(gzip.compress(bytes(10_000_000)), content_encoding="gzip"),
])  # fmt: skip
def test_what_a_collector_says_beside_its_yes_does_not_matter(run, capsys, answer):
    """A gzip bomb stays packed."""
    with Endpoint(answer) as collector:
        assert told("trace", run[0], "--otlp", collector.url) == 0
    assert "spans sent to" in capsys.readouterr().out


def test_a_patient_sender_loses_nothing_and_a_hasty_one_says_what_it_lost(monkeypatch):
    monkeypatch.setattr(otlp, "QUEUE", 40)
    monkeypatch.setattr(otlp, "BATCH", 20)
    for patient in (True, False):
        with Endpoint() as collector:
            with otlp.Collector(collector.url, patient) as sender:
                tracer = sender.provider.get_tracer("test")
                for _ in range(2000):
                    tracer.start_span("x").end()
            assert len(collector.spans) == 2000 - sender.lost
            assert sender.lost == 0 if patient else f"{sender.lost} of 2000 spans" in sender.summary


@pytest.mark.parametrize("url", ["localhost:4318", "http://", "http://host:port", "ftp://host", ""])
def test_a_bad_address_is_one_clear_line(run, table, tmp_path, capsys, url):
    assert told("trace", run[0], "--otlp", url) == told("run", table, "--out", tmp_path / "x", "--trace", url) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all("expected the address of an OTLP endpoint" in line for line in lines)
    assert not (tmp_path / "x").exists()


def test_a_missing_extra_is_one_clear_line(run, capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "sandbox.telemetry.otlp")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert told("trace", run[0], "--otlp", "http://127.0.0.1:4318") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install 'sandbox[otel]'" in line

"""OpenAI-compatible servers: parameters that they refuse, keys, addresses; and ``prompt`` shows what they are sent."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from fake_llm import Server, completion, plays, send

import sandbox
from sandbox.agents.llm import reasoner
from sandbox.cli.prompt import first_requests
from sandbox.core.errors import SandboxError
from sandbox.record import open_run
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.worlds.web import layouts

TICKS = 3
KEY = "sk-none-of-your-business"


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.setattr(reasoner, "BACK_OFF", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def scenario(model: str, agents: int = 1, **options) -> dict:
    llm = {"model": model, "timeout": 5.0, "retries": 0, "max_tokens": 100, **options}
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": TICKS}
    return {"world": world, "agents": [{"count": agents, "reasoner": "llm", "fallback": "idle", "llm": llm}]}


def model_of(kind: str, server: Server, monkeypatch) -> str:
    """A model of a kind at the address of the server."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.address)
    return f"local:{server.address}" if kind == "local" else "openai:gpt-5.2"


def refuses(names, status: int = 400, message: str = "{name} is not supported"):
    """A server that answers only where nothing of ``names`` is in what it is sent."""

    def behave(server, handler, body):
        sent = json.dumps(body).replace('"tool_choice": "auto"', "")  # what it would do by itself
        found = next((name for name in names if f'"{name}"' in sent), None)
        if found:
            return send(handler, json.dumps({"error": {"message": message.format(name=found)}}).encode(), status)
        return plays("left")(server, handler, body)

    return behave


@pytest.mark.parametrize(("kind", "names", "status", "message", "without"), [
    ("local", ["response_format"], 400, "{name} is not supported", "response_format"),
    ("local", ["response_format"], 422, "body.{name}: extra fields not permitted", "response_format"),
    ("local", ["response_format"], 404, "guided decoding is not available", "response_format"),
    ("local", ["response_format"], 501, "json_schema: not implemented", "response_format"),
    ("local", ["response_format"], 500, "failed to parse grammar", "response_format"),
    ("local", ["response_format"], 400, "Bad Request", "response_format"),
    ("local", ["response_format"], 422, "", "response_format"),
    ("local", ["strict"], 400, "Unrecognized argument: response_format.json_schema.{name}", "strict"),
    ("local", ["strict", "response_format"], 400, "{name}?", "response_format, strict"),
    ("local", ["max_tokens"], 400, "Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
    ("openai", ["max_completion_tokens"], 422, "extra: {name}", "max_completion_tokens"),
    ("openai", ["tool_choice"], 400, "tool_choice must be auto", "tool_choice"),
    ("openai", ["parallel_tool_calls", "tool_choice"], 400, "unknown: {name}", "parallel_tool_calls, tool_choice"),
])  # fmt: skip
def test_what_a_server_refuses_is_left_out_from_then_on(kind, names, status, message, without, monkeypatch, tmp_path):
    with Server(refuses(names, status, message)) as server:
        outcome = sandbox.run(scenario(model_of(kind, server, monkeypatch)), seed=1, out=tmp_path / "run")
        assert len(server.requests) == TICKS + len(names), "it is learned once, and costs no retry"
        limit = "max_completion_tokens" if (kind == "openai") != ("max" in without) else "max_tokens"
        assert server.requests[-1][limit] == 100
    assert (outcome.error, outcome.calls, outcome.fallbacks) == (None, TICKS, 0)
    with open_run(tmp_path / "run") as record:
        assert {call.without for call in record.milestones("call")} == {without}
    assert verify(tmp_path / "run").passed, "the keys of requests do not depend on the server"


def test_many_at_once_learn_the_same():
    with Server(refuses(["response_format"])) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", agents=4), seed=1)
        assert outcome.calls < len(server.requests) <= outcome.calls + 4
    assert outcome.fallbacks == 0 and outcome.calls > 4


@pytest.mark.parametrize(("status", "message", "sent"), [
    (400, "maximum context length is 100 tokens, response_format included", 1), (400, "no", 2),
    (429, "response_format", 1),
])  # fmt: skip
def test_other_errors_stay_errors(status, message, sent):
    """A bad request of an unknown cause is tried without the schema, once; an error that says its cause is not."""
    body = json.dumps({"error": {"message": message}}).encode()
    with Server(lambda server, handler, asked: send(handler, body, status)) as server:
        model = sandbox.Sandbox(scenario(f"local:{server.address}"), rng=1)
        model.step()
        assert len(server.requests) == sent
    (call,) = model.latest.traces[0].calls
    assert message in call.error and (call.reply, call.without) == (None, "")


def test_a_server_that_has_taken_a_schema_is_not_suspected():
    def behave(server, handler, body):
        bad = len(server.requests) > 1
        send(handler, b'{"error": {"message": "no"}}', 400) if bad else plays("left")(server, handler, body)

    with Server(behave) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}"), seed=1)
        assert len(server.requests) == TICKS
    assert (outcome.calls, outcome.fallbacks) == (TICKS, TICKS - 1)


def test_a_key_is_sent_and_never_kept(monkeypatch, tmp_path):
    """A server that says it back, in errors and in replies."""
    monkeypatch.setenv("SANDBOX_LOCAL_API_KEY", f" {KEY}\n")

    def behave(server, handler, body):
        given = handler.headers["authorization"]
        if len(server.requests) % 2:
            return send(handler, json.dumps({"error": {"message": f"you said {given}"}}).encode(), 500)
        said = json.dumps({"reason": given, "verb": "left"})
        return send(handler, completion({"content": f"{said}\n{given}", "reasoning": given}))

    with Server(behave) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", retries=1), seed=1, out=tmp_path / "run")
    assert (outcome.error, outcome.calls, outcome.fallbacks) == (None, 2 * TICKS, 0)
    with open_run(tmp_path / "run") as record:
        told = [call.error + json.dumps(call.reply) for call in record.milestones("call")]
    assert all("Bearer ***" in text for text in told)
    assert all(KEY.encode() not in path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())


ODD = "sk/a+b~c=d%e?f=="  # whose forms differ


@pytest.mark.parametrize("form", [
    str, quote, partial(quote, safe=""), quote_plus, lambda key: key.replace("/", "\\/"),
    lambda key: "".join(f"\\u{ord(char):04x}" for char in key), lambda key: f"x{key}y" * 1_300,
    lambda key: b64encode(key.encode()).decode(), lambda key: urlsafe_b64encode(key.encode()).decode(),
])  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_key_is_hidden_in_the_forms_that_servers_write(form, status, monkeypatch, tmp_path):
    """In a reply, an error, and a body that is neither; also where a parser or we quote only a part of it."""
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", ODD)
    said = form(ODD)
    echo = said if "\\" in said else json.dumps(said)[1:-1]
    bodies = [f'{{"error": {{"message": "{echo}"}}}}', f'{{"choices": "{echo}"}}', f'["{echo}"]',
              completion({"content": "TEXT"}).decode().replace("TEXT", echo)]  # fmt: skip
    left = iter(bodies * 9)
    with Server(lambda server, handler, body: send(handler, next(left).encode(), status)) as server:
        table = scenario(f"local:{server.address}", retries=0)
        table["agents"][0]["fallback"] = "rules"
        sandbox.run(table, seed=1, overrides={"world.max_ticks": 5}, out=tmp_path / "run")
    with open_run(tmp_path / "run") as record:
        told = [call.error + "".join((call.reply or {}).values()) for call in record.milestones("call")]
    assert len(told) >= 3 and any("***" in text for text in told)
    for text in told:
        assert ODD not in text and said[:12] not in text, text


def test_a_wrong_key_is_not_told(monkeypatch):
    monkeypatch.setenv("SANDBOX_LOCAL_API_KEY", KEY)
    with Server(lambda server, handler, body: send(handler, f'{{"error": "{KEY}?"}}'.encode(), 401)) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}"), seed=1)
    assert "***?" in outcome.error and KEY not in outcome.error


@pytest.mark.parametrize(("path", "told"), [
    ("", r"most servers expect /v1 at the end of the base URL: local:http://[\d.:]+/v1$"),
    ("/", r"local:http://[\d.:]+/v1$"),
    ("/v1/chat/completions", r"expected the base URL without /chat/completions: local:http://[\d.:]+/v1$"),
    ("/v1", r"no such page\W*$"),
])  # fmt: skip
@pytest.mark.parametrize("status", [404, 405, 200])
def test_a_wrong_address_is_told_with_the_right_one(path, told, status):
    """One server answers 404, another 200 with an error in it."""
    body = json.dumps({"error": "no such page"}).encode()
    with Server(lambda server, handler, asked: send(handler, body, status)) as server:
        model = sandbox.Sandbox(scenario(f"local:{server.address.removesuffix('/v1')}{path}#name"), rng=1)
        model.step()
    error = model.error or model.latest.traces[0].calls[0].error
    assert re.search(told, error) and "\n" not in error, error


# -- sandbox prompt ----------------------------------------------------------------------------------------------------

NOISE = {"sensor_noise": 1.0, "action_failure": 0.5}
WEB = {"name": "web", "layout": "login-user"}
HALL = {"name": "warehouse", "layout": "tiny"}
TOOLS = {"calculator": {}}
MEMORY = {"kind": "blocks", "blocks": [{"label": "plan"}]}
TEAM = {"protocol": "manager", "tasks": "generated", "lead": 1}
TABLES = {
    "plain": {"world": WEB, "agents": [{}]},
    "noise": {"world": WEB, "agents": [{}], "perturb": NOISE},
    "noise in the hall": {"world": HALL, "agents": [{"count": 2}, {"count": 1}], "perturb": NOISE},
    "memory and tools": {"world": WEB, "agents": [{"memory": MEMORY, "tools": TOOLS}], "perturb": NOISE},
    "changed schema": {"world": WEB, "agents": [{"tools": TOOLS}], "perturb": {"changed_schema": 1.0}},
    "team": {"world": HALL, "agents": [{"count": 2}, {"count": 2, "tools": TOOLS}], "team": TEAM, "perturb": NOISE},
    "samples": {"world": HALL, "agents": [{"llm": {"samples": 2, "subgoal": 40, "reason": 0}}]},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["local", "openai"])
@pytest.mark.parametrize("name", TABLES)
def test_prompt_prints_what_is_sent(name, kind, monkeypatch):
    with Server(plays("noop")) as server:
        base = {"model": model_of(kind, server, monkeypatch), "retries": 0}
        table = {"seed": 3, **TABLES[name]}
        table["agents"] = [
            {"reasoner": "llm", "fallback": "idle", **group, "llm": base | group.get("llm", {})}
            for group in table["agents"]
        ]
        told = list(first_requests(load(table)))
        assert not server.requests and len(told) == len(table["agents"])
        model = sandbox.Sandbox(table, rng=table["seed"])
        model.step()
        assert model.error is None
        sent = [_told(body) for body in server.requests]
    for request in told:
        instructions, prompt, form = request.values()
        told_form = json.loads(form)
        if kind == "openai":  # its client adds this flag to schemas that can be held to the letter
            told_form = [{**tool, "strict": None} for tool in told_form]
        assert (instructions, prompt, told_form) in sent
    every = {row: list(first_requests(load(table), row))[0] for row in range(model.env.agents)}
    prompts = [next(text for title, text in one.items() if title.startswith("tick 1")) for one in every.values()]
    assert {prompt for _, prompt, _ in sent} == set(prompts)


def _told(body: dict) -> tuple:
    """Instructions, prompt, and tools or schema, as a server gets them."""
    instructions, prompt = (message["content"] for message in body["messages"])
    if "tools" in body:
        return instructions, prompt, [{**tool["function"], "strict": None} for tool in body["tools"]]
    return instructions, prompt, body["response_format"]["json_schema"]["schema"]


def test_noise_is_in_what_is_printed():
    one = {"seed": 3, **TABLES["noise in the hall"], "agents": [{"reasoner": "llm", "llm": {"model": "scripted"}}]}
    (noisy,), (clear,) = (list(first_requests(load(table))) for table in (one, {**one, "perturb": {}}))
    assert noisy["tick 1, agent 0"] != clear["tick 1, agent 0"]


def test_what_cannot_be_made_is_one_clear_line():
    table = {"world": WEB, "agents": [{"reasoner": "llm", "llm": {"model": "scripted"}}], "team": {"lead": 9}}
    with pytest.raises(SandboxError) as error:
        list(first_requests(load(table)))
    assert "\n" not in str(error.value)


# -- surfaces ----------------------------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"<[a-z_]+(\.\d+)?>|\{[a-z_]*(\.?\d+)?\}|\$[a-z_]+")


@pytest.mark.parametrize("layout", [*layouts.names(), layouts.ALL])
def test_no_placeholder_reaches_a_model_or_a_page(layout):
    """The task, prompts, words, names and pages of every layout, for both agents of those that need two."""
    env = sandbox.make("web", layout=layout, agents=2)
    state = env.reset([1, 2])
    observation = env.observe(state)
    surfaces = [*env.task.texts, json.dumps(env.describe(state, 0))]
    surfaces += [env.render_text(state, lane, agent) for lane in range(2) for agent in range(2)]
    surfaces.append(json.dumps(_site(state, env)))
    group = {"count": 2, "reasoner": "llm", "llm": {"model": "scripted"}}
    for request in first_requests(load({"world": {"name": "web", "layout": layout}, "agents": [group]})):
        surfaces += request.values()
    found = [match[0] for text in surfaces for match in PLACEHOLDER.finditer(text)]
    assert found == [] and observation is not None


def _site(state, env) -> dict:
    from sandbox.worlds.web.rendering.html import site

    return site(state, 0, env.params)

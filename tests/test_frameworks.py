"""Agents of frameworks, ``examples/frameworks``: they play on a server that decides, and survive one that fails.

Every installed framework is tested. CI installs two; the weekly job tests each of the six in an environment of its own.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from fake_llm import Server, completion, send, tool_call

from benchmarks.deciding import decide, reply
from sandbox.agents.python import host
from sandbox.record import open_run
from sandbox.running.replay import verify
from sandbox.running.trial import run

FOLDER = Path(__file__).parents[1] / "examples" / "frameworks"
MODULES = {  # each example, and the module without which it cannot be imported
    "agent_framework_agent.py:AgentFramework": "agent_framework", "crewai_agent.py:CrewAI": "crewai",
    "langgraph_agent.py:LangGraph": "langgraph", "openai_agents_agent.py:OpenAIAgents": "agents",
    "pydantic_ai_agent.py:PydanticAI": "pydantic_ai", "smolagents_agent.py:Smolagents": "smolagents",
}  # fmt: skip
IN_CI = ("agents", "pydantic_ai") if os.environ.get("CI") else ()
FRAMEWORKS = [name for name, module in MODULES.items() if module in IN_CI or find_spec(module)]
WORLDS = {
    "web": {"name": "web", "layout": "click-button", "max_ticks": 12},
    "craft": {"name": "craft", "goal": "collect_wood", "mobs": False, "max_ticks": 60},
}
TIMEOUT = 0.5  # seconds of a call

pytestmark = pytest.mark.parametrize("name", FRAMEWORKS)


@pytest.fixture(scope="module")
def server():
    """One for all tests, because the examples' processes read its address when they start."""
    with Server(decides) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.address)
        patch.setenv("OPENAI_API_KEY", "none")
        host.end()
        yield server
        host.end()


@pytest.fixture
def serve(server):
    """Makes the server behave so from now on."""

    def serve(behave) -> Server:
        server.behave = behave
        server.requests.clear()
        return server

    return serve


def scenario(name: str, world: dict, **more) -> dict:
    python = {"patience": 60.0, "options": {"timeout": TIMEOUT}}
    return {"world": world, "agents": [{"reasoner": f"python:{FOLDER / name}", "python": python, **more}]}


def decides(server, handler, body):
    send(handler, completion(reply(body)))


@pytest.mark.parametrize("world", WORLDS)
def test_it_does_what_its_model_decides(name, world, serve, tmp_path):
    own = run({"world": WORLDS[world], "agents": [{"reasoner": "rules"}]}, 3,
              reasoners={0: lambda observation, legal: decide(observation.words)})  # fmt: skip
    requests = serve(decides).requests
    outcome = run(scenario(name, WORLDS[world]), 3, out=tmp_path / "run")
    assert outcome.failure is None and outcome.fallbacks == 0 and outcome.success
    assert outcome.digest == own.digest, "the actions are those of the model"
    assert len(requests) == 2 * outcome.ticks, "it looks, it acts, and then its run ends"
    assert verify(tmp_path / "run").passed, "without its server"


def first(trouble):
    """A server whose first reply is trouble."""

    def behave(server, handler, body):
        (trouble if len(server.requests) == 1 else decides)(server, handler, body)

    return behave


TROUBLES = {  # the first reply, and the ticks in which nothing was decided, at most
    "an error of the server": (lambda server, handler, body: send(handler, b'{"error": {}}', 500), 0),
    "no reply": (lambda server, handler, body: server.ended.wait(5 * TIMEOUT), 0),
    "no JSON": (lambda server, handler, body: send(handler, b"<html>Hello</html>"), 1),
    "words only": (lambda server, handler, body: send(handler, completion({"content": "Let me think."})), 1),
    "an unknown tool": (lambda server, handler, body: send(handler, completion(tool_call("teleport"))), 1),
    "an illegal action": (
        lambda server, handler, body: send(handler, completion(tool_call("act", '{"verb": "fly", "target": 3}'))), 1),
}  # fmt: skip


@pytest.mark.parametrize("what", TROUBLES)
def test_a_fault_of_the_server_costs_it_a_tick_at_most(name, what, serve):
    trouble, most = TROUBLES[what]
    requests = serve(first(trouble)).requests
    outcome = run(scenario(name, WORLDS["web"]), 3)
    assert len(requests) > 2
    assert outcome.success and outcome.failure is None and outcome.fallbacks <= most


def test_without_its_model_its_fallback_acts_and_the_record_says_why(name, serve, tmp_path):
    serve(lambda server, handler, body: send(handler, b'{"error": {"message": "wrong key"}}', 401))
    outcome = run(scenario(name, WORLDS["web"] | {"max_ticks": 2}), 3, out=tmp_path / "run")
    assert outcome.failure is None and outcome.fallbacks == 2 and not outcome.success
    assert all("wrong key" in each.printed for each in open_run(tmp_path / "run").milestones("answered"))


def speaks(server, handler, body):
    """A model that says something, and then acts."""
    said = "Hello there" in str(body["messages"])
    call = tool_call("act", '{"verb": "noop"}') if said else tool_call("say", '{"text": "Hello there"}')
    call["tool_calls"][0]["id"] = f"call_{len(server.requests)}"
    send(handler, completion(call))


def test_a_team_of_them_talks(name, serve):
    serve(speaks)
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 3}
    outcome = run({**scenario(name, world, count=2), "team": {"protocol": "concurrent"}}, 3)
    assert outcome.failure is None and outcome.fallbacks == 0 and outcome.messages >= 2 * 2

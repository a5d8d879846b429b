"""Tools of language models: schemas, answers, errors, faults; who misuses them breaks no tick and no budget."""

import json
import pickle
import random
import time
from contextlib import closing
from typing import Annotated

import pytest
import tiny_gguf
from fake_llm import Server, completion, send, tool_call
from pydantic import BaseModel, Field

import sandbox
from sandbox.agents.llm import reasoner
from sandbox.agents.tools.calculator import calculator
from sandbox.agents.tools.functions import Function, Functions
from sandbox.agents.tools.options import check
from sandbox.agents.tools.retrieval import Library, chunks
from sandbox.agents.tools.tool import ANSWER, ERROR, Tool, ToolError
from sandbox.cli.prompt import first_requests
from sandbox.core.decision import ToolUse
from sandbox.core.errors import RecordError, UsageError
from sandbox.record import open_run
from sandbox.running import trial
from sandbox.running.replay import replay, verify
from sandbox.scenario import load
from sandbox.scenario.capabilities import Grant

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": 8}
DOCUMENTS = {"b.md": "# Robots\nRobots turn left.\n", "a.txt": "Shelves are heavy.\n\nGoals lie in the south.\n"}
ALL = {"calculator": {}, "retrieval": {"documents": DOCUMENTS}, "imagine": {"horizon": 4, "futures": 2}, "code": {}}


class Spot(BaseModel):
    row: int
    col: int


def distance(start: Spot, end: Spot, unit: Annotated[str, Field(description="cells or metres")] = "cells") -> dict:
    """How far it is."""
    return {"distance": abs(start.row - end.row) + abs(start.col - end.col), "unit": unit}


def explode(how: str) -> str:
    """A tool that fails."""
    if how == "exit":
        raise SystemExit(3)
    if how == "deep":
        return explode(how)
    raise KeyError("many\nlines " * 500)


def flood() -> str:
    """A tool that says too much."""
    return "\U0001f600" * 10**6


def scenario(lines: list, tools: dict, llm: dict | None = None, **more) -> dict:
    llm = {"model": "scripted", "replies": [{"verb": x} if isinstance(x, str) else x for x in lines], **(llm or {})}
    group = {"reasoner": "llm", "fallback": "rules", "llm": llm, "tools": tools} | more
    return {"world": WORLD, "agents": [group]}


def use(name: str, **arguments) -> dict:
    return {"tool": name, "arguments": arguments}


def asked(table: dict, ticks: int = 1, seed: int = 3) -> list[list]:
    """The calls of agent 0 in each tick."""
    model, calls = sandbox.Sandbox(table, rng=seed), []
    for _ in range(ticks):
        model.step()
        assert model.error is None, model.error
        trace = model.latest.traces.get(0)
        calls.append(list(trace.calls) if trace else [])
    model.close()
    return calls


def answers(*lines, tools=ALL, **more) -> str:
    """The last prompt of the first tick, in which these tools were used before a verb."""
    return asked(scenario([*lines, "left"], tools, **more))[0][-1].prompt


# -- functions as tools ------------------------------------------------------------------------------------------------


def test_a_typed_function_is_a_schema():
    spec = Tool("distance", distance).spec
    assert spec["description"] == "How far it is." and spec["parameters"]["required"] == ["start", "end"]
    assert spec["parameters"]["properties"]["start"] == {"$ref": "#/$defs/distance.Spot"}
    assert spec["parameters"]["properties"]["unit"]["description"] == "cells or metres"
    assert "distance.Spot" in spec["parameters"]["$defs"] and "title" not in json.dumps(spec)
    here = {"start": {"row": 1, "col": 2}, "end": {"row": 3, "col": 2}}
    assert json.loads(Tool("distance", distance).call(here)) == {"distance": 2, "unit": "cells"}


@pytest.mark.parametrize(("function", "arguments", "told"), [
    (distance, {}, "start: Missing required argument"), (distance, {"start": 1, "end": 2}, "start: .*got 1"),
    (distance, {"begin": 1}, "start: Missing"), (calculator, {"expression": "1", "x": 2}, "x: Unexpected keyword"),
    (explode, {"how": "exit"}, "SystemExit: 3"), (explode, {"how": "deep"}, "RecursionError"),
    (explode, {"how": "x"}, "KeyError: .*many"), (calculator, {"expression": "9" * 2000}, "at most 1000 char"),
    (calculator, {"expression": "__import__('os')"}, "0 calls"), (calculator, {"expression": "1/0"}, "division"),
    (calculator, {"expression": "x = 1"}, "expected an expression"), (calculator, {"expression": "(("}, "closed|end"),
    (calculator, {"expression": "10 ** 10 ** 10"}, "memory"), (calculator, {"expression": "\x00"}, "null|Python"),
])  # fmt: skip
def test_what_goes_wrong_is_one_line(function, arguments, told):
    with pytest.raises(ToolError, match=told) as error:
        Tool("t", function).call(arguments)
    assert "\n" not in str(error.value) and len(str(error.value)) <= ERROR + 40


def test_answers_are_bounded():
    assert len(Tool("flood", flood).call({}).encode()) <= ANSWER


def test_the_calculator_calculates():
    for expression in ("2 + 3 * 4", "max(3, 7) // 2", "2 ** 100", "7 / 2"):
        assert calculator(expression) == str(eval(expression))


def test_documents_are_found_with_their_places():
    text = "# One\n\nfirst\n\n# Two\nsecond " + "word " * 200 + "\nthird\n"
    assert [line for line, _ in chunks(text)] == [1, 5, 7] and all(len(chunk) < 1200 for _, chunk in chunks(text))
    library = Library(DOCUMENTS, 2)
    assert library.retrieval("where are the goals?").startswith("[a.txt:3] Goals lie in the south.")
    assert library.retrieval("turning robots").startswith("[b.md:1] # Robots")
    assert Library({}, 2).retrieval("x") == "nothing found"


# -- used by a model ---------------------------------------------------------------------------------------------------


def test_a_tool_answers_within_the_tick_and_the_model_is_asked_again():
    (calls,) = asked(scenario([use("calculator", expression="6 * 7"), "left"], ALL))
    assert [call.attempt for call in calls] == [0, 1] and not any(call.error for call in calls)
    assert calls[1].prompt.startswith(calls[0].prompt)
    assert "It answered:\n42\nCalls left in this tick: 3." in calls[1].prompt


def test_what_it_was_not_given_it_cannot_use():
    prompt = answers(use("retrieval", query="x"), use("calculator"), tools={"calculator": {}})
    assert "error: expression: Missing required argument" in prompt
    (calls,) = asked(scenario([use("retrieval", query="x"), "left"], {"calculator": {}}))
    assert "unknown action 'retrieval'; known: calculator, forward" in calls[0].error
    assert "unknown action" in calls[1].prompt
    (calls,) = asked(scenario([use("calculator", expression="1"), "left"], {}))
    assert "unknown action 'calculator'; known: forward" in calls[0].error


def test_the_world_model_is_a_tool():
    prompt = answers(use("imagine", plans=[["left"], ["forward", "forward"]]), use("imagine", plans=[["fly"]]),
                     use("imagine", plans=[]))  # fmt: skip
    assert "Plan 1 (left): after 4 ticks the team is expected to earn" in prompt and "2 futures" in prompt
    assert "One of these futures then: You are robot 0" in prompt and "plan 1[0]: unknown verb 'fly'" in prompt
    assert "error: expected 1 to 4 plans of 1 to 4 actions each" in prompt


def test_imagination_knows_nothing_of_the_state():
    found = set()
    for shelf in (0, 1):
        model = sandbox.Sandbox(scenario([], ALL), rng=3)
        model.step()
        model.state.shelf[0, -1] = model.state.shelf[0, -1] + shelf
        model.state.seed[0] += shelf
        mind = model.reasoners[0][1].minds[0]
        found.add(mind.tools.call("imagine", '{"plans": [["left"], ["forward"]]}', 1))
    assert len(found) == 1


def test_functions_of_your_own():
    tools = {f"test_tools:{name}": {} for name in ("distance", "explode", "flood")}
    far = use("distance", start={"row": 1, "col": 1}, end={"row": 2, "col": 3})
    prompt = answers(far, use("explode", how="exit"), use("flood"), tools=tools)
    assert '{"distance": 3, "unit": "cells"}' in prompt and "error: SystemExit: 3" in prompt
    assert prompt.count("\U0001f600") <= ANSWER


PROGRAM = ["for k in range(3):", "    act('left')", "print('turned', k)", "legal()"]


def test_a_program_acts_over_the_next_ticks_without_a_call():
    calls = asked(scenario([use("code", lines=PROGRAM), "right"], ALL), ticks=4)
    assert [len(each) for each in calls] == [1, 0, 0, 1]
    assert "Your program: it has ended. Its value: {'noop'" in calls[3][0].prompt and "turned 2" in calls[3][0].prompt
    model = sandbox.Sandbox(scenario([use("code", lines=PROGRAM), "right"], ALL), rng=3)
    verbs = []
    for _ in range(4):
        model.step()
        verbs.append(model.env.verbs[model.latest.actions[0, 0]])
        model = pickle.loads(pickle.dumps(model))
    assert verbs == ["left", "left", "left", "right"]


@pytest.mark.parametrize(("lines", "told"), [
    (["1 +"], "error: line 1"), (["while True:", "    pass"], "steps in one tick"), (["print('hi')"], "It printed: hi"),
    (["fly()"], "fly"), (["act('fly')"], "unknown verb 'fly'"), (["open('/etc/passwd')"], "error"),
    ("left()", "expected"), ([1], "expected"), (["1/0"], "ZeroDivision"),
])  # fmt: skip
def test_a_program_that_does_not_act_says_why_within_the_tick(lines, told):
    assert told in answers(use("code", lines=lines)).split("It answered:")[1]


def test_a_program_that_breaks_off_later_is_told_at_the_next_decision():
    lines = ["act('left')", "act('forward', 1)"]
    calls = asked(scenario([use("code", lines=lines), "right"], ALL), ticks=2)
    assert "Your program: error: forward: target 1, expected 0..0" in calls[1][0].prompt
    calls = asked(scenario([use("code", lines=["while True:", "    act('left')"]), "right"], {"code": {"ticks": 3}}), 4)
    assert [len(each) for each in calls] == [1, 0, 0, 1] and "stopped after 3 ticks" in calls[3][0].prompt


def test_a_run_with_tools_verifies(tmp_path):
    lines = [
        use("calculator", expression="1 + 1"), use("memory_insert", label="plan", text="turn"), "left",
        use("imagine", plans=[["left"]]), use("code", lines=PROGRAM), use("retrieval", query="goals"), "right",
    ]  # fmt: skip
    outcome = sandbox.run(scenario(lines, ALL, memory={"kind": "blocks"}), seed=3, out=tmp_path / "run")
    verdict = verify(tmp_path / "run")
    assert outcome.error is None and outcome.calls > 7 and verdict.passed and verdict.ticks == 8, verdict.summary


# -- hostile models ----------------------------------------------------------------------------------------------------


FLOOD = "\u0301\U0001f600\x00\u202e" * 1000
HOSTILE = {
    "tools for ever": use("calculator", expression="1"), "huge": use("calculator", expression="9" * 30_000),
    "flood": use("memory_insert", label="plan", text=FLOOD), "read-only": use("memory_rethink", label="law", text="x"),
    "archive": use("archival_insert", text=FLOOD), "deep": {"text": '{"tool": "code", "arguments": ' + "[" * 9000},
    "many plans": use("imagine", plans=[["left"] * 50] * 50),
    "no object": {"text": '{"tool": "code", "arguments": 7}'}, "no name": {"text": '{"tool": null}'},
    "program": use("code", lines=["x = []", "while True: x.append('y' * 10**6)"]),
    "search": use("recall_search", query=FLOOD), "unknown": use("rm -rf", text=FLOOD),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_model_breaks_no_tick_and_no_budget(name, tmp_path):
    law = {"label": "law", "value": "never", "read_only": True, "limit": 100}
    memory = {"kind": "blocks", "context": 600, "blocks": [{"label": "plan", "limit": 200}, law]}
    llm = {"tool_calls": 3, "retries": 1, "max_tokens": 100, "budget": {"tokens": 60_000}}
    table = scenario([HOSTILE[name]] * 50, ALL, llm, memory=memory)
    outcome = sandbox.run(table, seed=3, out=tmp_path / "run")
    assert outcome.error is None and outcome.ticks == 8 and outcome.calls <= 8 * (3 + 2) and outcome.tokens <= 60_000
    assert outcome.fallbacks >= 7
    assert verify(tmp_path / "run").passed
    model = sandbox.Sandbox(table, rng=3)
    while model.running:
        model.step()
        mine = model.reasoners[0][1].minds[0].memory
        assert mine.blocks["law"].value == "never" and len(mine.blocks["plan"].value.encode()) <= 200
        assert all(len(call.prompt.encode()) < 20_000 for call in model.latest.traces[0].calls)


def test_calls_are_bounded_and_the_schema_says_so():
    table = scenario([use("calculator", expression="1")] * 3 + ["left"], ALL, {"tool_calls": 2})
    (calls,) = asked(table)
    assert [bool(call.error) for call in calls] == [False, False, True, False] and "act now" in calls[2].error
    model = sandbox.Sandbox(table, rng=3)
    mine, percept = model.reasoners[0][1], model.percept(0)
    mine.minds[0].begin(percept)
    question = reasoner.Question(percept, "?", 0)
    assert [tool["name"] for tool in mine._extras(question)] == ["calculator", "retrieval", "imagine", "code"]
    question.used = 2
    assert mine._extras(question) == []


# -- hosted models -----------------------------------------------------------------------------------------------------


def test_hosted_models_get_tools_beside_the_verbs_and_results_do_not_depend_on_latency(monkeypatch):
    def behave(server, handler, body):
        time.sleep(0.03 * random.random())
        text = json.dumps(body["messages"])
        used = text.count("It answered:")
        call = [("calculator", '{"expression": "6 * 7"}'), ("left", "{}"), ("left", "{}")][used]
        if used == 1 and len(text) % 2:
            call = "memory_insert", '{"label": "plan", "text": "so"}'
        send(handler, completion(tool_call(*call), (len(text), 7)))

    with Server(behave) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        llm = {"model": "openai:gpt-5.2", "reason": 0, "budget": {"tokens": 900_000}}
        table = scenario([], ALL, llm, memory={"kind": "blocks"}, count=4)
        outcomes = {sandbox.run(table, seed=2)._replace(seconds=0) for _ in range(3)}
        names = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert len(outcomes) == 1 and next(iter(outcomes)).fallbacks == 0
    assert names[:4] == ["noop", "forward", "left", "right"] and {"calculator", "code", "archival_search"} < {*names}


def test_a_local_models_grammar_holds_tools(tmp_path):
    """Random weights, a real server: whatever it says is an action or a use of a tool."""
    path = tiny_gguf.write(tmp_path / "tiny.gguf")
    llm = {"model": f"gguf:{path}", "reason": 20, "max_tokens": 3000, "timeout": 120.0, "temperature": 1.0,
           "context": 16_384, "tool_calls": 1, "retries": 0, "samples": 3}  # fmt: skip
    tools = {"calculator": {}, "code": {}, "test_tools:distance": {}}
    with closing(sandbox.Sandbox(scenario([], tools, llm), rng=5)) as model:
        calls = []
        while not any("It answered:" in call.prompt for call in calls):  # what it says differs from run to run
            model.step()
            assert model.error is None and model.ticks < 20, "it never uses a tool"
            calls = model.latest.traces[0].calls if 0 in model.latest.traces else []
            assert not [call.error for call in calls if call.error]


# -- faults ------------------------------------------------------------------------------------------------------------


def with_faults(fault: str, severity: float, lines: list, ticks: int = 8, llm: dict | None = None) -> list[list]:
    table = scenario(lines, {"calculator": {}}, {"tool_calls": 2, **(llm or {})}) | {"perturb": {fault: severity}}
    return asked(table, ticks)


@pytest.mark.parametrize(("fault", "told"), [
    ("tool_timeout", "error: the tool did not answer in time"), ("rate_limit", "error: rate limit: no further calls"),
    ("partial_reply", "this is half of the answer"),
])  # fmt: skip
def test_faults_of_tools_are_told_to_the_model(fault, told):
    lines = [use("calculator", expression="111111 * 1001"), "left"] * 60
    seen = [told in calls[1].prompt for seed in range(3) for calls in with_faults(fault, 1.0, lines) if len(calls) > 1]
    again = [told in calls[1].prompt for seed in range(3) for calls in with_faults(fault, 1.0, lines) if len(calls) > 1]
    assert seen == again and (any(seen) or fault == "rate_limit")
    assert not any(told in calls[-1].prompt for calls in with_faults(fault, 0.0, lines))


def test_a_model_that_reads_of_a_changed_schema_adapts():
    table = scenario([use("calculator", expression="6 * 7"), use("calculator", expression_v2="6 * 7"), "left"] * 60,
                     {"calculator": {}}, {"tool_calls": 2}) | {"perturb": {"changed_schema": 1.0}}  # fmt: skip
    table["world"] = {**WORLD, "max_ticks": 55}
    for seed in range(8):
        calls = asked(table, 55, seed)[-1]
        if "has changed" in calls[1].prompt:
            assert "its arguments are now expression_v2" in calls[1].prompt and calls[2].prompt.count("\n42\n") == 1
            return
    raise AssertionError("no schema changed in eight episodes")


# -- scenarios ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tools", "told"), [
    ({"calculater": {}}, "did you mean 'calculator'"), ({"imagine": {"horizons": 1}}, "did you mean 'horizon'"),
    ({"imagine": {"horizon": 0}}, "tools.imagine.horizon"), ({"retrieval": {"folder": "nowhere"}}, "no such folder"),
    ({"imagine": {"base": "oracle"}}, "sees the state"), ({"nomodule:f": {}}, "not found"),
    ({"test_tools:WORLD": {}}, "expected a function"), ({"builtins:print": {}}, "tool print|no JSON schema"),
])  # fmt: skip
def test_bad_tools_are_one_clear_line(tools, told):
    with pytest.raises(UsageError, match=told) as error:
        sandbox.Sandbox(scenario([], tools), rng=1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("group", [{"memory": {"kind": "map"}}, {"tools": {"code": {}}}, {"tools": {"imagine": {}}}])
def test_beliefs_do_not_rest_on_a_policy_that_sees_the_state(group):
    table = scenario([], {}, fallback="oracle")
    table["agents"][0] |= group
    with pytest.raises(UsageError, match="'oracle' sees the state"):
        load(table).env()


def test_a_missing_extra_is_one_clear_line(monkeypatch):
    from sandbox.agents.tools import options

    monkeypatch.setattr(options, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'sandbox\[code\]'"):
        check({"calculator": {}})


def test_documents_become_part_of_the_scenario(tmp_path):
    (tmp_path / "docs" / "sub").mkdir(parents=True)
    (tmp_path / "docs" / "sub" / "a.md").write_text("# A\ntext")
    (tmp_path / "docs" / "b.bin").write_bytes(b"\xff")
    text = '[world]\nname = "warehouse"\n[[agents]]\nreasoner = "llm"\nllm = { model = "scripted" }\n'
    (tmp_path / "s.toml").write_text(text + 'tools = { retrieval = { folder = "docs" } }\n')
    assert load(tmp_path / "s.toml").agents[0].tools["retrieval"]["documents"] == {"sub/a.md": "# A\ntext"}
    (tmp_path / "docs" / "sub" / "a.md").unlink()
    with pytest.raises(UsageError, match="holds no documents"):
        load(tmp_path / "s.toml")


def test_the_prompt_shows_memory_and_tools(root, monkeypatch):
    path = root / "scenarios" / "llm-tools.toml"
    (told,) = first_requests(load(path))
    first, second, third = told.values()
    assert "- calculator: Work out" in first and "# Block persona (read-only)\nI work with care" in second
    assert '"const": "archival_insert"' in third
    monkeypatch.setenv("SANDBOX_MODEL", "openai:gpt-5.2")
    (told,) = first_requests(load(path))
    assert {"click", "calculator", "code", "memory_rethink"} < {tool["name"] for tool in json.loads(told["tools"])}


# -- functions that answer otherwise each time, or have an effect ------------------------------------------------------

EFFECTS: list[str] = []


def clock(part: str) -> str:
    """Never the same."""
    EFFECTS.append(part)
    if part == "fails":
        raise ValueError(f"failed {len(EFFECTS)} times \ud800")
    return f"{part}: {len(EFFECTS)} \ud800"


def interrupt(times: int = 1) -> str:
    """Ctrl-C while it is called, the first few times."""
    EFFECTS.append("interrupt")
    if EFFECTS.count("interrupt") <= times:
        raise KeyboardInterrupt
    return "done"


@pytest.fixture
def effects():
    EFFECTS.clear()
    return EFFECTS


def at_the_clock(*lines, samples: int = 1) -> dict:
    return scenario(lines, {f"{__name__}:clock": {}, f"{__name__}:interrupt": {}}, {"samples": samples})


TIMES = [use("clock", part="a"), use("clock", part="a"), use("clock", part="fails"), "left", "forward", "right",
         use("clock", part="b"), "left"]  # fmt: skip


def answered(folder) -> list[tuple]:
    with open_run(folder) as run:
        return [(each.tick, each.arguments, each.answer, each.failed) for each in run.milestones("tool")]


def test_what_a_function_answered_is_recorded_and_it_is_not_called_again(effects, tmp_path):
    outcome = sandbox.run(at_the_clock(*TIMES), seed=1, out=tmp_path / "run")
    assert not outcome.error and effects == ["a", "a", "fails", "b"]
    assert answered(tmp_path / "run") == [
        (1, '{"part": "a"}', "a: 1 ?", False), (1, '{"part": "a"}', "a: 2 ?", False),
        (1, '{"part": "fails"}', "ValueError: failed 3 times ?", True), (4, '{"part": "b"}', "b: 4 ?", False),
    ]  # fmt: skip
    verdict = verify(tmp_path / "run")
    assert verdict.passed, verdict.summary
    with open_run(tmp_path / "run") as run:
        assert [model.ticks for model in replay(run)][-1] == outcome.ticks
    assert len(effects) == 4


def test_samples_that_call_side_by_side_get_their_own_answers(effects, tmp_path):
    sandbox.run(at_the_clock(*TIMES, samples=3), seed=1, out=tmp_path / "run")
    made = len(effects)
    assert made >= 4 and verify(tmp_path / "run").passed and len(effects) == made


@pytest.mark.parametrize("tick", [1, 3, 4])
def test_a_run_goes_on_without_calling_again(effects, tmp_path, tick):
    def stop(model):
        if model.ticks == tick:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run(at_the_clock(*TIMES), seed=1, out=tmp_path / "run", on_tick=stop)
    with pytest.raises(UsageError, match=f"the record .* asks for functions '{__name__}:clock' .*not allowed"):
        sandbox.resume(tmp_path / "run")
    sandbox.resume(tmp_path / "run", allow=f"functions={__name__}")
    assert effects == ["a", "a", "fails", "b"] and verify(tmp_path / "run").passed and len(effects) == 4


def test_an_effect_of_a_tick_that_was_broken_off_happens_once(effects, tmp_path):
    """Ctrl-C after the clock was asked, before the tick was over: the tick is made again, the clock is not asked."""
    lines = "left", use("clock", part="a"), use("interrupt"), "left"
    with pytest.raises(KeyboardInterrupt):
        sandbox.run(at_the_clock(*lines), seed=1, out=tmp_path / "run")
    assert effects == ["a", "interrupt"] and len(answered(tmp_path / "run")) == 1
    sandbox.resume(tmp_path / "run", allow=f"functions={__name__}")
    assert effects == ["a", "interrupt", "interrupt"]
    assert [told for _, _, told, _ in answered(tmp_path / "run")] == ["a: 1 ?", "done"]
    assert verify(tmp_path / "run").passed and len(effects) == 3


def test_a_record_without_answers_calls_nothing_that_is_not_allowed(effects, tmp_path, monkeypatch):
    """As records of old are."""
    monkeypatch.setattr(trial, "record_tools", lambda model, log: None)
    table = scenario([use("clock", part="a"), "left"], {f"{__name__}:clock": {}})
    sandbox.run(table, seed=1, out=tmp_path / "run")
    assert effects == ["a"] and not answered(tmp_path / "run")
    verdict = verify(tmp_path / "run")
    told = f"no record has a function called; --allow functions={__name__}:clock does"
    assert told in verdict.summary and effects == ["a"]
    verify(tmp_path / "run", allow=Grant.of(f"functions={__name__}"))
    assert effects == ["a", "a"]


def test_a_call_that_is_not_recorded_is_not_made_in_a_replay(effects):
    known = ToolUse(1, 0, "clock", '{"part": "a"}', "then", False)
    functions = Functions([known], until=2)
    asked = Function(f"{__name__}:clock", functions, 0, lambda: 1)
    assert functions.call(asked, {"part": "a"}, 1, 0) == "then"
    with pytest.raises(RecordError, match='tool clock: tick 2, agent 0: no answer to {"part": "a"} is recorded'):
        functions.call(asked, {"part": "a"}, 2, 0)
    assert functions.call(asked, {"part": "a"}, 3, 0) == "a: 1 ?" and effects == ["a"]

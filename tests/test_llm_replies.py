"""Replies as servers really send them: what is unambiguous is read, all else is refused, and the trace says how."""

import json
import time

import pytest
from fake_llm import Server, completion, send, tool_call
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.agents.llm import reasoner
from sandbox.agents.llm.actions import Actions, Unusable
from sandbox.agents.llm.parsing import named_in, tidy
from sandbox.agents.llm.request import Reply, object_in
from sandbox.core.errors import UsageError
from sandbox.core.speech import Act
from sandbox.record import open_run
from sandbox.running.replay import verify

OBJECT = '{"reason": "r", "verb": "click", "target": 1}'
OTHER = '{"reason": "r", "verb": "click", "target": 2}'
TASK = "Click the field first."
HARMONY = f"<|channel|>analysis<|message|>{TASK}<|end|><|start|>assistant<|channel|>final<|message|>{OBJECT}<|return|>"


def content(text) -> dict:
    return {"content": text}


def called(*calls: tuple[str, object]) -> dict:
    """Native calls; arguments may be of any type."""
    return {"tool_calls": [{"function": {"name": name, "arguments": given}} for name, given in calls]}


READ = {  # what a server sends, for a click on 1, and how it is read
    "as asked": (content(OBJECT), ""),
    "pretty": (content(json.dumps(json.loads(OBJECT), indent=2) + "\n"), ""),
    "BOM": (content("\ufeff" + OBJECT), ""),
    "padding": (content(OBJECT + "\x00\x00\n\n"), ""),
    "fence": (content(f"```json\n{OBJECT}\n```"), "fenced"),
    "fence without language": (content(f"```\n{OBJECT}\n```"), "fenced"),
    "tildes": (content(f"~~~json\n{OBJECT}\n~~~"), "fenced"),
    "open fence": (content(f"```json\n{OBJECT}"), "fenced"),
    "fence in prose": (content(f"Sure! Here it is:\n\n```json\n{OBJECT}\n```\nGood luck!"), "prose"),
    "prose": (content(f"I'd say \"click\": {OBJECT} - that's it."), "prose"),
    "braces in prose": (content(f"Of {{1, 2}} I take the first, {{as told: {OBJECT}"), "prose"),
    "braces in text": (content('{"reason": "a } and a { and \\"", "verb": "click", "target": 1}'), ""),
    "answer tag": (content(f"<answer>{OBJECT}</answer>"), "prose"),
    "twice": (content(f"{OBJECT}\n{OBJECT}"), "repeated"),
    "twice, other words": (content(f"{OBJECT}\n" + OBJECT.replace('"r"', '"s"')), "repeated"),
    "beside an illegal one": (content(OBJECT + '{"verb": "click", "target": 0}'), "repeated"),
    "beside another object": (content('{"plan": ["click", "type"]}\n' + OBJECT), "repeated"),
    "list of one": (content(f"[{OBJECT}]"), "list"),
    "double braces": (content("{" + OBJECT + "}"), "double braces"),
    "quoted": (content(json.dumps(OBJECT)), "quoted"),
    "wrapped": (content(f'{{"action": {OBJECT}}}'), "wrapped"),
    "wrapped beside thoughts": (content(f'{{"thought": "t", "name": "Ada", "action": {OBJECT}}}'), "wrapped"),
    "tool_calls as text": (content('{"tool_calls": [{"name": "click", "arguments": {"target": 1}}]}'),
                           "wrapped, tool call as text"),
    "wrapped as text": (content(json.dumps({"action": OBJECT})), "wrapped"),
    "think": (content(f"<think>{TASK}</think>\n\n{OBJECT}"), ""),
    "think, then fence": (content(f"<think>\n{TASK}\n</think>\n```json\n{OBJECT}\n```"), "fenced"),
    "think is not opened": (content(f"{TASK}</think>{OBJECT}"), ""),
    "think has a draft": (content(f"<think>{TASK} {OTHER}</think>{OBJECT}"), ""),
    "think in think": (content(f"<think>The tag <think> is mine. </think> {TASK}</think>{OBJECT}"), ""),
    "think after": (content(f"{OBJECT}<think>{TASK}</think>"), ""),
    "thinking": (content(f"<Thinking>{TASK}</Thinking>{OBJECT}"), ""),
    "reasoning tag": (content(f"<reasoning>{TASK}</reasoning>{OBJECT}"), ""),
    "magistral": (content(f"[THINK]{TASK}[/THINK]{OBJECT}"), ""),
    "kimi": (content(f"◁think▷{TASK}◁/think▷{OBJECT}"), ""),
    "harmony": (content(HARMONY), "prose"),
    "tag in a text": (content('{"reason": "</think>", "verb": "click", "target": 1}'), ""),
    "reasoning field": ({"reasoning": TASK, **content(OBJECT)}, ""),
    "reasoning_content": ({"reasoning_content": TASK, **content(OBJECT)}, ""),
    "reasoning in parts": ({"reasoning": [{"type": "reasoning.text", "text": TASK}], **content(OBJECT)}, ""),
    "thinking field": ({"thinking": TASK, **content(OBJECT)}, ""),
    "reasoning_details": ({"reasoning_details": [{"type": "reasoning.text", "text": TASK}], **content(OBJECT)}, ""),
    "null beside reasoning": ({"reasoning": f"{TASK} {OBJECT}", "content": None}, "reasoning, prose"),
    "null beside reasoning_content": ({"reasoning_content": OBJECT, "content": None}, "reasoning"),
    "empty beside reasoning": ({"reasoning_content": f"```json\n{OBJECT}\n```", "content": ""}, "reasoning, fenced"),
    "all in an open think": (content(f"<think>{OBJECT}"), "reasoning"),
    "parts": (content([{"type": "text", "text": OBJECT[:20]}, {"type": "text", "text": OBJECT[20:]}]), ""),
    "parts with thinking": (
        content([{"type": "thinking", "thinking": [{"text": TASK}]}, {"type": "text", "text": OBJECT}]), ""
    ),
    "output_text": (content([{"type": "output_text", "text": OBJECT}]), ""),
    "object as content": (content(json.loads(OBJECT)), ""),
    "call of the verb": (tool_call("click", '{"reason": "r", "target": 1}'), "tool call"),
    "call with the whole object": (tool_call("action", OBJECT), "tool call"),
    "call of the verb with the whole object": (tool_call("click", OBJECT), "tool call, extra keys"),
    "call without id": (called(("click", '{"target": 1}')), "tool call"),
    "arguments as an object": (called(("click", {"target": 1})), "tool call"),
    "arguments as quoted text": (called(("click", json.dumps('{"target": 1}'))), "tool call"),
    "call with a prefix": (called(("functions.click:0", {"target": 1})), "tool call"),
    "function_call": ({"function_call": {"name": "click", "arguments": '{"target": 1}'}}, "tool call"),
    "call beside prose": ({**content("I click."), **tool_call("click", '{"target": 1}')}, "tool call"),
    "call beside the same text": ({**content(OBJECT), **tool_call("click", '{"target": 1}')}, "tool call"),
    "same call twice": (called(("click", '{"target": 1}'), ("click", '{"target": 1}')), "tool call"),
    "call as text": (
        content('<tool_call>{"name": "click", "arguments": {"target": 1}}</tool_call>'), "prose, tool call as text"
    ),
    "call of the API as text": (
        content('{"id": "1", "type": "function", "function": {"name": "click", "arguments": "{\\"target\\": 1}"}}'),
        "wrapped, tool call as text",
    ),
    "parameters": (content('{"name": "click", "parameters": {"target": 1}}'), "tool call as text"),
    "extra keys": (content('{"thought": "hm", "verb": "click", "target": 1, "confidence": 0.9}'), "extra keys"),
    "nulls": (content('{"reason": null, "subgoal": null, "tool": null, "verb": "click", "target": 1}'), "null"),
    "number as text": (content('{"verb": "click", "target": "1"}'), "number as text"),
    "float": (content('{"verb": "click", "target": 1.0}'), ""),
    "float as text": (content('{"verb": "click", "target": " 1.0 "}'), "number as text"),
    "no reason": (content('{"verb": "click", "target": 1}'), ""),
    "fields that a server adds": ({**content(OBJECT), "audio": None, "annotations": [], "tool_calls": []}, ""),
}  # fmt: skip

REFUSED = {  # what a server sends, and what is told
    "two objects": (content(f"{OBJECT}\n{OTHER}"), "expected one action, got 'click 1' and 'click 2'"),
    "two in a list": (content(f"[{OBJECT}, {OTHER}]"), "expected one action"),
    "two holders": (content(f'{{"action": {OBJECT}, "response": {OTHER}}}'), 'expected an object with a "verb"'),
    "held by another name": (content(f'{{"rejected": {OTHER}, "why": "no"}}'), 'expected an object with a "verb"'),
    "two fences": (content(f"```json\n{OTHER}\n```\nNo:\n```json\n{OBJECT}\n```"), "expected one action"),
    "two calls": (called(("click", '{"target": 1}'), ("click", '{"target": 2}')), "expected one action"),
    "call beside another text": ({**content(OTHER), **tool_call("click", '{"target": 1}')}, "expected one action"),
    "call of one verb with another": (tool_call("click", '{"verb": "wait", "target": 1}'), "expected one action"),
    "drafts in reasoning alone": ({"reasoning": OTHER + OBJECT, "content": None}, "expected one action"),
    "reasoning that goes on": ({"reasoning": OBJECT + " Or", "content": None}, "expected a JSON object"),
    "reasoning beside prose": ({"reasoning": OBJECT, "content": "I click."}, "expected a JSON object"),
    "cut": (content(OBJECT[:-4]), "expected a JSON object"),
    "cut after a draft": (content(f'{{"drafts": [{OTHER}], "verb": "cl'), "expected a JSON object"),
    "broken around a draft": (content(f'{{"drafts": [{OTHER}], "verb": click}}'), "expected a JSON object"),
    "cut in reasoning": (content("<think>I wonder"), "expected a JSON object"),
    "key twice": (content('{"verb": "click", "target": 1, "target": 2}'), "each key once"),
    "verb twice": (content('{"verb": "click", "target": 1, "verb": "click"}'), "each key once"),
    "NaN": (content('{"verb": "click", "target": 1, "p": NaN}'), "finite numbers"),
    "infinity": (content('{"verb": "click", "target": 1, "p": 1e999}'), "finite numbers"),
    "surrogate": (content('{"verb": "click", "target": 1, "reason": "\\ud800"}'), "Unicode text"),
    "surrogate as verb": (content('{"verb": "\\ud800"}'), "Unicode text"),
    "surrogate in a call": (tool_call("click", '{"target": 1, "reason": "\\udfff"}'), "expected a JSON object"),
    "raw surrogate": (content('{"verb": "\ud800"}'), "unknown action '?'"),
    "long number": (content('{"verb": "click", "target": %s}' % ("1" * 5000)), "expected a JSON object"),
    "single quotes": (content("{'verb': 'click', 'target': 1}"), "expected a JSON object"),
    "trailing comma": (content('{"verb": "click", "target": 1,}'), "expected a JSON object"),
    "target is null": (content('{"verb": "click", "target": null}'), "'target' is a required property"),
    "target is half": (content('{"verb": "click", "target": 1.5}'), "1.5"),
    "target is half as text": (content('{"verb": "click", "target": "1.5"}'), "'1.5'"),
    "target is true": (content('{"verb": "click", "target": true}'), "True"),
    "target is words": (content('{"verb": "click", "target": "one"}'), "'one'"),
    "another word for verb": (content('{"action": "click", "target": 1}'), 'expected an object with a "verb"'),
    "the schema itself": (content('{"oneOf": [{"properties": {"verb": {"const": "click"}}}]}'), "with a"),
    "illegal": (content('{"verb": "click", "target": 0}'), "'click 0' has no effect now"),
    "unknown": (content('{"verb": "clik", "target": 1}'), "did you mean 'click'"),
    "words": (content("click 1"), "expected a JSON object"),
    "refusal": ({"content": None, "refusal": "I cannot."}, "expected a JSON object"),
    "nothing": (content(None), "expected a JSON object"),
    "unknown call": (tool_call("launch", "{}"), "unknown action 'launch'"),
    "call with no object": (tool_call("click", "[1]"), "expected a JSON object as arguments"),
    "nested": (content('{"a":' * 6000 + "1" + "}" * 6000), "expected a JSON object"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(reasoner, "BACK_OFF", 0.01)


def scenario(model: str, ticks: int = 1, **options) -> dict:
    llm = {"model": model, "timeout": 5.0, "retries": 0, "max_tokens": 100, **options}
    group = {"reasoner": "llm", "fallback": "idle", "llm": llm}
    return {"world": {"name": "web", "layout": "login-user", "max_ticks": ticks}, "agents": [group]}


def says(message: dict):
    return lambda server, handler, body: send(handler, completion(message))


def first_call(table: dict):
    """The first call of an episode, the action that was taken, and why the fallback acted."""
    model = sandbox.Sandbox(table, rng=1)
    model.step()
    assert model.error is None, model.error
    trace = model.latest.traces[0]
    return (
        trace.calls[0],
        [model.env.verbs[model.latest.actions[0, 0]], int(model.latest.actions[0, 1])],
        trace.fallback,
    )


@pytest.mark.parametrize("shape", READ)
def test_what_is_unambiguous_is_read(shape):
    message, how = READ[shape]
    with Server(says(message)) as server:
        call, action, fallback = first_call(scenario(f"local:{server.address}"))
        assert len(server.requests) == 1
    assert (action, fallback, call.error) == (["click", 1], "", "") and call.read == how
    if TASK in json.dumps(message):
        assert TASK in call.reply["thinking"] and TASK not in call.reply.get("text", ""), "reasoning stands apart"


CALLED = {  # where native calls were asked for: what comes, and how the click on 1 is read or what is told
    "as asked": (tool_call("click", '{"target": 1}'), "", None),
    "text": (content(f"```json\n{OBJECT}\n```"), "text, fenced", None),
    "call as text": (content('{"name": "click", "arguments": {"target": 1}}'), "text, tool call as text", None),
    "same call twice": (called(("click", {"target": 1}), ("click", '{"target": 1}')), "", None),
    "one of two is legal": (called(("click", '{"target": 0}'), ("click", '{"target": 1}')),
                            "text, repeated, tool call as text", None),
    "two calls": (called(("click", '{"target": 1}'), ("click", '{"target": 2}')), None, "expected one action"),
    "call beside a text": ({**content(OTHER), **tool_call("click", '{"target": 1}')}, None, "expected one action"),
    "prose": (content("I click."), None, "no tool was called"),
    "no name": (called((None, "{}")), None, "no tool was called"),
}  # fmt: skip


@pytest.mark.parametrize("shape", CALLED)
def test_native_calls_are_read_by_the_same_rules(shape, monkeypatch):
    message, how, told = CALLED[shape]
    with Server(says(message)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        call, action, _ = first_call(scenario("openai:gpt-5.2"))
    assert told in call.error if told else (action, call.error) == (["click", 1], "")
    assert how is None or call.read == how


OBJECT_SENT = {"choices": [{"message": {"role": "assistant", "content": OBJECT}}]}
BODIES = {  # whole completions, as they leave out or add what they like
    "next to nothing": json.dumps(OBJECT_SENT).encode(),
    "BOM": b"\xef\xbb\xbf" + json.dumps(OBJECT_SENT).encode(),
    "blanks": b"\n\n " + json.dumps(OBJECT_SENT).encode(),
    "nulls": json.dumps(OBJECT_SENT | dict.fromkeys(["id", "object", "created", "model", "usage"])).encode(),
    "usage as text": json.dumps(OBJECT_SENT | {"usage": {"prompt_tokens": "5", "completion_tokens": 1}}).encode(),
    "another finish": json.dumps({"choices": [{**OBJECT_SENT["choices"][0], "finish_reason": "eos"}]}).encode(),
    "no choices": b'{"choices": []}',
    "choices of text": b'{"choices": ["x"]}',
    "choices by name": b'{"choices": {"message": {}}}',
    "calls of nothing": b'{"choices": [{"message": {"tool_calls": [7]}}]}',
}


@pytest.mark.parametrize("name", BODIES)
def test_completions_are_read_whatever_else_they_hold(name):
    with Server(lambda server, handler, body: send(handler, BODIES[name])) as server:
        call, action, _ = first_call(scenario(f"local:{server.address}"))
    if OBJECT in BODIES[name].decode(errors="ignore").replace("\\", ""):
        assert (action, call.error) == (["click", 1], "")
    else:
        assert "expected a completion, got" in call.error and call.reply is None
    assert call.input_tokens > 100, "where usage is not known, the worst case counts"


@pytest.mark.parametrize("shape", REFUSED)
def test_what_is_not_is_refused_and_says_why(shape):
    message, told = REFUSED[shape]
    with Server(says(message)) as server:
        call, action, fallback = first_call(scenario(f"local:{server.address}"))
    assert call.reply is not None and told in call.error and call.read == ""
    assert fallback == call.error and action == ["wait", 0]


def test_how_each_reply_was_read_is_recorded_and_verifies(tmp_path):
    """All shapes in one run: what was read live is read again from the record, without the server."""
    shapes = [*READ.values()]

    def behave(server, handler, body):
        says(shapes[len(server.requests) - 1][0])(server, handler, body)

    with Server(behave) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", len(shapes)), seed=1, out=tmp_path / "run")
    assert (outcome.error, outcome.fallbacks, outcome.calls) == (None, 0, len(shapes))
    with open_run(tmp_path / "run") as record:
        assert [call.read for call in record.milestones("call")] == [how for _, how in shapes]
    verdict = verify(tmp_path / "run")
    assert verdict.passed, verdict.summary


@pytest.mark.parametrize("text", [
    '{"verb": "\\ud800"}', '{"reason": "\\udfff", "verb": "click", "target": 1}',
    '{"verb": "click", "target": "\\ud800"}', '{"\\ud800": 1, "verb": "click", "target": 1}',
    '{"tool": "\\ud800", "arguments": {}}', '{"tool": "archival_insert", "arguments": {"text": "\\udc00\\ud83d"}}',
    '{"tool": "memory_insert", "arguments": {"label": "plan", "text": "\\ud800"}}',
    '{"tool": "code", "arguments": {"lines": ["print(\\"\\ud800\\")"]}}',
])  # fmt: skip
def test_a_lone_surrogate_is_the_agents_own_failure(text, tmp_path):
    """It is in no text of a record, so it must reach neither a trace nor a memory nor a tool."""
    table = scenario("scripted", replies=[{"text": text}] * 3)
    table["agents"][0] |= {"memory": {"kind": "blocks", "blocks": [{"label": "plan"}]}, "tools": {"code": {}}}
    outcome = sandbox.run(table, seed=1, out=tmp_path / "run")
    assert (outcome.error, outcome.finish) == (None, "tick limit") and outcome.fallbacks == outcome.ticks == 1
    assert verify(tmp_path / "run").passed


ODD = [
    '"\\ud800"', '"\\u0000"', "NaN", "1" + "0" * 400, "1" * 5_000, str(2**31), "null", "[" * 60 + "]" * 60,
    '{"a":' * 500 + "1" + "}" * 500, '"' + "x" * 50_000 + '"', '"\\u202e\\u2028 \\u001b[2J\\nfinished, chain intact"',
    '{"\\ud800": "\\udfff"}',
]  # fmt: skip
FIELDS = [
    "{}", '{"verb": {}}', '{"verb": "left", "target": {}}', '{"verb": "left", "reason": {}}',
    '{"verb": "left", "subgoal": {}}',
    '{"tool": {}}', '{"tool": "tell", "arguments": {}}', '{"tool": "tell", "arguments": {"text": {}}}',
    '{"tool": "tell", "arguments": {"text": "a", "to": {}}}', '{"tool": "done", "arguments": {"name": {}}}',
    '{"tool": "bid", "arguments": {"name": "deliver 0", "to": "robot-1", "cost": {}}}',
    '{"name": {}, "arguments": {}}',
    '{"tool": "memory_insert", "arguments": {"label": {}, "text": {}}}',
    '{"tool": "code", "arguments": {"lines": [{}]}}',
    '{"tool": "archival_insert", "arguments": {"text": {}, "importance": {}}}', '{"action": {}}',
    '{"tool": "calculator", "arguments": {"expression": {}}}', '{"tool": "memory_summary", "arguments": {"text": {}}}',
]  # fmt: skip
PROGRAMS = [  # what they print, say and name
    "print(chr(0xd800))", "tell(chr(0xd800))", "act(chr(0xdfff))", "raise KeyError(chr(0xd800))", "act(10**400)",
    "print('\\x1b[2J' + 'x' * 10**6)", "bid('deliver 0', 'robot-1', 10**30)",
    "left(float('nan'))", "see()[chr(0xd800)]",
]  # fmt: skip
CODE = [json.dumps({"tool": "code", "arguments": {"lines": [line]}}) for line in PROGRAMS]


@pytest.mark.parametrize("odd", [*ODD, None])
def test_no_reply_voids_the_trial_of_its_agent(odd, tmp_path):
    """Whatever is in whichever field: the trial goes on, is recorded, and comes out the same again."""
    lines = CODE if odd is None else [field.replace("{}", odd) for field in FIELDS]
    table = scenario("scripted", replies=[{"text": text} for text in lines], retries=0, tool_calls=1, subgoal=50)
    blocks = {"kind": "blocks", "blocks": [{"label": "plan"}]}
    table["world"] = {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": len(lines)}
    table["agents"][0] |= {"count": 2, "memory": blocks, "tools": {"code": {"ticks": 1}, "calculator": {}}}
    table["team"] = {"protocol": "market"}
    outcome = sandbox.run(table, seed=1, out=tmp_path / "run")
    assert (outcome.error, outcome.finish, outcome.ticks) == (None, "tick limit", len(lines))
    verdict = verify(tmp_path / "run")
    assert verdict.passed, verdict.summary


def test_a_cost_that_no_message_holds_is_the_speakers_own_mistake():
    model = sandbox.Sandbox({**scenario("scripted", replies=[{"verb": "wait"}]), "team": {}}, seed=1)
    ((_, reasoner),) = [(rows, each) for rows, each in model.reasoners if hasattr(each, "minds")]
    speech = reasoner.minds[0].speech
    for cost in (2**31, 10**30, -2, "1"):
        with pytest.raises(UsageError, match="cost"):
            speech._say(Act.BID, "all", value=cost)
    assert speech.taken() == ()


# -- the text alone ----------------------------------------------------------------------------------------------------

PIECES = st.sampled_from([
    OBJECT, OTHER, "{", "}", "[", "]", '"', "\\", "```json\n", "```", "<think>", "</think>", '{"verb": "click", ', ":",
    ",", '"target": 1}', "null", "NaN", "\\ud800", "\ud800", "\ufeff", " ", "\n", '{"name": "click", "arguments": ',
    "1e999", "<|channel|>final<|message|>", '{"tool": "calc", "arguments": "{}"}', '"function": ',
])  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join)


@pytest.fixture(scope="module")
def page():
    env = sandbox.make("web", layout="login-user")
    extras = [{"name": "calc", "description": "", "parameters": {"type": "object", "properties": {}}}]
    return Actions(env.world, env.params, {"reason": 20}, extras), env.observe(env.reset([1])).mask[0, 0]


@given(text=TEXTS, tool=st.sampled_from(["", "click", "action", "calc", "\ud800"]), arguments=TEXTS, thinking=TEXTS,
       hosted=st.booleans())  # fmt: skip
def test_any_text_is_an_action_or_unusable(page, text, tool, arguments, thinking, hosted):
    actions, mask = page
    reply = tidy(Reply(text, tool, arguments, thinking))
    assert tidy(reply)[1:3] == reply[1:3], "what is read is what is kept"
    try:
        said, read = actions.read(reply, mask, hosted)
    except Unusable as error:
        assert "\n" not in str(error) or str(error).encode()
        return
    read.encode()
    assert said.name in actions.extras if hasattr(said, "name") else mask[said.verb * actions.targets + said.target]


HOSTILE = [
    "{", '{"', '{"a":', '{"\\"', "{ ", '{   "', '{a"', "{}", "}", "[", '"', '\\"', "<think>", "</think>", "<think ",
    "``` ", " ", "<|channel|>", '{"a":{}', '{"a":[', '{"verb":', '{"a":"', '"\\', "{{", '{"a":1,"a":', "9" * 50,
    "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_is_proportional_to_the_text(page, piece):
    """20,000 characters, and ten times as much: a reading that were quadratic would take a minute for the latter."""
    actions, mask = page
    started = time.process_time()
    texts = [piece * (200_000 // len(piece)), '{"' + piece * (20_000 // len(piece)), piece * 4000 + "}" * 4000]
    texts += [piece * deep + "0" + close * deep for deep in (90, 980) for close in ("}", "}]")]
    for text in [*texts, *('{"verb": "click", "target": %s}' % text for text in texts)]:  # noqa: UP031
        for reply in (Reply(text), Reply(tool="click", arguments=text), Reply(thinking=text), Reply(json.dumps(text))):
            with pytest.raises(Unusable):
                actions.read(tidy(reply), mask, False)
    assert time.process_time() - started < 5


def test_objects_are_those_of_i_json():
    assert object_in('{"a": [1, 1.5, null, {"b": "\\ud83d\\ude00"}]}') == {"a": [1, 1.5, None, {"b": "\U0001f600"}]}
    wrong = ['{"a": 1, "a": 1}', '{"a": {"b": 1, "b": 2}}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}']
    wrong += ['{"a": "\\ud800"}', '{"\\udc00": 1}', "[1]", "1", "", '{"a": %s}' % ("1" * 5000), '{"a":' * 9000]
    assert [object_in(text) for text in wrong] == [None] * len(wrong)
    assert named_in(Reply('{"verb": "a"}'), {"a"}, False)[0].name == "a"

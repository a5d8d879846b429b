"""The reasoner ``llm``, with scripted models: actions, repair, fallback, budgets, thinking time, samples, record."""

import json
import pickle
import sqlite3
import sys
from contextlib import closing

import pytest

import sandbox
from sandbox.agents.llm.actions import Actions, Unusable
from sandbox.agents.llm.budget import OVERHEAD
from sandbox.agents.llm.parsing import LONGEST, tidy
from sandbox.agents.llm.request import Reply
from sandbox.cli.prompt import first_requests
from sandbox.core.errors import UsageError
from sandbox.record import CallDone, canonical, open_run
from sandbox.record.events import parse
from sandbox.running.replay import replay, verify
from sandbox.scenario import load

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 40}


def scenario(*lines, count=1, **options) -> dict:
    """Robots whose model says ``lines``, each a verb or a table."""
    replies = [{"verb": line} if isinstance(line, str) else line for line in lines]
    llm = {"model": "scripted", "replies": replies, **options}
    return {"world": WORLD, "agents": [{"count": count, "reasoner": "llm", "fallback": "rules", "llm": llm}]}


def played(table: dict, ticks: int, seed: int = 3) -> tuple[sandbox.Sandbox, list[str]]:
    """The model after some ticks, and the verbs of agent 0; '-' where the fallback acted."""
    model, verbs = sandbox.Sandbox(table, rng=seed), []
    for _ in range(ticks):
        model.step()
        assert model.error is None, model.error
        trace = model.latest.traces.get(0)
        verbs.append("-" if trace and trace.fallback else model.env.verbs[model.latest.actions[0, 0]])
    return model, verbs


# -- actions -----------------------------------------------------------------------------------------------------------


def test_a_script_is_played_and_its_reasons_are_kept():
    model, verbs = played(scenario("left", {"verb": "right", "reason": "there is a shelf"}), 2)
    assert verbs == ["left", "right"]
    assert model.latest.traces[0].thought == "there is a shelf"
    (call,) = model.latest.traces[0].calls
    assert call.tick == 2 and json.loads(call.reply["text"])["verb"] == "right" and "You are robot 0" in call.prompt
    assert (model.usage.calls, model.usage.fallbacks) == (2, 0)


def test_what_is_no_action_is_repaired_within_the_retries():
    junk = [{"text": text} for text in ("", "left", "[" * 5000, '{"verb": 7}', '{"verb": "lift"}')]
    model, verbs = played(scenario(*junk[:2], "left", *junk[2:], "right"), 3)
    assert verbs == ["left", "-", "right"]
    assert model.usage.calls == 7 and model.usage.fallbacks == 1
    asked = model.latest.traces[0].calls[0].prompt
    assert "could not be used" not in asked, "a new decision begins with a plain prompt"


def test_the_model_is_told_what_was_wrong():
    model, _ = played(scenario({"verb": "lift"}, "left"), 1)
    first, second = model.latest.traces[0].calls
    assert "unknown action 'lift'" in first.error and "unknown action 'lift'" in second.prompt
    assert second.prompt.startswith(first.prompt) and second.error == ""


def test_without_a_usable_reply_the_named_policy_acts():
    """Episodes that only the fallback plays are those of the policy, tick for tick."""
    params = {"world": WORLD, "agents": [{"count": 2, "reasoner": "rules"}]}
    assert sandbox.run(params, seed=3).digest == sandbox.run(scenario(count=2), seed=3).digest
    outcome = sandbox.run(scenario(count=2), seed=3)
    assert outcome.success and outcome.fallbacks == 2 * outcome.ticks and outcome.calls == 2 * 3


def test_masked_actions_are_refused_and_single_ones_not_asked():
    env = sandbox.make("warehouse", layout="tiny", agents=1)
    actions, mask = Actions(env.world, env.params, {"reason": 2}), env.observation(1).mask[0, 0]
    mask[[0, 2]] = True
    assert actions.read(Reply(text='{"verb": "left"}'), mask, hosted=False)[0][:2] == (2, 0)
    assert actions.read(Reply(tool="left", arguments='{"reason": "soon"}'), mask, hosted=True)[0][:3] == (2, 0, "so")
    for reply, hosted, told in [
        (Reply(text='{"verb": "forward"}'), False, "no effect"), (Reply(text="left"), True, "no tool"),
        (Reply(tool="left", arguments="[]"), True, "JSON object"), (Reply(tool="fly"), True, "unknown action"),
        (Reply(text='{"verb": ["left"]}'), False, "verb"),
        (Reply(tool="left", arguments="9" * 9000), True, "JSON object"),
    ]:  # fmt: skip
        with pytest.raises(Unusable, match=told):
            actions.read(reply, mask, hosted)
    assert [member["properties"]["verb"]["const"] for member in actions.schema(mask)["oneOf"]] == ["noop", "left"]
    assert len(tidy(Reply("x" * 10**7, arguments="\ud800")).text) == LONGEST


def test_targets_are_checked_too():
    env = sandbox.make("web", layout="click-button")
    mask = env.observe(env.reset([1])).mask[0, 0]
    actions = Actions(env.world, env.params, {})
    first = env.world.legal(mask)["click"][0]
    for target in (first, f"{first}.0", f'"{first}"', f'" {first}.0"'):
        reply = Reply(tool="click", arguments=f'{{"target": {target}}}')
        assert actions.read(reply, mask, True)[0].target == first
    for target in (
        "true",
        '"1.5"',
        '"one"',
        '"-1"',
        '"\u0661"',
        '"0x1"',
        "[1]",
        "1.5",
        "-1",
        "1e99",
        "null",
        "NaN",
        "48",
    ):
        with pytest.raises(Unusable):
            actions.read(Reply(tool="click", arguments=f'{{"target": {target}}}'), mask, True)
    with pytest.raises(Unusable, match="required"):
        actions.read(Reply(tool="click"), mask, True)


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_budgets_hold_to_the_token():
    price = {"input": 0.0, "output": 1e6}  # a dollar a token
    lines = [{"verb": "left", "tokens": 10}] * 30
    worst = sandbox.Sandbox(scenario(*lines), rng=3).reasoners[0][1]
    request = worst._prompts.request(worst.setup, sandbox.Sandbox(scenario(*lines), rng=3).percept(0), "x")
    most = sum(worst._ledger.worst(request)[:2])
    assert most > 512 + OVERHEAD
    for budget, calls in [({"calls": 0}, 0), ({"calls": 4}, 4), ({"tokens": most - 1}, 0), ({"money": 531.0}, 2)]:
        outcome = sandbox.run(scenario(*lines, budget=budget, price=price), seed=3)
        assert outcome.calls == calls and outcome.error is None and outcome.fallbacks == outcome.ticks - calls
        assert outcome.tokens <= budget.get("tokens", 1e9) and outcome.money <= budget.get("money", 1e9)


def test_a_scarce_budget_goes_to_agents_in_order():
    """Two fit at once, so the others ask when these have come cheaper; nobody's share depends on timing."""
    one = sandbox.run(scenario("left", budget={"calls": 1}), seed=3)
    model, _ = played(scenario({"verb": "left", "tokens": 1}, count=4, budget={"calls": 3}), 1)
    assert one.calls == 1 and sorted(model.latest.traces) == [0, 1, 2, 3]
    assert [bool(model.latest.traces[row].fallback) for row in range(4)] == [False, False, False, True]


def test_thinking_takes_ticks():
    model, verbs = played(scenario("left", "right", thinking={"ticks": 2}), 6)
    assert verbs == ["noop", "noop", "left", "noop", "noop", "right"] and model.usage.late_decisions == 2
    lines = [{"verb": "left", "tokens": 25}, {"verb": "right", "tokens": 9}]
    model, verbs = played(scenario(*lines, thinking={"tokens_per_tick": 10}), 4)
    assert verbs == ["noop", "noop", "left", "right"] and model.usage.late_decisions == 1


def test_of_several_samples_the_most_frequent_action_is_taken():
    model, verbs = played(scenario("left", {"text": "?"}, "right", "right", "noop", samples=4, retries=1), 1)
    assert verbs == ["right"] and model.usage.calls == 5
    assert [(call.sample, call.attempt) for call in model.latest.traces[0].calls] == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 0),
        (3, 0),
    ]
    assert len({call.key for call in model.latest.traces[0].calls}) == 5


def test_a_judge_takes_one_of_the_samples():
    """It may take no other action; where it fails, the samples vote."""
    lines = ["left", "right", "left", "noop", {"verb": "right", "reason": "shorter", "tokens": 7}]
    model, verbs = played(scenario(*lines, samples=3, choose="judge"), 1)
    calls = model.latest.traces[0].calls
    assert verbs == ["right"] and [(call.sample, call.attempt) for call in calls] == [
        (0, 0), (1, 0), (2, 0), (3, 0), (3, 1)]  # fmt: skip
    assert "'noop' has no effect" in calls[3].error and "- left: no reason\n- right: no reason" in calls[3].prompt
    assert (model.latest.traces[0].thought, model.usage.tokens) == ("shorter", 7), "its price is shown"
    _, verbs = played(scenario("left", "right", "right", *[{"text": "?"}] * 3, samples=3, choose="judge"), 1)
    assert verbs == ["right"]
    model, verbs = played(scenario("left", "left", samples=2, choose="judge"), 1)
    assert verbs == ["left"] and model.usage.calls == 2, "where all agree nobody is asked"


def test_a_judge_reads_when_all_samples_are_written():
    lines = [{"verb": "left", "tokens": 10}, {"verb": "right", "tokens": 20}, {"verb": "left", "tokens": 10}]
    thinking = {"tokens_per_tick": 10}
    assert played(scenario(*lines, samples=2, choose="judge", thinking=thinking), 4)[1] == ["noop"] * 3 + ["left"]


def test_a_sub_goal_is_kept_until_another_is_set():
    lines = [{"verb": "left", "subgoal": "find shelf 3"}, "right", {"verb": "left", "subgoal": "x" * 99}, "left"]
    model, asked = sandbox.Sandbox(scenario(*lines, subgoal=20), rng=3), []
    for _ in lines:
        model.step()
        asked.append(model.latest.traces[0].calls[0].prompt.partition("set yourself: ")[2])
    assert asked == ["", "find shelf 3", "find shelf 3", "x" * 20]
    assert model.latest.traces[0].subgoal == "x" * 20


def test_a_model_can_be_pickled_in_the_middle():
    model, _ = played(scenario("left", "right", "left", "noop", thinking={"ticks": 1}), 3)
    other = pickle.loads(pickle.dumps(model))
    for _ in range(5):
        model.step()
        other.step()
        assert model.latest.digest == other.latest.digest and model.usage == other.usage


# -- the record --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llm") / "run"
    lines = ["left", {"text": "\x00 \U0001f600"}, "right", {"error": "429"}, {"verb": "left", "tokens": 30}]
    outcome = sandbox.run(scenario(*lines, count=2, thinking={"tokens_per_tick": 10}), seed=3, out=folder)
    assert outcome.calls > 10 and outcome.fallbacks and outcome.late_decisions == 2
    return folder


def test_every_call_is_in_the_chain_and_verifies(run):
    with open_run(run) as record:
        calls = list(record.milestones("call"))
        (begun,) = record.milestones("model")
        assert begun.agents == (0, 1) and "robot" in begun.instructions
        assert len(calls) == record.outcomes[0]["calls"] and all(isinstance(call, CallDone) for call in calls)
        assert sum(1 for _ in replay(record)) == record.outcomes[0]["ticks"] + 1
    verdict = verify(run)
    assert verdict.passed and verdict.ticks > 10, verdict.summary


def test_calls_of_earlier_records_are_read(run):
    """They do not say how a reply was read."""
    with open_run(run) as record:
        call = next(call for call in record.milestones("call") if call.reply and not call.error)
    table = json.loads(canonical(call))
    assert (table.pop("read"), table.pop("without")) == ("", "")
    assert parse(json.dumps(table).encode()) == call


@pytest.mark.parametrize(("name", "place"), [
    ("system", "trial 0: a language model receives another prompt (instructions: "),
    ("json", "trial 0: a language model receives another prompt (instructions: "),
    ("turn", "tick 1, agent 0, attempt 0: the prompt or its settings are not the recorded ones"),
    ("repair", "tick 2, agent 0, attempt 1: the prompt or its settings are not the recorded ones"),
])  # fmt: skip
def test_one_changed_character_in_a_prompt_fails_closed(run, name, place, monkeypatch):
    from sandbox.agents.llm import prompts

    original = prompts._file
    monkeypatch.setattr(prompts, "_file", lambda each: original(each) + ("!" if each == name else ""))
    verdict = verify(run)
    assert not verdict.passed and place in verdict.differs


def test_a_call_that_is_missing_fails_closed(run, monkeypatch):
    from sandbox.record.read import Run

    original = Run.milestones

    def without_one(self, *kinds, **of):
        return [event for event in original(self, *kinds, **of) if getattr(event, "tick", 0) != 2]

    monkeypatch.setattr(Run, "milestones", without_one)
    assert "tick 2, agent 0, attempt 0: no call was recorded" in verify(run).differs


def test_a_forged_reply_breaks_the_chain(run, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "run.db").write_bytes((run / "run.db").read_bytes())
    with closing(sqlite3.connect(tmp_path / "copy" / "run.db")) as db:
        db.execute("UPDATE event SET body = replace(body, 'left', 'noop') WHERE kind = 'call'")
        db.commit()
    assert not verify(tmp_path / "copy").chain.intact


# -- scenarios ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("llm", "told"), [
    ({"model": "opnai:gpt"}, "did you mean 'openai'"), ({"model": "openai:"}, "expected openai: and a name"),
    ({"model": "local:here"}, "expected local:http"),
    ({"model": "scripted", "max_token": 1}, "did you mean 'max_tokens'"),
    ({"model": "scripted", "retries": 99}, "less than or equal to 10"), ({}, "llm.model: field required"),
    ({"model": "scripted", "thinking": {"ticks": 1, "tokens_per_tick": 9}}, "not both"),
    ({"model": "scripted:nowhere.toml"}, "no such file"),
    ({"model": "scripted", "prompts": {"sytem": ""}}, "did you mean 'system'"),
    ({"model": "gguf:nowhere.gguf"}, "no such file"), ({"model": "gemma:2b"}, "gemma without a name"),
    ({"model": "openai:gpt-5.2", "style": "base"}, "not openai:"),
])  # fmt: skip
def test_bad_options_are_one_clear_line(llm, told):
    table = {"world": WORLD, "agents": [{"reasoner": "llm", "llm": llm}]}
    with pytest.raises(UsageError, match=told) as error:
        sandbox.Sandbox(table, rng=1)
    assert "\n" not in str(error.value)


def test_reasoner_and_model_belong_together():
    for group in ({"reasoner": "llm"}, {"reasoner": "rules", "llm": {"model": "scripted"}}):
        with pytest.raises(UsageError, match="belong together"):
            load({"world": WORLD, "agents": [group]}).env()
    with pytest.raises(UsageError, match="did you mean 'rules'"):
        load({"world": WORLD, "agents": [{"reasoner": "llm", "fallback": "rulez", "llm": {"model": "scripted"}}]}).env()


@pytest.mark.parametrize(("model", "key"), [
    ("openai:gpt-5.2", "OPENAI_API_KEY"), ("anthropic:claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
    ("google:gemini-2.5-flash", "GOOGLE_API_KEY"),
])  # fmt: skip
def test_a_missing_key_is_one_clear_line(model, key, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SANDBOX_MODEL", model)
    with pytest.raises(UsageError, match=key) as error:
        sandbox.Sandbox(scenario("left"), rng=1)
    assert "\n" not in str(error.value) and model in str(error.value)


@pytest.mark.parametrize(
    ("model", "extra"),
    [("openai:gpt-5.2", "llm"), ("local:http://127.0.0.1:1/v1", "llm"), ("gguf:x", "local"), ("gemma", "gemma")],
)
def test_a_missing_extra_is_one_clear_line(model, extra, monkeypatch):
    for name in ("hosted", "local_server"):
        monkeypatch.delitem(sys.modules, f"sandbox.agents.llm.{name}", raising=False)
    for package in ("pydantic_ai", "pydantic_ai.direct", "genai_prices", "xllamacpp"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf"pip install 'sandbox\[{extra}\]'"):
        sandbox.Sandbox(scenario("left", model=model), rng=1)


def test_scripts_are_files_too(tmp_path):
    (tmp_path / "replies.toml").write_text('[[replies]]\nverb = "left"\nreason = "so"\n')
    (tmp_path / "replies.json").write_text('[{"verb": "left", "reason": "so"}]')
    (tmp_path / "bad.json").write_text('{"verb": "left"}')
    text = '[world]\nname = "warehouse"\n[[agents]]\nreasoner = "llm"\nllm = { model = "scripted:FILE" }\n'
    for suffix in ("toml", "json"):
        (tmp_path / "s.toml").write_text(text.replace("FILE", f"replies.{suffix}"))
        assert load(tmp_path / "s.toml").agents[0].llm.replies[0].reason == "so"
    (tmp_path / "s.toml").write_text(text.replace("FILE", "bad.json"))
    with pytest.raises(UsageError, match="expected a list of replies"):
        load(tmp_path / "s.toml")


def test_the_first_prompt_can_be_read(root, monkeypatch):
    path = root / "scenarios" / "llm-web.toml"
    (told,) = first_requests(load(path))
    assert (
        list(told)[1:] == ["tick 1, agent 0", "schema of the reply"] and "click 1, 2, 4, 5" in told["tick 1, agent 0"]
    )
    monkeypatch.setenv("SANDBOX_MODEL", "openai:gpt-5.2")
    (told,) = first_requests(load(path), 0)
    assert list(told) == ["instructions to openai:gpt-5.2, the same in every tick", "tick 1, agent 0", "tools"]
    assert [tool["name"] for tool in json.loads(told["tools"])] == list(load(path).env().verbs)
    with pytest.raises(UsageError, match="agent 1 has no language model; agents that have one: 0"):
        list(first_requests(load(path), 1))


def test_faults_of_replies_reach_a_model_and_replay(tmp_path):
    """What a call cost is counted and recorded though its reply was lost; the replay loses the same replies."""
    table = scenario(*["left"] * 40, "junk") | {"perturb": {"tool_timeout": 1.0, "changed_schema": 1.0}}
    outcome = sandbox.run(table, seed=3, out=tmp_path / "run")
    assert outcome.error is None and outcome.calls >= outcome.ticks > 10
    assert verify(tmp_path / "run").passed and outcome.digest != sandbox.run(scenario(*["left"] * 40), seed=3).digest

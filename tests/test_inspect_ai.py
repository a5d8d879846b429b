"""Worlds in Inspect AI: models with real tool calls play seeds, with the digests of our own runs; approvals."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import forging
import pytest
from commands import told
from fake_llm import Server, completion, send, tool_call
from rules_decide import LOGIN, decisions, seen, wanted

import sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.running.replay import verify
from sandbox.running.transcript import transcript

if not os.environ.get("CI"):
    pytest.importorskip("inspect_ai")
worlds = import_module("sandbox.integrations.inspect")
inspect_ai, approval = import_module("inspect_ai"), import_module("inspect_ai.approval")
model = import_module("inspect_ai.model")

TEAM = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 40},
    "agents": [{"count": 2, "reasoner": "rules"}], "team": {"protocol": "concurrent"},
}  # fmt: skip


def calling(calls):
    """A model whose tool calls are those of a function of what it was told last, or text."""

    def answer(messages, tools, choice, config):
        last = messages[-1]
        told = calls(last.error.message if getattr(last, "error", None) else last.text)
        call = isinstance(told, tuple)
        made = model.ModelOutput.for_tool_call("mock", *told) if call else model.ModelOutput.from_content("mock", told)
        made.usage = model.ModelUsage(input_tokens=9, output_tokens=3, total_tokens=12)  # else a tokeniser is fetched
        return made

    return model.get_model("mockllm/model", custom_outputs=answer)


def evaluated(task, calls, tmp_path, **options):
    """The log of a task, read from its file."""
    (log,) = inspect_ai.eval(task, model=calling(calls), log_dir=str(tmp_path / "logs"), display="none", **options)
    assert log.status == "success", log.error
    return import_module("inspect_ai.log").read_eval_log(log.location)


def scored(log) -> list[dict]:
    return [sample.scores["outcome"].metadata for sample in sorted(log.samples, key=lambda each: (each.id, each.epoch))]


def test_the_same_decisions_give_the_same_digest_and_pass_k(tmp_path):
    seeds = list(range(5, 13))
    done, outcomes = decisions(LOGIN, seeds)
    task = worlds.task_of(LOGIN, len(seeds), 5, out=tmp_path / "runs")
    epochs = inspect_ai.Epochs(2, ["mean", "pass_k_2"])
    log = evaluated(task, lambda text: ("act", done[seen(text)]), tmp_path, epochs=epochs)
    assert [each["digest"] for each in scored(log)] == [outcomes[seed].digest for seed in seeds for _ in range(2)]
    assert all(each["own_decisions"] == each["ticks"] > 2 and not each["fallbacks"] for each in scored(log))
    found = {
        (each.name, each.reducer, name.removeprefix("sandbox/")): of.value
        for each in log.results.scores for name, of in each.metrics.items()
    }  # fmt: skip
    for reducer in ("mean", "pass_k_2"):
        assert found["success", reducer, "mean"] == found["success", reducer, "pass_hat"] == 1
    assert found["steps", "mean", "mean"] == sum(each.ticks for each in outcomes.values()) / len(seeds)
    assert all(verify(tmp_path / "runs" / name).passed for name in ("seed5", "seed5-2", "seed12"))


def test_a_model_that_stops_calling_has_left_and_its_episode_is_stopped(tmp_path):
    log = evaluated(worlds.task_of(LOGIN, 1, 5, out=tmp_path / "runs"), lambda text: "I would rather not.", tmp_path)
    (told,) = scored(log)
    assert (told["finish"], told["ticks"], told["success"], told["own_decisions"]) == ("stopped", 0, False, 0)
    value = log.samples[0].scores["outcome"].value
    assert value == {"success": 0.0, "steps": 20.0, "score": 0.5}, "the other half is to change nothing else"
    assert verify(tmp_path / "runs" / "seed5").passed and not worlds._taken


def test_wrong_calls_are_told_to_the_model_and_cost_no_tick(tmp_path):
    done, outcomes = decisions(LOGIN, [5])
    given = {"verb": "klick"}, {"verb": "click", "target": 10**6}
    wrong = iter([("act", given[0]), ("act", given[1]), ("legal", {}), ("observe", {})])
    told = []

    def calls(text):
        told.append(text)
        return next(wrong, None) or ("act", done[seen(text)])

    (made,) = scored(evaluated(worlds.task_of(LOGIN, 1, 5), calls, tmp_path))
    assert "did you mean 'click'" in told[1] and "expected 0.." in told[2] and "click 1, " in told[3]
    assert made["digest"] == outcomes[5].digest and made["ticks"] == made["own_decisions"]


def test_a_seat_in_a_team_speaks_and_the_others_follow_the_scenario(tmp_path):
    def calls(text):
        return ("say", {"text": "I take the left aisle."}) if "Tick 0." in text else ("act", {"verb": "noop"})

    (told,) = scored(evaluated(worlds.task_of(TEAM, 1, 3, agent=1, out=tmp_path / "runs"), calls, tmp_path))
    assert told["messages"] > 0 and told["own_decisions"] == told["ticks"] and told["success"], "the other one delivers"
    assert verify(tmp_path / "runs" / "seed3").passed


class Allows(Approvals):
    """Allows everything, at once."""

    def ask(self, questions):
        return [question.said for question in questions]


@pytest.mark.parametrize("effect", ["deny", "escalate"])
def test_the_scenarios_guard_rules_in_inspect_too(effect, tmp_path):
    """Denied: no-op in both. Escalated: as the next approver says; without one the call is rejected, for no tick."""
    script = [("click", 1), ("wait", 0), ("wait", 0)]
    own = {**LOGIN["agents"][0], "reasoner": "scripted", "script": ["click 1", "wait", "wait"]}
    rules = {"guard": [{"verb": "click", "effect": effect, "why": "pages change"}]}
    scenario = LOGIN | rules | {"world": {**LOGIN["world"], "max_ticks": 3}}
    expected = sandbox.run(scenario | {"agents": [own]}, 5, people=Allows())
    then = [approval.ApprovalPolicy(worlds.guard(), "*"), approval.ApprovalPolicy(approval.auto_approver(), "act")]

    def played(**options):
        acts, told = iter([*script, *script]), []

        def calls(text):
            told.append(text)
            verb, target = next(acts)
            return "act", {"verb": verb, "target": target}

        log = evaluated(worlds.task_of(scenario, 1, 5), calls, tmp_path, **options)
        return scored(log)[0], told, log

    made, _, log = played(approval=then)
    assert made["digest"] == expected.digest
    events = [each.decision for each in log.samples[0].events if each.event == "approval"]
    assert events == (["escalate"] if effect == "escalate" else []) + ["approve"] * 3
    made, told, _ = played()
    if effect == "deny":
        assert made["digest"] == expected.digest
    else:
        assert "No approval granted" in told[1] and made["digest"] != expected.digest
        unasked, *_ = played(approval="auto")
        nobody = sandbox.run(scenario | {"agents": [own]}, 5)
        assert unasked["digest"] == nobody.digest != expected.digest, "an approver that the guard did not ask"


def test_the_command_line_of_inspect_finds_every_world(tmp_path):
    """``inspect eval`` in a process of its own, with the client of a server for language models."""

    def behave(server, handler, body):
        target = wanted(body["messages"][-1]["content"])
        send(handler, completion(tool_call("act", json.dumps({"verb": "click", "target": target}))))

    with Server(behave) as server:
        around = {**os.environ, "FAKE_API_KEY": "none", "FAKE_BASE_URL": server.address, "INSPECT_DISPLAY": "plain"}
        done = subprocess.run(
            [Path(sys.executable).with_name("inspect"), "eval", "sandbox/web", "--model", "openai-api/fake/fake",
             "-T", "layout=click-button", "-T", "trials=2", "-T", "seed=5", "-T", "max_ticks=12",
             "--log-dir", str(tmp_path), "--log-format", "json"],
            capture_output=True, text=True, env=around, cwd=tmp_path, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    (file,) = tmp_path.glob("*.json")
    log = import_module("inspect_ai.log").read_eval_log(str(file))
    world = {"name": "web", "layout": "click-button", "max_ticks": 12}
    own = [sandbox.run({"world": world, "agents": [{"reasoner": "rules"}]}, seed) for seed in (5, 6)]
    assert [each["digest"] for each in scored(log)] == [each.digest for each in own]
    assert log.eval.task == "sandbox/web" and {"act", "observe", "legal"} <= _tools(server.requests[0])
    known = {each.removeprefix("sandbox/") for each in _registered()}
    assert {*sandbox.engine.registry.names(), "scenario"} <= known


# -- logs of our own runs ----------------------------------------------------------------------------------------------


def exported(folder, *options):
    """The log of a run, as Inspect reads it."""
    file = folder.with_suffix(".eval")
    assert told("export", folder, "eval", file, *options) == 0
    return import_module("inspect_ai.log").read_eval_log(str(file), resolve_attachments=True)


def test_a_run_with_a_model_is_a_log_of_inspect(tmp_path):
    forging.scripted(tmp_path / "run")
    log, shown = exported(tmp_path / "run"), transcript(tmp_path / "run")
    outcome = sandbox.results(tmp_path / "run").iloc[0]
    (sample,) = log.samples
    events = [event for event in sample.events if event.event == "model"]
    calls = [call for turn in shown.turns for call in turn.calls]
    assert [event.input[0].text for event in events] == [call.prompt for call in calls] and len(calls) > 2
    assert sum(event.output.usage.total_tokens for event in events) == outcome["tokens"] > 0
    assert sum(each.total_tokens for each in log.stats.model_usage.values()) == outcome["tokens"]
    tools = [event for event in sample.events if event.event == "tool" and event.function != "act"]
    used = [use for turn in shown.turns for use in turn.tools]
    assert [(event.function, event.result) for event in tools] == [(use.tool, use.answer) for use in used] and used
    acts = [event.arguments["action"] for event in sample.events if event.event == "tool" and event.function == "act"]
    assert acts == [turn.did for turn in shown.turns]
    assert sample.scores["outcome"].metadata["digest"] == outcome["digest"]
    spans = [event.id for event in sample.events if event.event == "span_begin"]
    assert len(set(spans)) == len(spans) == len(shown.turns)
    assert log.eval.metadata["root"] == sandbox.results(tmp_path / "run").attrs["root"]


def test_a_batch_is_a_log_with_a_sample_for_each_trial(tmp_path, capsys):
    folder = tmp_path / "batch"
    swept = LOGIN | {"sweep": {"world.max_ticks": [3, 20]}}
    sandbox.batch(swept, folder, trials=3, workers=1)
    log, rows = exported(folder), sandbox.results(folder)
    steps = {sample.id: sample.scores["outcome"].value["steps"] for sample in log.samples}
    assert [steps[f"world.max_ticks=3, seed {seed}"] for seed in range(3)] == [3] * 3
    assert [steps[f"world.max_ticks=20, seed {seed}"] for seed in range(3)] == rows["ticks"][3:].tolist()
    success = {score.name: score.metrics for score in log.results.scores}["success"]
    assert success["mean"].value == rows["success"].mean() == 0.5
    assert len(exported(folder, "--trial", "4", "--trial", "5").samples) == 2
    capsys.readouterr()
    assert told("export", folder, "eval", tmp_path / "x.eval", "--trial", "9") == 2
    assert "expected 0..5" in capsys.readouterr().err


def _tools(request: dict) -> set[str]:
    return {tool["function"]["name"] for tool in request["tools"]}


def _registered() -> list[str]:
    found = import_module("inspect_ai._util.registry").registry_find(lambda info: info.type == "task")
    return [each.__registry_info__.name for each in found]


def test_inspects_own_mcp_client_takes_a_seat(tmp_path):
    """The server of ``sandbox seat`` as Inspect meets any other: over stdio, by its own client."""
    scenario, seats = tmp_path / "web.toml", []
    scenario.write_text('[world]\nname = "web"\nlayout = "click-button"\n[[agents]]\nreasoner = "rules"\n')
    tool, agent, dataset = (import_module(f"inspect_ai.{name}") for name in ("tool", "agent", "dataset"))
    command = ["-m", "sandbox", "seat", str(scenario), "--out", str(tmp_path / "runs")]
    server = tool.mcp_server_stdio(command=sys.executable, args=command, cwd=tmp_path)

    def calls(text):
        told = json.loads(text) if text.startswith("{") else {}
        if "seats" in told:
            seats.append(told["seats"].popitem()[1])
        if told.get("tick") is not None and "words" in told:
            return "act", {"seat": seats[-1], "tick": told["tick"], "verb": "click", "target": wanted(told["words"])}
        if told.get("over"):
            return "done"
        return ("observe", {"seat": seats[-1]}) if told else ("begin", {"seed": int(text)})

    samples = [dataset.Sample(input=str(seed)) for seed in (5, 6)]
    task = inspect_ai.Task(samples, solver=agent.react(tools=[server], submit=False))
    evaluated(task, calls, tmp_path, max_samples=1)
    rows = sandbox.results(tmp_path / "runs").set_index("seed")
    own = {seed: sandbox.run(scenario, seed).digest for seed in (5, 6)}
    assert rows["digest"].to_dict() == own and (rows["own_decisions"] == rows["ticks"]).all()
    assert all(verify(tmp_path / "runs" / f"seed{seed}").passed for seed in own)

"""Worlds in verifiers, in an environment of its own (see .ci/run): its evaluation plays them, with a server here."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import verifiers.v1 as vf
from fake_llm import Server, completion, send
from rules_decide import LOGIN, decisions, seen, wanted

from sandbox.running.replay import verify
from sandbox.scenario.load import as_toml


def answering(reply):
    """A server whose model answers to the last message by a function."""
    return Server(lambda server, handler, body: send(handler, completion({"content": reply(_last(body))})))


def _last(body: dict) -> str:
    told = body["messages"][-1]["content"]
    return told if isinstance(told, str) else "".join(part["text"] for part in told)


def traces(server, trials: int, taskset: dict, **player) -> list[vf.Trace]:
    """The traces of the first episodes of a taskset."""
    env = vf.load_environment(vf.resolve_env_config({"taskset": {"id": "sandbox-worlds", **taskset}, "player": player}))
    client = vf.EvalClientConfig(base_url=server.address, api_key_var="NONE")
    around = vf.ModelContext(model="fake", client=client, sampling=vf.SamplingConfig())

    async def play():
        async with env.serving():
            return await asyncio.gather(*(env.run_episode(task, around) for task in env.taskset.take(trials)))

    episodes = asyncio.run(play())
    assert all(episode.ok for episode in episodes), [episode.errors for episode in episodes]
    return [trace for episode in episodes for trace in episode.traces]


def test_the_same_decisions_give_the_same_digest_and_rewards(tmp_path):
    done, outcomes = decisions(LOGIN, [5, 6, 7])
    options = {key: value for key, value in LOGIN["world"].items() if key != "name"}
    taskset = {"world": "web", "options": options, "seed": 5, "out": str(tmp_path / "runs")}
    with answering(lambda text: "So: <action>{verb} {target}</action>".format(**done[seen(text)])) as server:
        found = traces(server, 3, taskset)
    assert [trace.info["outcome"]["digest"] for trace in found] == [each.digest for each in outcomes.values()]
    for trace, own in zip(found, outcomes.values(), strict=True):
        assert trace.reward == 1 and trace.num_turns == trace.metrics["ticks"] == own.ticks > 2
        assert (trace.rewards["success"].score, trace.rewards["progress"].weight) == (1, 0)
    assert len(server.requests) == sum(each.ticks for each in outcomes.values())
    assert all(verify(tmp_path / "runs" / f"seed{seed}").passed for seed in outcomes)


def test_what_a_model_does_wrong_is_told_and_it_leaves_after_three_times(tmp_path):
    done, outcomes = decisions(LOGIN, [5])
    replies = iter(["Hello.", "<action>klick 1</action>"])
    (tmp_path / "login.toml").write_text(as_toml(LOGIN))
    taskset = {"scenario": str(tmp_path / "login.toml"), "seed": 5}
    told = []

    def reply(text):
        told.append(text)
        words = next(replies, None)
        return words or "<action>{verb} {target}</action>".format(**done[seen(text if "Tick" in text else told[0])])

    with answering(reply) as server:
        (trace,) = traces(server, 1, taskset)
    assert trace.info["outcome"]["digest"] == outcomes[5].digest, "wrong replies cost no tick"
    assert "no action in your reply" in told[1] and "did you mean 'click'" in told[2]
    with answering(lambda text: "No.") as server:
        (left,) = traces(server, 1, taskset)
        assert (left.info["outcome"]["finish"], left.num_turns, left.reward) == ("stopped", 3, 0)
    with answering(lambda text: "<action>wait</action>") as server:
        (short,) = traces(server, 1, taskset, max_turns=2)
        assert (short.info["outcome"]["finish"], short.info["outcome"]["ticks"], short.reward) == ("stopped", 2, 0)


def test_its_evaluation_command_plays_a_world(tmp_path):
    with answering(lambda text: f"<action>click {wanted(text)}</action>") as server:
        done = subprocess.run(
            [Path(sys.executable).with_name("vf-eval"), "sandbox-worlds", "--env.taskset.world", "web",
             "--env.taskset.options", json.dumps({"layout": "click-button", "max_ticks": 12}), "-n", "2", "-m", "fake",
             "--client.base-url", server.address, "--client.api-key-var", "NONE", "--no-push", "--no-rich",
             "--output-dir", str(tmp_path)],
            capture_output=True, text=True, cwd=tmp_path, timeout=300,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    (file,) = tmp_path.rglob("traces.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(rows) == 2, rows
    assert all('"success"' in line and '"finish": "completed"' in line.replace('":"', '": "') for line in file.open())

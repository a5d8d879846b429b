"""Transcripts: what agents saw, were sent, answered and did, what came of it, and where it went wrong first."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import told
from records import edit

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.record import open_run
from sandbox.running.transcript import transcript
from sandbox.scenario import load

TEAM = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 3, "max_ticks": 300},
    "agents": [{"count": 4}],
    "perturb": {"action_failure": 0.2},
}
ASKED = {
    "world": {"name": "web", "layout": "login-user", "max_ticks": 6},
    "agents": [
        {
            "reasoner": "llm",
            "llm": {
                "model": "scripted", "retries": 1,
                "replies": [
                    {"reason": "The name comes first.", "verb": "click", "target": 1}, {"text": "I would rather not."},
                    {"reason": "There is no such thing.", "verb": "click", "target": 99}, {"error": "gone"},
                ],
            },
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    sandbox.run(TEAM, seed=2, out=folder / "team")
    sandbox.run(ASKED, seed=1, out=folder / "asked")
    sandbox.batch({**TEAM, "seed": 2}, folder / "batch", trials=2, workers=1)
    return folder


def test_every_turn_of_a_compiled_policy_is_told(runs):
    found = transcript(runs / "team")
    assert found.finish == "completed" and found.done == found.total == 3
    assert len(found.turns) == 4 * found.ticks and found.turns[5][:3] == (2, 1, "robot-1")
    assert all(turn.saw.startswith(f"You are robot {turn.agent} at row") for turn in found.turns)
    assert all(turn.doing and "_" not in turn.did and "noop" not in turn.did for turn in found.turns)
    with open_run(runs / "team") as run:
        reward = np.array([run.tick(0, tick + 1).reward for tick in range(found.ticks)])
    assert np.allclose(reward, np.array([turn.reward for turn in found.turns]).reshape(-1, 4))


def test_what_came_to_nothing_says_why_and_the_first_of_it_is_found(runs):
    found = transcript(runs / "team")
    outcome = sandbox.results(runs / "team").iloc[0]
    failed = [turn for turn in found.turns if turn.refused.startswith("failed: ")]
    assert len(failed) == outcome["refused_actions"] > 0 and "by chance" in " ".join(t.refused for t in failed)
    first = {finding.what: finding for finding in found.findings}
    assert first["first refusal"][1:] == (failed[0].tick, failed[0].agent, failed[0].refused)
    assert first["end"].tick == found.ticks and "first fallback" not in first


def test_a_row_of_a_batch_is_the_same_trial(runs):
    single, row = transcript(runs / "team"), transcript(runs / "batch", 0)
    assert single.turns == row.turns and single.findings == row.findings


def test_what_a_model_was_sent_and_answered_is_told(runs):
    found = transcript(runs / "asked")
    one, two = found.turns[:2]
    assert one.thought == "The name comes first." and one.did == "click 1" and not one.fallback
    assert [call.error for call in two.calls][0].startswith("expected a JSON object") and len(two.calls) == 2
    assert "rather not" in two.words and two.has("RATHER login") is False and two.has("rather user") is True
    first = {finding.what: finding for finding in found.findings}
    assert first["first fallback"].tick == two.tick == 2 and first["first fallback"].text == two.fallback
    assert "nothing of the task" in first["last progress"].text or "tasks done" in first["last progress"].text


def branched(scenario: dict, seed: int, tick: int) -> bool:
    """Whether the oracle still succeeds after so many ticks of a trial, played without branches."""
    model = sandbox.Sandbox(scenario, seed=seed)
    while model.running:
        if model.ticks == tick:
            model.change(load(scenario, {"agents.0.reasoner": "oracle"}))
        model.step()
    return model.verdict.words == "completed"


def test_the_decisive_tick_is_the_last_from_which_the_oracle_still_succeeds(tmp_path):
    """A robot wanders; the oracle needs some ticks to deliver from where it is."""
    script = ["forward", "left", "forward", "right"] * 5
    lost = {"world": {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 40},
            "agents": [{"reasoner": "scripted", "script": script}]}  # fmt: skip
    sandbox.run(lost, seed=4, out=tmp_path / "lost")
    usual, found = (transcript(tmp_path / "lost", decisive=decisive) for decisive in (False, True))
    assert usual.turns == found.turns and usual.findings == found.findings[:-1]
    decisive = found.findings[-1]
    assert decisive.what == "decisive tick" and 1 < decisive.tick < 40 and "oracle" in decisive.text
    saved = [branched(lost, 4, tick) for tick in range(40)]
    assert max(tick for tick, won in enumerate(saved) if won) == decisive.tick - 1
    sandbox.run(TEAM | {"team": {"protocol": "concurrent"}}, seed=2, out=tmp_path / "team")
    with pytest.raises(UsageError, match="has a team"):
        transcript(tmp_path / "team", decisive=True)


def test_a_success_has_no_decisive_tick(runs, capsys):
    assert [each.what for each in transcript(runs / "team", decisive=True).findings] == ["first refusal", "end"]
    assert told("show", runs / "asked", "--decisive", "--most", "1") == 0
    assert "decisive tick: tick " in capsys.readouterr().out


def test_ticks_and_agents_are_chosen(runs):
    found = transcript(runs / "team", agents=[2], ticks=(3, 5))
    assert [(turn.tick, turn.agent) for turn in found.turns] == [(3, 2), (4, 2), (5, 2)]
    assert found.findings == transcript(runs / "team").findings
    with pytest.raises(UsageError, match=r"agent 4: expected a number in 0..3"):
        transcript(runs / "team", agents=[4])
    with pytest.raises(RecordError, match="no trial 1"):
        transcript(runs / "team", 1)


def test_a_record_that_was_changed_is_refused(runs, tmp_path):
    shutil.copytree(runs / "team", tmp_path / "run")
    edit(tmp_path / "run", "UPDATE event SET body = json_set(body, '$.digest', printf('%064d', 0)) WHERE tick = 3")
    with pytest.raises(RecordError, match="tick 3 does not run as recorded: its state differs"):
        transcript(tmp_path / "run")


def test_the_command_shows_it(runs, capsys):
    assert told("show", runs / "asked", "--tick", "1:2") == 0
    text = capsys.readouterr().out
    assert "first fallback: tick 2, clerk-0: " in text and "thought    The name comes first." in text
    assert "not used   expected a JSON object" in text and "None" not in text and "more lines: --long" in text
    assert told("show", runs / "asked", "--tick", "2", "--long") == 0
    assert "more lines" not in capsys.readouterr().out
    assert told("show", runs / "team", "--agent", 1, "--find", "robot", "--most", 1) == 0
    shown = capsys.readouterr()
    assert shown.out.count("· robot-1") == 1 and "1 of " in shown.err
    assert told("show", runs / "team", "--tick", "900") == 0 and "no such ticks" in capsys.readouterr().err
    assert told("show", runs / "team", "--tick", "x:3") == 2 and "expected a tick or A:B" in capsys.readouterr().err
    assert told("show", runs / "nothing") == 1

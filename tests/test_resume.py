"""A run that was killed, stopped or failed goes on from its record to the same end; what was changed is in it."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from commands import told

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.oversight.approvals import Approvals
from sandbox.record import open_run, verify_chain
from sandbox.record.lock import Lock
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.scenario.load import as_toml

KILLS = 20
TICKS = 60
VERBS = ("left", "forward", "right", "forward", "forward", "toggle_load", "lft")
REPLIES = [{"verb": VERBS[k % len(VERBS)], "reason": f"thought {k}"} for k in range(200)]
REPLIES[5::9] = [{"tool": "archival_insert", "arguments": {"text": f"note {k}"}} for k in range(len(REPLIES[5::9]))]
LLM = {"model": "scripted", "replies": REPLIES, "retries": 1}
WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 50, "max_ticks": TICKS}


def scenario(**keys) -> dict:
    """Four robots: one whose model has a memory and thinks, two guarded ones with rules, one with a script."""
    thinker = {"reasoner": "llm", "fallback": "rules", "memory": {"kind": "blocks", "context": 1_000}, "llm": LLM}
    others = [{"count": 2, "reasoner": "rules"}, {"reasoner": "scripted", "script": ["left", "forward"] * 20}]
    guard = [{"agent": "robot-1", "verb": "left", "effect": "deny"}]
    return {"world": WORLD, "agents": [thinker, *others], "guard": guard, "perturb": {"action_failure": 0.3}, **keys}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of the run that nothing disturbs, and its outcome."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, sandbox.run(scenario(), seed=5, out=folder)


def kill_at(tick: int, delay: float | None):
    """Told of every tick: from ``tick`` on, after ``delay`` seconds, this process gets a SIGKILL."""

    def on_tick(model):
        if model.ticks == tick and delay is None:
            os.kill(os.getpid(), signal.SIGKILL)
        elif model.ticks == tick:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    return on_tick


def in_a_process_of_its_own(work, *arguments) -> int:
    """The exit code; a fork shares the kernels that are compiled already."""
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def lives(folder, tick, delay):
    """Begin the run or go on with it, until it is killed."""
    if (folder / "run.db").exists():
        sandbox.resume(folder, on_tick=kill_at(tick, delay))
    else:
        sandbox.run(scenario(), seed=5, out=folder, on_tick=kill_at(tick, delay))


def told_of(folder) -> list:
    """What is recorded of ticks, without the marks of resumption and the time it took."""
    with open_run(folder) as run:
        events = [event for event in run.events(0) if event.kind not in ("resumed", "trial_finished")]
    return [
        event.model_copy(update={"seconds": 0.0, "began": None}) if event.kind == "call" else event for event in events
    ]


def test_twenty_kills_change_nothing(whole, tmp_path):
    """Kill -9 at random ticks, between ticks and in the middle of them, in one run that is taken up again each time."""
    folder, dice, ticks = tmp_path / "run", random.Random(11), [0]
    for number in range(KILLS):
        delay = None if number % 3 == 0 else dice.uniform(0, 0.004)
        at = min(ticks[-1] + (dice.randint(1, 4) if number else 0), TICKS - 2)
        assert in_a_process_of_its_own(lives, folder, at, delay) == -signal.SIGKILL
        with open_run(folder) as run:
            report = verify_chain(run)
        assert report.intact and not report.finished and report.last_tick >= at, "a tick that cost calls was lost"
        ticks.append(report.last_tick)
    outcome = sandbox.resume(folder)
    same = outcome._replace(seconds=0) == whole[1]._replace(seconds=0)
    assert same and outcome.calls > TICKS, (outcome, whole[1])
    assert told_of(folder) == told_of(whole[0]), "no call, edit, review or tick is recorded twice or lost"
    with open_run(folder) as run:
        assert len(list(run.milestones("resumed"))) >= KILLS - 1
    assert verify(folder).passed and verify(whole[0]).passed


def test_each_tick_is_a_checkpoint(whole, tmp_path):
    """Wherever the record ends, it ends with a whole tick, and leads to the same digest."""
    for tick in (0, 1, 31, TICKS - 1):
        folder = tmp_path / str(tick)
        assert in_a_process_of_its_own(lives, folder, tick, None) == -signal.SIGKILL
        assert sandbox.resume(folder).digest == whole[1].digest


def ticks_of(folder) -> int:
    """How many ticks are recorded by now."""
    with suppress(RecordError), open_run(folder) as run:
        return max((event.tick for event in run.milestones("call")), default=0)
    return 0


def test_at_the_command_line(tmp_path, monkeypatch, capsys):
    """A real process is killed with -9; then ``run`` says what to do, and ``resume`` does it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(as_toml(load(scenario(world=WORLD | {"max_ticks": 150})).as_dict()))
    command = [sys.executable, "-m", "sandbox.cli.main", "run", "s.toml", "--seed", "5", "--out", "r"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and ticks_of(tmp_path / "r") < 5:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert 5 <= ticks_of(tmp_path / "r") < 150
    assert told("run", "s.toml", "--seed", 5, "--out", "r") == 1
    assert "r holds this run, unfinished; 'sandbox resume r' continues it" in capsys.readouterr().err.splitlines()[-1]
    assert told("run", "s.toml", "--seed", 6, "--out", "r") == 1
    assert "already holds a run" in capsys.readouterr().err.splitlines()[-1]
    assert told("resume", "r") == 0
    with open_run("r") as run:
        assert run.outcomes[0]["digest"] == sandbox.run("s.toml", seed=5).digest
    assert told("resume", "r") == 1
    assert "the run is finished" in capsys.readouterr().err


# -- Ctrl-C, errors, people --------------------------------------------------------------------------------------------


def stopped(folder, tick, table=None, **options):
    """A run that Ctrl-C ends at a tick."""

    def on_tick(model):
        if model.ticks == tick:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run(table or scenario(), seed=5, out=folder, on_tick=on_tick, **options)


def test_what_ctrl_c_stopped_goes_on(whole, tmp_path):
    folder = tmp_path / "run"
    stopped(folder, 17)
    with open_run(folder) as run:
        assert run.outcomes[0]["finish"] == "stopped" and verify_chain(run).finished
        root = run.meta["root"]
    seen = []

    def on_tick(model):
        seen.append(model.ticks)
        if model.ticks == 18:
            with open_run(folder) as run:
                assert run.outcomes == {} and not verify_chain(run).finished and "root" not in run.meta

    assert sandbox.resume(folder, on_tick=on_tick).digest == whole[1].digest
    assert seen == list(range(17, TICKS + 1))
    assert verify(folder).passed and told_of_stop(folder) == 1
    assert "the noted root" in verify(folder, root).summary


def told_of_stop(folder) -> int:
    with open_run(folder) as run:
        return sum(event.kind == "run_finished" and event.status == "stopped" for event in run.events())


def test_what_failed_goes_on(whole, tmp_path, monkeypatch):
    folder, decide = tmp_path / "run", sandbox.Sandbox._decide

    def failing(model):
        if model.ticks == 9:
            raise OSError("no network")
        decide(model)

    monkeypatch.setattr(sandbox.Sandbox, "_decide", failing)
    assert "no network" in sandbox.run(scenario(), seed=5, out=folder).error
    monkeypatch.undo()
    assert sandbox.resume(folder).digest == whole[1].digest and verify(folder).passed


def test_people_are_asked_only_what_is_new(tmp_path):
    """What a person said before the interruption is not asked again, and a time-out stays one."""
    people = {"reasoner": "human", "human": {"patience": 0.05}, "fallback": "rules"}
    ask = [{"agent": "robot-0", "verb": "left", "effect": "escalate", "timeout": 0.05}]
    table = {"world": WORLD | {"max_ticks": 12}, "agents": [people], "guard": ask}
    asked = []

    class Person(Approvals):
        def ask(self, questions):
            asked.append((questions[0].tick, questions[0].said is None))
            return [None if q.tick % 3 == 0 else q.said or (2 - q.tick % 2, 0) for q in questions]

    whole = sandbox.run(table, seed=5, out=tmp_path / "whole", people=Person())
    before, asked[:] = list(asked), []
    stopped(tmp_path / "run", 7, table, people=Person())
    assert sandbox.resume(tmp_path / "run", people=Person()).digest == whole.digest
    assert asked == before and {tick for tick, act in asked if not act} != set()
    assert told_of(tmp_path / "run") == told_of(tmp_path / "whole") and verify(tmp_path / "run").passed


def test_a_team_that_talks_goes_on(tmp_path):
    """A person, a model that speaks and rules in a market; the person hears what the model says."""
    replies = [{"tool": "tell", "arguments": {"text": f"word {k}", "to": "all"}} for k in range(20)]
    lines = [line for k, reply in enumerate(replies) for line in (reply, {"verb": VERBS[k % 3]})]
    speaker = {"reasoner": "llm", "fallback": "rules", "llm": {"model": "scripted", "replies": lines}}
    people = [{"reasoner": "human", "fallback": "rules"}, speaker, {"reasoner": "rules", "count": 2}]
    table = {"world": WORLD | {"max_ticks": 20}, "agents": people, "team": {"protocol": "market"}}
    views = {}

    class Person(Approvals):
        def ask(self, questions):
            views.update({question.tick: question.view for question in questions})
            return [None if question.tick % 2 else (1, 0) for question in questions]

    whole = sandbox.run(table, seed=5, out=tmp_path / "whole", people=Person())
    assert "robot-1: word 4" in views[6] and whole.messages > 20 and whole.fallbacks >= 10
    stopped(tmp_path / "run", 9, table, people=Person())
    assert sandbox.resume(tmp_path / "run", people=Person())._replace(seconds=0) == whole._replace(seconds=0)
    assert told_of(tmp_path / "run") == told_of(tmp_path / "whole") and verify(tmp_path / "run").passed


# -- change ------------------------------------------------------------------------------------------------------------

CHANGES = {
    "a fallback and a guard": {"agents.0.fallback": "random", "guard": []},
    "a severity": {"perturb.action_failure": 1.0, "perturb.rate_limit": 0.5},
    "the model's options": {"agents.0.llm.retries": 0, "agents.0.llm.budget": {"calls": 7}},
    "who decides": {"agents.0.reasoner": "rules"},
    "a script": {"agents.2.script": ["right"] * 60},
}


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A run that was stopped, whose model has no memory, and the digest to which it comes without a change."""
    table = scenario()
    del table["agents"][0]["memory"]
    folder = tmp_path_factory.mktemp("forgetful") / "run"
    stopped(folder, 20, table)
    return folder, sandbox.run(table, seed=5).digest


@pytest.mark.parametrize("name", CHANGES)
def test_interrupt_change_resume(forgetful, tmp_path, name):
    """Killed and taken up twice more after the change: each time the same, and verified and replayed with it."""
    folder, digest = shutil.copytree(forgetful[0], tmp_path / "run"), forgetful[1]
    copy = shutil.copytree(folder, tmp_path / "copy")
    changed = sandbox.resume(folder, CHANGES[name])
    assert changed.digest != digest and verify(folder).passed and told("replay", folder) == 0

    def again(overrides, tick):
        sandbox.resume(copy, overrides, on_tick=kill_at(tick, None))

    assert in_a_process_of_its_own(again, CHANGES[name], 33) == -signal.SIGKILL
    assert in_a_process_of_its_own(again, None, 41) == -signal.SIGKILL
    outcome = sandbox.resume(copy)
    assert outcome._replace(seconds=0) == changed._replace(seconds=0)
    assert told_of(copy) == told_of(folder)


def test_a_memory_survives_a_change_of_the_model(tmp_path):
    stopped(tmp_path / "run", 30)
    sandbox.resume(tmp_path / "run", {"agents.0.llm.max_tokens": 99})
    with open_run(tmp_path / "run") as run:
        calls = [event for event in run.milestones("call") if event.tick > 40]
        models = list(run.milestones("model"))
    assert [model.max_tokens for model in models] == [512, 99]
    assert "note 0" in calls[0].prompt or "thought" in calls[0].prompt


BAD = {
    "the world": ({"world.layout": "small"}, "cannot change in the middle"),
    "a count": ({"agents.0.count": 2}, "cannot change in the middle"),
    "messages": ({"perturb.message_delay": 0.5}, "cannot change in the middle"),
    "an unknown policy": ({"agents.0.fallback": "rulez"}, "did you mean 'rules'"),
    "a bad rule": ({"guard": [{"verb": "foward", "effect": "deny"}]}, "did you mean 'forward'"),
    "a severity above 1": ({"perturb.action_failure": 2.0}, "expected 0..1"),
}


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A run that was stopped; copy it before you go on with it."""
    folder = tmp_path_factory.mktemp("half") / "run"
    stopped(folder, 6)
    return folder


@pytest.mark.parametrize("name", BAD)
def test_a_change_that_cannot_be_leaves_the_run_as_it_is(half, name):
    before = (half / "run.db").read_bytes()
    overrides, words = BAD[name]
    with pytest.raises(UsageError, match=words) as found:
        sandbox.resume(half, overrides)
    assert "\n" not in str(found.value) and (half / "run.db").read_bytes() == before


# -- what cannot go on -------------------------------------------------------------------------------------------------


def test_a_run_that_is_done_written_or_forged_does_not_go_on(whole, half, tmp_path, monkeypatch):
    with pytest.raises(RecordError, match="the run is finished"):
        sandbox.resume(whole[0])
    with pytest.raises(RecordError, match="no such folder"):
        sandbox.resume(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    lock = Lock(half)
    with pytest.raises(RecordError, match="another process is writing this run"):
        sandbox.resume(half)
    lock.release()
    folder = shutil.copytree(half, tmp_path / "run")
    import sqlite3

    db = sqlite3.connect(folder / "run.db")
    db.execute("UPDATE event SET body = replace(body, 'thought 1', 'thought 9') WHERE kind = 'call'")
    db.commit()
    db.close()
    with pytest.raises(RecordError, match="not intact: seq"):
        sandbox.resume(folder)


def test_other_software_that_decides_otherwise_is_found(half, monkeypatch):
    from sandbox.running import trial

    monkeypatch.setattr(trial, "beside", lambda model, _: [])
    with pytest.raises(RecordError, match="does not run as recorded: trial 0, tick 1: an agent remembers"):
        sandbox.resume(half)


def test_who_comes_second_adds_nothing(half, tmp_path, monkeypatch):
    """Two take up the same run; the one that comes later finds other rows than it has read."""
    folder = shutil.copytree(half, tmp_path / "run")
    from sandbox.running import resume as resuming

    first = resuming.Log.reopen

    def later(path, event, root):
        monkeypatch.setattr(resuming.Log, "reopen", first)
        sandbox.resume(folder)
        return first(path, event, root)

    monkeypatch.setattr(resuming.Log, "reopen", later)
    with pytest.raises(RecordError, match="another process wrote to this run"):
        sandbox.resume(folder)
    assert verify(folder).passed and verify(folder).chain.finished

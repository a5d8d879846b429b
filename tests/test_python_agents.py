"""Agents that are the user's own code: what they see and answer, what they may do to a run, and their records."""

import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

import sandbox
from sandbox.agents.python import host
from sandbox.agents.python.options import name_of
from sandbox.cli.main import app
from sandbox.core.errors import UsageError
from sandbox.record import open_run
from sandbox.running.reexecute import check
from sandbox.running.replay import replay, verify
from sandbox.running.trial import run
from sandbox.scenario import load

WEB = {"world": {"name": "web", "layout": "click-button", "max_ticks": 12}, "agents": [{"reasoner": "rules"}]}
TEAM = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 40},
    "agents": [{"count": 2, "reasoner": "rules"}, {"reasoner": "rules"}],
}
CODE = '''
import random


class Greedy:
    """Takes the first legal action, or one by lot."""

    def __init__(self, lot=False):
        self._lot = lot

    def reset(self, seed):
        self._dice = random.Random(seed)

    def act(self, observation, legal):
        verb = self._dice.choice(list(legal)) if self._lot else next(iter(legal))
        return verb, legal[verb][-1]


class Together:
    def decide(self, observations):
        return [(verb, each.legal[verb][0]) for each in observations for verb in [max(each.legal)]]


class Looks:
    def act(self, observation, legal):
        view = observation
        assert view.window.ndim == 3 and len(view.window) == len(view.channels)
        assert len(view.vector) == len(view.columns)
        assert view.picture.ndim == 3 and view.picture.dtype == "uint8" and view.picture.any()
        assert len(view.words) > 40 and view.name.startswith(("robot", "clerk"))
        assert f"You are {view.name}." in view.brief and all(f"- {verb}: " in view.brief for verb in legal)
        print("at", view.tick)
        return next(iter(legal))


class Talks:
    def act(self, observation, legal):
        for one in observation.heard:
            print("heard", one.said.text)
        observation.team.tell(f"tick {observation.tick}")
        return next(iter(legal))


def first(observation, legal, verb=None):
    return verb or next(iter(legal))


number = 3
'''


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("code") / "own_agents.py"
    path.write_text(CODE)
    return path


def seats(scenario: dict, code: Path, name: str, group: int = 0, **python) -> dict:
    """The scenario with a group whose reasoner is a class of the file."""
    groups = [dict(each) for each in scenario["agents"]]
    groups[group] |= {"reasoner": f"python:{code}:{name}", "python": {"patience": 5.0, **python}}
    return {**scenario, "agents": groups}


def played(scenario: dict, folder: Path, seed: int = 1, **more) -> sandbox.Outcome:
    """A recorded trial, which is verified without the code, and replayed."""
    outcome = run(scenario, seed, out=folder, **more)
    verdict = verify(folder)
    assert verdict.passed, verdict.differs
    if scenario["agents"][0].get("reasoner", "").startswith("python") or more:
        assert any("own code" in each for each in verdict.trusted)
    with open_run(folder) as record:
        assert [model.ticks for model in replay(record)][-1] == outcome.ticks
    return outcome


# -- what it sees and answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Greedy", "Together", "first"])
@pytest.mark.parametrize("scenario", [WEB, TEAM], ids=["web", "warehouse"])
def test_code_in_a_file_decides_and_its_record_needs_no_code(name, scenario, code, tmp_path):
    moved = shutil.copy(code, tmp_path / "moved.py")
    outcome = played(seats(scenario, moved, name), tmp_path / "run")
    assert outcome.failure is None and outcome.fallbacks == 0 and outcome.own_decisions > 0
    os.remove(moved)
    assert verify(tmp_path / "run").passed
    with pytest.raises(UsageError, match="not found"):
        run(seats(scenario, moved, name))


def test_a_group_of_its_own_beside_compiled_policies(code, tmp_path):
    outcome = played(seats(TEAM, code, "Greedy", 1, options={"lot": True}), tmp_path / "run")
    assert outcome.own_decisions == outcome.ticks and outcome.autonomy == 1.0


def test_equal_seeds_give_equal_trials_and_options_count(code):
    chosen = [run(seats(TEAM, code, "Greedy", options={"lot": True}), seed).digest for seed in (5, 5, 6)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert run(seats(TEAM, code, "Greedy", options={"lot": False}), 5).digest != chosen[0]
    assert run(seats(TEAM, code, "first", options={"verb": "noop"}), 5).idle_share >= 2 / 3


def test_it_sees_arrays_words_and_pictures_but_not_the_state(code, tmp_path):
    for scenario in (WEB, TEAM):
        outcome = run(seats(scenario, code, "Looks"), 1)
        assert outcome.failure is None, outcome.failure


def test_an_observation_equals_that_of_learners_environments(code):
    env = sandbox.gym_env("warehouse", layout="tiny", flat=True)
    given, _ = env.reset(seed=4)
    seen = []

    def keep(observation, legal):
        seen.append(observation.flat)
        return "noop"

    scenario = {"world": {"name": "warehouse", "layout": "tiny", "max_ticks": 1}, "agents": [{"reasoner": "rules"}]}
    run(scenario, 4, reasoners={0: keep})
    assert np.array_equal(seen[0], given) and seen[0].dtype == given.dtype


def test_it_talks_to_its_team(code, tmp_path):
    team = {**TEAM, "team": {"protocol": "concurrent"}}
    outcome = played(seats(team, code, "Talks"), tmp_path / "run")
    assert outcome.failure is None and outcome.messages > 0
    answers = list(open_run(tmp_path / "run").milestones("answered"))
    assert any(each.said for each in answers) and any("heard tick" in each.printed for each in answers)


def test_objects_and_functions_of_the_caller_decide(tmp_path):
    class Once:
        closed = False

        def act(self, observation, legal):
            return max(legal)

        def close(self):
            Once.closed = True

    assert played(WEB, tmp_path / "one", reasoners={0: Once()}).failure is None and Once.closed
    assert played(TEAM, tmp_path / "two", reasoners={1: lambda observation, legal: 0}).own_decisions > 0
    recorded = next(open_run(tmp_path / "two").events()).scenario["agents"][1]["reasoner"]
    assert recorded == name_of(lambda: 0) == f"python:{__name__}:lambda"
    with pytest.raises(UsageError, match=r"reasoners: group: .*expected 0..1"):
        run(TEAM, reasoners={2: Once()})


def test_nothing_can_be_appended_to_the_reasoners_of_a_model():
    with pytest.raises(AttributeError):
        sandbox.Sandbox(TEAM).reasoners.append(([0], None))


# -- what it may do to a run -------------------------------------------------------------------------------------------

HOSTILE = {
    "raises": ("return 1 / 0", "ZeroDivisionError: division by zero (hostile.py:7)"),
    "raises no text": ("print(chr(0xd800)); raise ValueError(chr(0xd800))", "ValueError: ? (hostile.py:7)"),
    "misuses a library": ("import json; json.loads('{')", "(hostile.py:7)"),
    "exits": ("sys.exit(3)", "SystemExit: 3"),
    "dies": ("os._exit(7)", "its process ended with code 7"),
    "crashes": ("ctypes.string_at(0)", "its process ended with signal 11"),
    "hangs": ("time.sleep(600)", "no answer within 0.5 s"),
    "spins": ("while True: pass", "no answer within 0.5 s"),
    "stops itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "no answer within 0.5 s"),
    "does not know the verb": ("return 'fly'", "unknown verb 'fly'"),
    "has no such target": ("return next(iter(legal)), 10**9", "target: 1000000000, expected 0.."),
    "answers nothing": ("return None", "action: None; expected a verb"),
    "answers a gigabyte": ("return 'x' * 10**9", "unknown verb 'xxx"),
    "answers infinity": ("return float('inf')", "action: inf"),
    "writes a gigabyte": ("[os.write(fd, b'x' * 10**6) for _ in range(1000) for fd in fds()]", "more than 1,000,000"),
    "writes garbage": ("[os.write(fd, b'[1,2]\\n') for fd in fds()]; time.sleep(9)", "in place of an answer"),
    "asks for ever": ("while True: observation.words", "more than 1,000 questions"),
    "asks for the state": ("observation._ask('state', 0)", "UsageError: no 'state' of agent 0"),
    "speaks without a team": ("observation.team.tell('hello')", "unknown speech act 'tell'"),
    "breaks while it is made": ("", "RuntimeError: not today (hostile.py:5)"),
}
TEMPLATE = """
import ctypes, fcntl, os, signal, stat, sys, time
class Hostile:
    def __init__(self):
        {made}
    def act(self, observation, legal):
        {does}
def fds():
    return [fd for fd in range(3, 20) if os.path.exists(f'/proc/self/fd/{{fd}}') and writable(fd)]
def writable(fd):
    return stat.S_ISFIFO(os.fstat(fd).st_mode) and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_WRONLY
"""


def hostile(tmp_path: Path, does: str, made: str = "pass") -> Path:
    path = tmp_path / "hostile.py"
    path.write_text(TEMPLATE.format(does=does or "pass", made=made))
    return path


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_code_ends_itself_and_not_the_run(what, tmp_path):
    does, told = HOSTILE[what]
    path = hostile(tmp_path, does, "raise RuntimeError('not today')" if "made" in what else "pass")
    patience = 0.5 if "within" in told else 10.0
    began = time.monotonic()
    outcome = played(seats(WEB, path, "Hostile", patience=patience), tmp_path / "run")
    assert told in outcome.failure and outcome.finish == "agent failed" and outcome.error is None
    assert outcome.ticks == 12 and outcome.fallbacks == 12, "its fallback acts to the end"
    assert time.monotonic() - began < 30


def test_what_prints_and_forks_is_harmless(tmp_path, capfd):
    path = hostile(tmp_path, "print('x' * 10**7); os.write(1, b'noise'); os.fork(); return next(iter(legal))")
    outcome = played(seats(WEB, path, "Hostile"), tmp_path / "run")
    assert outcome.failure is None and outcome.own_decisions == 12
    answer = next(open_run(tmp_path / "run").milestones("answered"))
    assert answer.printed == "x" * 2000 and "noise" not in capfd.readouterr().out


def test_an_agent_that_fails_leaves_the_others_alone(code, tmp_path):
    path = hostile(tmp_path, "return 1 / (observation.agent - 1) and 'noop'")
    outcome = played(seats(TEAM, path, "Hostile"), tmp_path / "run")
    assert outcome.failure.startswith("robot-1: ZeroDivisionError") and outcome.own_decisions == outcome.ticks + 0


def test_children_of_the_code_end_with_it(tmp_path):
    does = "import subprocess; subprocess.Popen(['sleep', '987'], start_new_session=True); time.sleep(99)"
    run(seats(WEB, hostile(tmp_path, does), "Hostile", patience=0.5))
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]]


def test_its_process_ends_with_ours(tmp_path):
    path = hostile(tmp_path, "while True: time.sleep(1)")
    program = f"import sandbox; sandbox.run({seats(WEB, path, 'Hostile', patience=900.0)!r})"
    ours = psutil.Popen([sys.executable, "-c", program])
    while not (children := [p for p in ours.children() if "child" in " ".join(p.cmdline())]):
        time.sleep(0.05)
    ours.kill()
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone and not alive


def test_one_process_plays_one_trial_after_another_with_new_objects(code):
    host.end()
    for seed in range(3):
        assert run(seats(WEB, code, "Greedy"), seed).failure is None
    assert len(host._idle) == 1
    host.end()


def test_edited_code_is_imported_anew(tmp_path):
    path = tmp_path / "edited.py"
    verbs = []
    for verb in ("noop", "nope"):
        path.write_text(f"def act(observation, legal):\n    return {verb!r}\n")
        verbs.append(run({**TEAM, "agents": [{"reasoner": f"python:{path}:act"}]}, 1).failure)
    assert verbs[0] is None and "unknown verb 'nope'" in verbs[1]


# -- scenarios, grants, batches ----------------------------------------------------------------------------------------


def test_a_scenario_needs_a_grant_for_code(code, tmp_path):
    scenario = tmp_path / "own.toml"
    shutil.copy(code, tmp_path / "own_agents.py")
    table = '[world]\nname = "web"\nlayout = "click-button"\n[[agents]]\nreasoner = "python:own_agents.py:Greedy"\n'
    scenario.write_text(table)
    with pytest.raises(UsageError, match=r"asks for functions .*own_agents.py.*--allow functions="):
        load(scenario)
    assert load(scenario, allow=f"functions={tmp_path / 'own_agents.py'}").agents[0].kind == "python"


@pytest.mark.parametrize(
    ("name", "told"),
    [("python:nothing", "expected python:package.module:Class"), ("python:no_such_module:Thing", "not found"),
     ("python:{code}:Nothing", "not found"), ("python:{code}:number", "expected a method act")],
)  # fmt: skip
def test_a_wrong_name_is_said(name, told, code):
    scenario = {**WEB, "agents": [{"reasoner": name.format(code=code)}]}
    try:
        assert told in run(scenario).failure
    except UsageError as error:
        assert told in str(error)


def test_any_scenario_takes_another_reasoner(code):
    asked = {**WEB, "agents": [{"reasoner": "llm", "llm": {"model": "scripted"}, "memory": {"kind": "window"}}]}
    now = load(asked, {"agents.0.reasoner": "rules"})
    assert now.agents[0].llm is None and now.dropped == ("agents[0]: the reasoner is rules now; dropped: llm, memory",)
    kept = load(asked, {"agents.0.reasoner": f"python:{code}:first", "agents.0.python": {"patience": 1}})
    assert kept.agents[0].python.patience == 1 and not load(kept).dropped


def test_a_batch_in_processes_is_compared_and_verified(code, tmp_path):
    lot = seats(WEB, code, "Greedy", options={"lot": True})
    folder = sandbox.batch({**lot, "sweep": {"agents.0.reasoner": [lot["agents"][0]["reasoner"], "rules"]}},
                           tmp_path / "batch", trials=6, workers=2)  # fmt: skip
    rows = sandbox.results(folder)
    assert len(rows) == 12 and rows["error"].isna().all() and rows["failure"].isna().all()
    checked = check(folder, sample=12)
    assert checked.executed == 12 and not checked.problems
    moved = code.with_name("own_agents.py")
    moved.write_text(CODE + "\n# edited\n")
    try:
        with pytest.raises(UsageError, match="was edited"):
            sandbox.batch({**lot, "sweep": {"agents.0.reasoner": [lot["agents"][0]["reasoner"], "rules"]}},
                          folder, trials=7, workers=2)  # fmt: skip
    finally:
        moved.write_text(CODE)


def test_the_command_line_takes_code(code, tmp_path):
    scenario = tmp_path / "web.toml"
    scenario.write_text(
        '[world]\nname = "web"\nlayout = "click-button"\nmax_ticks = 5\n[[agents]]\nreasoner = "rules"\n'
    )
    own = ["--set", f"agents.0.reasoner=python:{code}:Greedy", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, ["run", str(scenario), *own])
    assert found.exit_code == 0, found.output
    assert "decisions of the agents' own" in found.output


def test_an_installed_package_offers_a_reasoner_under_a_short_name(code, tmp_path, monkeypatch):
    package = tmp_path / "own_agents-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: own-agents\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[sandbox.reasoners]\ngreedy = own_agents:Greedy\n")
    shutil.copy(code, tmp_path / "own_agents.py")
    monkeypatch.syspath_prepend(tmp_path)
    scenario = load({**WEB, "agents": [{"reasoner": "greedy"}]})
    assert scenario.agents[0].reasoner == "python:own_agents:Greedy"
    assert run(scenario, 1).failure is None
    with pytest.raises(UsageError, match="did you mean 'greedy'"):
        load({**WEB, "agents": [{"reasoner": "greedi"}]}).env()

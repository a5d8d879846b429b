"""The reasoner ``human``: a person decides, in time or not at all; what was decided replays and verifies."""

import io
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from commands import told
from rich.console import Console

import sandbox
from sandbox.cli import _keyboard
from sandbox.cli._keyboard import Terminal
from sandbox.core.errors import UsageError
from sandbox.oversight.approvals import Approvals
from sandbox.record import HumanActed, open_run
from sandbox.record.read import Run
from sandbox.running.replay import verify
from sandbox.scenario import load
from sandbox.scenario.load import as_toml

WORLD = {"name": "warehouse", "layout": "tiny", "deliveries": 5, "max_ticks": 6}


def scenario(patience=20.0, count=1, ticks=6, **keys) -> dict:
    """Robots that people steer, and one with a script."""
    people = {"reasoner": "human", "count": count, "fallback": "rules", "human": {"patience": patience}}
    robot = {"reasoner": "scripted", "script": ["left"] * 3}
    return {"world": {**WORLD, "max_ticks": ticks}, "agents": [people, robot], **keys}


class Driver(threading.Thread):
    """A person who plays ``lines``, one a tick, for each agent that waits; None: does not answer."""

    def __init__(self, lines):
        super().__init__(daemon=True)
        self.approvals, self.lines, self.seen, self.ended = Approvals(), lines, {}, False
        self.start()

    def run(self):
        while not self.ended:
            for question in self.approvals.pending:
                self.seen.setdefault((question.agent, question.tick), question)
                line = self.lines[question.tick - 1] if question.tick <= len(self.lines) else None
                if line is not None:
                    self.approvals.answer(question.agent, line)
            time.sleep(0.001)


def driven(table, lines, **options):
    """The outcome, with a person at it, and who that was."""
    driver = Driver(lines)
    outcome = sandbox.run(table, seed=3, people=driver.approvals, **options)
    driver.ended = True
    assert outcome.error is None
    return outcome, driver


def test_a_person_steers_an_agent():
    lines = ["left", "forward", "", "right", "forward", "left"]
    script = [line or "noop" for line in lines]
    outcome, driver = driven(scenario(), lines)
    same = scenario()
    same["agents"][0] = {"reasoner": "scripted", "script": script}
    assert outcome.digest == sandbox.run(same, seed=3).digest and outcome.fallbacks == 0
    question = driver.seen[0, 1]
    assert question.said is None and "You are robot 0" in question.view and question.name == "robot-0"
    assert "forward" in question.legal and question.patience == 20


def test_where_nobody_answers_the_fallback_acts_and_the_trace_says_so():
    params = scenario()
    params["agents"][0] = {"reasoner": "rules"}
    model = sandbox.Sandbox(scenario(86_400.0), rng=3)
    while model.running:
        model.step()
        assert model.latest.traces[0].fallback == "no person answered"
    assert model.usage.fallbacks == 6
    assert model.env.digest(model.state) == sandbox.run(params, seed=3).digest


def test_patience_is_common_to_all_that_wait_and_late_answers_are_refused():
    began = time.monotonic()
    outcome, driver = driven(scenario(0.1, count=5, ticks=3), [None] * 3)
    assert 0.3 <= time.monotonic() - began < 1.2 and outcome.fallbacks == 15
    with pytest.raises(UsageError, match="not waiting for an answer"):
        driver.approvals.answer(0, "left")


def test_a_guard_reviews_people_too(tmp_path):
    table = scenario(guard=[{"agent": "robot-0", "verb": "left", "effect": "deny"}])
    outcome, _ = driven(table, ["left", "forward", "left", "right", "", ""], out=tmp_path / "run")
    assert outcome.fallbacks == 0
    with open_run(tmp_path / "run") as run:
        assert [event.tick for event in run.milestones("review")] == [1, 3]
        assert [event.action[0] for event in run.milestones("human")][0] == run_verbs().index("left")
    assert verify(tmp_path / "run").passed


def run_verbs():
    return sandbox.make("warehouse").verbs


BAD = {
    "patience below 0": ({"human": {"patience": -1.0}}, "human.patience"),
    "an unknown key": ({"human": {"patients": 1.0}}, "did you mean 'patience'"),
    "an unknown fallback": ({"fallback": "rulez"}, "did you mean 'rules'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_options_are_one_clear_line(name):
    change, words = BAD[name]
    with pytest.raises(UsageError, match=words) as found:
        sandbox.Sandbox({"world": WORLD, "agents": [{"reasoner": "human", **change}]})
    assert "\n" not in str(found.value)


# -- the record --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Of six ticks a person decides four."""
    folder = tmp_path_factory.mktemp("human") / "run"
    driven(scenario(0.15), ["left", None, "forward", "right", None, ""], out=folder)
    return folder


def test_people_are_not_asked_again(run):
    with open_run(run) as record:
        assert [event.tick for event in record.milestones("human")] == [1, 3, 4, 6]
        assert record.outcomes[0]["fallbacks"] == 2
    began = time.monotonic()
    assert verify(run).passed and told("replay", run) == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(("change", "words"), [
    ({"action": (3, 0)}, "tick 3: an agent decides differently"), ({"agent": 1}, "tick 3: "), ({"tick": 4}, "tick 3: "),
])  # fmt: skip
def test_a_forged_decision_is_found(run, change, words, monkeypatch):
    """Even where the chain was made anew with it."""
    original = Run._event

    def forged(self, seq, body):
        event = original(self, seq, body)
        hit = isinstance(event, HumanActed) and event.tick == 3
        return event.model_copy(update=change) if hit else event

    monkeypatch.setattr(Run, "_event", forged)
    assert words in verify(run).differs


def test_a_changed_row_breaks_the_chain(run, tmp_path):
    import shutil

    folder = shutil.copytree(run, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        db.execute("UPDATE event SET body = replace(body, '[1,0]', '[2,0]') WHERE kind = 'human'")
    assert "the row was changed" in verify(folder).summary


# -- the command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "human.toml").write_text(as_toml(load(scenario()).as_dict()))


class Keyboard(io.StringIO):
    """Lines that are typed at a terminal."""

    def isatty(self):
        return True


def test_at_the_keyboard(file, monkeypatch, capsys):
    shown = io.StringIO()
    monkeypatch.setattr(_keyboard, "err", Console(file=shown, width=300))
    monkeypatch.setattr("sys.stdin", Keyboard("left\nforwrd\nforward\n\nright\nforward\nleft\n"))
    assert told("run", "human.toml", "--seed", 3, "--out", "r") == 0
    with open_run("r") as record:
        assert len(list(record.milestones("human"))) == 6 and record.outcomes[0]["fallbacks"] == 0
    assert "You are robot 0" in shown.getvalue() and "did you mean 'forward'" in shown.getvalue()
    assert verify("r").passed


def test_quit_ends_the_run_and_keeps_the_record(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Keyboard("left\nquit\n"))
    assert told("run", "human.toml", "--out", "r") == 1
    with open_run("r") as record:
        assert record.outcomes[0]["finish"] == "stopped" and record.outcomes[0]["ticks"] == 1


def test_without_a_terminal_fallbacks_act_at_once(file, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("left\n"))
    assert told("run", "human.toml", "--out", "r") == 0
    assert "no person can answer" in capsys.readouterr().err
    with open_run("r") as record:
        assert record.outcomes[0]["fallbacks"] == 6


def test_what_is_typed_too_late_answers_nothing():
    """A line for a question that is gone must not allow the next one."""

    class Slow:
        def __iter__(self):
            time.sleep(0.3)
            yield "forward\n"
            time.sleep(0.4)
            yield "left\n"

    keyboard = Terminal(Console(file=io.StringIO()), Slow())
    model = sandbox.Sandbox(scenario(0.15, ticks=3), rng=3)
    model.people = keyboard
    questions = [model.question(0, patience) for patience in (0.15, 2.0)] if model.step() is None else []
    first = keyboard.ask(questions[:1])
    time.sleep(0.3)
    assert first == [None] and keyboard.ask(questions[1:]) == [(run_verbs().index("left"), 0)]

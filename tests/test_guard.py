"""The guard: what agents may do, who is asked, and what of it is in the record."""

import io
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from commands import told
from rich.console import Console

import sandbox
from sandbox.cli._keyboard import Terminal
from sandbox.core.errors import UsageError
from sandbox.core.people import Question
from sandbox.oversight.approvals import Approvals
from sandbox.record import Reviewed, open_run
from sandbox.running.replay import verify
from sandbox.scenario import load

ROBOT = {"reasoner": "scripted", "script": ["left", "forward", "right", "left"]}


def scenario(*rules, count=2, ticks=4) -> dict:
    """Robots that all follow one script, below a guard."""
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 5, "max_ticks": ticks}
    return {"world": world, "agents": [{**ROBOT, "count": count}], "guard": list(rules)}


def verbs(model: sandbox.Sandbox) -> list[str]:
    return [model.env.verbs[verb] for verb in model.latest.actions[:, 0]]


def played(table: dict, people=None) -> tuple[list[list[str]], list]:
    """The verbs that were enforced, tick by tick, and all reviews."""
    model, done, reviews = sandbox.Sandbox(table, rng=3, people=people), [], []
    while model.running:
        model.step()
        assert model.error is None, model.error
        done.append(verbs(model))
        reviews += model.latest.reviews
    return done, reviews


def test_the_first_rule_that_matches_counts():
    rules = [
        {"agent": "robot-1", "verb": "left", "effect": "allow"},
        {"verb": "l*", "effect": "deny", "why": "nobody turns left"},
        {"agent": "*-0", "verb": "right", "effect": "modify", "to": "forward"},
        {"verb": "right", "effect": "allow"},
        {"verb": "*", "agent": "robot-1", "target": "[0-9]", "effect": "deny"},
    ]
    done, reviews = played(scenario(*rules))
    assert done == [["noop", "left"], ["forward", "noop"], ["forward", "right"], ["noop", "left"]]
    assert [(each.agent, each.rule, each.effect, each.by) for each in reviews] == [
        (0, 1, "deny", "rule"), (1, 4, "deny", "rule"), (0, 2, "modify", "rule"), (0, 1, "deny", "rule"),
    ]  # fmt: skip


def test_without_a_rule_that_matches_nothing_changes():
    free = sandbox.run({**scenario(), "guard": []}, seed=3)
    assert free.digest == sandbox.run(scenario({"verb": "toggle_load", "effect": "deny"}), seed=3).digest
    assert free.digest != sandbox.run(scenario({"verb": "left", "effect": "deny"}), seed=3).digest


def test_compiled_policies_are_guarded_too_and_told_that_they_were_refused():
    table = scenario({"agent": "robot-0", "effect": "deny"})
    table["agents"] = [{"count": 2, "reasoner": "rules"}]
    assert not load(table).compiled and load({**table, "guard": []}).compiled
    model = sandbox.Sandbox(table, rng=3)
    start = model.state.pos[0].tolist()
    model.step()
    assert verbs(model)[0] == "noop" != verbs(model)[1]
    assert (model.earned(0)["refused"], model.earned(1)["refused"]) == (True, False)
    while model.running:
        model.step()
    assert model.state.pos[0, 0].tolist() == start[0] and model.state.pos[0, 1].tolist() != start[1]


def test_who_does_nothing_is_not_denied():
    table = scenario({"effect": "escalate"}, count=1)
    table["agents"][0]["script"] = ["noop", "left"]
    _, reviews = played(table)
    assert [review.said for review in reviews] == [(sandbox.make("warehouse").verbs.index("left"), 0)]


BAD = {
    "an unknown verb": ({"verb": "foward", "effect": "deny"}, r"guard\[0\].verb: unknown verb.*did you mean 'forward'"),
    "a glob that matches none": ({"verb": "x*", "effect": "deny"}, r"guard\[0\].verb: unknown verb 'x\*'; known: "),
    "an unknown agent": ({"agent": "robt-1", "effect": "deny"}, r"guard\[0\].agent: .*did you mean 'robot-1'"),
    "a target beyond": ({"target": "7", "effect": "deny"}, r"guard\[0\].target: unknown target '7'; known: 0"),
    "an unknown effect": ({"effect": "forbid"}, r"guard.0.effect: .*'allow', 'deny', 'modify' or 'escalate'"),
    "no effect": ({"verb": "left"}, r"guard.0.effect: field required"),
    "an unknown key": ({"verbs": "left", "effect": "deny"}, r"guard\[0\]: unknown key 'verbs'; did you mean 'verb'"),
    "modify without to": ({"effect": "modify"}, r"guard\[0\]: effect 'modify' and to"),
    "to without modify": ({"effect": "deny", "to": "left"}, r"guard\[0\]: effect 'modify' and to"),
    "a bad to": ({"effect": "modify", "to": "lift"}, r"guard\[0\].to\[0\]: unknown verb 'lift'"),
    "a time-out below 0": ({"effect": "escalate", "timeout": -1.0}, r"guard.0.timeout"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rules_are_one_clear_line(name):
    rule, words = BAD[name]
    with pytest.raises(UsageError, match=words) as found:
        sandbox.Sandbox(scenario(rule))
    assert "\n" not in str(found.value)


# -- escalation --------------------------------------------------------------------------------------------------------

ASK = {"agent": "robot-0", "verb": "left", "effect": "escalate", "why": "left is dear", "timeout": 20.0}


class Clerk(threading.Thread):
    """A person at a page: answers what waits, by agent and tick."""

    def __init__(self, approvals: Approvals, answers: dict):
        super().__init__(daemon=True)
        self.approvals, self.answers, self.seen = approvals, dict(answers), []
        self.start()

    def run(self):
        until = time.monotonic() + 20
        while self.answers and time.monotonic() < until:
            for question in self.approvals.pending:
                self.seen.append(question)
                self.approvals.answer(question.agent, self.answers.pop((question.agent, question.tick)))
            time.sleep(0.001)


def test_a_person_allows_denies_or_takes_another_action():
    answers = {(0, 1): "allow", (1, 1): "deny", (0, 4): "forward", (1, 4): ""}
    approvals = Approvals()
    clerk = Clerk(approvals, answers)
    done, reviews = played(scenario({**ASK, "agent": "*"}), approvals)
    assert [done[0], done[3]] == [["left", "noop"], ["forward", "noop"]]
    assert {review.by for review in reviews} == {"human"} and len(reviews) == 4
    first = clerk.seen[0]
    assert (first.name, first.why, first.in_words(first.said)) == ("robot-0", "left is dear", "left")
    assert "You are robot 0" in first.view and "forward" in first.legal
    assert approvals.pending == []


def test_questions_of_a_tick_wait_at_the_same_time():
    began = time.monotonic()
    done, reviews = played(scenario({**ASK, "agent": "*", "timeout": 0.2}, count=5, ticks=1), Approvals())
    assert 0.2 <= time.monotonic() - began < 0.9
    assert done == [["noop"] * 5] and {review.by for review in reviews} == {"timeout"}


def test_answers_that_fit_nothing_are_refused():
    approvals = Approvals()
    with pytest.raises(UsageError, match="agent 0: not waiting"):
        approvals.allow(0)
    question = Question(1, 0, "robot-0", 5.0, "", ("noop", "left"), {"noop": [0], "left": [0, 2]}, 0, (1, 0))
    for words, hint in {"lift": "did you mean 'left'", "left 1": "expected a target of 'left': 0, 2"}.items():
        with pytest.raises(UsageError, match=hint):
            question.read(words)
    assert [question.read(words) for words in ("allow", "deny", "", "left 2")] == [(1, 0), (0, 0), (0, 0), (1, 2)]


@pytest.mark.parametrize("command", ["run", "batch", "certify"])
def test_where_nobody_can_be_asked_nothing_waits(command, tmp_path, monkeypatch, capsys):
    """A time-out of a day, and the run is over at once, with the safe side taken."""
    monkeypatch.chdir(tmp_path)
    table = scenario({**ASK, "timeout": 86_400.0})
    from sandbox.scenario.load import as_toml

    (tmp_path / "guarded.toml").write_text(as_toml(load(table).as_dict()))
    options = {"run": [], "batch": ["--trials", 2, "--workers", 1], "certify": ["--reliability", 0.5]}[command]
    code = told(command, "guarded.toml", "--out", "r", *options)
    assert code in (0, 1), capsys.readouterr()
    if command == "run":
        assert "no person can answer" in capsys.readouterr().err
        with open_run("r") as run:
            assert [event.by for event in run.milestones("review")] == ["timeout"] * 2
        assert verify("r").passed


# -- the keyboard ------------------------------------------------------------------------------------------------------


def test_a_person_at_the_keyboard():
    shown = io.StringIO()
    terminal = Terminal(Console(file=shown, width=300), io.StringIO("lft\nallow\nforward\n"))
    done, reviews = played(scenario(ASK), terminal)
    assert [done[0][0], done[3][0]] == ["left", "forward"] and {review.by for review in reviews} == {"human"}
    words = shown.getvalue()
    assert "did you mean 'left'" in words and "It wants to left. left is dear" in words and "You are robot 0" in words


def test_a_keyboard_that_ends_denies_and_quit_ends_the_run():
    done, reviews = played(scenario(ASK), Terminal(Console(file=io.StringIO()), io.StringIO("")))
    assert done[0][0] == "noop" and {review.by for review in reviews} == {"timeout"}
    with pytest.raises(KeyboardInterrupt):
        played(scenario(ASK), Terminal(Console(file=io.StringIO()), io.StringIO("quit\n")))


# -- the record --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A recorded run in which a rule denied, and a person allowed once and said nothing the second time."""
    folder = tmp_path_factory.mktemp("guard") / "run"
    table = scenario(ASK | {"timeout": 0.5}, {"agent": "robot-1", "verb": "forward", "effect": "deny"})
    approvals = Approvals()
    Clerk(approvals, {(0, 1): "allow"})
    sandbox.run(table, seed=3, out=folder, people=approvals)
    return folder


def test_what_was_said_and_what_was_enforced_are_both_recorded(guarded):
    with open_run(guarded) as run:
        found = list(run.milestones("review"))
    left, forward = (sandbox.make("warehouse").verbs.index(verb) for verb in ("left", "forward"))
    assert [(e.tick, e.agent, e.said[0], e.effect, e.enforced[0], e.by) for e in found] == [
        (1, 0, left, "escalate", left, "human"), (2, 1, forward, "deny", 0, "rule"),
        (4, 0, left, "escalate", 0, "timeout"),
    ]  # fmt: skip


def test_a_replay_asks_nobody_and_a_verification_passes(guarded):
    assert verify(guarded).passed
    assert told("replay", guarded) == 0


FORGED = {
    "what was said": {"said": (3, 0)},
    "the rule": {"rule": 7},
    "an answer that nobody gave": {"by": "human", "enforced": (1, 0)},
    "what a rule enforced": {"enforced": (1, 0)},
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("which", [1, 2])
def test_a_forged_review_is_found(guarded, name, which, monkeypatch):
    """Even where the chain was made anew with it: what the guard does is done again."""
    from sandbox.record.read import Run

    original, change = Run._event, FORGED[name]

    def forged(self, seq, body):
        event = original(self, seq, body)
        hit = isinstance(event, Reviewed) and (event.tick, event.agent) == ((2, 1) if which == 1 else (4, 0))
        return event.model_copy(update=change) if hit else event

    monkeypatch.setattr(Run, "_event", forged)
    verdict = verify(guarded)
    assert not verdict.passed and f"tick {2 if which == 1 else 4}" in verdict.differs, verdict


def test_a_review_that_is_missing_or_changed_in_the_file_is_found(guarded, tmp_path):
    import shutil

    folder = shutil.copytree(guarded, tmp_path / "run")
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        db.execute(
            'UPDATE event SET body = replace(body, \'"by":"timeout"\', \'"by":"human"\') WHERE kind = \'review\''
        )
    assert "the row was changed" in verify(folder).summary

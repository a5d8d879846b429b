"""Who acted: decisions of the agents under test, of fallbacks and of persons, and what counts as whose failure."""

import json

import numpy as np
import pytest
from commands import told
from fake_llm import Server, plays, send

import sandbox
from sandbox.core.people import Nobody
from sandbox.record import open_run
from sandbox.running.intervene import reseat
from sandbox.running.trial import outcome_of
from sandbox.scenario import load
from sandbox.studies.certify import FILE, certify, claim

DEAD = "local:http://127.0.0.1:9/v1#x"  # a closed port
WEB = {"name": "web", "layout": "login-user", "max_ticks": 20}


def scenario(model: str = DEAD, fallback: str = "semantic", **table) -> dict:
    agent = {"reasoner": "llm", "fallback": fallback, "llm": {"model": model, "retries": 0}}
    return {"world": WEB, "seed": 1, "agents": [agent], **table}


def written(path, table: dict):
    import tomli_w

    path.write_text(tomli_w.dumps(table))
    return path


# -- a model that nobody serves ----------------------------------------------------------------------------------------


def test_a_model_that_never_replies_is_an_error_of_the_infrastructure():
    outcome = sandbox.run(scenario())
    assert (outcome.success, outcome.finish, outcome.steps_to_completion) == (False, "error", None)
    assert outcome.error.startswith("clerk-0 never got a reply of local:http://127.0.0.1:9/v1#x: ")
    assert (outcome.own_decisions, outcome.autonomy, outcome.invalid_replies) == (0, 0, 0) and outcome.fallbacks


def test_one_agent_of_several_that_is_never_reached_is_enough():
    dead, params = scenario()["agents"][0], {"reasoner": "rules", "count": 2}
    with Server(plays("noop")) as server:
        alive = {**dead, "llm": {"model": f"local:{server.address}"}}
        world = {"name": "warehouse", "layout": "tiny", "max_ticks": 4}
        agents = [params, {**alive, "fallback": "idle"}, {**dead, "fallback": "idle"}]
        outcome = sandbox.run({"world": world, "agents": agents})
    assert outcome.finish == "error" and outcome.error.startswith("robot-3 never got a reply")


def test_one_reply_makes_it_the_agents_own_trial():
    def once(server, handler, body):
        send(handler, b"{}", 503) if len(server.requests) > 1 else plays("click")(server, handler, body)

    with Server(once) as server:
        outcome = sandbox.run(scenario(f"local:{server.address}", "idle"))
    assert outcome.error is None and outcome.finish == "tick limit" and outcome.invalid_replies == 1


REACHED = ("--allow", "network=127.0.0.1:9")  # where nobody answers


def test_certify_refuses_and_says_why(tmp_path, monkeypatch, capsys):
    """The worst fault of all: a fallback policy earned a certificate for a model that did not exist."""
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path / "s.toml", scenario())
    assert told("certify", file, *REACHED, "--reliability", 0.9, "--workers", 1, "--out", "c") == 1
    out, err = capsys.readouterr()
    assert "NOT EARNED" in out and "2 infrastructure errors" in " ".join(out.split())
    assert "error: not earned: 0 trials count, 29 are needed: 2 of 2 are infrastructure errors" in err  # it ends early
    certificate = json.loads((tmp_path / "c" / FILE).read_text())
    assert (certificate["earned"], certificate["errors"], certificate["trials"]) == (False, 2, 0)

    assert told("batch", file, *REACHED, "--trials", 3, "--workers", 1, "--out", "b") == 1
    out, err = capsys.readouterr()
    assert "autonomy" in out and "infrastructure error, not counted, 3 trials: clerk-0 never got a reply" in out
    assert "3 of 3 trials are infrastructure errors, more than the limit of 5%" in err
    rows = sandbox.results("b")
    assert rows["error"].notna().all() and not rows["success"].any() and (rows["autonomy"] == 0).all()

    assert told("compare", "b", "b") == 2
    assert "all 3 trials are infrastructure errors; none can be compared" in capsys.readouterr().err
    lenient = (*REACHED, "--set", "trials.max_errors=1.0")
    assert told("batch", file, *lenient, "--trials", 3, "--workers", 1, "--out", "b") == 0
    assert told("report", "b", "--out", "r.html") == 0
    page = (tmp_path / "r.html").read_text()
    assert "no trial that counts" in page and "never got a reply" in page and "autonomy" in page


def test_a_card_says_it_too(tmp_path, monkeypatch, capsys):
    (tmp_path / "suite").mkdir()
    written(tmp_path / "suite" / "web.toml", {"world": WEB, "agents": [{"reasoner": "rules"}]})
    agent = {"reasoner": "llm", "fallback": "semantic", "llm": {"model": DEAD, "retries": 0}}
    written(tmp_path / "dead.toml", agent)
    monkeypatch.chdir(tmp_path)
    assert told("card", "dead.toml", *REACHED, "--suite", "suite", "--trials", 2, "--workers", 1, "--out", "card") == 1
    err = capsys.readouterr().err
    assert "dead in web: 2 of 2 trials are infrastructure errors" in err
    rows = {
        (row["agent"], row["scenario"]): row for row in json.loads((tmp_path / "card/card.json").read_text())["rows"]
    }
    assert rows["dead", "web"]["clean"]["success"] is None and rows["dead", "web"]["errors"] == 2
    assert rows["oracle", "web"]["decided"]["autonomy"] == 1.0


def test_who_takes_the_place_of_a_dead_model_or_a_broken_program_does_not_answer_for_it():
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 300}
    for group in (scenario()["agents"][0] | {"fallback": "idle"}, {"reasoner": "program", "program": "x = 1/0"}):
        model = sandbox.Sandbox({"world": world, "agents": [group]}, rng=1)
        model.step()
        assert model.outage or model.failures
        reseat(model, 0, "rules")
        while model.running:
            model.step()
        outcome = outcome_of(model, 0.0)
        assert outcome.success and outcome.error is None and outcome.failure is None and outcome.fallbacks == 1
        assert outcome.autonomy == 0, "of the agent that was under test"


# -- whose success it is -----------------------------------------------------------------------------------------------

SCRIPT = [{"verb": "click", "target": 1}, {"text": "I would rather not."}, {"verb": "click", "target": 1}]


def half_scripted(**table) -> dict:
    found = scenario("scripted", **table)
    found["agents"][0]["llm"] |= {"replies": SCRIPT}
    return found


def test_decisions_are_counted_by_whom_they_are_of():
    outcome = sandbox.run(half_scripted())
    assert outcome.success and (outcome.own_decisions, outcome.invalid_replies) == (2, 1)
    assert outcome.fallbacks == outcome.ticks - 2 and outcome.autonomy == 2 / outcome.ticks


def test_a_forced_action_and_a_wait_are_no_decisions():
    """A model that thinks for two ticks decides every third one; where one action is legal, nobody decides."""
    replies = [{"verb": "noop"}] * 9
    llm = {"model": "scripted", "replies": replies, "thinking": {"ticks": 2}}
    agent = {"reasoner": "llm", "llm": llm}
    outcome = sandbox.run({"world": {"name": "warehouse", "layout": "tiny", "max_ticks": 9}, "agents": [agent]})
    assert (outcome.own_decisions, outcome.late_decisions, outcome.autonomy) == (3, 3, 1.0)


@pytest.mark.parametrize("claim, earned", [("agents", False), ("team with fallback", True)])
def test_a_certificate_covers_what_was_claimed(claim, earned, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path / "s.toml", half_scripted(claim=claim))
    code = told("certify", file, "--reliability", 0.8, "--workers", 1, "--out", "c")
    out, err = capsys.readouterr()
    certificate = json.loads((tmp_path / "c" / FILE).read_text())
    assert (code == 0) == certificate["earned"] == earned and certificate["claim"]["of"] == claim
    assert f"{'EARNED' if earned else 'NOT EARNED'}: success of the {claim}" in out and "; autonomy " in out
    assert earned or "decisions were a fallback's, not the agents' own" in err
    assert certificate["decisions"]["fallbacks"] > 0
    assert told("verify", "c") == 0


def test_agents_that_decide_nothing_earn_nothing(tmp_path):
    """A model beside a team that does the task without it, and never has the turn to do anything but wait."""
    llm = {"model": "scripted", "replies": [{"verb": "noop"}], "thinking": {"ticks": 999}}
    thinks = {"reasoner": "llm", "llm": llm}
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 300}
    table = load({"world": world, "agents": [{"reasoner": "oracle"}, thinks]})
    found = certify(table, claim(table, 0.5, 0.9, 0), tmp_path / "c", workers=1)
    assert not found["earned"] and found["failures"] == 0
    assert found["refusal"] == "the agents under test made no decision: as the scenario stands"


def test_compiled_policies_decide_for_themselves_in_both_tiers():
    table = {"world": {"name": "warehouse", "layout": "tiny", "deliveries": 1}, "agents": [{"reasoner": "rules"}]}
    outcome = sandbox.run(table)
    assert (outcome.autonomy, outcome.own_decisions, outcome.fallbacks) == (1.0, 0, 0)


class Steers(Nobody):
    """Holds agent 0 for the first two ticks."""

    def held(self, tick):
        return {0: None} if tick <= 2 else {}


def test_a_person_who_takes_an_agent_over_lowers_its_autonomy():
    outcome = sandbox.run(half_scripted(), people=Steers())
    assert outcome.taken_over == 2 and outcome.own_decisions == 2
    assert outcome.autonomy == 2 / outcome.ticks


def test_compare_and_results_say_whose_success_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path / "s.toml", half_scripted())
    for name in ("a", "b"):
        assert told("batch", file, "--trials", 2, "--workers", 1, "--out", name) == 0
    capsys.readouterr()
    assert told("compare", "a", "b") == 0
    assert "autonomy" in capsys.readouterr().out
    rows = sandbox.results("a")
    assert {"own_decisions", "fallbacks", "late_decisions", "invalid_replies", "autonomy"} <= {*rows.columns}
    assert np.allclose(rows["autonomy"], rows["own_decisions"] / (rows["own_decisions"] + rows["fallbacks"]))


# -- programs ----------------------------------------------------------------------------------------------------------

BROKEN = {
    "x = 1/0": "ZeroDivisionError", "import numpy": "ModuleNotFoundError", "nosuch()": "unknown function 'nosuch'",
    "while True:\n    pass": "more than 500,000 steps", "raise ValueError('no')": "ValueError: no",
    "act('launch')": "unknown verb 'launch'", "left(99)": "expected 0..0",
}  # fmt: skip


def programmed(program: str, **table) -> dict:
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 1, "max_ticks": 300}
    return {"world": world, "agents": [{"reasoner": "program", "program": program, "fallback": "rules"}], **table}


@pytest.mark.parametrize("program", BROKEN)
def test_a_program_that_breaks_off_has_failed(program, tmp_path):
    outcome = sandbox.run(programmed(program), out=tmp_path / "run")
    assert (outcome.success, outcome.finish, outcome.error) == (False, "agent failed", None)
    assert outcome.failure.startswith("robot-0: ") and BROKEN[program] in outcome.failure
    assert outcome.tasks_done == 1 and outcome.autonomy == 0, "its fallback has done the task"
    with open_run(tmp_path / "run") as run:
        assert run.outcomes[0]["failure"] == outcome.failure


def test_with_the_other_claim_the_fallback_is_part_of_the_team():
    outcome = sandbox.run(programmed("x = 1/0", claim="team with fallback"))
    assert outcome.success and "ZeroDivisionError" in outcome.failure and outcome.autonomy == 0


def test_a_program_that_ends_well_has_not_failed():
    outcome = sandbox.run(programmed("left()"))
    assert outcome.success and outcome.failure is None and outcome.own_decisions == 1


def test_the_console_says_how_an_agent_broke_off(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path / "s.toml", programmed("x = 1/0"))
    assert told("run", file, "--out", "r") == 0
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert told("batch", file, "--trials", 2, "--workers", 1, "--out", "b") == 0
    assert "an agent broke off, 2 trials: robot-0: ZeroDivisionError" in capsys.readouterr().out


def test_an_unknown_claim_is_refused():
    with pytest.raises(sandbox.UsageError, match="claim"):
        load(scenario(claim="the team"))

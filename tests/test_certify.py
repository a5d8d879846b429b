"""Certificates: earned or refused honestly, ended early, checkable; comparisons paired on seeds."""

import json
import shutil
import sqlite3
import sys
from contextlib import closing

import pytest
from batches import earlier, forge

import sandbox
from sandbox.analysis.compare import compare
from sandbox.cli.main import main
from sandbox.core.errors import RecordError, UsageError
from sandbox.scenario import load
from sandbox.studies.certify import CLAIM, FILE, certify, check, claim

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 200},
    "agents": [{"count": 4, "reasoner": "oracle"}],
    "sweep": {"perturb.agent_crash": [0.0, 1.0]},
}
WEAK = {**SCENARIO, "agents": [{"count": 4, "reasoner": "random"}]}


def _certified(scenario, folder, reliability=0.99, failures=0):
    chosen = load(scenario)
    return certify(chosen, claim(chosen, reliability, 0.95, failures), folder)


@pytest.fixture(scope="module")
def earned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate") / "earned"
    return folder, _certified(SCENARIO, folder)


def test_what_is_claimed_is_stated_beforehand():
    stated = claim(load(SCENARIO), 0.99999, 0.95, 0)
    assert (stated.trials, stated.each) == (299_572, 149_786)
    assert "at least 0.99999 of trials, at 0.95 confidence\nover 2 conditions, each equally often" in stated.words


def test_an_earned_certificate(earned):
    folder, found = earned
    assert found["earned"] and found["trials"] == 300 and found["failures"] == 0 and found["bound"] >= 0.99
    assert [stratum["trials"] for stratum in found["strata"]] == [150, 150]
    assert json.loads((folder / FILE).read_text()) == found
    checked = check(folder, 20, found["root"])
    assert (checked.executed, checked.problems, checked.certificate) == (20, [], found)


def test_a_certificate_over_trials_of_the_earlier_format_is_checked(earned, tmp_path):
    """Written before a batch packed its columns: it has the root of its rows."""
    shutil.copytree(earned[0], folder := tmp_path / "earlier")
    root = earlier(folder, json.loads((folder / CLAIM).read_text()))
    assert root != earned[1]["root"]
    (folder / FILE).write_text(json.dumps({**earned[1], "root": root}))
    checked = check(folder, 3, root)
    assert (checked.executed, checked.problems) == (3, []) and checked.certificate["earned"]
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        assert db.execute("UPDATE trial SET ticks = ticks + 1 WHERE trial = 7").rowcount
    assert any("root" in problem for problem in check(folder, 0).problems)


def test_a_lost_claim_ends_early_with_its_failing_seeds(tmp_path):
    found = _certified(WEAK, tmp_path / "c", 0.9999)
    assert not found["earned"] and 0 < found["trials"] < 29_956
    failed = found["failed"][0]
    outcome = sandbox.run(WEAK, seed=failed["seed"], overrides=failed["overrides"])
    assert not outcome.success and outcome.ticks == failed["ticks"] and outcome.finish == failed["finish"]


def test_failures_that_were_allowed_are_forgiven_and_one_more_is_not(tmp_path):
    scenario = {**SCENARIO, "agents": [{"count": 4, "reasoner": "rules"}], "sweep": {}}
    scenario["world"] = {**SCENARIO["world"], "max_ticks": 40}
    failures = int((~sandbox.results(sandbox.batch(scenario, tmp_path / "b", trials=2000))["success"]).sum())
    assert 5 < failures < 100
    rate = 1 - 2 * failures / 2000  # half as reliable as it is: earned with failures enough allowed, else lost
    lenient = _certified(scenario, tmp_path / "lenient", rate, failures)
    assert lenient["earned"] and 0 < lenient["failures"] <= failures
    strict = _certified(scenario, tmp_path / "strict", rate, 0)
    assert not strict["earned"] and strict["failures"] > 0


@pytest.mark.parametrize("forged", ["outcome", "bound", "seed"])
def test_a_forged_certificate_is_found(forged, earned, tmp_path):
    folder = tmp_path / "forged"
    shutil.copytree(earned[0], folder)
    if forged == "bound":
        certificate = json.loads((folder / FILE).read_text())
        (folder / FILE).write_text(json.dumps({**certificate, "bound": 0.9999}))
    else:
        change = "ticks = ticks + 1" if forged == "outcome" else "digest = 'f'"
        forge(folder, f"UPDATE trial SET {change} WHERE trial < 100")
    problems = check(folder, 40).problems
    assert problems and ("bound" in problems[0]) == (forged == "bound")
    if forged != "bound":
        assert any("not the same when executed again" in problem for problem in problems)


def test_conditions_stand_in_the_order_of_the_file(tmp_path):
    """Keys of a sweep that are not in the order of the alphabet: whoever reads the table finds the same conditions."""
    swept = {"one_at_a_time": {"world.max_ticks": [190], "perturb.agent_crash": [0.5]}}
    found = _certified({**SCENARIO, "sweep": swept}, tmp_path / "c", 0.5)
    assert [stratum["overrides"] for stratum in found["strata"]] == [
        {}, {"world.max_ticks": 190}, {"perturb.agent_crash": 0.5},
    ]  # fmt: skip
    assert check(tmp_path / "c", 100).problems == []
    turned = {"one_at_a_time": dict(reversed(swept["one_at_a_time"].items()))}
    sandbox.batch({**SCENARIO, "sweep": swept}, tmp_path / "b", trials=2)
    with pytest.raises(UsageError, match="begun with the sweep in another order"):
        sandbox.batch({**SCENARIO, "sweep": turned}, tmp_path / "b", trials=2)


def test_a_claim_cannot_know_its_outcomes(earned, tmp_path):
    with pytest.raises(UsageError, match="holds another claim"):
        _certified(SCENARIO, earned[0], failures=1)
    assert _certified(SCENARIO, earned[0])["root"] == earned[1]["root"]  # the same one goes on, or is done
    sandbox.batch(SCENARIO, tmp_path / "b", trials=10)
    with pytest.raises(UsageError, match="trials that were run before the claim was stated"):
        _certified(SCENARIO, tmp_path / "b")


def test_no_certificate_is_told(tmp_path):
    with pytest.raises(RecordError, match="no certificate"):
        check(tmp_path)


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(
        '[world]\nname = "warehouse"\nlayout = "tiny"\ndeliveries = 2\n[[agents]]\ncount = 4\nreasoner = "oracle"\n'
    )

    def told(*arguments):
        monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr().out

    code, out = told("certify", "s.toml", "--reliability", "0.99")
    assert code == 0 and "EARNED" in out and out.startswith("claim:")
    code, out = told("verify", "runs/s-certificate", "--sample", "5")
    assert code == 0 and "5 of 299 trials executed again, all equal" in out and "EARNED" in out
    lost = ("--set", "agents.0.reasoner=random", "--set", "world.max_ticks=30", "--out", "runs/lost")
    code, out = told("certify", "s.toml", "--reliability", "0.99", *lost)
    assert code == 1 and "NOT EARNED" in out and "watch it: sandbox run s.toml --seed" in out


def test_comparisons_are_paired(tmp_path):
    swept = {**SCENARIO, "sweep": {"world.max_ticks": [22, 200]}}
    for name, reasoner in (("oracle", "oracle"), ("rules", "rules")):
        sandbox.batch({**swept, "agents": [{"count": 4, "reasoner": reasoner}]}, tmp_path / name, trials=200)
    found = compare([tmp_path / "rules", tmp_path / "oracle"])
    assert [row.condition for row in found] == ["world.max_ticks=22", "world.max_ticks=200"]
    tight, loose = found
    assert tight.success.pairs == 200 and tight.success.difference.low > 0 and tight.adjusted < 1e-6
    assert loose.success.difference.value >= 0 and loose.steps.high < 0
    rows = {name: sandbox.results(tmp_path / name).query("condition == 0") for name in ("rules", "oracle")}
    only = (rows["oracle"]["success"].to_numpy() & ~rows["rules"]["success"].to_numpy()).sum()
    assert tight.success.only_second == only
    with pytest.raises(UsageError, match="shares no seeds"):
        sandbox.batch({**swept, "seed": 10_000}, tmp_path / "other", trials=5)
        compare([tmp_path / "rules", tmp_path / "other"])

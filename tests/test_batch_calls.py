"""Batches of language models keep what was answered, so that each trial can be replayed, verified and read."""

import sqlite3
from contextlib import closing

import pytest
import tomli_w
from commands import told
from fake_llm import Server, plays

import sandbox
from sandbox.record import open_run
from sandbox.running.reexecute import check, rerun, trial_of
from sandbox.studio.backend.episode_source import order_of

TICKS, TRIALS = 4, 2


def scenario(address: str) -> dict:
    agent = {"reasoner": "llm", "count": 2, "llm": {"model": f"local:{address}", "retries": 0}}
    world = {"name": "warehouse", "layout": "tiny", "max_ticks": TICKS}
    return {"world": world, "agents": [agent], "sweep": {"world.deliveries": [1, 2]}}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The folder of a batch whose model is gone."""
    with Server(plays("left")) as server:
        folder = sandbox.batch(scenario(server.address), tmp_path_factory.mktemp("batch") / "b", TRIALS, workers=1)
    return folder


def test_every_trial_is_played_again_without_its_model(asked):
    rows = sandbox.results(asked)
    assert len(rows) == 2 * TRIALS and (rows["calls"] == 2 * TICKS).all() and (rows["autonomy"] == 1).all()
    checked = check(asked, 100)
    assert (checked.executed, checked.problems) == (len(rows), [])
    for row in rows.itertuples():
        outcome = rerun(trial_of(asked, row.Index))
        assert (outcome.digest, outcome.calls, outcome.own_decisions) == (row.digest, row.calls, row.own_decisions)


def test_the_whole_record_of_a_trial_can_be_had_and_verified(asked, tmp_path, capsys):
    assert told("replay", asked, "--trial", 3, "--out", tmp_path / "r") == 0
    assert "the final state equal to the recorded one" in capsys.readouterr().out
    assert told("verify", tmp_path / "r") == 0
    with open_run(tmp_path / "r") as run:
        assert len(list(run.milestones("call"))) == 2 * TICKS
    assert told("verify", asked) == 0
    assert "4 trials executed again, all equal" in capsys.readouterr().out


def test_the_studio_plays_it_from_its_answers(asked):
    order = order_of(asked, 1)
    assert order.whole and order.digest == trial_of(asked, 1).digest and order.recorded is not None


def test_a_report_shows_pictures_of_it(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told("report", asked, "--out", "r.html") == 0
    assert "autonomy" in (page := (tmp_path / "r.html").read_text()) and "<svg" in page


def test_what_was_answered_cannot_be_changed_unseen(asked, tmp_path):
    import shutil

    folder = shutil.copytree(asked, tmp_path / "forged")
    with closing(sqlite3.connect(folder / "run.db")) as db:
        one, other = db.execute("SELECT events FROM asked WHERE condition = 0").fetchall()
        db.execute("UPDATE asked SET events = ? WHERE condition = 0 AND trial = 0", other)
        db.execute("UPDATE asked SET events = ? WHERE condition = 0 AND trial = 1", (b"junk",))
        db.commit()
    problems = check(folder, 100).problems
    assert len(problems) == 3 and "notes the root" in problems[0] and any("damaged" in problem for problem in problems)


def test_a_switch_drops_them_and_then_it_is_said(tmp_path, capsys):
    with Server(plays("left")) as server:
        table = scenario(server.address)
        folder = sandbox.batch(table, tmp_path / "b", 1, 1, overrides={"trials.keep_calls": False})
    assert told("replay", folder) == 1
    assert "the answers of its agents were not kept (trials.keep_calls)" in capsys.readouterr().err
    assert told("verify", folder) == 1


def test_results_and_compare_take_single_runs_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table = {"world": {"name": "warehouse", "layout": "tiny", "deliveries": 1}, "agents": [{"reasoner": "rules"}]}
    (tmp_path / "s.toml").write_text(tomli_w.dumps(table))
    for name in ("a", "b"):
        assert told("run", "s.toml", "--out", name) == 0
    capsys.readouterr()
    assert told("results", "a", "--out", "a.csv") == 0 and (tmp_path / "a.csv").is_file()
    assert "100.00 %" in capsys.readouterr().out
    assert told("compare", "a", "b") == 0
    assert told("report", "a", "b", "--out", "r.html") == 0
    assert told("replay", "a", "--out", "c") == 2
    assert told("verify", "nowhere") == 1
    for line in capsys.readouterr().err.strip().splitlines()[-2:]:
        assert line.startswith("error: ")

"""Report cards: their figures are those of the trials, and what cannot be carded is told in one line."""

import json
import re

import numpy as np
import pytest
from commands import told

import sandbox
from sandbox.engine import registry
from sandbox.statistics import clustered_rate
from sandbox.studies.suite import VERSION, hash_of, open_suite

SCENARIO = """
title = "<b>Four robots</b>"
[world]
name = "warehouse"
layout = "tiny"
deliveries = 3
max_ticks = 60
[[agents]]
count = 4
[sweep.one_at_a_time]
"perturb.agent_crash" = [0.5, 1.0]
"""


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "hall.toml").write_text(SCENARIO)
    (tmp_path / "planner.toml").write_text('reasoner = "rules"\n')
    return tmp_path


def test_a_card_says_what_the_trials_say(folder, capsys):
    assert told("card", "planner.toml", "--suite", "suite", "--trials", "12") == 0
    shown = capsys.readouterr().out
    assert "no version" in shown and "planner" in shown and "oracle" in shown
    found = json.loads((folder / "runs" / "card" / "card.json").read_text())
    (own,) = (row for row in found["rows"] if row["agent"] == "planner")
    rows, best = (sandbox.results(folder / "runs" / "card" / name / "hall") for name in ("planner", "oracle"))
    clean, bad = rows[rows["condition"] == 0], rows[rows["condition"] > 0]
    assert own["clean"]["success"]["value"] == clean["success"].mean() and own["clean"]["trials"] == 12
    of_seed = bad.groupby("seed")["success"].agg(["sum", "size"]).to_numpy(float)
    assert own["perturbed"] == pytest.approx(clustered_rate(*of_seed.T)._asdict())
    both = rows["success"] & best["success"]
    ratio = np.exp(np.log(rows["ticks"][both] / best["ticks"][both]).mean())
    assert own["steps_to_oracle"]["value"] == pytest.approx(ratio) and ratio > 1
    rates = rows.groupby("condition")["success"].mean().tolist()
    assert own["robustness"]["value"] == pytest.approx((rates[0] + 2 * rates[1] + rates[2]) / 4)
    assert own["finishes"] == rows["finish"].value_counts().to_dict()
    assert own["per_trial"]["invalid_actions"] == rows["invalid_actions"].mean()
    (standing,) = (each for each in found["agents"] if each["agent"] == "planner")
    clean_only = {"scenario": "hall", "success": own["clean"]["success"]}
    assert standing == {"agent": "planner", "tried": 1, "of": 1, "worst": clean_only, "best": clean_only}
    page = (folder / "runs" / "card" / "card.html").read_text()
    assert (
        not re.search("https?:", page.replace("http://www.w3.org/", "")) and f"{own['robustness']['value']:.2f}" in page
    )
    capsys.readouterr()
    assert told("card", "rules", "--suite", "suite", "--trials", "12") == 0
    assert "0 of 36 trials" in (err := capsys.readouterr().err) and err.count("0 of 36") == 1  # the oracle's are there


def test_a_world_that_does_not_know_an_agent_has_no_figures(folder, capsys, monkeypatch):
    monkeypatch.setattr("sandbox.studies.suite._known", lambda scenario: KNOWN[scenario.title])
    (folder / "suite" / "other.toml").write_text(SCENARIO.replace("<b>Four robots</b>", "other"))
    assert told("card", "rules", "--suite", "suite", "--trials", "2") == 0
    found = json.loads((folder / "runs" / "card" / "card.json").read_text())["rows"]
    assert [row["known"] for row in found if row["agent"] == "rules"] == [True, False]
    shown = capsys.readouterr().out
    assert "rules: tried in 1 of 2 worlds: hall" in shown and "oracle: tried in 2 of 2 worlds; clean success" in shown


def test_worlds_are_neither_pooled_nor_averaged(folder, capsys, monkeypatch):
    """An agent that knows one world stood above the oracle, in a row of means."""
    monkeypatch.setattr("sandbox.studies.suite._known", lambda scenario: KNOWN[scenario.title])
    hard = SCENARIO.replace("<b>Four robots</b>", "other").replace("deliveries = 3", "deliveries = 9")
    (folder / "suite" / "other.toml").write_text(hard)
    assert told("card", "rules", "--suite", "suite", "--trials", "4") == 0
    found = json.loads((folder / "runs" / "card" / "card.json").read_text())
    assert {row["scenario"] for row in found["rows"]} == {"hall", "other"}
    best = next(each for each in found["agents"] if each["agent"] == "oracle")
    assert (best["tried"], best["worst"]["scenario"], best["best"]["scenario"]) == (2, "other", "hall")
    assert "overall" not in (folder / "runs" / "card" / "card.html").read_text().lower()


KNOWN = {"<b>Four robots</b>": {"rules", "oracle"}, "other": {"oracle"}}


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("rulez", "did you mean 'rules'"),
        ("missing.toml", "no such agent"),
        ("key.toml", "did you mean 'reasoner'"),
        ("text.toml", "not TOML"),
        ("name.toml", "did you mean 'oracle'"),
    ],
)
def test_bad_agents_are_told_before_anything_runs(folder, capsys, agent, words):
    (folder / "key.toml").write_text('reasonr = "rules"\n')
    (folder / "text.toml").write_text("what is this\n")
    (folder / "name.toml").write_text('reasoner = "oracl"\n')
    assert told("card", agent, "--suite", "suite") == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1 and not (folder / "runs").exists()


def test_no_link_in_the_folder_of_a_card_is_followed(folder, capsys):
    (folder / "runs" / "card").mkdir(parents=True)
    (folder / "elsewhere").mkdir()
    (folder / "runs" / "card" / "oracle").symlink_to(folder / "elsewhere")
    assert told("card", "oracle", "--suite", "suite", "--trials", "2") == 1
    assert "oracle: it is a symbolic link, which is not followed" in capsys.readouterr().err
    assert not any((folder / "elsewhere").iterdir())


def test_no_suite_is_told(folder, capsys):
    assert told("card", "rules", "--suite", "nowhere") == 2
    assert "expected a folder with scenarios" in capsys.readouterr().err


def test_the_standard_suite_is_what_its_version_says(root):
    """Whoever changes a scenario of the suite gives it another number: cards of different suites are not comparable."""
    suite = open_suite(root / "scenarios" / "suite")
    number, stated = suite.version.split()
    assert stated == hash_of(list(suite.folder.glob("*.toml"))), f"raise the number in {VERSION}, state {suite.hash}"
    assert int(number) >= 1 and "changed" not in suite.words
    assert {each.world.name for each in suite.scenarios.values()} == set(registry.names())
    assert all(set(each.sweep) == {"one_at_a_time"} for each in suite.scenarios.values())

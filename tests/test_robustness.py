"""Robustness curves: severities one at a time, paired with the clean trials, drawn."""

import io
import sys

import numpy as np
import pandas as pd
import pytest

import sandbox
from sandbox.analysis.robustness import Curve, Point, curves, dose_sweep
from sandbox.cli._console import Screen
from sandbox.cli.main import main
from sandbox.core.errors import UsageError
from sandbox.report.figures import robustness, save
from sandbox.report.tables import robustness_table
from sandbox.scenario import load
from sandbox.statistics import mean_difference, paired_success, success_rate

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 45},
    "agents": [{"count": 4, "reasoner": "rules"}],
}
DOSES = ["action_failure=0:1:0.5", "agent_crash=1"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    scenario = load(SCENARIO)
    scenario = load(scenario, dose_sweep(scenario, DOSES))
    return sandbox.results(sandbox.batch(scenario, tmp_path_factory.mktemp("robust") / "b", trials=300))


def test_doses_are_tried_one_at_a_time_beside_the_clean_trials(rows):
    found = rows.groupby("condition")[["perturb.action_failure", "perturb.agent_crash"]].first().values.tolist()
    assert found == [[0, 0], [0.5, 0], [1, 0], [0, 1]] and len(rows) == 1200


def test_points_are_rates_and_paired_differences(rows):
    failure, crash = curves(rows)
    assert (failure.perturbation, crash.perturbation) == ("action_failure", "agent_crash")
    assert [point.severity for point in failure.points] == [0, 0.5, 1] and [
        point.severity for point in crash.points
    ] == [0, 1]
    arms = [rows[rows["condition"] == k]["success"].to_numpy() for k in range(4)]
    assert failure.points[2].success == success_rate(int(arms[2].sum()), 300)
    assert failure.points[2].beside_clean == paired_success(arms[0], arms[2])
    assert crash.points[1].beside_clean == paired_success(arms[0], arms[3])
    assert failure.points[0].beside_clean is None and crash.points[0].success == failure.points[0].success
    assert failure.points[2].beside_clean.difference.high < 0  # it does disturb
    raw = [point.beside_clean.p_value for curve in (failure, crash) for point in curve.points[1:]]
    assert [point.adjusted for curve in (failure, crash) for point in curve.points[1:]] >= raw
    rates = [arm.mean() for arm in arms[:3]]
    assert failure.area.value == pytest.approx((rates[0] / 2 + rates[1] + rates[2] / 2) / 2)


def test_steps_stand_beside_success_and_its_ceiling_is_told(rows):
    """An agent that always succeeds was "100 % at every severity", however long it took."""
    failure = curves(rows)[0]
    own = rows[rows["condition"] == 2]
    assert failure.points[2].steps == pytest.approx(np.where(own["success"], own["ticks"], 45).mean())
    both = rows[rows["condition"] == 0]["success"].to_numpy() & own["success"].to_numpy()
    apart = own["ticks"].to_numpy() - rows[rows["condition"] == 0]["ticks"].to_numpy()
    assert failure.points[2].steps_beside == mean_difference(apart[both].astype(float))
    assert failure.points[2].also["refused_actions"] == own["refused_actions"].mean()
    assert not failure.at_ceiling and failure.points[0].steps_beside is None
    sure = rows[rows["condition"].isin([0, 1])].assign(success=True)
    sure.attrs = rows.attrs
    (ceiling,) = [curve for curve in curves(sure) if curve.perturbation == "action_failure"]
    screen = Screen(width=80, file=io.StringIO())
    crossed = ceiling._replace(condition="agents.0.count=2; agents.0.reasoner=rules")
    screen.print(robustness_table([crossed, curves(rows)[0]]))
    told = screen.file.getvalue()
    assert ceiling.at_ceiling and "ceiling" in told and "…" not in told and "mean over" in told
    assert max(map(len, told.splitlines())) <= 80


def test_curves_of_a_crossed_sweep_differ_in_the_dose_alone(tmp_path):
    swept = {"world.deliveries": [1, 2], "perturb.action_failure": [0.0, 1.0], "perturb.agent_crash": [0.0, 1.0]}
    found = curves(sandbox.results(sandbox.batch({**SCENARIO, "sweep": swept}, tmp_path / "b", trials=20)))
    assert [(c.perturbation, c.condition) for c in found] == [
        (name, f"world.deliveries={n}") for name in ("action_failure", "agent_crash") for n in (1, 2)
    ]
    assert all(point.trials == 20 for curve in found for point in curve.points)


def test_a_scenario_of_its_own_dose_is_what_clean_means():
    scenario = load({**SCENARIO, "perturb": {"action_failure": 0.5}})
    assert dose_sweep(scenario, DOSES)["sweep"]["one_at_a_time"]["perturb.action_failure"] == [0.0, 1.0]
    assert dose_sweep(scenario, None) == {}


@pytest.mark.parametrize(
    "text", ["agent_crash", "agent_crash=", "agent_crash=0:1", "agent_crash=0:2:1", "a=1:0:0.1", "a=x"]
)
def test_bad_doses_are_told(text):
    with pytest.raises(UsageError, match=f"--perturb {text}: expected NAME=FROM:TO:STEP"):
        dose_sweep(load(SCENARIO), [text])


def test_the_figure_names_what_it_shows(tmp_path):
    points = [
        Point(severity, 50, success_rate(50 - k, 50), None, 1.0, 9.0, None, {})
        for k, severity in enumerate(np.linspace(0, 1, 5))
    ]
    for count in (1, 2, 4):
        drawn = [
            Curve(f"fault_{k}", condition, points, pd.Series(dtype=float))
            for k in range(count)
            for condition in ("a=1", "a=2")
        ]
        save(robustness(drawn), tmp_path / "f.svg")
        text = (tmp_path / "f.svg").read_text()
        assert f"fault {count - 1}" in text and "a=2" in text and "severity" in text
        save(robustness(drawn), tmp_path / "again.svg")
        assert (tmp_path / "again.svg").read_text() == text


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(
        '[world]\nname = "warehouse"\nlayout = "tiny"\ndeliveries = 2\nmax_ticks = 45\n[[agents]]\ncount = 4\n'
    )
    monkeypatch.setattr(
        sys, "argv", ["sandbox", "batch", "s.toml", "--trials", "30", "--perturb", "action_failure=0:1:0.5"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert ended.value.code in (0, None) and "mean over" in told and "clean" in told
    assert (tmp_path / "runs" / "s-batch" / "robustness.svg").stat().st_size > 3000

"""Team size and contribution: laws are found again in what was drawn from them, and oddities are told in words."""

import re

import numpy as np
import pandas as pd
import pytest
from commands import told
from scipy import stats

import sandbox
from benchmarks import coverage
from sandbox.analysis.compare import compare
from sandbox.analysis.contribution import contributions
from sandbox.analysis.measures import measures
from sandbox.analysis.scaling import AMDAHL, USL, advice, coefficient, curve, fit, largest, obstacle, scalings
from sandbox.core.errors import UsageError
from sandbox.core.finish import Outcome
from sandbox.record.columns import Packed, of_outcomes
from sandbox.record.table import Chunk, Table
from sandbox.report.figures import save
from sandbox.report.report_figures import contribution, scaling
from sandbox.statistics import Estimate, latency, paired_success, pairing

SIZES = np.array([1, 2, 4, 8, 16, 32])
TRUTH = np.array([0.03, 0.05, 0.001])
SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 200},
    "agents": [{"count": 2, "reasoner": "rules"}, {"reasoner": "rules"}],
}

USUAL = Outcome("warehouse", 0, True, "completed", 10, 10, 0.0, 2, 2, 0, 0, 0.1, "")
PLAYED_ONCE = {**SCENARIO, "agents": [{"count": 2, "reasoner": "llm"}]}  # nothing is played again for pictures


def drawn(truth: np.ndarray, seed: int, trials: int = 60) -> np.ndarray:
    """Throughput (K, T) with noise of each seed and of each trial."""
    rng = np.random.default_rng(seed)
    noise = 1 + 0.1 * rng.standard_normal(trials) + 0.1 * rng.standard_normal((len(SIZES), trials))
    return curve(truth, SIZES)[:, None] * noise


def exact(values) -> np.ndarray:
    return np.outer(np.asarray(values, float), np.ones(4))


def frame(overrides: list[dict], outcomes: list[list[dict]], scenario: dict = SCENARIO) -> pd.DataFrame:
    """``results`` of a batch: for each condition what it overrides, and of each seed what is not as usual."""
    rows = [
        {"condition": k, **overrides[k], **USUAL._asdict(), "seed": seed, **own}
        for k, trials in enumerate(outcomes) for seed, own in enumerate(trials)
    ]  # fmt: skip
    found = pd.DataFrame(rows).astype({"error": "string"})
    found.attrs["scenario"] = scenario
    return found


def written(folder, scenario, overrides, outcomes) -> None:
    with Table(folder, scenario, overrides) as file:
        for number, own in enumerate(outcomes):
            file.add(Chunk(number, 0, len(own)), Packed.of(of_outcomes(own)), {})


@pytest.mark.parametrize(("law", "truth"), [(USL, TRUTH), (AMDAHL, np.array([0.03, 0.05, 0.0]))])
def test_intervals_cover_what_the_data_were_drawn_from(law, truth):
    covered = np.zeros(3)
    for seed in range(3):
        found = fit(SIZES, drawn(truth, seed), law)
        covered += [each.low <= value <= each.high for each, value in zip(found[:3], truth, strict=True)]
        assert all(each.low <= each.value <= each.high for each in found[:4]) and found.explained > 0.98
    assert covered.min() >= 2  # in a longer run 91 of 100


@pytest.mark.parametrize("missed", [0.0, 0.05])
@pytest.mark.parametrize("sizes", coverage.SIZES, ids=len)
def test_the_interval_of_the_best_size_covers_it_also_where_the_law_does_not_hold(sizes, missed):
    held = sum(coverage.of_peak(sizes, missed, seed) for seed in range(5_000, 5_200))
    assert held >= stats.binom.ppf(0.001, 200, 0.93)


def test_the_interval_of_the_best_size_has_no_end_where_more_colleagues_may_always_help():
    found = fit(SIZES, drawn(np.array([0.03, 0.05, 0.0]), 0), USL)
    assert found.best.low > SIZES[0] and np.isinf(found.best.high) and found.beta.low == 0
    amdahl = fit(SIZES, drawn(np.array([0.03, 0.05, 0.0]), 0), AMDAHL)
    assert np.isinf(amdahl.best).all() and amdahl.beta == Estimate(0, 0, 0)


def test_a_law_through_all_means_has_the_interval_of_its_trials():
    few = np.array([1, 8, 32])
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        noise = 1 + 0.02 * rng.standard_normal(40) + 0.02 * rng.standard_normal((3, 40))
        best = fit(few, curve(TRUTH, few)[:, None] * noise, USL).best
        held += best.low <= np.sqrt(0.95 / 0.001) <= best.high
    assert stats.binom.ppf(0.001, 200, 0.95) <= held <= stats.binom.ppf(0.999, 200, 0.985)


def test_exact_data_give_the_law_itself():
    found = fit(SIZES, exact(curve(TRUTH, SIZES)), USL)
    assert [each.value for each in found[:3]] == pytest.approx(TRUTH, rel=1e-6)
    assert found.best.value == pytest.approx(np.sqrt(0.95 / 0.001)) and found.explained == pytest.approx(1)
    assert found.throughput(np.array([64])) == pytest.approx(curve(TRUTH, np.array([64])))
    measured, told = advice(found, SIZES, [32, 16]).split(". ", 1)
    assert measured == "Of the sizes tried, 32 does most; 16 cannot be distinguished from it"
    assert told == "The law is highest at 30.8 (30.8 .. 30.8) agents; it misses what was measured by up to 0%."


@pytest.mark.parametrize(
    ("throughput", "alpha", "beta", "words"),
    [
        (SIZES / 10, 0, 0, "no team up to 32 is too large;"),
        (SIZES**1.5, 0, 0, "no team up to 32 is too large;"),
        (np.ones(6), 1, 0, "more than 1 never help"),
        (1 / SIZES, 1, 1, "more than 1 never help"),
    ],
)
def test_what_no_law_expects_ends_on_a_bound(throughput, alpha, beta, words):
    found = fit(SIZES, exact(throughput), USL)
    assert (found.alpha.value, found.beta.value) == pytest.approx((alpha, beta), abs=1e-6)
    assert words in advice(found, SIZES, [1]) and not any(map(np.isnan, (*found.best, *found.gamma)))


def test_a_law_that_misses_has_the_wider_intervals_and_says_by_how_much():
    """Throughput that a jam cuts off has its peak where no law of this family has it."""
    sizes = np.array([1, 4, 8, 16, 24, 32, 48])
    noise = 1 + 0.02 * np.random.default_rng(1).standard_normal((len(sizes), 40))
    within = curve(np.array([1, 0.02, 0.002]), sizes)[:, None] * noise
    beyond = np.where(sizes <= 24, sizes, 6)[:, None] * noise
    fits = [fit(sizes, each, USL) for each in (within, beyond)]
    widths = [found.best.high - found.best.low for found in fits]
    assert np.abs(fits[0].residuals).max() < 0.03 and np.abs(fits[1].residuals).max() > 0.2
    assert widths[1] > 3 * widths[0] and fits[0].best.low < np.sqrt(0.98 / 0.002) < fits[0].best.high
    assert largest(sizes, beyond) == [24]
    assert "24 does most" in advice(fits[1], sizes, [24])


def test_sizes_that_cannot_be_told_apart_may_both_be_best():
    noise = np.random.default_rng(0).standard_normal((3, 30))
    assert largest(np.array([1, 2, 4]), np.array([[0.0], [9.0], [9.0]]) + noise) in ([2, 4], [4, 2])
    assert largest(np.array([1, 2, 4]), np.array([[0.0], [9.0], [5.0]]) + noise) == [2]


def test_what_lies_on_its_bound_is_no_zero():
    assert coefficient(Estimate(0.0, 0.0, 0.03)) == "at its lower bound (0 .. 0.03)"
    assert coefficient(Estimate(0.2, 0.1, 0.3)) == "0.2 (0.1 .. 0.3)"


def test_too_little_for_a_law_is_told():
    assert obstacle(SIZES[:2], exact([1, 2]), AMDAHL) == ""
    assert obstacle(SIZES[:2], exact([1, 2]), USL) == "a law of 3 parameters needs as many team sizes, here are 2"
    assert obstacle(SIZES, exact(SIZES)[:, :1], USL) == "intervals need two seeds that all sizes share, here is 1"
    assert obstacle(SIZES, exact(0 * SIZES), USL) == "nothing was done at any team size"


def test_a_batch_over_team_sizes(tmp_path):
    """What is zipped with the size is a part of the curve; what is crossed with it makes another one."""
    sweep = {"zip": {"agents.0.count": [1, 3], "world.deliveries": [1, 3]}, "perturb.action_failure": [0.0, 0.2]}
    folder = sandbox.batch({**SCENARIO, "sweep": sweep}, tmp_path / "b", trials=20)
    rows = sandbox.results(folder)
    clean, faulty = scalings(rows)
    assert (clean.condition, faulty.condition) == ("perturb.action_failure=0.0", "perturb.action_failure=0.2")
    assert clean.agents.tolist() == [2, 4] and clean.seeds == 20  # both groups are of the team
    own = rows[(rows["perturb.action_failure"] == 0) & (rows["agents.0.count"] == 3)]
    assert clean.sizes[1].throughput.value == pytest.approx((own["tasks_done"] / own["ticks"]).mean())
    first, second = clean.sizes
    assert first.speedup.value == 1 and second.efficiency.value == pytest.approx(second.speedup.value / 2)
    assert second.speedup.value == pytest.approx(second.throughput.value / first.throughput.value)
    assert clean.usl is None and clean.amdahl.alpha.low <= 1 and "needs as many team sizes" in clean.missing


def test_team_sizes_are_reported(tmp_path):
    sizes, folder = [{"agents.0.count": n} for n in (1, 2)], tmp_path / "b"
    written(folder, PLAYED_ONCE, sizes, [[USUAL._replace(seed=k, ticks=30 - 10 * c) for k in range(5)] for c in (0, 1)])
    assert told("report", folder, "--out", tmp_path / "p.html") == 0
    page = (tmp_path / "p.html").read_text()
    assert "Team size" in page and "Amdahl" in page and not re.search(r"[>\s]nan[\s<]", page)
    assert "one law is not fitted: a law of 3 parameters needs as many team sizes, here are 2." in page


def test_a_report_shows_the_best_sizes_measured_and_what_the_law_misses(tmp_path):
    sizes, folder = [{"agents.0.count": n} for n in (1, 2, 4, 8)], tmp_path / "b"
    ticks = (40, 20, 10, 30)
    written(folder, PLAYED_ONCE, sizes, [[USUAL._replace(seed=k, ticks=n + k) for k in range(6)] for n in ticks])
    assert told("report", folder, "--out", tmp_path / "p.html") == 0
    page = (tmp_path / "p.html").read_text()
    assert "Of the sizes tried, 4 does most. The law is highest at" in page and "beyond the law" in page
    assert "at its lower bound (0.0000 .. " in page and not re.search(r"[>\s]nan[\s<]", page)


def test_a_sweep_of_other_things_or_of_one_size_has_no_curve():
    assert scalings(frame([{"perturb.agent_crash": 0}, {"perturb.agent_crash": 1}], [[{}], [{}]])) == []
    assert scalings(frame([{"agents.0.count": 2}], [[{}, {}]])) == []
    unshared = frame([{"agents.0.count": 1}, {"agents.0.count": 2}], [[{"seed": 1}], [{"seed": 2}]])
    assert scalings(unshared) == []


def test_nothing_done_and_errors_are_told(tmp_path):
    sizes = [{"agents.0.count": n} for n in (1, 2, 3)]
    (idle,) = scalings(frame(sizes, [[{"tasks_done": 0}] * 3] * 3))
    assert idle.missing == "nothing was done at any team size" and idle.sizes[0].speedup is None
    save(scaling(idle, "idle"), tmp_path / "s.svg")
    assert "tasks done, a tick" in (tmp_path / "s.svg").read_text()
    broken = frame(sizes, [[{}, {"error": "died"}, {}]] * 3)
    assert scalings(broken)[0].seeds == 2


ABSENT = [{"team.absent": None}, {"team.absent": "[0]"}, {"team.absent": "[1, 2]"}]


def test_contribution_is_the_paired_difference_to_the_whole_team(tmp_path):
    lost = [{"ticks": 20, "success": False}] * 6
    rows = frame(ABSENT, [[{}] * 8, [*lost, {}, {}], [{}] * 8])
    first, others = contributions(rows)
    assert (first.absent, others.absent, first.condition) == ("robot-0", "robot-1, robot-2", "")
    assert first.success == paired_success(np.ones(8), np.array([0] * 6 + [1] * 2))
    assert first.throughput.value == pytest.approx(6 * 0.1 / (8 * 0.2))
    assert first.throughput.low < first.throughput.value < first.throughput.high
    assert first.success.p_value < first.adjusted and others.throughput == (0, 0, 0)
    save(contribution([first, others]), tmp_path / "c.svg")
    assert "robot-0" in (tmp_path / "c.svg").read_text()


def test_without_a_whole_team_or_pairs_nobody_contributes():
    assert contributions(frame(ABSENT[1:], [[{}], [{}]])) == []
    assert contributions(frame([{"agents.0.count": 2}], [[{}]])) == []
    assert contributions(frame(ABSENT[:2], [[{"seed": 1}], [{"seed": 2}]])) == []
    (none,) = contributions(frame(ABSENT[:2], [[{"tasks_done": 0}], [{"tasks_done": 0}]]))
    assert none.throughput is None


def test_absent_agents_are_reported_and_compared(tmp_path):
    """From the file on: a list in a sweep is a condition like any other."""
    scenario = {**PLAYED_ONCE, "team": {"protocol": "market"}, "tick_seconds": 0.5}
    folder, overrides = tmp_path / "b", [{"team.absent": []}, {"team.absent": [0]}]
    outcomes = [[USUAL._replace(seed=k, ticks=10 * (c + 1)) for k in range(5)] for c in range(2)]
    written(folder, scenario, overrides, outcomes)
    (row,) = contributions(sandbox.results(folder))
    assert row.absent == "robot-0" and row.throughput.value == pytest.approx(0.5)
    assert [each.run for each in compare([folder])] == ["absent [0]"]
    assert told("report", folder, "--out", tmp_path / "p.html") == 0
    page = (tmp_path / "p.html").read_text()
    assert "Who contributed what" in page and "50.0 %" in page and "p95, s" in page
    with pytest.raises(UsageError, match="no keys of agents or team"):
        written(tmp_path / "c", scenario, [{}], outcomes[:1])
        compare([tmp_path / "c"])


def test_latency_counts_failures_as_beyond():
    ticks = np.array([*range(1, 19), np.inf, np.inf])
    half, late = latency(ticks, 0.5), latency(ticks, 0.95)
    assert half == (10, 6, 15)  # P(5 < B(20, 1/2) < 15) is the first beyond .95: David and Nagaraja, 7.1
    assert late.value == np.inf and late.low == 17 and late.high == np.inf
    assert latency(np.array([3.0]), 0.5) == (3, 0, np.inf)
    rows = frame([{}], [[{"ticks": 7}] * 3 + [{"success": False, "finish": "stalled", "ticks": 3}] * 2])
    assert [each.value for each in measures(rows, 50).latency] == [7, np.inf]


def test_the_interval_of_a_latency_covers():
    rng = np.random.default_rng(0)
    hits = sum(e.low <= np.log(2) <= e.high for e in (latency(rng.exponential(size=30), 0.5) for _ in range(2000)))
    assert hits / 2000 > 0.945


def test_measures_of_teams_are_shown_where_there_are_any():
    own = [{"messages": 4, "idle_share": 0.25, "false_claims": 0}] * 2
    shown = measures(frame([{}], [own], {**SCENARIO, "team": {}}), 50).per_trial
    assert shown["messages"] == 4 and shown["idle_share"] == 0.25 and "false_claims" not in shown
    assert "idle_share" not in measures(frame([{}], [own]), 50).per_trial


BASED = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 3, "max_ticks": 60},
    "agents": [{"count": 4, "reasoner": "rules"}],
    "sweep": {"agents.0.reasoner": ["random", "rules", "oracle"], "agents.0.count": [2, 4]},
}


def test_a_base_is_compared_within_each_level_of_what_else_is_swept(tmp_path, monkeypatch, capsys):
    """Without one, a team of four was set beside one of two that reasons otherwise."""
    monkeypatch.chdir(tmp_path)
    rows = sandbox.results(sandbox.batch(BASED, "b", trials=20))
    found = compare(["b"], "agents.0.reasoner=rules")
    assert [(each.run, each.condition) for each in found] == [
        (f"reasoner {arm}", f"agents.0.count={count}") for arm in ("random", "oracle") for count in (2, 4)
    ]
    own = rows[rows["agents.0.count"] == 4].set_index("agents.0.reasoner")
    first, second = (own.loc[arm, "success"].to_numpy() for arm in ("rules", "oracle"))
    assert found[3].success == paired_success(first, second) and found[3].pairing == pairing(first * 1.0, second * 1.0)
    both = [each.run for each in compare(["b"], "agents.0.reasoner=rules,agents.0.count=4")]
    assert len(both) == 5 and "reasoner oracle, count 2" in both and "count 2" in both
    assert told("compare", "b", "--base", "agents.0.reasoner=rules") == 0
    shown = capsys.readouterr().out
    assert "Compared with agents.0.reasoner=rules" in shown and "saves" in shown
    assert max(map(len, shown.splitlines())) <= 80 and "…" not in shown
    for base, words in (
        ("agents.0.reasoner=rulez", "did you mean 'rules'"), ("agents.0.reasonr=rules", "did you mean 'agents.0.reas"),
        ("rules", "expected KEY=VALUE"),
    ):  # fmt: skip
        assert told("compare", "b", "--base", base) == 2
        assert words in (err := capsys.readouterr().err) and err.count("\n") == 1
    assert told("compare", "b", "b", "--base", "agents.0.reasoner=rules") == 2
    assert "expected one RUN" in capsys.readouterr().err


def test_what_is_zipped_with_a_base_is_of_its_arm(tmp_path):
    zipped = {"zip": {"agents.0.reasoner": ["rules", "oracle"], "agents.0.count": [2, 4]}, "world.deliveries": [1, 3]}
    found = compare([sandbox.batch({**BASED, "sweep": zipped}, tmp_path / "b", trials=3)], "agents.0.count=4")
    assert [(each.run, each.condition) for each in found] == [
        ("count 2, reasoner rules", f"world.deliveries={n}") for n in (1, 3)
    ]

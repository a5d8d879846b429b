"""The office's study: its arithmetic on made-up outcomes, what it refuses, and that its arms have the same dice."""

import re
from pathlib import Path

import numpy as np
import pytest

import sandbox
from benchmarks import half_the_time as study
from benchmarks.half_the_time import (
    ARMS,
    CAP,
    HALF,
    LIMITS,
    NOBODY,
    NOT_DONE,
    PEOPLE,
    Balance,
    at_most,
    break_even,
    counted,
    judge,
    measured,
    reduction,
    reduction_of_both,
    wages,
)
from sandbox.core.errors import UsageError
from sandbox.scenario import load
from sandbox.scenario.load import overridden
from sandbox.statistics import mean_steps
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import Case, Phase, Status, Time

ROOT = Path(__file__).resolve().parents[1]
SEEDS, CASES = 8, 50


def made_up(hours: float, wrong: float = 0.0, people: float = 20.0, seed: int = 0) -> Balance:
    """Cases that wait so long in the office on average, and twice as long outside; a share ends wrongly."""
    rng = np.random.default_rng(seed)
    parts = rng.gamma(2.0, 1.0, (SEEDS, CASES, len(Phase))) / 2 * 60 * hours / 4
    parts[..., Phase.OUTSIDE] *= 8
    right = np.arange(SEEDS * CASES).reshape(SEEDS, CASES) % 100 >= 100 * wrong
    minutes = people + rng.normal(0, 1, right.shape)
    return Balance(right, parts, minutes, minutes, ~right, 10.0 * ~right, np.zeros_like(right))


@pytest.mark.parametrize("outside", [True, False])
def test_the_parts_add_up_to_the_restricted_mean(outside):
    found = made_up(3_000 if outside else 1_000, wrong=0.1)
    steps = found.parts[..., : None if outside else Phase.OUTSIDE].sum(axis=-1).ravel()
    done, limit = found.right.ravel() & (steps <= LIMITS[outside]), LIMITS[outside]
    assert 0.1 < 1 - done.mean() < 0.9  # some are wrong, some are late
    expected = mean_steps(np.where(done, steps, limit), done, limit)
    parts = counted(found, outside)
    assert parts.sum(axis=-1).mean() == pytest.approx(expected)
    assert (parts[..., NOT_DONE].ravel() == np.where(done, 0, limit)).all()
    assert outside or not parts[..., Phase.OUTSIDE].any()


def test_a_reduction_is_that_of_the_times():
    base = made_up(10)
    half = base._replace(parts=base.parts / 2)
    for outside in (True, False):
        assert reduction(half, base, outside) == pytest.approx((0.5, 0.5, 0.5))
        assert reduction_of_both(base, half, outside).value == pytest.approx(-1)


def test_a_failure_is_not_fast():
    """Closing one case in ten at once and wrongly makes an arm slower, and does not count where both are right."""
    base = made_up(10)
    faster = base.parts * np.linspace(0.85, 0.95, SEEDS)[:, None, None]
    hasty = base._replace(right=base.right & (np.arange(CASES) % 10 > 0), parts=faster)
    assert reduction(hasty, base, False).high < 0
    assert reduction_of_both(hasty, base, False).value == pytest.approx(0.1, abs=0.01)


def test_the_claim_is_earned_and_each_condition_refuses_it():
    base = made_up(10, wrong=0.05, people=60)
    good = made_up(4, people=20, seed=1)
    assert judge(good, base, False).refused == ()
    assert judge(good, base, False, 1 - 1e-12).refused  # a few seeds do not earn what many questions ask for
    slow = made_up(6, people=20, seed=1)
    assert judge(slow, base, False).refused == ("time where both are right",)  # the errors of others do not earn it
    assert judge(slow, base._replace(right=np.ones_like(base.right)), False).refused[0] == "time"
    assert judge(good._replace(people=good.people + 10), base, False).refused == ("people's minutes",)
    lax = good._replace(escaped=made_up(4, wrong=0.2).escaped)
    assert judge(lax, base, False).refused == ("escapes",)
    # the lower end counts, not the value
    rng = np.random.default_rng(5)
    close = base._replace(parts=base.parts * rng.uniform(0.2, 0.7, (SEEDS, 1, 1)), people=good.people)
    told = judge(close, base._replace(escaped=~close.right), False)
    assert told.of_both.value > HALF > told.of_both.low and "time where both are right" in told.refused


def test_bounds_of_errors():
    assert at_most(0, 59) == pytest.approx(0.05, abs=0.001)
    assert at_most(0, 299) == pytest.approx(0.01, abs=0.0001)
    assert at_most(3, 59) > at_most(0, 59)


@pytest.fixture(scope="module")
def played():
    """A few seeds of small offices, dosed with requests that cannot be met: of rules, and of idle agents."""

    def play(policy, people):
        env = sandbox.make("office", cases=60, people=people, load=0.8, perturb={"infeasible_request": 0.3})
        return env, env.play(range(4), policy)[0]

    return {"rules": play("rules", 0), "people": play("idle", 3), "nobody": play("idle", 0)}


def test_all_arms_work_on_the_same_cases(played):
    (_, first), *others = played.values()
    for _, state in others:
        assert (state.truth == first.truth).all() and (
            state.case[..., Case.ISSUES] == first.case[..., Case.ISSUES]
        ).all()
        there = np.minimum(state.arrived, first.arrived)
        for lane, count in enumerate(there):
            assert (state.time[lane, :count, Time.ARRIVED] == first.time[lane, :count, Time.ARRIVED]).all()


def test_nobody_gets_no_point_for_a_request_that_cannot_be_met(played, monkeypatch):
    monkeypatch.setattr(study, "WINDOW", (0.0, 1.0))
    monkeypatch.setattr(study, "LIMITS", {True: 20 * 1440.0, False: 1440.0})
    idle, rules = (measured(state, env.params) for env, state in (played["nobody"], played["rules"]))
    assert idle.infeasible.sum() > 5 and (idle.infeasible == rules.infeasible).all()
    assert not idle.right.any() and rules.right[rules.infeasible].all()
    assert counted(idle, False).sum(axis=-1).min() == 1440


def test_an_episode_that_is_too_short_is_no_measurement(played):
    env, state = played["people"]
    short, _ = env.play([1], "idle", ticks=50)
    with pytest.raises(UsageError, match=r"expected a higher world\.max_ticks"):
        measured(short, env.params)
    window = slice(*(round(share * env.params.cases) for share in study.WINDOW))
    assert measured(state, env.params).right.shape == (4, window.stop - window.start)


def test_the_counts_of_a_state_are_those_of_its_cases(played):
    for env, state in played.values():
        for k, status in enumerate((Status.RIGHT, Status.WRONG)):
            assert (state.ended[:, k] == (state.case[..., Case.STATUS] == status).sum(axis=1)).all()
        assert state.worked.sum(axis=1) == pytest.approx(state.time[..., Time.PEOPLE].sum(axis=1))
        assert state.worked.shape[1] == env.params.people


def test_people_leave_what_needs_other_hands_to_colleagues(played):
    env, state = played["people"]
    invoice, release = (labels(env.params).activities.index(name) for name in ("invoice", "release"))
    done = state.actor[..., release] > 0
    assert done.sum() > 100 and not (state.actor[..., release] == state.actor[..., invoice])[done].any()


def test_wages_pay_the_team_for_its_shifts_and_others_by_the_minute(played):
    env, _ = played["people"]
    p = env.params
    week = 3 * 45 * 38  # three people, 45 hours, 38 euros
    cases = 7 * 1440 / p.gap[1]  # a week
    idle, busy = np.zeros((1, p.people)), np.zeros((1, p.people))
    busy[0, :3] = 1_000  # minutes of the team: paid already
    busy[0, np.flatnonzero(p.pool == p.manager)[0]] = 60 * p.cases  # an hour of the manager a case
    assert wages(p, idle) == pytest.approx(week / cases)
    assert wages(p, busy) - wages(p, idle) == pytest.approx(75)
    assert break_even(10.0, 50.0, 20.0) == 2.0 and np.isnan(break_even(10.0, 50.0, 0.0))


def test_the_names_of_the_arms_are_those_of_the_scenario():
    arms = list(overridden(load(ROOT / "scenarios" / "office" / "half-the-time.toml")))
    assert len(arms) == 8 * len(ARMS)
    for name, each in zip(ARMS, arms[: len(ARMS)], strict=True):
        world, team = each.world.model_dump(), tuple(group.reasoner for group in each.agents)
        review = re.search(r"review ([\d.]+)", name)
        assert world["review"] == (float(review[1]) if review else 0.0)
        assert (world["speed"] < 1) == ("ten times" in name)
        people = {PEOPLE: 3, NOBODY: 0, "people + macro": 3, "people + one more": 4}
        assert world["people"] == people.get(name, 1 if "1 person" in name else 0)
        kind = "idle" if name in people else "rules"
        assert team == (kind, "macro" if "macro" in name or "uneven" in name else kind)


def test_the_page_states_the_limits_that_the_study_uses():
    claim = (ROOT / "docs" / "office.md").read_text().partition("### What came out")[0]
    words = (f"**{HALF:.0%}", f"**{CAP:g} minutes**", f"{LIMITS[True] / 1440:g} days", f"{LIMITS[False] / 1440:g} days")
    for text in words:
        assert text.replace("%", " %") in claim

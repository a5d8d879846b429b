"""Claims are decided at the same trial whoever plays them, and a false one is earned as seldom as it says."""

import json
import multiprocessing
import random
import signal
from functools import partial

import pytest
from scipy import stats

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.finish import Outcome
from sandbox.engine.draw import uniform
from sandbox.running import batch
from sandbox.running.claims import Course, claim
from sandbox.scenario import load
from sandbox.studies.certify import FILE, certify, refused

WEB = {"world": {"name": "web", "layout": "all"}, "agents": [{"reasoner": "semantic"}]}
LOSES = {**WEB, "perturb": {"renamed_labels": 0.02}, "sweep": {"world.max_ticks": [40, 50]}}
CERTIFICATES = 2_000


def _outcome(success: bool, **more) -> Outcome:
    finish = "completed" if success else "tick limit"
    return Outcome("web", 0, success, finish, 1, 1 if success else None, 0.0, 1, 1, 0, 0, 0.0, "", **more)


# -- seeds -------------------------------------------------------------------------------------------------------------


def test_no_two_trials_of_a_certificate_share_a_seed(tmp_path):
    chosen = load({**WEB, "seed": 7, "sweep": {"world.max_ticks": [40, 50, 60]}})
    stated = claim(chosen, 0.5, 0.95, 40)
    certify(chosen, stated, tmp_path / "c")
    rows = sandbox.results(tmp_path / "c")
    assert len(rows) == stated.total and rows["seed"].is_unique
    assert (rows["seed"] == 7 + rows["condition"] * stated.each + rows["trial"]).all()


def test_seeds_that_cannot_be_its_own_are_refused(tmp_path):
    swept = load({**WEB, "sweep": {"seed": [0, 0, 0]}})
    with pytest.raises(UsageError, match="sweep.seed: each condition of a certificate has seeds of its own"):
        certify(swept, claim(swept, 0.5, 0.95, 0), tmp_path / "c")
    late = load({**WEB, "seed": 2**63 - 5, "sweep": {"world.max_ticks": [40, 50]}})
    with pytest.raises(UsageError, match="a batch takes those below"):
        certify(late, claim(late, 0.5, 0.95, 0), tmp_path / "d")


def test_a_bound_over_several_conditions_takes_some_confidence():
    """Hoeffding's theorem: of a mixture, few failures are no likelier than of one coin only where many are expected."""
    several = load({**WEB, "sweep": {"world.max_ticks": [40, 50, 60]}})
    with pytest.raises(UsageError, match="confidence: 0.5 is too low for a bound over several conditions"):
        claim(several, 0.5, 0.5, 1)
    for reliability in (0.5, 0.9, 0.999):
        for failures in (0, 1, 2, 5, 20):
            assert claim(several, reliability, 0.6, failures) and claim(load(WEB), reliability, 0.5, failures)


def test_a_folder_of_a_certificate_takes_no_batch(tmp_path):
    chosen = load(WEB)
    certify(chosen, claim(chosen, 0.5, 0.5, 0), tmp_path / "c")
    with pytest.raises(UsageError, match="holds a certificate; choose another folder"):
        sandbox.batch(chosen, tmp_path / "c", trials=50)


# -- how often a false claim is earned ---------------------------------------------------------------------------------


def _earned(rates: list[float], failures: int, common: bool, apart: bool) -> int:
    """How many certificates of success in 9 of 10 are earned, of conditions with these true rates.

    Where what happens is ``common``, one seed comes to the same in every condition, as under a theme that changes
    nothing. Seeds are as the plan gives them, those of an earlier version where not ``apart``.
    """
    chosen = load({**WEB, "sweep": {"world.max_ticks": [*range(50, 50 + len(rates))]}})
    stated, earned = claim(chosen, 0.9, 0.95, failures), 0
    offsets = [each.seed for each in batch.plan(chosen, stated.each if apart else 0)]
    for k in range(CERTIFICATES):
        course = Course(stated, max_errors=0.05)
        for condition, (first, rate) in enumerate(zip(offsets, rates, strict=True)):
            seeds = range(k * 1_000 + first, k * 1_000 + first + stated.each)
            course.add(condition, 0, [_outcome(uniform(s, 0, 0 if common else condition, 0) < rate) for s in seeds])
        earned += not refused(stated, course, [False] * len(rates))
    return earned


@pytest.mark.parametrize("failures", [0, 2])
@pytest.mark.parametrize(
    ("rates", "common"), [([0.8999], True), ([0.8999] * 5, True), ([0.8999] * 5, False), ([0.8, 0.9999], True)]
)
def test_a_false_claim_is_earned_in_one_of_twenty_certificates_at_most(rates, common, failures):
    earned = _earned(rates, failures, common, apart=True)
    assert stats.binomtest(earned, CERTIFICATES, 0.05, alternative="greater").pvalue > 0.01


def test_with_seeds_in_common_it_was_earned_far_more_often():
    assert _earned([0.8999] * 5, 0, True, apart=False) > 0.4 * CERTIFICATES


def test_a_true_claim_is_earned():
    assert _earned([0.9999] * 5, 0, True, apart=True) > 0.99 * CERTIFICATES


# -- the trial at which it is decided ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["failures", "fallbacks", "errors"])
def test_the_same_trials_count_in_whatever_order_they_come(kind):
    chosen = load({**WEB, "sweep": {"world.max_ticks": [40, 50, 60]}})
    stated = claim(chosen, 0.9, 0.95, 1)
    bad = {
        "failures": _outcome(False), "fallbacks": _outcome(True, fallbacks=1),
        "errors": Outcome("web", 0, False, "error", 0, None, 0.0, 0, 0, 0, 0, 0.0, "", "it is down"),
    }[kind]  # fmt: skip
    places, most = {20, 25, 31, 40}, {"failures": 2, "fallbacks": 1, "errors": 3}[kind]
    whole = {(c, t): bad if t * 3 + c in places else _outcome(True) for c in range(3) for t in range(stated.each)}
    last = sorted(places)[most - 1]
    for number in range(20):
        dice, course = random.Random(number), Course(stated, max_errors=2.5 / stated.total)
        chunks = [(c, t) for c in range(3) for t in range(0, stated.each, 4)]
        dice.shuffle(chunks)
        for condition, start in chunks:
            there = range(start, min(start + 4, stated.each))
            course.add(condition, start, [whole[condition, t] for t in there])
        assert course.lost and course.place == last + 1 == sum(course.kept)
        assert course.kept == [len(range(c, last + 1, 3)) for c in range(3)]
        assert refused(stated, course, [False] * 3)


def _tell(pipe, rows: int, progress) -> None:
    if progress.done >= rows:
        pipe.send(progress.done)


def test_it_is_the_same_with_any_number_of_workers_and_after_it_was_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "LANES", 8)  # many chunks
    chosen = load(LOSES)
    stated = claim(chosen, 0.99, 0.95, 2)
    made = [certify(chosen, stated, tmp_path / f"on-{n}", workers=n) for n in (1, 2, 3)]

    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(
        target=certify, args=(chosen, stated, tmp_path / "killed", 2),
        kwargs={"on_progress": partial(_tell, there, 8)},
    )  # fmt: skip
    child.start()
    assert here.poll(60)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL or (tmp_path / "killed" / FILE).is_file()
    made.append(certify(chosen, stated, tmp_path / "killed", workers=3))

    assert 8 < made[0]["trials"] < stated.total and made[0]["failures"] == 3, "it must be lost on the way"
    texts = {json.dumps({**found, "created": ""}) for found in made}
    assert len(texts) == 1
    rows = [sandbox.results(tmp_path / name).drop(columns="seconds") for name in ("on-1", "on-3", "killed")]
    assert rows[0].equals(rows[1]) and rows[0].equals(rows[2]) and len(rows[0]) == made[0]["trials"]

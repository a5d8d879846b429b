"""A session: a run that is driven by hand is recorded, verified and replayed like any other."""

import pytest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.record import open_run
from sandbox.running.replay import verify

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "max_ticks": 60},
    "agents": [{"count": 4, "reasoner": "rules"}],
}


def test_untouched_it_comes_to_what_run_comes_to(tmp_path):
    with sandbox.session(SCENARIO, seed=7, out=tmp_path / "by hand") as session:
        while session.step(9):
            pass
    outcome = sandbox.run(SCENARIO, seed=7, out=tmp_path / "run")
    assert session.outcome._replace(seconds=0) == outcome._replace(seconds=0)
    with open_run(tmp_path / "by hand") as one, open_run(tmp_path / "run") as other:
        kinds = [[event.kind for event in run.events()] for run in (one, other)]
    assert kinds[0] == kinds[1] and verify(tmp_path / "by hand").passed


def test_what_was_done_by_hand_is_recorded_and_verified(tmp_path):
    with sandbox.session(SCENARIO, seed=5, out=tmp_path / "run") as session:
        session.step(10)
        session.intervene("block_aisle")
        session.take(2)
        for _ in range(3):
            session.key(2, "left")
            session.step()
        session.release(2)
        session.reseat(3, "idle")
        session.change({"perturb.action_failure": 0.5})
        session.step(5)
    assert session.outcome.ticks == 18 and session.outcome.finish == "stopped"
    assert session.close() is session.outcome and not session.running and not session.step()
    assert verify(tmp_path / "run").passed


def test_a_wrong_order_changes_nothing_and_says_why(tmp_path):
    with sandbox.session(SCENARIO, seed=5) as session:
        session.step(3)
        digest = session.model.env.digest(session.model.state)
        for wrong, why in (
            (lambda: session.intervene("block_aisles"), "did you mean 'block_aisle'"),
            (lambda: session.place({"robots": 1}), "unknown key 'robots'"),
            (lambda: session.cut((0, 1)), "there is no team"),
            (lambda: session.reseat(9, "idle"), "9"),
            (lambda: session.change({"perturb.rain": 1}), "rain"),
        ):
            with pytest.raises(UsageError, match=why):
                wrong()
        assert session.model.env.digest(session.model.state) == digest


def test_an_error_in_the_block_still_leaves_a_whole_record(tmp_path):
    with pytest.raises(ZeroDivisionError), sandbox.session(SCENARIO, seed=5, out=tmp_path / "run") as session:
        session.step(4)
        raise ZeroDivisionError
    assert verify(tmp_path / "run").passed and session.outcome.ticks == 4

"""What is asked of a record is found out in the background: it tells how far it is, and can be cancelled."""

import threading
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest
from studio import SCENARIO, until

import sandbox
from sandbox.studio.backend import record as evidence
from sandbox.studio.backend.background_task import BackgroundTask, Stopped


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A recorded run, and how many ticks it has."""
    folder = tmp_path_factory.mktemp("record") / "run"
    return folder, sandbox.run({**SCENARIO, "world": {**SCENARIO["world"], "max_ticks": 60}}, seed=1, out=folder).ticks


def test_an_errand_tells_how_far_it_is(run):
    folder, ticks = run
    asked = {
        "chain": evidence.chain_of(folder),
        "again": evidence.executed(folder),
        "gif": evidence.video(folder, 0, ".gif"),
    }
    assert all(errand.wait(60) for errand in asked.values())
    reports = {kind: errand.peek() for kind, errand in asked.items()}
    assert {report.phase for report in reports.values()} == {"done"}
    assert reports["chain"].value.intact and reports["again"].value.ticks == ticks
    events = reports["chain"].value.events
    assert reports["chain"].progress == (events, events, "event", False) and events > ticks
    assert reports["again"].progress == (ticks, ticks, "tick", False)
    assert reports["gif"].progress == (ticks + 1, ticks + 1, "tick", False)
    assert reports["gif"].value.startswith(b"GIF89a")


def test_an_errand_is_cancelled_and_a_record_that_is_gone_is_told(run, tmp_path):
    folder, _ = run
    with pytest.raises(Stopped):  # a short chain is checked before anybody could cancel it
        evidence._chain(folder, lambda now: None, lambda: True)
    for begun in (lambda: evidence.executed(folder), lambda: evidence.video(folder, 0, ".gif")):
        errand = begun()
        errand.stop()
        assert errand.wait(60) and errand.peek().phase == "stopped" and errand.peek().value is None
    gone = evidence.executed(tmp_path / "nowhere")
    assert gone.wait(60) and gone.peek().phase == "failed" and "nowhere" in gone.peek().error


def page(folder, head):
    from types import SimpleNamespace

    from sandbox.studio.views.record import record

    record(None, SimpleNamespace(counters=SimpleNamespace(folder=str(folder), trial=0, head=head)))


def test_the_panel_does_not_wait_for_it(run, monkeypatch):
    folder, ticks = run
    held, going = threading.Event(), threading.Event()

    def work(on_progress, stop):
        on_progress(evidence.Steps(7, ticks))
        going.set()
        while not held.wait(0.02):
            if stop():
                raise Stopped
        return SimpleNamespace(passed=True, summary="all equal")

    monkeypatch.setattr(evidence, "executed", lambda folder: BackgroundTask(work))
    app = AppTest.from_function(page, args=(folder, ticks), default_timeout=30).run()
    (again,) = (button for button in app.button if button.label == "Execute again")
    again.click().run()
    assert going.wait(10)
    app.run()
    assert f"tick 7 of {ticks}" in app.get("progress")[0].proto.text and not app.exception
    (cancel,) = (button for button in app.button if button.label == "Cancel")
    cancel.click().run()
    until(lambda: any("cancelled" in each.value for each in app.run().caption))
    assert not app.get("progress")
    (again,) = (button for button in app.button if button.label == "Execute again")
    held.set()
    again.click().run()
    until(lambda: any("all equal" in each.value for each in app.run().success))

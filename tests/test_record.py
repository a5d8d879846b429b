"""The record: what is written reads back equal."""

import os
import signal
import threading

import pytest
from records import END, START, outcome, story, verify

from sandbox.core.errors import RecordError
from sandbox.record import (
    Log,
    RunFinished,
    TrialFinished,
    canonical,
    open_run,
    parse,
    verify_chain,
)
from sandbox.record.chain import merkle_root


def test_what_was_written_reads_back(finished):
    with open_run(finished) as run:
        assert list(run.events()) == story()
        assert list(run.events(trial=1)) == [event for event in story() if getattr(event, "trial", None) == 1]
        assert [trial.seed for trial in run.trials] == [2**64 - 1, 2**64 - 2, 2**64 - 3]
        assert run.outcomes == {trial: outcome(trial) for trial in range(3)}
        report = verify_chain(run, run.meta["root"])
        assert run.meta["root"] == merkle_root(map(canonical, story())).hex() == report.root
    assert (report.intact, report.finished, report.events, report.problems) == (True, True, len(story()), ())
    assert os.listdir(finished) == ["run.db"]


def test_canonical_is_sorted_and_tight():
    assert canonical(END) == b'{"kind":"run_finished","status":"done","trials":3}'
    for event in story():
        assert parse(canonical(event)) == event
        assert canonical(parse(canonical(event))) == canonical(event)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(RecordError, match="trial_finished event cannot be recorded"):
        canonical(TrialFinished(trial=0, outcome={"x": value}))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"kind":"nap"}', canonical(END)[:-1] + b',"x":1}'])
def test_what_is_no_event_is_refused(body):
    with pytest.raises(RecordError, match="not an event|this version of sandbox does not know"):
        parse(body)


def test_a_folder_takes_one_run(finished, tmp_path):
    with pytest.raises(RecordError, match="already holds a run; choose another folder"):
        Log.create(finished)
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="file"):
        Log.create(tmp_path / "file")


def test_nothing_follows_the_end(tmp_path):
    with Log.create(tmp_path / "run") as log:
        log.append(START)
        log.append(END)
        assert log.root == verify(tmp_path / "run").root
        with pytest.raises(RecordError, match="finished"):
            log.append(END)
    with pytest.raises(RecordError, match="closed"):
        log.flush()


def test_reading_and_verifying_while_it_is_written(tmp_path):
    with Log.create(tmp_path / "run") as log:

        def write():
            for event in story(trials=6, ticks=2_000):
                log.append(event)

        thread = threading.Thread(target=write)
        thread.start()
        log.flush()
        seen = []
        while thread.is_alive():
            report = verify(tmp_path / "run")
            assert report.intact, report.summary
            seen.append(report.events)
        thread.join()
    assert seen == sorted(seen)
    assert verify(tmp_path / "run").events == len(story(trials=6, ticks=2_000))


def test_ctrl_c_anywhere_leaves_an_intact_record(tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    events = story(trials=1, ticks=20_000)[:-1]
    old, interrupted = signal.signal(signal.SIGALRM, interrupt), 0
    try:
        for number in range(12):
            with Log.create(tmp_path / str(number)) as log:
                log.append(events[0])
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.005 + 0.005 * number)  # once: a second would hit the test
                    for event in events[1:]:
                        log.append(event)
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    interrupted += 1
                log.append(RunFinished(trials=0, status="stopped"))
            report = verify(tmp_path / str(number))
            assert report.intact, report.summary
        assert interrupted >= 6  # Python drops an exception that meets it in a destructor
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)

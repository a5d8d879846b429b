"""Event logs: a run in three formats holds the same events, and comes back; what is no log is one line."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from commands import told

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.event_log import START
from sandbox.eventlogs.export import FORMATS, write_log
from sandbox.eventlogs.read import read
from sandbox.record import open_run
from sandbox.running.replay import replay
from sandbox.worlds.office.log import log_of

OFFICE = {
    "world": {"name": "office", "cases": 12, "people": 1, "review": 0.5},
    "agents": [{"reasoner": "rules"}], "perturb": {"wrong_price": 0.5, "changed_account": 0.3},
}  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A run, its log in every format, and the log of a batch of it."""
    folder = tmp_path_factory.mktemp("logs")
    sandbox.run(OFFICE, 4, out=folder / "run")
    for form in FORMATS:
        write_log(form, folder / "run", folder / form, [0])
    sandbox.batch(OFFICE | {"sweep": {"world.load": [0.5, 0.9]}}, folder / "batch", trials=2, workers=1)
    return folder


@pytest.mark.parametrize("form", FORMATS)
def test_a_log_that_is_read_back_has_the_events_of_the_run(form, logs):
    with open_run(logs / "run") as run:
        own = log_of(replay(run))
    found = read(logs / form)
    assert not found.notes and len(found.events) == len(own) > 150
    for entry in own:
        entry_case = found.events[found.events["case"] == f"0:order-{entry.case}"]
        same = entry_case[np.isclose(entry_case["end"], entry.complete, atol=1e-6)]
        assert ("" if entry.resource == "outside" else entry.resource) in {*same["resource"]}
        assert not entry.activity or np.isclose(same["start"], entry.start, atol=1e-6).any()
    kinds = {*found.events["activity"]}
    assert {"order", "order arrived", "order closed", "invoice", "ask invoice", "answered invoice"} <= kinds


def test_all_formats_hold_the_same_events(logs):
    first, *others = (read(logs / form).events.sort_values(["case", "end", "activity"]) for form in FORMATS)
    for other in others:
        assert (first.drop(columns="start").to_numpy() == other.drop(columns="start").to_numpy()).all()
        assert np.array_equal(first["start"], other["start"], equal_nan=True)


def test_documents_say_what_they_said_and_when_they_were_corrected(logs):
    """A value since 1970 is the first one; a correction has the time of the answer, and the last value."""
    known = {each["id"]: each for each in json.loads((logs / "ocel-json").read_text())["objects"]}
    with open_run(logs / "run") as run:
        first, *_, last = (model.state.doc[0].copy() for model in replay(run))
    invoices = {name: each["attributes"] for name, each in known.items() if each["type"] == "invoice"}
    changed = [(name, value) for name, own in invoices.items() for value in own
               if value["name"] == "price" and not value["time"].startswith("1970")]  # fmt: skip
    assert changed
    for name, value in changed:
        before = next(own["value"] for own in invoices[name] if own["name"] == "price")
        case, after = int(name.rpartition("-")[2]), value["value"]
        assert round(before * 100) in first[case] and round(after * 100) in last[case] and before != after
    assert {each["type"] for each in known.values()} == {"trial", "resource", "order", "receipt", "invoice", "vendor"}


def test_every_key_of_the_database_holds(logs):
    with closing(sqlite3.connect(logs / "ocel-sqlite")) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (first,) = db.execute('SELECT min(ocel_time) FROM "event_order_arrived"').fetchone()
    assert first.startswith(f"{START:%Y-%m-%d}T")


def test_a_batch_is_one_log_and_its_trials_stay_apart(logs, capsys):
    file = logs / "batch.xes"
    assert told("export", logs / "batch", "xes", file) == 0
    assert "(4 of 4 trials" in capsys.readouterr().out
    events = read(file).events
    assert {*events["trial"]} == {0, 1, 2, 3} and events.groupby("trial")["case"].nunique().tolist() == [12] * 4
    assert told("export", logs / "batch", "ocel-json", file, "--trial", 3) == 0
    again = read(file).events
    own = events[events["trial"] == 3]
    assert {*again["trial"]} == {3} and sorted(again["end"]) == pytest.approx(sorted(own["end"]))


def test_another_world_has_no_log(tmp_path, capsys):
    sandbox.run(
        {"world": {"name": "kitchen", "max_ticks": 3}, "agents": [{"reasoner": "rules"}]}, 1, out=tmp_path / "run"
    )
    assert told("export", tmp_path / "run", "xes", tmp_path / "x.xes") == 2
    assert "the world 'kitchen' has no cases and activities" in capsys.readouterr().err
    assert not (tmp_path / "x.xes").exists()


# -- what is no log ----------------------------------------------------------------------------------------------------

EVENT = '<event><string key="concept:name" value="{}"/><date key="time:timestamp" value="{}"/></event>'
TRACE = '<trace><string key="concept:name" value="c"/>{}</trace>'
BOMB = '<!DOCTYPE x [<!ENTITY a "{}">{}]>'.format(
    "ha" * 99, "".join(f'<!ENTITY a{k} "{"&a;" * 99}">' for k in range(99))
)


def xes(*events) -> str:
    return f"<log>{TRACE.format(''.join(EVENT.format(*event) for event in events))}</log>"


@pytest.mark.parametrize(("text", "error"), [
    ("", "not CSV"),
    ("a,b\n1,2\n", "no column for the case: a, b; expected one of case, case_id"),
    ("case,activity\n1,a\n", "no column for the end"),
    ("case;activity;end\n1;a;soon\n", "event 1: end 'soon'; expected a time such as"),
    ("case,activity,end\n1,a,\n", "event 1 has no time"),
    ("case,activity,end\n,a,2026-01-01\n", "event 1 has no case"),
    ("case,activity,start,end\n1,a,2026-01-02,2026-01-01\n", "'a' of case '1' ends before it starts"),
    ("case,activity,end\n", "no events"),
    ('case,activity,end\n1,"a\n', "not CSV"),
    (f"case,activity,end\n1,{'a' * 2_000_000},2026-01-01\n", "activity of 2,000,000 characters; expected 1,000"),
    ("<log><trace><event>", "line 1: no element found; expected a whole XES file"),
    ("<log><trace></log>", "mismatched tag"),
    ("<html></html>", "XML without <log>"),
    ("<log></log>", "no events"),
    (BOMB + xes(("&a98;", "2026-01-01T00:00:00Z")), "document type"),
    ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + xes(("&a;", "2026-01-01")), "document type"),
    (xes(("a", "yesterday")), "event 1: end 'yesterday'"),
    (xes(("", "2026-01-01T00:00:00Z")), "event 1 has no activity"),
    ('{"events": [', "not JSON"),
    ("[" * 100_000, "no column"),
    ('{"a":' * 100_000, "not JSON"),
    ('{"events": []}', "not OCEL 2.0"),
    ('{"events": [{"id": 1}], "objects": []}', "not OCEL 2.0: event 1: "),
    ('{"ocel:events": {}}', "OCEL 1.0; expected OCEL 2.0"),
    ("SQLite format 3\0" + "x" * 99, "not OCEL 2.0"),
])  # fmt: skip
def test_what_is_no_log_is_one_line(text, error, tmp_path):
    file = tmp_path / "log"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read(file)
    assert error in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_a_file_that_was_cut_is_no_log(logs, tmp_path):
    for form in FORMATS:
        data = (logs / form).read_bytes()
        for share in (0.1, 0.5, 0.9, 0.999):
            (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
            with pytest.raises(UsageError):
                read(tmp_path / "cut")


def test_events_of_other_tools(tmp_path):
    """Lifecycles pair in order; what is begun only, or of another kind, is left out and told."""
    entry = (
        '<event><string key="concept:name" value="a"/><string key="lifecycle:transition" value="{}"/>'
        '<date key="time:timestamp" value="2026-01-05T0{}:00:00+01:00"><int key="x" value="1"/></date></event>'
    )
    given = ("start", 1), ("START", 2), ("suspend", 3), ("complete", 4), ("complete", 5), ("start", 6)
    (tmp_path / "a.xes").write_text(f"<log>{TRACE.format(''.join(entry.format(*each) for each in given))}</log>")
    found = read(tmp_path / "a.xes")
    assert (found.events["end"] - found.events["start"]).tolist() == [180, 180]
    assert found.notes == ["1 entries 'suspend' are left out", "1 events were begun and not completed: left out"]
    (tmp_path / "a.csv").write_text("Case ID;Activity;Complete Timestamp;Resource\n7;x;2026-01-06 09:30:00;ann\n")
    (row,) = read(tmp_path / "a.csv").events.to_dict("records")
    assert (row["case"], row["activity"], row["resource"], row["end"]) == ("7", "x", "ann", 1440 + 570)

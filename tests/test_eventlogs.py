"""Event logs: a run in three formats holds the same events, and comes back; what is no log is one line."""

import json
import random
import re
import sqlite3
import tomllib
from collections import Counter
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
    people = OFFICE | {"agents": [{"reasoner": "idle"}], "sweep": {"world.load": [0.5, 0.9]}}
    sandbox.batch(people, folder / "batch", trials=2, workers=1)
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


def test_a_damaged_log_is_a_log_or_one_line(logs, tmp_path):
    """Bytes anywhere are replaced by others, by numbers that no clock has, by marks of the formats."""
    parts = [b'"', b"<", b">", b"{}", b"[]", b"\0", b"\xff", b"null", b"9999999999", b"1e999", b"&#0;", b",", b""]
    rng, read_whole = random.Random(5), 0
    for form in FORMATS:
        for _ in range(40):
            data = bytearray((logs / form).read_bytes())
            for _ in range(rng.choice((1, 1, 20))):
                at = rng.randrange(len(data))
                data[at : at + rng.choice((0, 1, 4, 40))] = rng.choice(parts)
            (tmp_path / "log").write_bytes(data)
            try:
                read_whole += len(read(tmp_path / "log").events) > 0
            except UsageError as error:
                assert "\n" not in str(error) and len(str(error)) < 1_000
    assert 0 < read_whole < 120


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


# -- a scenario from a log ---------------------------------------------------------------------------------------------

KNOWN = """
title = "Claims"
case = "claim"
texts = ["Settle every claim.", "Bring every claim to its end.", "Close all claims."]
office = { manager = "clerk", reviewer = "clerk" }
post.team = { people = 3, work = "mon-fri 8-17", wage = 40, caught = { rested = 0.0, tired = 0.0, full = 1 } }
document.claim.number = { serial = 1, unit = "code" }
activity = [
    { name = "intake", post = "team", minutes = { median = 14, p10 = 6, p90 = 35 } },
    { name = "ask expert", days = { mean = 4 } },
    { name = "assess", post = "clerk", minutes = { low = 10, high = 40 } },
    { name = "decide", post = "team", minutes = { mean = 12 } },
]
flow = [
    { name = "ordinary", share = 0.7, path = ["intake", "ask expert 0.3", "assess", "decide"] },
    { name = "short", share = 0.3, path = ["intake", "decide"] },
]
[post.clerk]
people = 2
work = "mon-fri 9-15"
minutes = { constant = 5 }
caught = { rested = 0.0, tired = 0.0, full = 1 }
wage = 40
"""
PEOPLE = {"name": "office", "layout": KNOWN, "cases": 500, "people": 3, "load": 0.7, "max_ticks": 100_000}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """The log of a process whose parameters are known, and the scenario that is fitted to it."""
    folder = tmp_path_factory.mktemp("known")
    sandbox.batch({"world": PEOPLE, "agents": [{"reasoner": "idle"}]}, folder / "batch", trials=2, workers=1)
    assert told("export", folder / "batch", "ocel-json", folder / "log.json") == 0
    assert told("fit", folder / "log.json", "--out", folder / "fitted.toml") == 0
    return folder


def test_what_is_fitted_to_a_log_is_the_process_that_made_it(known):
    """Within four standard errors of 800 cases, or of as many as take the step."""
    world = tomllib.loads((known / "fitted.toml").read_text())["world"]
    found = tomllib.loads(world["layout"])
    laws = {each["name"]: each.get("minutes") or each["days"] for each in found["activity"]}
    assert laws.keys() == {"intake", "ask expert", "assess", "decide"}
    assert laws["intake"]["median"] == pytest.approx(14, rel=0.15)
    assert laws["intake"]["p90"] == pytest.approx(35, rel=0.2)
    assert laws["ask expert"]["mean"] == pytest.approx(4, rel=4 / 168**0.5)
    assert laws["decide"]["mean"] == pytest.approx(12, rel=4 / 800**0.5)
    assert laws["assess"]["low"] == pytest.approx(10, abs=0.5) and laws["assess"]["high"] == pytest.approx(40, abs=0.5)
    assert (found["post"]["team"]["people"], found["post"]["clerk"]["people"], world["people"]) == (3, 2, 3)
    assert found["post"]["team"]["work"] == "mon-fri 8-17" and found["post"]["clerk"]["work"] == "mon-fri 9-15"
    assert world["load"] == pytest.approx(0.7, rel=0.15)
    shares = Counter[tuple[str, ...]]()
    for flow in found["flow"]:
        path, chance = [re.sub(r" 0\.\d+$", "", step) for step in flow["path"]], 1.0
        for k, step in enumerate(flow["path"]):
            if step != path[k]:
                chance = float(step.rpartition(" ")[2])
                shares[tuple(path[:k] + path[k + 1 :])] += flow["share"] * (1 - chance)
        shares[tuple(path)] += flow["share"] * chance
    expected = {("intake", "ask expert", "assess", "decide"): 0.21, ("intake", "assess", "decide"): 0.49,
                ("intake", "decide"): 0.3}  # fmt: skip
    assert shares == pytest.approx(expected, abs=4 * (0.25 / 800) ** 0.5)


def test_the_fit_says_how_far_it_is_off_and_its_scenario_runs(known, capsys):
    assert told("fit", known / "log.json", "--out", known / "again.toml", "--cases", "claim") == 0
    printed = capsys.readouterr().out
    assert (known / "again.toml").read_text() == (known / "fitted.toml").read_text()
    rows = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in printed.splitlines() if line.count("│") > 2}
    distances = {name: float(rows[name][-1]) for name in ("arrivals", "intake", "assess", "decide")}
    assert all(0 < distance < 0.2 for distance in distances.values()), distances
    assert float(rows["error of what follows an activity, mean"][0]) < 0.05
    logged, simulated, error = (float(cell.strip().rstrip("%")) for cell in rows["50%"])
    assert error == pytest.approx(100 * (simulated / logged - 1), abs=1) and 0.3 < simulated / logged < 3
    assert sandbox.run(known / "fitted.toml", 1, overrides={"world.cases": 20}).success


def test_logs_without_starts_or_with_too_little_are_told(tmp_path, capsys):
    """A start is the later of the last ends of the case and of the resource; a log must say who works."""
    rows = [f"{case},{name},2026-01-{5 + case // 8:02d} {9 + case % 8:02d}:{minute:02d}:00,{who}"
            for case in range(30) for name, minute, who in (("in", 5, "ann"), ("out", 25, "bob"))]  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join(["case,activity,end,resource", *rows]))
    assert told("fit", tmp_path / "a.csv", "--out", tmp_path / "a.toml") == 0
    assert "60 of 60 events have no start" in capsys.readouterr().out
    process = tomllib.loads(tomllib.loads((tmp_path / "a.toml").read_text())["world"]["layout"])
    (law,) = [each["minutes"] for each in process["activity"] if each["name"] == "out"]
    assert law == {"constant": pytest.approx(20)}
    nobody = [row.rpartition(",")[0] for row in rows]
    for lines, error in (
        (["case,activity,end,resource", *rows[:20]], "10 cases; expected 20 at least"),
        (["case,activity,end", *nobody], "who does the work"),
    ):
        (tmp_path / "b.csv").write_text("\n".join(lines))
        assert told("fit", tmp_path / "b.csv", "--out", tmp_path / "b.toml") == 2
        assert error in capsys.readouterr().err and not (tmp_path / "b.toml").exists()

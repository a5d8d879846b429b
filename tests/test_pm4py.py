"""Event logs in pm4py, in an environment of its own (see .ci/run): its validator, and its readers."""

import pandas as pd
import pm4py
import pytest
from pm4py.objects.ocel.validation import ocel20_rel_validation

import sandbox
from sandbox.core.event_log import START
from sandbox.eventlogs.export import write_log
from sandbox.eventlogs.read import read
from sandbox.worlds.office import layouts

OFFICE = {
    "world": {"name": "office", "cases": 12, "people": 1, "review": 0.5},
    "agents": [{"reasoner": "rules"}], "perturb": {"wrong_price": 0.5}, "sweep": {"world.load": [0.5, 0.9]},
}  # fmt: skip


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The logs of a batch of four trials."""
    folder = tmp_path_factory.mktemp("logs")
    sandbox.batch(OFFICE, folder / "batch", trials=2, workers=1)
    for form, name in (("ocel-json", "a.json"), ("ocel-sqlite", "a.sqlite"), ("xes", "a.xes")):
        write_log(form, folder / "batch", folder / name, range(4))
    return folder


def events(log: pd.DataFrame, case: str, name: str, time: str) -> list[tuple]:
    """Cases, activities and minutes of pm4py's table, sorted."""
    minutes = (pd.to_datetime(log[time], utc=True) - START) / pd.Timedelta(minutes=1)
    return sorted(zip(log[case], log[name], minutes.round(6), strict=True))


def ours(path) -> list[tuple]:
    found = read(path).events
    return sorted(zip(found["case"], found["activity"], found["end"].round(6), strict=True))


def test_the_database_holds_to_all_constraints(logs):
    held, broken = ocel20_rel_validation.apply(str(logs / "a.sqlite"))
    assert (len(held), broken) == (24, [])


@pytest.mark.parametrize("process", layouts.names())
def test_every_process_has_a_log(process, tmp_path):
    """Documents of a case belong to it; what several cases name is one object."""
    world = {"name": "office", "layout": process, "cases": 12, "people": 1}
    sandbox.run({"world": world, "agents": [{"reasoner": "rules"}]}, 3, out=tmp_path / "run")
    for form in ("ocel-sqlite", "ocel-json"):
        write_log(form, tmp_path / "run", tmp_path / form.replace("ocel-", "a."), [0])
    held, broken = ocel20_rel_validation.apply(str(tmp_path / "a.sqlite"))
    assert (len(held), broken) == (24, [])
    log, other = pm4py.read_ocel2_sqlite(str(tmp_path / "a.sqlite")), pm4py.read_ocel2_json(str(tmp_path / "a.json"))
    assert len(log.events) == len(other.events) > 60 and len(log.relations) == len(other.relations)
    cases = log.relations[log.relations["ocel:qualifier"] == "case"]
    assert cases["ocel:oid"].nunique() == 12 and len(cases) == len(log.events)


@pytest.mark.parametrize(("name", "reader"), [("a.json", "read_ocel2_json"), ("a.sqlite", "read_ocel2_sqlite")])
def test_object_centric_logs_have_the_same_events_there(name, reader, logs):
    log = getattr(pm4py, reader)(str(logs / name))
    related = log.relations[log.relations["ocel:type"] == "order"]
    assert events(related, "ocel:oid", "ocel:activity", "ocel:timestamp") == ours(logs / name)
    assert len(log.events) == len(ours(logs / name)) > 500
    assert {*log.objects["ocel:type"]} == {"order", "receipt", "invoice", "vendor", "resource"}, "those with events"
    assert {*log.relations["ocel:qualifier"]} == {"case", "by", "brings", "checks"}
    changed = log.object_changes
    assert {"price", "status"} <= {*changed["ocel:field"]} and (changed["ocel:timestamp"] > START).all()


def test_xes_has_the_same_events_there(logs):
    log = pm4py.read_xes(str(logs / "a.xes"))
    done = log[log["lifecycle:transition"] == "complete"]
    assert events(done, "case:concept:name", "concept:name", "time:timestamp") == ours(logs / "a.xes")
    begun = log[log["lifecycle:transition"] == "start"].set_index("concept:instance")["time:timestamp"]
    spans = done.set_index("concept:instance")["time:timestamp"].reindex(begun.index) - begun
    found = read(logs / "a.xes").events
    assert sorted(spans / pd.Timedelta(minutes=1)) == pytest.approx(sorted((found["end"] - found["start"]).dropna()))

"""The list of runs: what it says of each, names and tags beside a record, deleting with undo."""

import json
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from commands import told

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.record.lock import Lock, Reading
from sandbox.running import trash
from sandbox.running.listing import chosen, listing, look, when
from sandbox.running.notes import MOST, NOTES, Notes, note, notes_of
from sandbox.running.replay import verify
from sandbox.running.trash import TRASH, delete, restore

SCENARIO = {
    "title": "Two orders",
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 400},
    "agents": [{"count": 4}],
}
MODEL = {
    "title": "A script",
    "world": {"name": "web", "layout": "login-user", "max_ticks": 4},
    "agents": [{"reasoner": "llm", "llm": {"model": "scripted", "replies": [{"text": "no JSON"}]}}],
}
MANY = 1_000


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A finished run, one that failed, one with a model, and a batch."""
    runs = tmp_path_factory.mktemp("runs")
    sandbox.run(SCENARIO, seed=3, out=runs / "done")
    sandbox.run({**SCENARIO, "world": {**SCENARIO["world"], "max_ticks": 3}}, seed=4, out=runs / "late")
    sandbox.run(MODEL, seed=5, out=runs / "studio" / "model")
    sandbox.batch({**SCENARIO, "sweep": {"world.max_ticks": [3, 400]}}, runs / "batch", trials=5, workers=1)
    return runs


@pytest.fixture
def runs(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "runs")
    return tmp_path / "runs"


def rows(runs: Path) -> dict:
    return {Path(entry.folder).name: entry for entry in listing(runs)}


def test_a_run_is_told_in_words(made):
    found, now = rows(made), datetime.now()
    today = f"today {now:%H}"
    assert found["done"].words().startswith(f"warehouse, 4 robots, rules, seed 3, 2 of 2, {today}")
    assert found["done"].outcome == "completed, 2 of 2" and found["done"].length.endswith(" ticks")
    assert found["late"].outcome == "tick limit, 0 of 2" and found["late"].ticks == 3
    assert (
        found["model"].words().startswith("web, 1 clerk, scripted, seed 5, ") and found["model"].finish == "tick limit"
    )
    assert found["model"].acted == "0% own, 100% by fallbacks" and not found["done"].acted
    batch = found["batch"]
    assert batch.words().startswith(f"warehouse, 4 agents, rules, seeds 0 to 4, batch of 10, 50% succeed, {today}")
    assert batch.outcome == "5 of 10 succeed" and batch.length == "10 trials" and batch.conditions == 2
    assert "None" not in " ".join(entry.words() + entry.outcome + entry.length for entry in found.values())


def test_times_are_told_as_people_tell_them():
    now = datetime(2026, 5, 3, 14, 2).astimezone()
    assert when(now.isoformat(), now) == "today 14:02"
    assert when((now - timedelta(days=1)).isoformat(), now) == "yesterday 14:02"
    assert when((now - timedelta(days=40)).isoformat(), now) == "24 Mar 14:02"
    assert when((now - timedelta(days=400)).isoformat(), now) == "29 Mar 2025"
    assert when("x", now) == when("", now) == ""


def test_runs_are_sorted_and_chosen_by_words(made):
    entries = listing(made)
    names = [Path(entry.folder).name for entry in chosen(entries, sort="outcome")]
    assert names[0] == "done" and names[1] == "batch"
    assert [Path(entry.folder).name for entry in chosen(entries, sort="outcome", reverse=True)][-1] == "done"
    assert {Path(entry.folder).name for entry in chosen(entries, "WEB limit")} == {"model"}
    assert chosen(entries, "no such word") == []
    with pytest.raises(UsageError, match="unknown order 'lenght'; did you mean 'length'"):
        chosen(entries, sort="lenght")


def test_a_thousand_runs_are_listed_in_about_a_second(made, tmp_path):
    for number in range(MANY):
        shutil.copytree(made / "done", tmp_path / str(number))
    began = time.process_time()  # of this process: the machine may be busy
    assert len(listing(tmp_path, MANY)) == MANY
    first = time.process_time() - began
    began = time.process_time()
    assert len(listing(tmp_path, MANY)) == MANY
    assert first < 2.5 and time.process_time() - began < first / 2


def test_names_and_tags_lie_beside_the_record(runs):
    folder = runs / "done"
    before = (folder / "run.db").read_bytes()
    note(folder, Notes(" my\nrun ", ("good", "x", "good", " ")))
    assert rows(runs)["done"].words() == "my run" and rows(runs)["done"].tags == ("good", "x")
    assert (folder / "run.db").read_bytes() == before and verify(folder).passed
    assert [Path(entry.folder).name for entry in chosen(listing(runs), "good")] == ["done"]
    note(folder, Notes())
    assert not (folder / NOTES).exists() and rows(runs)["done"].name == ""
    with pytest.raises(UsageError, match=f"expected at most {MOST}"):
        note(folder, Notes(tags=tuple(map(str, range(MOST + 1)))))
    for text in ("[", "[1]", '{"name": {}, "tags": 3}', "[" * 9_000):
        (folder / NOTES).write_text(text)
        assert notes_of(folder).tags == () and look(folder).kind == "run"
    (folder / NOTES).unlink()
    (folder / NOTES).symlink_to("/etc/hostname")
    assert notes_of(folder) == Notes()
    with pytest.raises(RecordError, match="symbolic link"):
        note(folder, Notes("x"))


def test_a_deleted_run_comes_back(runs):
    before = sorted(path.relative_to(runs) for path in (runs / "studio" / "model").rglob("*"))
    moved = delete(runs / "studio" / "model", runs)
    assert "model" not in rows(runs) and moved.is_dir() and TRASH in moved.parts
    assert restore(moved, runs) == runs / "studio" / "model"
    assert "model" in rows(runs) and verify(runs / "studio" / "model").passed
    assert sorted(path.relative_to(runs) for path in (runs / "studio" / "model").rglob("*")) == before
    moved = delete(runs / "done", runs)
    shutil.copytree(runs / "late", runs / "done")
    with pytest.raises(RecordError, match="its place is taken"):
        restore(moved, runs)


def test_what_is_open_for_reading_may_be_deleted_what_is_written_may_not(runs, tmp_path):
    reading, lock = Reading(runs / "done"), Lock(runs / "late")
    delete(runs / "done", runs)
    reading.close()
    with pytest.raises(RecordError, match="a process writes there"):
        delete(runs / "late", runs)
    lock.release()
    inner = Lock(runs / "studio" / "model")
    with pytest.raises(RecordError, match="model: a process writes there"):
        delete(runs / "studio", runs)
    inner.release()
    assert (runs / "late").is_dir() and (runs / "studio" / "model").is_dir()


def test_nothing_outside_the_folder_of_runs_is_deleted(runs, tmp_path):
    shutil.copytree(runs / "done", tmp_path / "outside")
    (runs / "link").symlink_to(tmp_path / "outside")
    (runs / "way").symlink_to(tmp_path)
    for folder in (tmp_path / "outside", runs / ".." / "outside", runs / "link", runs / "way" / "outside", runs, "/"):
        with pytest.raises(RecordError):
            delete(folder, runs)
    with pytest.raises(RecordError, match="not in the trash"):
        restore(runs / "done", runs)
    (runs / TRASH).symlink_to(tmp_path)
    with pytest.raises(RecordError, match="symbolic link"):
        delete(runs / "done", runs)
    assert (tmp_path / "outside" / "run.db").is_file() and (runs / "done" / "run.db").is_file()


def test_the_trash_is_pruned(runs, monkeypatch):
    monkeypatch.setattr(trash, "KEPT", 2)
    moved = [delete(runs / name, runs) for name in ("done", "late", "batch")]
    assert [place.is_dir() for place in sorted(moved)].count(True) == 2 and len(list((runs / TRASH).iterdir())) == 2


def test_the_command_lists_them(made, tmp_path, capsys):
    assert told("runs", "--in", made) == 0
    text = capsys.readouterr().out
    assert "scripted" in text and "completed" in text and "None" not in text
    assert told("runs", "--in", made, "web", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["called"].startswith("web, ") and row["outcome"] == "tick limit, 1 of 2" and row["successes"] == 0
    assert told("runs", "--in", made, "nothing") == 0 and "no runs below" in capsys.readouterr().out
    assert told("runs", "--in", tmp_path / "none") == 2 and "no such folder" in capsys.readouterr().err
    assert told("runs", "--in", made, "--most", 1) == 0 and "1 of 4 runs" in capsys.readouterr().out

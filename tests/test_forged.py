"""Nothing forged passes: whatever is changed in a batch or certificate, verify tells it, or it stands here why not."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from batches import earlier, forge
from commands import told

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.record.columns import MEASURES
from sandbox.record.table import glance, read_table, read_trial
from sandbox.record.trials import PLACE
from sandbox.running import reexecute
from sandbox.running.claims import claim
from sandbox.scenario import load
from sandbox.studies import certify
from sandbox.studies.certify import CLAIM, FILE

SCENARIO = {
    "world": {"name": "web", "layout": "all"}, "agents": [{"reasoner": "semantic"}],
    "perturb": {"renamed_labels": 0.1}, "sweep": {"world.max_ticks": [40, 50]}, "seed": 14,
}  # fmt: skip
EACH = 5
# What follows from nothing else, and what nobody can make again. Only the root that a witness noted tells of it.
COLUMNS_UNKNOWN = {"seconds"}
NOTES_UNKNOWN = {
    "certificate": {"max_errors", "keeps_calls"},
    "batch": {"max_errors", "keeps_calls", "created", "versions", "planned"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A batch, and a certificate with a failure that was allowed."""
    place = tmp_path_factory.mktemp("forged")
    sandbox.batch(SCENARIO, place / "batch", trials=EACH)
    chosen = load(SCENARIO)
    stated = claim(chosen, 0.46, 0.95, 2)
    found = certify.certify(chosen, stated, place / "certificate")
    assert stated.total == 2 * EACH and found["earned"] and 0 < found["failures"] <= 2
    return place


def problems(folder, root=None) -> list[str]:
    """What ``verify`` says, with all trials executed again."""
    try:
        return (certify if (folder / CLAIM).is_file() else reexecute).check(folder, 1_000, root).problems
    except RecordError as error:
        return [str(error)]


def other(value):
    """A value of its kind that is another."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {**value, "more": 1}
    if isinstance(value, list):
        return [*value, 1]
    return value + 1 if isinstance(value, int | float) else f"{value}x" if isinstance(value, str) else 1


@pytest.fixture
def forged(made, tmp_path, request):
    """A copy of what is to be forged."""
    return shutil.copytree(made / request.param, tmp_path / request.param)


both = pytest.mark.parametrize("forged", ["batch", "certificate"], indirect=True)
of_certificates = pytest.mark.parametrize("forged", ["certificate"], indirect=True)


@both
def test_what_is_as_it_was_made_passes(forged):
    assert problems(forged) == []


@both
@pytest.mark.parametrize("success", [0, 1])
def test_no_column_of_a_trial_can_be_changed(success, forged):
    """Of a trial that failed, and of one that did not; other values, other kinds of values, and none."""
    table, honest = read_table(forged), (forged / "run.db").read_bytes()
    row = max(row for row in table.rows if row[table.columns.index("success")] == success)
    for name, value in zip(table.columns, row, strict=True):
        for forgery in {99, "x"} if name in PLACE else {other(value), "x", None} - {value}:
            forge(forged, (f"UPDATE trial SET {name} = ? WHERE condition = ? AND trial = ?", (forgery, *row[:2])))
            found = problems(forged)
            unknown = name in COLUMNS_UNKNOWN and isinstance(forgery, float)
            assert bool(found) != unknown, f"{name} is {forgery!r}: {found}"
            (forged / "run.db").write_bytes(honest)


@both
def test_no_trial_can_be_dropped_added_doubled_or_exchanged(forged):
    last = f"FROM trial WHERE condition = 1 AND trial = {EACH - 1}"
    rest = "stop, successes, errors, fallbacks, hash, measures, rest"
    columns, first = ", ".join(MEASURES), "WHERE condition = 0 AND trial = 0"
    for statements in (
        [f"DELETE {last}"],
        [f"DELETE {last}", f"UPDATE chunk SET stop = {EACH - 1} WHERE condition = 1"],
        [f"INSERT INTO trial SELECT condition, trial, {columns} {last}"],
        [f"INSERT INTO trial SELECT condition, trial, {columns} {last}",
         f"UPDATE chunk SET stop = {EACH + 1} WHERE condition = 1"],
        [f"INSERT INTO chunk SELECT 2, start, {rest} FROM chunk WHERE condition = 1"],
        [f"INSERT INTO chunk SELECT 1, start + 1, stop + 1, {rest[6:]} FROM chunk WHERE condition = 1"],
        [f"INSERT INTO chunk SELECT 1, {EACH}, stop + {EACH}, {rest[6:]} FROM chunk WHERE condition = 1"],
        ["CREATE TABLE t AS SELECT * FROM chunk", "DROP TABLE chunk", "ALTER TABLE t RENAME TO chunk",
         "INSERT INTO chunk SELECT * FROM chunk"],
        ["ALTER TABLE chunk ADD COLUMN more GENERATED ALWAYS AS (0)"],
        ["ALTER TABLE chunk RENAME TO own", "CREATE VIEW chunk AS SELECT * FROM own"],
        ["CREATE TRIGGER t AFTER INSERT ON condition BEGIN DELETE FROM chunk; END"],
        ["ALTER TABLE chunk DROP COLUMN errors", "ALTER TABLE chunk ADD COLUMN errors GENERATED ALWAYS AS (0)"],
        ["UPDATE chunk SET successes = successes + 1 WHERE condition = 0"],
        ["UPDATE chunk SET fallbacks = 1 WHERE condition = 0"],
        ["UPDATE chunk SET errors = NULL WHERE condition = 0"],
        ["UPDATE chunk SET hash = 'ab' WHERE condition = 0"],
        ["UPDATE chunk SET measures = x'' WHERE condition = 0"],
        ["UPDATE chunk SET measures = measures || x'00' WHERE condition = 0"],
        ["UPDATE chunk SET rest = x'' WHERE condition = 0"],
        ["UPDATE chunk SET measures = (SELECT measures FROM chunk WHERE condition = 1) WHERE condition = 0"],
        [f"UPDATE trial SET success = 2 {first}"],
        [f"UPDATE trial SET success = 0, finish = 'error', error = 'it was down', steps_to_completion = NULL {first}"],
        ["UPDATE trial SET trial = trial + 1000", "UPDATE trial SET trial = 1004 - trial"],
        ["UPDATE trial SET condition = 1 - condition + 1000", "UPDATE trial SET condition = condition - 1000"],
        ["DELETE FROM chunk WHERE condition = 0"],
        ["UPDATE chunk SET start = -1 WHERE condition = 0"],
        ["UPDATE chunk SET stop = 'x' WHERE condition = 0"],
        [f"UPDATE chunk SET stop = {2**62} WHERE condition = 0"],
        [f"UPDATE chunk SET stop = {2**20} WHERE condition = 0"],
        [("INSERT INTO asked VALUES (7, 7, ?)", (b"junk",))],
        ["DROP TABLE condition"],
        ["UPDATE condition SET overrides = '{}'"],
        ["""UPDATE condition SET overrides = '{"world.max_ticks":41}' WHERE condition = 0"""],
        ["INSERT INTO condition VALUES (2, '{}')"],
        ["UPDATE meta SET value = json_set(value, '$.agents[0].reasoner', 'oracle') WHERE key = 'scenario'"],
        ["UPDATE meta SET value = json_set(value, '$.perturb.renamed_labels', 0.0) WHERE key = 'scenario'"],
        ["UPDATE meta SET value = json_set(value, '$.seed', 15) WHERE key = 'scenario'"],
    ):  # fmt: skip
        copy = shutil.copytree(forged, forged.with_name("copy"))
        forge(copy, *statements)
        assert problems(copy), statements
        shutil.rmtree(copy)


@both
def test_trials_that_failed_cannot_be_replaced_by_later_ones(forged, tmp_path):
    """Later trials are true ones: they come to the same when executed again."""
    more = sandbox.batch({**SCENARIO, "sweep": {}, "seed": 5_000}, tmp_path / "more", trials=20)
    table = read_table(more)
    values = next(row[2:] for row in table.rows if row[table.columns.index("success")])
    sets = ", ".join(f"{name} = ?" for name in MEASURES)
    forge(forged, (f"UPDATE trial SET {sets} WHERE success = 0", values))
    (told,) = {problem.partition(": ")[2][:4] for problem in problems(forged) if "expected" in problem}
    assert told == "seed"


@both
def test_notes_of_the_table_are_checked_or_known_to_be_notes(forged):
    with closing(sqlite3.connect(forged / "run.db")) as db:
        notes = dict(db.execute("SELECT key, value FROM meta"))
    honest = (forged / "run.db").read_bytes()
    for key, value in notes.items():
        changed = other(value) if key == "created" else json.dumps(other(json.loads(value)))
        forge(forged, ("UPDATE meta SET value = ? WHERE key = ?", (changed, key)))
        found = problems(forged)
        assert bool(found) != (key in NOTES_UNKNOWN[forged.name]), f"{key}: {found}"
        (forged / "run.db").write_bytes(honest)


def _entries(value, path=()):
    """Every entry of a file, at any depth."""
    yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _entries(item, (*path, key))


@of_certificates
@pytest.mark.parametrize("name", [FILE, CLAIM])
def test_no_entry_of_the_files_can_be_changed_or_dropped(name, forged, monkeypatch):
    """It is told by name. Nothing needs to be executed for it."""
    monkeypatch.setattr(reexecute, "execute", lambda *_: (0, []))
    text = (forged / name).read_text()
    for path, value in list(_entries(json.loads(text))):
        for forgery in (other(value), None):
            if not path or forgery == value:
                continue
            file = json.loads(text)
            *above, key = path
            place = file
            for step in above:
                place = place[step]
            place[key] = forgery
            (forged / name).write_text(json.dumps(file))
            found = " ".join(problems(forged))
            assert str(path[0]) in found or "void" in found or "no claim" in found, f"{path} is {forgery!r}: {found}"
            if isinstance(place, dict):
                del place[key]
                (forged / name).write_text(json.dumps(file))
                assert problems(forged), f"{path} is dropped"
    for text_of_none in ("", "{", "[]", "null", "{}"):
        (forged / name).write_text(text_of_none)
        assert problems(forged)


@of_certificates
def test_another_claim_of_as_many_trials_is_another_root(forged, made):
    """A claim that was chosen afterwards agrees with itself; the root that was noted does not."""
    root = json.loads((forged / FILE).read_text())["root"]
    assert problems(forged, root) == []
    scenario = load(SCENARIO)
    stated = claim(scenario, 0.47, 0.95, 2)
    assert stated.total == 2 * EACH
    (forged / CLAIM).write_text(json.dumps(stated.as_dict()))
    read = certify.read(forged)
    (forged / FILE).write_text(json.dumps(read.certificate))
    assert problems(forged) == [] and "the noted root is" in problems(forged, root)[0]


@both
def test_the_noted_root_is_checked(forged, capsys):
    root = (
        reexecute.check(forged, 1).root if forged.name == "batch" else json.loads((forged / FILE).read_text())["root"]
    )
    assert told("verify", forged, "--root", root) == 0
    said = capsys.readouterr().out
    assert f"root {root}" in said and f"all {2 * EACH} trials executed again, all equal" in said
    assert told("verify", forged, "--root", "ab" * 32) == 1
    assert "the noted root is abab" in capsys.readouterr().out
    forge(forged, "UPDATE trial SET seconds = 7.0")
    assert told("verify", forged, "--root", root) == 0, "what the clock tells is not under it"


def test_the_root_of_a_batch_is_of_all_its_trials_and_the_same_each_time(made, tmp_path, capsys):
    sandbox.batch(SCENARIO, tmp_path / "b", trials=2)
    first = sandbox.results(tmp_path / "b").attrs["root"]
    sandbox.batch(SCENARIO, tmp_path / "b", trials=EACH)
    grown = sandbox.results(tmp_path / "b").attrs["root"]
    assert first != grown == sandbox.results(made / "batch").attrs["root"]

    with pytest.raises(KeyboardInterrupt):
        sandbox.batch(SCENARIO, tmp_path / "b", trials=EACH + 4, on_progress=_interrupt)
    assert "root" not in sandbox.results(tmp_path / "b").attrs, "it is that of a batch that is complete"
    assert told("verify", tmp_path / "b") == 0
    assert f"unfinished: {2 * EACH} of {2 * EACH + 8} trials" in capsys.readouterr().out


def _interrupt(_) -> None:
    raise KeyboardInterrupt


@of_certificates
def test_an_earlier_version_is_void_not_forged(forged, capsys):
    for name in (FILE, CLAIM):
        file = json.loads((forged / name).read_text())
        file.pop("format")
        (forged / name).write_text(json.dumps(file))
    assert told("verify", forged) == 1
    said = capsys.readouterr().err
    assert (
        "made by an earlier version of sandbox, whose strata shared their seeds" in said
        and ": void; certify again" in said
    )
    assert told("report", forged, "--out", forged / "r.html") == 0
    page = (forged / "r.html").read_text()
    assert "No certificate" in page and "Certificate earned" not in page


@of_certificates
def test_a_report_shows_what_follows_from_the_trials_alone(forged):
    assert told("report", forged, "--out", forged / "r.html") == 0
    assert "Certificate earned" in (forged / "r.html").read_text()
    forge(forged, "UPDATE trial SET success = 0, finish = 'tick limit', steps_to_completion = NULL")
    assert told("report", forged, "--out", forged / "r.html") == 0
    page = (forged / "r.html").read_text()
    assert "Certificate earned" not in page and "does not follow from its trials" in page


def test_a_batch_of_an_earlier_version_is_read_verified_and_not_continued(made, tmp_path, capsys):
    """It has a row of SQL for each trial, and a root over these rows."""
    folder = shutil.copytree(made / "batch", tmp_path / "b")
    now, glanced = sandbox.results(folder), glance(folder)
    root = earlier(folder)
    then = sandbox.results(folder)
    assert (
        then.equals(now) and then.attrs["root"] == root != now.attrs["root"] and glance(folder).counts == glanced.counts
    )
    assert problems(folder, root) == [] and problems(folder, now.attrs["root"])
    assert read_trial(folder, 7).columns == dict(
        zip(read_table(folder).columns, read_table(folder).rows[7], strict=True)
    )
    assert told("replay", folder, "--trial", 7, "--out", tmp_path / "one") == 0
    assert told("report", folder, "--out", tmp_path / "r.html") == 0
    capsys.readouterr()
    with pytest.raises(UsageError, match=r"^[^\n]*begun by another version of sandbox; choose another folder$"):
        sandbox.batch(SCENARIO, folder, trials=2 * EACH)
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        db.execute("UPDATE trial SET success = 1 - success WHERE trial = 0")
    assert problems(folder)


def test_a_batch_of_a_later_version_is_refused_in_one_line(made, tmp_path):
    folder = shutil.copytree(made / "batch", tmp_path / "b")
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        db.execute("UPDATE meta SET value = '4' WHERE key = 'format'")
    for read in (sandbox.results, glance, lambda folder: sandbox.batch(SCENARIO, folder, trials=EACH)):
        with pytest.raises(RecordError, match=r"run.db: a batch of format 4, which this version of sandbox does not"):
            read(folder)

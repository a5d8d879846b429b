"""The record: what is written reads back equal, any tampering is found, and a crash leaves a readable run."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sandbox.core.errors import RecordError
from sandbox.record import (
    Log,
    RunFinished,
    RunStarted,
    TickDone,
    TrialFinished,
    TrialStarted,
    canonical,
    open_run,
    parse,
    read,
    verify_chain,
    writer,
)
from sandbox.record.chain import GENESIS, chain_hash, included, inclusion_proof, leaf_hash, merkle_root, node_hash
from sandbox.record.log import BACKLOG

SCENARIO = {"title": "Lager – größer", "world": {"x": [1, 2.5, None]}}
START = RunStarted(scenario=SCENARIO, scenario_hash="h", versions={"sandbox": "1"}, trials=3)
END = RunFinished(trials=3, status="done")


def tick(trial: int, number: int) -> TickDone:
    return TickDone(trial=trial, tick=number, actions=((1, 0), (4, 7)), reward=(0.5, -0.1), digest=f"{number:064x}")


def outcome(trial: int) -> dict:
    return {"success": True, "seed": 2**64 - 1 - trial, "reward": 0.1 + 0.2}


def story(trials: int = 3, ticks: int = 20) -> list:
    agents = [{"name": f"a{number}", "role": "courier", "reasoner": "rules"} for number in range(2)]
    events = [START]
    for trial in range(trials):
        events.append(TrialStarted(trial=trial, seed=2**64 - 1 - trial, agents=agents))
        events += [tick(trial, number) for number in range(1, ticks + 1)]
        events.append(TrialFinished(trial=trial, outcome=outcome(trial)))
    return [*events, END]


def record(folder: Path, events: list) -> str:
    with Log.create(folder) as log:
        for event in events:
            log.append(event)
    return log.root


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "finished"
    record(folder, story())
    return folder


def edit(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / "run.db")) as db:
        db.executescript(script)


def verify(folder: Path, expected: str | None = None):
    with open_run(folder) as run:
        return verify_chain(run, expected)


# Writing and reading


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
    with pytest.raises(RecordError, match="not an event"):
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
    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        for number in range(12):
            with Log.create(tmp_path / str(number)) as log:
                log.append(events[0])
                with pytest.raises(KeyboardInterrupt):
                    # Again after a while, since Python drops an exception that meets it in a destructor.
                    signal.setitimer(signal.ITIMER_REAL, 0.005 + 0.005 * number, 0.05)
                    for event in events[1:]:
                        log.append(event)
                signal.setitimer(signal.ITIMER_REAL, 0)
                log.append(RunFinished(trials=0, status="stopped"))
            report = verify(tmp_path / str(number))
            assert report.intact, report.summary
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


# Tampering


def rewrite(folder: Path, seal: bool) -> None:
    """What a forger with the whole file can do: link all rows anew from their bodies, and seal them."""
    with closing(sqlite3.connect(folder / "run.db")) as db, db:
        bodies = [body.encode() for (body,) in db.execute("SELECT body FROM event ORDER BY seq")]
        head = GENESIS
        for seq, body in enumerate(bodies, 1):
            previous, head = head, chain_hash(head, leaf_hash(body))
            db.execute("UPDATE event SET prev = ?, hash = ? WHERE seq = ?", (previous.hex(), head.hex(), seq))
        if seal:
            db.execute("UPDATE meta SET value = ? WHERE key = 'root'", (merkle_root(bodies).hex(),))


SET = "UPDATE event SET"
SHIFT = "UPDATE event SET seq = -seq WHERE seq > {a}; UPDATE event SET seq = -seq + %d WHERE seq < 0;"
COPY = "INSERT INTO event SELECT %s, trial, tick, kind, body, prev, hash FROM event WHERE seq = {a}"
SWAP = f"""CREATE TEMP TABLE old AS SELECT * FROM event;
{SET} (%s) = (SELECT %s FROM old WHERE old.seq = {{a}} + {{b}} - event.seq) WHERE seq IN ({{a}}, {{b}})"""
ALL, BODY = "trial, tick, kind, body, prev, hash", "trial, tick, kind, body"

TAMPER = {  # script, and how the first problem begins; a < b < n are rows, n is their number
    "body": (f"{SET} body = replace(body, ':', ': ') WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "blob": (f"{SET} body = x'ff00' WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "hash": (f"{SET} hash = 'xx' || substr(hash, 3) WHERE seq = {{a}}", "seq {a}: the row was changed"),
    "prev": (f"{SET} prev = 'no' WHERE seq = {{a}}", "seq {a}: it does not follow"),
    "deleted": ("DELETE FROM event WHERE seq = {a}", "seq {a1}: row {a} is missing"),
    "deleted block": ("DELETE FROM event WHERE seq BETWEEN {a} AND {b}", "seq {b1}: row"),
    "closed up": (f"DELETE FROM event WHERE seq = {{a}}; {SHIFT % -1}", "seq {a}: it does not follow"),
    "tail": ("DELETE FROM event WHERE seq > {b}", "after the last row: the seal counts {n} events"),
    "last": ("DELETE FROM event WHERE seq = {n}", "after the last row: the seal counts {n} events"),
    "doubled": (f"{SHIFT % 1} {COPY % '{a} + 1'}", "seq {a1}: it does not follow"),
    "doubled at the end": (COPY % "{n} + 1", "seq {n1}: it does not follow"),
    "swapped": (SWAP % (ALL, ALL), "seq {a}: it does not follow"),
    "swapped bodies": (SWAP % (BODY, BODY), "seq {a}: the row was changed"),
    "renumbered": (f"{SET} seq = {{n}} + 5 WHERE seq = {{a}}", "seq {a1}: row {a} is missing"),
    "before all": (f"{SET} seq = -3 WHERE seq = {{a}}", "seq -3: it stands after seq 0"),
    "tick column": (f"{SET} tick = 99 WHERE seq = {{a}}", "seq {a}: column tick says 99"),
    "kind column": (f"{SET} kind = 'nap' WHERE seq = {{a}}", "seq {a}: column kind says nap"),
    "root": ("UPDATE meta SET value = 'aa' WHERE key = 'root'", "the root in the seal is aa"),
    "no root": ("DELETE FROM meta WHERE key = 'root'", "the seal is incomplete (root missing)"),
    "no seal": ("DELETE FROM meta", "the seal is incomplete (events, root missing)"),
}


@pytest.mark.parametrize("name", TAMPER)
def test_tampering_is_found_and_placed(name, finished, tmp_path):
    dice, (script, words), n = random.Random(name), TAMPER[name], len(story())
    for attempt in range(6):
        folder = shutil.copytree(finished, tmp_path / str(attempt))
        a, b = sorted(dice.sample(range(2, n), 2))
        edit(folder, script.format(a=a, b=b, n=n))
        report = verify(folder)
        assert not report.intact
        assert report.problems[0].startswith(words.format(a=a, n=n, a1=a + 1, b1=b + 1, n1=n + 1)), report.summary


def test_a_forged_chain_disagrees_with_the_root(finished, tmp_path):
    root = verify(finished).root
    folder = shutil.copytree(finished, tmp_path / "forged")
    edit(folder, "UPDATE event SET body = replace(body, '0.5', '0.9') WHERE seq = 7")
    rewrite(folder, seal=False)
    assert verify(folder).problems[0].startswith("the root in the seal")
    rewrite(folder, seal=True)
    assert verify(folder).intact
    assert verify(finished, root.upper()).intact
    assert "the noted root is" in verify(folder, root).summary


@pytest.mark.parametrize(("events", "words"), [
    ([START, *story()[1:4], tick(0, 4)], "seq 5: trial 0 goes from tick 2 to tick 4"),
    ([*story()[:4], tick(0, 2)], "seq 5: trial 0 goes from tick 2 to tick 2"),
    ([START, tick(0, 1)], "seq 2: tick of trial 0, which has not begun"),
    ([*story()[:-1], tick(2, 21)], "seq 68: tick of trial 2, which is finished"),
    ([*story()[:2], story()[1]], "seq 3: trial 0 begins a second time"),
    (story()[1:], "seq 1: a run begins with run_started"),
    ([START, START], "seq 2: a run begins with run_started"),
])  # fmt: skip
def test_an_order_that_cannot_be_is_found(events, words, tmp_path):
    record(tmp_path / "run", events)
    assert verify(tmp_path / "run").problems[0].startswith(words)


# Crashes, damage, full disks

WRITE = """
import sys, time
from test_record import *
log = Log.create(sys.argv[1])
for event in story(ticks=0)[:2]:
    log.append(event)
for number in range(1, 1_000_000):
    log.append(tick(0, number))
    print(number, time.monotonic(), flush=True)
    time.sleep(0.001)
"""


@pytest.fixture
def killed(tmp_path) -> tuple[Path, int]:
    """A run whose writer was killed, and the last tick that it appended a second earlier."""
    folder, here = tmp_path / "killed", Path(__file__).parent
    command = [sys.executable, "-c", WRITE, str(folder)]
    with subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline()]
        begin = float(lines[0].split()[1])
        with pytest.raises(RecordError, match="another process is writing this run"):
            Log.create(folder)
        while time.monotonic() < begin + 1.6:
            lines.append(process.stdout.readline())
        process.kill()
        end = time.monotonic()
    return folder, max(int(line.split()[0]) for line in lines if float(line.split()[1]) < end - 1)


def test_a_killed_run_reads_and_verifies(killed):
    folder, safe = killed
    report = verify(folder)
    assert report.intact
    assert not report.finished
    assert report.last_tick >= safe > 0
    assert report.summary == f"trial 0 ends at tick {report.last_tick}, unfinished, chain intact"
    with pytest.raises(RecordError, match="already holds a run"):
        Log.create(folder)
    with read_only(folder) as copy:
        assert verify(copy) == report


@contextmanager
def read_only(folder: Path):
    """A copy of a run in a folder that we cannot write; root becomes nobody for that time."""
    with tempfile.TemporaryDirectory() as parent:
        copy, root = Path(shutil.copytree(folder, f"{parent}/run")), os.geteuid() == 0
        for path in (Path(parent), copy, *copy.iterdir()):
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            os.seteuid(65534 if root else os.geteuid())
            yield copy
        finally:
            os.seteuid(0 if root else os.geteuid())
            Path(parent).chmod(0o755)
            copy.chmod(0o755)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_read_only_folder(mode, finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    edit(folder, f"PRAGMA journal_mode = {mode}")
    with read_only(folder) as copy:
        assert verify(copy).intact
        with pytest.raises(RecordError, match="cannot be opened|denied"):
            Log.create(copy / "new")


@pytest.mark.parametrize(("name", "content", "words"), [
    ("run.db", b"", "holds no run"),
    ("run.db", b"no database, only some words" * 100, "not a SQLite database"),
    ("other", b"", "there is no run.db"),
])  # fmt: skip
def test_what_is_no_run_is_named(name, content, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=words):
        open_run(tmp_path)
    with pytest.raises(RecordError, match="no such folder"):
        open_run(tmp_path / "nowhere")


def test_damage_is_found_or_harmless(finished, tmp_path):
    whole, dice, loud = (finished / "run.db").read_bytes(), random.Random(7), 0
    for _ in range(150):
        at, size = dice.randrange(len(whole) - 64), dice.choice([1, 8, 64])
        (tmp_path / "run.db").write_bytes(whole[:at] + dice.randbytes(size) + whole[at + size :])
        try:
            with open_run(tmp_path) as run:
                loud += not verify_chain(run).intact
                assert verify_chain(run).intact <= (list(run.events()) == story())
        except RecordError:
            loud += 1
    assert loud > 75


def test_other_tables_are_no_run(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    edit(folder, "CREATE TABLE a AS SELECT * FROM event; DROP TABLE event; ALTER TABLE a RENAME TO event")
    with pytest.raises(RecordError, match="table event is not that of a run"):
        verify(folder)


def test_a_locked_run(finished, tmp_path, monkeypatch):
    folder = shutil.copytree(finished, tmp_path / "run")
    monkeypatch.setattr(read, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(folder / "run.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RecordError, match="locked by another process"):
            open_run(folder)


@pytest.fixture(params=["tmpfs", "pages"])
def small_disk(request, tmp_path, monkeypatch):
    """A folder with room for some hundred events: a real small disk where we may mount one, else a small database."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(tmp_path)]
    if request.param == "tmpfs" and os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0:
        yield tmp_path
        subprocess.run(["umount", str(tmp_path)], check=True)
        return

    def create(path, create=writer._create):
        db = create(path)
        db.execute("PRAGMA max_page_count = 40")
        return db

    monkeypatch.setattr(writer, "_create", create)
    yield tmp_path


def test_a_full_disk(small_disk):
    folder, events = small_disk / "run", story(trials=1, ticks=50_000)
    full = pytest.raises(RecordError, match=r"^[^\n]*the disk is full; what was recorded before stays readable[^\n]*$")
    with full, Log.create(folder) as log:
        for number, event in enumerate(events):
            log.append(event)
            if number % 50 == 0:
                log.flush()
    report = verify(folder)
    assert report.intact
    assert not report.finished
    assert report.last_tick > 50
    with open_run(folder) as run:
        assert list(run.events()) == events[: report.events]


def test_a_disk_full_from_the_start_leaves_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SCHEMA", "PRAGMA max_page_count = 1;" + writer.SCHEMA)
    with pytest.raises(RecordError, match="disk is full"):
        Log.create(tmp_path / "run")
    monkeypatch.undo()
    record(tmp_path / "run", story())


# Chain


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return (
            leaf_hash(leaves[0])
            if leaves
            else bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        )
    half = max(1 << k for k in range(10) if 1 << k < len(leaves))
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


@pytest.mark.parametrize("size", range(41))
def test_merkle_root_and_inclusion(size):
    leaves = [bytes([number]) * (number % 5) for number in range(size)]
    root = merkle_root(leaves)
    assert root == naive_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(leaves, index)
        assert included(leaf, index, size, proof, root)
        assert not included(leaf + b"x", index, size, proof, root)
        assert not included(leaf, index + 1, size, proof, root)
        assert not included(leaf, index, size, (*proof, root), root)
        assert not included(leaf, index, size, proof[1:], root) or not proof


def test_root_of_the_vectors_of_certificate_transparency():
    """Leaves and root of the test vectors in google/certificate-transparency, merkletree/merkle_tree_test.cc."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert merkle_root(map(bytes.fromhex, leaves)).hex() == root


def test_speed_of_append(tmp_path, capsys):
    events = story(trials=1, ticks=30_000)
    assert len(events) > 2 * BACKLOG
    begin = time.perf_counter()
    record(tmp_path / "run", events)
    with capsys.disabled():
        cost = (time.perf_counter() - begin) / len(events) * 1e6
        print(f"\nrecord: {cost:.1f} us an event, commits and close included")

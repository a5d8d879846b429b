"""A crash, damage or a full disk leaves a readable run, or says clearly what is wrong."""

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from records import edit, record, story, verify

from sandbox.core.errors import RecordError
from sandbox.record import (
    Log,
    open_run,
    read,
    verify_chain,
    writer,
)

WRITE = """
import sys, time
from records import *
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


# -- file systems without locks ----------------------------------------------------------------------------------------

NO_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
static int refused(int *error, const char *name) { char *code = getenv(name); return code && (*error = atoi(code)); }
#define LOCKS(name) int name(int file, int command, ...) { \
    va_list list; va_start(list, command); void *more = va_arg(list, void *); va_end(list); \
    int lock = command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK; \
    if (lock && refused(&errno, "NO_FCNTL")) return -1; \
    return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, #name))(file, command, more); }
LOCKS(fcntl)
LOCKS(fcntl64)
int flock(int file, int command) {
    if (refused(&errno, "NO_FLOCK")) return -1;
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(file, command);
}
"""
ON_A_CLUSTER = """
import sys
from pathlib import Path
from records import *
from sandbox.record.lock import Lock, held
from sandbox.record.table import Table, glance
folder, events = Path(sys.argv[1]), story()
with Log.create(folder / "run") as log:
    for event in events[:9]:
        log.append(event)
    log.flush()
    assert held(folder / "run") and not (folder / "run/run.db-wal").exists()
    with open_run(folder / "run") as run:
        assert list(run.events()) == events[:9]
    for second in (Log.create, Lock):
        try:
            second(folder / "run")
            raise SystemExit("two writers at once")
        except RecordError as error:
            assert "another process is writing this run (run.owner names process" in str(error)
assert not held(folder / "run") and {path.name for path in (folder / "run").iterdir()} == {"run.db"}
assert verify_chain(open_run(folder / "run")).intact
for _ in range(2):
    with Table(folder / "batch", {"world": {}}, [{}]) as table:
        table.note(planned=1)
assert glance(folder / "batch").planned == 1
"""


@pytest.fixture(scope="module")
def without_locks(tmp_path_factory):
    """Runs Python on a file system on which locks fail with these error codes."""
    folder = tmp_path_factory.mktemp("locks")
    (folder / "no.c").write_text(NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "no.so", folder / "no.c", "-ldl"], check=True)

    def start(code: str, *arguments, **refused) -> subprocess.Popen:
        refused = {f"NO_{name.upper()}": str(number) for name, number in refused.items()}
        environment = {**os.environ, "LD_PRELOAD": str(folder / "no.so"), **refused}
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], cwd=Path(__file__).parent, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    return start


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
@pytest.mark.parametrize("refused", [
    {"fcntl": errno.ENOLCK, "flock": errno.ENOLCK}, {"fcntl": errno.EINVAL, "flock": errno.EINVAL},
    {"fcntl": errno.EOPNOTSUPP, "flock": errno.ENOSYS}, {"fcntl": errno.ENOLCK}, {"flock": errno.ENOSYS},
], ids=str)  # fmt: skip
def test_without_locks_runs_are_written_and_read(without_locks, tmp_path, refused):
    """Homes of clusters: nobody else is said to be writing, and a second writer is refused all the same."""
    process = without_locks("from sandbox.core.errors import RecordError" + ON_A_CLUSTER, tmp_path, **refused)
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 0, told


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_without_locks_a_killed_run_reads_and_goes_on(without_locks, tmp_path):
    """Also where it was killed in the middle of a commit, which a journal then undoes."""
    broken_off = (
        "import os, sys\nfrom pathlib import Path\nfrom sandbox.record.store import to_write\n"
        "db = to_write(Path(sys.argv[1]) / 'run.db', False)\ndb.execute('PRAGMA cache_size = 5')\n"
        "db.execute('BEGIN IMMEDIATE')\ndb.execute('UPDATE event SET body = upper(body)')\nos._exit(9)\n"
    )
    go_on = (
        "import sys\nfrom records import *\nfrom sandbox.record import Resumed\nrun = open_run(sys.argv[1])\n"
        "report = verify_chain(run)\nrun.close()\nassert report.intact and report.last_tick > 50, report\n"
        "again = Resumed(trial=0, tick=report.last_tick + 1, versions={})\n"
        "Log.reopen(sys.argv[1], [again], report.root).close()\n"
        "assert verify_chain(open_run(sys.argv[1])).intact\n"
    )
    refused = {"fcntl": errno.ENOLCK, "flock": errno.ENOLCK}
    with without_locks(WRITE, tmp_path / "run", **refused) as process:
        while not process.stdout.readline().startswith("600 "):
            pass
        process.kill()
    assert without_locks(broken_off, tmp_path / "run", **refused).wait() == 9
    told, _ = (process := without_locks(go_on, tmp_path / "run", **refused)).communicate(timeout=60)
    assert process.returncode == 0, told


def test_a_place_that_is_taken_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RecordError, match="expected a folder|Not a directory"):
            Log.create(folder)


@pytest.fixture(params=["tmpfs", "pages"])
def small_disk(request, tmp_path, monkeypatch):
    """A folder with room for some hundred events: a real small disk where we may mount one, else a small database."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(tmp_path)]
    if request.param == "tmpfs" and os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0:
        yield tmp_path
        subprocess.run(["umount", str(tmp_path)], check=True)
        return

    def create(path, locks, create=writer._create):
        db = create(path, locks)
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

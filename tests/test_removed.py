"""A folder that is removed, renamed or put elsewhere while it is being written ends the work, with the reason."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest
from commands import told

import sandbox
from sandbox.core.errors import RecordError
from sandbox.record import open_run
from sandbox.record.lock import Lock
from sandbox.record.store import DATABASE, SPENT
from sandbox.scenario.load import as_toml

ENDLESS = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 0, "max_ticks": 1_000_000},
    "agents": [{"count": 2, "reasoner": "rules"}, {"reasoner": "scripted", "script": ["left"]}],
}
SHORT = {"world": {"name": "web", "layout": "all"}, "agents": [{"count": 1, "reasoner": "rules"}]}
WORDS = {
    "removed": "its folder was removed or renamed", "renamed": "its folder was removed or renamed",
    "file removed": "it was removed or renamed", "file replaced": "another file was put into its place",
}  # fmt: skip


def _gone(folder, how: str) -> None:
    if how == "removed":
        shutil.rmtree(folder)
    elif how == "renamed":
        folder.rename(folder.with_name("elsewhere"))
    elif how == "file removed":
        (folder / DATABASE).unlink()
    else:
        shutil.copy(folder / DATABASE, folder / "other")
        os.replace(folder / "other", folder / DATABASE)


@pytest.mark.parametrize("how", WORDS)
def test_a_run_ends_with_the_reason(how, tmp_path):
    gone = []

    def on_tick(model):
        if model.ticks == 5:
            gone.append(_gone(tmp_path / "run", how))
        assert model.ticks < 6

    with pytest.raises(RecordError, match=f"{WORDS[how]} while it was being written"):
        sandbox.run(ENDLESS, out=tmp_path / "run", on_tick=on_tick)
    assert gone and (how != "removed" or not (tmp_path / "run").exists())


@pytest.mark.parametrize("how", WORDS)
def test_a_batch_ends_with_the_reason(how, tmp_path):
    def on_progress(progress):
        if progress.done:
            _gone(tmp_path / "b", how)

    with pytest.raises(RecordError, match=f"{WORDS[how]} while it was being written"):
        sandbox.batch(SHORT, tmp_path / "b", trials=20_000, on_progress=on_progress)


def test_who_writes_there_next_keeps_the_lock(tmp_path):
    old = Lock(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    new = Lock(tmp_path / "run")
    old.release()
    with pytest.raises(RecordError, match="another process is writing this run"):
        Lock(tmp_path / "run")
    new.release()


@pytest.mark.parametrize("name", [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-journal", "run.lock", "run.owner"])
def test_no_link_in_a_folder_is_followed(name, tmp_path):
    sandbox.run(SHORT, out=tmp_path / "precious")
    before = (tmp_path / "precious" / DATABASE).read_bytes()
    (tmp_path / "run").mkdir()
    for target in (tmp_path / "precious" / DATABASE, tmp_path / "nowhere"):
        link = tmp_path / "run" / name
        link.symlink_to(target)
        for work in (
            lambda: sandbox.run(SHORT, out=tmp_path / "run"),
            lambda: sandbox.batch(SHORT, tmp_path / "run", trials=2),
        ):
            with pytest.raises(RecordError, match=f"{name}: it is a symbolic link, which is not followed"):
                work()
        if name.startswith(DATABASE):
            for read in (open_run, sandbox.results):
                with pytest.raises(RecordError, match=f"{name}: it is a symbolic link, which is not followed"):
                    read(tmp_path / "run")
        link.unlink()
    assert not (tmp_path / "nowhere").exists() and (tmp_path / "precious" / DATABASE).read_bytes() == before


def test_the_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    sandbox.run(SHORT, out=tmp_path / "run")
    assert (tmp_path / "disk" / DATABASE).is_file() and len(sandbox.results(tmp_path / "run")) == 1


# -- records of another version ----------------------------------------------------------------------------------------


def _rewritten(folder, kind: str, change) -> None:
    """A change of the first event of a kind, as another version might have written it."""
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        seq, body = db.execute("SELECT seq, body FROM event WHERE kind = ? ORDER BY seq LIMIT 1", (kind,)).fetchone()
        body = json.loads(body)
        change(body)
        db.execute("UPDATE event SET body = ? WHERE seq = ?", (json.dumps(body), seq))


CHANGES = {
    "an event 'tick' with the field 'mood', which": ("tick", lambda body: body.update(mood=1)),
    "an event 'mood', which": ("tick", lambda body: body.update(kind="mood")),
    r"an event 'trial_started' with the field 'agents.0.mood', which": (
        "trial_started", lambda body: body["agents"][0].update(mood=1)),
    "its scenario has the key 'mood', which": ("run_started", lambda body: body["scenario"].update(mood=1)),
    "its scenario has the key 'agents.0.mood', which": (
        "run_started", lambda body: body["scenario"]["agents"][0].update(mood=1)),
    "the outcome of trial 0 has the field 'mood', which": (
        "trial_finished", lambda body: body["outcome"].update(mood=1)),
}  # fmt: skip


@pytest.mark.parametrize("words", CHANGES)
def test_what_another_version_wrote_is_named_in_one_line(words, tmp_path, capsys):
    sandbox.run(SHORT, out=tmp_path / "run")
    _rewritten(tmp_path / "run", *CHANGES[words])
    seen = 0
    for command in ("replay", "results", "report", "resume"):
        more = ["--out", tmp_path / "page.html"] if command == "report" else []
        code, err = told(command, tmp_path / "run", *more), capsys.readouterr().err
        assert err.count("error: ") == code and "internal error" not in err, (command, err)
        seen += f"{words} this version of sandbox does not know: another version wrote it" in err
    assert seen


# -- too few file descriptors ------------------------------------------------------------------------------------------


@pytest.fixture
def exhausted():
    """A process that can open no file any more, once it is called."""
    files = []

    def exhaust() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with suppress(OSError):
            while True:
                files.append(os.open(os.devnull, os.O_RDONLY))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield exhaust
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for file in files:
        os.close(file)


def test_too_few_file_descriptors_are_one_line(exhausted, tmp_path, capsys):
    run, scenario = tmp_path / "run", tmp_path / "s.toml"
    sandbox.run(SHORT, out=run)
    sandbox.batch(SHORT, tmp_path / "b", trials=3)
    scenario.write_text(as_toml(sandbox.scenario.load(SHORT).as_dict()))
    commands = [
        ("run", scenario, "--out", tmp_path / "new"), ("batch", scenario, "--out", tmp_path / "b"), ("results", run),
        ("report", run, "--out", tmp_path / "page.html"), ("replay", run), ("resume", run),
    ]  # fmt: skip
    for command in commands:
        told(*command)  # all that is imported is
    capsys.readouterr()
    exhausted()
    for command in commands:
        code, (_, err) = told(*command), capsys.readouterr()
        assert code and "open" in err and "internal error" not in err and err.count("error: ") == 1, (command, err)
        assert "check the permissions" not in err and "the output" not in err


@pytest.mark.parametrize("limit", [9, 10])  # no event loop; no connection
def test_a_language_model_for_which_no_file_can_be_opened_is_one_line(limit, tmp_path):
    """It is no outage of the server, which would be asked again at every tick."""
    model = {"count": 1, "reasoner": "llm", "fallback": "idle", "llm": {"model": "local:http://127.0.0.1:9/v1"}}
    (tmp_path / "s.toml").write_text(as_toml({**SHORT, "agents": [model]}))
    command = [sys.executable, "-m", "sandbox", "run", "s.toml", "--out", "r", "--allow", "network=127.0.0.1:9"]
    done = subprocess.run(
        ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *command],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, timeout=100,
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and last.startswith("error: the run failed at tick 0") and SPENT in last, done.stderr

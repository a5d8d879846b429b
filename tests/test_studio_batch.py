"""Batches in the studio: jobs that outlive pages, what they leave behind, and the page that shows them."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from commands import told
from streamlit.testing.v1 import AppTest
from studio import COMPILE, until

import sandbox
from sandbox.core.errors import RecordError
from sandbox.record.lock import Lock, held
from sandbox.running import jobs
from sandbox.running.listing import listing
from sandbox.running.reexecute import trial_of
from sandbox.scenario import load
from sandbox.studies.certify import certify, claim
from sandbox.studio.backend import batch_results
from sandbox.studio.views.shared import plain

HOSTILE = "<script>alert(1)</script> **bold** [link](http://example.com) $x$ :red[r] " + 5_000 * "long "
EACH = 8_000
SCENARIO = f"""
title = '{HOSTILE}'
[world]
name = "warehouse"
layout = "tiny"
deliveries = 1
max_ticks = 40
[[agents]]
count = 4
reasoner = "rules"
[sweep]
"perturb.agent_crash" = [0.0, 0.5]
[trials]
count = {EACH}
"""


def script():
    from sandbox.studio.pages import batch

    batch.page()


def opened(run: str | Path = "") -> AppTest:
    page = AppTest.from_function(script, default_timeout=120)
    if run:
        page.query_params["run"] = str(run)
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    parts = (page.markdown, page.caption, page.error, page.warning, page.info, page.success, page.text)
    return " ".join(str(each.value) for part in parts for each in part)


def labels(page: AppTest) -> set[str]:
    return {each.label for each in page.button}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder to work in, with a scenario."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "scenarios" / "deep").mkdir(parents=True)
    (folder / "scenarios" / "deep" / "small.toml").write_text(SCENARIO)
    (folder / "typer.py").write_text("a file of the working directory is no module of ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def batch(place) -> Path:
    """A batch that was started on the page, stopped there, killed from outside, and gone on with to its end."""
    page = opened()
    assert "No batch yet" in words(page) and f"{2 * EACH:,} trials" in words(page)
    page.button(key="start").click().run()
    assert not page.exception
    folder = Path(page.query_params["run"])
    assert folder == Path("runs/small-batch") and {"All batches", "Stop"} <= labels(page)
    seen = _until_more(folder, 0)
    page.button(key="stop").click().run()
    until(lambda: not jobs.status(folder).active, COMPILE)
    now = jobs.status(folder)
    assert now.state == "stopped" and "Ctrl-C" in now.words and seen <= now.known.done < 2 * EACH
    page.run()
    assert "Stopped at" in words(page) and "Go on" in labels(page) and "Stop" not in labels(page)
    page.button(key="go_on").click().run()
    with pytest.raises(RecordError, match="running already"):  # from another tab
        jobs.go_on(folder)
    _until_more(folder, now.known.done)
    os.kill(json.loads((folder / jobs.JOB).read_text())["pid"], signal.SIGKILL)
    until(lambda: not jobs.status(folder).active, COMPILE)
    now = jobs.status(folder)
    assert now.state == "stopped" and "ended from outside" in now.words and now.known.done < 2 * EACH
    jobs._processes.clear()  # as a server that was started since would see it
    assert "its process is gone" in jobs.status(folder).words
    jobs.go_on(folder)
    until(lambda: jobs.status(folder).state == "done", COMPILE)
    return folder


def _until_more(folder: Path, before: int) -> int:
    return until(lambda: (known := jobs.status(folder).known) and known.done > before and known.done, COMPILE)


def test_nothing_is_lost_or_doubled(batch):
    rows = sandbox.results(batch)
    assert len(rows) == 2 * EACH and not rows.duplicated(["condition", "trial"]).any()
    assert sorted(rows["seed"][rows["condition"] == 1]) == list(range(EACH))
    assert rows["success"].any() and not rows["success"].all()


def test_a_row_is_a_trial_that_can_be_played_again(batch):
    rows = sandbox.results(batch)
    for row in (0, int(rows.index[~rows["success"]][-1])):
        found = trial_of(batch, row)
        model = sandbox.Sandbox(found.scenario, rng=found.seed)
        while model.running:
            model.step()
        assert (found.seed, model.ticks) == (rows["seed"][row], rows["ticks"][row])
        assert model.latest.digest == found.digest == rows["digest"][row] == found.outcome["digest"]
    with pytest.raises(RecordError, match=f"no trial in row {2 * EACH}"):
        trial_of(batch, 2 * EACH)


def test_the_page_of_a_batch(batch):
    page = opened(batch)
    assert "Done" in words(page) and "Stop" not in labels(page) and not page.error
    (table, *_), rows = [each.value for each in page.dataframe], sandbox.results(batch)
    rates = rows.groupby("condition")["success"].mean() * 100
    assert table["success"].tolist() == pytest.approx(rates.tolist()) and (table["low"] < table["high"]).all()
    links = page.get("page_link")
    assert len(links) > 1
    asked = [dict(re.findall(r"(\w+)=([^&]*)", each.proto.query_string)) for each in links]
    worst = rows.loc[[int(each["trial"]) for each in asked]]
    assert not worst["success"].any() and all(each.proto.page == "replay" for each in links)
    assert [f"Replay seed {seed}*" in link.label for seed, link in zip(worst["seed"], links, strict=True)]
    assert {each.label for each in page.get("download_button")} == {"CSV", "Report", "TOML"}
    assert not re.search(r"(?<!\\)<script", words(page)) and "[link]" not in words(page) and len(words(page)) < 1_000
    drawn = batch_results.figures(str(batch))
    assert drawn.count("<svg") == 5 and "<script" not in drawn and "agent crash" in drawn
    assert len(batch_results.table(str(batch)).splitlines()) == 2 * EACH + 1


def test_a_certificate_and_another_batch_beside(place, batch):
    clean = {**load(place / "scenarios/deep/small.toml").as_dict(), "sweep": {}, "title": "clean"}
    for name, failures in (("earned", 100), ("lost", 0)):
        scenario = load({**clean, "world": {**clean["world"], "max_ticks": 40 if failures else 4}})
        certify(scenario, claim(scenario, 0.5, 0.95, failures), Path("runs") / name)
    earned, lost = opened("runs/earned"), opened("runs/lost")
    assert "**Earned:**" in earned.success[0].value and "**Not earned:**" in lost.error[0].value
    found = batch_results.beside("runs/earned", "runs/lost")
    assert found["pairs"].iloc[0] > 0 and found["success"].iloc[0] < 0
    kinds = {Path(entry.folder).name: entry.kind for entry in listing()}
    assert kinds == {"small-batch": "batch", "earned": "certificate", "lost": "certificate"}


def test_what_is_broken_is_listed_in_words(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, "runs/deep/er/run")
    for name in ("junk", "folder", "tables", "job", "claim", "empty"):
        Path("runs", name).mkdir()
    Path("runs/junk/run.db").write_bytes(os.urandom(5_000))
    Path("runs/folder/run.db").mkdir()
    Path("runs/folder/job.json").write_text("[1]")
    Path("runs/job/job.json").write_text("{")
    Path("runs/claim/certificate.json").write_text("{}")
    Path("runs/loop").symlink_to("../runs")
    with sqlite3.connect("runs/tables/run.db") as db:
        db.execute("CREATE TABLE trial (x)")
    found = {Path(entry.folder).name: entry for entry in listing()}
    assert found.keys() == {"run", "junk", "folder", "tables", "job", "claim"}
    assert found["run"].kind == "run" and found["run"].done == 3
    assert all(entry.kind == "broken" and entry.problem for name, entry in found.items() if name != "run")
    for entry in found.values():
        assert listing()[0] in found.values() and "Traceback" not in words(opened(entry.folder))
    assert listing("nowhere") == []


@pytest.mark.parametrize("run", ["runs/none", "a" * 900, "nul\0nul", "/", "/etc/passwd/x"])
def test_no_batch_is_told(run, place):
    page = opened(run)
    assert page.error and ("All batches" in labels(page) or "Start" in labels(page))


def test_a_folder_that_goes_while_it_is_looked_at(batch, place):
    shutil.copytree(batch, "runs/b")
    page = opened("runs/b")
    shutil.rmtree("runs/b")
    page.run()
    assert not page.exception and "the folder is gone" in page.error[0].value.replace("\\", "")


def test_a_malformed_upload_is_told_and_a_good_one_is_taken(place):
    page = opened()
    page.button_group(key="source").set_value("Upload").run()
    assert page.button(key="start").disabled
    bad = (
        b"\xff\xfe",
        b"a = ",
        b"[world]\nnaem = 1",
        b'[world]\nname = "nowhere"\n[[agents]]\n',
        b"x = " + 5_000 * b"[",
    )
    for content in bad:
        page.file_uploader(key="upload").set_value(("bad.toml", content, "application/toml")).run()
        if not page.error and not page.exception:
            page.button(key="start").click().run()
        assert not page.exception and len(page.error) == 1, content
    page.file_uploader(key="upload").set_value(("my own.toml", SCENARIO.encode(), "application/toml")).run()
    page.button_group(key="kind").set_value("Certificate").run()
    page.selectbox(key="reliability").set_value(0.999).run()
    assert "2,996 trials with at most 0 failures" in words(page) and not page.button(key="start").disabled
    page.button_group(key="kind").set_value("Robustness curve").run()
    assert not page.exception and not page.error and "trials" in page.text[0].value


def test_looking_takes_no_lock(tmp_path):
    assert not held(tmp_path)
    lock = Lock(tmp_path)
    assert held(tmp_path)
    lock.release()
    assert not held(tmp_path)


def test_words_of_others_are_only_words():
    assert plain("<b> *x*\n:red[a] · https://a.b") == r"\<b\> \*x\* \:red\[a\] · https\:\/\/a\.b"
    assert len(plain(HOSTILE, 50).replace("\\", "")) == 50


def test_the_studio_is_opened_without_a_browser(tmp_path, capsys):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert told("app", "--port", port) == 2
        assert re.search(rf"--port {port} is in use; --port \d+ is free", capsys.readouterr().err)
    assert told("app", "--host", "nowhere.invalid") == 2 and "no such address" in capsys.readouterr().err
    (tmp_path / "click.py").write_text("a file of the working directory is no module of ours")
    env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-P", "-m", "sandbox.cli.main", "app", "--no-compile", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def answers():
        assert server.poll() is None, server.communicate()[0]
        try:
            return urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).status == 200
        except OSError:
            return False

    until(answers, 60)
    server.send_signal(signal.SIGINT)
    said, _ = server.communicate(timeout=20)
    assert server.returncode in (0, 130) and "Traceback" not in said
    assert f"http://localhost:{port}" in said and f"ssh -N -L {port}:localhost:{port}" in said

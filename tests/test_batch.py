"""Batches: outcomes equal to hosted ones, nothing lost or doubled on the way, and what is wrong is said."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from commands import told

import sandbox
from sandbox.cli.main import main
from sandbox.core.errors import RecordError, UsageError
from sandbox.engine import registry
from sandbox.engine.environment import Environment
from sandbox.record import table
from sandbox.running import episodes, trial
from sandbox.running import trial as warm
from sandbox.running.batch import batch
from sandbox.scenario import load
from sandbox.scenario.load import as_toml
from sandbox.scenario.sweep import conditions

SCENARIO = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 4, "max_ticks": 60},
    "agents": [{"count": 3, "reasoner": "rules"}, {"count": 1, "reasoner": "random"}],
    "perturb": {"action_failure": 0.2},
    "seed": 40,
}
SMALL = {"wildfire": {"height": 32, "width": 32}, "craft": {"size": 32, "max_ticks": 200}}
SWEPT = {**SCENARIO, "sweep": {"world.deliveries": [2, 4]}}
FILE = """
[world]
name = "warehouse"
layout = "tiny"

[[agents]]
count = 4
reasoner = "rules"

[sweep]
"world.deliveries" = [3, 6]
"""


def _rows(folder) -> pd.DataFrame:
    return sandbox.results(folder).drop(columns="seconds")


def test_compiled_outcomes_equal_hosted_ones_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(episodes, "LANE_BYTES", 200_000)  # several calls for one chunk
    rows = sandbox.results(batch(SCENARIO, tmp_path / "b", trials=60))
    assert 0 < rows["success"].sum() < 60
    for k in range(0, 60, 7):
        hosted = sandbox.run(SCENARIO, seed=40 + k).as_dict()
        mine = {key: None if pd.isna(value) else value for key, value in rows.loc[k].items() if key in hosted}
        assert {**hosted, "seconds": 0} == {**mine, "seconds": 0}


@pytest.mark.parametrize("world", sorted(set(registry.names()) - {"warehouse"}))
def test_so_they_do_in_every_world(world, tmp_path):
    """All with the policy ``rules`` and all perturbations a little, so that what is drawn differs from seed to seed."""
    usual = registry.find(world).options.model_fields["agents"].default
    scenario = {"world": {"name": world, **SMALL.get(world, {})}, "agents": [{"count": usual, "reasoner": "rules"}]}
    scenario["perturb"] = {each.name: 0.2 for each in sandbox.make(world).perturbations}
    rows = sandbox.results(batch(scenario, tmp_path / "b", trials=12))
    for k in (0, 5, 11):
        hosted = sandbox.run(scenario, seed=k)
        row = rows.loc[k]
        assert (hosted.digest, hosted.finish, hosted.ticks) == (row["digest"], row["finish"], row["ticks"])
        assert hosted.reward == row["reward"] and hosted.tasks_done == row["tasks_done"]
        assert hosted.invalid_actions == row["invalid_actions"] and hosted.success == row["success"]


def test_lanes_fit_into_their_memory():
    env = sandbox.make("warehouse", layout="large", agents=8)
    lanes = episodes.lanes_at_once(env)
    held = sum(field.nbytes for part in (env.allocate(lanes), env.memory(lanes)) for field in part)
    assert 1 < lanes <= episodes.LANES and held <= episodes.LANE_BYTES


def test_conditions_share_their_seeds(tmp_path):
    rows = sandbox.results(batch(SWEPT, tmp_path / "b", trials=30))
    assert rows.groupby("world.deliveries")["seed"].apply(list).to_dict() == {n: [*range(40, 70)] for n in (2, 4)}
    assert (rows["tasks_total"] == rows["world.deliveries"]).all()


def test_the_same_call_goes_on_and_more_trials_are_added(tmp_path):
    whole = _rows(batch(SWEPT, tmp_path / "whole", trials=50))
    batch(SWEPT, tmp_path / "parts", trials=20)
    seen = []
    batch(SWEPT, tmp_path / "parts", trials=50, on_progress=seen.append)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (40, 100, 100)
    pd.testing.assert_frame_equal(_rows(tmp_path / "parts"), whole)
    batch(SWEPT, tmp_path / "parts", trials=50, on_progress=seen.append)
    assert len(_rows(tmp_path / "parts")) == 100


def test_hosted_batches_on_processes(tmp_path):
    scripted = {**SCENARIO, "agents": [{"count": 2, "reasoner": "scripted", "script": ["forward", "left"]}]}
    scripted["world"] = {**SCENARIO["world"], "max_ticks": 20}
    rows = _rows(batch(scripted, tmp_path / "b", trials=11, workers=2))
    assert rows["seed"].tolist() == list(range(40, 51)) and set(rows["finish"]) == {"tick limit"}
    assert rows["digest"][3] == sandbox.run(scripted, seed=43).digest


WEB = {"world": {"name": "web", "layout": "all"}, "agents": [{"count": 1, "reasoner": "rules"}]}
MANY = 300_000
FORK = multiprocessing.get_context("fork")  # a child begins at once, with its kernels compiled


def _killed(folder, rows: int, delay: float) -> None:
    """A batch that is killed ``delay`` seconds after it has so many rows."""
    here, there = FORK.Pipe()
    told = partial(_tell, there, rows)
    child = FORK.Process(target=batch, args=(WEB, folder, MANY), kwargs={"on_progress": told})
    child.start()
    assert here.poll(60)
    time.sleep(delay)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL


def _tell(pipe, rows: int, progress) -> None:
    if progress.done >= rows:
        pipe.send(progress.done)


def test_killed_at_twenty_moments_it_loses_and_doubles_nothing(tmp_path):
    whole, seen, dice = _rows(batch(WEB, tmp_path / "whole", trials=MANY)), [], np.random.default_rng(4)
    for rows in sorted(dice.uniform(0, 0.9 * MANY, 20)):
        _killed(tmp_path / "parts", rows, dice.uniform(0, 0.03))
        seen.append(len(_rows(tmp_path / "parts")))
    assert seen == sorted(seen) and len(set(seen)) > 10 and seen[-1] < MANY
    pd.testing.assert_frame_equal(_rows(batch(WEB, tmp_path / "parts", trials=MANY)), whole)


def test_a_second_process_on_the_same_run_is_refused(tmp_path):
    child = FORK.Process(target=batch, args=(WEB, tmp_path / "b", MANY))
    child.start()
    while not (tmp_path / "b" / "run.db").exists():
        time.sleep(0.01)
    with pytest.raises(RecordError, match="another process is writing this run"):
        batch(WEB, tmp_path / "b", trials=MANY)
    child.kill()
    child.join()


@pytest.mark.parametrize("kind", ["tmpfs", "small database"])
def test_a_full_disk_is_told_and_the_same_call_goes_on_when_there_is_room(kind, tmp_path, monkeypatch):
    """A real small disk where we may mount one; else a small database, which its first connection keeps small."""
    whole, disk = _rows(batch(WEB, tmp_path / "whole", trials=30_000)), tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    real = kind == "tmpfs" and os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0
    if not real:
        monkeypatch.setattr(table, "SCHEMA", "PRAGMA max_page_count = 300;" + table.SCHEMA)
    try:
        with pytest.raises(RecordError, match=r"^[^\n]*the disk is full; what was recorded before stays readable"):
            batch(WEB, disk / "b", trials=30_000)
        assert 1000 < len(_rows(disk / "b")) < 30_000
        if real:
            subprocess.run(["mount", "-o", "remount,size=60m", str(disk)], check=True)
        pd.testing.assert_frame_equal(_rows(batch(WEB, disk / "b", trials=30_000)), whole)
    finally:
        if real:
            subprocess.run(["umount", str(disk)], check=True)


def test_it_can_be_queried_while_it_runs(tmp_path):
    seen = []

    def look(progress):
        with closing(sqlite3.connect(f"file:{tmp_path / 'b' / 'run.db'}?mode=ro", uri=True)) as db:
            seen.append(
                (
                    progress.done,
                    *db.execute("SELECT coalesce(sum(stop - start), 0), sum(successes) FROM chunk").fetchone(),
                )
            )

    batch(SCENARIO, tmp_path / "b", trials=3000, on_progress=look)
    assert len(seen) > 2 and all(done == count for done, count, _ in seen)


def test_another_scenario_is_refused_with_what_changed(tmp_path):
    batch(SCENARIO, tmp_path / "b", trials=5)
    with pytest.raises(UsageError, match="world.deliveries was 4, is 5"):
        batch(SCENARIO, tmp_path / "b", trials=5, overrides={"world.deliveries": 5})
    sandbox.run(SCENARIO, out=tmp_path / "single")
    with pytest.raises(UsageError, match="record of a single run"):
        batch(SCENARIO, tmp_path / "single", trials=5)


def test_trouble_in_a_trial_is_a_row_that_does_not_count_and_is_tried_again(tmp_path, monkeypatch):
    """A world that breaks in some episodes: the lanes of the others are played one by one."""
    play = Environment.play

    def breaking(env, seeds, *arguments, **keywords):
        if 47 in seeds:
            raise ValueError("it broke")
        return play(env, seeds, *arguments, **keywords)

    def refusing(scenario, seed, **_):
        if seed == 47:
            raise ValueError("it broke")
        return sandbox.run(scenario, seed)

    whole = _rows(batch(SCENARIO, tmp_path / "whole", trials=12))
    monkeypatch.setattr(Environment, "play", breaking)
    monkeypatch.setattr(episodes, "run", refusing)
    rows = _rows(batch(SCENARIO, tmp_path / "b", trials=12))
    assert rows["error"].dropna().to_dict() == {7: "ValueError: it broke"} and rows["finish"][7] == "error"
    others = [k for k in range(12) if k != 7]
    pd.testing.assert_frame_equal(rows.loc[others], whole.loc[others])
    monkeypatch.undo()
    pd.testing.assert_frame_equal(_rows(batch(SCENARIO, tmp_path / "b", trials=12)), whole)


@pytest.mark.parametrize(
    ("sweep", "found"),
    [
        ({}, [{}]),
        ({"a": [1, 2], "b": ["x"]}, [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]),
        ({"a": {"from": 0.0, "to": 0.3, "step": 0.1}}, [{"a": 0.0}, {"a": 0.1}, {"a": 0.2}, {"a": 0.3}]),
        ({"a": {"from": 2, "to": 6, "step": 3}}, [{"a": 2}, {"a": 5}]),
        ({"one_at_a_time": {"a": [1, 2], "b": [3]}}, [{}, {"a": 1}, {"a": 2}, {"b": 3}]),
        ({"a": [1, 2], "zip": {"b": [1, 2], "c": [3, 4]}},
         [{"a": a, "b": b, "c": b + 2} for a in (1, 2) for b in (1, 2)]),
    ],
)  # fmt: skip
def test_sweeps(sweep, found):
    assert conditions(sweep) == found


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ({"a": 3}, "sweep.a: 3, expected a list"),
        ({"a": []}, "expected a list"),
        ({"a": {"from": 0, "too": 3, "step": 1}}, "did you mean 'to'"),
        ({"a": {"from": 3, "to": 0, "step": 1}}, "is empty"),
        ({"zip": {"a": [1, 2], "b": [1]}}, "a has 2, b has 1"),
        ({"zip": [1]}, "expected a table"),
        ({"one_at_a_time": {"a": 3}}, "sweep.one_at_a_time.a: 3, expected a list"),
    ],
)
def test_bad_sweeps_are_told(sweep, told):
    with pytest.raises(UsageError, match=told):
        conditions(sweep)


def test_a_condition_that_cannot_run_is_named_before_anything_runs(tmp_path):
    with pytest.raises(UsageError, match="condition 1 of 2 .*'small'.*agents"):
        batch({**SCENARIO, "sweep": {"zip": {"world.layout": ["tiny", "small"], "agents.0.count": [2, 5000]}}},
              tmp_path / "b")  # fmt: skip
    assert not (tmp_path / "b").exists()


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(FILE)
    monkeypatch.setattr(sys, "argv", ["sandbox", "batch", "s.toml", "--trials", "30"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert ended.value.code in (0, None) and "60 of 60 trials" in told.err
    assert "world.deliveries" in told.out and "100.00 %  88.43 .. 100.00" in told.out
    assert len(sandbox.results(tmp_path / "runs" / "s-batch")) == 60


def test_ctrl_c_keeps_finished_chunks(tmp_path):
    (tmp_path / "s.toml").write_text(FILE)
    command = [sys.executable, "-c", "from sandbox.cli.main import main; main()"]
    command += ["batch", "s.toml", "--trials", "400000"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "trials/s" in line and not line.startswith("0 of"):
                process.send_signal(signal.SIGINT)
                break
        told = process.stderr.read()
        assert process.wait(60) == 1
    assert "finished trials are kept" in told and "Traceback" not in told
    assert 0 < len(_rows(tmp_path / "runs" / "s-batch")) < 800_000


@pytest.mark.parametrize(
    ("sweep", "key", "where"),
    [
        ({"world.deliveries": [2, 4]}, "world.deliveries", "sweep"),
        ({"zip": {"world.deliveries": [2, 4]}}, "world.deliveries", "sweep.zip"),
        ({"one_at_a_time": {"perturb.agent_crash": [1.0]}}, "perturb.agent_crash", "sweep.one_at_a_time"),
        ({"agents.0": [{"reasoner": "rules"}]}, "agents.0.reasoner", "sweep"),
        ({"perturb.agent_crash": [0.0, 1.0]}, "perturb", "sweep"),
    ],
)
def test_what_is_swept_cannot_be_set_besides(tmp_path, capsys, sweep, key, where):
    """The sweep put its own values in the place of what was set, and the table was the same as without."""
    value = {"world.deliveries": 9, "agents.0.reasoner": "oracle", "perturb": {}, "perturb.agent_crash": 0.5}[key]
    with pytest.raises(UsageError, match=rf"--set {key}: \[{where}\] sweeps"):
        batch({**SCENARIO, "sweep": sweep}, tmp_path / "b", trials=1, overrides={key: value})
    (tmp_path / "s.toml").write_text(as_toml(load({**SCENARIO, "sweep": sweep}).as_dict()))
    for command in (["batch"], ["certify", "--reliability", "0.9"]):
        words = [*command, tmp_path / "s.toml", "--set", f"{key}={value}", "--out", tmp_path / "b"]
        assert told(*words) == 2
        assert f"--set {key}: [{where}] sweeps" in capsys.readouterr().err and not (tmp_path / "b").exists()


def test_what_is_not_swept_can_be_set_and_a_key_is_swept_once(tmp_path):
    rows = sandbox.results(batch(SWEPT, tmp_path / "b", trials=1, overrides={"world.layout": "small"}))
    assert rows.attrs["scenario"]["world"]["layout"] == "small"
    twice = {"perturb.agent_crash": [0.0, 1.0], "one_at_a_time": {"perturb.agent_crash": [0.5]}}
    with pytest.raises(UsageError, match=r"agent_crash: swept in \[sweep\] and in \[sweep.one_at_a_time\]"):
        conditions(twice)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_clock_of_a_trial_starts_when_its_kernels_are_ready(tmp_path, monkeypatch, compiled):
    """Four trials of .1 ms were said to take 14 ms each: the reading of kernels was counted."""
    order, ready, clock = [], Environment.warm_up, time.perf_counter
    monkeypatch.setattr(warm, "_READY", set())
    monkeypatch.setattr(Environment, "warm_up", lambda *given: order.append("ready") or ready(*given))
    module = episodes if compiled else trial
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: order.append("clock") or clock()))
    for _ in range(2):
        episodes.play(load(SCENARIO), load(SCENARIO).env(), [1]) if compiled else sandbox.run(SCENARIO, seed=1)
    assert order == ["ready", "clock", "clock", "clock", "clock"]

"""Ticks of many agents: their actions and rewards are packed, and every reader takes them like those of few."""

import base64
import json
import multiprocessing
import os
import signal
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from commands import told
from forging import rewrite, tables, verdict_on

import sandbox
from sandbox.core.errors import RecordError
from sandbox.record import TickDone, canonical, open_run, parse, verify_chain
from sandbox.record.events import is_canonical
from sandbox.record.log import COMMIT_SECONDS
from sandbox.record.packing import MOST, PACKED_FROM, pack, unpack
from sandbox.running.replay import replay, verify
from sandbox.studio.backend.episode_player import EpisodePlayer

MANY, TICKS = 10_000, 5
ROOM = "\n".join(["type octile", "height 160", "width 160", "map", *["." * 160] * 160])


def scenario(agents: int) -> dict:
    world = {"name": "warehouse", "layout": ROOM, "deliveries": 0, "max_ticks": TICKS}
    return {"world": world, "agents": [{"count": agents, "reasoner": "random"}]}


def event(agents: int) -> TickDone:
    dice = np.random.default_rng(agents)
    actions = dice.integers(-(2**31), 2**31, (agents, 2)).tolist()
    return TickDone(trial=0, tick=1, actions=actions, reward=dice.normal(size=agents).tolist(), digest="0" * 64)


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    sandbox.run(scenario(MANY), seed=3, out=(folder := tmp_path_factory.mktemp("many") / "run"))
    return folder


def lists(events: list[dict]) -> list[dict]:
    """The events as earlier versions wrote them."""
    return [
        {**each, "actions": unpack(each["actions"], "<i4", 2).tolist(),
         "reward": unpack(each["reward"], "<f8", 1)[:, 0].tolist()} if each["kind"] == "tick" else each
        for each in events
    ]  # fmt: skip


@pytest.mark.parametrize("agents", [1, PACKED_FROM - 1, PACKED_FROM, 5_000])
def test_a_tick_is_read_as_it_was_written(agents):
    body = canonical(event(agents))
    read = parse(body)
    assert read == event(agents) and is_canonical(read, body) and canonical(read) == body
    assert read.actions.shape == (agents, 2) and read.reward.shape == (agents,)
    assert isinstance(json.loads(body)["actions"], str) == (agents >= PACKED_FROM)
    assert read != event(agents + 1)


def test_a_packed_array_has_no_nan():
    with pytest.raises(RecordError, match="cannot be recorded"):
        canonical(event(PACKED_FROM).model_copy(update={"reward": np.full(PACKED_FROM, np.nan)}))
    planes = np.full(PACKED_FROM, np.inf).view(np.uint8).reshape(-1, 8).T.tobytes()
    with pytest.raises(ValueError, match="finite"):
        unpack(base64.b64encode(zlib.compress(planes)).decode(), "<f8", 1)


def test_the_record_of_many_agents_is_small_and_verifies(many):
    ticks = [each for each in tables(many) if each["kind"] == "tick"]
    assert len(ticks) == TICKS and all(isinstance(each["actions"], str) for each in ticks)
    assert sum(len(json.dumps(each)) for each in ticks) < 2 * MANY * TICKS
    verdict = verify(many)
    assert verdict.passed and verdict.ticks == TICKS, verdict.summary


def test_a_record_of_an_earlier_version_verifies(many, tmp_path):
    verdict = verify(rewrite(lists(tables(many)), tmp_path / "old"))
    assert verdict.passed and verdict.ticks == TICKS, verdict.summary


def forged(array: np.ndarray, name: str) -> str:
    again = array.copy()
    again[-1] += 1
    return pack(again if name == "actions" else again[:, 0])


@pytest.mark.parametrize("name", ["actions", "reward"])
def test_forged_bytes_are_found(many, name):
    events = tables(many)
    at = next(k for k, each in enumerate(events) if each["kind"] == "tick")
    text, dtype, width = events[at][name], *{"actions": ("<i4", 2), "reward": ("<f8", 1)}[name]
    array, raw = unpack(text, dtype, width), base64.b64decode(text)
    of_values = {
        "a value": (forged(array, name), f"{name}[{MANY - 1}]: recorded"),
        "a row less": (pack(array[:-1]), name),
        "a row more": (pack(np.concatenate([array, array[-1:]])), name),
    }  # fmt: skip
    of_bytes = {
        "cut": text[:-8], "no base64": "!" + text[1:], "more after the end": base64.b64encode(raw + b"x").decode(),
        "half a row": base64.b64encode(zlib.compress(b"\0" * (dtype == "<i4" and 12 or 9))).decode(),
        "not compressed": base64.b64encode(b"\0" * 800).decode(),
        "a bomb": base64.b64encode(zlib.compress(bytes(8 * (MOST + 1)))).decode(),
    }  # fmt: skip
    for how, (text, words) in of_values.items():
        verdict = verdict_on([*events[:at], {**events[at], name: text}, *events[at + 1 :]])
        assert verdict and not verdict.passed and words in verdict.summary, how
    for how, text in of_bytes.items():
        verdict = verdict_on([*events[:at], {**events[at], name: text}, *events[at + 1 :]])
        assert verdict and not verdict.passed and "not an event of a run" in verdict.summary, how


def test_a_tick_has_one_form(many, tmp_path):
    """A key more, or a packed array of few agents, would be read in two ways, or be hidden from people."""
    events, few = tables(many), event(3)
    at = next(k for k, each in enumerate(events) if each["kind"] == "tick")
    body = json.dumps(events[at], sort_keys=True, separators=(",", ":"))
    twice = body.replace('{"actions":', '{"actions":[],"actions":', 1)
    with open_run(rewrite(events, tmp_path / "twice", {at: twice})) as run:
        assert "not written as events are" in verify_chain(run).summary
    packed = canonical(few).replace(json.dumps(few.actions.tolist(), separators=(",", ":")).encode(),
                                    f'"{pack(few.actions)}"'.encode())  # fmt: skip
    assert parse(packed) == few and not is_canonical(parse(packed), packed)


def test_every_reader_takes_many_agents(many, tmp_path, capsys):
    with open_run(many) as run:
        assert [model.ticks for model in replay(run)] == list(range(TICKS + 1))
    player = EpisodePlayer.open(many)
    assert len(player.past.digests) == TICKS and len(player.actions(2)) == MANY and player.actions(TICKS + 1) == []
    for command in (
        ["report", many, "--out", tmp_path / "page.html"], ["replay", many], ["results", many], ["verify", many],
    ):  # fmt: skip
        assert told(*command) == 0, capsys.readouterr()


def _killed(folder: Path) -> None:
    def on_tick(model):
        if model.ticks == 3:
            time.sleep(2 * COMMIT_SECONDS)
        elif model.ticks == TICKS - 1:
            os.kill(os.getpid(), signal.SIGKILL)

    sandbox.run(scenario(MANY), seed=3, out=folder, on_tick=on_tick)


def test_a_killed_run_of_many_agents_verifies_and_goes_on(many, tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(tmp_path / "run",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    verdict = verify(tmp_path / "run")
    assert verdict.passed and 3 <= verdict.ticks < TICKS and not verdict.chain.finished
    sandbox.resume(tmp_path / "run")
    assert [each for each in tables(tmp_path / "run") if each["kind"] == "tick"] == [
        each for each in tables(many) if each["kind"] == "tick"
    ]
    assert verify(tmp_path / "run").passed

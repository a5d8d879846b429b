"""The server of seats as the protocol's own conformance suite and as hostile clients meet it, over pipes and HTTP.

The suite is a package of npm. ``.ci/run`` installs it, and names its folder in ``MCP_CONFORMANCE``.
"""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from test_seats import FILE, TEAM, WEB, called, inside, plays, refused, seen_by

from sandbox.analysis.results import results
from sandbox.core.errors import UsageError
from sandbox.running.replay import verify
from sandbox.running.resume import resume
from sandbox.scenario import load
from sandbox.seat.seats import KEPT, LISTENERS, SAID, Seating
from sandbox.seat.server import LARGEST, server

SUITE = os.environ.get("MCP_CONFORMANCE") or "MCP_CONFORMANCE is not set"
SCENARIOS = {  # those that need no tools or resources made for them
    "2026-07-28": (
        "tools-list", "prompts-list", "resources-list", "sep-2164-resource-not-found", "caching",
        "http-header-validation", "dns-rebinding-protection", "input-required-result-unsupported-methods",
    ),
    "2025-11-25": (
        "server-initialize", "server-session-lifecycle", "tools-list", "prompts-list", "resources-list",
        "dns-rebinding-protection", "ping", "server-sse-multiple-streams",
    ),
}  # fmt: skip
SLOW = """
[world]
name = "warehouse"
layout = "tiny"
deliveries = 2
max_ticks = 40
[[agents]]
reasoner = "rules"
"""


def own(scenario: Path, out: Path, *options: str) -> list[str]:
    return ["-m", "sandbox", "seat", str(scenario), "--out", str(out), *options]


@pytest.fixture(scope="module")
def http(tmp_path_factory):
    """The port of a server of its own process, and the folder of its runs."""
    folder = tmp_path_factory.mktemp("http")
    (folder / "web.toml").write_text(FILE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *own(folder / "web.toml", folder / "runs", "--http", f"127.0.0.1:{port}")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        while "wait on" not in (line := process.stderr.readline()):
            assert line, "the server has ended"
        threading.Thread(target=process.stderr.read, daemon=True).start()
        deadline = time.monotonic() + 30
        while not _listens(port):
            assert time.monotonic() < deadline
        yield port, folder / "runs"
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# -- the protocol ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path(SUITE).is_dir() and not os.environ.get("CI"), reason="the suite comes with npm")
@pytest.mark.parametrize("version", SCENARIOS)
def test_the_server_conforms(version, http):
    def failed(scenario: str) -> str:
        """What the suite says of a scenario in which a check fails or warns; empty if none does."""
        command = [f"{SUITE}/node", f"{SUITE}/conformance", "server", "--url", f"http://127.0.0.1:{http[0]}/mcp"]
        done = subprocess.run(
            [*command, "--scenario", scenario, "--spec-version", version], capture_output=True, text=True, timeout=120
        )
        passed = re.search(r"Passed: ([1-9]\d*)/\1, 0 failed, 0 warnings", done.stdout)
        return "" if passed and done.returncode == 0 else done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        told = dict(zip(SCENARIOS[version], pool.map(failed, SCENARIOS[version]), strict=True))
    assert told == dict.fromkeys(SCENARIOS[version], "")


def test_over_http_an_episode_is_played(http):
    port, runs = http

    async def play():
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return await plays(client, 5)

    assert asyncio.run(play())["success"] and verify(runs / "seed5").passed


REFUSED = {
    "a foreign host": ("Host: evil.example\r\nContent-Length: 2", 421),
    "a foreign origin": ("Host: 127.0.0.1:PORT\r\nOrigin: http://evil.example\r\nContent-Length: 2", 403),
    "a gigabyte": (f"Host: 127.0.0.1:PORT\r\nContent-Length: {10**9}", 413),
    "pieces without end": ("Host: 127.0.0.1:PORT\r\nTransfer-Encoding: chunked", 413),
}


@pytest.mark.parametrize("what", REFUSED)
def test_http_refuses(what, http):
    head, status = REFUSED[what]
    kinds = "Content-Type: application/json\r\nAccept: application/json, text/event-stream"
    piece = f"{1 << 16:x}\r\n{'x' * (1 << 16)}\r\n".encode()
    body = b"{}" if "Content-Length: 2" in head else piece * (2 * LARGEST >> 16) if "chunked" in head else b""
    with socket.create_connection(("127.0.0.1", http[0]), timeout=30) as raw:
        raw.sendall(f"POST /mcp HTTP/1.1\r\n{head.replace('PORT', str(http[0]))}\r\n{kinds}\r\n\r\n".encode())
        threading.Thread(target=_sent, args=(raw, body), daemon=True).start()
        assert f" {status} ".encode() in raw.recv(200)


def _sent(raw: socket.socket, body: bytes) -> None:
    with suppress(OSError):  # it has heard enough
        raw.sendall(body)


# -- hostile clients ---------------------------------------------------------------------------------------------------


def test_garbage_is_an_answer_and_costs_nothing(tmp_path):
    garbage = [
        ("observe", {"seat": "\ud800"}), ("observe", {"seat": 5}), ("observe", {}), ("legal", {"seat": "../outcome"}),
        ("act", {"tick": 10**400, "verb": "x"}), ("act", {"tick": 0, "verb": "noop", "target": 10**400}),
        ("act", {"tick": 0, "verb": "\0" * 10**6}), ("act", {"tick": True, "verb": ["noop"]}),
        ("say", {"text": "x", "to": "\x1b[31m"}), ("begin", {"seed": 10**400}), ("begin", {"seed": 1.5}), ("state", {}),
    ]  # fmt: skip

    async def play():
        async with inside(TEAM, tmp_path) as client:
            (seat,) = (await called(client, "begin", seed=3))["seats"].values()
            await seen_by(client, seat)
            for tool, given in garbage:
                own = given if tool in ("begin", "state") or "seat" in given or not given else {"seat": seat, **given}
                assert len(await refused(client, tool, **own)) < 6_000
            for address in ("guess/task", f"{seat}/record/99", f"{seat}/state", "../outcome", f"{seat}/outcome"):
                with pytest.raises(MCPError):
                    await client.read_resource(f"episode://{address}")
            with pytest.raises(MCPError, match="no seat has the handle"):
                await client.get_prompt("brief", {"seat": "guess"})
            for k in range(SAID - 1):  # and one of the garbage
                await called(client, "say", seat=seat, text="x" * 10**5 if k else "\ud800")
            assert f"at most {SAID} messages" in await refused(client, "say", seat=seat, text="more")
            while not (seen := await seen_by(client, seat))["over"]:
                await called(client, "act", seat=seat, tick=seen["tick"], verb="noop")
            return seen["outcome"]

    outcome = asyncio.run(play())
    assert outcome["error"] is None and outcome["fallbacks"] == 0 and outcome["own_decisions"] == outcome["ticks"]
    assert verify(tmp_path / "seed3").passed


def test_a_flood_of_calls_that_wait_keeps_nobody_else_from_being_served(tmp_path):
    async def play():
        seating = Seating(load(TEAM), rows=(0, 2), out=tmp_path)
        async with Client(server(seating)) as client:
            begun = [await called(client, "begin", seed=seed) for seed in (3, 4)]
            waits, other = begun[0]["seats"]["robot-2"], begun[1]["seats"]["robot-0"]  # robot-0 is asked first
            flood = [asyncio.create_task(client.call_tool("observe", {"seat": waits})) for _ in range(100)]
            began = time.monotonic()
            assert (await seen_by(client, other))["tick"] == 0
            await called(client, "act", seat=other, tick=0, verb="noop")
            while sum(each.done() for each in flood) < 100 - LISTENERS:
                await asyncio.sleep(0.01)
            assert time.monotonic() - began < 10, "others are served"
            await asyncio.to_thread(seating.close)
            answers = [await each for each in flood]
        told = [each.content[0].text for each in answers if each.is_error]
        assert len(told) == 100 - LISTENERS and all("calls of observe wait" in each for each in told)
        assert all(each.structured_content["over"] for each in answers if not each.is_error)

    asyncio.run(play())
    for name in ("seed3", "seed4"):
        assert verify(tmp_path / name).passed and "after tick" in verify(tmp_path / name).summary


def test_of_two_clients_with_one_handle_the_first_action_counts(tmp_path):
    async def play():
        seating = Seating(load(WEB), out=tmp_path)
        async with Client(server(seating)) as first, Client(server(seating)) as second:
            (seat,) = (await called(first, "begin", seed=5))["seats"].values()
            assert (await seen_by(first, seat)) == (await seen_by(second, seat))
            await called(first, "act", seat=seat, tick=0, verb="wait")
            assert "does not wait" in await refused(second, "act", seat=seat, tick=0, verb="click", target=1)
            assert (await seen_by(second, seat))["tick"] == 1

    asyncio.run(play())


def test_what_an_episode_keeps_of_a_seat_is_bounded(tmp_path):
    world = {"name": "warehouse", "layout": "tiny", "deliveries": 10**6, "max_ticks": KEPT + 5}
    seating = Seating(load({"world": world, "agents": [{"reasoner": "rules"}]}), patience=0.01)
    (seat,) = seating.begin(3).seats.values()
    deadline = time.monotonic() + 120
    while not seat.over:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(seat.turns) == KEPT and seat.turn(KEPT + 4).tick == KEPT + 4
    with pytest.raises(UsageError, match="latest 1,000"):
        seat.turn(0)


@pytest.fixture
def piped(tmp_path):
    """A server over stdio: its process, and a function that sends a message and reads the answer."""
    (tmp_path / "slow.toml").write_text(SLOW)
    command = [sys.executable, *own(tmp_path / "slow.toml", tmp_path / "runs")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(method: str, **params):
        ask.number = getattr(ask, "number", 0) + 1
        message = {"jsonrpc": "2.0", "id": ask.number, "method": method, "params": params}
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        while (answer := json.loads(process.stdout.readline())).get("id") != ask.number:
            pass
        return answer["result"]

    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    ask("initialize", **hello)
    process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
    yield process, lambda tool, **given: ask("tools/call", name=tool, arguments=given)["structuredContent"]
    if process.poll() is None:
        process.kill()
    process.wait(10)


def played(tool, ticks: int) -> str:
    """Begin an episode and act for some ticks; returns the handle."""
    (seat,) = tool("begin", seed=3)["seats"].values()
    for tick in range(ticks):
        while (seen := tool("observe", seat=seat))["tick"] is None:
            assert not seen["over"]
        assert seen["tick"] == tick
        tool("act", seat=seat, tick=tick, verb="forward")
    return seat


def test_a_message_of_a_gigabyte_is_dropped(piped):
    process, tool = piped
    seat, memory = played(tool, 1), psutil.Process(process.pid).memory_info().rss
    process.stdin.write(b'{"jsonrpc": "2.0", "id": 999, "method": "tools/call", "params": {"name": "')
    part = b"x" * (1 << 20)
    for _ in range(1024):
        process.stdin.write(part)
    process.stdin.write(b'"}}\n')
    assert tool("observe", seat=seat)["tick"] == 1
    assert psutil.Process(process.pid).memory_info().rss - memory < 100 << 20


def test_a_killed_server_loses_nothing_that_was_answered_and_the_run_says_that_it_is_unfinished(piped, tmp_path):
    process, tool = piped
    seat = played(tool, 5)
    while tool("observe", seat=seat)["tick"] is None:
        pass
    process.kill()
    process.wait(10)
    found = verify(tmp_path / "runs" / "seed3")
    assert found.passed and found.ticks == 5 and "trial 0 has no outcome: the run was killed" in found.summary
    rows = results(tmp_path / "runs")
    assert len(rows) == 0 and rows.attrs["planned"] == 1
    outcome = resume(tmp_path / "runs" / "seed3", {"agents.0.reasoner": "rules"}, allow="functions=sandbox.seat")
    assert outcome.own_decisions == 5 and outcome.ticks > 5 and verify(tmp_path / "runs" / "seed3").passed


def test_an_action_that_was_answered_is_executed_though_the_client_leaves_at_once():
    seating = Seating(load(WEB))
    (seat,) = seating.begin(5).seats.values()
    assert seat.observe().tick == 0
    with seat._changed:  # the episode's thread sees both at once
        seat.act(0, "wait")
        seat.leave(0.0)
    seating.close()
    assert [turn.tick for turn in seat.turns] == [0, 1] and seat.outcome["finish"] == "stopped"


def test_a_client_that_leaves_stops_its_episodes_and_they_are_recorded(piped, tmp_path):
    process, tool = piped
    played(tool, 5)
    process.stdin.close()
    assert process.wait(20) == 0
    found = verify(tmp_path / "runs" / "seed3")
    assert found.passed and found.ticks == 5 and "was stopped after tick 5" in found.summary
    assert list(results(tmp_path / "runs")["finish"]) == ["stopped"]

"""Seats for agents from outside, by MCP: in memory, over stdio and over HTTP; slow, wrong and hostile clients."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from mcp_types import ElicitResult
from typer.testing import CliRunner

import sandbox
from sandbox.analysis.compare import compare
from sandbox.cli.main import app
from sandbox.core.errors import UsageError
from sandbox.running.batch import batch
from sandbox.running.replay import verify
from sandbox.running.trial import run
from sandbox.scenario import load
from sandbox.seat.seats import MISSED, Seating
from sandbox.seat.server import server

CLIENT = Path(__file__).parents[1] / "examples" / "agents" / "mcp_client.py"
WEB = {"world": {"name": "web", "layout": "click-button", "max_ticks": 12}, "agents": [{"reasoner": "rules"}]}
TEAM = {
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 2, "max_ticks": 30},
    "agents": [{"count": 3, "reasoner": "rules", "fallback": "rules"}], "team": {"protocol": "concurrent"},
}  # fmt: skip
FILE = '[world]\nname = "web"\nlayout = "click-button"\nmax_ticks = 12\n[[agents]]\nreasoner = "rules"\n'


async def called(client: Client, tool: str, **given):
    """The structured answer of a tool; raises AssertionError with its text if it is an error."""
    answer = await client.call_tool(tool, given)
    assert not answer.is_error, answer.content[0].text
    return answer.structured_content


async def seen_by(client: Client, seat: str) -> dict:
    """What an agent sees when it has to act, or when the episode is over; kernels may compile meanwhile."""
    while True:
        seen = await called(client, "observe", seat=seat)
        if seen["over"] or seen["tick"] is not None:
            return seen


async def refused(client: Client, tool: str, **given) -> str:
    answer = await client.call_tool(tool, given)
    assert answer.is_error
    return answer.content[0].text


def clicked(words: str) -> int:
    """The element that the task names."""
    task, *lines = words.splitlines()
    found = (re.match(r"\[(\d+)\].*'(.+)'", line) for line in lines)
    return next(int(each[1]) for each in found if each and each[2] in task)


async def plays(client: Client, seed: int) -> dict:
    """An episode of the web: observe, look, click."""
    begun = await called(client, "begin", seed=seed)
    (seat,) = begun["seats"].values()
    assert "click" in begun["brief"]
    while not (seen := await seen_by(client, seat))["over"]:
        target = clicked(seen["words"])
        assert target in (await called(client, "legal", seat=seat))["verbs"]["click"]
        told = await called(client, "act", seat=seat, tick=seen["tick"], verb="click", target=target)
        assert told == {"tick": seen["tick"], "effect": True}
    return seen["outcome"]


@asynccontextmanager
async def inside(scenario: dict, tmp_path, **options):
    """A client of a server in this process."""
    seating = Seating(load(scenario), out=tmp_path, **options)
    async with Client(server(seating), elicitation_callback=_person) as client:
        yield client


async def _person(context, asked):
    return ElicitResult(action="accept", content={"answer": f"as you like: {asked.message}"})


def test_a_client_plays_and_its_run_is_verified_without_it(tmp_path):
    async def play():
        async with inside(WEB, tmp_path) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == {
                "begin", "observe", "legal", "act", "say", "ask_person",
            }  # fmt: skip
            return [await plays(client, seed) for seed in (5, 5, 6)]

    first, again, other = asyncio.run(play())
    assert first["success"] and first["own_decisions"] == 1 and first["fallbacks"] == 0
    assert first["digest"] == again["digest"] == run(WEB, 5).digest != other["digest"], "the rules click the same"
    for name in ("seed5", "seed5-2", "seed6"):
        assert verify(tmp_path / name).passed


def test_two_seats_in_a_team_talk_and_the_others_follow_their_policy(tmp_path):
    async def play():
        async with inside(TEAM, tmp_path, rows=(0, 2)) as client:
            seats = (await called(client, "begin", seed=3))["seats"]
            assert list(seats) == ["robot-0", "robot-2"]
            while True:
                for name, seat in seats.items():
                    seen = await seen_by(client, seat)
                    if seen["over"]:
                        return seen["outcome"]
                    await client.call_tool("say", {"seat": seat, "text": f"{name} at {seen['tick']}"})
                    legal = (await called(client, "legal", seat=seat))["verbs"]
                    await called(client, "act", seat=seat, tick=seen["tick"], verb=next(iter(legal)))

    outcome = asyncio.run(play())
    assert outcome["own_decisions"] == 2 * outcome["ticks"] and outcome["messages"] > 0 and not outcome["fallbacks"]
    assert verify(tmp_path / "seed3").passed


def test_resources_and_the_prompt_show_what_the_agent_saw_and_no_state(tmp_path):
    async def play():
        async with inside(WEB, tmp_path) as client:
            begun = await called(client, "begin", seed=5)
            (seat,) = begun["seats"].values()
            seen = await seen_by(client, seat)
            with pytest.raises(Exception, match="the episode is not over"):
                await client.read_resource(f"episode://{seat}/outcome")
            answer = await client.call_tool("ask_person", {"seat": seat, "question": "Shall I?"})
            assert answer.content[0].text == "as you like: Shall I?"
            await called(client, "act", seat=seat, tick=0, verb="click", target=clicked(seen["words"]))
            assert (await seen_by(client, seat))["over"]
            texts = [(await client.read_resource(f"episode://{seat}/{what}")).contents[0].text
                     for what in ("task", "record/0", "outcome")]  # fmt: skip
            prompt = (await client.get_prompt("brief", {"seat": seat})).messages[0].content.text
            return seen["words"], texts, prompt, begun["brief"]

    words, (task, record, outcome), prompt, brief = asyncio.run(play())
    assert record == words and task == brief and prompt.startswith(brief) and '"success": true' in outcome


def test_what_a_client_does_wrong_is_said_and_costs_nothing(tmp_path):
    async def play():
        async with inside(WEB, tmp_path) as client:
            (seat,) = (await called(client, "begin", seed=5))["seats"].values()
            await seen_by(client, seat)
            assert "did you mean 'click'" in await refused(client, "act", seat=seat, tick=0, verb="klick")
            assert "expected 0.." in await refused(client, "act", seat=seat, tick=0, verb="click", target=10**6)
            assert "tick 7 does not wait" in await refused(client, "act", seat=seat, tick=7, verb="wait")
            assert "no seat has the handle" in await refused(client, "observe", seat="guess")
            assert "speech act" in await refused(client, "say", seat=seat, text="hello")
            assert "whole number" in await refused(client, "begin", seed=-1)
            assert await refused(client, "act", seat=seat, tick="now", verb="wait")
            first = await called(client, "act", seat=seat, tick=0, verb="wait")
            assert await called(client, "act", seat=seat, tick=0, verb="wait") == first, "a retry is no second action"
            assert "does not wait" in await refused(client, "act", seat=seat, tick=0, verb="click")
            seen = await seen_by(client, seat)
            assert seen["tick"] == 1
            target = clicked(seen["words"])
            await called(client, "act", seat=seat, tick=1, verb="click", target=target)
            return (await seen_by(client, seat))["outcome"]

    outcome = asyncio.run(play())
    assert outcome["ticks"] == 2 and outcome["own_decisions"] == 2 and outcome["success"]


def test_a_slow_client_has_patience_and_then_its_fallback_acts(tmp_path):
    seating = Seating(load(TEAM), patience=0.2, out=tmp_path)
    (seat,) = seating.begin(3).seats.values()
    while (turn := seat.observe()) is None:
        pass
    time.sleep(0.5)
    with pytest.raises(UsageError, match=f"tick {turn.tick} does not wait"):
        seat.act(turn.tick, "noop")
    while True:  # a tick may pass between the two calls
        try:
            seat.act(seat.observe().tick, "noop")
            break
        except UsageError:
            continue
    began = time.monotonic()
    while not seat.over:
        time.sleep(0.05)
    assert time.monotonic() - began < 0.2 * MISSED + 5, "after some ticks without a word nobody waits any more"
    assert seat.outcome["fallbacks"] == seat.outcome["ticks"] - 1 and seat.outcome["failure"] is None
    assert verify(tmp_path / "seed3").passed


def test_many_episodes_run_in_one_process(tmp_path):
    seating = Seating(load(WEB), out=tmp_path)
    seats = [next(iter(seating.begin(seed).seats.values())) for seed in range(8)]
    with pytest.raises(UsageError, match="8 episodes are running"):
        seating.begin(9)
    threads = [threading.Thread(target=_click, args=(seat,)) for seat in seats]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [seat.outcome["seed"] for seat in seats] == list(range(8))
    assert [seat.outcome["digest"] for seat in seats] == [run(WEB, seed).digest for seed in range(8)]
    seating.begin(9)


def _click(seat):
    while not seat.over:
        if turn := seat.observe():
            seat.act(turn.tick, "click", clicked(turn.words))


def test_the_example_client_plays_seeds_that_are_compared_and_verified(tmp_path):
    scenario, out = tmp_path / "web.toml", tmp_path / "runs"
    scenario.write_text(FILE + "[trials]\ncount = 3\n")
    subprocess.run([sys.executable, CLIENT, scenario, out, "5", "3"], check=True, capture_output=True, timeout=300)
    batch(scenario, tmp_path / "rules", overrides={"seed": 5})
    rows = sandbox.results(out)
    assert list(rows["seed"]) == [5, 6, 7] and list(rows["trial"]) == [0, 1, 2] and rows["success"].all()
    (beside,) = compare([tmp_path / "rules", out])
    assert beside.success.pairs == 3 and beside.steps == (0, 0, 0) and beside.autonomy == (1, 1)
    told = CliRunner().invoke(app, ["verify", str(out)])
    assert told.exit_code == 0 and "3 runs, 3 ticks executed again, all equal" in told.output

    run(WEB | {"agents": [{"reasoner": "idle"}]}, 8, out=out / "other")
    with pytest.raises(UsageError, match="runs of one scenario"):
        sandbox.results(out)
    assert CliRunner().invoke(app, ["verify", str(out), "--root", "0" * 64]).exit_code


def test_a_seed_that_was_played_twice_is_not_compared(tmp_path):
    for name in ("first", "again"):
        run(WEB, 5, out=tmp_path / name)
    assert list(sandbox.results(tmp_path)["seed"]) == [5, 5]
    with pytest.raises(UsageError, match="seed 5 was played more than once"):
        compare([tmp_path, tmp_path / "first"])

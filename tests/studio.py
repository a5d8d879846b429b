"""Waiting for the studio, and reading what a page tells, for its tests."""

import json
import re
import struct
import time

from sandbox.studio.backend.episode_source import Live
from sandbox.studio.backend.runner import Runner

SCENARIO = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
COMPILE = 180  # seconds that a cold start may take on a busy machine


def until(condition, seconds=60.0):
    """Wait for ``condition()``; returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def sought(film, tick: int) -> None:
    """An episode's player at a tick; it plays in slices, which on a busy machine are short."""
    while not film.seek(tick):
        pass


def loaded(show: Runner, scenario=SCENARIO, seed=1) -> Runner:
    show.load(Live(scenario, seed))
    until(lambda: show.poll().phase != "preparing", COMPILE)
    return show


def settled(show: Runner) -> int:
    """The tick that the runner has come to rest at."""
    until(lambda: not show.poll().active)
    return show.peek().counters.tick


def head(page) -> dict:
    """The header of the latest payload to the canvas of a page under AppTest; empty without one."""
    sent = [each.proto.bytes for each in page.get("bidi_component") if each.proto.WhichOneof("data") == "bytes"]
    if not sent or not sent[0]:
        return {}
    (size,) = struct.unpack("<I", sent[0][:4])
    return json.loads(sent[0][4 : 4 + size])


def moment(page) -> dict:
    """What the page tells of the latest moment, as HTML by place; empty before the first."""
    return (head(page).get("ticks") or [{}])[-1]


def standing(page) -> str:
    """How things stand, without markup."""
    return re.sub(r"<[^>]*>", "", moment(page).get("standing", ""))

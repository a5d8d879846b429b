"""Waiting for the studio, for its tests."""

import time

from sandbox.studio.backend.episode_source import Live
from sandbox.studio.backend.runner import Runner

SCENARIO = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
COMPILE = 180  # seconds that a cold start may take on a busy machine


def until(condition, seconds=20.0):
    """Wait for ``condition()``; returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def loaded(show: Runner, scenario=SCENARIO, seed=1) -> Runner:
    show.load(Live(scenario, seed))
    until(lambda: show.poll().phase != "preparing", COMPILE)
    return show


def settled(show: Runner) -> int:
    """The tick that the runner has come to rest at."""
    until(lambda: not show.poll().active)
    return show.peek().counters.tick

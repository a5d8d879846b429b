"""A few pictures of an episode, so that a page can show how it went."""

import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sandbox.report.inline import png

TRAIL = 12  # past places of each agent that are shown
SIZE = 300  # pixels, the longer side


class Still(NamedTuple):
    """One picture."""

    tick: int
    told: str  # how far the task was
    uri: str


def stills(models: Iterable, ticks: int, count: int, seconds: float) -> list[Still]:
    """``count`` pictures of an episode of ``ticks`` ticks: its start, its end, and evenly between.

    ``models`` yields the model after reset and after each tick; after ``seconds`` the last picture is where it is.
    """
    wanted = set(np.linspace(0, ticks, count).round().astype(int).tolist())
    found, past, until, model = [], deque(maxlen=TRAIL), time.monotonic() + seconds, None
    for model in models:
        if model.ticks in wanted:
            found.append(_still(model, past))
        past.append(model.state.pos[0].copy())
        if time.monotonic() > until:
            break
    if model is not None and (not found or found[-1].tick != model.ticks):
        found.append(_still(model, past))
    return found


def _still(model, past: deque) -> Still:
    agents = model.stage.agents
    trail = np.stack(past, axis=1) if past else np.zeros((agents, 0, 2), np.int32)
    told = f"{model.tasks_done} of {model.tasks_total or 'no end'} done"
    return Still(model.ticks, told, png(model.stage.paint(model.state, 0, SIZE, trail)))

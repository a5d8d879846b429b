"""What a picture tells of its agents, for the pointer and for a camera: where each is, what it does, what it has."""

import time
from typing import Any, NamedTuple

from sandbox.core.telling import Gauge, Transition
from sandbox.engine.shapes import AGENTS
from sandbox.running import explain
from sandbox.studio.backend import wording
from sandbox.studio.backend.layers import Look
from sandbox.studio.backend.marks import Point, changed

MOST = 100  # agents with a card: the first ones, and the selected one
EVERY = 0.25  # seconds of play after which it is said anew what they are doing
SHARE = 20  # and at least so many times as long as that took


class Card(NamedTuple):
    """An agent in a picture. Places are those of ``marks``; without a grid, the middle of the agent's own ``part``."""

    agent: int  # number
    at: Point
    lag: Point
    colour: str  # "#rrggbb"
    name: str
    doing: str  # a sentence; "" before the first tick
    has: tuple[Gauge, ...]  # its needs, items and facts
    part: tuple[float, float, float, float] | None  # of the picture, without a grid: top, left, height, width


class Cards:
    """Tells of the agents of one episode."""

    def __init__(self) -> None:
        self._due, self._told = 0.0, {}  # when it is said anew; what was said last, by agent

    def of(self, look: Look, transition: Transition | None, still: bool) -> tuple[Card, ...]:
        """The agents that are somewhere, in order. While it plays, what they are doing is said anew only sometimes."""
        model, count, now = look.model, len(look.pos), time.monotonic()
        agents = list(range(min(count, MOST)))
        if look.picked is not None and look.picked >= MOST:
            agents.append(look.picked)
        if still or now > self._due:
            began, self._told = time.thread_time(), {agent: _told(model, transition, agent) for agent in agents}
            self._due = now + max(EVERY, SHARE * (time.thread_time() - began))
        found, placed = [], look.cells is not None
        for agent in agents:
            part, lag = None if placed else model.env.world.part(model.env.params, agent), (0.0, 0.0)
            at = (part[0] + part[2] / 2, part[1] + part[3] / 2) if part else (0.0, 0.0)
            if placed:
                if not look.is_there(agent):
                    continue
                at, lag = look.at(agent), look.lag(agent)
            doing, has = self._told.get(agent) or _told(model, transition, agent)
            name = wording.name_of(model, agent)
            found.append(Card(agent, at, lag, AGENTS[agent % len(AGENTS)], name, doing, has, part))
        return tuple(found)


def _told(model, transition: Transition | None, agent: int) -> tuple[str, tuple[Gauge, ...]]:
    """What an agent is doing, and what it has."""
    has, doing = model.env.world.gauges(model.state, 0, agent, model.env.params), ""
    if transition is not None:
        doing = wording.clip(explain.doing(model, transition, agent), wording.LINE)
        why = explain.refused(model, transition, agent)
        if why.partition(": ")[2] not in doing:
            doing = f"{doing} ({wording.clip(why, wording.LINE)})"
    return doing, has


def as_json(card: Card) -> dict[str, Any]:
    """Its fields, for the page."""
    return {**card._asdict(), "has": list(map(changed, card.has))}

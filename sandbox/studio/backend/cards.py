"""What a picture tells of its agents: where each is, and its name, for the pointer and for a camera that follows it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.engine.shapes import AGENTS
from sandbox.studio.backend import wording
from sandbox.studio.backend.marks import Point

if TYPE_CHECKING:
    from sandbox.studio.backend.layers import Look

MOST = 100  # agents that are told of: the first ones, and the selected one


class Card(NamedTuple):
    """An agent in a picture. Places are those of ``marks``; without a grid, the middle of the agent's own part."""

    agent: int  # number
    at: Point
    lag: Point
    colour: str  # "#rrggbb"
    name: str


def cards(look: "Look") -> tuple[Card, ...]:
    """The agents that are somewhere, in order."""
    model, count = look.model, len(look.pos)
    agents = list(range(min(count, MOST)))
    if look.picked is not None and look.picked >= MOST:
        agents.append(look.picked)
    found = []
    for agent in agents:
        at, lag = (0.5, (agent + 0.5) / count), (0.0, 0.0)
        if look.cells is not None:
            if not look.is_there(agent):
                continue
            at, lag = look.at(agent), look.lag(agent)
        found.append(Card(agent, at, lag, AGENTS[agent % len(AGENTS)], wording.name_of(model, agent)))
    return tuple(found)


def as_json(card: Card) -> dict[str, Any]:
    """Its fields, for the page."""
    return card._asdict()

"""One agent looked into, after a tick: its decision, its four parts, what it perceives. The run does not notice.

Everything is read from the model or made from copies, so that decisions and states are the same whether somebody looks
or not.
"""

from dataclasses import dataclass

from sandbox.fronts.studio.show import parts, wording
from sandbox.fronts.studio.show.decided import Decided, decided
from sandbox.fronts.studio.show.foreseen import Forecast
from sandbox.fronts.studio.show.senses import Senses, perceived, percept_of, senses
from sandbox.model import Sandbox


@dataclass(frozen=True)
class Insight:
    """What there is to know of one agent at one moment."""

    tick: int
    agent: int
    name: str
    role: str
    cell: tuple[int, int] | None  # row, column; None where it is nowhere
    reward: float  # sum so far
    decided: Decided | None  # in the latest tick
    reasoner: parts.Reasoner
    memory: parts.Memory
    tools: parts.Tools
    world_model: parts.WorldModel
    senses: Senses


def insight(model: Sandbox, agent: int, foreseen: tuple[Forecast, ...] = ()) -> Insight:
    """What there is to know of an agent (0..N-1) now, with its forecasts of now. To be called between two ticks."""
    one, seen = model.agents[agent], perceived(model)
    percept, (row, col) = percept_of(model, seen, agent), one.cell
    return Insight(
        tick=model.ticks,
        agent=agent,
        name=wording.name_of(model, agent),
        role=one.role,
        cell=(row, col) if row >= 0 else None,
        reward=one.earned,
        decided=decided(model, agent),
        reasoner=parts.reasoner(model, agent),
        memory=parts.memory(model, agent),
        tools=parts.tools(model, agent),
        world_model=parts.world_model(model, percept, foreseen),
        senses=senses(model, seen, percept),
    )

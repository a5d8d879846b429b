"""Independent: nobody speaks. Of a graph of task objects each agent takes what is cheapest for it; else it does as its
own rules say."""

from sandbox.core.teamwork import Protocol
from sandbox.engine.jobs import is_free, take_cheapest
from sandbox.engine.kernel import kernel


@kernel
def heed(team, lane, agent, tick):
    """Who is free takes its cheapest task object; others may be at it too."""
    if len(team.kind) and is_free(team, lane, agent):
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """Nothing."""


INDEPENDENT = Protocol("independent", "each agent for itself, without a word", heed, speak)

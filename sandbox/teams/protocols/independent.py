"""Independent: no messages. Each agent takes the task that is nearest to it.

This is the control of the speaking protocols, which choose by the same rule. Another control is a scenario without
``[team]``, in which agents follow their world's own rules.
"""

from sandbox.core.teamwork import Protocol
from sandbox.engine.coordination.assignments import is_free, take_cheapest
from sandbox.engine.kernel import kernel


@kernel
def receive(team, lane, agent, tick):
    """A free agent takes its cheapest task, even if others work on it."""
    if is_free(team, lane, agent):
        take_cheapest(team, lane, agent, tick)


@kernel
def speak(team, lane, agent, tick):
    """Send nothing."""


INDEPENDENT = Protocol("independent", "each agent takes what is nearest to it, without a word", receive, speak)

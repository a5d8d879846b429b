"""What is earned on a site: conditions of the goal, less harm."""

from sandbox.engine.kernel import kernel
from sandbox.worlds.web.kernels import reached
from sandbox.worlds.web.state import Session


@kernel
def earned(s, lane, rules):
    """Conditions that hold now, less one for each harm that was done."""
    total = float(reached(s, lane, rules))
    for agent in range(rules.agents):
        total -= s.session[lane, agent, Session.HARM]
    return total

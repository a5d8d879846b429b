"""Craft's compiled policies."""

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import idle, random


@kernel
def uniform(obs, lane, rules, memory, team, dice, actions):
    """Any of the seventeen verbs with equal chance, of use or not: crafter's own random baseline."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = below(rules.verbs, dice, 0, 0, agent), 0


@kernel
def start(memory, lane, rules):
    for cell in range(rules.plan.size):
        memory.queue[lane, cell] = 0


POLICIES = {"idle": idle, "random": random, "uniform": uniform}

"""Policies for every world: the no-op, and a random legal action."""

from sandbox.engine.draw import below
from sandbox.engine.kernel import kernel


@kernel
def idle(obs, lane, params, memory, team, dice, actions):
    """Does nothing: the baseline of every world."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = params.noop, 0


@kernel
def random(obs, lane, params, memory, team, dice, actions):
    """A legal pair of verb and target with equal chance."""
    targets = obs.mask.shape[2] // params.verbs
    for agent in team:
        mask = obs.mask[lane, agent]
        legal = 0
        for pair in range(len(mask)):
            legal += mask[pair]
        pick = below(legal, dice, 0, 0, agent)
        for pair in range(len(mask)):
            if mask[pair]:
                if pick == 0:
                    actions[lane, agent, 0], actions[lane, agent, 1] = pair // targets, pair % targets
                    break
                pick -= 1

"""Policies for every world: the no-op, and a random legal action."""

import numpy as np

from sandbox.engine.draw import below
from sandbox.engine.eight import EACH
from sandbox.engine.kernel import kernel

HIGH = np.uint64(0x80) * EACH


@kernel
def idle(obs, lane, params, memory, team, dice, actions):
    """Does nothing: the baseline of every world."""
    for agent in team:
        actions[lane, agent, 0], actions[lane, agent, 1] = params.noop, 0


@kernel
def targets_of(obs, params):
    """The targets of each verb; without a division where each verb has one."""
    pairs = obs.mask.shape[2]
    return 1 if pairs == params.verbs else pairs // params.verbs


@kernel
def _few(mask, dice, agent):
    """The number of a legal pair among at most eight, with equal chance; -1: none is legal.

    Byte k of ``below`` counts the legal pairs up to k, so the pair is the number of bytes that are not above the draw.
    """
    word = np.uint64(0)
    for pair in range(len(mask)):
        word |= np.uint64(mask[pair]) << np.uint64(8 * pair)
    counts = word * EACH
    legal = counts >> np.uint64(56)
    if legal == 0:
        return -1
    above = (counts | HIGH) - np.uint64(below(legal, dice, 0, 0, agent) + 1) * EACH
    return np.int64((((~above & HIGH) >> np.uint64(7)) * EACH) >> np.uint64(56))


@kernel
def _many(mask, dice, agent):
    """The same among any number of pairs."""
    legal = 0
    for pair in range(len(mask)):
        legal += mask[pair]
    left = below(legal, dice, 0, 0, agent)
    for pair in range(len(mask)):
        if mask[pair]:
            if left == 0:
                return pair
            left -= 1
    return -1


@kernel
def random(obs, lane, params, memory, team, dice, actions):
    """A legal pair of verb and target with equal chance."""
    targets = targets_of(obs, params)
    for agent in team:
        mask = obs.mask[lane, agent]
        pair = _few(mask, dice, agent) if len(mask) <= 8 else _many(mask, dice, agent)
        if pair < 0:
            continue
        if targets == 1:
            actions[lane, agent, 0], actions[lane, agent, 1] = pair, 0
        else:
            actions[lane, agent, 0], actions[lane, agent, 1] = pair // targets, pair % targets

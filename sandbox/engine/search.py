"""Search: an agent compares its candidate actions in futures that it imagines, by what it believes.

For each future the agent's belief is built anew from its observation and memory, with dice of its own; in it, each
candidate is played first and the base policy goes on, for everybody, up to the horizon: rollout policy improvement
(Tesauro and Galperin 1996; Bertsekas 2013). All candidates meet the same dice (common random numbers), so their
returns are compared in pairs. The base policy's own choice stands unless another one is better by ``caution`` standard
errors of the mean difference, and by MARGIN; the one with the best such bound is taken.

The return of a future: rewards of all agents, discounted, and at its end the world's ``value`` of what was reached.
"""

from enum import IntEnum
from functools import cache
from math import sqrt

import numpy as np

from sandbox.core.world import World
from sandbox.core.world_model import Kind, WorldModel
from sandbox.engine.draw import IMAGINED, POLICY, below, draw
from sandbox.engine.kernel import kernel, specialise

observe = step = policy = value = believe = None  # filled in by specialise

Policy = str | WorldModel | None  # of an agent: a compiled policy, a search, or a reasoner that is not compiled
SEARCH = "search."  # before the base policy's name: the name of a search
DISCOUNT = 0.99  # of a tick: what comes sooner is better
MARGIN = 0.01  # of a unit of reward: for less, the base policy's plan is not left
BLANK, BEFORE, AFTER = 1, 2, 3  # rows of ``Workspace.minds``
HERE = np.int64(0)  # the lane of a workspace, typed: kernels would be compiled anew for a literal 0


class Setting(IntEnum):
    """Columns of ``Workspace.settings``."""

    KIND = 0
    HORIZON = 1
    FUTURES = 2
    CANDIDATES = 3


@kernel
def worthless(s, lane, rules):
    """The value of what was reached, in a world that does not say."""
    return 0.0


@kernel
def _copy(words, to):
    for k in range(len(words)):
        to[k] = words[k]


@kernel
def lend(rows, lane, agent):
    """Copy what an agent remembers to the mind in which it imagines."""
    for k in range(len(rows)):
        _copy(rows[k][0][lane, agent], rows[k][1][0, agent])


@kernel
def give_back(rows, lane, agent):
    """The inverse of :func:`lend`."""
    for k in range(len(rows)):
        _copy(rows[k][1][0, agent], rows[k][0][lane, agent])


@kernel
def list_candidates(mask, own, most, dice, agent, pairs):
    """Fill ``pairs`` with the pair ``own`` and then all other legal ones, or ``most`` - 1 drawn ones; how many."""
    pairs[0], count = own, 1
    for pair in range(len(mask)):
        if mask[pair] and pair != own:
            pairs[count] = pair
            count += 1
    if count <= most:
        return count
    for k in range(1, most):
        pick = k + below(count - k, dice, agent, IMAGINED, -k)
        pairs[k], pairs[pick] = pairs[pick], pairs[k]
    return most


@kernel
def gather(pos, agent, noop, team, actions):
    """List the agents that are somewhere, ``agent`` last; the others do nothing. Returns how many they are."""
    count = 0
    for other in range(len(pos)):
        actions[0, other, 0], actions[0, other, 1] = noop, 0
        if pos[other, 0] >= 0 and other != agent:
            team[count] = other
            count += 1
    team[count] = agent
    return count + 1


def play_out(work, rules, agent, count, skewed, ticks):
    """Play the believed lane on for ``ticks`` ticks, the agent by ``work.plan`` first; returns what it is worth."""
    s, obs, actions, planned, earned, weight = work.state, work.seen, work.actions, len(work.plan), 0.0, 1.0
    for tick in range(ticks):
        if s.done[0] != 0:
            break
        observe(s, HERE, rules, obs)
        team = work.team[: count - (tick < planned)]
        policy(obs, HERE, rules, work.mind, team, draw(s.seed[0], s.tick[0], POLICY, 0), actions)
        if tick < planned:
            actions[0, agent, 0], actions[0, agent, 1] = work.plan[tick, 0], work.plan[tick, 1]
        if skewed:
            for other in range(actions.shape[1]):
                actions[0, other, 0] = (actions[0, other, 0] + 1) % rules.verbs
        step(s, HERE, actions, rules)
        for other in range(actions.shape[1]):
            earned += weight * s.reward[0, other]
        weight *= DISCOUNT
    return earned + weight * value(s, HERE, rules)


def compare(obs, lane, agent, memory, rules, dice, count, setting, work):
    """Fill ``work.gains``: what each of ``count`` candidates earns over the first one, in the same futures."""
    kind, targets = setting[Setting.KIND], obs.mask.shape[2] // rules.verbs
    for c in range(count):
        work.gains[c, 0], work.gains[c, 1] = 0.0, 0.0
    for future in range(1 if kind == Kind.CALM else setting[Setting.FUTURES]):
        for k in range(work.belief.shape[1]):
            work.belief[0, k] = 0
        believe(obs, lane, agent, memory, rules, draw(dice, agent, IMAGINED, future), work.state, HERE)
        _copy(work.belief[0], work.belief[1])
        present = gather(work.state.pos[0], agent, rules.noop, work.team, work.actions)
        begun, first = work.state.tick[0], 0.0
        for c in range(count):
            pair = work.pairs[(c + 1) % count if kind == Kind.SHUFFLED else c]
            work.plan[0, 0], work.plan[0, 1] = pair // targets, pair % targets
            _copy(work.belief[1], work.belief[0])
            _copy(work.minds[BEFORE if c else AFTER], work.minds[0])
            worth = play_out(work, rules, agent, present, kind == Kind.WRONG, setting[Setting.HORIZON])
            work.spent[lane, agent] += work.state.tick[0] - begun
            first = worth if c == 0 else first
            work.gains[c, 0] += worth - first
            work.gains[c, 1] += (worth - first) ** 2


@kernel
def _best(gains, count, futures, caution):
    """The candidate with the best lower bound of its mean gain, 0 unless one is above MARGIN."""
    best, most = 0, MARGIN
    for c in range(1, count):
        mean = gains[c, 0] / futures
        spread = max(0.0, gains[c, 1] / futures - mean * mean)
        bound = mean - caution * sqrt(spread / futures)
        if bound > most:
            best, most = c, bound
    return best


def search(obs, lane, rules, memory, team, dice, actions, work):
    """Decide for each agent of ``team`` by looking ahead. A policy's memory keeps no trace of what it did not do."""
    targets = obs.mask.shape[2] // rules.verbs
    for k in range(len(team)):
        agent, setting = team[k], work.settings[team[k]]
        _copy(work.minds[BLANK], work.minds[0])
        lend(work.rows, lane, agent)
        _copy(work.minds[0], work.minds[BEFORE])
        policy(obs, lane, rules, memory, team[k : k + 1], dice, actions)
        lend(work.rows, lane, agent)
        _copy(work.minds[0], work.minds[AFTER])
        own, mask = actions[lane, agent, 0] * targets + actions[lane, agent, 1], obs.mask[lane, agent]
        count = list_candidates(mask, own, setting[Setting.CANDIDATES], dice, agent, work.pairs)
        if count == 1:
            continue
        _copy(work.minds[BEFORE], work.minds[0])
        give_back(work.rows, lane, agent)  # what it believes rests on what it did, not on what it might do
        compare(obs, lane, agent, memory, rules, dice, count, setting, work)
        futures = 1 if setting[Setting.KIND] == Kind.CALM else setting[Setting.FUTURES]
        best = _best(work.gains, count, futures, work.caution[agent])
        if best:
            actions[lane, agent, 0], actions[lane, agent, 1] = work.pairs[best] // targets, work.pairs[best] % targets
        else:
            _copy(work.minds[AFTER], work.minds[0])
            give_back(work.rows, lane, agent)


def looks_ahead(policy: str) -> bool:
    """Whether that is the name of a search."""
    return policy.startswith(SEARCH)


def policy_name(policy: Policy) -> str | None:
    """The name under which a policy is compiled."""
    return f"{SEARCH}{policy.base}" if isinstance(policy, WorldModel) else policy


@cache
def searcher(world: World, base: str):
    """The search of a world with a base policy, as a compiled policy that takes a Workspace besides."""
    name = f"{world.name}.{base}"
    parts = {"observe": world.observe, "policy": world.policies[base], "step": world.step}
    inner = specialise(play_out, name, inline=True, value=world.value or worthless, **parts)
    outer = specialise(compare, name, inline=True, believe=world.believe, play_out=inner)
    return specialise(search, name, policy=world.policies[base], compare=outer)

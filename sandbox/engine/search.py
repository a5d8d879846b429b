"""Search: an agent compares its candidate actions in futures that it imagines from its belief.

For each future the agent's belief is built anew from its observation and memory, with random draws of its own. Each
candidate is played first, and then the base policy acts, for all agents, up to the horizon: rollout policy improvement
(Tesauro and Galperin 1996; Bertsekas 2013). All candidates have the same random draws (common random numbers), so their
returns are compared in pairs. The base policy's own choice is kept unless another one is better by ``caution`` standard
errors of the mean difference, and by MARGIN; the one with the best such bound is taken. If all futures are equal
(``calm``), there is no such error; ``calm`` must be compared with ``exact`` at a caution of 0.

The return of a future is the discounted parts of the shared task that it earns, plus the world's ``value`` at its end.
The task counts, not the reward, which may pay for other things.

Deeper than 1, a tree of the agent's own next actions grows over the same number of futures: see ``engine.tree``.
"""

from enum import IntEnum
from functools import cache

import numpy as np

from sandbox.core.trained_policy import TrainedPolicy
from sandbox.core.world import World
from sandbox.core.world_model import Kind, WorldModel
from sandbox.engine.draw import IMAGINED, POLICY, below, draw
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.learned import learned_step
from sandbox.engine.trained import TRAINED
from sandbox.engine.tree import NONE, ROOT, Node, back_up, best_child, choose_child, descend, plant
from sandbox.engine.workspace import Found

observe = step = policy = earned = value = believe = progress = advance = enlist = None  # filled in by specialise

Policy = str | WorldModel | TrainedPolicy | None  # of an agent: compiled, a search, trained, or another reasoner
SEARCH = "search."  # the name of a search is this and the base policy's name
LEARNED = "learned."  # and between them this if it imagines with a learned model
MARGIN = 0.01  # parts of the task: smallest gain for which the base policy's plan is left
BLANK, BEFORE, AFTER, SPARE = 1, 2, 3, 4  # rows of ``Workspace.minds``
HERE = np.int64(0)  # the lane of a workspace; for a literal 0, Numba would compile kernels anew


class Setting(IntEnum):
    """Columns of ``Workspace.settings``."""

    KIND = 0
    HORIZON = 1
    FUTURES = 2
    CANDIDATES = 3
    DEPTH = 4
    FIRST_NET = 5  # of a learned model: its first net in ``Workspace.net``, and the number of its nets
    NETS = 6


class Scale(IntEnum):
    """Columns of ``Workspace.scale``."""

    CAUTION = 0
    DISCOUNT = 1


def done(s, lane, params):
    """The default of ``earned``: the done parts of the task."""
    return float(progress(s, lane, params)[0])


@kernel
def worthless(s, lane, params):
    """The default of ``value``: 0."""
    return 0.0


@kernel
def _copy(words, to):
    for k in range(len(words)):
        to[k] = words[k]


@kernel
def lend(rows, lane, agent):
    """Copy an agent's memory to the memory in which it imagines."""
    for k in range(len(rows)):
        _copy(rows[k][0][lane, agent], rows[k][1][0, agent])


@kernel
def give_back(rows, lane, agent):
    """The inverse of :func:`lend`."""
    for k in range(len(rows)):
        _copy(rows[k][1][0, agent], rows[k][0][lane, agent])


@kernel
def list_candidates(mask, own, most, dice, agent, pairs):
    """Fill ``pairs`` with ``own``, then with all other legal pairs, or ``most`` - 1 drawn ones; returns the number."""
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
    """List the agents with a place, ``agent`` last; the others do nothing. Returns the number of listed agents."""
    count = 0
    for other in range(len(pos)):
        actions[0, other, 0], actions[0, other, 1] = noop, 0
        if pos[other, 0] >= 0 and other != agent:
            team[count] = other
            count += 1
    team[count] = agent
    return count + 1


def play_out(work, params, agent, present, skewed, free, setting):
    """Play the believed lane up to the horizon, starting with the actions of ``work.path``; returns the value.

    A ``free`` path grows: the tree chooses further actions up to the depth, and the first new node ends the path.
    """
    s, obs, actions, nodes = work.state, work.seen, work.actions, work.nodes
    mask, targets, mind = obs.mask[HERE, agent], obs.mask.shape[2] // params.verbs, work.minds[0]
    length, growing = 1, free and nodes[work.path[0], Node.VISITS] > 0
    total, weight, before = 0.0, 1.0, earned(s, HERE, params)
    for tick in range(setting[Setting.HORIZON]):
        if s.done[0] != 0:
            break
        observe(s, HERE, params, obs)
        planned, dice = tick == 0 or growing, draw(s.seed[0], s.tick[0], POLICY, 0)
        policy(obs, HERE, params, work.mind, work.team[: present - planned], dice, actions)
        if tick == 0:
            actions[0, agent, 0], actions[0, agent, 1] = work.first[0], work.first[1]
        elif growing:
            _copy(mind, work.minds[SPARE])
            policy(obs, HERE, params, work.mind, work.team[present - 1 : present], dice, actions)
            own, parent = actions[0, agent, 0] * targets + actions[0, agent, 1], work.path[length - 1]
            node = descend(nodes, work.worth, parent, own, mask, setting[Setting.CANDIDATES], s.seed[0], tick)
            if node != NONE and nodes[node, Node.PAIR] != own:
                _copy(work.minds[SPARE], mind)
                pair = nodes[node, Node.PAIR]
                actions[0, agent, 0], actions[0, agent, 1] = pair // targets, pair % targets
            work.path[length] = node
            length += node != NONE
            growing = node != NONE and nodes[node, Node.VISITS] > 0 and length < setting[Setting.DEPTH]
        if skewed:
            for other in range(actions.shape[1]):
                actions[0, other, 0] = (actions[0, other, 0] + 1) % params.verbs
        advance(s, actions, params, work.net)
        after = earned(s, HERE, params)
        total += weight * (after - before)
        before = after
        weight *= work.scale[agent, Scale.DISCOUNT]
    work.path[length] = NONE
    return total + weight * value(s, HERE, params)


def compare(obs, lane, agent, memory, params, dice, count, setting, work):
    """Fill ``work.nodes`` and ``work.worth``: the gains of ``count`` candidates over the first, in equal futures.

    Every future is played ``count`` times: first with the base policy's choice, then, at depth 1, with every other
    candidate; at greater depths, with the choices of the tree.
    """
    kind, targets = setting[Setting.KIND], obs.mask.shape[2] // params.verbs
    plant(work.nodes, work.worth, work.pairs, count)
    for future in range(setting[Setting.FUTURES]):
        drawn = 0 if kind == Kind.CALM else future
        enlist(work.net, setting, drawn)
        for k in range(work.belief.shape[1]):
            work.belief[0, k] = 0
        believe(obs, lane, agent, memory, params, draw(dice, agent, IMAGINED, drawn), work.state, HERE)
        _copy(work.belief[0], work.belief[1])
        present = gather(work.state.pos[0], agent, params.noop, work.team, work.actions)
        begun, first = work.state.tick[0], 0.0
        for c in range(count):
            node, free = np.int64(c + 1), c > 0 and setting[Setting.DEPTH] > 1
            if free:
                node = choose_child(work.nodes, work.worth, ROOT, obs.mask[lane, agent])
            pair = work.pairs[node % count if kind == Kind.SHUFFLED else node - 1]
            work.path[0], work.first[0], work.first[1] = node, pair // targets, pair % targets
            _copy(work.belief[1], work.belief[0])
            _copy(work.minds[BEFORE if node > 1 else AFTER], work.minds[0])
            worth = play_out(work, params, agent, present, kind == Kind.WRONG, free, setting)
            work.spent[lane, agent] += work.state.tick[0] - begun
            if c:
                back_up(work.nodes, work.worth, work.path, worth - first)
            else:
                first = worth


def by_rules(s, actions, params, net):
    """One imagined tick by the world's own rules."""
    step(s, HERE, actions, params)


def by_net(s, actions, params, net):
    """One imagined tick by a learned model."""
    step(s, HERE, actions, params, net)


@kernel
def no_nets(net, setting, future):
    """Without a learned model, there is no net to choose."""


@kernel
def take_turns(net, setting, future):
    """Each future is imagined by one net of an ensemble, in turn (trajectory sampling, Chua and others 2018).

    Where the nets disagree, gains vary more from future to future, so ``caution`` penalises disagreement.
    """
    net.member[0] = setting[Setting.FIRST_NET] + future % setting[Setting.NETS]


@kernel
def note(work, agent, dice, count, best):
    """Store the result of a comparison, for display."""
    work.asked[agent], work.choice[agent, 0], work.choice[agent, 1] = dice, count, best
    for k in range(count):
        found = work.found[agent, k]
        found[Found.PAIR], found[Found.FUTURES] = work.pairs[k], work.nodes[k + 1, Node.VISITS]
        found[Found.SUM], found[Found.SQUARES] = work.worth[k + 1, 0], work.worth[k + 1, 1]


def search(obs, lane, params, memory, team, dice, actions, work):
    """Decide for each agent of ``team`` by looking ahead. Overruled decisions leave no trace in the policy's memory."""
    targets = obs.mask.shape[2] // params.verbs
    for k in range(len(team)):
        agent, setting = team[k], work.settings[team[k]]
        _copy(work.minds[BLANK], work.minds[0])
        lend(work.rows, lane, agent)
        _copy(work.minds[0], work.minds[BEFORE])
        policy(obs, lane, params, memory, team[k : k + 1], dice, actions)
        lend(work.rows, lane, agent)
        _copy(work.minds[0], work.minds[AFTER])
        own, mask = actions[lane, agent, 0] * targets + actions[lane, agent, 1], obs.mask[lane, agent]
        count = list_candidates(mask, own, setting[Setting.CANDIDATES], dice, agent, work.pairs)
        if count == 1:
            plant(work.nodes, work.worth, work.pairs, count)
            note(work, agent, dice, count, 0)
            continue
        _copy(work.minds[BEFORE], work.minds[0])
        give_back(work.rows, lane, agent)  # beliefs follow from performed actions only
        compare(obs, lane, agent, memory, params, dice, count, setting, work)
        share = setting[Setting.FUTURES] * (count - 1) // count
        best = best_child(work.nodes, work.worth, count, share, work.scale[agent, Scale.CAUTION], MARGIN)
        note(work, agent, dice, count, best)
        if best:
            actions[lane, agent, 0], actions[lane, agent, 1] = work.pairs[best] // targets, work.pairs[best] % targets
        else:
            _copy(work.minds[AFTER], work.minds[0])
            give_back(work.rows, lane, agent)


def looks_ahead(policy: str) -> bool:
    """Whether a policy's name is that of a search."""
    return policy.startswith(SEARCH)


def policy_name(policy: Policy) -> str | None:
    """The name under which a policy is compiled."""
    if isinstance(policy, TrainedPolicy):
        return TRAINED
    if not isinstance(policy, WorldModel):
        return policy
    return f"{SEARCH}{LEARNED if policy.kind == 'learned' else ''}{policy.base}"


@cache
def searcher(world: World, own: str):
    """The search of this name, without SEARCH: a compiled policy with a Workspace as additional argument."""
    name, base = f"{world.name}.{own}", own.removeprefix(LEARNED)
    if own == base:
        advanced, chosen = specialise(by_rules, name, inline=True, step=world.step), no_nets
    else:
        advanced, chosen = specialise(by_net, name, inline=True, step=learned_step(world)), take_turns
    parts = {"observe": world.observe, "policy": world.policies[base], "advance": advanced}
    gained = world.earned or specialise(done, world.name, progress=world.progress)
    inner = specialise(play_out, name, inline=True, earned=gained, value=world.value or worthless, **parts)
    outer = specialise(compare, name, inline=True, believe=world.believe, enlist=chosen, play_out=inner)
    return specialise(search, name, policy=world.policies[base], compare=outer)

"""Generic loops over lanes. Their free names are filled in by ``specialise``: a world's own kernels.

A tick is sense, decide, act; a team also communicates before it decides, and is checked after it has acted
(``coordination.phases``). The hosted tier calls these functions one after the other; the compiled tier calls ``play``,
which is their loop. So both tiers run the same program.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.finish import Finish
from sandbox.engine.draw import POLICY, draw
from sandbox.engine.faults import can_fail, distort, fails
from sandbox.engine.policies import targets_of

FINISHES = np.array([finish.words for finish in Finish], object)  # words, by the codes in ``done``
FAILED = 1 << 30  # subtracted from the verb of a failed action for its tick, so that the world ignores it
reset = start = observe = step = progress = policy = others = None  # filled in by specialise
decide = mask_actions = act = end_tick = finalise = scratch = None


class Talk(IntEnum):
    """Counts of a team; fields of an outcome."""

    MESSAGES = 0
    LOST_MESSAGES = 1
    TURNS = 2
    STALLS = 3
    CLAIMS = 4
    FALSE_CLAIMS = 5


class EpisodeStats(NamedTuple):
    """Counts over an episode, for each lane."""

    reward: np.ndarray  # (L, N) float64  sum of rewards
    invalid: np.ndarray  # (L, N) int32   actions outside the mask
    refused: np.ndarray  # (L, N) int32   legal actions that were prevented
    progress: np.ndarray  # (L, 2) int32  parts of the shared task that are done, and all; at the end of ``play``
    imagined: np.ndarray  # (L, N) int64  ticks of imagined futures
    idle: np.ndarray  # (L, N) int32      ticks without an action
    talk: np.ndarray  # (L, 6) int64      see Talk; at the end of ``play``


def stats_shapes(agents: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape of one lane and dtype of each field of EpisodeStats."""
    each = (agents,)
    return {
        "reward": (each, np.float64), "invalid": (each, np.int32), "refused": (each, np.int32),
        "progress": ((2,), np.int32), "imagined": (each, np.int64), "idle": (each, np.int32),
        "talk": ((len(Talk),), np.int64),
    }  # fmt: skip


def honest(s, obs, lane, params, memory, agents, work, dice, actions):
    """A policy that receives the observation decides for its agents."""
    policy(obs, lane, params, memory, agents, dice, actions)


def sighted(s, obs, lane, params, memory, agents, work, dice, actions):
    """The same for a policy that receives the state."""
    policy(s, lane, params, memory, agents, dice, actions)


def imaginative(s, obs, lane, params, memory, agents, work, dice, actions):
    """The same for a search, which needs scratch memory and receives the observation only."""
    policy(obs, lane, params, memory, agents, dice, actions, work)


def trained(s, obs, lane, params, memory, agents, nets, dice, actions):
    """The same for a trained policy, which needs its net and receives the observation only."""
    policy(obs, lane, params, agents, nets, dice, actions)


def of_search(assignment):
    """The scratch memory of a search; other policies but trained ones do not use it."""
    return assignment.work


def of_net(assignment):
    """The nets of trained policies."""
    return assignment.nets


def one_by_one(s, obs, lane, params, memory, assignment, code, dice, actions):
    """A policy decides for its agents; then the policies after it decide for theirs."""
    if assignment.bounds[code + 1] > assignment.bounds[code]:
        own = assignment.agents[assignment.bounds[code] : assignment.bounds[code + 1]]
        decide(s, obs, lane, params, memory, own, scratch(assignment), dice, actions)
    others(s, obs, lane, params, memory, assignment, code + 1, dice, actions)


def last(s, obs, lane, params, memory, assignment, code, dice, actions):
    """The end of a chain of policies."""


def sense(s, lane, params, obs, faults):
    """Fill the observation of every agent: the world's, then the faults."""
    observe(s, lane, params, obs)
    distort(s.seed[lane], s.tick[lane], lane, obs, faults)


def choose(s, obs, lane, params, memory, assignment, actions):
    """Every agent with a compiled policy decides; its draws have other keys than the world's."""
    decide(s, obs, lane, params, memory, assignment, 0, draw(s.seed[lane], s.tick[lane], POLICY, 0), actions)


def choose_one(s, obs, lane, params, memory, agents, work, actions):
    """The same for the agents of one policy. The hosted tier has a kernel for each, so that any team can be made up."""
    decide(s, obs, lane, params, memory, agents, work, draw(s.seed[lane], s.tick[lane], POLICY, 0), actions)


def enact(s, obs, lane, params, actions, stats, faults):
    """One tick of the world; counts invalid and refused actions and rewards.

    During the tick, the verb of a failed action is far below 0, so that it has no effect, like any invalid verb.
    """
    targets, faulty = targets_of(obs, params), can_fail(faults)
    for agent in range(actions.shape[1]):
        verb, target = actions[lane, agent, 0], actions[lane, agent, 1]
        stats.idle[lane, agent] += verb == params.noop
        known = np.uint64(verb) < np.uint64(params.verbs) and np.uint64(target) < np.uint64(targets)
        if not (known and obs.mask[lane, agent, verb * targets + target]):
            stats.invalid[lane, agent] += 1
        elif faulty and verb != params.noop and fails(s.seed[lane], s.tick[lane], agent, faults):
            actions[lane, agent, 0] -= FAILED
    step(s, lane, actions, params)
    for agent in range(actions.shape[1]):
        if faulty and actions[lane, agent, 0] <= params.verbs - FAILED:
            actions[lane, agent, 0] += FAILED
            s.refused[lane, agent] = 1
        stats.reward[lane, agent] += s.reward[lane, agent]
        stats.refused[lane, agent] += s.refused[lane, agent]


def play(s, obs, memory, actions, stats, assignment, params, faults, laid_out, first, end, ticks):
    """Play lanes ``first`` .. ``end`` - 1 from their seeds, at most ``ticks[0]`` ticks each; returns their total.

    ``laid_out``: the lanes are at tick 0 already. Another thread may lower ``ticks``; below 0, all episodes end.
    """
    played = 0
    for lane in range(first, end):
        if ticks[0] < 0:
            break
        if not laid_out:
            reset(s, lane, params)
        start(memory, lane, params)
        tick = 0
        while tick < ticks[0] and s.done[lane] == 0:
            sense(s, lane, params, obs, faults)
            decide(s, obs, lane, params, memory, assignment, actions)
            mask_actions(lane, params, actions, assignment)
            act(s, obs, lane, params, actions, stats, faults)
            end_tick(s, lane, params, assignment)
            tick += 1
        played += tick
        finalise(s, lane, params, assignment, stats)
    return played


class Due(IntEnum):
    """The action of ``turn`` on a lane."""

    WAIT = 0
    TICK = 1
    RESET = 2


def turn(s, obs, actions, stats, params, faults, due):
    """Advance lanes by one tick or reset them, by ``due`` (L,) int8 (see Due); then fill their observations."""
    for lane in range(len(due)):
        if due[lane] == Due.WAIT:
            continue
        if due[lane] == Due.RESET:
            reset(s, lane, params)
        else:
            act(s, obs, lane, params, actions, stats, faults)
        stats.progress[lane, 0], stats.progress[lane, 1] = progress(s, lane, params)
        sense(s, lane, params, obs, faults)


def count_up(s, lane, params, assignment, stats):
    """At the end of an episode: the progress of the shared task."""
    stats.progress[lane, 0], stats.progress[lane, 1] = progress(s, lane, params)


class PolicyAssignment(NamedTuple):
    """The agents of each compiled policy, without agents of other reasoners."""

    agents: np.ndarray  # (N',) int32  agents sorted by policy
    bounds: np.ndarray  # (P + 1,) int32  policy p has agents[bounds[p]:bounds[p + 1]]
    work: Any  # the Workspace of searches, () without a search
    team: Any = ()  # the Team, () without a team
    nets: Any = ()  # the Nets of trained policies, () without one

"""Generic loops over lanes. Their free names are filled in by ``specialise``: a world's own kernels.

A tick is sense, decide, act; a team confers before it decides, and is overseen after it has acted (``meeting``). The
hosted tier calls them one after the other; the compiled tier calls ``play``, which is nothing but their loop. So both
tiers run the same program.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from sandbox.engine.draw import POLICY, draw
from sandbox.engine.faults import distort, fails

FAILED = 1 << 30  # taken from a verb for the tick in which its action fails, so that the world knows no such verb
reset = start = observe = step = progress = policy = others = None  # filled in by specialise
decide = mask_actions = act = end_tick = finalise = None


class Talk(IntEnum):
    """What is counted of a team; the fields of an outcome."""

    MESSAGES = 0
    LOST_MESSAGES = 1
    TURNS = 2
    STALLS = 3
    CLAIMS = 4
    FALSE_CLAIMS = 5


class EpisodeStats(NamedTuple):
    """What is counted over an episode, for each lane."""

    reward: np.ndarray  # (L, N) float64  sum of rewards
    invalid: np.ndarray  # (L, N) int32   actions outside the mask
    refused: np.ndarray  # (L, N) int32   legal actions that were prevented
    progress: np.ndarray  # (L, 2) int32  parts of the shared task that are done, and all; at the end of ``play``
    imagined: np.ndarray  # (L, N) int64  ticks of the futures that it looked into
    idle: np.ndarray  # (L, N) int32      ticks in which it did nothing
    talk: np.ndarray  # (L, 6) int64      see Talk; at the end of ``play``


def stats_shapes(agents: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape of one lane and dtype of each field of EpisodeStats."""
    each = (agents,)
    return {
        "reward": (each, np.float64), "invalid": (each, np.int32), "refused": (each, np.int32),
        "progress": ((2,), np.int32), "imagined": (each, np.int64), "idle": (each, np.int32),
        "talk": ((len(Talk),), np.int64),
    }  # fmt: skip


def honest(s, obs, lane, params, memory, assignment, code, dice, actions):
    """A policy that is handed the observation decides for its agents; then the policies after it do for theirs."""
    if assignment.bounds[code + 1] > assignment.bounds[code]:
        policy(
            obs,
            lane,
            params,
            memory,
            assignment.agents[assignment.bounds[code] : assignment.bounds[code + 1]],
            dice,
            actions,
        )
    others(s, obs, lane, params, memory, assignment, code + 1, dice, actions)


def sighted(s, obs, lane, params, memory, assignment, code, dice, actions):
    """The same for a policy that is handed the state."""
    if assignment.bounds[code + 1] > assignment.bounds[code]:
        policy(
            s,
            lane,
            params,
            memory,
            assignment.agents[assignment.bounds[code] : assignment.bounds[code + 1]],
            dice,
            actions,
        )
    others(s, obs, lane, params, memory, assignment, code + 1, dice, actions)


def imaginative(s, obs, lane, params, memory, assignment, code, dice, actions):
    """The same for one that looks ahead, which takes scratch memory; it is handed the observation only."""
    if assignment.bounds[code + 1] > assignment.bounds[code]:
        own = assignment.agents[assignment.bounds[code] : assignment.bounds[code + 1]]
        policy(obs, lane, params, memory, own, dice, actions, assignment.work)
    others(s, obs, lane, params, memory, assignment, code + 1, dice, actions)


def last(s, obs, lane, params, memory, assignment, code, dice, actions):
    """The end of a chain of policies."""


def sense(s, lane, params, obs, faults):
    """Every agent perceives: what the world shows, and what faults make of it."""
    observe(s, lane, params, obs)
    distort(s.seed[lane], s.tick[lane], lane, obs, faults)


def choose(s, obs, lane, params, memory, assignment, actions):
    """Every agent with a compiled policy decides; dice are keyed apart from the world's own."""
    decide(s, obs, lane, params, memory, assignment, 0, draw(s.seed[lane], s.tick[lane], POLICY, 0), actions)


def enact(s, obs, lane, params, actions, stats, faults):
    """One tick of the world; counts what agents got wrong and what they earned.

    While the tick lasts, a verb that fails is far below 0, so that it has no effect, as all that is outside.
    """
    targets = obs.mask.shape[2] // params.verbs
    for agent in range(actions.shape[1]):
        verb, target = actions[lane, agent, 0], actions[lane, agent, 1]
        stats.idle[lane, agent] += verb == params.noop
        known = 0 <= verb < params.verbs and 0 <= target < targets
        if not (known and obs.mask[lane, agent, verb * targets + target]):
            stats.invalid[lane, agent] += 1
        elif verb != params.noop and fails(s.seed[lane], s.tick[lane], agent, faults):
            actions[lane, agent, 0] -= FAILED
    step(s, lane, actions, params)
    for agent in range(actions.shape[1]):
        if actions[lane, agent, 0] <= params.verbs - FAILED:
            actions[lane, agent, 0] += FAILED
            s.refused[lane, agent] = 1
        stats.reward[lane, agent] += s.reward[lane, agent]
        stats.refused[lane, agent] += s.refused[lane, agent]


def play(s, obs, memory, actions, stats, assignment, params, faults, first, end, ticks):
    """Play lanes ``first`` .. ``end`` - 1 from their seeds, at most ``ticks[0]`` ticks each; returns the ticks in all.

    Another thread may lower ``ticks``; below 0, all ends.
    """
    played = 0
    for lane in range(first, end):
        if ticks[0] < 0:
            break
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
    """What ``turn`` does with a lane."""

    WAIT = 0
    TICK = 1
    RESET = 2


def turn(s, obs, actions, stats, params, faults, due):
    """Lanes go on by one tick or begin anew, as ``due`` (L,) int8 says (see Due); then their agents perceive."""
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
    """At the end of an episode: how far the shared task is."""
    stats.progress[lane, 0], stats.progress[lane, 1] = progress(s, lane, params)


class PolicyAssignment(NamedTuple):
    """Which agents follow which compiled policy; those of other reasoners are in none."""

    agents: np.ndarray  # (N',) int32  agents sorted by policy
    bounds: np.ndarray  # (P + 1,) int32  policy p has agents[bounds[p]:bounds[p + 1]]
    work: Any  # the Workspace of those that look ahead, () where nobody does
    team: Any = ()  # the Team, () where they are none

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
from sandbox.engine.lanes import digest_lane

FAILED = 1 << 30  # taken from a verb for the tick in which its action fails, so that the world knows no such verb
reset = start = observe = step = progress = policy = others = None  # filled in by specialise
decide = restrain = act = after = oversee = settle = None


class Talk(IntEnum):
    """What is counted of a team; the fields of an outcome."""

    MESSAGES = 0
    LOST_MESSAGES = 1
    TURNS = 2
    STALLS = 3
    CLAIMS = 4
    FALSE_CLAIMS = 5


class Tally(NamedTuple):
    """What is counted over an episode, for each lane."""

    reward: np.ndarray  # (L, N) float64  sum of rewards
    invalid: np.ndarray  # (L, N) int32   actions outside the mask
    refused: np.ndarray  # (L, N) int32   legal actions that were prevented
    progress: np.ndarray  # (L, 2) int32  parts of the shared task that are done, and all; at the end of ``play``
    imagined: np.ndarray  # (L, N) int64  ticks of the futures that it looked into
    idle: np.ndarray  # (L, N) int32      ticks in which it did nothing
    talk: np.ndarray  # (L, 6) int64      see Talk; at the end of ``play``


def tally_shapes(agents: int) -> dict[str, tuple[tuple[int, ...], type]]:
    """Shape of one lane and dtype of each field of Tally."""
    each = (agents,)
    return {
        "reward": (each, np.float64), "invalid": (each, np.int32), "refused": (each, np.int32),
        "progress": ((2,), np.int32), "imagined": (each, np.int64), "idle": (each, np.int32),
        "talk": ((len(Talk),), np.int64),
    }  # fmt: skip


def honest(s, obs, lane, rules, memory, cast, code, dice, actions):
    """A policy that is handed the observation decides for its agents; then the policies after it do for theirs."""
    if cast.bounds[code + 1] > cast.bounds[code]:
        policy(obs, lane, rules, memory, cast.agents[cast.bounds[code] : cast.bounds[code + 1]], dice, actions)
    others(s, obs, lane, rules, memory, cast, code + 1, dice, actions)


def sighted(s, obs, lane, rules, memory, cast, code, dice, actions):
    """The same for a policy that is handed the state."""
    if cast.bounds[code + 1] > cast.bounds[code]:
        policy(s, lane, rules, memory, cast.agents[cast.bounds[code] : cast.bounds[code + 1]], dice, actions)
    others(s, obs, lane, rules, memory, cast, code + 1, dice, actions)


def imaginative(s, obs, lane, rules, memory, cast, code, dice, actions):
    """The same for one that looks ahead, which takes scratch memory; it is handed the observation only."""
    if cast.bounds[code + 1] > cast.bounds[code]:
        own = cast.agents[cast.bounds[code] : cast.bounds[code + 1]]
        policy(obs, lane, rules, memory, own, dice, actions, cast.work)
    others(s, obs, lane, rules, memory, cast, code + 1, dice, actions)


def last(s, obs, lane, rules, memory, cast, code, dice, actions):
    """The end of a chain of policies."""


def sense(s, lane, rules, obs, faults):
    """Every agent perceives: what the world shows, and what faults make of it."""
    observe(s, lane, rules, obs)
    distort(s.seed[lane], s.tick[lane], lane, obs, faults)


def choose(s, obs, lane, rules, memory, cast, actions):
    """Every agent with a compiled policy decides; dice are keyed apart from the world's own."""
    decide(s, obs, lane, rules, memory, cast, 0, draw(s.seed[lane], s.tick[lane], POLICY, 0), actions)


def enact(s, obs, lane, rules, actions, tally, faults):
    """One tick of the world; counts what agents got wrong and what they earned.

    While the tick lasts, a verb that fails is far below 0, so that it has no effect, as all that is outside.
    """
    targets = obs.mask.shape[2] // rules.verbs
    for agent in range(actions.shape[1]):
        verb, target = actions[lane, agent, 0], actions[lane, agent, 1]
        tally.idle[lane, agent] += verb == rules.noop
        known = 0 <= verb < rules.verbs and 0 <= target < targets
        if not (known and obs.mask[lane, agent, verb * targets + target]):
            tally.invalid[lane, agent] += 1
        elif verb != rules.noop and fails(s.seed[lane], s.tick[lane], agent, faults):
            actions[lane, agent, 0] -= FAILED
    step(s, lane, actions, rules)
    for agent in range(actions.shape[1]):
        if actions[lane, agent, 0] <= rules.verbs - FAILED:
            actions[lane, agent, 0] += FAILED
            s.refused[lane, agent] = 1
        tally.reward[lane, agent] += s.reward[lane, agent]
        tally.refused[lane, agent] += s.refused[lane, agent]


def play(s, obs, memory, actions, tally, cast, rules, faults, first, end, ticks, trace):
    """Play lanes ``first`` .. ``end`` - 1 from their seeds, at most ``ticks[0]`` ticks each; returns the ticks in all.

    ``after`` is told of every tick; ``trace`` is what it fills. Another thread may lower ``ticks``; below 0, all ends.
    """
    played = 0
    for lane in range(first, end):
        if ticks[0] < 0:
            break
        reset(s, lane, rules)
        start(memory, lane, rules)
        tick = 0
        while tick < ticks[0] and s.done[lane] == 0:
            sense(s, lane, rules, obs, faults)
            decide(s, obs, lane, rules, memory, cast, actions)
            restrain(lane, rules, actions, cast)
            act(s, obs, lane, rules, actions, tally, faults)
            after(s, lane, tick, trace)
            oversee(s, lane, rules, cast)
            tick += 1
        played += tick
        settle(s, lane, rules, cast, tally)
    return played


class Due(IntEnum):
    """What ``turn`` does with a lane."""

    WAIT = 0
    TICK = 1
    RESET = 2


def turn(s, obs, actions, tally, rules, faults, due):
    """Lanes go on by one tick or begin anew, as ``due`` (L,) int8 says (see Due); then their agents perceive."""
    for lane in range(len(due)):
        if due[lane] == Due.WAIT:
            continue
        if due[lane] == Due.RESET:
            reset(s, lane, rules)
        else:
            act(s, obs, lane, rules, actions, tally, faults)
        tally.progress[lane, 0], tally.progress[lane, 1] = progress(s, lane, rules)
        sense(s, lane, rules, obs, faults)


def count_up(s, lane, rules, cast, tally):
    """At the end of an episode: how far the shared task is."""
    tally.progress[lane, 0], tally.progress[lane, 1] = progress(s, lane, rules)


def silent(s, lane, tick, trace):
    """Nothing is noted of a tick."""


def traced(s, lane, tick, trace):
    """``trace`` (L, T, 32) uint8 takes the digest of the state after each of the first T ticks."""
    if tick < trace.shape[1]:
        digest_lane(s, lane, trace[lane, tick])


class Cast(NamedTuple):
    """Which agents follow which compiled policy; those of other reasoners are in none."""

    agents: np.ndarray  # (N',) int32  agents sorted by policy
    bounds: np.ndarray  # (P + 1,) int32  policy p has agents[bounds[p]:bounds[p + 1]]
    work: Any  # the Workspace of those that look ahead, () where nobody does
    team: Any = ()  # the Team, () where they are none

"""How well a dream foresees, and what its codes mean. True frames, actions and states come from episodes played here.

A fact of a pair of frames is an inner cell, or the way that the player faces. Cells at the edge are not scored: what
scrolls in there was not to be seen. Intervals are clustered by episode.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.analysis.dreams.frames import environment, framing_of, joined, pairs, seen
from sandbox.engine.environment import Environment
from sandbox.nets.dream import Dream, Frames
from sandbox.statistics import Estimate, clustered_rate, ratio

SIZES = 24, 64  # of the maps, in turns
TICKS = 100  # of an episode
LABELLED = 100  # pairs whose actions are told, so that one knows what a code means
CHUNK = 200  # frames at once


class Pairs(NamedTuple):
    """Pairs of frames, with what the dream was never told."""

    before: Frames
    after: Frames
    actions: np.ndarray  # (n,) verbs
    episode: np.ndarray  # (n,)
    states: list[Any]  # one for each tick
    places: np.ndarray  # (n, 2): the tick and the lane in ``states``
    env: Environment


class Measured(NamedTuple):
    """The measures of a dream."""

    pairs: int
    changed: int  # facts
    inferred: Estimate  # share of changed facts that are right with the inferred code
    random: Estimate  # the same with a random code
    delta: Estimate  # their difference: the delta-accuracy
    frames: Estimate  # share of whole inner frames that are right with the inferred code
    random_frames: Estimate
    purity: Estimate  # share of pairs whose visible effect is the most frequent one of their code
    majority: float  # the share of the most frequent effect
    moves: Estimate  # the purity among pairs whose effect is one of the four moves
    used: int  # codes that more than 1 % of the pairs have


def played(env: Environment, seeds: Sequence[int], policy: str, noise: float, ticks: int = TICKS) -> Pairs:
    """Pairs of episodes of ``policy``, of which the share ``noise`` of actions is random."""
    rng = np.random.default_rng([int(seeds[0]), len(seeds)])
    found = list(pairs(env, seeds, policy, np.full(len(seeds), noise), ticks, rng))
    lanes = np.concatenate([each[4] for each in found])
    tick = np.repeat(np.arange(len(found)), [len(each[4]) for each in found])
    before, after = joined([each[1] for each in found]), joined([each[3] for each in found])
    actions, states = np.concatenate([each[2] for each in found]), [each[0] for each in found]
    return Pairs(before, after, actions, lanes, states, np.stack([tick, lanes], axis=1), env)


def facts(frames: Frames) -> np.ndarray:
    """(n, F): the inner cells and the facing."""
    return np.concatenate([frames.cells[:, 1:-1, 1:-1].reshape(len(frames), -1), frames.facing[:, None]], axis=1)


def inferred(dream: Dream, told: Pairs) -> np.ndarray:
    """(n,) the code of each pair."""
    parts = [slice(k, k + CHUNK) for k in range(0, len(told.before), CHUNK)]
    return np.concatenate([dream.inferred(told.before[part], told.after[part]) for part in parts])


def dreamt(dream: Dream, before: Frames, codes: np.ndarray) -> Frames:
    """What follows when ``codes`` are chosen."""
    parts = [slice(k, k + CHUNK) for k in range(0, len(before), CHUNK)]
    return joined([dream.step(before[part], codes[part]) for part in parts])


def effects(told: Pairs) -> np.ndarray:
    """(n,) the action of each pair if anything in view has changed, else none: what a frame can tell of an action."""
    changed = (facts(told.before) != facts(told.after)).any(axis=1)
    return np.where(changed, told.actions, told.env.params.noop)


def counted(dream: Dream, told: Pairs, codes: np.ndarray) -> np.ndarray:
    """(K, V) how often each effect has each code."""
    counts = np.zeros((dream.codes, len(told.env.verbs)), np.int64)
    np.add.at(counts, (codes, effects(told)), 1)
    return counts


def meanings(dream: Dream, told: Pairs) -> np.ndarray:
    """(K,) the action that each code means: the most frequent one where anything changed; none if nothing ever did."""
    counts = _seen_to_act(dream, told)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), told.env.params.noop)


def _seen_to_act(dream: Dream, told: Pairs) -> np.ndarray:
    counts = counted(dream, told, inferred(dream, told))
    counts[:, told.env.params.noop] = 0
    return counts


def keys(dream: Dream, told: Pairs) -> dict[int, int]:
    """The code of each action that ``told`` shows: of the codes that mean it, the most frequent one."""
    counts, means = _seen_to_act(dream, told), meanings(dream, told)
    acts = np.setdiff1d(means, told.env.params.noop)
    return {int(verb): int(np.where(means == verb, counts[:, verb], -1).argmax()) for verb in acts}


def measure(dream: Dream, told: Pairs) -> Measured:
    """All measures of a dream on these pairs."""
    codes, rng = inferred(dream, told), np.random.default_rng(0)
    changed = facts(told.before) != facts(told.after)
    right = [
        facts(dreamt(dream, told.before, chosen)) == facts(told.after)
        for chosen in (codes, rng.integers(dream.codes, size=len(codes)))
    ]
    good = [_sums(told.episode, (each & changed).sum(axis=1)) for each in right]
    n = _sums(told.episode, changed.sum(axis=1))
    whole, counts = [_sums(told.episode, each.all(axis=1)) for each in right], _sums(told.episode, np.ones(len(codes)))
    effect = effects(told)
    moves = [told.env.verbs.index(verb) for verb in framing_of(told.env.world).moves]
    pure, moved = counted(dream, told, codes).argmax(axis=1)[codes] == effect, np.isin(effect, moves)
    return Measured(
        len(codes), int(n.sum()), clustered_rate(good[0], n), clustered_rate(good[1], n), ratio(good[0] - good[1], n),
        clustered_rate(whole[0], counts), clustered_rate(whole[1], counts),
        clustered_rate(_sums(told.episode, pure), counts), float(np.bincount(effect).max() / len(effect)),
        clustered_rate(_sums(told.episode, pure & moved), _sums(told.episode, moved)),
        int((np.bincount(codes, minlength=dream.codes) > 0.01 * len(codes)).sum()),
    )  # fmt: skip


class Forced(NamedTuple):
    """Codes that are chosen in any state, beside what the true kernel does with the actions that they mean."""

    verb: str
    states: int
    changed: Estimate  # share of the facts that really change which are right
    frames: Estimate  # share of whole inner frames that are right


def forced(dream: Dream, told: Pairs, codes: Mapping[int, int]) -> list[Forced]:
    """A row for each action of ``codes`` (see ``keys``): its code is chosen at all states whose player may act so."""
    found = []
    for verb, code in codes.items():
        rows, true = _really(told, verb)
        if not len(rows):
            continue
        before, episode = told.before[rows], told.episode[rows]
        right = facts(dreamt(dream, before, np.full(len(rows), code))) == facts(true)
        changed = facts(before) != facts(true)
        n = _sums(episode, changed.sum(axis=1))
        share = clustered_rate(_sums(episode, (right & changed).sum(axis=1)), n) if n.any() else Estimate(*[np.nan] * 3)
        frames = clustered_rate(_sums(episode, right.all(axis=1)), _sums(episode, np.ones(len(rows))))
        found.append(Forced(told.env.verbs[verb], len(rows), share, frames))
    return found


def _really(told: Pairs, verb: int) -> tuple[np.ndarray, Frames]:
    """The pairs whose player may act so, and the frames that really follow."""
    env, rows, frames = told.env, [], []
    for tick, states in enumerate(told.states):
        own = np.flatnonzero(told.places[:, 0] == tick)
        lanes = told.places[own, 1]
        may = env.observe(states).mask[lanes, 0, verb] > 0
        after = type(states)(*(part.copy() for part in states))
        env.step(after, np.full((len(after.done), 1, 2), (verb, 0), np.int32))
        may &= after.done[lanes] == 0
        rows.append(own[may])
        frames.append(seen(env, after)[lanes[may]])
    return np.concatenate(rows), joined(frames)


def _sums(episode: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(E,) the sum of each episode."""
    return np.bincount(episode, values)[np.unique(episode)]


def labelled(world: str, seed: int) -> Pairs:
    """LABELLED pairs of the rules, whose actions are told."""
    found = played(environment(world, 32), range(seed, seed + 2), "rules", 0.3, LABELLED // 2)
    parts = (name for name in Pairs._fields if name not in ("states", "env"))
    return found._replace(**{name: getattr(found, name)[:LABELLED] for name in parts})


def joined_pairs(parts: Sequence[Pairs]) -> Pairs:
    """All pairs, without their states; the episodes of each part are others, the world is the same."""
    first = np.cumsum([0, *(part.episode.max() + 1 for part in parts[:-1])])
    episode = np.concatenate([part.episode + k for part, k in zip(parts, first, strict=True)])
    before, after = joined([part.before for part in parts]), joined([part.after for part in parts])
    actions, places = np.concatenate([part.actions for part in parts]), np.zeros((len(episode), 2), int)
    return Pairs(before, after, actions, episode, [], places, parts[0].env)


def trials(world: str, seeds: Sequence[int], policy: str, noise: float, ticks: int = TICKS) -> list[Pairs]:
    """Episodes for tests, on maps of each of SIZES."""
    parts = [seeds[k :: len(SIZES)] for k in range(len(SIZES))]
    envs = [environment(world, size) for size in SIZES]
    return [played(env, own, policy, noise, ticks) for env, own in zip(envs, parts, strict=True)]

"""Worked examples for a base model: decisions of the policy ``rules`` in episodes of its own."""

from typing import NamedTuple

from sandbox.agents.speech import observed
from sandbox.core.decision import Percept
from sandbox.engine.environment import Environment
from sandbox.engine.episode import Episode

POLICY = "rules"
SEED = 2**64 - 1  # of the first episode; the others count down, from the last seed there is
TICKS = 200  # that are played, at most, of all episodes
MOST = 6_000  # bytes of all percepts


class Example(NamedTuple):
    """What an agent perceived as text, and what it did."""

    words: str
    verb: int
    target: int


def worked(env: Environment, count: int) -> list[Example]:
    """At most ``count`` decisions of the first agent, in their order.

    The first decision with each verb comes in, then the earliest of the others, as long as their percepts fit in
    ``MOST`` bytes. Empty for a world without the policy.
    """
    if not count or POLICY not in env.world.policies:
        return []
    played = _played(env)
    firsts = {example.verb: k for k, example in reversed([*enumerate(played)])}
    chosen, room = set(), MOST
    for k in dict.fromkeys([*sorted(firsts.values()), *range(len(played))]):
        size = len(played[k].words.encode())
        if len(chosen) < count and size <= room:
            chosen.add(k)
            room -= size
    return [played[k] for k in sorted(chosen)]


def _played(env: Environment) -> list[Example]:
    """The decisions of the first agent in which it had a choice, of one episode after the other."""
    episode, found, seed = Episode(env, SEED, [POLICY] * env.agents, env.company(1)), [], SEED
    for _ in range(TICKS):
        if episode.state.done[0]:
            seed -= 1
            episode = Episode(env, seed, [POLICY] * env.agents, env.company(1))
        episode.sense()
        episode.choose()
        percept = Percept.of(episode.observation, 0, int(episode.state.tick[0]))
        verb, target = map(int, episode.actions[0, 0])
        if percept.mask.sum() > 1 and percept.mask[verb * env.world.targets + target]:
            found.append(Example(observed(env, percept), verb, target))
        episode.mask_actions()
        episode.act()
        episode.end_tick()
    return found

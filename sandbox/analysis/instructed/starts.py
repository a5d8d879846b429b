"""States in which an agent is told something: in the middle of episodes of a policy with random actions between."""

from collections.abc import Iterator

import numpy as np

from sandbox.analysis.instructed.plans import Lanes, instructed
from sandbox.analysis.noisy_play import noisy_play
from sandbox.engine.environment import Environment

NOISE, LATEST = 0.3, 60  # share of random actions; ticks before a start, at most


def starts(env: Environment, seeds: range) -> Iterator[Lanes]:
    """One lane for each seed, at a drawn tick of its episode; without those that end before."""
    rng = np.random.default_rng(seeds.start)
    for seed in seeds:
        last = int(rng.integers(LATEST))
        played = noisy_play(env, [seed], instructed(env.world).policy, np.full(1, NOISE), rng)
        state = env.reset([seed])
        for _, (_, _, after) in zip(range(last), played, strict=False):
            state = after
        lanes = Lanes(state, env.observe(state))
        if not lanes.over.any():
            yield lanes

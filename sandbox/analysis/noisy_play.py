"""Episodes of a policy that now and then acts at random: states that the policy alone would not reach."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sandbox.engine.environment import Environment


def noisy_play(
    env: Environment, seeds: Sequence[int], policy: str, noise: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[Any, np.ndarray, Any]]:
    """The state before a tick, the actions, and the state after it, tick by tick, until all lanes are done.

    A lane has a seed and, in ``noise`` (L,), the share of its actions that are random legal ones.
    """
    lanes = len(seeds)
    state, memory, seen = env.reset(seeds), env.memory(lanes), env.observation(lanes)
    actions, drawn = (np.zeros((lanes, env.agents, 2), np.int32) for _ in range(2))
    team = np.arange(env.agents, dtype=np.int32)
    while not state.done.all():
        env.observe(state, seen)
        view = state if policy in env.world.sighted else seen
        for lane, dice in enumerate(rng.integers(1 << 62, size=lanes).astype(np.uint64)):
            env.world.policies[policy](view, lane, env.params, memory, team, dice, actions)
            env.world.policies["random"](seen, lane, env.params, memory, team, dice, drawn)
        random = rng.random(drawn.shape[:2]) < noise[:, None]
        actions[random] = drawn[random]
        before = type(state)(*(part.copy() for part in state))
        env.step(state, actions)
        yield before, actions.copy(), state

"""How far a learned world model drifts from the world, with the actions that were really taken.

From true states of real episodes, the model plays the recorded actions; its states are compared with those that came,
fact by fact (``World.ground_truth``). The error is the share of wrong facts among those that have changed. Beside it:
the world's own rules with other dice, the best that any model can do on the average, and a copy, which predicts no
change and is always wrong.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.world_model import WorldModel
from sandbox.engine.arrays import copy_lane
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.environment import Environment
from sandbox.engine.learned import learned_step, members, network, weights_of
from sandbox.statistics import Estimate, clustered_rate

HORIZONS = 1, 5, 13, 34  # ticks
EVERY = 7  # ticks from one beginning to the next
FUTURES = 4  # played from each beginning
LEARNED, EXACT = range(2)


class Drift(NamedTuple):
    """The errors at one horizon."""

    horizon: int  # ticks
    changed: int  # facts that had changed
    learned: Estimate  # share of these that was wrong
    exact: Estimate  # the same of the world's rules with other dice
    alarms: float  # facts that changed in the model only, for each that really did
    exact_alarms: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values: estimates as [value, low, high], rounded."""
        return {
            name: [round(float(part), 4) for part in value] if isinstance(value, Estimate) else round(value, 4)
            for name, value in self._asdict().items()
        }

    @property
    def ratio(self) -> float:
        """The learned model's error in those of the rules with other dice."""
        return self.learned.value / self.exact.value if self.exact.value else float("inf")


def drift(
    env: Environment, model: WorldModel, seeds: Sequence[int], policy: str, noise: float = 0.0,
    horizons: Sequence[int] = HORIZONS, ticks: int = 200,
) -> list[Drift]:  # fmt: skip
    """The errors of a learned model on episodes of ``policy``, of which the share ``noise`` of actions is random."""
    found = weights_of(env.world, model)
    counts = np.array([_episode(env, found, seed, policy, noise, horizons, ticks) for seed in seeds])
    return [_measured(horizon, counts[:, k]) for k, horizon in enumerate(horizons)]


def _measured(horizon: int, counts: np.ndarray) -> Drift:
    """``counts`` (episodes, 2 models, 3: changed, wrong, false alarms)."""
    changed = counts[:, LEARNED, 0]
    total = max(1.0, changed.sum())
    errors = [clustered_rate(counts[:, way, 1], changed) for way in (LEARNED, EXACT)]
    return Drift(horizon, int(changed.sum()), *errors, *(counts[:, way, 2].sum() / total for way in (LEARNED, EXACT)))


def _episode(
    env: Environment, found: Any, seed: int, policy: str, noise: float, horizons: Any, ticks: int
) -> np.ndarray:
    """Counts (horizons, models, 3) of one episode."""
    facts = lambda state, lane: env.world.ground_truth(state, lane, env.params)  # noqa: E731
    rng = np.random.default_rng(seed)
    states, taken = [], []
    for before, actions, after in noisy_play(env, [seed], policy, np.array([noise]), rng):
        states, taken = [*states, before], [*taken, actions]
        if after.done[0] or len(taken) == ticks:
            states.append(type(after)(*(part.copy() for part in after)))
            break
    came, counts = [facts(state, 0) for state in states], np.zeros((len(horizons), 2, 3))
    net, step = network(env.world, env.params, [found]), learned_step(env.world)
    copy = env.allocate(1)
    for start in range(0, len(taken), EVERY):
        for way in (LEARNED, EXACT):
            for future in range(FUTURES):
                copy_lane(states[start], 0, copy, 0)
                copy.seed[0] = draw(np.uint64(seed), np.int32(start), IMAGINED, future)
                net.member[0] = future % members(found)
                for tick in range(1, horizons[-1] + 1):
                    if start + tick >= len(came):
                        break
                    if way == LEARNED:
                        step(copy, 0, taken[start + tick - 1], env.params, net)
                    else:
                        env.world.step(copy, 0, taken[start + tick - 1], env.params)
                    if tick in horizons:
                        new = came[start + tick] != came[start]
                        told = facts(copy, 0)
                        wrong, false = told != came[start + tick], (told != came[start]) & ~new
                        counts[horizons.index(tick), way] += new.sum(), wrong[new].sum(), false.sum()
    return counts / FUTURES

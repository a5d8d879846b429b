"""How far a learned world model drifts from the world, with the actions that were really taken.

From true states of real episodes, the model plays the recorded actions; its states are compared with those that came,
fact by fact (``World.ground_truth``). The error is the share of wrong facts among those that have changed. Beside it:
the world's own rules with other dice, the best that any model can do on the average, and a copy, which predicts no
change and is always wrong.
"""

from collections.abc import Callable, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.world_model import WorldModel
from sandbox.engine.arrays import copy_lane
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.environment import Environment
from sandbox.engine.learned import stepper
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
    steps, horizons = (stepper(env, model, FUTURES), env.step), list(horizons)  # see LEARNED, EXACT
    counts = np.array([_episode(env, steps, seed, policy, noise, horizons, ticks) for seed in seeds])
    return [_measured(horizon, counts[:, k]) for k, horizon in enumerate(horizons)]


def _measured(horizon: int, counts: np.ndarray) -> Drift:
    """``counts`` (episodes, 2 models, 3: changed, wrong, false alarms)."""
    changed = counts[:, LEARNED, 0]
    total = max(1.0, changed.sum())
    learned, exact = (clustered_rate(counts[:, way, 1], changed) for way in (LEARNED, EXACT))
    alarms, exact_alarms = (float(counts[:, way, 2].sum() / total) for way in (LEARNED, EXACT))
    return Drift(horizon, int(changed.sum()), learned, exact, alarms, exact_alarms)


def _episode(
    env: Environment, steps: Sequence[Callable], seed: int, policy: str, noise: float, horizons: Sequence[int],
    ticks: int,
) -> np.ndarray:  # fmt: skip
    """Counts (horizons, models, 3) of one episode."""
    states, taken = _played(env, seed, policy, noise, ticks)
    came = [env.world.ground_truth(state, 0, env.params) for state in states]
    counts, futures = np.zeros((len(horizons), 2, 3)), env.allocate(FUTURES)
    for (way, step), start in product(enumerate(steps), range(0, len(taken), EVERY)):
        for k in range(FUTURES):
            copy_lane(states[start], 0, futures, k)
            futures.seed[k] = draw(np.uint64(seed), np.int32(start), IMAGINED, k)
        for tick, actions in enumerate(taken[start : start + horizons[-1]], 1):
            step(futures, np.repeat(actions, FUTURES, axis=0))
            if tick in horizons:
                for k in range(FUTURES):
                    told = env.world.ground_truth(futures, k, env.params)
                    counts[horizons.index(tick), way] += _errors(came[start], came[start + tick], told)
    return counts / FUTURES


def _errors(before: np.ndarray, now: np.ndarray, told: np.ndarray) -> tuple[int, int, int]:
    """Facts that have changed; of these, the wrong ones; facts that changed in the model only."""
    changed = now != before
    return changed.sum(), (told != now)[changed].sum(), ((told != before) & ~changed).sum()


def _played(env: Environment, seed: int, policy: str, noise: float, ticks: int) -> tuple[list[Any], list[np.ndarray]]:
    """The states of an episode, and the actions between them."""
    states: list[Any] = [env.reset([seed])]
    taken: list[np.ndarray] = []
    played = noisy_play(env, [seed], policy, np.array([noise]), np.random.default_rng(seed))
    for _, actions, after in islice(played, ticks):
        states.append(type(after)(*(part.copy() for part in after)))
        taken.append(actions)
    return states, taken

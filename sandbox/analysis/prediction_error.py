"""Prediction error of imagination by horizon, on facts that changed, in view and out of view.

At some ticks of real episodes, one agent forms a belief from its observation and memory, and futures are unrolled from
it, as in ``search``. They are compared with the real future, fact by fact (``World.ground_truth``). The error is the
share of wrong predictions among the facts that have changed since. The baseline predicts no change (persistence, the
reference of forecasters).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.plain import whole
from sandbox.core.world_model import WorldModel
from sandbox.engine.draw import IMAGINED, draw
from sandbox.engine.environment import Environment
from sandbox.engine.episode import Episode
from sandbox.engine.imagine import believe, unroll
from sandbox.scenario import Scenario
from sandbox.statistics import Estimate, clustered_rate

HORIZONS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
EVERY = 5  # ticks from one moment of belief to the next
VIEWS = ("in view", "out of view")  # at the moment of belief
CHANGED, MISSED, STILL, FALSE = range(4)  # the counts


class Foresight(NamedTuple):
    """The errors of forecasts for one horizon and one view."""

    horizon: int  # ticks
    view: str
    changed: int  # facts that had changed at the horizon
    error: Estimate | None  # share of these that was predicted wrongly; None if nothing changed
    still: Estimate | None  # the same for the baseline that predicts no change
    alarms: float  # predicted changes that did not occur, for each that did


def foresight(
    scenario: Scenario, trials: int, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Foresight]:
    """Measure the world model of the scenario's first agents on ``trials`` seeds, played by its base policy.

    ``on_progress`` is called with the episodes done and all. Raises UsageError for a horizon of 0.
    """
    model, env = scenario.agents[0].world_model, scenario.env()
    horizons = [h for h in HORIZONS if h <= model.horizon]
    if not horizons:
        raise UsageError("foresight: agents[0].world_model.horizon is 0; expected a tick or more to look ahead")
    trials = whole(trials, "trials", 2)
    counts = np.zeros((trials, len(horizons), len(VIEWS), 4))
    for k in range(trials):
        on_progress(k, trials)
        counts[k] = _episode(env, model, scenario.seed + k, horizons)
    on_progress(trials, trials)
    return [_measured(h, view, counts[:, i, v]) for v, view in enumerate(VIEWS) for i, h in enumerate(horizons)]


def _measured(horizon: int, view: str, counts: np.ndarray) -> Foresight:
    changed, missed, still, false = counts.T
    total = changed.sum()
    if total == 0:
        return Foresight(horizon, view, 0, None, None, 0.0)
    shares = clustered_rate(missed, changed), clustered_rate(still, changed)
    return Foresight(horizon, view, int(total), *shares, float(false.sum() / total))


def _episode(env: Environment, model: WorldModel, seed: int, horizons: Sequence[int]) -> np.ndarray:
    """Counts (horizons, views, 4) over all moments of one episode."""
    episode = Episode(env, seed, [model.base] * env.agents)
    state, moments = episode.state, []
    came = [env.world.ground_truth(state, 0, env.params)]
    while state.done[0] == 0:
        episode.sense()
        tick = int(state.tick[0])
        agent = tick // EVERY % env.agents
        if tick % EVERY == 0 and state.pos[0, agent, 0] >= 0:
            seen = env.world.visible(state, 0, agent, env.params)
            moments.append((tick, seen, _forecasts(episode, model, agent, seed, horizons)))
        episode.choose()
        episode.act()
        came.append(env.world.ground_truth(state, 0, env.params))
    return _count(came, moments, horizons)


def _forecasts(episode: Episode, model: WorldModel, agent: int, seed: int, horizons: Sequence[int]) -> list[np.ndarray]:
    """Predicted facts (futures, facts) at the moment of belief, then at each horizon."""
    dice = [draw(np.uint64(seed), np.int32(k), IMAGINED, 0) for k in range(model.futures)]
    env, belief = episode.env, believe(episode.env, episode.observation, episode.memory, agent, dice)

    def facts(state: Any) -> np.ndarray:
        return np.array([env.world.ground_truth(state, lane, env.params) for lane in range(model.futures)])

    found, nothing = [facts(belief.state)], np.zeros((1, 0, 2), np.int32)  # an empty plan: the base policy acts
    for tick, state in enumerate(unroll(env, belief, nothing, horizons[-1], model.base, model), 1):
        if tick in horizons:
            found.append(facts(state))
    return found


def _count(came: list[np.ndarray], moments: list[tuple], horizons: Sequence[int]) -> np.ndarray:
    """Counts over all moments whose horizon the episode has reached."""
    counts = np.zeros((len(horizons), len(VIEWS), 4))
    for tick, seen, (before, *later) in moments:
        for i, (horizon, foreseen) in enumerate(zip(horizons, later, strict=True)):
            if tick + horizon >= len(came):
                break
            truth = came[tick + horizon]
            changed = truth != came[tick]
            missed, still = (foreseen != truth).mean(axis=0), (before != truth).mean(axis=0)
            false = (foreseen != before).mean(axis=0)
            for v, where in enumerate((seen, ~seen)):
                new, old = changed & where, ~changed & where
                counts[i, v] += new.sum(), missed[new].sum(), still[new].sum(), false[old].sum()
    return counts

"""The world model from Python: beliefs, and futures that can be inspected. Search does the same in one kernel."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sandbox.core import plain
from sandbox.core.errors import UsageError, shown
from sandbox.core.plain import whole
from sandbox.core.world import Observation
from sandbox.core.world_model import WorldModel, check_base, check_believes
from sandbox.engine.arrays import LANES, TICKS, whole_array
from sandbox.engine.draw import POLICY, draw
from sandbox.engine.environment import Environment
from sandbox.engine.learned import stepper
from sandbox.engine.workspace import own_rows


class Belief(NamedTuple):
    """K beliefs of one agent: draws of the facts that it does not know, each with its own random numbers."""

    agent: int
    state: tuple  # State of K lanes
    memory: tuple  # Memory of K lanes: the agent's own row; other rows are empty


class Futures(NamedTuple):
    """The results of P plans in each of K beliefs."""

    state: tuple  # State of P * K lanes, plan by plan
    reward: np.ndarray  # (P, K) float64, of all agents


def believe(
    env: Environment, observation: Observation, memory, agent: int, seeds: Sequence[int], lane: int = 0
) -> Belief:
    """The beliefs of ``agent``, from its rows of ``observation`` and ``memory`` alone, one for each of ``seeds``."""
    _check_env(env, "believe")
    check_believes(env.world, "believe")
    seeds, lane = plain.seeds(seeds), env.observations.lane(observation, lane, "believe")
    env.memories.lanes(memory, "believe", env.observations.lanes(observation, "believe"))
    agent = whole(agent, "believe: agent", 0, env.agents - 1)
    state, mind = env.allocate(len(seeds)), env.memory(len(seeds))
    for k, seed in enumerate(seeds):
        env.world.believe(observation, lane, agent, memory, env.params, seed, state, k)
    for own, believed in own_rows(memory, mind, env.agents):
        believed[:, agent] = own[lane, agent]
    return Belief(agent, state, mind)


def unroll(
    env: Environment, belief: Belief, plans: np.ndarray, ticks: int, base: str = "rules",
    model: WorldModel | None = None,
) -> Iterator[tuple]:  # fmt: skip
    """Play all plans in all beliefs; yields the state, plan by plan, after each tick.

    ``plans`` is (P, T, 2) int32: verbs and targets of the agent's first T ticks; then ``base`` acts for it. All other
    agents with a believed place follow ``base`` from the beginning. A ``model`` of the kind ``learned`` predicts the
    ticks; else the rules do. Raises UsageError for a ``base`` that sees the state.
    """
    _check_env(env, "imagine")
    check_base(base, env.world, "imagine")
    worlds, ticks = _worlds(env, belief), whole(ticks, "imagine: ticks", 0, TICKS)
    plans = whole_array(plans, "imagine: plans", (None, None, 2), np.int32, 0, LANES)
    return _unroll(env, belief, plans, worlds, ticks, base, stepper(env, model, worlds))


def _check_env(env: Environment, where: str) -> None:
    if not isinstance(env, Environment):
        raise UsageError(f"{where}: env {shown(env)}, expected what sandbox.make() returns")


def _worlds(env: Environment, belief: Belief) -> int:
    """The number of draws of a belief."""
    if not isinstance(belief, Belief):
        raise UsageError(f"imagine: belief {shown(belief)}, expected what believe() returns")
    whole(belief.agent, "imagine: agent", 0, env.agents - 1)
    return env.memories.lanes(belief.memory, "imagine", env.states.lanes(belief.state, "imagine"))


def _unroll(
    env: Environment, belief: Belief, plans: np.ndarray, worlds: int, ticks: int, base: str, step: Callable
) -> Iterator[tuple]:
    lanes = [k for _ in plans for k in range(worlds)]
    state, mind = belief.state._make(field[lanes] for field in belief.state), _minds(env, belief, lanes)
    observation, actions = env.observation(len(lanes)), np.zeros((len(lanes), env.agents, 2), np.int32)
    for tick in range(ticks):
        env.observe(state, observation)
        actions[...] = env.params.noop, 0
        for lane in range(len(lanes)):
            planned = tick < plans.shape[1]
            there = np.flatnonzero(state.pos[lane, :, 0] >= 0).astype(np.int32)
            team = there[there != belief.agent] if planned else there
            dice = draw(state.seed[lane], state.tick[lane], POLICY, 0)
            env.world.policies[base](observation, lane, env.params, mind, team, np.uint64(dice), actions)
            if planned:
                actions[lane, belief.agent] = plans[lane // worlds, tick]
        step(state, actions)
        yield state


def _minds(env: Environment, belief: Belief, lanes: list[int]):
    """Memory for ``lanes`` of a belief. Only rows of agents with a place are copied: in a crowd, most are not used."""
    minds, there = env.memory(len(lanes)), np.flatnonzero((belief.state.pos[:, :, 0] >= 0).any(axis=0))
    for own, rows in own_rows(belief.memory, minds, env.agents):
        rows[:, there] = own[np.ix_(lanes, there)]
    return minds


def imagine(env: Environment, belief: Belief, plans: np.ndarray, ticks: int, base: str = "rules") -> Futures:
    """The futures of each plan (see :func:`unroll`), and their rewards."""
    future, state = unroll(env, belief, plans, ticks, base), belief.state
    lanes = len(plans) * len(state.seed)
    reward, running = np.zeros(lanes), np.ones(lanes, bool)
    for state in future:
        reward += np.where(running, state.reward.sum(axis=1), 0)
        running = state.done == 0
    return Futures(state, reward.reshape(len(plans), -1))

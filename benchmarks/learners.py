"""Environments for learners: many lanes in one call, beside vector environments of other packages."""

from collections.abc import Callable
from functools import partial

import numpy as np
import supersuit
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

import sandbox
from benchmarks.report import Figure
from benchmarks.rounds import Pace, in_turns
from sandbox.envs.episodes import Episodes

LANES, FEW, PROCESSES = 4096, 8, 2
COPIES = 64  # teams that SuperSuit steps one after the other
EPISODE = {"deliveries": 0, "max_ticks": 500}
ONE = partial(sandbox.gym_env, "warehouse", layout="tiny", flat=True, **EPISODE)
MANY = partial(sandbox.vector_env, "warehouse", layout="tiny", flat=True, **EPISODE)
TEAM = partial(sandbox.parallel_env, "warehouse", layout="tiny", flat=True, **EPISODE)
# What RobotWarehouse of jumanji is by default: RWARE's small hall, four robots that see 3 x 3 cells, eight requests.
SMALL = {"layout": "small", "agents": 4, "requests": 8, "board": False, **EPISODE}


def stepped(step: Callable, agents: int, ticks: int) -> int:
    """Step with actions that are drawn beforehand, at no cost to anybody."""
    actions = np.random.default_rng(0).integers(0, 5, (64, agents))
    for tick in range(ticks):
        step(actions[tick % 64])
    return agents * ticks


def lanes(quick: bool) -> list[Figure]:
    """Warehouse tiny, random actions, flat observations and infos, resets: one robot each; SuperSuit has teams of 4."""
    ticks, many = 200 if quick else 1000, 256 if quick else LANES
    teams = supersuit.pettingzoo_env_to_vec_env_v1(TEAM())
    contestants = [
        (f"SB3 SubprocVecEnv, {PROCESSES} processes", SubprocVecEnv([ONE] * PROCESSES), PROCESSES),
        (f"SB3 SubprocVecEnv, {FEW} processes", SubprocVecEnv([ONE] * FEW), FEW),
        ("SB3 DummyVecEnv", DummyVecEnv([ONE] * FEW), FEW),
        (f"Gymnasium AsyncVectorEnv, {PROCESSES} processes", AsyncVectorEnv([ONE] * PROCESSES), PROCESSES),
        (f"Gymnasium AsyncVectorEnv, {FEW} processes", AsyncVectorEnv([ONE] * FEW), FEW),
        ("Gymnasium SyncVectorEnv", SyncVectorEnv([ONE] * FEW), FEW),
        ("Gymnasium SyncVectorEnv", SyncVectorEnv([ONE] * many), many),
        ("PettingZoo and SuperSuit", supersuit.concat_vec_envs_v1(teams, COPIES, base_class="gymnasium"), 4 * COPIES),
        *(("ours, vector_env", MANY(count), count) for count in (FEW, 256, LANES)),
    ]
    paces = []
    for name, env, count in contestants:
        env.reset()
        stepped(env.step, count, 5)  # compiles
        paces.append(Pace(f"{name}: {count:,} agents", partial(stepped, env.step, count, max(5, FEW * ticks // count))))
    in_turns(3 if quick else 7, *paces)
    for _, env, _ in contestants:
        env.close()
    figures = [pace.figure("agent-steps") for pace in paces]
    best = max(figures[:-3], key=lambda figure: figure.median)
    return [*figures[:-3], *(figure._replace(beside=best) for figure in figures[-3:])]


def jumanji_robots(actions: np.ndarray) -> list[Pace]:
    """Teams of jumanji's RobotWarehouse, ``actions`` (ticks, teams, agents): a call a tick, and all ticks in one call.

    Compiled by XLA. In one call its observations are only added up.
    """
    import jax  # here, since processes of the other part are forked
    from jumanji.environments import RobotWarehouse
    from jumanji.wrappers import VmapAutoResetWrapper

    peer_env, (ticks, teams, _) = VmapAutoResetWrapper(RobotWarehouse()), actions.shape
    step = jax.jit(peer_env.step)
    begun = jax.jit(peer_env.reset)(jax.random.split(jax.random.PRNGKey(0), teams))[0]

    @jax.jit
    def rollout(state, actions):
        def one(state, joint):
            state, timestep = peer_env.step(state, joint)
            seen = timestep.observation
            return state, (timestep.reward.sum(), seen.agents_view.sum(), seen.action_mask.sum())

        return jax.lax.scan(one, state, actions)

    def by_tick() -> int:
        state = begun
        for joint in actions:
            state, timestep = step(state, joint)
        jax.block_until_ready(timestep)
        return actions.size

    def in_one_call() -> int:
        jax.block_until_ready(rollout(begun, actions))
        return actions.size

    name = "RobotWarehouse of jumanji"
    return [Pace(f"{name}, a call a tick", by_tick), Pace(f"{name}, {ticks} ticks a call", in_one_call)]


def robots(quick: bool) -> list[Figure]:
    """4,096 teams of four, random actions drawn beforehand, observations, masks, resets.

    A call a tick each, as learners need it; also 16 ticks in one call of jumanji. It works on all cores, ours on one,
    so that figures are for each second of CPU.
    """
    actions = np.random.default_rng(0).integers(0, 5, (16, LANES, 4), np.int32)
    paces = jumanji_robots(actions)
    episodes = Episodes(sandbox.make("warehouse", **SMALL), LANES)
    episodes.reset(np.ones(LANES, np.bool_), range(LANES))

    def ours() -> int:
        for joint in actions:
            episodes.step(joint, episodes.over)
        return actions.size

    paces.append(Pace("ours, a call a tick", ours))
    for pace in paces:
        pace.work()  # compiles
    in_turns(3 if quick else 7, *paces)
    called, whole, own = (pace.figure("agent-steps", cpu=True) for pace in paces)
    clocked = [pace.figure("agent-steps") for pace in paces]
    return [
        called, whole, own._replace(beside=max(called, whole, key=lambda figure: figure.median)),
        *clocked[:2], clocked[2]._replace(beside=max(clocked[:2], key=lambda figure: figure.median)),
    ]  # fmt: skip


PEERS = ("stable_baselines3", "gymnasium", "supersuit", "jumanji", "jax")
SPEEDS = {"lanes": lanes, "robots": robots}

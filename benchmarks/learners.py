"""Environments for learners: many lanes in one call, beside those of Stable-Baselines3 and Gymnasium."""

from functools import partial

import numpy as np
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

import sandbox
from benchmarks.report import Figure
from benchmarks.rounds import Pace, in_turns

WORLD = partial(sandbox.gym_env, "warehouse", layout="tiny", deliveries=0, max_ticks=500, flat=True)
LANES = partial(sandbox.vector_env, "warehouse", layout="tiny", deliveries=0, max_ticks=500, flat=True)
FEW = 8  # environments of the peers
PROCESSES = 2


def steps(env, lanes: int, ticks: int) -> int:
    """Step with actions that are drawn beforehand, at no cost to anybody."""
    actions = np.random.default_rng(0).integers(0, 5, (64, lanes))
    for tick in range(ticks):
        env.step(actions[tick % 64])
    return lanes * ticks


def lanes(quick: bool) -> list[Figure]:
    """Warehouse tiny, one robot, random actions, flat observations and infos, resets."""
    ticks, contestants = 200 if quick else 1000, []
    for name, make, count in (
        (f"SB3 SubprocVecEnv, {PROCESSES} processes", SubprocVecEnv, PROCESSES),
        (f"SB3 SubprocVecEnv, {FEW} processes", SubprocVecEnv, FEW),
        ("SB3 DummyVecEnv", DummyVecEnv, FEW),
        ("Gymnasium SyncVectorEnv", SyncVectorEnv, FEW),
    ):
        contestants.append((name, make([WORLD] * count), count))
    for count in (FEW, 256, 4096):
        contestants.append(("ours, vector_env", LANES(count), count))
    paces = []
    for name, env, count in contestants:
        env.reset()
        steps(env, count, 5)  # compile
        paces.append(Pace(f"{name} x {count:,}", partial(steps, env, count, max(10, 8 * ticks // count))))
    in_turns(3 if quick else 7, *paces)
    first, *others = (pace.figure() for pace in paces)
    for _, env, _ in contestants:
        env.close()
    return [first, *(figure._replace(beside=first) for figure in others)]


PEERS = ("stable_baselines3", "gymnasium")
SPEEDS = {"lanes": lanes}

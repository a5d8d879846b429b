"""Environments for learners: PettingZoo's and Gymnasium's own checks, and whole trajectories compared."""

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

import sandbox
from sandbox.core import registry

SMALL = {
    "warehouse": {"layout": "tiny", "agents": 3, "max_ticks": 60},
    "wildfire": {"height": 32, "width": 32},
    "craft": {"size": 24, "agents": 2},
    "web": {"agents": 2},
}


def _env(world: str, **options):
    return sandbox.parallel_env(world, **{**SMALL.get(world, {}), **options})


def _trajectory(env, seed: int, ticks: int = 60) -> list[bytes]:
    """The whole state after reset and after every tick of random legal play, and all that the agents were given."""
    rng, told = np.random.default_rng(1), []
    given, _ = env.reset(seed=seed)
    for _ in range(ticks):
        told.append(env.state().tobytes() + b"".join(_bytes(given[name]) for name in sorted(given)))
        if not env.agents:
            break
        actions = {name: rng.choice(np.flatnonzero(given[name]["action_mask"])) for name in env.agents}
        given, rewards, *_ = env.step(actions)
        told.append(json.dumps(rewards).encode())
    return told


def _bytes(given: dict) -> bytes:
    return given["action_mask"].tobytes() + b"".join(part.tobytes() for part in given["observation"].values())


@pytest.mark.parametrize("world", registry.names())
def test_pettingzoo_finds_nothing_wrong(world):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(_env(world), num_cycles=80)


@pytest.mark.parametrize("world", registry.names())
def test_a_seed_fixes_the_whole_trajectory(world):
    env = _env(world)
    first, other, again = _trajectory(env, 7), _trajectory(env, 8), _trajectory(env, 7)
    assert first == again == _trajectory(_env(world), 7)
    assert first != other and len(first) > 20


@pytest.mark.parametrize("world", registry.names())
def test_gymnasium_finds_nothing_wrong(world):
    options = {key: value for key, value in SMALL.get(world, {}).items() if key != "agents"}
    env = sandbox.gym_env(world, render_mode="rgb_array", **options)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        check_env(env)
    known = ("infinity", "does not have a spec", "not having a spec")  # vectors have no bounds; it is not registered
    told = [str(warning.message) for warning in raised]
    assert not [text for text in told if not any(reason in text for reason in known)], told


def test_the_seed_of_an_episode_is_the_seed_of_a_trial():
    env = _env("warehouse")
    env.reset(seed=5)
    stage = sandbox.make("warehouse", **SMALL["warehouse"])
    state = stage.reset([5])
    for _ in range(60):
        env.step(dict.fromkeys(env.agents, 1))
        stage.step(state, np.tile(np.array([1, 0], np.int32), (1, 3, 1)))
    assert env.state().tobytes() == b"".join(field[0].tobytes() for field in state)
    assert env.agents == []


def test_what_is_given_stays_as_it_was():
    env = _env("warehouse")
    given, _ = env.reset(seed=1)
    before = _bytes(given["agent_0"])
    env.step(dict.fromkeys(env.agents, 2))
    assert _bytes(given["agent_0"]) == before


def test_renderings():
    picture = _env("warehouse", render_mode="rgb_array")
    picture.reset(seed=1)
    assert picture.render().shape[2] == 3
    words = _env("warehouse", render_mode="ansi")
    words.reset(seed=1)
    assert "You are robot 2" in words.render()


def test_a_missing_extra_is_named():
    code = (
        "import sys; sys.modules['pettingzoo'] = None\nimport sandbox\n"
        "try: sandbox.parallel_env('warehouse')\nexcept sandbox.core.errors.UsageError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "pettingzoo" in told and "pip install 'sandbox[rl]'" in told

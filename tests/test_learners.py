"""What learners' libraries make of flat environments: they take them, and train on them.

Stable-Baselines3 and the others bring torch, so they are in an extra of their own; CI installs it.
"""

import os
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import sandbox

EXAMPLES = Path(__file__).parents[1] / "examples" / "agents"
TINY = {"layout": "tiny", "max_ticks": 100, "flat": True}


def peer(name: str):
    """A module of the extra ``peers``, which may be missing anywhere but in CI."""
    return import_module(name) if os.environ.get("CI") else pytest.importorskip(name)


@pytest.fixture(scope="module")
def one_thread():
    torch = peer("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_ppo_trains(one_thread):
    sb3, checker = peer("stable_baselines3"), peer("stable_baselines3.common.env_checker")
    env = sandbox.gym_env("warehouse", **TINY)
    checker.check_env(env)
    model = sb3.PPO("MlpPolicy", env, n_steps=500, batch_size=100, seed=1, device="cpu")
    before = [part.detach().clone() for part in model.policy.parameters()]
    model.learn(2000)
    assert model.num_timesteps == 2000 and len(model.ep_info_buffer) == 20, "episodes of 100 ticks"
    assert list(model.ep_success_buffer) == [False] * 20, "a robot alone does not deliver ten by chance"
    after = list(model.policy.parameters())
    assert all(bool(part.isfinite().all()) for part in after)
    assert any(bool((a != b).any()) for a, b in zip(before, after, strict=True))


def test_masked_ppo_trains_and_takes_legal_actions_only(one_thread):
    model = peer("sb3_contrib").MaskablePPO(
        "MlpPolicy",
        sandbox.gym_env("web", layout="click-button", flat=True),
        n_steps=500,
        batch_size=100,
        seed=1,
        device="cpu",
    )
    model.learn(2000)
    assert model.num_timesteps == 2000
    env = sandbox.gym_env("web", layout="click-button", flat=True)
    given, info = env.reset(seed=1)
    for _ in range(100):
        mask = env.action_masks()
        action, _ = model.predict(given, action_masks=mask)
        assert mask[action] and info["action_mask"][action]
        given, _, terminated, truncated, info = env.step(action)
        if terminated or truncated:
            given, info = env.reset()


WRAPPERS = {
    "flatten_v0": (), "pad_observations_v0": (), "pad_action_space_v0": (), "frame_stack_v1": (3,),
    "dtype_v0": (np.float64,), "agent_indicator_v0": (), "black_death_v3": (),
}  # fmt: skip


def _team():
    return sandbox.parallel_env("warehouse", agents=2, **{**TINY, "max_ticks": 15})


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_supersuit_wraps_a_team(wrapper):
    env = getattr(peer("supersuit"), wrapper)(_team(), *WRAPPERS[wrapper])
    given, _ = env.reset(seed=1)
    for _ in range(15):
        assert all(given[name] in env.observation_space(name) for name in given)
        given, *_ = env.step({name: env.action_space(name).sample() for name in env.agents})
    assert given


@pytest.mark.parametrize("base", ["gymnasium", "stable_baselines3"])
def test_supersuit_makes_vectors_of_teams(base, one_thread):
    supersuit = peer("supersuit")
    lanes = supersuit.pettingzoo_env_to_vec_env_v1(_team())
    env = supersuit.concat_vec_envs_v1(lanes, 2, num_cpus=0, base_class=base)
    env.reset()
    for _ in range(40):
        given, *_ = env.step(np.zeros(4, np.int64))
    assert given.shape == (4, *_team().observation_space("agent_0").shape)


@pytest.mark.parametrize("flat", [True, False])
def test_rllibs_connectors_flatten_it(flat):
    flattener = peer("ray.rllib.connectors.env_to_module").FlattenObservations
    episode_of = peer("ray.rllib.env.single_agent_episode").SingleAgentEpisode
    env = sandbox.gym_env("warehouse", **{**TINY, "flat": flat})
    spaces = {"observation_space": env.observation_space, "action_space": env.action_space}
    connector, episode = flattener(**{f"input_{key}": space for key, space in spaces.items()}), episode_of(**spaces)
    episode.add_env_reset(*env.reset(seed=1))
    given, reward, terminated, truncated, info = env.step(1)
    episode.add_env_step(given, 1, reward, info, terminated=terminated, truncated=truncated)
    connector(rl_module=None, batch={}, episodes=[episode], explore=True, shared_data={})
    assert episode.get_observations(-1) in connector.observation_space


def test_rllib_takes_a_team():
    env = peer("ray.rllib.env.wrappers.pettingzoo_env").ParallelPettingZooEnv(_team())
    given, _ = env.reset(seed=1)
    assert given in env.observation_space
    given, reward, *_ = env.step({"agent_0": 0, "agent_1": 1})
    assert given in env.observation_space and reward.keys() == {"agent_0", "agent_1"}


def test_a_policy_plays_from_its_onnx_file_as_it_does_from_its_own(one_thread, tmp_path, monkeypatch):
    peer("onnxruntime"), peer("sb3_contrib")
    monkeypatch.syspath_prepend(EXAMPLES)
    sb3_agent, onnx_agent = import_module("sb3_agent"), import_module("onnx_agent")
    options, file = {"layout": "click-button", "max_ticks": 4}, str(tmp_path / "policy")
    sb3_agent.train("web", options, file, 100)
    onnx_agent.export(file)
    policy, env = sb3_agent.Policy(file).model.policy, sandbox.gym_env("web", flat=True, **options)
    player, all_scores = onnx_agent.Policy(f"{file}.onnx"), []
    for seed in range(5):
        flat, _ = env.reset(seed=seed)
        (scores,) = player.session.run(None, {"observation": flat[None]})
        own = policy.get_distribution(policy.obs_to_tensor(flat)[0]).distribution.logits.detach().numpy()
        assert np.allclose(scores - scores.max(), own - own.max(), atol=1e-4)
        mask = np.arange(scores.size) == seed
        assert player.act(SimpleNamespace(flat=flat, mask=mask), {}) == seed, "the only action that has an effect"
        all_scores.append(scores)
    assert not np.allclose(all_scores[0], all_scores[1]), "it looks at what it is given"
    reasoner = f"python:{EXAMPLES / 'onnx_agent.py'}:Policy"
    group = {"reasoner": reasoner, "python": {"options": {"file": f"{file}.onnx"}}}
    outcome = sandbox.run({"world": {"name": "web", **options}, "agents": [group]}, seed=1)
    assert outcome.failure is None and outcome.own_decisions == outcome.ticks

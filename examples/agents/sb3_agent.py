"""An agent that Stable-Baselines3 trained: ``python examples/agents/sb3_agent.py WORLD OPTIONS FILE STEPS`` trains it.

``sandbox run SCENARIO --set agents.0.reasoner=python:examples/agents/sb3_agent.py:Policy`` plays it, with the file as
an option: ``--set agents.0.python.options.file=FILE``. Needs ``pip install sb3-contrib`` and the extra ``rl``.
"""

import json
import sys

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv

import sandbox

LANES = 256  # episodes at once


class Codes(BaseFeaturesExtractor):
    """Most entries of an observation are codes, such as 6 for a tree: each code gets a learned vector."""

    def __init__(self, space, codes=256, size=8):
        super().__init__(space, space.shape[0] * size)
        self.vectors = torch.nn.Embedding(codes, size)

    def forward(self, observation):
        return self.vectors(observation.long().clamp(0, self.vectors.num_embeddings - 1)).flatten(1)


class Lanes(VecEnv):
    """``sandbox.vector_env`` for Stable-Baselines3: many episodes, stepped by one compiled call."""

    def __init__(self, env, seed):
        self.env, self.first = env, seed
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self):
        return self.env.reset(seed=self.first)[0]

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        given, reward, ended, cut, told = self.env.step(self.actions)
        infos = [{} for _ in range(self.num_envs)]
        for lane in np.flatnonzero(ended | cut):
            last = {
                "terminal_observation": told["final_obs"][lane],
                "TimeLimit.truncated": cut[lane] and not ended[lane],
            }
            infos[lane] = last
        return given, reward.astype(np.float32), ended | cut, infos

    def env_method(self, name, *given, indices=None, **named):
        return list(getattr(self.env, name)(*given, **named))

    def get_attr(self, name, indices=None):
        return [getattr(self.env, name)] * self.num_envs

    def set_attr(self, name, value, indices=None):
        setattr(self.env, name, value)

    def env_is_wrapped(self, wrapper, indices=None):
        return [False] * self.num_envs

    def close(self):
        self.env.close()


class Policy:
    """Plays the file of a trained policy, for one agent or for each of a team."""

    def __init__(self, file):
        torch.set_num_threads(1)
        self.model = MaskablePPO.load(file, device="cpu")

    def reset(self, seed):
        self.model.set_random_seed(seed)

    def act(self, observation, legal):
        action, _ = self.model.predict(observation.flat, action_masks=observation.mask)  # drawn, as in training
        return action


def train(world, options, file, steps, seed=1):
    """Train a policy in a world with one agent, and save it."""
    torch.set_num_threads(1)
    env = sandbox.vector_env(world, LANES, flat=True, autoreset_mode="SameStep", **options)
    model = MaskablePPO(
        "MlpPolicy", Lanes(env, seed), n_steps=16, batch_size=1024, n_epochs=4, learning_rate=1e-3, ent_coef=0.01,
        seed=seed, policy_kwargs={"features_extractor_class": Codes}, device="cpu",
    )  # fmt: skip
    model.learn(steps).save(file)


if __name__ == "__main__":
    train(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]))

"""An agent that Stable-Baselines3 trained: ``python examples/agents/sb3_agent.py WORLD OPTIONS FILE STEPS`` trains it.

``sandbox run SCENARIO --set agents.0.reasoner=python:examples/agents/sb3_agent.py:Policy`` plays it, with the file as
an option: ``--set agents.0.python.options.file=FILE``. Needs ``pip install sb3-contrib`` and the extra ``rl``.
"""

import json
import sys

import torch
from sb3_contrib import MaskablePPO

import sandbox


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
    env = sandbox.gym_env(world, flat=True, **options)
    model = MaskablePPO("MlpPolicy", env, n_steps=1024, batch_size=256, seed=seed, device="cpu")
    model.learn(steps).save(file)


if __name__ == "__main__":
    train(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]))

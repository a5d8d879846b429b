"""Worlds for learners: Gymnasium environments for one agent, one lane or many, and PettingZoo's for a team.

An action is the number of a (verb, target) pair, ``verb * targets + target``. All pairs may be taken; those outside
the mask are no-ops. An observation is a dict: ``observation`` holds its window (C, K, K) int8, vector (V,) float32,
task (4,) int32 and, where the world has messages, inbox (M, 4) int32; ``action_mask`` (A,) int8 is 1 for the pairs
that have an effect. With ``flat=True`` it is one float32 vector: window, vector, task and inbox one after the other.
The mask is in ``info`` and ``action_masks()`` as well.
"""

from sandbox.envs.gym import SingleEnv, VectorEnv
from sandbox.envs.parallel import ParallelEnv

__all__ = ["ParallelEnv", "SingleEnv", "VectorEnv"]

"""A policy as an ONNX file, which ONNX Runtime plays without the library that trained it.

``python examples/agents/onnx_agent.py FILE`` exports FILE.zip of ``sb3_agent.py`` to FILE.onnx (needs torch and onnx);
``--set agents.0.reasoner=python:examples/agents/onnx_agent.py:Policy`` and
``--set agents.0.python.options.file=FILE.onnx`` play it (needs onnxruntime).
"""

import sys

import numpy as np
import onnxruntime


class Policy:
    """The action with the highest score among those that have an effect."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options)

    def act(self, observation, legal):
        (scores,) = self.session.run(None, {"observation": observation.flat[None]})
        return int(np.where(observation.mask, scores[0], -np.inf).argmax())


def export(file):
    """Write the scores of all actions, as a function of the observation, to FILE.onnx."""
    import torch
    from sb3_contrib import MaskablePPO

    policy = MaskablePPO.load(file, device="cpu").policy

    class Scores(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.policy = policy.requires_grad_(False)

        def forward(self, observation):
            features = policy.extract_features(observation)
            return policy.action_net(policy.mlp_extractor.forward_actor(features))

    size = policy.observation_space.shape
    torch.onnx.export(Scores(), (torch.zeros(1, *size),), f"{file}.onnx", input_names=["observation"], dynamo=False)


if __name__ == "__main__":
    export(sys.argv[1])

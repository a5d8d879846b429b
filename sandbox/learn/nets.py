"""What the trained nets have in common: a sum of rows of a table, two hidden layers, and a moving average of them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import optax

from sandbox.engine.layers import TOP
from sandbox.learn.quantise import logits_scale, quantised, scale_of


def first_params(rows: int, widths: tuple[int, int], outputs: int, seen: int, rng: np.random.Generator) -> dict:
    """Random weights, smaller the more inputs a layer has; ``seen`` of the table's ``rows`` are summed, about."""
    shapes = {"table": (rows, widths[0]), "middle": widths, "last": (widths[1], outputs)}
    inputs = {"table": seen, "middle": widths[0], "last": widths[1]}
    found = {name: rng.normal(0, inputs[name] ** -0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    biases = {"bias": widths[0], "middle_bias": widths[1], "last_bias": outputs}
    return found | {name: np.zeros(size, np.float32) for name, size in biases.items()}


def upper(params: Mapping[str, Any], sums: Any) -> tuple[Any, Any, Any]:
    """Activations of both hidden layers, and the logits, from the sums of rows."""
    first = jax.nn.relu(sums + params["bias"])
    second = jax.nn.relu(first @ params["middle"] + params["middle_bias"])
    return first, second, second @ params["last"] + params["last_bias"]


def whole(params: Mapping[str, np.ndarray], first: Any, second: Any, summed: int) -> dict[str, np.ndarray]:
    """The tensors of a net in integers (``engine.layers``), scaled by its activations on samples.

    At most ``summed`` rows of the table are added.
    """
    low, high = scale_of(np.asarray(first)), scale_of(np.asarray(second))
    layers = {
        "table": quantised(params["table"], params["bias"], 1.0, low, 1, summed),
        "middle": quantised(params["middle"], params["middle_bias"], low, high, TOP, len(params["middle"])),
        "last": quantised(params["last"], params["last_bias"], high, logits_scale(), TOP, len(params["last"])),
    }
    biases = {"table": "bias", "middle": "middle_bias", "last": "last_bias"}
    found = {name: layer.weights for name, layer in layers.items()}
    found |= {biases[name]: layer.bias for name, layer in layers.items()}
    return found | {"shifts": np.array([layer.shift for layer in layers.values()], np.int32)}


def averaged(optimiser: Any, share: float, params: Any, mean: Any, moments: Any, grads: Any) -> tuple[Any, Any, Any]:
    """Parameters, their moving average and the optimiser's moments after a step; ``share`` of the average stays."""
    changes, moments = optimiser.update(grads, moments)
    params = optax.apply_updates(params, changes)
    return params, optax.incremental_update(params, mean, 1 - share), moments


class Chunked(ABC):
    """A part of a job (see ``learn.training.Job``) that learns from episodes, which are added chunk by chunk."""

    seed: int
    ticks: int  # of episodes, at most
    params: Any
    mean: Any
    moments: Any
    chunks: int
    steps: int

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do; by default only the budget ends it."""
        return False

    @property
    @abstractmethod
    def pace(self) -> tuple[int, int]:
        """Ticks of a chunk, and steps of a round."""

    @abstractmethod
    def _add(self, chunk: int) -> None:
        """Add the episodes of a chunk."""

    @abstractmethod
    def _step(self, rng: np.random.Generator) -> float:
        """Learn from a batch; returns the loss before."""

    @abstractmethod
    def _line(self, loss: float) -> str:
        """The progress after a round of this mean loss."""

    def round(self) -> str:
        """More episodes, until there are enough, and some steps."""
        ticks, steps = self.pace
        if self.chunks * ticks < self.ticks:
            self._add(self.chunks)
            self.chunks += 1
        rng, total = np.random.default_rng([self.seed, 2, self.steps]), 0.0
        for _ in range(steps):
            total += self._step(rng)
            self.steps += 1
        return self._line(total / steps)

    def arrays(self) -> dict[str, np.ndarray]:
        """All that the job needs to continue, but the episodes."""
        leaves = jax.tree_util.tree_leaves((self.params, self.mean, self.moments))
        counts = {"chunks": np.array([self.chunks]), "steps": np.array([self.steps])}
        return {f"leaf{k}": np.asarray(leaf) for k, leaf in enumerate(leaves)} | counts

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue; the episodes are played again, from their seeds."""
        tree = jax.tree_util.tree_structure((self.params, self.mean, self.moments))
        leaves = [arrays[f"leaf{k}"] for k in range(tree.num_leaves)]
        self.params, self.mean, self.moments = jax.tree_util.tree_unflatten(tree, leaves)
        self.chunks, self.steps = int(arrays["chunks"][0]), int(arrays["steps"][0])
        for chunk in range(self.chunks):
            self._add(chunk)

"""Trains a learned world model (``engine.learned``) on episodes played here by a mixture of rules and chance.

For every place that is asked for, a sample is the rows of the table that it sees and the classes that came. The first
layer is a sum of such rows, which SciPy does as a sparse product; the rest is JAX. Weights are exported as a moving
average, in integers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse import csr_matrix

from sandbox.analysis.drift import drift
from sandbox.analysis.noisy_play import noisy_play
from sandbox.core.tokens import Practice, Tokens
from sandbox.core.world_model import WorldModel
from sandbox.engine.environment import Environment, make
from sandbox.engine.learned import blank, network, reporter, tokens_of
from sandbox.engine.registry import opened
from sandbox.learn import cards
from sandbox.learn.nets import Chunked, averaged, first_params, upper, whole

WIDTHS = 64, 32  # of the hidden layers
BATCH, STEPS = 1024, 60  # samples of a step; steps of a round
LANES, TICKS = 16, 250  # of the episodes that a round adds
NOISE = 0.0, 0.1, 0.3, 1.0  # shares of random legal actions, drawn for each lane
RATE, SLOWER, AVERAGE = 3e-3, 1500, 0.998  # learning rate, steps until it is lower by sqrt(2), moving average
TEST_SEEDS, TEST_NOISE = range(900_000, 900_010), 0.1  # of the card's figures


@dataclass
class Samples:
    """What was seen at places, and what came."""

    rows: np.ndarray  # (n, W) int32, then -1
    heads: np.ndarray  # (n,) int8
    classes: np.ndarray  # (n, H) int16

    def __len__(self) -> int:
        return len(self.heads)

    def __getitem__(self, chosen: np.ndarray) -> "Samples":
        return Samples(self.rows[chosen], self.heads[chosen], self.classes[chosen])


def practice(world: str) -> Practice:
    """The practice of a world; raises UsageError for one whose model cannot be learned."""
    return tokens_of(opened(world)).practice


class Witness:
    """What a net sees of true ticks, of at most so many lanes, and what came: the samples that the practice keeps."""

    def __init__(self, env: Environment, lanes: int):
        self._env, self._report = env, reporter(env.world)
        self._kept = np.array(tokens_of(env.world).practice.kept)
        self._net = network(env.world, env.params, [blank(env.world, env.params, *WIDTHS)])
        most = lanes * len(self._net.asked)
        self._rows, self._heads = np.empty((most, len(self._net.found)), np.int32), np.empty(most, np.int8)
        self._classes = np.empty((most, self._net.out.shape[1]), np.int16)

    def samples(
        self, before: Any, actions: np.ndarray, after: Any, to: np.ndarray, rng: np.random.Generator
    ) -> Samples:
        """Of one tick of the lanes of ``before``, which are the lanes ``to`` (L,) of ``after``."""
        room = self._net, self._rows, self._heads, self._classes
        count = self._report(before, actions, after, to, self._env.params, *room)
        rows, heads = self._rows[:count], self._heads[:count]
        own = np.flatnonzero(rng.random(count) < self._kept[heads]) if len(self._kept) else np.arange(count)
        wide = int((rows[own] >= 0).sum(axis=1).max(initial=1))
        return Samples(rows[own, :wide], heads[own], self._classes[own])


def collect(env: Environment, rng: np.random.Generator, shuffled: bool, policy: str = "rules") -> Samples:
    """The samples of TICKS ticks of LANES lanes. ``shuffled``: what is seen has the actions of other lanes."""
    witness, found, lanes = Witness(env, LANES), [], np.arange(LANES)
    first, noise = int(rng.integers(1 << 40)), rng.choice(NOISE, LANES)
    played = noisy_play(env, range(first, first + LANES), policy, noise, rng)
    for before, actions, after in islice(played, TICKS):
        told = actions[rng.permutation(LANES)] if shuffled else actions
        found.append(witness.samples(before, told, after, lanes, rng))
    return joined(found)


def joined(parts: Sequence[Samples]) -> Samples:
    """All samples of these parts, in order."""
    wide = max(part.rows.shape[1] for part in parts)
    rows = [np.pad(part.rows, ((0, 0), (0, wide - part.rows.shape[1])), constant_values=-1) for part in parts]
    return Samples(
        np.concatenate(rows),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("heads", "classes")),
    )


# -- the net in floats


def one_hot(rows: np.ndarray, width: int) -> csr_matrix:
    """(n, width) float32: 1 at each row that a sample sees."""
    counts = (rows >= 0).sum(axis=1)
    return csr_matrix(
        (np.ones(counts.sum(), np.float32), rows[rows >= 0], np.append(0, np.cumsum(counts))), (len(rows), width)
    )


def loss(params: Mapping[str, Any], sums: Any, heads: Any, classes: Any, tokens: Tokens) -> Any:
    """Mean cross-entropy, in nats: the sum over the channels of each sample's head."""
    logits, total, begin = upper(params, sums)[2], 0.0, 0
    for head, channels in enumerate(tokens.heads):
        for k, channel in enumerate(channels):
            own = logits[:, begin : begin + channel.classes]
            told = optax.softmax_cross_entropy_with_integer_labels(own, jnp.clip(classes[:, k], 0, channel.classes - 1))
            total, begin = total + jnp.where(heads == head, told, 0.0), begin + channel.classes
    return total.mean()


OPTIMISER = optax.adam(lambda step: RATE / jnp.sqrt(1 + step / SLOWER))


@cache
def graded(tokens: Tokens) -> Callable:
    """The loss of a world's tokens, with its gradients; compiled once for all trainings."""
    return jax.jit(jax.value_and_grad(partial(loss, tokens=tokens), argnums=(0, 1)))


@cache
def updated(average: float) -> Callable:
    """A step of the optimiser, of whose parameters a moving average is kept."""
    return jax.jit(partial(averaged, OPTIMISER, average))


@dataclass
class WorldModelJob(Chunked):
    """The training of a world model; see ``learn.training.Job``."""

    world: str
    seed: int = 0
    members: int = 1  # nets of an ensemble
    ticks: int = 200_000  # of episodes, at most
    shuffled: bool = False  # the control: trained on the actions of other lanes
    options: list[dict[str, Any]] = field(default_factory=list)  # by default those of the world's practice
    average: ClassVar[float] = AVERAGE
    batch: ClassVar[int] = BATCH
    scaling: ClassVar[int] = 20_000  # samples that choose the scales of the integers

    def __post_init__(self) -> None:
        self.options = self.options or practice(self.world).options()
        self.chunks, self.steps = 0, 0
        slots = self.environments[0].world.tokens.neighbours(self.environments[0].params).shape[1]
        rngs = [np.random.default_rng([self.seed, 1, k]) for k in range(self.members)]
        rows = slots * self.tokens.rows + self.tokens.own_rows
        self.params = [first_params(rows, WIDTHS, self.tokens.outputs, slots, rng) for rng in rngs]
        self.mean = [dict(own) for own in self.params]
        self.moments = [OPTIMISER.init(own) for own in self.params]

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "world": self.world, "seed": self.seed, "members": self.members, "ticks": self.ticks,
            "shuffled": self.shuffled, "options": self.options, "tokens": self.tokens.as_dict(),
        }  # fmt: skip

    @cached_property
    def environments(self) -> list[Environment]:
        return [make(self.world, **options) for options in self.options]

    @property
    def tokens(self) -> Tokens:
        return tokens_of(opened(self.world))

    @property
    def _graded(self) -> Any:
        return graded(self.tokens)

    @property
    def _updated(self) -> Any:
        return updated(self.average)

    # -- training ------------------------------------------------------------------------------------------------------

    @property
    def pace(self) -> tuple[int, int]:
        return LANES * TICKS, STEPS

    def _line(self, loss: float) -> str:
        return f"{self.chunks * LANES * TICKS:,} ticks, {self.steps:,} steps, loss {loss:.4f} nats"

    def _add(self, chunk: int) -> None:
        rng = np.random.default_rng([self.seed, 3, chunk])
        new = collect(self.environments[rng.integers(len(self.environments))], rng, self.shuffled)
        self.samples = joined([self.samples, new]) if chunk else new

    def _step(self, rng: np.random.Generator) -> float:
        """A step of each net, on a batch of its own; the mean of their losses."""
        batches = (self.samples[rng.integers(len(self.samples), size=self.batch)] for _ in range(self.members))
        return sum(self._learn(member, batch) for member, batch in enumerate(batches)) / self.members

    def _learn(self, member: int, batch: Samples) -> float:
        params = self.params[member]
        seen = one_hot(batch.rows, len(params["table"]))
        own = {name: value for name, value in params.items() if name != "table"}
        told, (grads, of_sums) = self._graded(own, seen @ np.asarray(params["table"]), batch.heads, batch.classes)
        grads = grads | {"table": seen.T @ np.asarray(of_sums)}
        self.params[member], self.mean[member], self.moments[member] = self._updated(
            params, self.mean[member], self.moments[member], grads
        )
        return float(told)

    # -- export --------------------------------------------------------------------------------------------------------

    def tensors(self) -> dict[str, np.ndarray]:
        """The nets in integers, as ``engine.learned`` reads them."""
        some = self.samples[np.random.default_rng(0).integers(len(self.samples), size=self.scaling)]
        nets = [self._whole(own, some) for own in self.mean]
        return {name: np.stack([net[name] for net in nets]) for name in nets[0]}

    def _whole(self, mean: Mapping[str, Any], some: Samples) -> dict[str, np.ndarray]:
        mean = {name: np.asarray(value) for name, value in mean.items()}
        first, second, _ = upper(mean, one_hot(some.rows, len(mean["table"])) @ mean["table"])
        return whole(mean, first, second, min(some.rows.shape[1] + 8, len(mean["table"])))


def write(job: WorldModelJob, path: Path, spent: float) -> dict[str, Any]:
    """Write the weights with their card, in one file and its card beside it; returns the card.

    The card has what the training was given, what it used, and the errors of ``analysis.drift`` on episodes of another
    policy, on seeds that no training used.
    """
    card = {
        **job.settings, "cpu_seconds": round(spent, 1), "steps": job.steps, "samples": len(job.samples),
        "ticks_seen": job.chunks * LANES * TICKS, "script_sha256": cards.of_scripts(__file__),
    }  # fmt: skip
    cards.write(path, job.tensors(), card)
    chosen, model = practice(job.world), WorldModel(kind="learned", weights=str(path))
    card["drift"] = [
        {"options": options, **row.as_dict()}
        for options in chosen.tests
        for row in drift(make(job.world, **options), model, TEST_SEEDS, chosen.policy, TEST_NOISE)
    ]
    return cards.write(path, job.tensors(), card)

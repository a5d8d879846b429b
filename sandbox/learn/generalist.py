"""Trains a generalist (``nets.generalist``) by imitating demonstrations in many worlds (``analysis.instructed``)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from sandbox.agents import wordllama
from sandbox.analysis.instructed import demonstrations, plans
from sandbox.analysis.instructed.demonstrations import Demonstrations, Place, demonstrated, joined, senses_of
from sandbox.analysis.instructed.plans import instructed
from sandbox.core.errors import UsageError, unknown
from sandbox.engine.environment import make
from sandbox.engine.registry import OURS, find
from sandbox.learn import cards
from sandbox.learn.nets import Chunked, averaged
from sandbox.learn.ppo import FORBIDDEN
from sandbox.nets import generalist as net
from sandbox.nets.generalist import CODES, COMMON, KIND, Senses, card_of, logits
from sandbox.record.whole import replacing

TOLD, NONE, SHUFFLED = "told", "none", "shuffled"  # language: the sentence, nothing, or that of another instruction
BATCH, STEPS = 128, 20  # samples of each world in a step; steps of a round
RATE, SLOWER, AVERAGE = 2e-3, 1000, 0.995  # learning rate, steps until it is lower by sqrt(2), moving average
TRAINED = 4  # paraphrases of each instruction; the others are kept for tests


def worlds(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The worlds with instructions, or those of these names; raises UsageError for others."""
    known = tuple(name for name in sorted(OURS) if find(name).instructed)
    for name in names:
        if name not in known:
            raise unknown("world", name, known, "learn generalist")
    return tuple(names) or known


def loss(params: Mapping[str, Any], batches: Mapping[str, tuple[Any, ...]]) -> Any:
    """Mean cross-entropy with what the demonstrators do, in nats."""
    total = 0.0
    for world, (codes, mask, pair, sentences) in batches.items():
        found = jnp.where(mask, logits(params, world, codes, sentences, jax.nn.one_hot, jnp), FORBIDDEN)
        total = total + optax.softmax_cross_entropy_with_integer_labels(found, pair).mean()
    return total / len(batches)


@dataclass
class GeneralistJob(Chunked):
    """The training of a generalist; see ``learn.training.Job``. ``demonstrations`` is a folder that trainings share."""

    demonstrations: Path
    names: tuple[str, ...] = ()
    seed: int = 0
    most: int = 10**9  # steps
    ticks: int = 20  # chunks of demonstrations, at most
    language: str = TOLD

    def __post_init__(self) -> None:
        self.names = worlds(self.names)
        if self.language not in (TOLD, NONE, SHUFFLED):
            raise unknown("language", self.language, (TOLD, NONE, SHUFFLED), "learn generalist")
        self.chunks, self.steps, self.samples = 0, 0, dict[str, Demonstrations]()
        self.shown = 0.0  # CPU seconds that the demonstrations took
        shapes = dict(COMMON)
        for world, senses in self.senses.items():
            shapes |= senses.shapes(world)
        rng = np.random.default_rng([self.seed, 1])
        self.params = {name: _first(name, shape, rng) for name, shape in shapes.items()}
        self.mean, self.moments = dict(self.params), self.optimiser.init(self.params)

    @property
    def is_over(self) -> bool:
        """Whether the number of steps is reached."""
        return self.steps >= self.most

    @property
    def settings(self) -> dict[str, Any]:
        return {"worlds": list(self.names), "seed": self.seed, "chunks": self.ticks, "language": self.language}

    @cached_property
    def optimiser(self) -> Any:
        return optax.adam(lambda step: RATE / jnp.sqrt(1 + step / SLOWER))

    @cached_property
    def senses(self) -> dict[str, Senses]:
        return {name: senses_of([make(name, **options) for options in instructed(find(name)).places])
                for name in self.names}  # fmt: skip

    @cached_property
    def sentences(self) -> dict[str, np.ndarray]:
        """(G, TRAINED, S) of each world."""
        told = {name: instructed(find(name)).instructions for name in self.names}
        return {name: np.stack([wordllama.embed(each.texts[:TRAINED]) for each in own]) for name, own in told.items()}

    @cached_property
    def _graded(self) -> Any:
        return jax.jit(jax.value_and_grad(loss))

    @cached_property
    def _updated(self) -> Any:
        return jax.jit(partial(averaged, self.optimiser, AVERAGE))

    # -- demonstrations ------------------------------------------------------------------------------------------------

    @property
    def pace(self) -> tuple[int, int]:
        return 1, STEPS

    def _add(self, chunk: int) -> None:
        for world in self.names:
            new = self._chunk(world, chunk)
            self.samples[world] = joined([self.samples[world], new]) if chunk else new

    def _chunk(self, world: str, chunk: int) -> Demonstrations:
        """The demonstrations of a chunk, from their file if there is one."""
        path = self.demonstrations / f"{world}-{self.seed}-{chunk}.safetensors"
        if path.exists():
            return self._read(path)
        started = time.process_time()
        told = instructed(find(world))
        first = (self.seed + 1 << 32) + chunk * told.starts
        own = [Place.of(world, options, self.senses[world]) for options in told.places]
        found = joined([demonstrated(place, range(first, first + told.starts)) for place in own])
        spent = time.process_time() - started
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(save(found.arrays(), {"seconds": repr(spent)}))
        self.shown += spent
        return found

    def _read(self, path: Path) -> Demonstrations:
        try:
            with safe_open(path, "numpy") as file:
                self.shown += float((file.metadata() or {}).get("seconds", "nan"))
                return Demonstrations(*(file.get_tensor(name) for name in Demonstrations.__annotations__))
        except (SafetensorError, OSError):
            raise UsageError(f"{path}: damaged; remove it, and it is made again") from None

    # -- training ------------------------------------------------------------------------------------------------------

    def _line(self, loss: float) -> str:
        samples = sum(map(len, self.samples.values()))
        return f"{samples:,} demonstrated actions, {self.steps:,} steps, loss {loss:.3f} nats"

    def _step(self, rng: np.random.Generator) -> float:
        batches = {world: self._batch(world, rng) for world in self.names}
        told, grads = self._graded(self.params, batches)
        self.params, self.mean, self.moments = self._updated(self.params, self.mean, self.moments, grads)
        return float(told)

    def _batch(self, world: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        chosen = self.samples[world][rng.integers(len(self.samples[world]), size=BATCH)]
        sentences = self.sentences[world]
        goal = rng.integers(len(sentences), size=BATCH) if self.language == SHUFFLED else chosen.goal
        said = sentences[goal, rng.integers(TRAINED, size=BATCH)]
        return chosen.codes, chosen.mask, chosen.pair, said * (self.language != NONE)

    def tensors(self) -> dict[str, np.ndarray]:
        """The moving average of the weights, in 16-bit floats."""
        return {name: np.asarray(value, np.float16) for name, value in self.mean.items()}


def _first(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random weights of a tensor, smaller the more inputs it has; 0 for biases, hands and what a sentence scales."""
    kind = name.rpartition(".")[2]
    if kind in ("bias", "last", "scale", "shift", "stress") or kind.endswith("_bias"):
        return np.zeros(shape, np.float32)
    inputs = {"cell": 1, "column": 1, "place": shape[0] * shape[1] / 2, "sentence": shape[0]}.get(kind, shape[0] / 2)
    return rng.normal(0, inputs**-0.5, shape).astype(np.float32)


def write(job: GeneralistJob, path: Path, spent: float) -> dict[str, Any]:
    """Write the weights with their card, in one file and its card beside it; returns the card."""
    sources = (net.__file__, demonstrations.__file__, plans.__file__, __file__)
    card = {
        **job.settings, "kind": KIND, "senses": card_of(job.senses), "codes": CODES, "steps": job.steps,
        "samples": {world: len(own) for world, own in job.samples.items()}, "cpu_seconds": round(spent, 1),
        "demonstration_seconds": round(job.shown, 1),
        "script_sha256": cards.of_scripts(*sources),
    }  # fmt: skip
    return cards.write(path, job.tensors(), card)

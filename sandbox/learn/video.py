"""Trains a video model (``nets.video``) on painted pictures of episodes, by flow matching (Lipman and others 2023).

Beside it an eye is trained, a net that tells from two pictures what was done between them; its features compare films.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sandbox.analysis.videos.measures import beginning, measured
from sandbox.analysis.videos.pictures import SIDE, Camera, Shots, album_of, film, joined, scene
from sandbox.core.errors import unknown
from sandbox.learn import cards
from sandbox.learn.nets import Chunked, averaged
from sandbox.nets.video import DRAW, EYES, NEXT, Video, clean, seen, shapes
from sandbox.nets.weights import Weights

WIDE, DEEP = 92, 3
BATCH, STEPS = 128, 10  # pairs of a step; steps of a round
LANES, TICKS = 16, 100  # of the episodes that a round adds
NOISE = 0.0, 0.1, 0.3, 1.0  # shares of random legal actions, drawn for each lane
RATE, WARM, SLOWER, AVERAGE = 1.5e-3, 100, 1500, 0.998
SHARPEST = 0.1  # of what is left of the noise, in the weights of the loss
TEST_SEEDS, TEST_POLICY, TEST_NOISE, TEST_TICKS = range(940_000, 940_008), "oracle", 0.1, 60  # of the card
DEPTH = 127  # steps of a colour in the store of the training


def loss(params: Mapping[str, Any], key: Any, after: Any, told: Any, acts: Any, before: Any, residual: bool) -> Any:
    """Mean squared error of the flow, and how much of the actions the eye does not see.

    What only draws (no ``residual``) is not told the actions.
    """
    noise, when = jax.random.split(key)
    share = jax.random.uniform(when, (len(after), 1, 1))
    noisy = (1 - share) * jax.random.normal(noise, after.shape) + share * after
    guess = clean(params, noisy, share[:, 0, 0], told, acts if residual else jnp.zeros_like(acts), residual, jnp)
    flow = (((guess - after) / jnp.maximum(1 - share, SHARPEST)) ** 2).mean()
    verbs = seen(params, before, after, jnp) @ params["eye_leave"]
    return flow + optax.sigmoid_binary_cross_entropy(verbs, acts).mean()


@dataclass
class VideoJob(Chunked):
    """The training of a video model; see ``learn.training.Job``."""

    world: str
    kind: str = NEXT
    seed: int = 0
    ticks: int = 20_000  # of episodes, at most
    shuffled: bool = False  # the control: actions, or tokens, of other pairs

    def __post_init__(self) -> None:
        if self.kind not in (NEXT, DRAW):
            raise unknown("kind", self.kind, (NEXT, DRAW), "learn video")
        self.camera = Camera(scene(self.world))
        self.chunks, self.steps = 0, 0
        one = next(iter(film(self.camera, [0], "rules", np.zeros(1), 1, np.random.default_rng(0))))[2]
        self.sizes = (*one.after.shape[1:], self._told(one).shape[-1], one.acts.shape[-1], WIDE, DEEP)
        rng = np.random.default_rng([self.seed, 1])
        own = {name: shape for name, shape in shapes(*self.sizes, 0).items() if name != "album"}
        self.params = {name: _first(name, shape, rng) for name, shape in own.items()}
        self.mean, self.moments = dict(self.params), self.optimiser.init(self.params)

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "world": self.world, "kind": self.kind, "seed": self.seed, "ticks": self.ticks, "shuffled": self.shuffled,
            "wide": WIDE, "deep": DEEP,
        }  # fmt: skip

    @cached_property
    def optimiser(self) -> Any:
        def rate(step: Any) -> Any:
            return RATE * jnp.minimum(1, (step + 1) / WARM) / jnp.sqrt(1 + step / SLOWER)

        return optax.adam(rate)

    @cached_property
    def _stepped(self) -> Any:
        def stepped(share: Any, params: Any, mean: Any, moments: Any, *given: Any) -> Any:
            value, grads = jax.value_and_grad(loss)(params, *given, self.kind == NEXT)
            return *averaged(self.optimiser, share, params, mean, moments, grads), value

        return jax.jit(stepped)

    def _told(self, shots: Shots) -> np.ndarray:
        return shots.before if self.kind == NEXT else shots.tokens

    # -- training ------------------------------------------------------------------------------------------------------

    @property
    def pace(self) -> tuple[int, int]:
        return LANES * TICKS, STEPS

    def _step(self, rng: np.random.Generator) -> float:
        batch = self._batch(rng)
        key = jax.random.fold_in(jax.random.key(self.seed), self.steps)
        given = key, batch.after, self._told(batch), batch.acts, batch.before
        share = min(AVERAGE, (self.steps + 1) / (self.steps + 10))  # at first, few steps are averaged
        nets = self.params, self.mean, self.moments
        self.params, self.mean, self.moments, loss = self._stepped(share, *nets, *given)
        return float(loss)

    def _line(self, loss: float) -> str:
        return f"{len(self.store):,} pairs, {self.steps:,} steps, loss {loss:.3f}"

    def _batch(self, rng: np.random.Generator) -> Shots:
        chosen = self.store[rng.integers(len(self.store), size=BATCH)]
        return Shots(*(part.astype(np.float32) / scale for part, scale in zip(chosen.parts, SCALES, strict=True)))

    def _add(self, chunk: int) -> None:
        """The pairs of LANES episodes more, kept in bytes."""
        rng = np.random.default_rng([self.seed, 3, chunk])
        first, noise = int(rng.integers(1 << 40)), rng.choice(NOISE, LANES)
        kept = [self._kept(shots, rng) for _, _, shots in film(
            self.camera, range(first, first + LANES), "rules", noise, TICKS, rng
        )]  # fmt: skip
        self.store = joined([self.store, *kept]) if chunk else joined(kept)

    def _kept(self, shots: Shots, rng: np.random.Generator) -> Shots:
        order = rng.permutation(len(shots))
        if self.shuffled:
            shots = Shots(shots.before, shots.acts[order], shots.after, shots.tokens[order])
        scaled = zip(shots.parts, SCALES, strict=True)
        return Shots(*(np.rint(part * scale).astype(np.int8) for part, scale in scaled))

    # -- export --------------------------------------------------------------------------------------------------------

    def weights(self) -> Weights:
        """The model, half-precision, with its album."""
        some = np.random.default_rng(0).permutation(len(self.store))[:4000]
        album = album_of(self.store.after[some].astype(np.float32) / DEPTH)
        card = dict(zip(("patches", "pixels", "told", "acts"), self.sizes, strict=False))
        tensors = {name: np.asarray(value).astype(np.float16) for name, value in {**self.mean, "album": album}.items()}
        return Weights(tensors, {**card, "album": len(album), "side": SIDE, **self.settings}, "")


SCALES = DEPTH, 1, DEPTH, 1  # of the parts of Shots, in the store


def _first(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random weights; what shifts, scales, and leaves a layer begins at 0."""
    if len(shape) == 1 or name.startswith(("shift", "leave")):
        return np.zeros(shape, np.float32)
    return rng.normal(0, 0.02 if name == "place" else shape[0] ** -0.5, shape).astype(np.float32)


def write(job: VideoJob, path: Path, spent: float) -> dict[str, Any]:
    """Write the weights with their card, in one file and its card beside it; returns the card.

    The card has what the training was given, what it used, and the measures of ``analysis.videos`` on episodes of
    another policy, on seeds that no training used.
    """
    found = job.weights()
    video, test = Video(found), (TEST_SEEDS, TEST_POLICY, TEST_NOISE, TEST_TICKS)
    rows = measured(job.camera, beginning(job.camera, video), video, *test)
    card = {
        **found.card, "cpu_seconds": round(spent, 1), "steps": job.steps, "pairs": len(job.store), "eyes": EYES,
        "script_sha256": cards.of_scripts(__file__), "measured": [row.as_dict() for row in rows],
    }  # fmt: skip
    return cards.write(path, found.tensors, card)

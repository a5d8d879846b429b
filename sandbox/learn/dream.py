"""Trains a dreamed world (``nets.dream``) from pairs of frames: latent actions, as in Genie (Bruce et al. 2024).

No action is seen. The bottleneck is a code, one of K, between a frame and the next one. K is small, so every code is
tried: each pair trains the code under which its second frame is likeliest (hard EM), and afterwards the inverse model
is Bayes' rule. Neither an inverse net nor a quantiser is trained. The other codes learn, with little weight, that
nothing changes: so a code does nothing where it never was seen to act, as a step against a wall.

A step sees some cells of each pair: those that the player may change, and others inside the frame at random.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sandbox.analysis.dreams.frames import environment, framing_of, joined, pairs
from sandbox.analysis.dreams.measures import joined_pairs, keys, labelled, meanings, measure, trials
from sandbox.engine.registry import opened
from sandbox.learn import cards
from sandbox.learn.nets import Chunked, averaged, first_params, upper, whole
from sandbox.learn.quantise import logits_scale
from sandbox.nets.dream import COPIES, FACINGS, NEAR, OWN, PLACES, Dream, Frames, Rows, ahead, around, patches, places
from sandbox.nets.weights import Weights

CODES = 8
WIDTHS = 64, 48  # of the hidden layers
BATCH, STEPS = 256, 20  # pairs of a step; steps of a round
LANES, TICKS = 16, 250  # of the episodes that a round adds
SIZES = 12, 16, 24, 32, 64  # of the maps
NOISE = 0.1, 0.3, 1.0  # shares of random legal actions, drawn for each lane
RATE, SLOWER, AVERAGE = 3e-3, 1000, 0.99  # learning rate, steps until it is lower by sqrt(2), moving average
IDLE = 0.01  # weight of the lesson that nothing changes, beside what did
OTHERS = 7  # cells of a pair that a step sees, besides the five at the player
LABELLED_SEED = 810_000  # of the pairs by which the card says what codes mean
TEST_SEED, TEST_POLICY, TEST_NOISE, TEST_EPISODES = 920_000, "oracle", 0.1, 16  # of the card's measures


def cells_of(rng: np.random.Generator, n: int, size: tuple[int, int]) -> np.ndarray:
    """(n, S) cells of frames of H x W, row * W + column: the player's, its neighbours, and others inside the frame."""
    high, wide = size
    middle = high // 2 * wide + wide // 2
    five = middle + np.array([0, -wide, wide, -1, 1])
    inner = np.arange(high * wide).reshape(size)[1:-1, 1:-1].ravel()
    rest = np.setdiff1d(inner, five)
    return np.concatenate([np.broadcast_to(five, (n, 5)), rest[rng.integers(len(rest), size=(n, OTHERS))]], axis=1)


def seen(before: Frames, after: Frames, cells: np.ndarray) -> dict[str, np.ndarray]:
    """What the net sees of ``cells`` (n, S) of each pair, and what came."""
    n = len(before)
    return {
        "own": np.take_along_axis(patches(before.cells, OWN).reshape(n, -1, COPIES), cells[..., None], 1),
        "around": around(before.cells), "places": places(*before.cells.shape[1:]).ravel()[cells],
        "facing": before.facing,
        "ahead": np.take_along_axis(ahead(before).reshape(n, -1), cells, 1),
        "wanted": np.take_along_axis(after.cells.reshape(n, -1), cells, 1), "turned": after.facing,
    }  # fmt: skip


# -- the net in floats


def foreseen(params: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Activations of both hidden layers (n, S, K, W), and the logits of copies and new tokens."""
    table, width = params["table"], params["table"].shape[1]
    tokens = params["last"].shape[1] - COPIES - FACINGS
    rows = Rows(tokens, len(table) - Rows(tokens, 0).total)
    parts = table[: rows.around].reshape(-1, width), table[rows.around : rows.places].reshape(-1, width)
    own = jax.nn.one_hot(told["own"], tokens).reshape(*told["own"].shape[:2], -1) @ parts[0]
    player = jax.nn.one_hot(told["around"], tokens).reshape(len(told["around"]), -1) @ parts[1]
    place = jax.nn.one_hot(told["places"], PLACES) @ table[rows.places : rows.ahead]
    place += told["ahead"][..., None] * table[rows.ahead]
    facing = jax.nn.one_hot(told["facing"], FACINGS) @ table[rows.facing : rows.code]
    place = place.at[:, 0].add(facing)  # the first cell is the player's
    return upper(params, (own + place + player[:, None])[:, :, None] + table[rows.code :])


def of_cells(logits: Any, own: Any, wanted: Any) -> Any:
    """(n, K) nats: -log of the probability, under each code, of the tokens ``wanted`` (n, S)."""
    good = jnp.concatenate(
        [own == wanted[..., None], wanted[..., None] == jnp.arange(logits.shape[-1] - COPIES)], axis=-1
    )
    right = jnp.where(good[:, :, None], logits, -1e9)
    return (jax.nn.logsumexp(logits, axis=-1) - jax.nn.logsumexp(right, axis=-1)).sum(axis=1)


def of_facing(logits: Any, facing: Any) -> Any:
    """(n, K) nats: the same of a facing; ``logits`` are those of the player's cell."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), facing[:, None, None], -1)[..., 0]


def loss(params: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
    """Mean surprise at what came under the best code of each pair, and a little at no change under the others; nats."""
    logits, own = foreseen(params, told)[2], told["own"]
    ways, turns = logits[..., :-FACINGS], logits[:, 0, :, -FACINGS:]  # the first cell is the player's
    came = of_cells(ways, own, told["wanted"]) + of_facing(turns, told["turned"])
    idle = of_cells(ways, own, own[..., COPIES // 2])
    others = idle.sum(axis=1) - jnp.take_along_axis(idle, came.argmin(axis=1)[:, None], 1)[:, 0]
    return (came.min(axis=1) + IDLE * others).mean()


OPTIMISER = optax.adam(lambda step: RATE / jnp.sqrt(1 + step / SLOWER))


@jax.jit
def stepped(params: Any, mean: Any, moments: Any, told: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Parameters, their moving average and moments after a step, and the loss before it."""
    value, grads = jax.value_and_grad(loss)(params, told)
    return *averaged(OPTIMISER, AVERAGE, params, mean, moments, grads), value


@dataclass
class DreamJob(Chunked):
    """The training of a dream; see ``learn.training.Job``."""

    world: str
    seed: int = 0
    codes: int = CODES
    ticks: int = 150_000  # of episodes, at most
    shuffled: bool = False  # the control: the second frame of each pair is of another pair

    def __post_init__(self) -> None:
        self.framing = framing_of(opened(self.world))
        self.tokens = len(self.framing.tokens)
        self.chunks, self.steps = 0, 0
        rows, outputs = Rows(self.tokens, self.codes).total, COPIES + self.tokens + FACINGS
        self.params = first_params(rows, WIDTHS, outputs, COPIES + 4, np.random.default_rng([self.seed, 1]))
        self.mean, self.moments = dict(self.params), OPTIMISER.init(self.params)

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "world": self.world, "seed": self.seed, "codes": self.codes, "ticks": self.ticks, "shuffled": self.shuffled,
            "widths": list(WIDTHS), "tokens": self.tokens,
        }  # fmt: skip

    # -- training ------------------------------------------------------------------------------------------------------

    @property
    def pace(self) -> tuple[int, int]:
        return LANES * TICKS, STEPS

    def _step(self, rng: np.random.Generator) -> float:
        chosen = rng.integers(len(self.before), size=BATCH)
        batch = seen(self.before[chosen], self.after[chosen], cells_of(rng, BATCH, self.framing.size))
        self.params, self.mean, self.moments, loss = stepped(self.params, self.mean, self.moments, batch)
        return float(loss)

    def _line(self, loss: float) -> str:
        return f"{len(self.before):,} pairs, {self.steps:,} steps, loss {loss:.3f} nats"

    def _add(self, chunk: int) -> None:
        """The pairs of LANES episodes more."""
        rng = np.random.default_rng([self.seed, 3, chunk])
        first, noise = int(rng.integers(1 << 40)), rng.choice(NOISE, LANES)
        env = environment(self.world, int(rng.choice(SIZES)))
        played = [
            (before, after)
            for _, before, _, after, _ in pairs(env, range(first, first + LANES), "rules", noise, TICKS, rng)
        ]
        before, after = (joined([part[k] for part in played]) for k in range(2))
        if self.shuffled:
            after = after[rng.permutation(len(after))]
        self.before, self.after = (
            (joined([self.before, before]), joined([self.after, after])) if chunk else (before, after)
        )

    # -- export --------------------------------------------------------------------------------------------------------

    def tensors(self) -> dict[str, np.ndarray]:
        """The net in integers, as ``nets.dream`` reads it."""
        rng = np.random.default_rng(0)
        chosen = rng.integers(len(self.before), size=2_000)
        some = seen(self.before[chosen], self.after[chosen], cells_of(rng, len(chosen), self.framing.size))
        mean = {name: np.asarray(value) for name, value in self.mean.items()}
        first, second, _ = foreseen(mean, some)
        found = whole(mean, first, second, COPIES + NEAR + 4)
        found |= {"unit": np.array([logits_scale()], np.int32), "usage": np.ones(self.codes, np.int32)}
        codes = Dream(Weights(found, {}, "")).inferred(self.before[chosen], self.after[chosen])
        return found | {"usage": 1 + np.bincount(codes, minlength=self.codes).astype(np.int32)}


def write(job: DreamJob, path: Path, spent: float) -> dict[str, Any]:
    """Write the weights with their card, in one file and its card beside it; returns the card.

    The card has what the training was given, what it used, and the measures of ``analysis.dreams`` on episodes of
    another policy, on seeds that no training used.
    """
    card = {
        **job.settings, "cpu_seconds": round(spent, 1), "steps": job.steps, "pairs": len(job.before),
        "script_sha256": cards.of_scripts(__file__),
    }  # fmt: skip
    tensors = job.tensors()
    dream = Dream(Weights(tensors, {}, ""))
    seeds = range(TEST_SEED, TEST_SEED + TEST_EPISODES)
    known = labelled(job.world, LABELLED_SEED)
    verbs = known.env.verbs
    card["means"] = [verbs[verb] for verb in meanings(dream, known)]
    card["keys"] = {verbs[verb]: code for verb, code in keys(dream, known).items()}
    card["measured"] = measure(dream, joined_pairs(trials(job.world, seeds, TEST_POLICY, TEST_NOISE)))._asdict()
    return cards.write(path, tensors, card)

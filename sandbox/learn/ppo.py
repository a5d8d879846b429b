"""Proximal policy optimisation (Schulman and others 2017) for the nets of ``engine.trained``, in JAX.

A net sees codes (``engine.trained``). In training the table of its first layer is a product: each code has a short
vector, the same wherever it is in the window, and each place weighs these vectors; so what is learned about a tree in
one place holds in all. ``learn.policy`` multiplies them out. The value of a state has a layer of its own.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

WIDE, SHORT = 64, 8  # widths of both hidden layers, and of a code's vector
EPOCHS, BATCH = 4, 1024  # passes over what was collected; samples of one step
CLIP, VALUE, ENTROPY = 0.2, 0.5, 0.01  # of the ratio; weights of the losses
DISCOUNT, TRACE = 0.99, 0.95  # per tick: of rewards, of advantages (lambda)
RATE, SLOWER, NORM = 1e-3, 4000, 0.5  # learning rate, steps until it is half, highest norm of a gradient
TAUGHT = 1500  # steps until the teacher's weight is 0
FORBIDDEN = -1e9  # logit
UNTEACHABLE = -10.0  # log of a probability below which the teacher is not followed: its pair is illegal


class Sizes(NamedTuple):
    """What a net sees and chooses from."""

    channels: int
    cells: int  # of each channel
    codes: int  # of a cell
    columns: int  # of the vector
    column_codes: int
    pairs: int
    wide: int = WIDE  # of both hidden layers


class Batch(NamedTuple):
    """Samples: what was seen, done and gained. n samples, I numbers, A pairs."""

    codes: Any  # (n, I) uint8
    mask: Any  # (n, A) bool
    pair: Any  # (n,) int32
    taught: Any  # (n,) int32      the teacher's pair
    odds: Any  # (n,) float32      log of the probability with which it was drawn
    advantage: Any  # (n,) float32
    gain: Any  # (n,) float32      discounted, what the value should be
    weight: Any  # (n,) float32    0: no decision was made


def first_params(sizes: Sizes, key: Any) -> dict[str, Any]:
    """Random weights."""
    keys = jax.random.split(key, 7)
    place, normal, wide = sizes.channels * sizes.cells + sizes.columns, jax.random.normal, sizes.wide

    def square(key: Any, rows: int, columns: int, gain: float) -> Any:
        return jax.nn.initializers.orthogonal(gain)(key, (rows, columns))

    return {
        "cell": normal(keys[0], (sizes.channels, sizes.codes, SHORT)),
        "column": normal(keys[1], (sizes.columns, sizes.column_codes, SHORT)),
        "place": normal(keys[2], (place, SHORT, wide)) * (2 / (place * SHORT)) ** 0.5, "bias": jnp.zeros(wide),
        "middle": square(keys[3], wide, wide, 2**0.5), "middle_bias": jnp.zeros(wide),
        "last": square(keys[4], wide, sizes.pairs, 0.01), "last_bias": jnp.zeros(sizes.pairs),
        "worth": square(keys[5], wide, wide, 2**0.5), "worth_bias": jnp.zeros(wide),
        "value": square(keys[6], wide, 1, 1.0), "value_bias": jnp.zeros(1),
    }  # fmt: skip


def hidden(params: dict[str, Any], sizes: Sizes, codes: Any) -> tuple[Any, Any]:
    """Activations of both hidden layers of the policy."""
    split, total = sizes.channels * sizes.cells, params["bias"]
    for channel in range(sizes.channels):
        own = slice(channel * sizes.cells, (channel + 1) * sizes.cells)
        seen = jax.nn.one_hot(codes[:, own], sizes.codes) @ params["cell"][channel]
        total = total + seen.reshape(len(codes), -1) @ params["place"][own].reshape(-1, sizes.wide)
    told = jnp.einsum("nvk,vkd->nvd", jax.nn.one_hot(codes[:, split:], sizes.column_codes), params["column"])
    total = total + told.reshape(len(codes), -1) @ params["place"][split:].reshape(-1, sizes.wide)
    first = jax.nn.relu(total)
    return first, jax.nn.relu(first @ params["middle"] + params["middle_bias"])


def judged(params: dict[str, Any], sizes: Sizes, codes: Any, mask: Any) -> tuple[Any, Any]:
    """Logs of the probabilities of all pairs, and the value."""
    first, second = hidden(params, sizes, codes)
    logits = jnp.where(mask, second @ params["last"] + params["last_bias"], FORBIDDEN)
    worth = jax.nn.relu(first @ params["worth"] + params["worth_bias"])
    return jax.nn.log_softmax(logits), (worth @ params["value"] + params["value_bias"])[:, 0]


@partial(jax.jit, static_argnames="sizes")
def act(params: dict[str, Any], sizes: Sizes, codes: Any, mask: Any, key: Any) -> tuple[Any, Any, Any]:
    """Pairs that are drawn, the logs of their probabilities, and values."""
    logs, value = judged(params, sizes, codes, mask)
    pair = jax.random.categorical(key, logs)
    return pair, jnp.take_along_axis(logs, pair[:, None], 1)[:, 0], value


def loss(params: dict[str, Any], sizes: Sizes, batch: Batch, teaching: Any) -> Any:
    """The clipped objective, the value's error, the entropy, and the cross-entropy with the teacher's pairs."""
    logs, value = judged(params, sizes, batch.codes, batch.mask)
    total = batch.weight.sum() + 1e-6

    def mean(of: Any) -> Any:
        return (of * batch.weight).sum() / total

    centred = batch.advantage - mean(batch.advantage)
    advantage = centred / (jnp.sqrt(mean(centred**2)) + 1e-8)
    ratio = jnp.exp(jnp.take_along_axis(logs, batch.pair[:, None], 1)[:, 0] - batch.odds)
    gain = jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage)
    entropy = -(jnp.exp(logs) * jnp.where(batch.mask, logs, 0)).sum(1)
    told = jnp.maximum(jnp.take_along_axis(logs, batch.taught[:, None], 1)[:, 0], UNTEACHABLE)
    return mean(VALUE * (value - batch.gain) ** 2 - gain - ENTROPY * entropy - teaching * told)


OPTIMISER = optax.chain(optax.clip_by_global_norm(NORM), optax.adam(lambda step: RATE / (1 + step / SLOWER), eps=1e-5))


@partial(jax.jit, static_argnames=("sizes", "teacher"), donate_argnums=(0, 1))
def update(params: Any, state: Any, sizes: Sizes, batch: Batch, steps: Any, teacher: bool, key: Any) -> tuple[Any, Any]:
    """EPOCHS passes over a batch; ``steps`` is the number of steps before."""
    count = len(batch.pair)
    size = min(BATCH, count)
    parts = count // size

    def step(carried: tuple[Any, Any, Any], chosen: Any) -> tuple[tuple[Any, Any, Any], None]:
        params, state, steps = carried
        teaching = jnp.maximum(0.0, 1 - steps / TAUGHT) if teacher else 0.0
        gradient = jax.grad(loss)(params, sizes, jax.tree.map(lambda part: part[chosen], batch), teaching)
        changes, state = OPTIMISER.update(gradient, state, params)
        return (optax.apply_updates(params, changes), state, steps + 1), None

    order = jax.vmap(lambda key: jax.random.permutation(key, count))(jax.random.split(key, EPOCHS))
    chosen = order[:, : parts * size].reshape(EPOCHS * parts, size)
    (params, state, _), _ = jax.lax.scan(step, (params, state, steps), chosen)
    return params, state


def steps_of(samples: int) -> int:
    """The steps of one call of :func:`update`."""
    return EPOCHS * (samples // min(BATCH, samples))


def advantages(reward: np.ndarray, value: np.ndarray, goes_on: np.ndarray, anew: np.ndarray) -> np.ndarray:
    """Generalised advantages (T, B) float32 (Schulman and others 2016).

    ``reward`` (T, B), ``value`` (T + 1, B); ``goes_on`` (T, B) is 0 where the task ended with this tick; ``anew``
    (T, B) bool are ticks in which no decision was made, because an episode began: what comes after does not count.
    """
    found, later = np.zeros_like(reward), np.zeros_like(reward[0])
    for t in reversed(range(len(reward))):
        delta = reward[t] + DISCOUNT * value[t + 1] * goes_on[t] - value[t]
        later = np.where(anew[t], 0, delta + DISCOUNT * TRACE * goes_on[t] * later)
        found[t] = later
    return found

"""A recurrent latent model that learns to act in its own dreams: DreamerV3 (Hafner and others 2023), small, to compare.

It sees the codes and the legal actions of ``engine.trained``, for one agent. The state is what a GRU carries (DEEP
numbers) and GROUPS draws of CLASSES classes, whose gradients go straight through. The model learns to decode codes,
legal actions, rewards and ends, with balanced KL terms and free nats; the policy and its critic learn from dreams of
HORIZON ticks, with returns scaled by their percentiles. Unlike there, rewards and values are plain numbers, not symlog
two-hot, and codes and legal actions are decoded as classes.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.environment import Environment
from sandbox.learn import ppo
from sandbox.learn.policy import LANES, Episodes, Lanes, Stepped, sizes_of

DEEP, GROUPS, CLASSES, WIDE = 192, 16, 16, 128
STOCHASTIC = GROUPS * CLASSES
HORIZON, DISCOUNT, TRACE = 15, 0.99, 0.95
FREE, DYNAMICS, REPRESENTATION, UNIFORM = 1.0, 0.5, 0.1, 0.01  # nats; weights of the KL terms; share of uniform chance
ENTROPY, SLOW, SCALE = 3e-3, 0.98, 0.99  # weight; shares that stay of the slow critic and of the returns' range
MODEL_RATE, ACTOR_RATE, NORM = 1e-3, 5e-4, 10.0
TICKS, KEPT = 8, 2048  # real ticks of each lane for an update; of each lane in memory
SEQUENCES, LENGTH, EVERY = 16, 32, 4  # of a batch; dreams begin at every fourth of its states
DECODED = 8  # numbers that tell a place's code


def layer(key: Any, rows: int, columns: int, gain: float = 1.0) -> dict[str, Any]:
    return {"w": jax.random.normal(key, (rows, columns)) * gain * rows**-0.5, "b": jnp.zeros(columns)}


def dense(params: Mapping[str, Any], x: Any) -> Any:
    return x @ params["w"] + params["b"]


def head(key: Any, outputs: int, inputs: int = DEEP + STOCHASTIC, gain: float = 1.0) -> dict[str, Any]:
    """A net with a hidden layer."""
    first, second = jax.random.split(key)
    return {"in": layer(first, inputs, WIDE), "out": layer(second, WIDE, outputs, gain)}


def told(params: Mapping[str, Any], x: Any) -> Any:
    return dense(params["out"], jax.nn.silu(normed(dense(params["in"], x))))


def normed(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-3)


def first_params(sizes: ppo.Sizes, key: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random weights of the model, and of policy and critic."""
    keys = iter(jax.random.split(key, 12))
    places = sizes.channels * sizes.cells + sizes.columns
    seen = ppo.first_params(sizes, next(keys))
    model = {
        "seen": {name: seen[name] for name in ("cell", "column", "place", "bias", "middle", "middle_bias")},
        "mixed": layer(next(keys), STOCHASTIC + sizes.pairs, DEEP), "gates": layer(next(keys), 2 * DEEP, 3 * DEEP),
        "prior": head(next(keys), STOCHASTIC, DEEP), "posterior": head(next(keys), STOCHASTIC, DEEP + sizes.wide),
        "codes": head(next(keys), places * DECODED),
        "cell": jax.random.normal(next(keys), (sizes.channels, DECODED, sizes.codes)),
        "column": jax.random.normal(next(keys), (sizes.columns, DECODED, sizes.column_codes)),
        "legal": head(next(keys), sizes.pairs), "ends": head(next(keys), 2, gain=0.1),
    }  # fmt: skip
    actor = {"pairs": head(next(keys), sizes.pairs, gain=0.1), "worth": head(next(keys), 1, gain=0.0)}
    return model, actor


# -- the model


def logs_of(logits: Any) -> Any:
    """Logs of the probabilities of each group's classes, with a little uniform chance."""
    odds = jax.nn.softmax(logits.reshape(*logits.shape[:-1], GROUPS, CLASSES))
    return jnp.log((1 - UNIFORM) * odds + UNIFORM / CLASSES)


def drawn(logs: Any, key: Any) -> Any:
    """A class of each group as ones and zeros, with the gradients of the probabilities."""
    chosen, odds = jax.nn.one_hot(jax.random.categorical(key, logs), CLASSES), jnp.exp(logs)
    return (chosen + odds - jax.lax.stop_gradient(odds)).reshape(*logs.shape[:-2], STOCHASTIC)


def carried(model: Any, deep: Any, stochastic: Any, pair: Any, pairs: int) -> Any:
    """What the GRU carries after an action."""
    mixed = jax.nn.silu(normed(dense(model["mixed"], jnp.concatenate([stochastic, jax.nn.one_hot(pair, pairs)], -1))))
    reset, new, update = jnp.split(normed(dense(model["gates"], jnp.concatenate([mixed, deep], -1))), 3, -1)
    update = jax.nn.sigmoid(update - 1)
    return update * jnp.tanh(jax.nn.sigmoid(reset) * new) + (1 - update) * deep


def observed(model: Any, sizes: ppo.Sizes, state: Any, before: Any, code: Any, first: Any, key: Any) -> tuple:
    """The state after an observation, and the logs of prior and posterior."""
    kept = 1.0 - first[:, None]
    deep = carried(model, state[0] * kept, state[1] * kept, before, sizes.pairs)
    posterior = logs_of(told(model["posterior"], jnp.concatenate([deep, code], -1)))
    return (deep, drawn(posterior, key)), logs_of(told(model["prior"], deep)), posterior


def encoded(model: Any, sizes: ppo.Sizes, codes: Any) -> Any:
    return ppo.hidden(model["seen"], sizes, codes)[1]


def decoding(model: Any, sizes: ppo.Sizes, features: Any, codes: Any) -> Any:
    """Cross-entropy of all codes of an observation, in nats."""
    split, count = sizes.channels * sizes.cells, len(features)
    short = told(model["codes"], features).reshape(count, -1, DECODED)
    cells = jnp.einsum(
        "ncpd,cdk->ncpk", short[:, :split].reshape(count, sizes.channels, -1, DECODED), model["cell"]
    ).reshape(count, split, -1)
    columns = jnp.einsum("nvd,vdk->nvk", short[:, split:], model["column"])
    error, labels = optax.softmax_cross_entropy_with_integer_labels, codes.astype(jnp.int32)
    return error(cells, labels[:, :split]).sum(1) + error(columns, labels[:, split:]).sum(1)


def diverged(left: Any, right: Any) -> Any:
    """KL of all groups together, not below FREE."""
    return jnp.maximum((jnp.exp(left) * (left - right)).sum((-2, -1)), FREE).mean()


def model_loss(model: Any, sizes: ppo.Sizes, batch: Mapping[str, Any], key: Any) -> tuple[Any, Any]:
    """Of sequences (T, B); with it the states (T, B, ...)."""
    length, count = batch["pair"].shape
    code = encoded(model, sizes, batch["codes"].reshape(length * count, -1)).reshape(length, count, -1)
    before = jnp.concatenate([jnp.zeros((1, count), jnp.int32), batch["pair"][:-1]])
    first = batch["first"].at[0].set(1.0)

    def step(state: Any, now: Any) -> tuple[Any, Any]:
        state, prior, posterior = observed(model, sizes, state, *now)
        return state, (state, prior, posterior)

    start = jnp.zeros((count, DEEP)), jnp.zeros((count, STOCHASTIC))
    _, (states, prior, posterior) = jax.lax.scan(step, start, (before, code, first, jax.random.split(key, length)))
    features = jnp.concatenate(states, -1).reshape(length * count, -1)
    ends = told(model["ends"], features)
    stop = jax.lax.stop_gradient
    total = (
        decoding(model, sizes, features, batch["codes"].reshape(length * count, -1)).mean()
        + optax.sigmoid_binary_cross_entropy(
            told(model["legal"], features), batch["mask"].reshape(length * count, -1)
        ).sum(1).mean()
        + ((ends[:, 0] - batch["reward"].reshape(-1)) ** 2).mean() * 10
        + optax.sigmoid_binary_cross_entropy(ends[:, 1], batch["goes_on"].reshape(-1)).mean()
        + DYNAMICS * diverged(stop(posterior), prior) + REPRESENTATION * diverged(posterior, stop(prior))
    )  # fmt: skip
    return total, states


# -- dreams


def choice(actor: Any, features: Any, mask: Any) -> Any:
    """Logs of the probabilities of all pairs."""
    return jax.nn.log_softmax(jnp.where(mask, told(actor["pairs"], features), ppo.FORBIDDEN))


def dream(model: Any, actor: Any, sizes: ppo.Sizes, states: Any, key: Any) -> tuple[Any, Any, Any]:
    """Features (H + 1, n, F), masks and pairs (H + 1, n, ...) of dreams that begin in these states."""

    def step(state: Any, key: Any) -> tuple[Any, Any]:
        act, draw = jax.random.split(key)
        features = jnp.concatenate(state, -1)
        mask = (told(model["legal"], features) > 0).at[:, 0].set(True)
        pair = jax.random.categorical(act, choice(actor, features, mask))
        deep = carried(model, *state, pair, sizes.pairs)
        return (deep, drawn(logs_of(told(model["prior"], deep)), draw)), (features, mask, pair)

    return jax.lax.scan(step, states, jax.random.split(key, HORIZON + 1))[1]


def returns_of(reward: Any, goes_on: Any, value: Any) -> Any:
    """Lambda returns (H, n) of rewards, chances to go on and values (H + 1, n); the first reward is of the past."""

    def step(later: Any, now: Any) -> tuple[Any, Any]:
        reward, goes_on, value = now
        later = reward + DISCOUNT * goes_on * ((1 - TRACE) * value + TRACE * later)
        return later, later

    return jax.lax.scan(step, value[-1], (reward[1:], goes_on[1:], value[1:]), reverse=True)[1]


def actor_loss(actor: Any, dreamed: tuple, gains: Any, weight: Any, scale: Any, slow: Any) -> Any:
    """Of policy and critic. H ticks of n dreams."""
    features, mask, pair = (part[:-1] for part in dreamed)
    logs, value = choice(actor, features, mask), told(actor["worth"], features)[..., 0]
    advantage = jax.lax.stop_gradient((gains - value) / scale)
    entropy = -(jnp.exp(logs) * jnp.where(mask, logs, 0)).sum(-1)
    gained = jnp.take_along_axis(logs, pair[..., None], -1)[..., 0] * advantage + ENTROPY * entropy
    critic = (value - gains) ** 2 + (value - told(slow["worth"], features)[..., 0]) ** 2
    return (weight * (0.5 * critic - gained)).mean()


MODEL = optax.chain(optax.clip_by_global_norm(NORM), optax.adam(MODEL_RATE, eps=1e-8))
ACTOR = optax.chain(optax.clip_by_global_norm(NORM), optax.adam(ACTOR_RATE, eps=1e-8))


@partial(jax.jit, static_argnames="sizes", donate_argnums=0)
def update(learned: dict[str, Any], sizes: ppo.Sizes, batch: Mapping[str, Any], key: Any) -> tuple[dict, Any]:
    """A step of the model on a batch, and one of policy and critic on dreams; with it the model's loss."""
    own, dreaming = jax.random.split(key)
    (loss, states), gradient = jax.value_and_grad(model_loss, has_aux=True)(learned["model"], sizes, batch, own)
    changes, moments = MODEL.update(gradient, learned["moments"])
    model, actor = optax.apply_updates(learned["model"], changes), learned["actor"]
    begin = jax.tree.map(lambda part: jax.lax.stop_gradient(part[::EVERY].reshape(-1, part.shape[-1])), states)
    dreamed = dream(model, actor, sizes, begin, dreaming)
    ends = told(model["ends"], dreamed[0])
    goes_on, value = jax.nn.sigmoid(ends[..., 1]), told(actor["worth"], dreamed[0])[..., 0]
    gains = returns_of(ends[..., 0], goes_on, value)
    weight = jnp.cumprod(goes_on[:-1], 0)
    spread = SCALE * learned["spread"] + (1 - SCALE) * (jnp.percentile(gains, 95) - jnp.percentile(gains, 5))
    gradient = jax.grad(actor_loss)(actor, dreamed, gains, weight, jnp.maximum(1.0, spread), learned["slow"])
    changes, acting = ACTOR.update(gradient, learned["acting"])
    actor = optax.apply_updates(actor, changes)
    slow = optax.incremental_update(actor, learned["slow"], 1 - SLOW)
    return {
        "model": model, "actor": actor, "moments": moments, "acting": acting, "slow": slow, "spread": spread,
    }, loss  # fmt: skip


@partial(jax.jit, static_argnames="sizes")
def act(learned: Any, sizes: ppo.Sizes, state: Any, before: Any, seen: Any, mask: Any, first: Any, key: Any) -> tuple:
    """The states of lanes after an observation, and pairs that are drawn."""
    own, draw = jax.random.split(key)
    code = encoded(learned["model"], sizes, seen)
    state, _, _ = observed(learned["model"], sizes, state, before, code, first, own)
    return state, jax.random.categorical(draw, choice(learned["actor"], jnp.concatenate(state, -1), mask))


class RssmJob(Stepped):
    """The training (see ``learn.training``) of a recurrent latent model on the world's own reward, for one agent."""

    def __init__(self, env: Environment, seed: int = 0, steps: int = 10**12):
        if env.agents != 1:
            raise UsageError(f"rssm: {env.agents} agents, expected 1")
        self.env, self._most, self._lanes, self.episodes = env, steps, Lanes(env, seed, None), Episodes(env)
        self.settings = {
            "world": env.world.name, "options": env.options.model_dump(mode="json", exclude_unset=True), "seed": seed,
        }  # fmt: skip
        self.sizes, self._key = sizes_of(env, WIDE), jax.random.key(seed)
        model, actor = first_params(self.sizes, jax.random.fold_in(self._key, 0))
        self._learned = {
            "model": model, "actor": actor, "moments": MODEL.init(model), "acting": ACTOR.init(actor),
            "slow": jax.tree.map(jnp.copy, actor), "spread": jnp.zeros(()),
        }  # fmt: skip
        shape = KEPT, LANES
        self._memory = {
            "codes": np.zeros((*shape, self._lanes.codes.shape[2]), np.uint8),
            "mask": np.zeros((*shape, self.sizes.pairs), np.float32), "pair": np.zeros(shape, np.int32),
            "reward": np.zeros(shape, np.float32), "goes_on": np.ones(shape, np.float32),
            "first": np.ones(shape, np.float32),
        }  # fmt: skip
        self._now = {
            "reward": np.zeros(LANES, np.float32), "first": np.ones(LANES, np.float32),
            "pair": np.zeros(LANES, np.int32),
            "deep": np.zeros((LANES, DEEP), np.float32), "drawn": np.zeros((LANES, STOCHASTIC), np.float32),
        }  # fmt: skip
        self._counts = {"steps": np.zeros(1, np.int64), "ticks": np.zeros(1, np.int64)}

    def round(self) -> str:
        """TICKS ticks of each lane, and an update."""
        for _ in range(TICKS):
            self._step()
        ticks, loss = int(self._counts["ticks"][0]), float("nan")
        if ticks >= LENGTH:
            key = jax.random.fold_in(jax.random.fold_in(self._key, 2), ticks)
            self._learned, loss = update(self._learned, self.sizes, self._batch(ticks), key)
        return f"{self.steps:,} steps, {ticks // TICKS} updates, loss {float(loss):.2f} nats"

    def _step(self) -> None:
        """Remember what is seen, decide, and play a tick."""
        lanes, now, tick = self._lanes, self._now, int(self._counts["ticks"][0])
        codes, mask, done = lanes.codes[:, 0], lanes.view.mask.reshape(LANES, -1), lanes.state.done
        over = lanes.over
        key = jax.random.fold_in(jax.random.fold_in(self._key, 1), tick)
        state = now["deep"], now["drawn"]
        state, pair = act(self._learned, self.sizes, state, now["pair"], codes, mask, now["first"], key)
        now["deep"][...], now["drawn"][...], now["pair"][...] = *state, pair
        told = {
            "codes": codes, "mask": mask, "pair": now["pair"], "reward": now["reward"], "first": now["first"],
            "goes_on": ~over | (done == int(Finish.TICK_LIMIT)),
        }  # fmt: skip
        for name, value in told.items():
            self._memory[name][tick % KEPT] = value
        lanes.step(now["pair"][:, None])
        now["reward"][...], now["first"][...] = np.where(over, 0, lanes.state.reward[:, 0]), over
        self._counts["steps"] += int((~over).sum())
        self._counts["ticks"] += 1
        self.episodes.end(lanes, lanes.over & ~over)

    def _batch(self, ticks: int) -> dict[str, np.ndarray]:
        """Sequences from memory: (LENGTH, SEQUENCES, ...)."""
        rng = np.random.default_rng([self.settings["seed"], 6, ticks])
        oldest = max(0, ticks - KEPT)
        when = rng.integers(oldest, ticks - LENGTH + 1, size=SEQUENCES)
        rows, lanes = (when + np.arange(LENGTH)[:, None]) % KEPT, rng.integers(LANES, size=SEQUENCES)
        return {name: array[rows, lanes] for name, array in self._memory.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        leaves = jax.tree_util.tree_leaves(self._learned)
        nets = {f"leaf{k}": np.asarray(leaf) for k, leaf in enumerate(leaves)}
        return nets | self._own()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        leaves, tree = jax.tree_util.tree_flatten(self._learned)
        self._learned = jax.tree_util.tree_unflatten(
            tree, [jnp.asarray(arrays[f"leaf{k}"]) for k in range(len(leaves))]
        )
        for name, array in self._own().items():
            array[...] = arrays[name]

    def _own(self) -> dict[str, np.ndarray]:
        memory = {f"memory.{name}": array for name, array in self._memory.items()}
        now = {f"now.{name}": array for name, array in self._now.items()}
        return memory | now | self._counts | self.episodes.counts | self._lanes.arrays()

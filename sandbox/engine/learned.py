"""The learned world model: one tick of a lane as a net predicts it, from tokens to tokens, all in integers.

The net is shared by all places: the first layer is a sum of rows of a table, one for each token that is not 0 of the
place and its neighbours; two layers follow. Draws have the keys of the lane, so candidates that are compared in one
future have common random numbers, as with the world's own rules.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError, shown
from sandbox.core.tokens import Tokens
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel
from sandbox.engine.draw import FORESEEN
from sandbox.engine.kernel import kernel, specialise
from sandbox.engine.layers import ODDS, activate, linear, pick, sum_rows
from sandbox.nets import weights as files

pack = outcome = unpack = observe = step = transition = None  # filled in by specialise

CENTRE = 0  # the slot of the place itself among its neighbours
LAYERS = ("table", "bias", "middle", "middle_bias", "last", "last_bias", "shifts")  # tensors of a file


class Net(NamedTuple):
    """Weights of E members, and the scratch memory of a prediction. P places, C input channels, K neighbours."""

    table: np.ndarray  # (E, R, H1) int16
    bias: np.ndarray  # (E, H1) int32
    middle: np.ndarray  # (E, H1, H2) int16
    middle_bias: np.ndarray  # (E, H2) int32
    last: np.ndarray  # (E, H2, O) int16
    last_bias: np.ndarray  # (E, O) int32
    shifts: np.ndarray  # (E, 3) int32       of each layer
    rows: np.ndarray  # (K, C) int32         row of the table for class 1; -1: not seen
    neighbours: np.ndarray  # (P, K) int32
    heads: np.ndarray  # (G + 1,) int32      the first channel of each head
    firsts: np.ndarray  # (channels + 1,) int32  the first output of each channel
    odds: np.ndarray  # see engine.layers
    member: np.ndarray  # (1,) int64         the member that predicts
    tokens: np.ndarray  # (P + 1, C) int16
    asked: np.ndarray  # (M, 2) int32        places and heads
    out: np.ndarray  # (M, H) int16
    found: np.ndarray  # (K * C,) int32      rows of the table
    first: np.ndarray  # (H1,) int32         activations
    second: np.ndarray  # (H2,) int32
    logits: np.ndarray  # (O,) int32


@kernel
def list_rows(place, net, rows):
    """Fill ``rows`` with the rows of the table for a place, one for each token that is not 0; returns their number."""
    count = 0
    for k in range(net.neighbours.shape[1]):
        tokens = net.tokens[net.neighbours[place, k]]
        for channel in range(len(tokens)):
            if tokens[channel] and net.rows[k, channel] >= 0:
                rows[count] = net.rows[k, channel] + tokens[channel] - 1
                count += 1
    return count


@kernel
def foresee(net, count, seed, tick):
    """Draw the outcome of the first ``count`` places of ``net.asked``, by their heads."""
    member = net.member[0]
    shifts = net.shifts[member]
    for k in range(count):
        place, head = net.asked[k, 0], net.asked[k, 1]
        seen = list_rows(place, net, net.found)
        sum_rows(net.table[member], net.found, seen, net.bias[member], shifts[0], net.first)
        activate(net.first, net.middle[member], net.middle_bias[member], shifts[1], net.second)
        begin, end = net.heads[head], net.heads[head + 1]
        first, last = net.firsts[begin], net.firsts[end]
        linear(net.second, net.last[member], net.last_bias[member], shifts[2], first, last, net.logits)
        for channel in range(begin, end):
            index = place * len(net.firsts) + channel
            drawn = pick(
                net.logits, net.firsts[channel], net.firsts[channel + 1], net.odds, seed, tick, FORESEEN, index
            )
            net.out[k, channel - begin] = drawn


def predict(s, lane, actions, params, net):
    """One tick of a lane, as the net predicts it; does nothing once the lane is done."""
    if s.done[lane] == 0:
        count = pack(s, lane, actions, params, net.tokens, net.asked)
        foresee(net, count, s.seed[lane], s.tick[lane])
        unpack(net.out, net.asked, count, s, lane, params)


def witness(s, lane, actions, after, to, params, net, rows):
    """What a net is trained on: one tick of a lane, and the same lane after it, in lane ``to`` of ``after``.

    Fills ``net.asked`` and ``net.out`` for every place that is asked for, and ``rows`` (M, K * C) int32 with the rows
    of the table that it sees, then -1. Returns the number of places.
    """
    count = pack(s, lane, actions, params, net.tokens, net.asked)
    outcome(s, lane, after, to, params, net.asked, count, net.out)
    for k in range(count):
        for j in range(list_rows(net.asked[k, 0], net, rows[k]), rows.shape[1]):
            rows[k, j] = -1
    return count


def imagine(s, obs, actions, params, net):
    """One tick of every lane that is not done, as the net predicts it, and what agents observe then."""
    for lane in range(len(s.done)):
        step(s, lane, actions, params, net)
        observe(s, lane, params, obs)


def witness_all(s, actions, after, to, params, net, rows, heads, classes):
    """:func:`witness` of every lane that is not done, which is lane ``to[lane]`` of ``after``; returns the samples.

    n samples fill ``rows`` (n, K * C) int32, ``heads`` (n,) int8 and ``classes`` (n, H) int16.
    """
    total = 0
    for lane in range(len(to)):
        if s.done[lane] == 0:
            count = transition(s, lane, actions, after, to[lane], params, net, rows[total:])
            for k in range(count):
                heads[total + k] = net.asked[k, 1]
                for channel in range(classes.shape[1]):
                    classes[total + k, channel] = net.out[k, channel]
            total += count
    return total


@cache
def learned_step(world: World):
    """The kernel (s, lane, actions, params, net) that replaces the world's ``step``."""
    tokens = tokens_of(world)
    return specialise(predict, world.name, pack=tokens.pack, unpack=tokens.unpack)


@cache
def transitions(world: World):
    """The kernel :func:`witness` of a world."""
    tokens = tokens_of(world)
    return specialise(witness, world.name, pack=tokens.pack, outcome=tokens.outcome)


@cache
def imaginer(world: World):
    """The kernel :func:`imagine` of a world."""
    return specialise(imagine, world.name, step=learned_step(world), observe=world.observe)


@cache
def reporter(world: World):
    """The kernel :func:`witness_all` of a world."""
    return specialise(witness_all, world.name, transition=transitions(world))


# -- weights


def tokens_of(world: World) -> Tokens:
    """The tokens of a world; raises UsageError for a world that has none."""
    if world.tokens is None:
        raise UsageError(f"world_model: the world '{world.name}' has no tokens, so no model of it is learned")
    return world.tokens


def weights_of(world: World, model: WorldModel) -> files.Weights:
    """The weights of a model: of its file, else those that the package ships.

    Raises UsageError for a file of another world or other tokens, and for one whose SHA-256 is not what the model says.
    """
    tokens = tokens_of(world)
    path = model.weights or files.shipped(f"world-model-{world.name}")
    if path is None:
        raise UsageError(f"world_model.weights: no weights are shipped for '{world.name}'; expected a file of weights")
    found = files.read(path)
    if model.sha256 and model.sha256 != found.sha256:
        raise UsageError(
            f"world_model.weights: {path}: these weights have the SHA-256 {found.sha256[:12]}..., expected "
            f"{model.sha256[:12]}..."
        )
    if found.card.get("world") != world.name or found.card.get("tokens") != tokens.as_dict():
        other = found.card.get("world")
        raise UsageError(
            f"world_model.weights: {path}: of the world {other!r}, or of other tokens, expected {world.name}"
        )
    return found


def members(found: files.Weights) -> int:
    """The number of nets in an ensemble."""
    return len(found.tensors["table"])


def network(world: World, params: Any, found: list[files.Weights]) -> Net:
    """The nets of these weights, one after the other, with the scratch memory of one prediction."""
    tokens = tokens_of(world)
    if why := tokens.lacks(params):
        raise UsageError(f"world_model: {why}, so no model of it is learned")
    if not all(_fits(world, params, each.tensors) for each in found):
        raise UsageError(f"world_model.weights: their tensors do not fit together; expected {files.EXPECTED}")
    layers = [np.concatenate([each.tensors[name] for each in found]) for name in LAYERS]
    neighbours = np.ascontiguousarray(tokens.neighbours(params), np.int32)
    (places, slots), most = neighbours.shape, tokens.most(params)
    channels = [channel for head in tokens.heads for channel in head]
    heads = np.cumsum([0, *map(len, tokens.heads)]).astype(np.int32)
    firsts = np.cumsum([0, *(channel.classes for channel in channels)]).astype(np.int32)
    (_, _, wide), (_, narrow, outputs) = layers[0].shape, layers[4].shape
    return Net(
        *layers, rows_of(tokens, slots), neighbours, heads, firsts, ODDS, np.zeros(1, np.int64),
        np.zeros((places + 1, len(tokens.seen)), np.int16), np.zeros((most, 2), np.int32),
        np.zeros((most, int(np.diff(heads).max())), np.int16), np.zeros(slots * len(tokens.seen), np.int32),
        np.zeros(wide, np.int32), np.zeros(narrow, np.int32), np.zeros(outputs, np.int32),
    )  # fmt: skip


def _fits(world: World, params: Any, tensors: dict[str, np.ndarray]) -> bool:
    """Whether tensors are those of nets of a world, so that no kernel reads beyond them."""
    if set(tensors) != set(LAYERS) or any(tensors[name].ndim != 2 for name in ("bias", "middle_bias")):
        return False
    count, wide, narrow = *tensors["bias"].shape, tensors["middle_bias"].shape[1]
    wanted = blank(world, params, wide, narrow).tensors
    alike = all(
        own.dtype == wanted[name].dtype and own.shape == (count, *wanted[name].shape[1:])
        for name, own in tensors.items()
    )
    return bool(count and alike and tensors["shifts"].min() >= 0 and tensors["shifts"].max() < 32)


def stepper(env: Any, model: WorldModel | None, futures: int) -> Callable[[Any, np.ndarray], None]:
    """What plays one tick of every lane of a state, with these actions: the rules, or a learned model.

    Of an ensemble, the nets take turns in each ``futures`` lanes, as in search.
    """
    if not isinstance(model, WorldModel | None):
        raise UsageError(f"imagine: model {shown(model)}, expected a WorldModel, or None for the rules")
    if model is None or model.kind != "learned":
        return env.step
    weights, step = weights_of(env.world, model), learned_step(env.world)
    net = network(env.world, env.params, [weights])

    def predicted(state: Any, actions: np.ndarray) -> None:
        for lane in range(len(state.seed)):
            net.member[0] = lane % futures % members(weights)
            step(state, lane, actions, env.params, net)

    return predicted


def blank(world: World, params: Any, wide: int, narrow: int) -> files.Weights:
    """Weights of 0, to be trained."""
    tokens = tokens_of(world)
    slots = tokens.neighbours(params).shape[1]
    tensors = {
        "table": np.zeros((1, slots * tokens.rows + tokens.own_rows, wide), np.int16),
        "bias": np.zeros((1, wide), np.int32),
        "middle": np.zeros((1, wide, narrow), np.int16),
        "middle_bias": np.zeros((1, narrow), np.int32),
        "last": np.zeros((1, narrow, tokens.outputs), np.int16),
        "last_bias": np.zeros((1, tokens.outputs), np.int32),
        "shifts": np.zeros((1, len(LAYERS) // 2), np.int32),
    }
    return files.Weights(tensors, {}, "")


def rows_of(tokens: Tokens, slots: int) -> np.ndarray:
    """(K, C) int32: the row of the table for class 1; -1 for what a neighbour does not show."""
    rows, shown, own = np.full((slots, len(tokens.seen)), -1, np.int32), 0, slots * tokens.rows
    for channel, (_, classes, is_own) in enumerate(tokens.seen):
        if is_own:
            rows[CENTRE, channel] = own
            own += classes - 1
        else:
            rows[:, channel] = np.arange(slots) * tokens.rows + shown
            shown += classes - 1
    return rows

"""Trained policies: a net that decides from an observation, in integers, so that both tiers take the same actions.

Every number of an observation becomes a code below CODES (:func:`code_of`), 0 for the number 0. The first layer is a
sum of rows of a table, one for each code that is not 0; two layers follow. The last gives a logit to each pair of verb
and target; pairs outside the mask are never drawn. Codes that never came up in training have no row.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError, shown
from sandbox.core.trained_policy import KIND, PREFIX, TrainedPolicy
from sandbox.core.world import World
from sandbox.engine.kernel import kernel
from sandbox.engine.layers import ODDS, activate, linear, pick, sum_rows
from sandbox.nets import weights as files

TRAINED = "trained."  # the name under which trained policies are compiled: one kernel serves all
CODES = 32  # of a number: see ``code_of``
RANGES = np.array([20, 24, 28, 32, 48, 64, 96, 128], np.float32)  # beyond 16, a code stands for a range
ILLEGAL = np.int32(-(1 << 30))  # logit
NONE = -1  # no row; no net
LAYERS = {
    "rows": np.int32, "table": np.int16, "bias": np.int32, "middle": np.int16, "middle_bias": np.int32,
    "last": np.int16, "last_bias": np.int32, "shifts": np.int32,
}  # fmt: skip  # tensors of a file


class Nets(NamedTuple):
    """The nets of a team, and the scratch memory of a decision. E nets, I numbers of an observation, A pairs."""

    of: np.ndarray  # (N,) int32             the net of each agent
    rows: np.ndarray  # (E, I, CODES) int32  row of the table for each code; -1: none
    table: np.ndarray  # (R, H1) int16       of all nets
    bias: np.ndarray  # (E, H1) int32
    middle: np.ndarray  # (E, H1, H2) int16
    middle_bias: np.ndarray  # (E, H2) int32
    last: np.ndarray  # (E, H2, A) int16
    last_bias: np.ndarray  # (E, A) int32
    shifts: np.ndarray  # (E, 3) int32       of each layer
    odds: np.ndarray  # see engine.layers
    codes: np.ndarray  # (I,) uint8
    found: np.ndarray  # (I,) int32          rows of the table
    first: np.ndarray  # (H1,) int32         activations
    second: np.ndarray  # (H2,) int32
    logits: np.ndarray  # (A,) int32


# -- decisions


@kernel
def code_of(x):
    """The code of a number: 0..15 of a whole number, and 0 below 1/4; else of the range that it is in.

    16..24: from 16, 20, 24, 28, 32, 48, 64, 96, 128 on; 25..27: from 1/4, 1/2, 3/4 on; 28..30: below 0, from -1, from
    -4 on, and all below; 31: no number.
    """
    if x >= 1:
        if x < 16:
            return int(x)
        code = 16
        for k in range(len(RANGES)):
            code += x >= RANGES[k]
        return code
    if x >= 0:
        return 24 + int(x * 4) if x * 4 >= 1 else 0
    if x < 0:
        return 28 if x >= -1 else 29 if x >= -4 else 30
    return 31


@kernel
def encode(obs, lane, agent, codes):
    """Fill ``codes`` (I,) uint8 with the codes of an agent's window, then of its vector."""
    window, vector, k = obs.window[lane, agent], obs.vector[lane, agent], 0
    for channel in range(window.shape[0]):
        for i in range(window.shape[1]):
            for j in range(window.shape[2]):
                codes[k] = code_of(window[channel, i, j])
                k += 1
    for column in range(len(vector)):
        codes[k] = code_of(vector[column])
        k += 1


class _One(NamedTuple):
    """An observation of one agent, as the kernels read it."""

    window: np.ndarray
    vector: np.ndarray


def codes_of(window: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """(I,) uint8: the codes of an agent's window (C, K, K) int8 and vector (V,) float32."""
    codes = np.zeros(window.size + vector.size, np.uint8)
    encode(_One(window[None, None], vector[None, None]), 0, 0, codes)
    return codes


@kernel
def _list_rows(nets, net):
    """Fill ``nets.found`` with the rows of the table for the codes that have one; returns their number."""
    rows, count = nets.rows[net], 0
    for k in range(len(nets.codes)):
        row = rows[k, nets.codes[k]]
        if row >= 0:
            nets.found[count] = row
            count += 1
    return count


@kernel
def decide_by_net(obs, lane, params, team, nets, dice, actions):
    """Each agent of ``team`` draws a legal pair as its net says; it does nothing where none is legal."""
    targets = obs.mask.shape[2] // params.verbs
    for agent in team:
        net, mask = nets.of[agent], obs.mask[lane, agent]
        encode(obs, lane, agent, nets.codes)
        shifts = nets.shifts[net]
        sum_rows(nets.table, nets.found, _list_rows(nets, net), nets.bias[net], shifts[0], nets.first)
        activate(nets.first, nets.middle[net], nets.middle_bias[net], shifts[1], nets.second)
        linear(nets.second, nets.last[net], nets.last_bias[net], shifts[2], 0, len(mask), nets.logits)
        legal = False
        for pair in range(len(mask)):
            legal |= mask[pair]
            if not mask[pair]:
                nets.logits[pair] = ILLEGAL
        if legal:
            pair = pick(nets.logits, 0, len(mask), nets.odds, dice, 0, 0, agent)
            actions[lane, agent, 0], actions[lane, agent, 1] = pair // targets, pair % targets
        else:
            actions[lane, agent, 0], actions[lane, agent, 1] = params.noop, 0


# -- weights


def observed(env: Any) -> dict[str, Any]:
    """What a net needs to know of an environment's observations and actions, as plain values for its card."""
    spec, world = env.spec, env.world
    return {
        "channels": list(spec.channels), "side": spec.side, "vector": list(spec.vector), "verbs": list(world.verbs),
        "targets": world.targets,
    }  # fmt: skip


def policy_weights(env: Any, policy: TrainedPolicy) -> files.Weights:
    """The weights of a policy, checked for an environment.

    Raises UsageError, in one line, for a missing or damaged file, for other weights than the SHA-256 says, and for
    those of another world or of other observations.
    """
    if not all(isinstance(part, str) and part.isprintable() for part in policy):
        raise UsageError(f"policy: {shown(tuple(policy))}, expected the path of weights and their SHA-256")
    where, told = f"policy:{policy.file}", "expected weights that 'sandbox learn policy' has written"
    found = files.read(files.shipped(f"policy-{policy.file}") or policy.file)
    if policy.sha256 and policy.sha256 != found.sha256:
        raise UsageError(f"{where}: SHA-256 {found.sha256[:12]}..., expected {policy.sha256[:12]}...")
    if not isinstance(found.card, dict) or found.card.get("kind") != "policy":
        raise UsageError(f"{where}: no trained policy; {told}")
    if found.card.get("world") != env.world.name:
        raise UsageError(f"{where}: trained in the world {found.card.get('world')!r}, expected '{env.world.name}'")
    own, card = observed(env), found.card.get("observed")
    for key, value in own.items():
        if not isinstance(card, dict) or card.get(key) != value:
            other = card.get(key) if isinstance(card, dict) else None
            raise UsageError(
                f"{where}: trained with {key} {_counted(other)}, here {_counted(value)}: {_layouts(found)}"
            )
    if not _fits(found.tensors, _numbers(env), len(env.verbs) * env.world.targets):
        raise UsageError(f"{where}: its tensors do not fit together; {told}")
    return found


def shipped_policies(world: World) -> tuple[TrainedPolicy, ...]:
    """The policies of a world that come with the package."""
    found = {name: files.read(files.shipped(f"{KIND}-{name}")) for name in files.names(KIND)}
    return tuple(TrainedPolicy(name) for name, weights in found.items() if weights.card["world"] == world.name)


def shipped_reasoners(env: Any) -> tuple[str, ...]:
    """The reasoners of an environment by the policies that come with the package: ``policy:kitchen``, for example."""
    return tuple(f"{PREFIX}{policy.file}" for policy in shipped_policies(env.world) if _plays(env, policy))


def _plays(env: Any, policy: TrainedPolicy) -> bool:
    try:
        policy_weights(env, policy)
    except UsageError:
        return False
    return True


def _counted(value: Any) -> str:
    return f"of {len(value)}" if isinstance(value, list) else shown(value)


def _layouts(found: files.Weights) -> str:
    return f"it was trained with {shown(found.card.get('options'))}"


def _numbers(env: Any) -> int:
    """The numbers of an observation that a net sees: window and vector."""
    return len(env.spec.channels) * env.spec.side**2 + len(env.spec.vector)


def _fits(tensors: dict[str, np.ndarray], numbers: int, pairs: int) -> bool:
    """Whether tensors are those of one net, so that no kernel reads beyond them or overflows."""
    if set(tensors) != set(LAYERS) or any(tensors[name].dtype != kind for name, kind in LAYERS.items()):
        return False
    wide, narrow, rows = tensors["bias"].size, tensors["middle_bias"].size, len(tensors["table"])
    shapes = {
        "rows": (numbers, CODES), "table": (rows, wide), "bias": (wide,), "middle": (wide, narrow),
        "middle_bias": (narrow,), "last": (narrow, pairs), "last_bias": (pairs,), "shifts": (3,),
    }  # fmt: skip
    if any(tensors[name].shape != shape for name, shape in shapes.items()):
        return False
    known = tensors["rows"].min(initial=0) >= NONE and tensors["rows"].max(initial=NONE) < rows
    return bool(known and tensors["shifts"].min() >= 0 and tensors["shifts"].max() < 32)


def nets_of(env: Any, policies: Sequence[Any]) -> Nets:
    """The nets of the trained policies among those of a team, one for each agent, and scratch memory for one thread."""
    own = [policy_weights(env, policy) if isinstance(policy, TrainedPolicy) else None for policy in policies]
    distinct = list({found.sha256: found for found in own if found}.values())
    places = {found.sha256: k for k, found in enumerate(distinct)}
    of = np.array([places[found.sha256] if found else NONE for found in own], np.int32)
    return _joined(of, [found.tensors for found in distinct], len(env.verbs) * env.world.targets)


def _joined(of: np.ndarray, nets: list[dict[str, np.ndarray]], pairs: int) -> Nets:
    """Several nets as one set of arrays; narrower layers are filled up with zeros, which change nothing."""
    wide, narrow = max(net["bias"].size for net in nets), max(net["middle_bias"].size for net in nets)
    firsts = np.cumsum([0, *(len(net["table"]) for net in nets)])
    rows = [np.where(net["rows"] >= 0, net["rows"] + first, NONE) for net, first in zip(nets, firsts, strict=False)]
    sizes = {"bias": (wide,), "middle": (wide, narrow), "middle_bias": (narrow,), "last": (narrow, pairs)}
    sizes |= {"last_bias": (pairs,), "shifts": (3,)}
    layers = {name: np.stack([_padded(net[name], size) for net in nets]) for name, size in sizes.items()}
    table = np.concatenate([_padded(net["table"], (len(net["table"]), wide)) for net in nets])
    numbers, whole = len(rows[0]), np.int32
    return Nets(of, np.stack(rows).astype(whole), table, **layers, odds=ODDS, codes=np.zeros(numbers, np.uint8),
                found=np.zeros(numbers, whole), first=np.zeros(wide, whole), second=np.zeros(narrow, whole),
                logits=np.zeros(pairs, whole))  # fmt: skip


def _padded(layer: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    found = np.zeros(shape, layer.dtype.newbyteorder("="))
    found[tuple(map(slice, layer.shape))] = layer
    return found

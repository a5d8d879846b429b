"""The scratch memory of imagination: one for each thread, whatever the number of lanes.

It has a state and a policy's memory of one lane each, in one block of words, so that a lane is saved and restored by
copying words.
"""

from collections.abc import Mapping
from enum import IntEnum
from math import sqrt
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.world_model import Kind, WorldModel
from sandbox.engine.learned import members, network, weights_of
from sandbox.nets.weights import Weights

WORD = 8  # bytes


class Found(IntEnum):
    """Columns of ``Workspace.found``."""

    PAIR = 0  # verb * targets + target
    FUTURES = 1  # number of futures in which it was played
    SUM = 2  # of its gains over the base policy's plan, in parts of the task
    SQUARES = 3  # sum of squares of the gains


class Candidate(NamedTuple):
    """An action that an agent has compared in imagined futures."""

    verb: int
    target: int
    futures: int  # number of futures in which it was played
    gain: float  # mean over the base policy's own choice, in parts of the task
    error: float  # standard error of that mean
    taken: bool


class Workspace(NamedTuple):
    """Scratch memory of the kernels of ``engine.search``. N agents, A pairs of verb and target, B and M words."""

    settings: np.ndarray  # (N, 7) int32     see Setting
    scale: np.ndarray  # (N, 2) float64      see Scale
    spent: np.ndarray  # (L, N) int64        ticks that each agent has imagined, of all lanes
    rows: tuple  # pairs of (L, N, bytes) uint8: the memory of each agent, of all lanes and in ``mind``
    state: Any  # State of one lane, in which futures are played
    belief: np.ndarray  # (2, B) uint64      words of the state: the present one, the believed one
    mind: Any  # Memory of one lane, in a future
    minds: np.ndarray  # (5, M) uint64       words of the memory: present; blank; before and after the base's decision;
    # before a decision in a future
    seen: Any  # Observation of one lane
    actions: np.ndarray  # (1, N, 2) int32
    team: np.ndarray  # (N,) int32           the agents with a believed place; the imagining one last
    first: np.ndarray  # (2,) int32          the imagining agent's first action in a future
    pairs: np.ndarray  # (A + 1,) int32      candidates
    nodes: np.ndarray  # (K, 4) int32        see engine.tree.Node
    worth: np.ndarray  # (K, 2) float64      gains over the base's plan: sum, sum of squares; of the root: their span
    path: np.ndarray  # (D + 1,) int64       the nodes of a future, then 0
    found: np.ndarray  # (N, C, 4) float64   each agent's latest comparison, see Found; for display
    choice: np.ndarray  # (N, 2) int32       of that comparison: number of candidates, index of the chosen one
    asked: np.ndarray  # (N,) uint64         of that comparison: the key of the decision, as its identity
    net: Any = ()  # the Net of learned models, () without any


def allocate_flat(kind: type, shapes: Mapping[str, tuple], copies: int):
    """A ``kind`` of one lane, and (copies, words) uint64 whose first row is the memory of its arrays."""
    sizes = {name: int(np.prod(shapes[name][0])) * np.dtype(shapes[name][1]).itemsize for name in kind._fields}
    starts = np.cumsum([0, *(-(-sizes[name] // WORD) for name in kind._fields)])
    words = np.zeros((copies, max(1, starts[-1])), np.uint64)
    fields = {}
    for name, start in zip(kind._fields, starts, strict=False):
        part = words[0, start:].view(np.uint8)[: sizes[name]]
        fields[name] = part.view(shapes[name][1]).reshape(1, *shapes[name][0])
    return kind(**fields), words


def own_rows(memory, mind, agents: int) -> tuple:
    """Each agent's own memory as bytes: the fields whose second axis is the agents', side by side."""

    def rows(field):
        return field.view(np.uint8).reshape(len(field), agents, -1)

    return tuple((rows(a), rows(b)) for a, b in zip(memory, mind, strict=True) if a.shape[1:2] == (agents,))


def workspace(env, policies, memory, spent: np.ndarray) -> Workspace:
    """Scratch memory for those of ``policies`` (one for each agent) that are a WorldModel.

    ``memory`` is the memory of the policies in all lanes, whose rows are read and written; ``spent`` (L, N) int64
    counts imagined ticks.
    """
    world, params, agents = env.world, env.params, env.agents
    state, belief = allocate_flat(world.state, world.state_shapes(params), 2)
    mind, minds = allocate_flat(world.memory, world.memory_shapes(params), 5)
    world.start(mind, 0, params)
    minds[1:] = minds[0]
    settings, scale = np.zeros((agents, 7), np.int32), np.zeros((agents, 2))
    pairs, size, depth, longest = len(env.verbs) * world.targets + 1, 0, 1, 0
    for agent, model in enumerate(policies):
        if isinstance(model, WorldModel):
            kind, most = int(Kind[model.kind.upper()]), min(model.candidates, pairs)
            settings[agent, :5] = kind, model.horizon, model.futures, model.candidates, model.depth
            scale[agent], depth = (model.caution, model.discount), max(depth, model.depth)
            longest = max(longest, most)
            size = max(size, 1 + most * (1 if model.depth == 1 else 1 + model.futures))
    net = _nets(world, params, policies, settings)
    return Workspace(
        settings, scale, spent, own_rows(memory, mind, agents), state, belief, mind, minds, env.observation(1),
        np.zeros((1, agents, 2), np.int32), np.zeros(agents, np.int32), np.zeros(2, np.int32),
        np.zeros(pairs, np.int32), np.zeros((size, 4), np.int32), np.zeros((size, 2)), np.zeros(depth + 1, np.int64),
        np.zeros((agents, longest, len(Found))), np.zeros((agents, 2), np.int32), np.zeros(agents, np.uint64), net,
    )  # fmt: skip


def _nets(world, params, policies, settings: np.ndarray) -> Any:
    """The Net of all learned models among ``policies``; fills in the settings that say which nets are whose."""
    learned = [
        (k, model) for k, model in enumerate(policies) if isinstance(model, WorldModel) and model.kind == "learned"
    ]
    found: dict[str, Weights] = {}
    for agent, model in learned:
        own = weights_of(world, model)
        found.setdefault(own.sha256, own)
        before = list(found).index(own.sha256)
        settings[agent, 5:] = sum(map(members, list(found.values())[:before])), members(own)
    return network(world, params, list(found.values())) if found else ()


def candidates(work: Workspace, agent: int, dice: int, targets: int) -> tuple[Candidate, ...]:
    """The candidates of an agent in the decision with the key ``dice``, the base policy's choice first; else ()."""
    if work.asked[agent] != dice:
        return ()
    count, taken = work.choice[agent].tolist()
    return tuple(_candidate(row, targets, k == taken) for k, row in enumerate(work.found[agent, :count].tolist()))


def _candidate(row: list[float], targets: int, taken: bool) -> Candidate:
    pair, futures, total, squares = row
    most = max(1.0, futures)
    mean = total / most
    error = sqrt(max(0.0, squares / most - mean * mean) / most)
    return Candidate(*divmod(int(pair), targets), int(futures), mean, error, taken)

"""The scratch memory in which an agent imagines: one for each thread, whatever the number of lanes.

A state and a policy's memory of one lane each, laid out in one block of words, so that a lane is saved and put back by
copying words.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.world_model import Kind, WorldModel

WORD = 8  # bytes


class Workspace(NamedTuple):
    """What the kernels of ``engine.search`` work on. N agents, A pairs of verb and target, B and M words."""

    settings: np.ndarray  # (N, 4) int32     see Setting
    caution: np.ndarray  # (N,) float64      standard errors
    spent: np.ndarray  # (L, N) int64        ticks that each agent has imagined, of all lanes
    rows: tuple  # pairs of (L, N, bytes) uint8: what is remembered of each agent, of all lanes and in ``mind``
    state: Any  # State of one lane: where futures are played
    belief: np.ndarray  # (2, B) uint64      words of the state: as it is, and as it was believed
    mind: Any  # Memory of one lane: what is remembered in a future
    minds: np.ndarray  # (4, M) uint64       words of the memory: as it is; blank; before and after the base's decision
    seen: Any  # Observation of one lane
    actions: np.ndarray  # (1, N, 2) int32
    team: np.ndarray  # (N,) int32           the agents that are believed to be somewhere; the imagining one last
    plan: np.ndarray  # (T, 2) int32         the imagining agent's first actions
    pairs: np.ndarray  # (A + 1,) int32      candidates
    gains: np.ndarray  # (A + 1, 2) float64   of each candidate over the base's: sum, sum of squares


def allocate_flat(kind: type, shapes: Mapping[str, tuple], copies: int):
    """A ``kind`` of one lane, and (copies, words) uint64 of which the first row is the memory of its arrays."""
    sizes = {name: int(np.prod(shapes[name][0])) * np.dtype(shapes[name][1]).itemsize for name in kind._fields}
    starts = np.cumsum([0, *(-(-sizes[name] // WORD) for name in kind._fields)])
    words = np.zeros((copies, max(1, starts[-1])), np.uint64)
    fields = {}
    for name, start in zip(kind._fields, starts, strict=False):
        part = words[0, start:].view(np.uint8)[: sizes[name]]
        fields[name] = part.view(shapes[name][1]).reshape(1, *shapes[name][0])
    return kind(**fields), words


def own_rows(memory, mind, agents: int) -> tuple:
    """What each agent remembers for itself, as bytes: the fields whose second axis is the agents', side by side."""

    def rows(field):
        return field.view(np.uint8).reshape(len(field), agents, -1)

    return tuple((rows(a), rows(b)) for a, b in zip(memory, mind, strict=True) if a.shape[1:2] == (agents,))


def workspace(stage, policies, memory, spent: np.ndarray) -> Workspace:
    """Scratch memory for those of ``policies`` (one for each agent) that are a WorldModel.

    ``memory`` is the policies' own of all lanes, of which the agents' rows are read and written; ``spent`` (L, N) int64
    counts the ticks that they imagine.
    """
    world, rules, agents = stage.world, stage.rules, stage.agents
    state, belief = allocate_flat(world.state, world.state_shapes(rules), 2)
    mind, minds = allocate_flat(world.memory, world.memory_shapes(rules), 4)
    world.start(mind, 0, rules)
    minds[1:] = minds[0]
    settings, caution = np.zeros((agents, 4), np.int32), np.zeros(agents)
    for agent, model in enumerate(policies):
        if isinstance(model, WorldModel):
            kind = int(Kind[model.kind.upper()])
            settings[agent], caution[agent] = (kind, model.horizon, model.futures, model.candidates), model.caution
    pairs = len(stage.verbs) * world.targets + 1
    return Workspace(
        settings, caution, spent, own_rows(memory, mind, agents), state, belief, mind, minds, stage.observation(1),
        np.zeros((1, agents, 2), np.int32), np.zeros(agents, np.int32), np.zeros((1, 2), np.int32),
        np.zeros(pairs, np.int32), np.zeros((pairs, 2)),
    )  # fmt: skip

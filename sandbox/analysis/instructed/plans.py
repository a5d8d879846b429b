"""A demonstrator for any world: the shortest way to do what an instruction says, found in the exact kernel.

Breadth first over the actions of agent 0, while all others wait. States that look alike to the agent, in the same tick,
count as one. A way that does what another instruction says is not gone further, so each plan does its own thing first.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.core.instructions import Instructed
from sandbox.core.world import Observation, World
from sandbox.engine.arrays import copied
from sandbox.engine.environment import Environment
from sandbox.engine.play import Due

AGENT = 0  # who is told
MOST, DEEPEST = 2_500, 20  # states in all, ticks


class Lanes(NamedTuple):
    """Lanes of an environment, and what their agents see."""

    state: Any
    view: Observation

    def __len__(self) -> int:
        return len(self.state.seed)

    def chosen(self, rows: Any) -> "Lanes":
        """Copies of some lanes: their numbers, or flags."""
        return Lanes(*(copied(part, rows) for part in self))

    @property
    def mask(self) -> np.ndarray:
        """(L, A) bool: the legal pairs of the agent that is told."""
        return self.view.mask[:, AGENT]

    @property
    def over(self) -> np.ndarray:
        """(L,) bool: the episode has ended."""
        return self.state.done != int(Finish.RUNNING)


def tick(env: Environment, lanes: Lanes, pairs: np.ndarray) -> None:
    """One tick, in place: the agent that is told takes ``pairs`` (L,), the others wait."""
    count = len(lanes)
    actions = np.zeros((count, env.agents, 2), np.int32)
    actions[..., 0] = env.params.noop
    actions[:, AGENT, 0], actions[:, AGENT, 1] = np.divmod(pairs, env.world.targets)
    due = np.full(count, int(Due.TICK), np.int8)
    loops = env.assign_policies([None] * env.agents)[1]
    loops.turn(lanes.state, lanes.view, actions, env.stats(count), env.params, env.faults(count), due)


def instructed(world: World) -> Instructed:
    """What an agent of a world can be told; raises UsageError where it is nothing."""
    if world.instructed is None:
        raise UsageError(f"the world '{world.name}' has no instructions")
    return world.instructed


def counts(env: Environment, state: Any) -> np.ndarray:
    """(L, G) how much there is of what each instruction asks for."""
    told = instructed(env.world).instructions
    return np.stack([np.asarray(each.count(state, AGENT, env.params), np.int64) for each in told], axis=1)


def plans(env: Environment, start: Lanes, wanted: int | None = None) -> dict[int, list[int]]:
    """From one lane: the fewest pairs that do what each instruction says, by its number; without those out of reach.

    It ends when all are found, or the ``wanted`` one is.
    """
    before = counts(env, start.state)
    found: dict[int, list[int]] = {}
    levels: list[tuple[np.ndarray, np.ndarray]] = []  # of each tick: parents, pairs
    now, known = start, _looks(start)
    seen = set(known)
    for _ in range(DEEPEST):
        parents, pairs = np.nonzero(now.mask)
        if not len(pairs) or len(seen) > MOST or wanted in found or len(found) == before.shape[1]:
            break
        now = now.chosen(parents)
        tick(env, now, pairs)
        levels.append((parents, pairs))
        done = counts(env, now.state) > before
        for goal in np.flatnonzero(done.any(axis=0)):
            alone = np.flatnonzero(done[:, goal] & (done.sum(axis=1) == 1))
            if goal not in found and len(alone):
                found[int(goal)] = _way(levels, int(alone[0]))
        fresh = _fresh(_looks(now), seen, ~done.any(axis=1) & ~now.over)
        levels[-1] = parents[fresh], pairs[fresh]
        now = now.chosen(fresh)
    return found


def _way(levels: Sequence[tuple[np.ndarray, np.ndarray]], row: int) -> list[int]:
    """The pairs that lead to a row of the last level."""
    way = []
    for parents, pairs in reversed(levels):
        way.append(int(pairs[row]))
        row = int(parents[row])
    return way[::-1]


def _fresh(looks: list[bytes], seen: set[bytes], open_: np.ndarray) -> np.ndarray:
    """The rows that are open and look like none before; adds their looks to ``seen``."""
    rows = []
    for row in np.flatnonzero(open_).tolist():
        if looks[row] not in seen:
            seen.add(looks[row])
            rows.append(row)
    return np.array(rows, np.int64)


def _looks(lanes: Lanes) -> list[bytes]:
    """What each lane looks like to the agent, with its place."""
    view = lanes.view
    parts = lanes.state.pos[:, AGENT], view.window[:, AGENT], view.vector[:, AGENT], view.mask[:, AGENT]
    flat = [np.ascontiguousarray(part).reshape(len(part), -1).view(np.uint8) for part in parts]
    return [row.tobytes() for row in np.concatenate(flat, axis=1)]

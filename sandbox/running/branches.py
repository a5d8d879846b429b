"""Branches of a recorded trial: from which of its states would a policy still have succeeded?

Each kept state becomes a lane of the compiled tier, in which the policy decides for all agents until the episode ends.
Draws are keyed by seed and tick, so a branch meets the chance events of the trial itself.
"""

from typing import Any

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.core.finish import Finish
from sandbox.engine.arrays import room
from sandbox.engine.parallel import TeamKernels, compile_teams
from sandbox.model import Sandbox

POLICIES = "oracle", "rules"  # the first that the world has plays the branches
LANES = 64  # branches that are played together


class Branches:
    """Keeps the state after each tick of a model. Raises UsageError for a team, whose talk is not in the state."""

    def __init__(self, model: Sandbox) -> None:
        self._model, self._blocks, self.kept = model, list[Any](), 0
        if model.env.team:
            raise UsageError("decisive tick: the trial has a team, whose messages and tasks no branch can take over")
        known = [name for name in POLICIES if name in model.env.world.policies]
        if not known:
            raise UsageError(f"decisive tick: the world {model.env.world.name} has no policy {' or '.join(POLICIES)}")
        self.policy = known[0]

    def keep(self) -> None:
        """Keep the model's present state."""
        env = self._model.env
        if self.kept == LANES * len(self._blocks):
            room((self.kept + LANES) * env.states.lane_bytes, f"decisive tick: {self.kept:,} states")
            self._blocks.append(env.allocate(LANES))
        env.fork(self._model.state, 0, self._blocks[-1], self.kept % LANES)
        self.kept += 1

    def last(self) -> int | None:
        """The last kept tick after which the policy still succeeds; None if it succeeds after no kept tick."""
        for block in reversed(range(len(self._blocks))):
            won = self._successes(self._blocks[block], min(LANES, self.kept - block * LANES))
            if won.any():
                return block * LANES + int(np.flatnonzero(won)[-1])
        return None

    def _successes(self, state: Any, lanes: int) -> np.ndarray:
        """Play the first lanes of a block to their end; returns whether each succeeds, (lanes,) bool."""
        env, policies = self._model.env, [self.policy] * self._model.env.agents
        compile_teams([TeamKernels(env, policies, True)])
        memory, stats = env.memories.allocate(LANES), env.stats(LANES)
        assignment, loops = env.assign_policies(policies, memory, stats)
        own = state, env.observation(LANES), memory, np.zeros((LANES, env.agents, 2), np.int32), stats
        loops.play(*own, assignment, env.params, env.faults(LANES), True, 0, lanes, np.array([1 << 30], np.int64))
        return state.done[:lanes] == int(Finish.COMPLETED)

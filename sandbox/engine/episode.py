"""One episode, tick by tick: its arrays, and the phases of a tick in the common order of both tiers."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.core.world import Observation
from sandbox.engine.loops import Loops
from sandbox.engine.parallel import TeamKernels, compile_teams
from sandbox.engine.play import EpisodeStats, PolicyAssignment
from sandbox.engine.search import Policy

if TYPE_CHECKING:
    from sandbox.engine.environment import Environment


class Episode:
    """One episode: the arrays of its lane (state, observation, memory, actions, stats, faults), and its functions.

    A tick is ``sense``, ``choose``, ``mask_actions``, ``act``, ``end_tick``, in this order; the kernel ``play`` does
    the same. Reasoners other than compiled policies decide after ``choose``, by writing ``actions`` (1, N, 2) int32.
    Reviews of actions come before ``act``.

    Parameters
    ----------
    policies : an entry for each agent, as ``Environment.assign_policies`` takes it.
    team : the team's arrays of one lane (``Environment.company``), () without a team.
    """

    def __init__(self, env: "Environment", seed: int, policies: Sequence[Policy], team=()):
        self.env = env
        self.state, self.memory = env.allocate(1), env.memories.allocate(1)
        self.observation, self.stats, self.faults = env.observation(1), env.stats(1), env.faults(1)
        self.actions = np.zeros((1, env.agents, 2), np.int32)
        self.actions[..., 0] = env.params.noop
        self.assign(policies, team)
        _ = self.kernels  # all are compiled before the first is called
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Begin the episode of a seed, with cleared memory; the statistics continue."""
        self.env.reset([seed], self.state)
        self.env.world.start(self.memory, 0, self.env.params)
        self.faults.mail[:] = 0

    def assign(self, policies: Sequence[Policy], team=()) -> None:
        """Continue with other policies and another team."""
        self._policies, self.team = policies, team  # checked when the kernels are assigned
        self.__dict__.pop("kernels", None)

    @cached_property
    def kernels(self) -> tuple[PolicyAssignment, Loops]:
        """The assignment of compiled policies, and the loops of a tick."""
        found = self.env.assign_policies(self._policies, self.memory, self.stats, self.team)
        compile_teams([TeamKernels(self.env, self._policies, False)])
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "kernels"}

    # -- a tick --------------------------------------------------------------------------------------------------------

    def sense(self) -> None:
        """Every agent perceives; a team communicates."""
        _, loops = self.kernels
        loops.sense(self.state, 0, self.env.params, self.observation, self.faults)
        if self.team:
            loops.confer(self.state, self.observation, 0, self.env.params, self.team)

    def choose(self) -> None:
        """Compiled policies decide for their agents; an agent of another reasoner keeps its latest action."""
        assignment, loops = self.kernels
        loops.choose(self.state, self.observation, 0, self.env.params, self.memory, assignment, self.actions)

    def mask_actions(self) -> None:
        """Clear the actions of agents that may not act under the rules of their team."""
        if self.team:
            assignment, loops = self.kernels
            loops.mask_actions(0, self.env.params, self.actions, assignment)

    def act(self) -> None:
        """One tick of the world."""
        _, loops = self.kernels
        loops.act(self.state, self.observation, 0, self.env.params, self.actions, self.stats, self.faults)

    def end_tick(self) -> None:
        """Check a team's tasks and its termination conditions."""
        if self.team:
            assignment, loops = self.kernels
            loops.end_tick(self.state, 0, self.env.params, assignment)

    def tick(self) -> None:
        """A whole tick in which only compiled policies decide."""
        self.sense()
        self.choose()
        self.mask_actions()
        self.act()
        self.end_tick()

    # -- between two ticks ---------------------------------------------------------------------------------------------

    def preview(self) -> Observation:
        """The observations of the next tick, faults included; the episode is not changed.

        A team's messages and tasks are those of the latest tick: it communicates only when the next one begins.
        """
        _, loops = self.kernels
        seen = Observation(*(field.copy() for field in self.observation))
        faults = self.faults._replace(mail=self.faults.mail.copy())
        loops.sense(self.state, 0, self.env.params, seen, faults)
        if self.team:
            seen.inbox[:] = self.observation.inbox
        return seen

    def finalise(self) -> EpisodeStats:
        """The statistics of the episode so far."""
        assignment, loops = self.kernels
        loops.finalise(self.state, 0, self.env.params, assignment, self.stats)
        return self.stats

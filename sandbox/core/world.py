"""The contract of a world: what its folder must offer, stated once.

Kernels work on one lane and fill what they are given (``engine.kernel``). L lanes, N agents:

=================================================================  ===================================================
``reset(s, lane, rules)``                                          lay out the episode of ``s.seed[lane]``
``observe(s, lane, rules, obs)``                                   fill the observation of every agent of the lane
``step(s, lane, actions, rules)``                                  one tick; ``actions``: (L, N, 2) int32, verb, target
``believe(obs, lane, agent, memory, rules, seed, out, to)``        lane ``to`` of ``out``: what the agent believes
``earned(s, lane, rules)``                                         what has been earned for the task so far, in its
                                                                   parts, less the harm done (optional; else
                                                                   what is done by ``progress``): search wants more
``value(s, lane, rules)``                                          what the team has in hand, in parts of the task
                                                                   (optional): with it, search sees progress that
                                                                   is not earned within its horizon
``progress(s, lane, rules)``                                       (done, total) parts of the shared task, read from the
                                                                   state, never from what an agent claims
``start(memory, lane, rules)``                                     clear the policies' own memory
``policy(view, lane, rules, memory, team, dice, actions)``         write the actions of the agents in ``team`` (int32);
                                                                   ``view`` is the observation, or the state for one in
                                                                   ``sighted``; ``dice`` (uint64) keys its draws
``paint(s, lane, rules, trail, blend, image)``                     fill ``image`` (H, W, 3) uint8; ``trail`` (N, T, 2)
                                                                   int32 holds past positions, latest last;
                                                                   ``blend`` in 0..1 moves from the last to the present
=================================================================  ===================================================

Every ``State`` has the fields of :class:`StateFields`, every ``Rules`` the numbers ``verbs`` (how many) and ``noop``
(the verb that does nothing). ``idle`` and ``random`` are the same in all worlds: ``engine.policies``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel

from sandbox.core.intervention import Intervention
from sandbox.core.ladder import Ladder
from sandbox.core.observation import ObservationSpec
from sandbox.core.perturb import Perturbation
from sandbox.core.task import Task
from sandbox.core.teamwork import Teamwork

Shape = tuple[tuple[int, ...], Any]  # shape of one lane, dtype


class StateFields(Protocol):
    """The fields that the engine reads in the state of any world."""

    seed: np.ndarray  # (L,) uint64     key of all draws of the lane
    tick: np.ndarray  # (L,) int32      ticks since reset
    pos: np.ndarray  # (L, N, 2) int32  row, column of each agent, cells
    reward: np.ndarray  # (L, N) float32  of the last tick
    refused: np.ndarray  # (L, N) int8  1 where the agent's action of the last tick was legal but prevented
    done: np.ndarray  # (L,) int8       a Finish code


@dataclass(frozen=True, eq=False)
class World:
    """A world as it is registered: everything that the rest of Sandbox needs to know about it."""

    name: str
    summary: str
    source: str  # where its rules come from
    roles: tuple[str, ...]
    verbs: tuple[str, ...]
    layouts: tuple[str, ...]  # the named ones; a path or the map as text works too
    perturbations: tuple[Perturbation, ...]  # its own, beside the generic ones
    options: type[BaseModel]  # validates the keywords of ``sandbox.make`` and of ``[world]``
    build: Callable[[Any], Any]  # options -> Rules, a NamedTuple of arrays and numbers
    state: type  # NamedTuple of arrays
    state_shapes: Callable[[Any], Mapping[str, Shape]]
    memory: type
    memory_shapes: Callable[[Any], Mapping[str, Shape]]
    observation: Callable[[Any], ObservationSpec]
    agents: Callable[[Any], int]
    reset: Callable
    observe: Callable
    step: Callable
    believe: Callable
    start: Callable
    policies: Mapping[str, Callable]
    paint: Callable
    canvas: Callable[[Any, int], tuple[int, int]]  # rules, longest side in pixels -> (height, width)
    describe: Callable[[Any, int, Any], dict]  # state, lane, rules -> JSON values
    place: Callable[[Any, int, Any, dict], None]  # its inverse; UsageError, or any other, where it is none
    text: Callable[..., str]  # obs, lane, agent, rules -> what the agent sees, in words
    tools: Callable[[Any], list[dict]]  # rules -> JSON schemas of the verbs
    task: Callable[[Any], Task]
    progress: Callable
    conserved: Callable[[Any, int, Any], tuple]  # what the rules never change
    facts: Callable[[Any, int, Any], np.ndarray]  # state, lane, rules -> (F,) int: what stands where, what holds
    in_view: Callable[[Any, int, int, Any], np.ndarray]  # state, lane, agent, rules -> (F,) bool: facts that it sees
    targets: int = 1  # of each verb
    sighted: frozenset[str] = field(default_factory=lambda: frozenset({"oracle"}))
    earned: Callable | None = None  # what search maximises: see above
    value: Callable | None = None  # what a lane is worth where imagination ends: see above
    teamwork: Teamwork | None = None  # what teams can share out; without it a team's agents are each for themselves
    info: Callable[[Any, int, Any], dict] | None = None  # state, agent, rules -> what learners are told; lane first
    ladder: Ladder | None = None  # what can be achieved, for agents that learn skills
    interventions: tuple[Intervention, ...] = ()  # what can be done to it while it runs
    legend: tuple[tuple[str, str], ...] = ()  # (what, "#rrggbb") of the painting
    cells: Callable[[Any], tuple[int, int]] | None = None  # rules -> rows, columns of the grid that a picture spans

    def legal(self, mask: np.ndarray) -> dict[str, list[int]]:
        """The verbs that have an effect now, each with its targets; ``mask`` (A,) bool is an agent's."""
        rows = mask.reshape(len(self.verbs), self.targets)
        return {verb: np.flatnonzero(row).tolist() for verb, row in zip(self.verbs, rows, strict=True) if row.any()}

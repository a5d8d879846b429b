"""A world set up to be played: its rules, its compiled loops, and the calls that everything above the engine uses."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import ValidationError

from sandbox.core import plain
from sandbox.core.errors import UsageError, unknown
from sandbox.core.observation import Observation
from sandbox.core.perturb import GENERIC, OF_MESSAGES, OF_REPLIES, Fault, Perturbation, generic_doses
from sandbox.core.registry import find
from sandbox.core.teamwork import Protocol
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel
from sandbox.engine import lanes as lane_tools
from sandbox.engine.compiling import unstored
from sandbox.engine.faults import Faults, ticks_late
from sandbox.engine.loops import Loops, loops, sharing
from sandbox.engine.play import Cast, Talk, Tally
from sandbox.engine.pool import over_lanes
from sandbox.engine.search import SEARCH, Policy, looks_ahead, policy_name
from sandbox.engine.workspace import workspace


class Stage:
    """A world with its layout, team size and options: ``sandbox.make`` returns it.

    Arrays have the lane as their first axis; L lanes, N agents. All calls that take a state change it in place or not
    at all, and work from several threads at once on lanes of their own. ``team`` is what its agents are to one another
    (``teams.plan``), None where each is for itself; ``plan`` makes it, for a world that is set up.
    """

    def __init__(self, world: World, options: Mapping[str, Any], plan: Callable[["Stage"], Any] | None = None):
        self.world = world
        self.options = _validated(world, options)
        self.rules = _contiguous(world.build(self.options))
        self.agents = world.agents(self.rules)
        self.spec = world.observation(self.rules)
        self.team = plan(self) if plan else None
        self.task = (self.team and self.team.task) or world.task(self.rules)
        for name in OF_MESSAGES & self.options.perturb.keys():
            if not (self.spec.messages or self.team) and self.options.perturb[name] > 0:
                raise UsageError(f"world '{world.name}': perturb.{name}: nobody sends messages there")

    def __reduce__(self):
        return _remake, (self.world.name, self.options.model_dump(exclude_unset=True), self.team and self.team.maker)

    @property
    def verbs(self) -> tuple[str, ...]:
        return self.world.verbs

    def is_warm(self, policies: Collection[Policy], whole: bool = False) -> bool:
        """Whether a team with these policies finds its kernels compiled, for ``whole`` episodes or hosted ticks."""
        return not self.uncompiled(policies, whole)

    def uncompiled(self, policies: Collection[Policy], whole: bool = False) -> dict[Any, int]:
        """The kernels that such a team finds not compiled, each with the size of its code."""
        parts = loops(self.world, self._used([policy_name(policy) for policy in policies]), self._protocol)
        names = ("play",) if whole else ("sense", "confer", "choose", "restrain", "act", "oversee", "settle")
        return unstored(getattr(parts, name) for name in names if hasattr(parts, name))

    def warm_up(self, policies: Sequence[Policy], whole: bool = False) -> None:
        """Compile them: one tick, in which nobody but compiled policies decides."""
        if whole:
            self.play([0], policies, ticks=1)
            return
        state, view, memory, tally, faults = (
            self.reset([0]), self.observation(1), self.memory(1), self.tally(1), self.faults(1)
        )  # fmt: skip
        cast, loops = self.cast(policies, memory, tally, self.company(1))
        actions = np.zeros((1, self.agents, 2), np.int32)
        loops.sense(state, 0, self.rules, view, faults)
        if self.team:
            loops.confer(state, view, 0, self.rules, cast.team)
        loops.choose(state, view, 0, self.rules, memory, cast, actions)
        if self.team:
            loops.restrain(0, self.rules, actions, cast)
        loops.act(state, view, 0, self.rules, actions, tally, faults)
        if self.team:
            loops.oversee(state, 0, self.rules, cast)
        loops.settle(state, 0, self.rules, cast, tally)
        self.digest(state)

    # -- lanes ---------------------------------------------------------------------------------------------------------

    def allocate(self, lanes: int):
        """A zeroed state of ``lanes`` lanes."""
        return lane_tools.allocate(self.world.state, self.world.state_shapes(self.rules), lanes)

    def reset(self, seeds: int | Iterable[int], state=None):
        """A state with one lane for each seed (0..2**64-1), at tick 0; or ``state``, begun anew."""
        seeds = plain.seeds(seeds)
        state = state or self.allocate(len(seeds))
        state.seed[:] = seeds
        for lane in range(len(seeds)):
            self.world.reset(state, lane, self.rules)
        return state

    def digest(self, state, lane: int = 0) -> str:
        """SHA-256 over one lane, hexadecimal."""
        return lane_tools.digest(state, lane).hex()

    def fork(self, state, lane: int, target, to: int) -> None:
        """Copy one lane to a lane of another state (or of the same)."""
        lane_tools.copy_lane(lane_tools.pairs(state, target), lane, to)

    # -- one tick ------------------------------------------------------------------------------------------------------

    def observation(self, lanes: int) -> Observation:
        """Zeroed observation arrays."""
        spec, agents, side = self.spec, self.agents, self.spec.side
        return Observation(
            np.zeros((lanes, agents, len(spec.channels), side, side), np.int8),
            np.zeros((lanes, agents, len(spec.vector)), np.float32),
            np.zeros((lanes, agents, len(self.verbs) * self.world.targets), np.bool_),
            np.zeros((lanes, agents, spec.messages, 4), np.int32),
            np.zeros((lanes, agents, 4), np.int32),
        )

    def observe(self, state, into: Observation | None = None) -> Observation:
        """What the world shows every agent of every lane; faults come in with the loops."""
        into = into or self.observation(len(state.seed))
        for lane in range(len(state.seed)):
            self.world.observe(state, lane, self.rules, into)
        return into

    def step(self, state, actions: np.ndarray) -> None:
        """One tick of every lane that is not done; ``actions`` is (L, N, 2) int32: verb and target."""
        actions = np.ascontiguousarray(actions, np.int32)
        expected = (len(state.seed), self.agents, 2)
        if actions.shape != expected:
            raise UsageError(f"actions: shape {actions.shape}, expected {expected} (lanes, agents, verb and target)")
        for lane in range(len(state.seed)):
            self.world.step(state, lane, actions, self.rules)

    def memory(self, lanes: int):
        """The policies' own memory, cleared."""
        memory = self._memory(lanes)
        for lane in range(lanes):
            self.world.start(memory, lane, self.rules)
        return memory

    def _memory(self, lanes: int):
        return lane_tools.allocate(self.world.memory, self.world.memory_shapes(self.rules), lanes)

    def tally(self, lanes: int) -> Tally:
        shape = (lanes, self.agents)
        counts = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros((lanes, 2), np.int32)
        talk = np.zeros((lanes, len(Talk)), np.int64)
        return Tally(np.zeros(shape), *counts, np.zeros(shape, np.int64), np.zeros(shape, np.int32), talk)

    def faults(self, lanes: int) -> Faults:
        """The generic perturbations of ``[perturb]``, with no message under way; those of a team are its network's."""
        dose = generic_doses(self.options.perturb)
        if self.team:
            dose[[Fault.MESSAGE_LOSS, Fault.MESSAGE_DELAY]] = 0
        late = ticks_late(dose[Fault.MESSAGE_DELAY]) if self.spec.messages else 0
        return Faults(dose, np.zeros((lanes, late, self.agents, self.spec.messages, 4), np.int32))

    @property
    def perturbations(self) -> tuple[Perturbation, ...]:
        """The world's own, and the generic ones that act on any reasoner here."""
        idle = OF_REPLIES if self.spec.messages or self.team else OF_REPLIES | OF_MESSAGES
        return (*self.world.perturbations, *(each for each in GENERIC if each.name not in idle))

    def progress(self, state, lane: int = 0) -> tuple[int, int]:
        """Parts of the shared task that are done, and all, read from the state."""
        done, total = self.world.progress(state, lane, self.rules)
        return int(done), int(total)

    def company(self, lanes: int):
        """The team's arrays of ``lanes`` lanes; () where there is no team."""
        return self.team.arrays(lanes) if self.team else ()

    @property
    def _protocol(self) -> Protocol | None:
        return self.team.protocol if self.team else None

    def cast(self, policies: Sequence[Policy], memory=None, tally: Tally | None = None, team=()) -> tuple[Cast, Loops]:
        """Who follows which compiled policy, and their loops; ``team`` are the arrays of ``company``.

        ``policies`` has for each agent a name, a WorldModel if it searches, or None for other reasoners. Who searches
        needs the ``memory`` and ``tally`` of the lanes; the cast then hold scratch memory and serve one thread.
        """
        names = [policy_name(policy) for policy in policies]
        used = self._used(names)
        groups = [[i for i, own in enumerate(names) if own == name] for name in used]
        agents, bounds = [i for group in groups for i in group], np.cumsum([0, *map(len, groups)])
        work = workspace(self, policies, memory, tally.imagined) if any(map(looks_ahead, used)) else ()
        compiled = loops(self.world, used, self._protocol if len(team) else None)
        return Cast(np.array(agents, np.int32), bounds.astype(np.int32), work, team), compiled

    def _used(self, names: Collection[str | None]) -> tuple[str, ...]:
        """The policies among ``names``, in one order whatever the team: those that search come last."""
        for name in names:
            if name is not None and name.removeprefix(SEARCH) not in self.world.policies:
                raise unknown("policy", name, self.world.policies, f"world '{self.world.name}'")
        known = (*self.world.policies, *(SEARCH + policy for policy in self.world.policies))
        wanted = sharing(self.world, {name for name in names if name is not None})
        return tuple(name for name in known if name in wanted)

    # -- whole episodes ------------------------------------------------------------------------------------------------

    def play(self, seeds, policies, ticks: int = 1 << 30, threads: int | None = 1, trace: int = 0):
        """Play one episode for each seed in the compiled tier.

        ``policies`` is one name or WorldModel for all agents, or one for each. Returns (state, tally, digests), where
        ``digests`` is (L, trace, 32) uint8: the state's digest after each of the first ``trace`` ticks.
        """
        seeds = plain.seeds(seeds)
        lanes = len(seeds)
        state, faults = self.allocate(lanes), self.faults(lanes)
        state.seed[:] = seeds
        policies = [policies] * self.agents if isinstance(policies, str | WorldModel) else policies
        observation, memory, tally = self.observation(lanes), self._memory(lanes), self.tally(lanes)
        actions = np.zeros((lanes, self.agents, 2), np.int32)
        limit = np.array([ticks], np.int64)
        digests, company = np.zeros((lanes, trace, 32), np.uint8), self.company(lanes)

        def work(start: int, stop: int) -> int:
            cast, compiled = self.cast(policies, memory, tally, company)
            loop = compiled.trace if trace else compiled.play
            own = state, observation, memory, actions, tally, cast, self.rules, faults
            return loop(*own, start, stop, limit, digests)

        over_lanes(work, lanes, limit, threads)
        return state, tally, digests

    # -- renderings ----------------------------------------------------------------------------------------------------

    def describe(self, state, lane: int = 0) -> dict:
        """One lane as plain JSON values, for people and tests; ``place`` is its inverse."""
        return self.world.describe(state, lane, self.rules)

    def place(self, state, lane: int = 0, description: Mapping[str, Any] | None = None) -> None:
        """Draw the situation you want to study into a lane; keys that are left out stay as they are.

        Raises UsageError, with the lane unchanged, where the description is none of this world.
        """
        known, given = self.describe(state, lane), plain.plain(description or {}, "place")
        for key in given:
            if key not in known:
                raise unknown("key", key, known, "place")
        before = self.allocate(1)
        self.fork(state, lane, before, 0)
        try:
            self.world.place(state, lane, self.rules, {**known, **given})
        except Exception as error:
            self.fork(before, 0, state, lane)
            if isinstance(error, UsageError):
                raise
            reason = f"{error.__class__.__name__}: {error}"
            raise UsageError(f"place: {reason}; expected what describe() returns") from None

    def words(self, state, lane: int = 0, agent: int = 0) -> str:
        """What one agent sees, as text."""
        observation = self.observation(len(state.seed))
        self.world.observe(state, lane, self.rules, observation)
        return self.world.text(observation, lane, agent, self.rules)

    def paint(self, state, lane: int = 0, size: int = 600, trail: np.ndarray | None = None, blend: float = 1.0):
        """One lane as a picture (H, W, 3) uint8 whose longest side is about ``size`` pixels.

        ``trail`` (N, T, 2) int32 are past positions, latest last; ``blend`` in 0..1 moves the agents from their last
        past position to the present one.
        """
        image = np.zeros((*self.world.canvas(self.rules, size), 3), np.uint8)
        trail = np.zeros((self.agents, 0, 2), np.int32) if trail is None else trail
        self.world.paint(state, lane, self.rules, trail, blend, image)
        return image


def _validated(world: World, options: Mapping[str, Any]):
    where = f"world '{world.name}'"
    options = plain.plain(options, where)
    for key in options:
        if key not in world.options.model_fields:
            raise unknown("option", key, world.options.model_fields, where)
    try:
        return world.options(**options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where}: {key or 'options'}: {first['msg']}, got {first['input']!r:.80}") from None


def _contiguous(rules):
    """Kernels are compiled once for each array layout, so there is only one: C order."""
    return rules._replace(
        **{k: np.ascontiguousarray(v) for k, v in rules._asdict().items() if isinstance(v, np.ndarray)}
    )


def _remake(name: str, options: dict, plan: Callable[[Stage], Any] | None) -> Stage:
    return Stage(find(name), options, plan)


def make(world: str, **options) -> Stage:
    """A world by name, set up: ``make("warehouse", layout="tiny", agents=4)``.

    Raises UsageError, in one line, for an unknown world or option, a wrong value, or a bad layout.
    """
    return Stage(find(world), options)

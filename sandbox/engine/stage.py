"""A world set up to be played: its rules, its compiled loops, and the calls that everything above the engine uses."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import prod
from numbers import Real
from typing import Any

import numpy as np

from sandbox.core import plain
from sandbox.core.errors import UsageError, shown
from sandbox.core.observation import Observation, observation_shapes
from sandbox.core.perturb import GENERIC, OF_MESSAGES, OF_REPLIES, Fault, Perturbation, generic_doses
from sandbox.core.plain import flag, whole
from sandbox.core.registry import find
from sandbox.core.teamwork import Protocol
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel
from sandbox.engine import casting, placing
from sandbox.engine import lanes as lane_tools
from sandbox.engine.arrays import LANES, TICKS, Arrays, actions_of, room, whole_array
from sandbox.engine.casting import known, used
from sandbox.engine.compiling import unstored
from sandbox.engine.faults import Faults, ticks_late
from sandbox.engine.loops import Loops, loops
from sandbox.engine.play import Cast, Tally, tally_shapes
from sandbox.engine.pool import over_lanes
from sandbox.engine.search import Policy, policy_name
from sandbox.engine.setup import contiguous, validated

THREADS, PIXELS = 1024, 1 << 14  # at most


class Stage:
    """A world with its layout, team size and options: ``sandbox.make`` returns it.

    Arrays have the lane as their first axis; L lanes, N agents. All calls that take a state change it in place or not
    at all, and work from several threads at once on lanes of their own. ``team`` is what its agents are to one another
    (``teams.plan``), None where each is for itself; ``plan`` makes it, for a world that is set up.

    Every method checks what it is given and raises UsageError where it does not fit: kernels check nothing, and end the
    process. What they trust are the values in a state; ``place`` draws them.
    """

    def __init__(self, world: World, options: Mapping[str, Any], plan: Callable[["Stage"], Any] | None = None):
        if not isinstance(world, World):
            raise UsageError(f"Stage: world {shown(world)}, expected a World; sandbox.make takes its name")
        if plan is not None and not callable(plan):
            raise UsageError(f"Stage: plan {shown(plan)}, expected a function that makes a team's plan, or None")
        self.world = world
        self.options = validated(world, options)
        self.rules = contiguous(world.build(self.options))
        self.agents = world.agents(self.rules)
        self.spec = world.observation(self.rules)
        self.team = plan(self) if plan else None
        self.task = (self.team and self.team.task) or world.task(self.rules)
        self.states = Arrays(world.state, world.state_shapes(self.rules), "allocate")
        self.memories = Arrays(world.memory, world.memory_shapes(self.rules), "memory")
        self.observations = Arrays(
            Observation, observation_shapes(self.spec, self.agents, len(self.verbs) * world.targets), "observation"
        )
        self.tallies = Arrays(Tally, tally_shapes(self.agents), "tally")
        self._bounds = np.array([len(self.verbs), world.targets], np.uint32)  # of an action
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
        policies = known(self.world, policies, "uncompiled")
        parts = loops(self.world, used(self.world, map(policy_name, policies)), self._protocol)
        whole = flag(whole, "uncompiled: whole")
        names = ("play",) if whole else ("sense", "confer", "choose", "restrain", "act", "oversee", "settle")
        return unstored(getattr(parts, name) for name in names if hasattr(parts, name))

    def warm_up(self, policies: Sequence[Policy], whole: bool = False) -> None:
        """Compile them: one tick, in which nobody but compiled policies decides."""
        if flag(whole, "warm_up: whole"):
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
        return self.states.allocate(lanes)

    def reset(self, seeds: int | Iterable[int], state=None):
        """A state with one lane for each seed (0..2**64-1), at tick 0; or ``state``, begun anew."""
        seeds = plain.seeds(seeds)
        state = self.allocate(len(seeds)) if state is None else state
        self.states.lanes(state, "reset", len(seeds))
        state.seed[:] = seeds
        for lane in range(len(seeds)):
            self.world.reset(state, lane, self.rules)
        return state

    def digest(self, state, lane: int = 0) -> str:
        """SHA-256 over one lane, hexadecimal."""
        return lane_tools.digest(state, self.states.lane(state, lane, "digest")).hex()

    def fork(self, state, lane: int, target, to: int) -> None:
        """Copy one lane to a lane of another state (or of the same)."""
        lane, to = self.states.lane(state, lane, "fork"), self.states.lane(target, to, "fork: target")
        lane_tools.copy_lane(lane_tools.pairs(state, target), lane, to)

    # -- one tick ------------------------------------------------------------------------------------------------------

    def observation(self, lanes: int) -> Observation:
        """Zeroed observation arrays."""
        return self.observations.allocate(lanes)

    def observe(self, state, into: Observation | None = None) -> Observation:
        """What the world shows every agent of every lane; faults come in with the loops."""
        lanes = self.states.lanes(state, "observe")
        into = self.observation(lanes) if into is None else into
        self.observations.lanes(into, "observe: into", lanes)
        for lane in range(lanes):
            self.world.observe(state, lane, self.rules, into)
        return into

    def step(self, state, actions: np.ndarray) -> None:
        """One tick of every lane that is not done; ``actions`` is (L, N, 2): numbers of a verb and of its target."""
        lanes = self.states.lanes(state, "step")
        actions = actions_of(actions, "step", (lanes, self.agents, 2), self._bounds)
        for lane in range(lanes):
            self.world.step(state, lane, actions, self.rules)

    def memory(self, lanes: int):
        """The policies' own memory, cleared."""
        memory = self.memories.allocate(lanes)
        for lane in range(lanes):
            self.world.start(memory, lane, self.rules)
        return memory

    def tally(self, lanes: int) -> Tally:
        """Nothing counted yet."""
        return self.tallies.allocate(lanes)

    def faults(self, lanes: int) -> Faults:
        """The generic perturbations of ``[perturb]``, with no message under way; those of a team are its network's."""
        lanes = whole(lanes, "faults: lanes", 0, LANES)
        dose = generic_doses(self.options.perturb)
        if self.team:
            dose[[Fault.MESSAGE_LOSS, Fault.MESSAGE_DELAY]] = 0
        late = ticks_late(dose[Fault.MESSAGE_DELAY]) if self.spec.messages else 0
        shape = lanes, late, self.agents, self.spec.messages, 4
        room(4 * prod(shape), f"faults: {lanes} lanes")
        return Faults(dose, np.zeros(shape, np.int32))

    @property
    def perturbations(self) -> tuple[Perturbation, ...]:
        """The world's own, and the generic ones that act on any reasoner here."""
        idle = OF_REPLIES if self.spec.messages or self.team else OF_REPLIES | OF_MESSAGES
        return (*self.world.perturbations, *(each for each in GENERIC if each.name not in idle))

    def progress(self, state, lane: int = 0) -> tuple[int, int]:
        """Parts of the shared task that are done, and all, read from the state."""
        done, total = self.world.progress(state, self.states.lane(state, lane, "progress"), self.rules)
        return int(done), int(total)

    def company(self, lanes: int):
        """The team's arrays of ``lanes`` lanes; () where there is no team."""
        lanes = whole(lanes, "company: lanes", 0, LANES)
        return self.team.arrays(lanes) if self.team else ()

    @property
    def _protocol(self) -> Protocol | None:
        return self.team.protocol if self.team else None

    def cast(self, policies: Sequence[Policy], memory=None, tally: Tally | None = None, team=()) -> tuple[Cast, Loops]:
        """Who follows which compiled policy, and their loops; ``team`` are the arrays of ``company``.

        ``policies`` has for each agent a name, a WorldModel if it searches, or None for other reasoners. Who searches
        needs the ``memory`` and ``tally`` of the lanes; the cast then hold scratch memory and serve one thread. The
        loops are kernels: they trust their arguments.
        """
        return casting.cast(self, policies, memory, tally, team)

    # -- whole episodes ------------------------------------------------------------------------------------------------

    def play(self, seeds, policies, ticks: int = 1 << 30, threads: int | None = 1, trace: int = 0):
        """Play one episode for each seed in the compiled tier.

        ``policies`` is one name or WorldModel for all agents, or one for each. Returns (state, tally, digests), where
        ``digests`` is (L, trace, 32) uint8: the state's digest after each of the first ``trace`` ticks.
        """
        seeds, ticks = plain.seeds(seeds), whole(ticks, "play: ticks", 0, TICKS)
        trace = whole(trace, "play: trace", 0, TICKS)
        threads = threads if threads is None else whole(threads, "play: threads", 1, THREADS)
        policies = [policies] * self.agents if isinstance(policies, str | WorldModel) else policies
        if None in known(self.world, policies, "play", self.agents):
            raise UsageError("play: policy None, expected a name or a WorldModel for every agent")
        lanes, parts = len(seeds), (self.states, self.observations, self.memories, self.tallies)
        room(lanes * (32 * trace + sum(part.lane_bytes for part in parts)), f"play: {lanes} lanes")
        state, observation, memory, tally = (part.allocate(lanes) for part in parts)
        state.seed[:], faults = seeds, self.faults(lanes)
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
        lane = self.states.lane(state, lane, "describe")
        try:
            return self.world.describe(state, lane, self.rules)
        except Exception as error:
            why = f"lane {lane} holds no state of this world ({shown(error)})"
            raise UsageError(f"describe: {why}; reset it first") from None

    def place(self, state, lane: int = 0, description: Mapping[str, Any] | None = None) -> None:
        """Draw the situation you want to study into a lane; keys that are left out stay as they are.

        Raises UsageError, with the lane unchanged, where the description is none of this world.
        """
        lane = self.states.lane(state, lane, "place")
        placing.place(self, state, lane, {} if description is None else description)

    def words(self, state, lane: int = 0, agent: int = 0) -> str:
        """What one agent sees, as text."""
        lane, agent = self.states.lane(state, lane, "words"), whole(agent, "words: agent", 0, self.agents - 1)
        observation = self.observation(len(state.seed))
        self.world.observe(state, lane, self.rules, observation)
        return self.world.text(observation, lane, agent, self.rules)

    def paint(self, state, lane: int = 0, size: int = 600, trail: np.ndarray | None = None, blend: float = 1.0):
        """One lane as a picture (H, W, 3) uint8 whose longest side is about ``size`` pixels.

        ``trail`` (N, T, 2) int32 are past positions, latest last; ``blend`` in 0..1 moves the agents from their last
        past position to the present one.
        """
        lane, size = self.states.lane(state, lane, "paint"), whole(size, "paint: size", 1, PIXELS)
        if isinstance(blend, bool) or not (isinstance(blend, Real) and 0 <= blend <= 1):
            raise UsageError(f"paint: blend {shown(blend)}, expected a number in 0..1")
        trail = np.zeros((self.agents, 0, 2), np.int32) if trail is None else trail
        trail = whole_array(trail, "paint: trail", (self.agents, None, 2), np.int32, -1, LANES)
        image = np.zeros((*self.world.canvas(self.rules, size), 3), np.uint8)
        self.world.paint(state, lane, self.rules, trail, float(blend), image)
        return image


def _remake(name: str, options: dict, plan: Callable[[Stage], Any] | None) -> Stage:
    return Stage(find(name), options, plan)


def make(world: str, **options) -> Stage:
    """A world by name, set up: ``make("warehouse", layout="tiny", agents=4)``.

    Raises UsageError, in one line, for an unknown world or option, a wrong value, or a bad layout.
    """
    return Stage(find(world), options)

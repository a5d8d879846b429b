"""A world that is set up: its parameters, its compiled loops, and the interface for everything above the engine."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from functools import cached_property
from math import prod
from numbers import Real
from typing import Any

import numpy as np
from pydantic import ValidationError
from typing_extensions import deprecated

from sandbox.core import plain
from sandbox.core.errors import UsageError, first_problem, shown, unknown
from sandbox.core.perturb import GENERIC, OF_MESSAGES, OF_REPLIES, Fault, Perturbation, generic_doses
from sandbox.core.plain import flag, whole
from sandbox.core.teamwork import Protocol
from sandbox.core.trained_policy import TrainedPolicy
from sandbox.core.world import FIXED, Observation, World, observation_shapes
from sandbox.core.world_model import WorldModel, check_base, check_believes
from sandbox.engine.arrays import LANES, TICKS, Arrays, actions_of, copy_lane, digest, room, whole_array
from sandbox.engine.compiling import Step, unstored
from sandbox.engine.coordination.team import Team
from sandbox.engine.defaults import completed
from sandbox.engine.digests import digests
from sandbox.engine.episode import Episode
from sandbox.engine.faults import Faults, ticks_late
from sandbox.engine.learned import weights_of
from sandbox.engine.loops import Loops, loops, sharing
from sandbox.engine.parallel import TeamKernels, compile_teams
from sandbox.engine.play import EpisodeStats, PolicyAssignment, stats_shapes
from sandbox.engine.pool import over_lanes
from sandbox.engine.registry import opened
from sandbox.engine.search import LEARNED, SEARCH, Policy, looks_ahead, policy_name
from sandbox.engine.trained import TRAINED, nets_of, shipped_reasoners
from sandbox.engine.workspace import workspace

# -- setup: checked options, and parameters in the form that kernels need


def validated(world: World, options: Mapping[str, Any]):
    """The validated options of a world; raises UsageError for an unknown option or a wrong value."""
    where = f"world '{world.name}'"
    if not isinstance(options, Mapping):
        raise UsageError(f"{where}: options {shown(options)}, expected a mapping")
    options = plain.plain(options, where)
    for key in options:
        if key not in world.options.model_fields:
            raise unknown("option", key, world.options.model_fields, where)
    try:
        return world.options(**options)
    except ValidationError as error:
        raise UsageError(f"{where}: {first_problem(error)}") from None


def contiguous(params):
    """Parameters with all arrays in C order, since kernels are compiled once for each array layout."""
    return params._replace(
        **{k: np.ascontiguousarray(v) for k, v in params._asdict().items() if isinstance(v, np.ndarray)}
    )


# -- assignment of policies: the checked policies of a team, and the loops that play them


def assign_policies(env, policies: Any, memory, stats, team) -> tuple[PolicyAssignment, Loops]:
    """See ``Environment.assign_policies``."""
    policies = known(env.world, policies, "assign_policies", env.agents)
    _check_arrays(env, memory, stats, team)
    names = [policy_name(policy) for policy in policies]
    parts = used(env.world, names)
    groups = [[i for i, own in enumerate(names) if own == name] for name in parts]
    agents, bounds = [i for group in groups for i in group], np.cumsum([0, *map(len, groups)])
    search = any(map(looks_ahead, parts))
    if search and (memory is None or stats is None):
        raise UsageError("assign_policies: an agent searches; expected memory and stats of its lanes")
    work = workspace(env, policies, memory, stats.imagined) if search else ()
    nets = nets_of(env, policies) if TRAINED in names else ()
    compiled = loops(env.world, parts, env.team.protocol if len(team) else None)
    return PolicyAssignment(np.array(agents, np.int32), bounds.astype(np.int32), work, team, nets), compiled


def _check_arrays(env, memory, stats, team) -> None:
    lanes = None if memory is None else env.memories.lanes(memory, "assign_policies: memory")
    if stats is not None:
        lanes = env.stats_arrays.lanes(stats, "assign_policies: stats", lanes)
    if not isinstance(team, tuple) or (len(team) and (env.team is None or type(team) is not Team)):
        raise UsageError(f"assign_policies: team {shown(team)}, expected what company() of this world returns")
    if len(team) and (team.own.shape[1] != env.agents or lanes not in (None, len(team.own))):
        raise UsageError(
            f"assign_policies: team of (lanes, agents, ...) {team.own.shape}, expected {lanes}, {env.agents}"
        )


def known(world: World, policies: Any, where: str, agents: int | None = None) -> list[Policy]:
    """The policies as a list, one for each of ``agents``; raises UsageError for an unknown policy."""
    if not isinstance(policies, Sequence | Set) or isinstance(policies, str | bytes | TrainedPolicy):
        raise UsageError(f"{where}: policies {shown(policies)}, expected a list of names or WorldModels")
    if agents is not None and len(policies) != agents:
        raise UsageError(f"{where}: {len(policies)} policies, expected {agents}, one for each agent")
    for policy in policies:
        if isinstance(policy, WorldModel):
            check_base(policy.base, world, f"{where}: world_model.base")
            check_believes(world, f"{where}: world_model")
            if policy.kind == "learned":
                weights_of(world, policy)
        elif not isinstance(policy, TrainedPolicy | None) and not (
            isinstance(policy, str) and policy in world.policies
        ):
            raise unknown("policy", policy, world.policies, f"world '{world.name}'")
    return list(policies)


def used(world: World, names: Iterable[str | None]) -> tuple[str, ...]:
    """The policies among ``names`` in an order that does not depend on the team; searches come last."""
    wanted = sharing(world, set(names) - {None})
    searches = (prefix + policy for prefix in (SEARCH, SEARCH + LEARNED) for policy in world.policies)
    return tuple(name for name in (*world.policies, TRAINED, *searches) if name in wanted)


# -- placing: checks of a description that are the same for all worlds


def place(env, state, lane: int, description: Any) -> None:
    """See ``Environment.place``."""
    if not isinstance(description, Mapping):
        raise UsageError(f"place: {shown(description)}, expected keys of what describe() returns")
    known, given = env.describe(state, lane), plain.plain(description, "place")
    for key in given:
        if key not in known:
            raise unknown("key", key, known, "place")
        _check_kind(given[key], known[key], key)
    before = env.allocate(1)
    env.fork(state, lane, before, 0)
    try:
        env.world.place(state, lane, env.params, {**known, **given})
        if env.world.refresh:
            env.world.refresh(state, lane, env.params)
    except Exception as error:
        env.fork(before, 0, state, lane)
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"place: {shown(error)}; expected what describe() returns") from None


def _checked_start(given: Any) -> dict[str, Any]:
    """A start in plain values; raises UsageError for a key that no start sets. ``reset`` checks the rest."""
    if not isinstance(given, Mapping):
        raise UsageError(f"start: {shown(given)}, expected keys of what describe() returns")
    for key in FIXED:
        if key in given:
            raise UsageError(
                f"start: {key}: the seed and the rules set it; expected other keys of what describe() returns"
            )
    return plain.plain(given, "start")


def _check_kind(given: Any, known: Any, where: str) -> None:
    """Refuse a fraction for an integer and a number for a flag, which arrays would silently convert."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for key in given.keys() & known.keys():
            _check_kind(given[key], known[key], f"{where}.{key}")
    elif isinstance(given, list) and isinstance(known, list):
        for k, own in enumerate(given):
            if known:  # all entries are of one kind, so new ones are compared with the last
                _check_kind(own, known[min(k, len(known) - 1)], f"{where}[{k}]")
    elif type(known) in (int, bool) and type(given) in (int, bool, float) and type(given) is not type(known):
        kind = "a whole number" if type(known) is int else "true or false"
        raise UsageError(f"place: {where}: {shown(given)}, expected {kind}")


# -- environment

THREADS, PIXELS = 1024, 1 << 14  # at most


class _OldNames:
    """Deprecated names of ``Environment``'s methods, for one version."""

    @deprecated("words is now render_text")
    def words(self, *arguments, **named) -> str:
        return self.render_text(*arguments, **named)

    @deprecated("paint is now render")
    def paint(self, *arguments, **named) -> np.ndarray:
        return self.render(*arguments, **named)

    @deprecated("cast is now assign_policies")
    def cast(self, *arguments, **named) -> tuple[PolicyAssignment, Loops]:
        return self.assign_policies(*arguments, **named)


class Environment(_OldNames):
    """A world with its layout, team size and options; ``sandbox.make`` returns it.

    The first axis of all arrays is the lane; L lanes, N agents. A call that takes a state changes it in place. If the
    call raises, the state is unchanged. Several threads may call at the same time on lanes of their own. ``team`` is
    the plan of the team (``teams.plan``), None without a team; ``plan`` makes it for this world. ``start`` are keys of
    the description with the values that they have at tick 0 of every episode.

    Every method checks its arguments and raises UsageError for wrong ones, since kernels check nothing and would crash
    the process. The values in a state are not checked; ``place`` checks the values that it sets.
    """

    def __init__(
        self, world: World, options: Mapping[str, Any], plan: Callable[["Environment"], Any] | None = None,
        start: Mapping[str, Any] | None = None,
    ):  # fmt: skip
        if not isinstance(world, World):
            raise UsageError(f"Environment: world {shown(world)}, expected a World; sandbox.make takes its name")
        if plan is not None and not callable(plan):
            raise UsageError(f"Environment: plan {shown(plan)}, expected a function that makes a team's plan, or None")
        self.world = world = completed(world)
        self.options = validated(world, options)
        self.start = _checked_start({} if start is None else start)
        self.params = contiguous(world.build(self.options))
        self.agents = world.agents(self.params)
        self.spec = world.observation(self.params)
        self.team: Any = plan(self) if plan else None
        self.task = (self.team and self.team.task) or world.task(self.params)
        self.states = Arrays(world.state, world.state_shapes(self.params), "allocate")
        self.memories = Arrays(world.memory, world.memory_shapes(self.params), "memory")
        self.observations = Arrays(
            Observation, observation_shapes(self.spec, self.agents, len(self.verbs) * world.targets), "observation"
        )
        self.stats_arrays = Arrays(EpisodeStats, stats_shapes(self.agents), "stats")
        self._bounds = np.array([len(self.verbs), world.targets], np.uint32)  # of an action
        for name in OF_MESSAGES & self.options.perturb.keys():
            if not (self.spec.messages or self.team) and self.options.perturb[name] > 0:
                raise UsageError(f"world '{world.name}': perturb.{name}: this world has no messages")

    def __reduce__(self):
        options = self.options.model_dump(exclude_unset=True)
        return _remake, (self.world.name, options, self.team and self.team.maker, self.start)

    @property
    def verbs(self) -> tuple[str, ...]:
        return self.world.verbs

    @cached_property
    def shipped_reasoners(self) -> tuple[str, ...]:
        """The trained policies of the package that fit this environment, as reasoners: ``policy:kitchen``."""
        return shipped_reasoners(self)

    def is_warm(self, policies: Collection[Policy], whole: bool = False) -> bool:
        """Whether the kernels of a team with these policies are compiled, for ``whole`` episodes or hosted ticks."""
        return not self.uncompiled(policies, whole)

    def uncompiled(self, policies: Collection[Policy], whole: bool = False) -> dict[Step, int]:
        """The steps of compiling such a team that are not done yet, each with its size."""
        policies = known(self.world, policies, "uncompiled")
        compiled = loops(self.world, used(self.world, map(policy_name, policies)), self._protocol)
        return unstored(call.kernel for call in compiled.calls(flag(whole, "uncompiled: whole")) if call.entry)

    def warm_up(self, policies: Sequence[Policy], whole: bool = False) -> None:
        """Compile the kernels by playing one tick in which only compiled policies decide."""
        if flag(whole, "warm_up: whole"):
            digests(self.play([0], policies, ticks=1)[0])
            return
        episode = Episode(self, 0, policies, self.company(1))
        episode.tick()
        episode.finalise()
        self.digest(episode.state)

    # -- lanes ---------------------------------------------------------------------------------------------------------

    def allocate(self, lanes: int):
        """A zeroed state of ``lanes`` lanes."""
        return self.states.allocate(lanes)

    def reset(self, seeds: int | Iterable[int], state=None):
        """A state with one lane for each seed (0..2**64-1), at tick 0; or the given ``state``, reset."""
        seeds = plain.seeds(seeds)
        state = self.allocate(len(seeds)) if state is None else state
        self.states.lanes(state, "reset", len(seeds))
        state.seed[:] = seeds
        self._lay_out(state)
        return state

    def _lay_out(self, state) -> None:
        """Tick 0 of the episode of each lane's seed."""
        for lane in range(len(state.seed)):
            self.world.reset(state, lane, self.params)
            if self.start:
                try:
                    place(self, state, lane, self.start)
                except UsageError as error:
                    raise UsageError(f"start: {str(error).removeprefix('place: ')}") from None

    def digest(self, state, lane: int = 0) -> str:
        """SHA-256 over one lane, hexadecimal."""
        return digest(state, self.states.lane(state, lane, "digest")).hex()

    def fork(self, state, lane: int, target, to: int) -> None:
        """Copy one lane to a lane of another state (or of the same)."""
        lane, to = self.states.lane(state, lane, "fork"), self.states.lane(target, to, "fork: target")
        copy_lane(state, lane, target, to)

    # -- one tick ------------------------------------------------------------------------------------------------------

    def observation(self, lanes: int) -> Observation:
        """Zeroed observation arrays."""
        return self.observations.allocate(lanes)

    def observe(self, state, into: Observation | None = None) -> Observation:
        """The observation of every agent of every lane, without faults; the loops apply the faults."""
        lanes = self.states.lanes(state, "observe")
        into = self.observation(lanes) if into is None else into
        self.observations.lanes(into, "observe: into", lanes)
        for lane in range(lanes):
            self.world.observe(state, lane, self.params, into)
        return into

    def step(self, state, actions: np.ndarray) -> None:
        """One tick of every lane that is not done; ``actions`` (L, N, 2) are numbers of a verb and of its target."""
        lanes = self.states.lanes(state, "step")
        actions = actions_of(actions, "step", (lanes, self.agents, 2), self._bounds)
        for lane in range(lanes):
            self.world.step(state, lane, actions, self.params)

    def memory(self, lanes: int):
        """The memory of the policies, cleared."""
        memory = self.memories.allocate(lanes)
        for lane in range(lanes):
            self.world.start(memory, lane, self.params)
        return memory

    def stats(self, lanes: int) -> EpisodeStats:
        """Statistics of episodes, all zero."""
        return self.stats_arrays.allocate(lanes)

    def faults(self, lanes: int) -> Faults:
        """The generic perturbations of ``[perturb]``, without messages on their way; a team's network has its own."""
        lanes = whole(lanes, "faults: lanes", 0, LANES)
        severity = generic_doses(self.options.perturb)
        if self.team:
            severity[[Fault.MESSAGE_LOSS, Fault.MESSAGE_DELAY]] = 0
        late = ticks_late(severity[Fault.MESSAGE_DELAY]) if self.spec.messages else 0
        shape = lanes, late, self.agents, self.spec.messages, 4
        room(4 * prod(shape), f"faults: {lanes} lanes")
        return Faults(severity, np.zeros(shape, np.int32))

    @property
    def perturbations(self) -> tuple[Perturbation, ...]:
        """The world's own perturbations, and the generic ones that affect any reasoner here."""
        idle = OF_REPLIES if self.spec.messages or self.team else OF_REPLIES | OF_MESSAGES
        return (*self.world.perturbations, *(each for each in GENERIC if each.name not in idle))

    def progress(self, state, lane: int = 0) -> tuple[int, int]:
        """Parts of the shared task that are done, and the total, read from the state."""
        done, total = self.world.progress(state, self.states.lane(state, lane, "progress"), self.params)
        return int(done), int(total)

    def company(self, lanes: int):
        """The team's arrays of ``lanes`` lanes; () without a team."""
        lanes = whole(lanes, "company: lanes", 0, LANES)
        return self.team.arrays(lanes) if self.team else ()

    @property
    def _protocol(self) -> Protocol | None:
        return self.team.protocol if self.team else None

    def assign_policies(
        self, policies: Sequence[Policy], memory=None, stats: EpisodeStats | None = None, team=()
    ) -> tuple[PolicyAssignment, Loops]:
        """The assignment of compiled policies to agents, and their loops; ``team`` are the arrays of ``company``.

        ``policies`` has an entry for each agent: a name, a WorldModel if the agent searches, or None for other
        reasoners. Agents that search need the ``memory`` and ``stats`` of the lanes. The result then holds scratch
        memory and serves one thread. The loops are kernels and do not check their arguments.
        """
        return assign_policies(self, policies, memory, stats, team)

    # -- whole episodes ------------------------------------------------------------------------------------------------

    def play(self, seeds, policies, ticks: int = 1 << 30, threads: int | None = 1):
        """Play one episode for each seed in the compiled tier.

        ``policies`` is one name or WorldModel for all agents, or one for each. Returns (state, stats) after the last
        tick of each episode, or after ``ticks`` ticks; ``threads`` None: one for each core.
        """
        seeds, ticks = plain.seeds(seeds), whole(ticks, "play: ticks", 0, TICKS)
        threads = threads if threads is None else whole(threads, "play: threads", 1, THREADS)
        policies = [policies] * self.agents if isinstance(policies, str | WorldModel | TrainedPolicy) else policies
        if None in known(self.world, policies, "play", self.agents):
            raise UsageError("play: policy None, expected a name or a WorldModel for every agent")
        lanes, parts = len(seeds), (self.states, self.observations, self.memories, self.stats_arrays)
        room(lanes * sum(part.lane_bytes for part in parts), f"play: {lanes} lanes")
        state, observation, memory, stats = (part.allocate(lanes) for part in parts)
        state.seed[:], faults = seeds, self.faults(lanes)
        if self.start:
            self._lay_out(state)
        actions = np.zeros((lanes, self.agents, 2), np.int32)
        limit = np.array([ticks], np.int64)
        company = self.company(lanes)
        compile_teams([TeamKernels(self, policies, True)])

        def work(start: int, stop: int) -> int:
            assignment, compiled = self.assign_policies(policies, memory, stats, company)
            own = state, observation, memory, actions, stats, assignment, self.params, faults
            return compiled.play(*own, bool(self.start), start, stop, limit)

        over_lanes(work, lanes, limit, threads)
        return state, stats

    # -- renderings ----------------------------------------------------------------------------------------------------

    def describe(self, state, lane: int = 0) -> dict:
        """One lane as plain JSON values, for people and tests; ``place`` is its inverse."""
        lane = self.states.lane(state, lane, "describe")
        try:
            return self.world.describe(state, lane, self.params)
        except Exception as error:
            why = f"lane {lane} holds no state of this world ({shown(error)})"
            raise UsageError(f"describe: {why}; reset it first") from None

    def place(self, state, lane: int = 0, description: Mapping[str, Any] | None = None) -> None:
        """Set keys of a lane's description; keys that are left out stay as they are.

        Raises UsageError, with the lane unchanged, for an invalid description.
        """
        lane = self.states.lane(state, lane, "place")
        place(self, state, lane, {} if description is None else description)

    def render_text(self, state, lane: int = 0, agent: int = 0) -> str:
        """What one agent sees, as text."""
        lane, agent = (
            self.states.lane(state, lane, "render_text"),
            whole(agent, "render_text: agent", 0, self.agents - 1),
        )
        observation = self.observation(len(state.seed))
        self.world.observe(state, lane, self.params, observation)
        return self.world.render_text(observation, lane, agent, self.params)

    def render(self, state, lane: int = 0, size: int = 600, trail: np.ndarray | None = None, blend: float = 1.0):
        """One lane as a picture (H, W, 3) uint8 whose longest side is about ``size`` pixels.

        ``trail`` (N, T, 2) int32 holds past positions, latest last. ``blend`` in 0..1 moves the agents from their last
        past position to the present one.
        """
        lane, size = self.states.lane(state, lane, "render"), whole(size, "render: size", 1, PIXELS)
        if isinstance(blend, bool) or not (isinstance(blend, Real) and 0 <= blend <= 1):
            raise UsageError(f"render: blend {shown(blend)}, expected a number in 0..1")
        trail = np.zeros((self.agents, 0, 2), np.int32) if trail is None else trail
        trail = whole_array(trail, "render: trail", (self.agents, None, 2), np.int32, -1, LANES)
        image = np.zeros((*self.world.canvas(self.params, size), 3), np.uint8)
        self.world.render(state, lane, self.params, trail, float(blend), image)
        return image


def _remake(name: str, options: dict, plan: Callable[[Environment], Any] | None, start: dict) -> Environment:
    return Environment(opened(name), options, plan, start)


def make(world: str, **options) -> Environment:
    """A world by name, set up: ``make("warehouse", layout="tiny", agents=4)``.

    Raises UsageError, in one line, for an unknown world or option, a wrong value, or a bad layout.
    """
    return Environment(opened(world), options)

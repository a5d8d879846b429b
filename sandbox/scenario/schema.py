"""The schema of scenarios. The options of a world are in ``[world]`` and are checked by that world."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, PrivateAttr

from sandbox.agents.edge.options import EDGE, EdgeOptions
from sandbox.agents.generalist.options import GENERALIST, GeneralistOptions
from sandbox.agents.generalist.source import generalist_of
from sandbox.agents.llm.options import Options
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.programs.step_limit import with_step_limit
from sandbox.agents.python.options import KIND, PythonOptions, is_python, plugins, target_of
from sandbox.agents.reasoners import HumanOptions, parse_script
from sandbox.agents.tools.options import check
from sandbox.core.errors import UsageError, unknown
from sandbox.core.perturb import OF_REPLIES
from sandbox.core.plain import without_nulls
from sandbox.core.trained_policy import KIND as TRAINED
from sandbox.core.trained_policy import PREFIX, TrainedPolicy, WeightsOptions, is_trained
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel, check_base, check_believes
from sandbox.engine.environment import Environment
from sandbox.engine.learned import weights_of
from sandbox.engine.registry import find
from sandbox.engine.search import Policy
from sandbox.engine.trained import policy_weights
from sandbox.oversight.guard import Rule, check_rules
from sandbox.scenario.capabilities import CODE, Origin
from sandbox.teams.options import TeamTable
from sandbox.teams.plan import TeamPlan
from sandbox.teams.stopping import parse

SEARCH = "search"  # the reasoner that looks ahead with a world model; compiled, in every world with beliefs
AGENTS: Final = "agents"  # values of ``claim``
TEAM: Final = "team with fallback"
REASONERS = ("scripted", "program", "llm", "human", GENERALIST, KIND)  # the others are compiled policies of the world
HOSTED = frozenset({*REASONERS, EDGE})  # kinds of groups whose reasoner is an object
OWNERS = {
    "script": "scripted", "program": "program", "llm": "llm", "memory": "llm", "tools": "llm", "human": "human",
    "world_model": SEARCH, "python": KIND, "weights": TRAINED, "edge": TRAINED,
    "generalist": GENERALIST,
}  # fmt: skip  # keys of a group that belong to one kind of reasoner


def kind_of(reasoner: Any) -> Any:
    """A reasoner without the name of its code or its weights."""
    return KIND if is_python(reasoner) else TRAINED if is_trained(reasoner) else reasoner


class WorldTable(BaseModel):
    """The world's name and its own options."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    name: str
    """Name of the world, as `sandbox worlds` lists it, or the path of a file of Python that defines one."""


class AgentGroup(BaseModel):
    """A group of agents with the same reasoner and options."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    count: int = Field(1, ge=1, le=100_000)
    """Number of agents in the group."""
    reasoner: str = "rules"
    """A policy of the world, search, llm, program, scripted, human, generalist, `policy:FILE` or `python:CODE`."""
    role: str | None = None
    """Role of the agents, one of the world's; without it, the world's first role."""
    script: list[str] = []
    """For the reasoner scripted: one action for each tick, a verb or a verb and its target ("click 3")."""
    program: str = ""
    """For the reasoner program: the text of a Python program, or the path of a file beside the scenario."""
    llm: Options | None = None
    """For the reasoner llm: the language model and how it is asked."""
    human: HumanOptions = HumanOptions()
    """For the reasoner human: how long a tick waits for the person."""
    python: PythonOptions = PythonOptions()
    """For the reasoner python:...: the options of its code, and how long a tick waits for it."""
    weights: WeightsOptions = WeightsOptions()
    """For the reasoner policy:...: which weights the file has."""
    edge: EdgeOptions | None = None
    """For the reasoner policy:...: the device on which it runs, with its budgets. Its episodes are hosted."""
    generalist: GeneralistOptions | None = None
    """For the reasoner generalist: what the agents are told, in a sentence."""
    fallback: str = "idle"
    """Compiled policy that acts where a model, a program, a person or other code gives no usable decision in time."""
    world_model: WorldModel = WorldModel()
    """For the reasoner search: how the agent looks ahead."""
    memory: MemoryOptions = MemoryOptions()
    """For the reasoner llm: the memory of each agent."""
    tools: dict[str, dict[str, Any]] = {}
    """For the reasoner llm: the agent's tools by name, each with a table of its options."""

    @property
    def kind(self) -> str:
        """The reasoner, without the name of its code or its weights."""
        return EDGE if self.edge and is_trained(self.reasoner) else kind_of(self.reasoner)

    @property
    def hosted(self) -> bool:
        """Whether its reasoner is an object rather than a compiled policy."""
        return self.kind in HOSTED

    @property
    def equipment(self) -> dict[str, Any]:
        """The tools with their options, checked; raises UsageError."""
        return check(self.tools)

    @property
    def policy(self) -> Policy:
        """What ``Environment.assign_policies`` takes: the compiled policy that acts for these agents, or None."""
        if self.kind == TRAINED:
            return self.trained[0]
        instead = dict.fromkeys(HOSTED, self.fallback) | {"scripted": None, SEARCH: self.world_model}
        return instead.get(self.kind, self.reasoner)

    @property
    def trained(self) -> tuple[TrainedPolicy, ...]:
        """The trained policies that it plays: its own, and the larger one that its device asks."""
        if not is_trained(self.reasoner):
            return ()
        own = TrainedPolicy(self.reasoner.removeprefix(PREFIX), self.weights.sha256)
        edge = self.edge
        return (own, TrainedPolicy(edge.larger, edge.larger_sha256)) if edge and edge.larger else (own,)

    def reasons_as(self, other: "AgentGroup") -> bool:
        """Whether a reasoner made for one group can serve the other."""
        own = {"reasoner", "script", "program", "llm", "human", "python", "weights", "edge", "generalist"}
        return self.model_dump(include=own) == other.model_dump(include=own)


class TrialsTable(BaseModel):
    """The number of trials of a batch."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    count: int = Field(100, ge=1, le=1_000_000_000)
    """Trials of each condition of a batch, on the seeds `seed`, `seed` + 1, and so on."""
    max_errors: float = Field(0.05, ge=0, le=1)
    """Share of infrastructure errors from which a batch counts as failed."""
    keep_calls: bool = True
    """Whether a batch records the calls of language models, which replaying a trial needs."""


def others_keys(group: Mapping[str, Any]) -> list[str]:
    """The keys that belong to other kinds of reasoner than that of a group, stated or not."""
    kind = kind_of(group.get("reasoner"))
    return [key for key, owner in OWNERS.items() if owner != kind]


def compiled_reasoners(world: World) -> tuple[str, ...]:
    """The policies of a world, and the search where agents can imagine."""
    return (*world.policies, *([SEARCH] if world.believe else []))


def _check_group(group: AgentGroup, world: World, where: str) -> None:
    """Check names against the world, and options that only some reasoners have."""
    code, file = f"{KIND}:package.module:Class", f"{PREFIX}FILE"
    known = (*world.policies, SEARCH, *REASONERS[:-1], file, code, *plugins())
    if is_python(group.reasoner):
        target_of(group.reasoner, where)
    elif is_trained(group.reasoner) and group.reasoner != PREFIX:
        pass  # the environment checks its weights
    elif group.reasoner not in known:
        raise unknown("reasoner", group.reasoner, known, where)
    if group.role is not None and group.role not in world.roles:
        raise unknown("role", group.role, world.roles, where)
    if group.fallback not in world.policies:
        raise unknown("policy", group.fallback, world.policies, f"{where}.fallback")
    if (group.reasoner == "llm") != (group.llm is not None):
        raise UsageError(f"{where}: reasoner 'llm' and llm = {{ model = ... }} belong together")
    if (group.reasoner == GENERALIST) != (group.generalist is not None):
        raise UsageError(f"{where}: reasoner 'generalist' and generalist = {{ instruction = ... }} belong together")
    if group.edge and not is_trained(group.reasoner):
        raise UsageError(f"{where}: edge = {{ ... }} is for the reasoner '{file}'")
    if group.reasoner != "llm" and (group.tools or group.memory.kind != "none"):
        raise UsageError(f"{where}: memory and tools are for the reasoner 'llm'")
    parse_script(group.script, world, f"{where}.script")
    if group.reasoner == "program":
        _check_program(group, world, where)
    _check_imagination(group, world, where)


def _check_imagination(group: AgentGroup, world: World, where: str) -> None:
    believes = group.memory.kind == "map" or {"imagine", "code"} & group.tools.keys()
    if believes or group.reasoner == SEARCH:
        check_believes(world, where)
    if believes and group.fallback in world.sighted:
        what = f"'{group.fallback}' sees the state, so its notes would reveal it; expected one that observes"
        raise UsageError(f"{where}.fallback: {what}")
    if "imagine" in (equipment := group.equipment):
        check_base(equipment["imagine"].base, world, f"{where}.tools.imagine.base")
    check_base(group.world_model.base, world, f"{where}.world_model.base")
    if group.world_model.kind == "learned":
        weights_of(world, group.world_model)


def _check_program(group: AgentGroup, world: World, where: str) -> None:
    """A program reads the memory of its fallback policy, which therefore must not see the state."""
    check_base(group.fallback, world, f"{where}.fallback")
    if not group.program.strip():
        raise UsageError(f"{where}: reasoner 'program' and program = \"...\" belong together")
    try:
        with_step_limit(group.program)
    except UsageError as error:
        raise UsageError(f"{where}.program: {error}") from None


class Scenario(BaseModel):
    """A scenario as it will run."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)

    title: str = ""
    """Title in tables, reports and the studio."""
    world: WorldTable
    """The world and its options."""
    agents: list[AgentGroup] = Field(min_length=1)
    """The team: groups of agents, each with one reasoner."""
    team: TeamTable | None = None
    """How the agents work together; without it, each works alone."""
    start: Annotated[dict[str, JsonValue], AfterValidator(without_nulls)] = {}
    """What differs at tick 0 from what the seed lays out: keys of the world's description with other values."""
    perturb: dict[str, float] = {}
    """Severity of each perturbation by name, 0 (none) to 1."""
    guard: list[Rule] = []
    """Rules on the actions of agents; the first rule that matches an action applies."""
    seed: int = Field(0, ge=0, lt=2**64)
    """Seed of the trial, or of the first trial of a batch."""
    tick_seconds: float = Field(1.0, gt=0, allow_inf_nan=False)
    """Simulated seconds of one tick."""
    sweep: dict[str, Any] = {}
    """Conditions of a batch: values by dotted key, and the tables `zip` and `one_at_a_time`."""
    files: dict[str, JsonValue] = {}
    """Contents of the files that the sweep names, by name; filled in when a scenario is recorded."""
    trials: TrialsTable = TrialsTable()
    """Number of trials of a batch, and the share of errors at which it fails."""
    claim: Literal["agents", "team with fallback"] = AGENTS
    """Whose success a certificate covers: the agents' own, or the success of the team with its fallback."""
    _origin: Origin = PrivateAttr(CODE)
    _dropped: tuple[str, ...] = PrivateAttr(())

    @property
    def origin(self) -> Origin:
        """The source of the scenario, which determines its grants."""
        return self._origin

    @property
    def dropped(self) -> tuple[str, ...]:
        """What ``load`` removed because groups have other reasoners now: a line for each."""
        return self._dropped

    def coming_from(self, origin: Origin) -> Self:
        """The same scenario with another origin."""
        copy = self.model_copy()
        copy._origin = origin
        return copy

    def __bool__(self) -> bool:
        """False: SolaraViz of Mesa 3.5 would replace a true ``model.scenario`` by a new one of its own."""
        return False

    def env(self) -> Environment:
        """The world, set up; raises UsageError if its options, its layout or a name in ``[[agents]]`` are invalid."""
        world = find(self.world.name)
        for k, group in enumerate(self.agents):
            _check_group(group, world, f"agents[{k}]")
        check_rules(self.guard, self.names, world)
        for name in sorted(OF_REPLIES & self.perturb.keys()):
            if not self.reasoners & HOSTED and self.perturb[name] > 0:
                raise UsageError(f"perturb.{name}: acts on replies, but every reasoner here is compiled")
        options: dict[str, Any] = {k: v for k, v in self.world.model_dump().items() if k != "name"}
        options["agents"] = sum(group.count for group in self.agents)
        perturb = {"perturb": self.perturb} if self.perturb else {}
        plan = partial(self._plan, self.team) if self.team else None
        env = Environment(world, options | perturb, plan, self.start)
        for group in self.agents:
            if group.generalist and not self.origin.replayed:
                known = generalist_of(group.generalist)
                known.check(world.name, env.spec.channels, world.verbs, world.targets)
            if group.kind == TRAINED or not self.origin.replayed:  # of an edge, a record has the answers
                for policy in group.trained:
                    policy_weights(env, policy)
        return env

    def _plan(self, team: TeamTable, env: Environment) -> TeamPlan:
        """The team, for a world that is set up."""
        hosted = [group.hosted for group in self.roster()]
        return TeamPlan(team, self.names, self._roles(env.world), hosted, self.seed, env)

    def _roles(self, world: World) -> list[str]:
        return [group.role or world.roles[0] for group in self.roster()]

    @property
    def names(self) -> list[str]:
        """The name of each agent, equal to ``Agent.name``; raises UsageError for an unknown world."""
        return [f"{role}-{row}" for row, role in enumerate(self._roles(find(self.world.name)))]

    @property
    def compiled(self) -> bool:
        """Whether whole episodes can run in the compiled tier."""
        hosted = self.reasoners & HOSTED or self.guard or (self.team and parse(self.team.stop).hosted_only)
        return not hosted

    @property
    def reasoners(self) -> set[str]:
        """The kinds of reasoner in the team."""
        return {group.kind for group in self.agents}

    @property
    def policies(self) -> frozenset[Policy]:
        """The compiled policies of the team, fallbacks included, as ``Environment`` takes them."""
        return frozenset(group.policy for group in self.agents)

    def roster(self) -> list[AgentGroup]:
        """The group of each agent, in order."""
        return [group for group in self.agents for _ in range(group.count)]

    def as_dict(self) -> dict:
        """The scenario as JSON values; ``Scenario(**as_dict())`` is the same scenario."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def hash(self) -> str:
        """SHA-256 over its canonical JSON, hexadecimal."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

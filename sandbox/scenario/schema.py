"""What a scenario says. Everything a world needs to know besides stands in ``[world]`` and is checked by that world."""

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr

from sandbox.agents.llm.options import Options
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.programs.step_limit import with_step_limit
from sandbox.agents.reasoners import HumanOptions, parse_script
from sandbox.agents.tools.options import check
from sandbox.core.errors import UsageError, unknown
from sandbox.core.perturb import OF_REPLIES
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel, check_base, check_believes
from sandbox.engine.environment import Environment
from sandbox.engine.registry import find
from sandbox.engine.search import Policy
from sandbox.oversight.guard import Rule, check_rules
from sandbox.scenario.capabilities import CODE, Origin
from sandbox.teams.options import TeamTable
from sandbox.teams.plan import TeamPlan
from sandbox.teams.stopping import parse

SEARCH = "search"  # looks ahead with a world model; compiled, in every world
AGENTS, TEAM = "agents", "team with fallback"  # whose success a scenario tries
REASONERS = ("scripted", "program", "llm", "human")  # besides these and the compiled policies of the world


class WorldTable(BaseModel):
    """``[world]``: the world's name and its own options."""

    model_config = ConfigDict(extra="allow")

    name: str


class AgentGroup(BaseModel):
    """``[[agents]]``: some agents that reason alike."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(1, ge=1, le=100_000)
    reasoner: str = "rules"
    role: str | None = None
    script: list[str] = []  # for the reasoner "scripted": a verb, or a verb and a target, a tick
    program: str = ""  # for the reasoner "program": Python, or a file beside the scenario
    llm: Options | None = None  # for the reasoner "llm"
    human: HumanOptions = HumanOptions()  # for the reasoner "human"
    fallback: str = "idle"  # the compiled policy that acts where a model, a person or a program does not
    world_model: WorldModel = WorldModel()  # for the reasoner "search"
    memory: MemoryOptions = MemoryOptions()  # for the reasoner "llm", as are its tools, by name with their options
    tools: dict[str, dict[str, Any]] = {}

    @property
    def equipment(self) -> dict[str, Any]:
        """The tools with their options, checked; raises UsageError."""
        return check(self.tools)

    @property
    def policy(self) -> Policy:
        """What ``Environment.assign_policies`` takes: the compiled policy that acts for these agents, or None."""
        instead = dict.fromkeys(REASONERS, self.fallback) | {"scripted": None, SEARCH: self.world_model}
        return instead.get(self.reasoner, self.reasoner)

    def reasons_as(self, other: "AgentGroup") -> bool:
        """Whether a reasoner made for one group can go on for the other."""
        own = {"reasoner", "script", "program", "llm", "human"}
        return self.model_dump(include=own) == other.model_dump(include=own)


class TrialsTable(BaseModel):
    """``[trials]``: how often each condition of a batch is tried, on the seeds ``seed``, ``seed`` + 1, ..."""

    model_config = ConfigDict(extra="forbid", strict=True)

    count: int = Field(100, ge=1, le=1_000_000_000)
    max_errors: float = Field(0.05, ge=0, le=1)  # share of infrastructure errors from which on a batch has failed
    keep_calls: bool = True  # of language models, so that each trial can be replayed


def _check_group(group: AgentGroup, world: World, where: str) -> None:
    """Names that only the world can tell, and what belongs to some reasoners alone."""
    known = (*world.policies, SEARCH, *REASONERS)
    if group.reasoner not in known:
        raise unknown("reasoner", group.reasoner, known, where)
    if group.role is not None and group.role not in world.roles:
        raise unknown("role", group.role, world.roles, where)
    if group.fallback not in world.policies:
        raise unknown("policy", group.fallback, world.policies, f"{where}.fallback")
    if (group.reasoner == "llm") != (group.llm is not None):
        raise UsageError(f"{where}: reasoner 'llm' and llm = {{ model = ... }} belong together")
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


def _check_program(group: AgentGroup, world: World, where: str) -> None:
    """A program sees what its fallback remembers, so that must not see the state."""
    check_base(group.fallback, world, f"{where}.fallback")
    if not group.program.strip():
        raise UsageError(f"{where}: reasoner 'program' and program = \"...\" belong together")
    try:
        with_step_limit(group.program)
    except UsageError as error:
        raise UsageError(f"{where}.program: {error}") from None


class Scenario(BaseModel):
    """A scenario as it will run."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = ""
    world: WorldTable
    agents: list[AgentGroup] = Field(min_length=1)
    team: TeamTable | None = None
    perturb: dict[str, float] = {}
    guard: list[Rule] = []
    seed: int = Field(0, ge=0, lt=2**64)
    tick_seconds: float = Field(1.0, gt=0, allow_inf_nan=False)  # what a tick stands for, in what is simulated
    sweep: dict[str, Any] = {}
    files: dict[str, JsonValue] = {}  # what files that the sweep names hold, by name
    trials: TrialsTable = TrialsTable()
    claim: Literal[AGENTS, TEAM] = AGENTS  # whose success it is: what a certificate covers
    _origin: Origin = PrivateAttr(CODE)

    @property
    def origin(self) -> Origin:
        """Where it comes from, and so what it may ask for."""
        return self._origin

    def coming_from(self, origin: Origin) -> Self:
        """The same scenario, of another origin."""
        copy = self.model_copy()
        copy._origin = origin
        return copy

    def __bool__(self) -> bool:
        """Mesa 3.5 takes a ``model.scenario`` that is true for one of its own, which SolaraViz would then remake."""
        return False

    def env(self) -> Environment:
        """The world, set up; raises UsageError where its options, its layout or a name in ``[[agents]]`` are wrong."""
        world = find(self.world.name)
        for k, group in enumerate(self.agents):
            _check_group(group, world, f"agents[{k}]")
        check_rules(self.guard, self._names(world), world)
        for name in sorted(OF_REPLIES & self.perturb.keys()):
            if not self.reasoners & set(REASONERS) and self.perturb[name] > 0:
                raise UsageError(f"perturb.{name}: acts on replies, but every reasoner here is compiled")
        options: dict[str, Any] = {k: v for k, v in self.world.model_dump().items() if k != "name"}
        options["agents"] = sum(group.count for group in self.agents)
        perturb = {"perturb": self.perturb} if self.perturb else {}
        return Environment(world, options | perturb, self._plan if self.team else None)

    def _plan(self, env: Environment) -> TeamPlan:
        """The team, for a world that is set up."""
        hosted = [group.reasoner in REASONERS for group in self.roster()]
        return TeamPlan(self.team, self._names(env.world), self._roles(env.world), hosted, self.seed, env)

    def _roles(self, world: World) -> list[str]:
        return [group.role or world.roles[0] for group in self.roster()]

    def _names(self, world: World) -> list[str]:
        """What each agent is called, as ``Agent.name`` has it."""
        return [f"{role}-{row}" for row, role in enumerate(self._roles(world))]

    @property
    def compiled(self) -> bool:
        """Whether whole episodes run in the compiled tier: nothing is needed that only the hosted one has."""
        hosted = self.reasoners & set(REASONERS) or self.guard or (self.team and parse(self.team.stop).hosted_only)
        return not hosted

    @property
    def reasoners(self) -> set[str]:
        """The kinds of reasoner in the team."""
        return {group.reasoner for group in self.agents}

    @property
    def policies(self) -> frozenset[Policy]:
        """What acts for agents of the team or stands by, as ``Environment`` takes it."""
        return frozenset(group.policy for group in self.agents)

    def roster(self) -> list[AgentGroup]:
        """The group of each agent, in order."""
        return [group for group in self.agents for _ in range(group.count)]

    def as_dict(self) -> dict:
        """As JSON values; ``Scenario(**as_dict())`` is the same scenario."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def hash(self) -> str:
        """SHA-256 over its canonical JSON, hexadecimal."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

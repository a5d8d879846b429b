"""One agent after a tick: its decision, its four parts, its percept. Reading them does not affect the run.

Everything is read from the model or made from copies, so that viewing changes neither decisions nor states.
"""

import ast
from dataclasses import dataclass
from typing import Any

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.context import AgentContext
from sandbox.agents.memory.atlas import DRAWS, common, in_words
from sandbox.agents.memory.blocks import Blocks
from sandbox.agents.memory.tokens import clip
from sandbox.agents.reasoners import without_faults
from sandbox.core.decision import Percept
from sandbox.core.telling import Gauge, Transition
from sandbox.model import Sandbox
from sandbox.scenario.schema import SEARCH
from sandbox.studio.backend import wording
from sandbox.studio.backend.decision import Decided, decided
from sandbox.studio.backend.forecast import Forecast, forecast, moment_of
from sandbox.studio.backend.futures import base_of
from sandbox.studio.backend.observation import Senses, percept_of, senses

# -- parts: the present state of an agent's four parts: reasoner, memory, tools, world model

WORDS = 20_000  # bytes of a text, at most
LATEST = 20  # entries of archival memory that are shown
DESCRIBED = 6_000  # facts of a world above which its map is not shown as text

Settings = tuple[tuple[str, str], ...]  # names and values, as text


@dataclass(frozen=True)
class Reasoner:
    """The reasoner of an agent."""

    kind: str
    settings: Settings
    source: str  # of a program or a script
    skills: tuple[tuple[str, str], ...]  # of a program: its functions ``to_...`` with their descriptions


@dataclass(frozen=True)
class Memory:
    """The memory of an agent."""

    kind: str
    settings: Settings
    blocks: tuple[tuple[str, str, str, int], ...]  # label, description, text, limit in bytes
    told: str  # memory as the model reads it
    recalled: int  # entries of recall memory
    archived: int  # entries of archival memory
    archive: tuple[str, ...]  # the latest entries of archival memory


@dataclass(frozen=True)
class Tools:
    """The verbs of the world, and the agent's own tools."""

    verbs: tuple[tuple[str, str], ...]  # name and help
    own: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WorldModel:
    """The agent's belief about its world, compared with the true state."""

    kind: str
    settings: Settings
    base: str  # the policy that acts in its imagination
    forecasts: tuple[Forecast, ...]  # its present belief, and earlier forecasts; () if it is nowhere
    map: str  # the map on which all draws agree, as text


def mind_of(model: Sandbox, agent: int) -> AgentContext | None:
    """Memory and tools of an agent with a language model."""
    for rows, reasoner in model.reasoners:
        if agent in rows and (minds := getattr(without_faults(reasoner), "minds", None)):
            return minds.get(agent)
    return None


def reasoner(model: Sandbox, agent: int) -> Reasoner:
    """The agent's reasoner and its options."""
    group = model.scenario.roster()[agent]
    if group.reasoner == "llm":
        told = group.llm.model_dump(exclude={"replies", "prompts"}) | {"fallback": group.fallback}
    elif group.reasoner in ("human", "program"):
        told = {"fallback": group.fallback} | (group.human.model_dump() if group.reasoner == "human" else {})
    else:
        told = {}
    source = group.program if group.reasoner == "program" else "\n".join(group.script)
    return Reasoner(group.reasoner, wording.settings(told), clip(source, WORDS), _skills(group.program))


def _skills(program: str) -> tuple[tuple[str, str], ...]:
    """The functions ``to_...`` of a program, each with the first line of its docstring."""
    try:
        found = [node for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError):
        return ()
    told = [(node.name, ast.get_docstring(node) or "") for node in found if node.name.startswith("to_")]
    return tuple((clip(name, wording.NAME), clip(text.partition("\n")[0], wording.LINE)) for name, text in told)


def memory(model: Sandbox, agent: int) -> Memory:
    """The agent's memory. The notes of compiled policies are not shown here, but in their beliefs."""
    group, mind = model.scenario.roster()[agent], mind_of(model, agent)
    if mind is None or not mind.remembers:
        return Memory("none", (), (), "", 0, 0, ())
    kept = mind.memory
    told = clip(kept.context(), WORDS)
    options = wording.settings(group.memory.model_dump(include={"context", "recalled", "summary"}))
    if not isinstance(kept, Blocks):
        return Memory(group.memory.kind, options[:1], (), told, 0, 0, ())
    blocks = tuple((b.label, b.description, clip(b.value, WORDS), b.limit) for b in kept.blocks.values())
    entries = tuple(f"tick {e.tick}: {clip(e.text, wording.LINE)}" for e in kept.archive.entries[-LATEST:])
    return Memory(group.memory.kind, options, blocks, told, len(kept.happened), len(kept.archive), entries)


def tools(model: Sandbox, agent: int) -> Tools:
    """Verbs of the world, and the agent's own tools."""
    mind = mind_of(model, agent)
    return Tools(_named(model.env.world.tools(model.env.params)), _named(mind.extras if mind else ()))


def _named(specs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((clip(s["name"], wording.NAME), clip(s.get("description", ""), wording.LINE)) for s in specs)


def world_model(model: Sandbox, percept: Percept, before: tuple[Forecast, ...] = ()) -> WorldModel:
    """The agent's present belief compared with the truth, fact by fact. The beliefs of the model are not changed.

    ``before`` are its forecasts for the present tick.
    """
    group, env = model.scenario.roster()[percept.agent], model.env
    kind, options = "none", {}
    if group.reasoner == SEARCH:
        options = group.world_model.model_dump()
        kind = options.pop("kind")
    elif "imagine" in group.tools:
        kind, options = "exact", group.equipment["imagine"].model_dump()
    settings, base = wording.settings(options), base_of(model, percept.agent)
    if model.state.pos[0, percept.agent, 0] < 0:
        return WorldModel(kind, settings, base, (), "")
    now, known = moment_of(model, percept), ""
    if len(now.truth) <= DESCRIBED:
        beliefs = Beliefs(env, model.memory, model.seed)
        beliefs.perceive(percept)
        known = clip(in_words(common(beliefs.described(percept.agent, DRAWS))), WORDS)
    return WorldModel(kind, settings, base, (forecast(model, now), *before), known)


# -- agent


@dataclass(frozen=True)
class AgentSnapshot:
    """All information about one agent at one moment."""

    tick: int
    agent: int
    name: str
    role: str
    cell: tuple[int, int] | None  # row, column; None if it is nowhere
    reward: float  # sum so far
    decided: Decided | None  # in the latest tick
    gauges: tuple[Gauge, ...]  # its needs and what it has
    reasoner: Reasoner
    memory: Memory
    tools: Tools
    world_model: WorldModel
    senses: Senses


def insight(
    model: Sandbox, agent: int, foreseen: tuple[Forecast, ...] = (), told: Transition | None = None
) -> AgentSnapshot:
    """All information about an agent (0..N-1), with its forecasts for the present; ``told`` is the latest tick.

    Call it between two ticks.
    """
    one, seen = model.agents[agent], model.episode.preview()
    percept, (row, col) = percept_of(model, seen, agent), one.cell
    return AgentSnapshot(
        tick=model.ticks,
        agent=agent,
        name=wording.name_of(model, agent),
        role=one.role,
        cell=(row, col) if row >= 0 else None,
        reward=one.earned,
        decided=decided(model, agent, told),
        gauges=model.env.world.gauges(model.state, 0, agent, model.env.params),
        reasoner=reasoner(model, agent),
        memory=memory(model, agent),
        tools=tools(model, agent),
        world_model=world_model(model, percept, foreseen),
        senses=senses(model, seen, percept),
    )

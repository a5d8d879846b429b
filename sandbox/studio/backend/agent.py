"""One agent after a tick: its decision, its four parts, its percept. Reading them does not affect the run.

Everything is read from the model or made from copies, so that decisions and states are the same whether somebody looks
or not.
"""

import ast
from dataclasses import dataclass
from typing import Any

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.context import AgentContext
from sandbox.agents.memory.atlas import DRAWS, common, in_words
from sandbox.agents.memory.blocks import Blocks
from sandbox.agents.memory.tokens import clip
from sandbox.core.decision import Percept
from sandbox.model import Sandbox
from sandbox.scenario.schema import SEARCH
from sandbox.studio.backend import wording
from sandbox.studio.backend.decision import Decided, decided
from sandbox.studio.backend.forecast import Forecast, forecast, moment_of
from sandbox.studio.backend.futures import base_of
from sandbox.studio.backend.observation import Senses, perceived, percept_of, senses

# -- parts: The four parts of an agent, as they are now: reasoner, memory, tools, world model.

WORDS = 20_000  # bytes of a text
LATEST = 20  # entries of archival memory that are shown
DESCRIBED = 6_000  # facts of a world above which its map is not put into words

Settings = tuple[tuple[str, str], ...]  # names and values, in words


@dataclass(frozen=True)
class Reasoner:
    """The reasoner of an agent."""

    kind: str
    settings: Settings
    source: str  # of a program or a script
    skills: tuple[tuple[str, str], ...]  # of a program: functions by which it achieves something, and what they are for


@dataclass(frozen=True)
class Memory:
    """What is kept of the past."""

    kind: str
    settings: Settings
    blocks: tuple[tuple[str, str, str, int], ...]  # label, description, text, limit in bytes
    told: str  # what the model reads about it
    recalled: int  # entries of recall memory
    archived: int  # entries of archival memory
    archive: tuple[str, ...]  # the latest of these


@dataclass(frozen=True)
class Tools:
    """What the agent can do: the world's verbs, and what else it was given."""

    verbs: tuple[tuple[str, str], ...]  # name and help
    own: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WorldModel:
    """What the agent takes its world to be, against what it is."""

    kind: str
    settings: Settings
    base: str  # the policy that goes on in its imagination
    forecasts: tuple[Forecast, ...]  # what it believes now, and what it foresaw of it before; () where it is nowhere
    map: str  # what all draws agree on, in words


def mind_of(model: Sandbox, agent: int) -> AgentContext | None:
    """Memory and tools of an agent with a language model."""
    for rows, reasoner in model.reasoners:
        while hasattr(reasoner, "inner"):
            reasoner = reasoner.inner
        if agent in rows and (minds := getattr(reasoner, "minds", None)):
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
    """The functions ``to_...`` of a program, each with the first line of what it says of itself."""
    try:
        found = [node for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError):
        return ()
    told = [(node.name, ast.get_docstring(node) or "") for node in found if node.name.startswith("to_")]
    return tuple((clip(name, wording.NAME), clip(text.partition("\n")[0], wording.LINE)) for name, text in told)


def memory(model: Sandbox, agent: int) -> Memory:
    """What the agent remembers; compiled policies keep notes of their own, which show in what they believe."""
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
    """Verbs of the world, and tools of the agent's own."""
    mind = mind_of(model, agent)
    return Tools(_named(model.env.world.tools(model.env.params)), _named(mind.extras if mind else ()))


def _named(specs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((clip(s["name"], wording.NAME), clip(s.get("description", ""), wording.LINE)) for s in specs)


def world_model(model: Sandbox, percept: Percept, before: tuple[Forecast, ...] = ()) -> WorldModel:
    """What the agent believes now against what is true now, fact by fact; the model's own beliefs are left alone.

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
    """What there is to know of one agent at one moment."""

    tick: int
    agent: int
    name: str
    role: str
    cell: tuple[int, int] | None  # row, column; None where it is nowhere
    reward: float  # sum so far
    decided: Decided | None  # in the latest tick
    reasoner: Reasoner
    memory: Memory
    tools: Tools
    world_model: WorldModel
    senses: Senses


def insight(model: Sandbox, agent: int, foreseen: tuple[Forecast, ...] = ()) -> AgentSnapshot:
    """What there is to know of an agent (0..N-1) now, with its forecasts of now. To be called between two ticks."""
    one, seen = model.agents[agent], perceived(model)
    percept, (row, col) = percept_of(model, seen, agent), one.cell
    return AgentSnapshot(
        tick=model.ticks,
        agent=agent,
        name=wording.name_of(model, agent),
        role=one.role,
        cell=(row, col) if row >= 0 else None,
        reward=one.earned,
        decided=decided(model, agent),
        reasoner=reasoner(model, agent),
        memory=memory(model, agent),
        tools=tools(model, agent),
        world_model=world_model(model, percept, foreseen),
        senses=senses(model, seen, percept),
    )

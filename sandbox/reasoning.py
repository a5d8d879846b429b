"""Makes the reasoners of a team that are objects, from a scenario's groups and the services of a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.context import AgentContext
from sandbox.agents.edge.options import EDGE
from sandbox.agents.edge.source import Deployed
from sandbox.agents.generalist.options import GENERALIST
from sandbox.agents.generalist.source import Told, generalist_of
from sandbox.agents.llm import clients
from sandbox.agents.llm.offline import Captured, Recorded
from sandbox.agents.llm.prompts import prompts_for
from sandbox.agents.llm.reasoner import LLM
from sandbox.agents.python.api import Setting
from sandbox.agents.python.options import KIND, name_of, target_of
from sandbox.agents.python.reasoner import Apart, Here, Own, Remembered, Served, Source, Unasked
from sandbox.agents.reasoners import Faulty, Human, Scripted, parse_script, without_faults
from sandbox.agents.speech import Speech
from sandbox.agents.tools.functions import Functions
from sandbox.core.decision import Reasoner
from sandbox.core.errors import UsageError, shown
from sandbox.core.people import People, Question
from sandbox.core.perturb import OF_REPLIES
from sandbox.core.plain import whole
from sandbox.engine.environment import Environment
from sandbox.engine.registry import find
from sandbox.engine.trained import policy_weights
from sandbox.scenario import AgentGroup, Scenario, load

Seats = Sequence[tuple[Sequence[int], Reasoner]]  # reasoners that are objects, each with the rows of its agents


class Surroundings(NamedTuple):
    """The services of a model for its reasoners."""

    env: Environment
    beliefs: Beliefs
    earned: Callable[[int], dict]  # agent -> results of the last tick
    question: Callable[..., Question]  # makes the question to a person about an agent
    people: People
    severity: np.ndarray  # (F,) float64, of the generic perturbations
    seed: int
    recorded: Recorded | Captured | None  # answers for language models
    functions: Functions  # functions of the user, which are tools
    speech: Callable[[int], Speech | None]  # speech of an agent in its team
    names: tuple[str, ...]  # of the agents
    origin: float  # when the trial began, by ``time.perf_counter``
    given: Mapping[int, Any]  # objects of the caller that decide, by the first agent of their group


def groups_of(agents: Sequence[AgentGroup]) -> Iterator[tuple[range, AgentGroup]]:
    """The groups of a team, each with the rows of its agents."""
    row = 0
    for group in agents:
        yield range(row, row + group.count), group
        row += group.count


def seated(scenario: Scenario, reasoners: Mapping[int, Any]) -> tuple[Scenario, dict[int, Any]]:
    """The scenario in which groups have these objects as reasoners, and the objects by the first agent of the group."""
    if not isinstance(reasoners, Mapping):
        raise UsageError(f"reasoners: {shown(reasoners)}, expected objects by the number of their group")
    starts = [rows.start for rows, _ in groups_of(scenario.agents)]
    for group in reasoners:
        whole(group, "reasoners: group", 0, len(starts) - 1)
    named = {f"agents.{group}.reasoner": name_of(thing) for group, thing in reasoners.items()}
    return load(scenario, named) if named else scenario, {starts[k]: thing for k, thing in reasoners.items()}


def reasoner_for(
    group: AgentGroup, rows: range, around: Surroundings, before: Reasoner | None = None
) -> Reasoner | None:
    """The reasoner of a group, None for a compiled policy. A successor keeps the contexts of its agents."""
    world, noop = around.env.world, around.env.params.noop
    if group.reasoner == "scripted":
        return Scripted(parse_script(group.script, world, "script"), noop)
    if group.reasoner == "program":
        return _programmed(group.program, rows, around)
    if group.kind in (KIND, EDGE, GENERALIST):
        return _own(group, rows, around)
    if group.reasoner == "human":
        return Human(group.human, around.people, around.question)
    if group.reasoner != "llm":
        return None
    known = before.minds if isinstance(before, LLM) else {}
    minds = {row: known[row] for row in rows} if known else _minds(group, rows, around)
    prompts = prompts_for(group.llm, around.env, group.role or world.roles[0], minds[rows.start])
    return clients.reasoner(group.llm, prompts, minds, noop, around.recorded, around.origin)


def recast(now: Scenario, before: Scenario, seated: Seats, around: Surroundings) -> tuple[Seats, Seats]:
    """The reasoners that continue when a scenario changes, with their remaining agents, and the new ones.

    ``seated`` are the present reasoners. An agent whose options did not change keeps its reasoner, and shares its
    budget with the others that keep it. Raises UsageError, with nothing changed, if a new one cannot be made.
    """
    bare = [(rows, without_faults(reasoner)) for rows, reasoner in seated]
    was, own = before.roster(), {row: reasoner for rows, reasoner in bare for row in rows}
    gone = [(rows, group) for rows, group in groups_of(now.agents) if not group.reasons_as(was[rows.start])]
    made = [(rows, reasoner_for(group, rows, around, own.get(rows.start))) for rows, group in gone]
    left = {row for rows, _ in gone for row in rows}
    for rows, successor in made:
        _retire(own.get(rows.start), rows, successor)
    kept = [(tuple(row for row in rows if row not in left), reasoner) for rows, reasoner in bare]
    return [seat for seat in kept if seat[0]], [seat for seat in made if seat[1]]


def _retire(reasoner: Reasoner | None, rows: range, successor: Reasoner | None) -> None:
    """Take agents from a reasoner; a language model passes their contexts to its successor."""
    minds = getattr(reasoner, "retire", lambda _: {})(rows)
    if not isinstance(successor, LLM):
        for mind in minds.values():
            mind.close()


def check_goes_on(now: Scenario, before: Scenario) -> None:
    """Raises UsageError unless the agents are the same, in the same groups or in parts of them, in the same world.

    Options of the world that are ``live`` may differ.
    """
    if not isinstance(now, Scenario):
        raise UsageError(f"change: {shown(now)}, expected a Scenario; sandbox.scenario.load makes one")
    groups = [k for k, group in enumerate(before.agents) for _ in range(group.count)]
    parts = [groups[rows.start : rows.stop] for rows, _ in groups_of(now.agents)]
    alike = sum(map(len, parts)) == len(groups) == len(now.roster()) and all(len(set(part)) == 1 for part in parts)
    if not alike or [each.role for each in now.roster()] != [each.role for each in before.roster()]:
        raise UsageError("agents: expected the same agents, in the same groups or in parts of them")
    if _set_up(now) != _set_up(before) or (now.team is None) != (before.team is None):
        raise UsageError("expected the same world, and a team where there was one")
    if (now.claim, now.seed) != (before.claim, before.seed):
        raise UsageError("expected the same claim and the same seed of the scenario")


def _set_up(scenario: Scenario) -> dict[str, Any]:
    """The world and its start, without the options that may change."""
    options, live = scenario.world.model_dump(), find(scenario.world.name).live
    return {key: value for key, value in options.items() if key not in live} | {"": scenario.start}


def _minds(group: AgentGroup, rows: range, around: Surroundings) -> dict[int, AgentContext]:
    own = group.memory, group.equipment, around.beliefs, around.earned
    return {
        row: AgentContext(*own, row, around.severity, around.seed, around.functions, around.speech(row)) for row in rows
    }


def _programmed(source: str, rows: range, around: Surroundings) -> Reasoner:
    try:
        from sandbox.agents.programs.reasoner import Programmed
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing for programs: pip install 'sandbox[code]'") from None
    speeches = {row: speech for row in rows if (speech := around.speech(row))}
    return Programmed(source, around.beliefs, around.earned, speeches=speeches)


def _own(group: AgentGroup, rows: range, around: Surroundings) -> Reasoner:
    """The user's own code, a policy on a device, or a generalist; a record answers for it, as far as there is one."""
    env, recorded = around.env, around.recorded
    own = env.verbs, env.world.targets, env.spec.channels, env.spec.vector
    setting = Setting(tuple(rows), around.names, *own, around.seed)
    speeches = {row: speech for row in rows if (speech := around.speech(row))}
    served = Served(around.beliefs, group.fallback, speeches)

    def live() -> Source:
        if rows.start in around.given:
            return Here(around.given[rows.start], group.python, setting, served)
        if group.edge and group.kind == EDGE:
            return Deployed(group.edge, [policy_weights(env, policy) for policy in group.trained], setting)
        if group.generalist:
            return Told(group.generalist, generalist_of(group.generalist), env.world.name, setting)
        return Apart(target_of(group.reasoner, "reasoner"), group.python, setting, served)

    if isinstance(recorded, Captured):
        return Own(Unasked(), rows)
    if recorded is None:
        return Own(live(), rows)
    version = recorded.version(rows.start)
    if version is None:  # it came after the end of the record
        return Own(live(), rows)
    return Own(Remembered(recorded.answered, version, setting, recorded.until, live), rows)


def with_faults(reasoner: Reasoner, named: set[str], around: Surroundings) -> Reasoner:
    """The reasoner under the faults of replies, if the scenario names any; people are not affected."""
    if not OF_REPLIES & named or isinstance(reasoner, Human):
        return reasoner
    return Faulty(reasoner, around.severity, around.seed, len(around.env.verbs), around.env.params.noop)

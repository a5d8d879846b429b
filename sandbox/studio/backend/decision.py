"""An agent's last decision and how it was made: the calls of a model, or the imagined futures."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.agents.memory.tokens import clip
from sandbox.core.decision import Call, Trace
from sandbox.core.telling import Transition
from sandbox.model import Sandbox
from sandbox.running.explain import doing, refused, searched
from sandbox.studio.backend import wording

LONGEST = 40_000  # bytes of a prompt or a reply


@dataclass(frozen=True)
class Exchange:
    """One request to a language model, and its result."""

    prompt: str
    reply: str  # text, or a tool with its arguments; empty without a reply
    thinking: str
    problem: str  # why the reply is missing or was not used
    tokens: int  # in and out
    money: float  # US dollars
    seconds: float
    manner: str  # how the reply was read, and omitted parameters of the request; empty if both were normal


@dataclass(frozen=True)
class Option:
    """One candidate of a search, with its gain over the base policy's choice, in parts of the task."""

    action: str
    gain: float  # mean over the futures
    error: float  # standard error of the mean
    futures: int
    own: bool  # the base policy's own choice
    taken: bool  # by the search; a person, a turn or the guard may have changed the action


@dataclass(frozen=True)
class Decided:
    """The action of an agent in the latest tick, and its reasons."""

    tick: int
    action: str  # the action performed, as text
    doing: str  # what it is about, in a sentence; empty if the tick was not watched
    refused: str  # why the action had no effect or was replaced; empty otherwise
    thought: str
    subgoal: str
    fallback: str  # why the fallback policy acted
    late: int  # ticks between percept and action
    person: str  # the action chosen by a person
    exchanges: tuple[Exchange, ...]
    options: tuple[Option, ...]  # of a search, the base policy's own choice first


def decided(model: Sandbox, agent: int, told: Transition | None = None) -> Decided | None:
    """The decision of the latest tick, which ``told`` explains; None before the first."""
    latest = model.latest
    if latest is None:
        return None
    world, trace = model.env.world, latest.traces.get(agent) or Trace()
    return Decided(
        tick=latest.tick,
        action=wording.action(world, *latest.actions[agent].tolist()),
        doing=clip(doing(model, told, agent), wording.LINE) if told else "",
        refused=_refused(model, agent, told),
        thought=clip(trace.thought, LONGEST),
        subgoal=clip(trace.subgoal, LONGEST),
        fallback=clip(trace.fallback, wording.LINE),
        late=trace.late,
        person=wording.action(world, *trace.person) if trace.person else "",
        exchanges=tuple(map(_exchange, trace.calls)),
        options=_options(model, agent),
    )


def _options(model: Sandbox, agent: int) -> tuple[Option, ...]:
    """Candidates of a search in the latest tick; () without a search, or if another model object decided the tick."""
    return tuple(
        Option(
            wording.action(model.env.world, one.verb, one.target), one.gain, one.error, one.futures, k == 0, one.taken
        )
        for k, one in enumerate(searched(model, agent))
    )


def _exchange(call: Call) -> Exchange:
    reply = call.reply or {}
    told = f"{reply['tool']} {_arguments(reply)}".strip() if reply.get("tool") else reply.get("text", "")
    return Exchange(
        clip(call.prompt, LONGEST), clip(told, LONGEST), clip(reply.get("thinking", ""), LONGEST),
        clip(call.error, wording.LINE), call.input_tokens + call.output_tokens, call.money, call.seconds, _manner(call),
    )  # fmt: skip


def _manner(call: Call) -> str:
    read, without = call.read and f"read: {call.read}", call.without and f"sent without {call.without}"
    return "; ".join(part for part in (read, without) if part)


def _arguments(reply: dict[str, Any]) -> str:
    given = reply.get("arguments", "")
    return given if isinstance(given, str) else json.dumps(given)


def _refused(model: Sandbox, agent: int, told: Transition | None) -> str:
    """Why the action of the latest tick had no effect, or differs from the agent's choice."""
    world, latest = model.env.world, model.latest
    for review in latest.reviews:
        if review.agent == agent and review.enforced != review.said:
            wanted, done = (wording.action(world, *pair) for pair in (review.said, review.enforced))
            return f"{rule_words(model, review.rule)}: it wanted “{wanted}”, “{done}” was enforced (by {review.by})"
    return refused(model, told, agent) if told else ""


def rule_words(model: Sandbox, number: int) -> str:
    """A rule of the guard, counted from 1."""
    rules = model.scenario.guard
    if number >= len(rules):
        return f"rule {number + 1}"
    rule = rules[number]
    return clip(f"rule {number + 1} ({rule.effect} {rule.agent} {rule.verb} {rule.target})"
                + (f", {rule.why}" if rule.why else ""), wording.LINE)  # fmt: skip

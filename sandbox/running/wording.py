"""Texts for actions, agents and messages, clipped because names and texts may have any length."""

from typing import Any

from sandbox.agents.memory.tokens import clip
from sandbox.core.speech import Act, Said

NAME, LINE = 60, 400  # bytes of a name, and of a line of text
_VERBS = {"noop": "wait"}  # for people; others are told as they are written, without underscores


def verb_words(verb: str) -> str:
    """A verb of a world for people: ``toggle load``."""
    return _VERBS.get(verb, verb.replace("_", " "))


def action(world: Any, verb: int, target: int) -> str:
    """``click 3``; a target 0 is left out, as in scripts."""
    if not 0 <= verb < len(world.verbs):
        return f"no verb ({verb})"
    return f"{verb_words(world.verbs[verb])} {target}" if target else verb_words(world.verbs[verb])


def name_of(model: Any, agent: int) -> str:
    """An agent's name; "all" for -1."""
    if agent < 0:
        return "all"
    return clip(model.names[agent], NAME)


def message(model: Any, said: Said) -> str:
    """A message without its sender: ``to robot-1: bid order 5, cost 12``."""
    act = Act(said.act)
    if act == Act.TELL:
        return f"to {name_of(model, said.to)}: “{clip(said.text, LINE)}”"
    about = f" {task(model, said.task)}" if said.task and act != Act.REPORT else ""
    cost = f", cost {said.value}" if act in (Act.BID, Act.CLAIM) else ""
    return f"to {name_of(model, said.to)}: {act.name.lower().replace('_', ' ')}{about}{cost}"


def task(model: Any, code: int) -> str:
    """The name of a task, by its code."""
    return clip(model.talk.named(code), NAME)

"""Texts for actions, agents and messages, clipped because names and texts may have any length."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from sandbox.agents.memory.tokens import clip
from sandbox.core.speech import Act, Said

NAME, LINE = 60, 400  # bytes of a name, and of a line of text
SEEDS = 2**64
_SEED = re.compile(r"0*(\d{1,20})", re.ASCII)  # Python itself refuses to read 5,000 digits


def name_of(model: Any, agent: int) -> str:
    """An agent's name; "all" for -1."""
    if agent < 0:
        return "all"
    return clip(model.names[agent], NAME)


def action(world: Any, verb: int, target: int) -> str:
    """``click 3``; a target 0 is left out, as in scripts."""
    if not 0 <= verb < len(world.verbs):
        return f"no verb ({verb})"
    return f"{world.verbs[verb]} {target}" if target else world.verbs[verb]


def message(model: Any, said: Said) -> str:
    """A message without its sender: ``to robot-1: bid order 5, cost 12``."""
    act = Act(said.act)
    if act == Act.TELL:
        return f"to {name_of(model, said.to)}: “{clip(said.text, LINE)}”"
    about = f" {task(model, said.task)}" if said.task and act != Act.REPORT else ""
    cost = f", cost {said.value}" if act in (Act.BID, Act.CLAIM) else ""
    return f"to {name_of(model, said.to)}: {act.name.lower().replace('_', ' ')}{about}{cost}"


def settings(options: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Options as pairs of texts, without empty ones."""
    told = ((key.replace("_", " "), _plain(value)) for key, value in options.items() if value not in ("", None, [], {}))
    return tuple((key, clip(value, LINE)) for key, value in told)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"{len(list(value))} entries"
    return str(value)


def number(value: Any) -> float | None:
    """A finite float, or None: JSON and charts know neither NaN nor infinity."""
    return float(value) if value is not None and isfinite(value) else None


def seed(text: str) -> int | None:
    """A typed seed, 0..2**64-1; None if it is not one."""
    found = _SEED.fullmatch(text.strip())
    return int(found[1]) if found and int(found[1]) < SEEDS else None


def task(model: Any, code: int) -> str:
    """The name of a task, by its code."""
    return clip(model.talk.named(code), NAME)

"""Texts for pages, clipped because names and texts may have any length."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from sandbox.agents.memory.tokens import clip
from sandbox.running.wording import LINE, NAME, action, message, name_of, task, verb_words

__all__ = ["LINE", "NAME", "action", "message", "name_of", "number", "seed", "settings", "task", "verb_words"]

SEEDS = 2**64
_SEED = re.compile(r"0*(\d{1,20})", re.ASCII)  # Python itself refuses to read 5,000 digits


def settings(options: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Options as pairs of texts, without empty ones."""
    told = ((key.replace("_", " "), _plain(value)) for key, value in options.items() if value not in ("", None, [], {}))
    return tuple((key, clip(value, LINE)) for key, value in told)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        told = ((str(key).replace("_", " "), part) for key, part in value.items() if part is not None)
        return ", ".join(f"{key} {_plain(part)}" for key, part in told)
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

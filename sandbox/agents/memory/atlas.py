"""A map: the agent's belief about its world in words, above a window of its actions.

The belief is that of the world model (``engine.imagine``): made from the agent's own observation and its fallback
policy's memory, never from the state. It is drawn a few times with independent random numbers. The map shows what all
draws agree on; the rest is "?".
"""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.tokens import cut, tokens
from sandbox.agents.memory.window import Window

DRAWS = 3  # beliefs; a cell in which they differ is unknown
LEFT_OUT = ("seed", "tick", "reward", "finish", "refused")  # keys of a description that do not belong to a map
UNKNOWN = "?"


class Atlas(Window):
    """A memory with a believed map, which fills at most half of the context; the window fills the rest."""

    def __init__(self, options: MemoryOptions, beliefs: Beliefs, agent: int):
        super().__init__(options)
        self._beliefs, self._agent = beliefs, agent

    def context(self, now: str = "") -> str:
        latest = super().context()
        if not now:
            return latest
        room = self._options.context - tokens(latest) - 20
        seen = cut(in_words(common(self._beliefs.described(self._agent, DRAWS))), room)
        return f"# The world as you know it\n{seen}\n\n# Latest\n{latest}"

    @property
    def _room(self) -> int:
        return self._options.context // 2


def common(draws: Sequence[Any]) -> Any:
    """The parts, and letters of texts, on which several JSON values agree; the rest is UNKNOWN or left out."""
    first = draws[0]
    if all(draw == first for draw in draws):
        return first
    if any(type(draw) is not type(first) for draw in draws):
        return UNKNOWN
    if isinstance(first, dict):
        return {key: common([draw[key] for draw in draws]) for key in first if all(key in draw for draw in draws)}
    if isinstance(first, list | str) and all(len(draw) == len(first) for draw in draws):
        parts = [common(parts) if isinstance(first, list) else _letter(parts) for parts in zip(*draws, strict=True)]
        return parts if isinstance(first, list) else "".join(parts)
    if isinstance(first, list):
        return [item for item in first if all(item in draw for draw in draws)]
    return UNKNOWN


def _letter(letters: Sequence[str]) -> str:
    return letters[0] if len({*letters}) == 1 else UNKNOWN


def in_words(description: dict[str, Any]) -> str:
    """A description as lines, one for each key; maps, which are rows of symbols, stay unchanged."""
    lines = []
    for key, value in description.items():
        if key in LEFT_OUT:
            continue
        rows = isinstance(value, list) and value and all(isinstance(row, str) for row in value)
        lines.append(f"{key}:\n" + "\n".join(value) if rows else f"{key}: {_plain(value)}")
    return "\n".join(lines)


def _plain(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(", ", " "))
    return text.replace('"', "")

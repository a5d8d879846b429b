"""What an agent that is a language model has besides the model: a memory, tools, and a program that may be running."""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.eyes import Eyes
from sandbox.agents.memory.minds import memory_for
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.tokens import clip
from sandbox.agents.tools.options import Code
from sandbox.agents.tools.toolbox import CODE, Toolbox
from sandbox.core.decision import Decision, Percept

SAID = 600  # bytes of what is told of a program that has ended
_CODE = (
    "Run a program in Python that acts for you. In it you act by calling {verbs}: a call takes one tick, and its "
    "value is a dict: whether it was legal, refused, and the reward. see() is what you believe of the world, a dict; "
    "legal() the actions that have an effect now, each with its targets. While it runs you are not asked; how it ended "
    "is told to you."
)


class Mind:
    """Memory, tools and program of one agent; ``earned`` has what its last action came to, by agent."""

    def __init__(self, memory: MemoryOptions, tools: Mapping[str, Any], beliefs: Beliefs,
                 earned: Callable[[int], dict], agent: int, dose: np.ndarray, seed: int):  # fmt: skip
        self.memory = memory_for(memory, beliefs, agent)
        self.tools = Toolbox(tools, self.memory, beliefs, agent, dose, seed)
        self.summarises = memory.kind == "blocks" and memory.summary == "model"
        self.news = ""  # what is told of a program at the next decision
        self._code: Code | None = tools.get(CODE)
        self.remembers = memory.kind != "none"
        self._beliefs, self._eyes, self._told = beliefs, Eyes(beliefs), earned
        self._program, self._since, self._legal = None, 0, True
        self._percept: Percept | None = None

    def begin(self, percept: Percept) -> None:
        """A new tick."""
        self._percept, self.memory.now = percept, percept.tick + 1
        self._beliefs.perceive(percept)

    @property
    def busy(self) -> bool:
        """Whether a program acts."""
        return self._program is not None

    @cached_property
    def extras(self) -> tuple[dict[str, Any], ...]:
        """What the model is told of its tools."""
        own = tuple(tool.spec for tool in self.tools.tools.values())
        if self._code is None:
            return own
        world = self._beliefs.stage.world
        verbs = ", ".join(f'act("{verb}"{", target" if world.targets > 1 else ""})' for verb in world.verbs)
        lines = {"type": "array", "items": {"type": "string"}, "description": "the program, line by line"}
        parameters = {"type": "object", "properties": {"lines": lines}, "required": ["lines"],
                      "additionalProperties": False}  # fmt: skip
        return *own, {"name": CODE, "description": _CODE.format(verbs=verbs), "parameters": parameters}

    @property
    def extras_now(self) -> list[dict[str, Any]]:
        """The same with the arguments' names of this tick."""
        return self.tools.in_terms_of(self._percept.tick, self.extras)

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "extras"}

    # -- programs ------------------------------------------------------------------------------------------------------

    def start(self, arguments: str) -> tuple[Any, str]:
        """Begin a program: it and its first action, or None and what there is to say."""
        from sandbox.agents.programs import Limits, Program

        try:
            lines = json.loads(arguments)["lines"]
        except (ValueError, RecursionError, LookupError, TypeError):
            lines = None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            return None, 'error: expected {"lines": ["...", "..."]}, the program line by line'
        world = self._beliefs.stage.world
        program = Program("\n".join(lines), world.verbs, world.targets, Limits(steps=self._code.steps))
        decision = program.advance(self._senses())
        return ((program, decision), "") if decision else (None, _ended(program))

    def keep(self, program: Any, decision: tuple[int, int]) -> None:
        """From now on this program acts; it has begun with ``decision``."""
        self._program, self._since = program, self._percept.tick
        self._legal = self._has_effect(*decision)

    def go_on(self) -> Decision | None:
        """The next action of the program; None where none runs, or no longer."""
        if self._program is None:
            return None
        if self._percept.tick - self._since >= self._code.ticks:
            self._stop(f"it was stopped after {self._code.ticks} ticks.")
            return None
        answer = {"legal": self._legal, **self._told(self._percept.agent)}
        decision = self._program.advance(self._senses(), answer)
        if decision is None:
            self._stop(_ended(self._program))
        else:
            self._legal = self._has_effect(*decision[:2])
        return decision

    def _senses(self) -> dict[str, Any]:
        return self._eyes.functions(self._percept)

    def _has_effect(self, verb: int, target: int) -> bool:
        return bool(self._percept.mask[verb * self._beliefs.stage.world.targets + target])

    def _stop(self, why: str) -> None:
        self._program.close()
        self._program, self.news = None, f"Your program: {why}"

    def told_news(self) -> str:
        """What is new of a program, once."""
        news, self.news = self.news, ""
        return news

    def close(self) -> None:
        if self._program is not None:
            self._program.close()


def _ended(program: Any) -> str:
    printed = f" It printed: {program.printed}" if program.printed else ""
    value = f" Its value: {program.value!r}." if program.value is not None else ""
    return clip((f"error: {program.ended}." if program.failed else "it has ended.") + value + printed, SAID)

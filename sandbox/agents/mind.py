"""What an agent that is a language model has besides the model: a memory, tools, and a program that may be running."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.memory.minds import memory_for
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.tokens import clip
from sandbox.agents.tools.options import Code
from sandbox.agents.tools.toolbox import CODE, Toolbox
from sandbox.core.decision import Decision, Percept

SAID = 600  # bytes of what is told of a program that has ended
_CODE = (
    "Run a program in Python that acts for you. In it each action is a function, {verbs}: a call takes one tick and "
    "returns what you perceive after it. perceive() returns what you perceive now, legal() the list of actions that "
    "have an effect now. While the program runs you are not asked; how it ended is told to you."
)


class Mind:
    """Memory, tools and program of one agent."""

    def __init__(self, memory: MemoryOptions, tools: Mapping[str, Any], beliefs: Beliefs, agent: int,
                 dose: np.ndarray, seed: int):  # fmt: skip
        self.memory = memory_for(memory, beliefs, agent)
        self.tools = Toolbox(tools, self.memory, beliefs, agent, dose, seed)
        self.summarises = memory.kind == "blocks" and memory.summary == "model"
        self.news = ""  # what is told of a program at the next decision
        self._code: Code | None = tools.get(CODE)
        self.remembers = memory.kind != "none"
        self._beliefs, self._program, self._since = beliefs, None, 0

    def begin(self, tick: int) -> None:
        """The tick that is decided now."""
        self.memory.now = self._beliefs.tick = tick

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
        verbs = ", ".join(f"{verb}({'target' if world.targets > 1 else ''})" for verb in world.verbs)
        lines = {"type": "array", "items": {"type": "string"}, "description": "the program, line by line"}
        parameters = {"type": "object", "properties": {"lines": lines}, "required": ["lines"],
                      "additionalProperties": False}  # fmt: skip
        return *own, {"name": CODE, "description": _CODE.format(verbs=verbs), "parameters": parameters}

    @property
    def extras_now(self) -> list[dict[str, Any]]:
        """The same with the arguments' names of this tick."""
        return self.tools.in_terms_of(self._beliefs.tick - 1, self.extras)

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "extras"}

    # -- programs ------------------------------------------------------------------------------------------------------

    def start(self, arguments: str, percept: Percept, words: str, legal: list[str]):
        """Begin a program: it and its first action, or None and what there is to say."""
        from sandbox.agents.programs import Limits, Program

        try:
            lines = json.loads(arguments)["lines"]
        except (ValueError, RecursionError, LookupError, TypeError):
            lines = None
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            return None, 'error: expected {"lines": [...]}, the program line by line'
        world = self._beliefs.stage.world
        program = Program("\n".join(lines), world.verbs, world.targets, Limits(steps=self._code.steps))
        decision = program.advance(_senses(words, legal))
        if decision and not _possible(decision, percept, world.targets):
            program.close()
            return None, f"error: the program began with {world.verbs[decision.verb]}, which has no effect now"
        return ((program, decision), "") if decision else (None, _ended(program))

    def keep(self, program: Any, tick: int) -> None:
        """From now on this program acts."""
        self._program, self._since = program, tick

    def go_on(self, percept: Percept, words: str, legal: list[str]) -> Decision | None:
        """The next action of the program; None where none runs, or no longer."""
        if self._program is None:
            return None
        program, world = self._program, self._beliefs.stage.world
        if percept.tick - self._since >= self._code.ticks:
            self._stop(f"it was stopped after {self._code.ticks} ticks")
            return None
        decision = program.advance(_senses(words, legal), words)
        if decision is None:
            self._stop(_ended(program))
        elif not _possible(decision, percept, world.targets):
            self._stop(f"it was stopped at {world.verbs[decision.verb]} {decision.target}, which has no effect now")
            return None
        return decision

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


def _senses(words: str, legal: list[str]) -> dict:
    return {"perceive": lambda: words, "legal": lambda: legal}


def _possible(decision: Decision, percept: Percept, targets: int) -> bool:
    return bool(percept.mask[decision.verb * targets + decision.target])


def _ended(program: Any) -> str:
    printed = f" It printed: {program.printed}" if program.printed else ""
    value = f" Its value: {program.value!r}" if program.value is not None else ""
    return clip((f"error: {program.ended}." if program.failed else "it has ended.") + value + printed, SAID)

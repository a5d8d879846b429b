"""The context of a language model agent: its memory, tools, and running program."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.llm.request import object_in
from sandbox.agents.memory.group import memory_for
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.memory.tokens import clip
from sandbox.agents.programs.api import ProgramRunner, ProgramView
from sandbox.agents.speech import Speech
from sandbox.agents.tools.functions import Functions
from sandbox.agents.tools.options import Code
from sandbox.agents.tools.toolbox import CODE, Toolbox
from sandbox.core.decision import Decision, Percept

SAID = 600  # bytes of the report on a program that has ended
_CODE = (
    "Run a program in Python that acts for you. In it you act by calling {verbs}: a call takes one tick, and its "
    "value is a dict: whether it was legal, refused, and the reward. see() is what you believe of the world, a dict; "
    "legal() the actions that have an effect now, each with its targets. While it runs you are not asked; how it ended "
    "is told to you."
)


class AgentContext:
    """Memory, tools, program and speech of an agent; ``earned`` has the results of the last action, by agent."""

    def __init__(self, memory: MemoryOptions, tools: Mapping[str, Any], beliefs: Beliefs,
                 earned: Callable[[int], dict], agent: int, severity: np.ndarray, seed: int, functions: Functions,
                 speech: Speech | None = None):  # fmt: skip
        self.memory = memory_for(memory, beliefs, agent)
        self.tools = Toolbox(tools, self.memory, beliefs, agent, severity, seed, functions, speech)
        self.speech = speech
        self.summarises = memory.kind == "blocks" and memory.summary == "model"
        self.news = ""  # the report on a program for the next decision
        self._code: Code | None = tools.get(CODE)
        self.remembers = memory.kind != "none"
        self._beliefs, self._eyes, self._told = beliefs, ProgramView(beliefs, speech), earned
        self._actor: ProgramRunner | None = None  # the program that acts, and the tick since which it does
        self._since = 0
        self._percept: Percept | None = None

    def begin(self, percept: Percept) -> None:
        """A new tick."""
        self._percept, self.memory.now = percept, percept.tick + 1
        self._beliefs.perceive(percept)

    @property
    def busy(self) -> bool:
        """Whether a program acts."""
        return self._actor is not None

    @cached_property
    def extras(self) -> tuple[dict[str, Any], ...]:
        """The descriptions of the tools that the model reads."""
        own = tuple(tool.spec for tool in self.tools.tools.values())
        if self._code is None:
            return own
        world = self._beliefs.env.world
        verbs = ", ".join(f'act("{verb}"{", target" if world.targets > 1 else ""})' for verb in world.verbs)
        lines = {"type": "array", "items": {"type": "string"}, "description": "the program, line by line"}
        parameters = {"type": "object", "properties": {"lines": lines}, "required": ["lines"],
                      "additionalProperties": False}  # fmt: skip
        return *own, {"name": CODE, "description": _CODE.format(verbs=verbs), "parameters": parameters}

    @property
    def extras_now(self) -> list[dict[str, Any]]:
        """The same descriptions with the names of arguments in this tick (a perturbation may rename them)."""
        return self.tools.in_terms_of(self._percept.tick, self.extras)

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "extras"}

    # -- programs ------------------------------------------------------------------------------------------------------

    def start(self, arguments: str) -> tuple[tuple[ProgramRunner, Decision] | None, str]:
        """Start a program. Returns the program with its first action, or None, and the text for the model."""
        from sandbox.agents.programs.process import Limits, Program

        lines = (object_in(arguments) or {}).get("lines")
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            return None, 'error: expected {"lines": ["...", "..."]}, the program line by line'
        world = self._beliefs.env.world
        program = Program("\n".join(lines), world.verbs, world.targets, Limits(steps=self._code.steps))
        actor = ProgramRunner(program, self._eyes, self._told)
        decision = actor.advance(self._percept)
        return ((actor, decision), "") if decision else (None, _ended(program))

    def keep(self, actor: ProgramRunner) -> None:
        """Let this program, which started in this tick, act from now on."""
        self._actor, self._since = actor, self._percept.tick

    def go_on(self) -> Decision | None:
        """The next action of the program; None if no program runs or it has ended."""
        if self._actor is None:
            return None
        if self._percept.tick - self._since >= self._code.ticks:
            self._stop(f"it was stopped after {self._code.ticks} ticks.")
            return None
        decision = self._actor.advance(self._percept)
        if decision is None:
            self._stop(_ended(self._actor.program))
        return decision

    def _stop(self, why: str) -> None:
        self._actor.program.close()
        self._actor, self.news = None, f"Your program: {why}"

    def told_news(self) -> str:
        """The report on a program that has ended; it is returned once."""
        news, self.news = self.news, ""
        return news

    def close(self) -> None:
        if self._actor is not None:
            self._actor.program.close()


def _ended(program: Any) -> str:
    printed = f" It printed: {program.printed}" if program.printed else ""
    value = f" Its value: {program.value!r}." if program.value is not None else ""
    return clip((f"error: {program.ended}." if program.failed else "it has ended.") + value + printed, SAID)

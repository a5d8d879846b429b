"""The tools of one agent: their descriptions, and its calls."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.agents.beliefs import Beliefs
from sandbox.agents.llm.request import object_in
from sandbox.agents.memory import Memory
from sandbox.agents.reasoners import LIMITED_FOR, ReplyFaults
from sandbox.agents.speech import Speech
from sandbox.agents.tools.functions import Function, Functions, Remote
from sandbox.agents.tools.imagining import Imagining
from sandbox.agents.tools.options import MCP
from sandbox.agents.tools.retrieval import Library
from sandbox.agents.tools.tool import Tool, ToolError
from sandbox.core.errors import unknown
from sandbox.core.perturb import Fault
from sandbox.engine.draw import FAULT

# -- faults: the perturbations of replies (``core.perturb``) in tools: errors, cut answers, renamed arguments

TIMEOUT, LIMIT, PARTIAL, SCHEMA, WHEN = (FAULT + 32 + k for k in range(5))  # streams
CALLS = 1_000  # in one tick that have a draw of their own, at most
RENAMED = "_v2"  # suffix of an argument's name in a changed schema


class ToolFaults(ReplyFaults):
    """The faults of a trial's tools."""

    def changed_by(self, tick: int) -> bool:
        """Whether the arguments of all tools are renamed by this tick."""
        return self.changed(SCHEMA, WHEN, tick)

    def call(self, tool: Tool, arguments: dict[str, Any], tick: int, agent: int, number: int) -> str:
        """Call a tool, the ``number``-th call of an agent in a tick; raises ToolError."""
        key = agent * CALLS + number
        if self.hit(Fault.TOOL_TIMEOUT, TIMEOUT, tick, key):
            raise ToolError("the tool did not answer in time; it may do so if it is called again")
        if self.hit(Fault.RATE_LIMIT, LIMIT, tick // LIMITED_FOR, agent):
            raise ToolError(f"rate limit: no further calls for {LIMITED_FOR - tick % LIMITED_FOR} ticks")
        if self.changed_by(tick):
            arguments = self._in_new_terms(tool, arguments)
        answer = tool.call(arguments)
        if self.hit(Fault.PARTIAL_REPLY, PARTIAL, tick, key):
            return answer[: len(answer) // 2] + " [the connection broke; this is half of the answer]"
        return answer

    def _in_new_terms(self, tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments by their old names; raises ToolError if they do not have the new ones."""
        new = {name + RENAMED: name for name in tool.arguments}
        for name in arguments:
            if name not in new:
                raise ToolError(f"the schema of {tool.name} has changed: its arguments are now {', '.join(new)}")
        return {new[name]: value for name, value in arguments.items()}


def both_names(spec: dict[str, Any]) -> dict[str, Any]:
    """A tool's schema that accepts each argument by its old or its new name, and requires none."""
    own = spec["parameters"].get("properties", {})
    properties = own | {name + RENAMED: value for name, value in own.items()}
    parameters = {key: value for key, value in spec["parameters"].items() if key != "required"}
    return spec | {"parameters": parameters | {"properties": properties}}


# -- toolbox

CODE = "code"


class Toolbox:
    """Tools by name. ``options``: as in the scenario, each with its options; ``severity``: of each perturbation."""

    def __init__(self, options: Mapping[str, Any], memory: Memory, beliefs: Beliefs, agent: int, severity: np.ndarray,
                 seed: int, functions: Functions, speech: Speech | None = None):  # fmt: skip
        self._options, self._memory, self._beliefs, self._agent = options, memory, beliefs, agent
        self._faults, self._functions, self._speech = ToolFaults(severity, seed), functions, speech
        self._tick, self._calls = 0, 0

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key != "tools"}

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """All but ``code``, whose programs act."""
        functions, own = {}, {}
        for name, options in self._options.items():
            if name == "calculator":
                from sandbox.agents.tools.calculator import calculator

                functions[name] = calculator
            elif name == "retrieval":
                functions[name] = Library(options.documents, options.results, options.embedding).retrieval
            elif name == "imagine":
                functions[name] = Imagining(options, self._beliefs, self._agent).imagine
            elif name != CODE:
                kind = Remote if name.startswith(MCP) else Function
                own[name] = kind(name, self._functions, self._agent, lambda: self._tick + 1)
        functions |= getattr(self._memory, "functions", {})
        functions |= self._speech.functions if self._speech else {}
        found = {name: Tool(name, function) for name, function in functions.items()}
        return found | {function.name: function for function in own.values()}

    @property
    def described(self) -> dict[str, dict]:
        """Descriptions of the user's functions, by full name."""
        own = (tool for tool in self.tools.values() if isinstance(tool, Function))
        return {function.full_name: function.spec for function in own}

    def in_terms_of(self, tick: int, specs: Sequence[dict]) -> list[dict]:
        """The tools with their schemas at a tick; once those have changed, old and new names are accepted."""
        if not self._faults.changed_by(tick):
            return list(specs)
        return [both_names(spec) if spec["name"] in self.tools else spec for spec in specs]

    def call(self, name: str, arguments: str, tick: int) -> str:
        """The answer of a tool, or its error as text; never raises, whatever the model wrote."""
        self._calls = self._calls + 1 if tick == self._tick else 0
        self._tick = tick
        try:
            if name not in self.tools:
                raise ToolError(str(unknown("tool", name[:40], self.tools)))
            return self._faults.call(self.tools[name], _object(arguments), tick, self._agent, self._calls)
        except ToolError as error:
            return f"error: {error}"


def _object(text: str) -> dict[str, Any]:
    found = object_in(text or "{}")
    if found is None:
        raise ToolError(f"arguments: expected a JSON object, got {text[:60]!r}")
    return found

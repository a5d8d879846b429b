"""The perturbations of replies (``core.perturb``) as tools show them: errors, answers that are cut, renamed arguments.

All are keyed draws, as in ``reasoners.faulty``; a model that reads the error can do something about it.
"""

from typing import Any

from sandbox.agents.reasoners.faulty import LIMITED_FOR, ReplyFaults
from sandbox.agents.tools.tool import Tool, ToolError
from sandbox.core.perturb import Fault
from sandbox.engine.draw import FAULT

TIMEOUT, LIMIT, PARTIAL, SCHEMA, WHEN = (FAULT + 32 + k for k in range(5))  # streams
CALLS = 1_000  # in one tick: the most that have a draw of their own
RENAMED = "_v2"  # what an argument's name ends with in a changed schema


class ToolFaults(ReplyFaults):
    """The faults of a trial as its tools show them."""

    def changed_by(self, tick: int) -> bool:
        """Whether the arguments of all tools have other names by now."""
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
        """The arguments by their old names; raises ToolError where they do not bear the new ones."""
        new = {name + RENAMED: name for name in tool.arguments}
        for name in arguments:
            if name not in new:
                raise ToolError(f"the schema of {tool.name} has changed: its arguments are now {', '.join(new)}")
        return {new[name]: value for name, value in arguments.items()}


def both_names(spec: dict[str, Any]) -> dict[str, Any]:
    """A tool's schema in which each argument may bear its old or its new name, and none is required."""
    own = spec["parameters"].get("properties", {})
    properties = own | {name + RENAMED: value for name, value in own.items()}
    parameters = {key: value for key, value in spec["parameters"].items() if key != "required"}
    return spec | {"parameters": parameters | {"properties": properties}}

"""Functions of the user's own, which may do anything: each call is made once, and what it answered is recorded.

So a run is verified, replayed and gone on with without calling them again, and an effect happens once. All other tools
follow from the record, and are executed again.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.agents.tools.tool import Tool, ToolError
from sandbox.core.decision import ToolUse
from sandbox.core.errors import RecordError

Call = Callable[[dict[str, Any]], str]  # of a tool


class Functions:
    """Calls functions for the agents of a trial; ``on_use`` is told of each call when it has answered.

    ``known`` are the calls that are recorded, up to tick ``until``, or of all the trial where that is None. A call that
    is not among them is made after that tick only, or where nothing is recorded, as in records of old.
    """

    def __init__(self, known: Iterable[ToolUse] = (), until: int | None = -1):
        self.on_use: Callable[[ToolUse], None] = lambda use: None
        self.on_answer: Callable[[ToolUse], None] = lambda use: None  # told of each that the record has answered
        self._until, self._known = until, defaultdict(deque)
        for use in known:
            self._known[use[:4]].append(use)

    def __getstate__(self) -> dict:
        return {key: value for key, value in self.__dict__.items() if key not in ("on_use", "on_answer")}

    def __setstate__(self, state: dict) -> None:
        self.__init__()
        self.__dict__ |= state

    def call(self, function: Call, name: str, arguments: dict[str, Any], tick: int, agent: int) -> str:
        """The answer of a tool to an agent that decides on a tick; raises ToolError."""
        key = tick, agent, name, json.dumps(arguments, sort_keys=True)
        if self._known.get(key):
            use = self._known[key].popleft()
            self.on_answer(use)
        else:
            use = self._made(function, arguments, key)
        if use.failed:
            raise ToolError(use.answer)
        return use.answer

    def _made(self, function: Call, arguments: dict[str, Any], key: tuple) -> ToolUse:
        tick, agent, name, given = key
        if self._known and (self._until is None or tick <= self._until):
            raise RecordError(f"tool {name}: tick {tick}, agent {agent}: no answer to {given} is recorded")
        try:
            use = ToolUse(*key, function(arguments), False)
        except ToolError as error:
            use = ToolUse(*key, str(error), True)
        self.on_use(use)
        return use


class Function(Tool):
    """A function of the user's as a tool of one agent; ``now`` is the tick that is decided on."""

    def __init__(self, name: str, function: Callable[..., Any], functions: Functions, agent: int,
                 now: Callable[[], int]):  # fmt: skip
        super().__init__(name, function)
        self._functions, self._agent, self._now = functions, agent, now

    def call(self, arguments: dict[str, Any]) -> str:
        return self._functions.call(super().call, self.name, arguments, self._now(), self._agent)

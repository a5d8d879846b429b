"""Functions of the user, and tools of servers. Each call is made once, and its answer is recorded: it may do anything.

A run is therefore verified, replayed and resumed without calling them again. Their descriptions are recorded too, so
that their code is not even imported. All other tools are executed again.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from sandbox.agents.tools import servers
from sandbox.agents.tools.options import find_function
from sandbox.agents.tools.tool import Tool, ToolError
from sandbox.core.decision import ToolUse
from sandbox.core.errors import RecordError

NOT_CALLED = "{what}, and no record has a function called; --allow functions={name} does"


class Functions:
    """Calls functions for the agents of a trial; ``on_use`` gets each call with its answer.

    ``known`` are the recorded calls, up to tick ``until``, or of the whole trial if that is None. Other calls are made
    after that tick only, or if ``may_call`` allows the function by its full name, so that a record alone causes no
    call. ``specs`` are the recorded descriptions of functions, by full name.
    """

    def __init__(
        self, known: Iterable[ToolUse] = (), until: int | None = -1,
        specs: Mapping[str, Mapping[str, Any]] | None = None, may_call: Callable[[str], bool] = lambda name: False,
    ):  # fmt: skip
        self.on_use: Callable[[ToolUse], None] = lambda use: None
        self.on_answer: Callable[[ToolUse], None] = lambda use: None  # gets each call that the record has answered
        self.servers = servers.Servers()
        self._until, self._known = until, defaultdict(deque)
        self._specs, self._may_call = specs or {}, may_call
        for use in known:
            self._known[use[:4]].append(use)

    def __getstate__(self) -> dict:
        own = ("on_use", "on_answer", "servers", "_may_call")
        return {key: value for key, value in self.__dict__.items() if key not in own}

    def __setstate__(self, state: dict) -> None:
        self.__init__()
        self.__dict__ |= state

    def spec(self, name: str) -> Mapping[str, Any] | None:
        """The recorded description of a function; None if it describes itself. Raises RecordError."""
        if name not in self._specs and self._until is None and not self._may_call(name):
            raise RecordError(f"tool {name}: {NOT_CALLED.format(what='the record does not describe it', name=name)}")
        return self._specs.get(name)

    def call(self, function: "Function", arguments: dict[str, Any], tick: int, agent: int) -> str:
        """The answer of a function to an agent in a tick; raises ToolError."""
        key = tick, agent, function.name, json.dumps(arguments, sort_keys=True)
        if self._known.get(key):
            use = self._known[key].popleft()
            self.on_answer(use)
        else:
            use = self._made(function, arguments, key)
        if use.failed:
            raise ToolError(use.answer)
        return use.answer

    def _made(self, function: "Function", arguments: dict[str, Any], key: tuple) -> ToolUse:
        tick, agent, name, given = key
        if (self._until is None or tick <= self._until) and not self._may_call(function.full_name):
            what = f"no answer to {given[:200]} is recorded"
            told = NOT_CALLED.format(what=what, name=function.full_name)
            raise RecordError(f"tool {name}: tick {tick}, agent {agent}: {told}")
        try:
            use = ToolUse(*key, function.made(arguments), False)
        except ToolError as error:
            use = ToolUse(*key, str(error), True)
        except servers.Changed as error:
            self.on_use(ToolUse(*key, str(error), True))
            raise
        self.on_use(use)
        return use

    def close(self) -> None:
        """End the servers."""
        self.servers.close()


class Function(Tool):
    """A function of the user as a tool of one agent; ``now`` is the present tick."""

    def __init__(self, full_name: str, functions: Functions, agent: int, now: Callable[[], int]):
        self.full_name, self.name = full_name, full_name.partition(":")[2]
        self._functions, self._agent, self._now = functions, agent, now
        self._told = functions.spec(full_name)

    @cached_property
    def _function(self) -> Callable[..., Any]:
        return find_function(self.full_name)

    @cached_property
    def spec(self) -> dict[str, Any]:
        return super().spec if self._told is None else self._told

    def call(self, arguments: dict[str, Any]) -> str:
        return self._functions.call(self, arguments, self._now(), self._agent)

    def made(self, arguments: dict[str, Any]) -> str:
        """Call the function; raises ToolError."""
        return super().call(arguments)


class Remote(Function):
    """A tool of a server as a tool of one agent."""

    def __init__(self, full_name: str, functions: Functions, agent: int, now: Callable[[], int]):
        super().__init__(full_name, functions, agent, now)
        self.name = servers.short(full_name)

    @cached_property
    def spec(self) -> dict[str, Any]:
        if self._told is not None:
            return self._told
        return servers.spec(self.full_name, self._functions.servers.tool(*servers.parts(self.full_name)))

    def call(self, arguments: dict[str, Any]) -> str:
        return servers.quoted(self.full_name, super().call(arguments))

    def made(self, arguments: dict[str, Any]) -> str:
        return self._functions.servers.call(*servers.parts(self.full_name), arguments)

"""A stand-in for a language model that decides: it reads what an agent perceives, and plays two worlds by simple rules.

It is no language model: it measures what stands around one. ``reply`` answers a request of the chat completions API. It
keeps nothing between requests, as a model does. Where a tool ``observe`` is offered and nothing was observed yet, it
calls it; then it calls ``act``, or the verb itself where each verb is a tool.

``python -m benchmarks.deciding [FAULTY]`` serves it; about one reply in ``FAULTY`` is useless. A request without a body
gets what was counted: calls, and tokens read and written.
"""

import asyncio
import json
import random
import re
import sys
from collections import Counter, deque
from hashlib import sha256
from itertools import count
from typing import Any

from benchmarks.llm_server import response, serve

PIECE = re.compile(r"\w+|[^\w\s]")  # counted as a token
SEEN = re.compile(r"You are (?:agent|player) \d.*?You can: [^.]*\.", re.DOTALL)
STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
GROUND = ".:,@"  # of craft, that can be walked on
_calls = count(1)  # no two have the same name
ROWS, MIDDLE = 7, (3, 4)  # of craft's map, and where the player stands


# -- what it decides ---------------------------------------------------------------------------------------------------


def decide(words: str) -> tuple[str, int]:
    """A verb and its target, from what an agent perceives in web or craft."""
    can = words.rpartition("You can: ")[2].rstrip(".")
    return _walked(words, can.split(", ")) if "player" in words else _clicked(words, can)


def alone(observation, legal) -> tuple[str, int]:
    """The same rules as an agent's own code, without a model."""
    return decide(observation.words)


def _clicked(words: str, can: str) -> tuple[str, int]:
    """The element that the task names."""
    task, *lines = words.splitlines()
    targets = re.search(r"click ([\d, ]+)", can)
    elements = (re.match(r"\[(\d+)\].*'(.+)'", line) for line in lines)
    named = [each[1] for each in elements if each and each[2] in task and targets and each[1] in targets[1].split(", ")]
    return ("click", int(named[0])) if named else ("wait", 0)


def _walked(words: str, legal: list[str]) -> tuple[str, int]:
    """Towards the nearest tree; without one straight on, and at an obstacle another way."""
    if "Ahead: tree" in words and "do" in legal:
        return "do", 0
    rows = words.partition("):\n")[2].splitlines()[:ROWS]
    ahead = re.search(r"facing (\w+)", words)
    for way in (_way(rows), ahead[1] if ahead else ""):
        if f"move_{way}" in legal:
            return f"move_{way}", 0
    moves = [verb for verb in legal if verb.startswith("move_")] or legal
    return moves[int(sha256(words.encode()).hexdigest(), 16) % len(moves)], 0


def _way(rows: list[str]) -> str:
    """The first step of a shortest way to a tree in view; empty if no tree is in view or can be reached."""
    reached, queue = {MIDDLE}, deque([(MIDDLE, "")])
    while queue:
        (row, col), first = queue.popleft()
        for way, (down, right) in STEPS.items():
            cell = row + down, col + right
            if cell in reached or not (0 <= cell[0] < len(rows) and 0 <= cell[1] < len(rows[cell[0]])):
                continue
            symbol = rows[cell[0]][cell[1]]
            if symbol == "T":
                return first or way
            if symbol in GROUND:
                reached.add(cell)
                queue.append((cell, first or way))
    return ""


# -- what it replies ---------------------------------------------------------------------------------------------------


def reply(request: dict[str, Any]) -> dict[str, Any]:
    """The message that answers a request."""
    tools = {tool["function"]["name"]: tool["function"] for tool in request.get("tools", ())}
    seen = SEEN.findall("\n".join(_texts(request["messages"])).replace("\\n", "\n"))
    if not seen:
        return _call("observe", {}) if "observe" in tools else {"role": "assistant", "content": "Nothing to do."}
    verb, target = decide(seen[-1])
    if "act" in tools:
        return _call("act", {"verb": verb, "target": target})
    if verb not in tools:
        return {"role": "assistant", "content": json.dumps({"verb": verb, "target": target})}
    takes = tools[verb]["parameters"].get("properties", {})
    return _call(verb, {name: target for name, each in takes.items() if each.get("type") == "integer"})


def useless(number: int) -> dict[str, Any]:
    """Faults of models, in turn: words only, an unknown verb, arguments that are no JSON, an unknown tool."""
    return [
        {"role": "assistant", "content": "I would rather look around first."},
        _call("act", {"verb": "fly", "target": 0}),
        _call("act", '{"verb": "do", "tar'),
        _call("teleport", {"to": "the goal"}),
    ][number % 4]


def _call(name: str, arguments: dict[str, Any] | str) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = {"id": f"call_{next(_calls)}", "type": "function", "function": {"name": name, "arguments": text}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _texts(value: Any) -> list[str]:
    """All texts of a request's messages."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]


# -- the server --------------------------------------------------------------------------------------------------------


class Model:
    """Answers requests and counts them. About one reply in ``faulty`` is useless; 0: none."""

    def __init__(self, faulty: int = 0):
        self._faulty, self._dice, self._faults, self.counted = faulty, random.Random(0), count(), Counter[str]()

    def __call__(self, body: bytes) -> bytes:
        if not body:
            return response(dict(self.counted))
        request = json.loads(body)
        faulty = self._faulty and self._dice.randrange(self._faulty) == 0
        message = useless(next(self._faults)) if faulty else reply(request)
        read, written = _pieces(request["messages"]) + _pieces(request.get("tools", [])), _pieces(message)
        self.counted.update(calls=1, read=read, written=written)
        choice = {"index": 0, "finish_reason": "tool_calls" if "tool_calls" in message else "stop", "message": message}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return response({"id": "1", "object": "chat.completion", "created": 1, "model": "deciding",
                         "choices": [choice], "usage": usage})  # fmt: skip


def _pieces(value: Any) -> int:
    return sum(len(PIECE.findall(text)) for text in _texts(value))


if __name__ == "__main__":
    asyncio.run(serve(Model(*map(int, sys.argv[1:]))))

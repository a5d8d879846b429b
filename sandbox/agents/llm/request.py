"""Requests and replies independent of any client's types, so that they can be hashed and recorded."""

import hashlib
import json
import math
import re
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

DEEPEST = 100  # depth of nested objects and lists in a reply
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[{}\[\]]', re.DOTALL)  # or strings, which may contain some


class Setup(BaseModel):
    """The part that all requests of a group of agents share; it comes first, so that providers cache it."""

    model_config = ConfigDict(frozen=True)

    model: str
    instructions: str
    tools: tuple[dict[str, Any], ...]  # name, description, parameters; empty if the reply is JSON text
    max_tokens: int
    temperature: float | None
    price: tuple[float, float]  # US dollars for one token: input, output

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the whole setup, without the price."""
        return hashlib.sha256(compact(self.model_dump(mode="json", exclude={"price"}))).digest()

    @cached_property
    def size(self) -> int:
        """Size of instructions and tools in UTF-8, bytes."""
        return len(self.instructions.encode()) + sum(len(compact(tool)) for tool in self.tools)


class Request(NamedTuple):
    """One question to the model; ``key`` hashes everything that the model is sent, and the number of the sample."""

    tick: int
    agent: int
    sample: int
    attempt: int
    prompt: str
    schema: dict[str, Any] | None  # of the JSON text that is expected
    key: str
    wait: float = 0.0  # seconds before it is sent


class Reply(NamedTuple):
    """The reply of a model."""

    text: str = ""
    tool: str = ""
    arguments: str = ""  # JSON, as the model wrote it
    thinking: str = ""


class Answer(NamedTuple):
    """The result of a request: a reply, or an error as text."""

    reply: Reply | None = None
    error: str = ""
    retry: bool = False  # the error may be temporary
    tokens: tuple[int, int] | None = (0, 0)  # input, output; None: sent, but its usage is not known
    seconds: float = 0.0
    wait: float = 0.0  # seconds that the server asks to wait before the next attempt
    without: str = ""  # parameters that were not sent because the server refuses them
    outage: bool = False  # no reply came, for a reason of the infrastructure and not of the model
    began: float | None = None  # seconds since the trial began; None: not known, as with scripts


class Client(Protocol):
    """A client that answers requests."""

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        """The answers to all requests, asked at once, in their order; none takes longer than ``within`` seconds.

        The failure of a request is an answer too. Raises SandboxError if no request can succeed.
        """
        ...

    def close(self) -> None: ...


def key_of(setup: Setup, prompt: str, schema: dict | None, sample: int) -> str:
    """SHA-256 over model, instructions, tools, settings, prompt, schema and sample, hexadecimal."""
    return hashlib.sha256(setup.digest + compact([prompt, schema, sample])).hexdigest()


def object_in(text: str) -> dict | None:
    """The JSON object that a model wrote; None for anything else.

    It must be I-JSON (RFC 7493): no duplicate keys, no NaN or infinity, no lone surrogates. It is nested at most
    ``DEEPEST`` deep, so that recursive functions can walk it.
    """
    if _depth(text) > DEEPEST:
        return None
    try:
        found = _I_JSON.decode(text)
        compact(found, "strict")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _depth(text: str) -> int:
    """The greatest depth of nested brackets in a JSON text."""
    if text.count("{") + text.count("[") <= DEEPEST:
        return 0
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        deepest = max(depth, deepest)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is not a finite number")
    return number


_I_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)


def compact(value: Any, errors: str = "replace") -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", errors)

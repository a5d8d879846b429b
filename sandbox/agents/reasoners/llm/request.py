"""What goes to a language model and what comes back, free of any client's types, so that it can be hashed and kept."""

import hashlib
import json
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict

LONGEST = 20_000  # characters of a reply that are kept; what is longer is cut before anyone reads it


class Setup(BaseModel):
    """What is the same for all requests of a group of agents; it comes first, so that providers cache it."""

    model_config = ConfigDict(frozen=True)

    model: str
    instructions: str
    tools: tuple[dict[str, Any], ...]  # name, description, parameters; none where the reply is JSON text
    max_tokens: int
    temperature: float | None
    price: tuple[float, float]  # US dollars for one token: input, output

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over what the model is told; a price is not."""
        return hashlib.sha256(compact(self.model_dump(mode="json", exclude={"price"}))).digest()

    @cached_property
    def size(self) -> int:
        """Bytes in UTF-8 of instructions and tools."""
        return len(self.instructions.encode()) + sum(len(compact(tool)) for tool in self.tools)


class Request(NamedTuple):
    """One question to the model; ``key`` hashes all of it that the model is told, and the sample."""

    tick: int
    agent: int
    sample: int
    attempt: int
    prompt: str
    schema: dict[str, Any] | None  # of the JSON text that is expected
    key: str
    wait: float = 0.0  # seconds before it is sent


class Reply(NamedTuple):
    """What a model said."""

    text: str = ""
    tool: str = ""
    arguments: str = ""  # JSON, as the model wrote it
    thinking: str = ""

    def tidy(self) -> "Reply":
        """Cut to ``LONGEST``, and with nothing in it that is no Unicode text."""
        return Reply(*(part[:LONGEST].encode("utf-8", "replace").decode() for part in self))


class Answer(NamedTuple):
    """What became of a request: a reply, or an error in words."""

    reply: Reply | None = None
    error: str = ""
    retry: bool = False  # the error may pass
    tokens: tuple[int, int] | None = (0, 0)  # input, output; None: sent, but its usage is not known
    seconds: float = 0.0
    wait: float = 0.0  # seconds that the server asks to wait before the next attempt


class Client(Protocol):
    """Who answers."""

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        """The answers to all requests, asked at once, in their order; none takes longer than ``within`` seconds.

        Whatever goes wrong with a request is its answer. Raises SandboxError where no request can succeed.
        """
        ...

    def close(self) -> None: ...


def key_of(setup: Setup, prompt: str, schema: dict | None, sample: int) -> str:
    """SHA-256 over model, instructions, tools, settings, prompt, schema and sample, hexadecimal."""
    return hashlib.sha256(setup.digest + compact([prompt, schema, sample])).hexdigest()


def object_in(text: str) -> dict | None:
    """The JSON object that a model wrote; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def compact(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")

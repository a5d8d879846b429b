"""The MCP server of ``sandbox seat`` (extra ``mcp``): tools to act, resources to read, a prompt with the task.

A client never gets the state of the world: only what its agent sees, and the outcome when the episode is over.
"""

import json
import sys
from collections.abc import Callable
from functools import partial, wraps
from importlib.metadata import version
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import Annotated, Any, Literal

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Resolve
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resolve import Elicit
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import BaseModel, Field

from sandbox.core.errors import UsageError
from sandbox.seat.seats import EPISODES, LISTENERS, LISTENS, Seat, Seating

INSTRUCTIONS = (
    "You steer an agent in a simulated world. Call begin once, then observe and act in turn until the episode is over. "
    "observe returns the number of the tick, which act needs."
)
LARGEST = 1 << 20  # bytes of a message of a client
Handle = Annotated[str, Field(description="handle of your seat, from begin")]


class Begun(BaseModel):
    """A new episode."""

    episode: str
    seats: dict[str, str] = Field(description="the handle of each seat, by the name of its agent")
    brief: str = Field(description="the task, for the first seat")


class Seen(BaseModel):
    """What your agent sees."""

    over: bool = Field(description="whether the episode is over; then there is an outcome")
    tick: int | None = Field(description="the tick that waits for your action; None: observe again")
    words: str = ""
    outcome: dict[str, Any] | None = None


class Legal(BaseModel):
    """The actions that have an effect now."""

    tick: int
    verbs: dict[str, list[int]] = Field(description="targets of each verb; 0 for a verb without targets")


class Acted(BaseModel):
    """An action that was taken."""

    tick: int
    effect: bool = Field(description="False: the action has no effect, and is counted as invalid")


class Reply(BaseModel):
    """A person's answer."""

    answer: str = Field(description="what the agent should do")


def _served(kind: Callable[[str], Exception], waiting: CapacityLimiter | None = None) -> Callable[[Callable], Callable]:
    """Calls a function in a thread; a UsageError is raised as this kind, and the client reads its message.

    Functions that wait have threads of their own, so that those that wait never keep others from being served.
    """

    def telling(function: Callable) -> Callable:
        @wraps(function)
        async def told(**given: Any) -> Any:
            try:
                return await run_sync(partial(function, **given), abandon_on_cancel=True, limiter=waiting)
            except UsageError as error:
                raise kind(str(error)) from None

        return told

    return telling


def _asked(question: str) -> Elicit[Reply]:
    return Elicit(question, Reply)


def server(seating: Seating) -> MCPServer:
    """The server of a scenario with its seats."""
    made = MCPServer(
        "sandbox", title="Sandbox: a seat in a team of agents", instructions=INSTRUCTIONS,
        version=version("sandbox"), log_level="WARNING",
    )  # fmt: skip
    _add_tools(made, seating)
    _add_texts(made, seating)
    return made


def _add_tools(made: MCPServer, seating: Seating) -> None:
    @made.tool()
    @_served(ToolError)
    def begin(seed: Annotated[int | None, Field(description="default: the scenario's")] = None) -> Begun:
        """Begin an episode. The same seed gives the same world."""
        started = seating.begin(seed)
        handles = {agent: seat.handle for agent, seat in started.seats.items()}
        return Begun(episode=started.episode, seats=handles, brief=seating.brief(next(iter(started.seats.values()))))

    @made.tool()
    @_served(ToolError, CapacityLimiter(EPISODES * LISTENERS * len(seating.rows)))
    def observe(seat: Handle) -> Seen:
        """What your agent sees. Waits for the next tick that needs your action."""
        own = seating.seat(seat)
        turn = own.observe(LISTENS)
        if turn is None:
            return Seen(over=own.over, tick=None, outcome=own.outcome)
        return Seen(over=False, tick=turn.tick, words=turn.words)

    @made.tool()
    @_served(ToolError)
    def legal(seat: Handle) -> Legal:
        """The actions that have an effect in the present tick."""
        turn = _turn(seating.seat(seat))
        return Legal(tick=turn.tick, verbs=turn.legal)

    @made.tool()
    @_served(ToolError)
    def act(seat: Handle, tick: int, verb: str, target: int = 0) -> Acted:
        """Act in the tick that observe named. The same call may be repeated, and counts once."""
        return Acted(tick=tick, effect=seating.seat(seat).act(tick, verb, target))

    @made.tool()
    @_served(ToolError)
    def say(seat: Handle, text: str, to: Annotated[str, Field(description="an agent, or all")] = "all") -> str:
        """Say something to your team, before you act in this tick."""
        return seating.seat(seat).say(text, to)

    @made.tool()
    @_served(ToolError)
    def ask_person(seat: Handle, question: str, reply: Annotated[ElicitationResult[Reply], Resolve(_asked)]) -> str:
        """Ask the person who uses your client. The tick goes on waiting for your action meanwhile."""
        seating.seat(seat)
        return reply.data.answer if isinstance(reply, AcceptedElicitation) else "nobody answered"


def _add_texts(made: MCPServer, seating: Seating) -> None:
    @made.resource("episode://{seat}/task", mime_type="text/plain")
    @_served(ResourceNotFoundError)
    def task(seat: str) -> str:
        """The task of a seat."""
        return seating.brief(seating.seat(seat))

    @made.resource("episode://{seat}/record/{tick}", mime_type="text/plain")
    @_served(ResourceNotFoundError)
    def record(seat: str, tick: int) -> str:
        """What an agent saw in an earlier tick."""
        return seating.seat(seat).turn(tick).words

    @made.resource("episode://{seat}/outcome", mime_type="application/json")
    @_served(ResourceNotFoundError)
    def outcome(seat: str) -> str:
        """The outcome of an episode that is over."""
        own = seating.seat(seat)
        if own.outcome is None:
            raise UsageError("the episode is not over")
        return json.dumps(own.outcome)

    @made.prompt()
    @_served(partial(MCPError, INVALID_PARAMS))
    def brief(seat: str) -> str:
        """The task of a seat, as the beginning of a conversation."""
        return f"{seating.brief(seating.seat(seat))}\n\n{INSTRUCTIONS}"


class Lines(RawIOBase):
    """The lines of a pipe, a message each. What is beyond LARGEST bytes of a line is dropped, and it is no message."""

    def __init__(self, pipe: RawIOBase):
        self._pipe, self._length = pipe, 0  # of the present line

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        """Read what is there; 0 at the end."""
        while part := self._pipe.read(len(into)):
            first, *others = part.split(b"\n")
            kept = [first[: max(0, LARGEST - self._length)], *(line[:LARGEST] for line in others)]
            self._length = len(others[-1]) if others else self._length + len(first)
            if text := b"\n".join(kept):
                into[: len(text)] = text
                return len(text)
        return 0


def serve(seating: Seating, transport: Literal["stdio", "http"], host: str, port: int) -> None:
    """Serve until the client leaves (stdio) or Ctrl-C (HTTP)."""
    try:
        if transport == "stdio":
            sys.stdin = TextIOWrapper(BufferedReader(Lines(sys.stdin.buffer.raw)))  # a line is a message
            server(seating).run("stdio")
        else:
            server(seating).run("streamable-http", host=host, port=port, max_request_body_size=LARGEST)
    finally:
        seating.close()


def _turn(seat: Seat) -> Any:
    turn = seat.observe(0.0)
    if turn is None:
        raise UsageError("no tick waits for you: call observe first")
    return turn

"""The MCP server of ``sandbox seat`` (extra ``mcp``): tools to act, resources to read, a prompt with the task.

A client never gets the state of the world: only what its agent sees, and the outcome when the episode is over.
"""

import json
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Resolve
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resolve import Elicit
from pydantic import BaseModel, Field

from sandbox.core.errors import UsageError
from sandbox.seat.seats import LISTENS, Seat, Seating

INSTRUCTIONS = (
    "You steer an agent in a simulated world. Call begin once, then observe and act in turn until the episode is over. "
    "observe returns the number of the tick, which act needs."
)
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


def _telling(kind: type[Exception]) -> Callable[[Callable], Callable]:
    """Makes a function raise this kind of error for a UsageError; the client gets the message of no other."""

    def telling(function: Callable) -> Callable:
        @wraps(function)
        def told(**given: Any) -> Any:
            try:
                return function(**given)
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
    @_telling(ToolError)
    def begin(seed: Annotated[int | None, Field(description="default: the scenario's")] = None) -> Begun:
        """Begin an episode. The same seed gives the same world."""
        started = seating.begin(seed)
        handles = {agent: seat.handle for agent, seat in started.seats.items()}
        return Begun(episode=started.episode, seats=handles, brief=seating.brief(next(iter(started.seats.values()))))

    @made.tool()
    @_telling(ToolError)
    def observe(seat: Handle) -> Seen:
        """What your agent sees. Waits for the next tick that needs your action."""
        own = seating.seat(seat)
        turn = own.observe(LISTENS)
        if turn is None:
            return Seen(over=own.over, tick=None, outcome=own.outcome)
        return Seen(over=False, tick=turn.tick, words=turn.words)

    @made.tool()
    @_telling(ToolError)
    def legal(seat: Handle) -> Legal:
        """The actions that have an effect in the present tick."""
        turn = _turn(seating.seat(seat))
        return Legal(tick=turn.tick, verbs=turn.legal)

    @made.tool()
    @_telling(ToolError)
    def act(seat: Handle, tick: int, verb: str, target: int = 0) -> Acted:
        """Act in the tick that observe named. The same call may be repeated, and counts once."""
        return Acted(tick=tick, effect=seating.seat(seat).act(tick, verb, target))

    @made.tool()
    @_telling(ToolError)
    def say(seat: Handle, text: str, to: Annotated[str, Field(description="an agent, or all")] = "all") -> str:
        """Say something to your team, before you act in this tick."""
        return seating.seat(seat).say(text, to)

    @made.tool()
    @_telling(ToolError)
    def ask_person(seat: Handle, question: str, reply: Annotated[ElicitationResult[Reply], Resolve(_asked)]) -> str:
        """Ask the person who uses your client. The tick goes on waiting for your action meanwhile."""
        seating.seat(seat)
        return reply.data.answer if isinstance(reply, AcceptedElicitation) else "nobody answered"


def _add_texts(made: MCPServer, seating: Seating) -> None:
    @made.resource("episode://{seat}/task", mime_type="text/plain")
    @_telling(ResourceNotFoundError)
    def task(seat: str) -> str:
        """The task of a seat."""
        return seating.brief(seating.seat(seat))

    @made.resource("episode://{seat}/record/{tick}", mime_type="text/plain")
    @_telling(ResourceNotFoundError)
    def record(seat: str, tick: int) -> str:
        """What an agent saw in an earlier tick."""
        found = next((turn for turn in seating.seat(seat).turns if turn.tick == tick), None)
        if found is None:
            raise UsageError(f"tick {tick}: the agent did not decide in it")
        return found.words

    @made.resource("episode://{seat}/outcome", mime_type="application/json")
    @_telling(ResourceNotFoundError)
    def outcome(seat: str) -> str:
        """The outcome of an episode that is over."""
        own = seating.seat(seat)
        if own.outcome is None:
            raise UsageError("the episode is not over")
        return json.dumps(own.outcome)

    @made.prompt()
    def brief(seat: str) -> str:
        """The task of a seat, as the beginning of a conversation."""
        return f"{seating.brief(seating.seat(seat))}\n\n{INSTRUCTIONS}"


def serve(seating: Seating, transport: Literal["stdio", "http"], host: str, port: int) -> None:
    """Serve until the client leaves (stdio) or Ctrl-C (HTTP)."""
    if transport == "stdio":
        server(seating).run("stdio")
    else:
        server(seating).run("streamable-http", host=host, port=port)


def _turn(seat: Seat) -> Any:
    turn = seat.observe(0.0)
    if turn is None:
        raise UsageError("no tick waits for you: call observe first")
    return turn

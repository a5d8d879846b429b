"""The HTTP client of hosted models, with limits on the size and time of every reply.

Clients of language models read a reply on the event loop that all agents of a tick share. A reply
over the limits is refused before, so that it does not take the time of other agents.
"""

from collections.abc import AsyncIterator
from functools import cache

import httpx2
from pydantic_ai.models import create_async_httpx2_client

from sandbox.agents.llm.keys import without_keys

MOST = 2_000_000  # bytes of a reply; 100,000 tokens are a fourth of that
PARTS = 10_000  # opening brackets in a reply: parsing objects and lists costs far more than their bytes


class Flood(httpx2.ReadError):
    """A reply exceeds the limits."""


@cache
def client() -> httpx2.AsyncClient:
    """The HTTP client of the process. Its requests run on one event loop; a reply that is too long raises Flood."""
    made = create_async_httpx2_client()
    made.headers["accept-encoding"] = "identity"  # a compressed reply may grow a thousandfold
    made.event_hooks = {"response": [_bound]}
    return made


async def _bound(response: httpx2.Response) -> None:
    response.headers.pop("content-encoding", None)  # none was requested
    response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream):
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count, parts, chunks = 0, 0, []
        async for chunk in self._stream:
            count, parts = count + len(chunk), parts + chunk.count(b"{") + chunk.count(b"[")
            if count > MOST:
                raise Flood(f"a reply of more than {MOST:,} bytes")
            if parts > PARTS:
                raise Flood(f"a reply of more than {PARTS:,} objects and lists")
            chunks.append(chunk)
        yield without_keys(b"".join(chunks).decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    async def aclose(self) -> None:
        await self._stream.aclose()

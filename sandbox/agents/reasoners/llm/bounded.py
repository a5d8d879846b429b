"""The HTTP client of hosted models: whatever a server sends, it comes to an end."""

from collections.abc import AsyncIterator
from functools import cache

import httpx2
from pydantic_ai.models import create_async_httpx2_client

MOST = 32 * 2**20  # bytes of a reply


class Flood(httpx2.ReadError):
    """A reply does not end."""


@cache
def client() -> httpx2.AsyncClient:
    """One for the process, whose requests run on one event loop. A reply of more than ``MOST`` bytes is a Flood."""
    made = create_async_httpx2_client()
    made.headers["accept-encoding"] = "identity"  # what comes packed may grow a thousandfold
    made.event_hooks = {"response": [_bound]}
    return made


async def _bound(response: httpx2.Response) -> None:
    response.headers.pop("content-encoding", None)  # nobody asked for one
    response.stream = _Bounded(response.stream)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream):
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for chunk in self._stream:
            count += len(chunk)
            if count > MOST:
                raise Flood(f"a reply of more than {MOST:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()

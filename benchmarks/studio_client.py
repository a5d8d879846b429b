"""A session of the studio without a browser: what a page sends and receives, and when it asks again by itself."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

TICK = re.compile(rb"Tick <b>([\d,]+)</b>")


class Session:
    """What one page of a browser knows, as far as buttons, the standing and timers go."""

    def __init__(self, socket: ClientConnection, query: str):
        self._socket, self._query = socket, query
        self._timers: list[asyncio.Task] = []
        self._heard = asyncio.Condition()
        self.buttons: dict[str, str] = {}  # by label, their ids
        self.standing, self.tick = "", 0

    async def press(self, label: str, words: str) -> float:
        """Press a button; seconds until the page is told ``words``."""
        self.standing, start = "", time.perf_counter()
        await self._ask(button=self.buttons[label])
        await self.told(words)
        return time.perf_counter() - start

    async def told(self, words: str) -> None:
        """Wait until how things stand is told in these words."""
        async with self._heard:
            await self._heard.wait_for(lambda: words in self.standing)

    async def _ask(self, fragment: str = "", button: str = "") -> None:
        asked = BackMsg()
        asked.rerun_script.query_string, asked.rerun_script.fragment_id = self._query, fragment
        if button:
            asked.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)
        await self._socket.send(asked.SerializeToString())

    async def listen(self) -> None:
        await self._ask()
        async for data in self._socket:
            await self._hear(ForwardMsg.FromString(data))

    async def _hear(self, said: ForwardMsg) -> None:
        kind = said.WhichOneof("type")
        if kind == "new_session" and not said.metadata.run.fragment_ids:
            self._stop()
        elif kind == "auto_rerun":
            self._timers.append(asyncio.create_task(self._again(said.auto_rerun)))
        elif kind == "delta":
            async with self._heard:
                self._take(said.delta.new_element)
                self._heard.notify_all()

    def _take(self, element) -> None:
        if element.HasField("button"):
            self.buttons[element.button.label] = element.button.id
        elif found := TICK.findall(element.bidi_component.bytes):  # what the canvas tells of each of its moments
            head = element.bidi_component.bytes[4 : 4 + int.from_bytes(element.bidi_component.bytes[:4], "little")]
            self.standing = json.loads(head)["ticks"][-1]["standing"]
            self.tick = int(found[-1].replace(b",", b""))

    async def _again(self, timer) -> None:
        while True:
            await asyncio.sleep(timer.interval)
            await self._ask(timer.fragment_id)

    def _stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []


@asynccontextmanager
async def session(address: str, query: str) -> AsyncIterator[Session]:
    """A session that is ready to be played."""
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(url, subprotocols=["streamlit"], max_size=None) as socket:
        one = Session(socket, query)
        async with asyncio.TaskGroup() as group:  # what goes wrong while it listens ends the session
            listening = group.create_task(one.listen())
            await one.told("Ready")
            yield one
            listening.cancel()
            one._stop()

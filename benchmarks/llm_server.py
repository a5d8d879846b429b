"""A language model's server that costs next to nothing, in a process of its own: every reply is the same tool call.

One that is asked for JSON text (mesa-llm does so) gets the same text each time.

``python -m benchmarks.llm_server VERB [SECONDS]`` prints its address, answers after SECONDS, and ends with its parent.
"""

import asyncio
import json
import sys
from collections.abc import Callable


def _call(verb: str) -> dict:
    call = {"id": "c", "type": "function", "function": {"name": verb, "arguments": '{"reason": "so"}'}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _text(verb: str) -> dict:
    return {"role": "assistant", "content": json.dumps({"reasoning": "so", "action": verb})}


def _reply(message: dict) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 500, "completion_tokens": 12, "total_tokens": 512}
    told = {"id": "1", "object": "chat.completion", "created": 1, "model": "fake", "choices": [choice], "usage": usage}
    return response(told)


def response(told: dict, status: str = "200 OK") -> bytes:
    """JSON as a response of HTTP."""
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(answer: Callable[[bytes], bytes], seconds: float = 0.0) -> None:
    """Answer each body after some seconds, print the address, and end with the parent process."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                await asyncio.sleep(seconds)
                writer.write(answer(body))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)  # its parent holds the other end


def _same(verb: str) -> Callable[[bytes], bytes]:
    call, text = _reply(_call(verb)), _reply(_text(verb))
    return lambda body: text if b'"response_format"' in body else call


if __name__ == "__main__":
    asyncio.run(serve(_same(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))

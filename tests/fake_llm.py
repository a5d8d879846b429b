"""A language model's server on the loopback address, for tests and benchmarks: it answers as it is told to."""

import json
import random
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behave = Callable[["Server", BaseHTTPRequestHandler, dict], None]


class Server(ThreadingHTTPServer):
    """``with Server(behave) as server``: every request is handed to ``behave``; ``requests`` keeps their bodies."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, behave: Behave):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave, self.requests, self.ended = behave, [], threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request, client_address):
        """A client that hangs up is no news."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version, wbufsize = "HTTP/1.1", -1  # one write for a reply: two would meet the delayed ACK
    server: Server

    def log_message(self, *_):
        """Quiet."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        self.server.behave(self.server, self, body)


def send(handler: BaseHTTPRequestHandler, data: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"content-type": "application/json", "content-length": str(len(data)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def completion(message: dict[str, Any], usage: tuple[int, int] | None = (100, 10)) -> bytes:
    """A reply of the chat completions API."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, **message}}
    told = {"id": "1", "object": "chat.completion", "created": 1, "model": "fake", "choices": [choice]}
    if usage:
        tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        told["usage"] = tokens
    return json.dumps(told).encode()


def tool_call(name: str, arguments: str = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"id": "call", "type": "function", "function": function}]}


def plays(verb: str = "left", usage: tuple[int, int] | None = (100, 10), delay: float = 0.0) -> Behave:
    """A model that always does the same, as a tool call or as JSON text, after up to ``delay`` seconds."""

    def behave(server, handler, body):
        if delay:
            time.sleep(delay * random.random())
        message = tool_call(verb) if "tools" in body else {"content": json.dumps({"verb": verb})}
        send(handler, completion(message, usage))

    return behave

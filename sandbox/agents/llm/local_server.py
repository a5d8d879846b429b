"""A model in a GGUF file, served by llama.cpp in this process on a free port of the loopback address."""

from pathlib import Path
from weakref import WeakValueDictionary

import xllamacpp

from sandbox.agents.llm.gemma import weights
from sandbox.agents.llm.hosted import Hosted
from sandbox.agents.llm.options import Options
from sandbox.agents.llm.request import Answer, Request, Setup
from sandbox.core.errors import UsageError
from sandbox.engine.pool import cores

SLOTS = 4  # conversations at once


# A base model knows no roles: its prompt is the text of all messages.
PLAIN = "{% for m in messages %}{{ m.content + ('\n\n' if not loop.last else '') }}{% endfor %}"


class Server:
    """A running server; it stops when its last user releases it."""

    def __init__(self, path: Path, context: int, slots: int, base: bool):
        wanted = xllamacpp.CommonParams()
        wanted.model.path = str(path)
        wanted.hostnames, wanted.port, wanted.warmup, wanted.verbosity = ["127.0.0.1"], 0, False, 0
        wanted.n_parallel, wanted.n_ctx = slots, context * slots
        wanted.swa_full = True  # a model with a sliding window keeps all of a prompt, so that its beginning is reused
        if base:
            wanted.chat_template = PLAIN
        # Its threads spin while they wait for each other: on a busy core they are 20 times slower.
        wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = max(1, cores() - 1)
        self._running = xllamacpp.Server(wanted)
        self.address = f"{self._running.listening_address}/v1"


_servers: WeakValueDictionary[tuple, Server] = WeakValueDictionary()


def serve(options: Options) -> Server:
    """The server of a model file, started unless it runs already; raises UsageError if the file is no model."""
    path = weights() if options.kind == "gemma" else Path(options.name).expanduser()
    slots = min(SLOTS, options.concurrency)
    if not path.is_file():
        raise UsageError(f"llm: {options.model}: no such file")
    key = path.resolve(), options.context, slots, options.base
    server = _servers.get(key)
    if server is None:
        try:
            server = _servers[key] = Server(path, options.context, slots, options.base)
        except Exception as error:  # the library raises many kinds of errors for a file that it cannot load
            raise UsageError(f"llm: {options.model}: cannot be served ({str(error)[:200]})") from None
    return server


class Served:
    """The model of a file, asked over HTTP like any other."""

    def __init__(self, options: Options, setup: Setup):
        self._options, self._setup = options, setup
        self._server: Server | None = serve(options)
        self._client = Hosted(options, setup, self._server.address)

    def __reduce__(self):
        return Served, (self._options, self._setup)

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        return self._client.ask(requests, within)

    def close(self) -> None:
        self._server = None

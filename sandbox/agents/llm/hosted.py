"""Models behind an address, by the direct API of pydantic-ai: one request, one reply.

All requests of a round run at once on one event loop in a thread of its own.
"""

import asyncio
import json
import os
import socket
import time
from collections.abc import Coroutine, Iterator
from functools import cache
from threading import Thread
from typing import Any

import httpx2
from genai_prices import Usage, calc_price
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    UnexpectedModelBehavior,
    UserError,
)
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.tools import ToolDefinition

from sandbox.agents.llm.compatible import NO_REPLY, SCHEMA, Compatible, hint, refused
from sandbox.agents.llm.http import Flood, client
from sandbox.agents.llm.keys import KEYS, without_keys
from sandbox.agents.llm.options import Options
from sandbox.agents.llm.parsing import tidy
from sandbox.agents.llm.request import Answer, Reply, Request, Setup
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.interrupts import uninterrupted
from sandbox.record.store import EXHAUSTED, SPENT


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="language models", daemon=True).start()
    return loop


def _wait_for(work: Coroutine) -> Any:
    """The result of a coroutine on the event loop; Ctrl-C cancels it."""
    loop = _loop()
    future = asyncio.run_coroutine_threadsafe(work, loop)
    # If this thread cancelled the future during ``result``, ``result`` would not return.
    with uninterrupted(lambda: loop.call_soon_threadsafe(future.cancel)):
        return future.result()


class Hosted:
    """The client of a model given by ``openai:``, ``anthropic:``, ``google:`` or ``local:``, or by its ``address``."""

    def __init__(self, options: Options, setup: Setup, address: str | None = None):
        self._options, self._setup, self._address = options, setup, address
        self._without: frozenset[str] = frozenset()  # parameters that the server has refused in this run
        self._accepted = False  # whether it has taken a schema
        self._models: dict[frozenset[str], Model] = {}
        try:
            self._model(self._without)
        except UserError:
            raise UsageError(f"llm: {options.model}: set the variable {KEYS[options.kind]} to your key") from None
        self._tools = [
            ToolDefinition(name=t["name"], description=t["description"], parameters_json_schema=t["parameters"])
            for t in setup.tools
        ]

    def __reduce__(self):
        return Hosted, (self._options, self._setup, self._address)

    def close(self) -> None:
        """Nothing to do: connections are shared and end with the process."""

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
        try:
            _loop()
        except OSError as error:
            raise SandboxError(f"llm: {SPENT if _is_spent(error) else error}") from None
        return _wait_for(self._all(requests, within))

    async def _all(self, requests: list[Request], within: float) -> list[Answer]:
        places = asyncio.Semaphore(self._options.concurrency)
        return await asyncio.gather(*(self._timed(request, places, within) for request in requests))

    async def _timed(self, request: Request, places: asyncio.Semaphore, within: float) -> Answer:
        started, sent = time.perf_counter(), False
        try:
            async with asyncio.timeout(None if within == float("inf") else within):
                await asyncio.sleep(min(request.wait, self._options.timeout))
                async with places:
                    sent = True
                    answer = await self._one(request)
        except TimeoutError:
            answer = Answer(error="the budget of seconds is spent", tokens=None if sent else (0, 0))
        return answer._replace(seconds=min(round(time.perf_counter() - started, 6), within))

    async def _one(self, request: Request) -> Answer:
        try:
            return await self._adapted(request)
        except (ModelAuthenticationError, ModelNotFoundError) as error:
            raise SandboxError(f"llm: {self._setup.model}: {self._words(error)}") from None
        except ModelHTTPError as error:  # refused before anything was computed
            again = not isinstance(error, ModelRequestRejectedError)
            return Answer(error=self._words(error), retry=again, wait=error.retry_after or 0.0, outage=True)
        except ModelRequestTimeout:
            return Answer(error=f"no reply within {self._options.timeout:g} s", retry=True, tokens=None, outage=True)
        except Exception as error:  # a server may send anything, and clients fail on it in many ways
            if _is_spent(error):
                raise SandboxError(f"llm: {self._setup.model}: {SPENT}") from None
            tokens = (0, 0) if _cause(error, ConnectionRefusedError, socket.gaierror) else None
            return Answer(error=self._words(error), retry=True, tokens=tokens, outage=_is_outage(error))

    async def _adapted(self, request: Request) -> Answer:
        """The answer of the server. A refused parameter is left out, in this attempt and for the rest of the run."""
        without = self._without
        while True:
            sent = self._refusable(request) - without
            try:
                response = await self._send(request, without)
            except ModelHTTPError as error:
                if not (found := refused(error, sent, self._accepted)):
                    raise
                without = without | {found}
            else:
                self._without, self._accepted = self._without | without, self._accepted or SCHEMA in sent
                left_out = ", ".join(sorted(self._refusable(request) & without))
                reply = await asyncio.to_thread(self._reply, response)  # the event loop is shared by all agents
                return Answer(reply, tokens=_tokens(response), without=left_out)

    def _refusable(self, request: Request) -> frozenset[str]:
        """The optional parameters of a request."""
        if self._options.kind in ("anthropic", "google"):
            return frozenset()
        if request.schema is None:
            return frozenset({"max_completion_tokens", "parallel_tool_calls", "strict", "tool_choice"})
        return frozenset({"max_tokens", "strict", SCHEMA})

    async def _send(self, request: Request, without: frozenset[str]) -> ModelResponse:
        messages = [ModelRequest.user_text_prompt(request.prompt, instructions=self._setup.instructions)]
        return await model_request(
            self._model(without), messages, model_settings=_settings(self._options, without),
            model_request_parameters=self._parameters(request, without),
        )  # fmt: skip

    def _model(self, without: frozenset[str]) -> Model:
        if without not in self._models:
            options = self._options
            self._models[without] = (
                _hosted(options.kind, options.name, without) if options.hosted
                else _local(self._address or options.name, without, self._address is None)
            )  # fmt: skip
        return self._models[without]

    def _parameters(self, request: Request, without: frozenset[str]) -> ModelRequestParameters:
        if request.schema is None:
            return ModelRequestParameters(function_tools=self._tools, allow_text_output="tool_choice" in without)
        if SCHEMA in without:
            return ModelRequestParameters()
        wanted = OutputObjectDefinition(json_schema=request.schema, name="action", strict=True)
        return ModelRequestParameters(output_mode="native", output_object=wanted)

    def _reply(self, response: ModelResponse) -> Reply:
        def joined(kind: type) -> str:
            return "\n".join(part.content for part in response.parts if isinstance(part, kind))

        parts = [part for part in response.parts if isinstance(part, ToolCallPart)]
        calls = list(dict.fromkeys((part.tool_name, _arguments(part)) for part in parts))
        text, call = joined(TextPart), ("", "")
        if len(calls) == 1:
            (call,) = calls
        elif calls:  # the text contains all calls; at most one of them can be an action now
            text = "\n".join([text, *(json.dumps({"name": name, "arguments": given}) for name, given in calls)])
        return tidy(Reply(*map(without_keys, (text, *call, joined(ThinkingPart)))))

    def _words(self, error: Exception) -> str:
        error = _cause(error, Flood) or error
        text = " ".join(without_keys(str(error)).split()).encode("utf-8", "replace").decode()
        told = f"{type(error).__name__.lstrip('_')}: {text[:200]}"
        lost = isinstance(error, UnexpectedModelBehavior) or getattr(error, "status_code", None) in (404, 405, NO_REPLY)
        wrong = hint(self._options.name) if lost and self._options.kind == "local" else ""
        return f"{told}; {wrong}" if wrong else told


def _settings(options: Options, without: frozenset[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {"max_tokens": options.max_tokens, "request_timeout": options.timeout, "max_retries": 0}
    if options.temperature is not None:
        settings["temperature"] = options.temperature
    if options.hosted:
        settings |= {"cache": {"messages": False}}
    if options.hosted and "tool_choice" not in without:
        settings["tool_choice"] = "required"
    if options.kind in ("openai", "anthropic") and "parallel_tool_calls" not in without:  # google has no such option
        settings["parallel_tool_calls"] = False
    return settings


def _hosted(kind: str, name: str, without: frozenset[str]) -> Model:
    if kind == "openai":
        from pydantic_ai.providers.openai import OpenAIProvider

        return Compatible(name, provider=OpenAIProvider(http_client=client()), profile=_profile(without, True))
    if kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(name, provider=AnthropicProvider(http_client=client()))
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(name, provider=GoogleProvider(http_client=client()))


def _local(address: str, without: frozenset[str], keyed: bool) -> Model:
    """The model of an OpenAI-compatible server; ``#NAME`` after its address selects one of its models."""
    from pydantic_ai.providers.openai import OpenAIProvider

    url, _, name = address.partition("#")
    key = keyed and os.environ.get(KEYS["local"], "").strip() or "none"
    provider = OpenAIProvider(base_url=url, api_key=key, http_client=client())
    profile = _profile(without, False) | {"supports_json_schema_output": True, "json_schema_transformer": None}
    return Compatible(name or "local", provider=provider, profile=profile)


def _profile(without: frozenset[str], new: bool) -> OpenAIModelProfile:
    """The profile of a server: whether to use the ``new`` name of the token limit, and whether to be strict."""
    return OpenAIModelProfile(
        openai_chat_supports_max_completion_tokens="max_completion_tokens" not in without if new
        else "max_tokens" in without,
        openai_supports_strict_tool_definition="strict" not in without,
        thinking_tags=("\0think", "\0"),  # tags that occur in no text, because ``parsing`` finds reasoning itself
    )  # fmt: skip


def list_price(options: Options) -> tuple[float, float] | None:
    """US dollars for one token, input and output, without discounts; None for a model without a list price."""
    try:
        one, other = (
            calc_price(usage, options.name, provider_id=options.kind).total_price
            for usage in (Usage(input_tokens=1000), Usage(output_tokens=1000))
        )
    except LookupError:
        return None
    return float(one) / 1000, float(other) / 1000


def _arguments(call: ToolCallPart) -> str:
    """The arguments of a call as JSON text; unchanged if the model wrote text."""
    return call.args if isinstance(call.args, str) else call.args_as_json_str()


def _tokens(response: ModelResponse) -> tuple[int, int] | None:
    usage = response.usage
    return (usage.input_tokens, usage.output_tokens) if usage.input_tokens or usage.output_tokens else None


def _is_outage(error: Exception) -> bool:
    """Whether no reply came. A body that is not a reply, or that never ends, is a failure of the model."""
    refused = getattr(error.__cause__, "status_code", 200) >= 300
    return refused or bool(_cause(error, OSError, httpx2.TransportError) and not _cause(error, Flood))


def _cause(error: BaseException | None, *kinds: type[BaseException]) -> BaseException | None:
    """The first of the error and its causes that is of these kinds."""
    return next((each for each in _causes(error) if isinstance(each, kinds)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, including all members of exception groups."""
    while error:
        yield error
        for each in getattr(error, "exceptions", ()):
            yield from _causes(each)
        error = error.__cause__ or error.__context__


def _is_spent(error: BaseException) -> bool:
    """Whether this process may open no more files. No server causes this, and waiting does not help."""
    return any(getattr(each, "errno", None) in EXHAUSTED for each in _causes(error))

"""Models behind an address, by the direct API of pydantic-ai: one request, one reply, no agent and no graph.

All requests of a round run at once on one event loop in a thread of its own.
"""

import asyncio
import socket
import time
from collections.abc import Coroutine
from functools import cache
from threading import Thread
from typing import Any

from genai_prices import Usage, calc_price
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    UserError,
)
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ThinkingPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from sandbox.agents.reasoners.llm.bounded import client
from sandbox.agents.reasoners.llm.options import Options
from sandbox.agents.reasoners.llm.request import Answer, Reply, Request, Setup
from sandbox.core.errors import SandboxError, UsageError

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY"}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="language models", daemon=True).start()
    return loop


def _wait_for(work: Coroutine) -> Any:
    """The result of work on the loop; Ctrl-C cancels it."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


class Hosted:
    """A model by ``openai:``, ``anthropic:``, ``google:`` or ``local:``, or the one at ``address``."""

    def __init__(self, options: Options, setup: Setup, address: str | None = None):
        self._options, self._setup, self._address = options, setup, address
        try:
            self._model = _local(address or options.name) if not options.hosted else _model(options.kind, options.name)
        except UserError:
            raise UsageError(f"llm: {options.model}: set the variable {KEYS[options.kind]} to your key") from None
        self._settings = _settings(options)
        self._tools = [
            ToolDefinition(name=t["name"], description=t["description"], parameters_json_schema=t["parameters"])
            for t in setup.tools
        ]

    def __reduce__(self):
        return Hosted, (self._options, self._setup, self._address)

    def close(self) -> None:
        """Connections are shared and end with the process."""

    def ask(self, requests: list[Request], within: float) -> list[Answer]:
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
        messages = [ModelRequest.user_text_prompt(request.prompt, instructions=self._setup.instructions)]
        try:
            response = await model_request(
                self._model, messages, model_settings=self._settings,
                model_request_parameters=self._parameters(request),
            )  # fmt: skip
            return Answer(_reply(response), tokens=_tokens(response))
        except (ModelAuthenticationError, ModelNotFoundError) as error:
            raise SandboxError(f"llm: {self._setup.model}: {_words(error)}") from None
        except ModelHTTPError as error:  # refused before anything was computed
            again = not isinstance(error, ModelRequestRejectedError)
            return Answer(error=_words(error), retry=again, wait=error.retry_after or 0.0)
        except ModelRequestTimeout:
            return Answer(error=f"no reply within {self._options.timeout:g} s", retry=True, tokens=None)
        except Exception as error:  # a server may send anything, and clients fail on it in many ways
            return Answer(error=_words(error), retry=True, tokens=(0, 0) if _never_sent(error) else None)

    def _parameters(self, request: Request) -> ModelRequestParameters:
        if request.schema is None:
            return ModelRequestParameters(function_tools=self._tools, allow_text_output=False)
        wanted = OutputObjectDefinition(json_schema=request.schema, name="action", strict=True)
        return ModelRequestParameters(output_mode="native", output_object=wanted)


def _settings(options: Options) -> dict[str, Any]:
    settings: dict[str, Any] = {"max_tokens": options.max_tokens, "request_timeout": options.timeout, "max_retries": 0}
    if options.temperature is not None:
        settings["temperature"] = options.temperature
    if options.hosted:
        settings |= {"tool_choice": "required", "cache": {"messages": False}}
    if options.kind in ("openai", "anthropic"):  # google has no such switch; of several calls the first one counts
        settings["parallel_tool_calls"] = False
    return settings


def _model(kind: str, name: str) -> Model:
    if kind == "openai":
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIChatModel(name, provider=OpenAIProvider(http_client=client()))
    if kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(name, provider=AnthropicProvider(http_client=client()))
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(name, provider=GoogleProvider(http_client=client()))


def _local(address: str) -> Model:
    """An OpenAI-compatible server without a key; ``#NAME`` behind its address names one of its models."""
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    url, _, name = address.partition("#")
    profile = OpenAIModelProfile(supports_json_schema_output=True, json_schema_transformer=None)
    provider = OpenAIProvider(base_url=url, api_key="none", http_client=client())
    return OpenAIChatModel(name or "local", provider=provider, profile=profile)


def list_price(options: Options) -> tuple[float, float] | None:
    """US dollars for one token, input and output, without discounts; None where no list has the model."""
    try:
        one, other = (
            calc_price(usage, options.name, provider_id=options.kind).total_price
            for usage in (Usage(input_tokens=1000), Usage(output_tokens=1000))
        )
    except LookupError:
        return None
    return float(one) / 1000, float(other) / 1000


def _reply(response: ModelResponse) -> Reply:
    def joined(kind: type) -> str:
        return "\n".join(part.content for part in response.parts if isinstance(part, kind))

    call = next((part for part in response.parts if isinstance(part, ToolCallPart)), None)
    tool = (call.tool_name, call.args_as_json_str()) if call else ("", "")
    return Reply(joined(TextPart), *tool, joined(ThinkingPart)).tidy()


def _tokens(response: ModelResponse) -> tuple[int, int] | None:
    usage = response.usage
    return (usage.input_tokens, usage.output_tokens) if usage.input_tokens or usage.output_tokens else None


def _never_sent(error: BaseException | None) -> bool:
    """Whether there was nobody to send it to."""
    while error and not isinstance(error, ConnectionRefusedError | socket.gaierror):
        error = error.__cause__ or error.__context__
    return error is not None


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()).encode("utf-8", "replace").decode()
    return f"{type(error).__name__.lstrip('_')}: {text[:200]}"

"""Differences between OpenAI-compatible servers: forms of completions, refused parameters, wrong addresses."""

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from openai.types.chat import ChatCompletion
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models.openai import OpenAIChatModel

SCHEMA = "response_format"
NO_REPLY = 502  # a bad gateway
_REFUSALS = {  # optional parameters, and how errors name them; the one whose absence changes least comes first
    "strict": r"\bstrict\b",
    "max_tokens": r"max_completion_tokens",  # one is sent instead of the other
    "max_completion_tokens": r"max_completion_tokens",
    "parallel_tool_calls": r"parallel.?tool.?calls",
    "tool_choice": r"tool.?choice",
    SCHEMA: r"response.?format|json.?(?:schema|object)|structured.?output|guided|grammar|constrained",
}  # fmt: skip
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")  # of a message, by servers
_REFUSED = (400, 404, 405, 415, 422, 500, 501)  # statuses with which servers refuse a parameter by name


class Compatible(OpenAIChatModel):
    """A model whose completions may differ from the published schema in form."""

    def _process_response(self, response: Any, **options: Any) -> ModelResponse:
        try:
            return super()._process_response(response, **options)
        except (AttributeError, KeyError, IndexError, TypeError):
            told = response.model_dump(warnings=False, exclude_none=True)
            raise UnexpectedModelBehavior(f"expected a completion, got {json.dumps(told, default=str)}") from None

    def _validate_completion(self, response: ChatCompletion):
        told = response.model_dump(warnings=False, exclude_none=True)
        if told.get("error") and not told.get("choices"):  # a gateway whose own server is down
            raise ModelHTTPError(_status(told["error"]), self.model_name, told["error"])
        formed = _formed(told)
        return super()._validate_completion(ChatCompletion.model_construct(**formed))


def refused(error: ModelHTTPError, sent: Collection[str], accepted: bool) -> str | None:
    """The parameter, of those ``sent``, that made a server refuse a request; None for another cause.

    If a server says only that the request is bad, the schema is assumed, unless it has ``accepted`` one before.
    """
    if isinstance(error, ModelAuthenticationError | ModelContextWindowExceededError):
        return None
    named = (name for name in _REFUSALS if name in sent and re.search(_REFUSALS[name], str(error.body), re.IGNORECASE))
    if error.status_code in _REFUSED and (found := next(named, None)):
        return found
    bad = error.status_code in (400, 422) and not isinstance(error, ModelNotFoundError)
    return SCHEMA if bad and SCHEMA in sent and not accepted else None


def _status(error: Any) -> int:
    """The HTTP status in the error of a reply; NO_REPLY without one."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if type(code) is int and 400 <= code < 600 else NO_REPLY


def hint(address: str) -> str:
    """A hint for an address that its server does not know."""
    url = address.partition("#")[0].rstrip("/")
    path = urlsplit(url).path
    if path.endswith("/completions"):
        base = url.removesuffix("/completions").removesuffix("/chat")
        return f"expected the base URL without /chat/completions: local:{base}"
    if not re.search(r"/v\d", path):
        return f"most servers expect /v1 at the end of the base URL: local:{url}/v1"
    return ""


def _formed(told: dict[str, Any]) -> dict[str, Any]:
    """A completion in the published form: missing fields are added, and fields in other forms converted."""
    choice, usage = told["choices"][0], told.get("usage")
    counts = {f"{name}_tokens": (usage or {}).get(f"{name}_tokens") for name in ("prompt", "completion")}
    known = all(type(count) is int for count in counts.values())
    return {
        "id": str(told.get("id") or ""), "object": "chat.completion", "model": str(told.get("model") or ""),
        "created": told["created"] if type(told.get("created")) is int else 0,
        "choices": [{
            "index": 0, "finish_reason": str(choice.get("finish_reason") or "stop"), "logprobs": None,
            "message": _message(choice["message"]),
        }],
        "usage": counts | {"total_tokens": sum(counts.values())} if known else None,
    }  # fmt: skip


def _message(told: dict[str, Any]) -> dict[str, Any]:
    content = told.get("content")
    thoughts = next((told[name] for name in _THOUGHTS if told.get(name)), None)
    if isinstance(content, list):
        parts = [part if isinstance(part, dict) else {"text": part} for part in content]
        thoughts = thoughts or [part for part in parts if _thinks(part)]
        content = _flat([part for part in parts if not _thinks(part)])
    elif isinstance(content, dict):
        content = json.dumps(content)
    calls = told.get("tool_calls") or [{"function": call} for call in [told.get("function_call")] if call]
    return {
        "role": "assistant", "content": content, "refusal": told.get("refusal"), "reasoning_content": _flat(thoughts),
        "tool_calls": [_call(call) for call in calls] or None,
    }  # fmt: skip


def _thinks(part: dict[str, Any]) -> bool:
    return "thinking" in part or "reason" in str(part.get("type"))


def _flat(part: Any) -> str:
    """The text in a part of a message, at any depth of nesting."""
    if isinstance(part, list):
        return "".join(map(_flat, part))
    if isinstance(part, dict):
        return _flat(next((part[key] for key in ("text", "thinking", "content", "summary") if part.get(key)), ""))
    return part if isinstance(part, str) else ""


def _call(told: dict[str, Any]) -> dict[str, Any]:
    function = told["function"]
    arguments = function.get("arguments")
    text = arguments if isinstance(arguments, str) else "" if arguments is None else json.dumps(arguments)
    return {"id": "call", "type": "function", "function": {"name": function.get("name") or "", "arguments": text}}

"""Attributes of calls of language models, by OpenTelemetry's conventions for generative AI; see ``tracing``."""

import json
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from sandbox.record import CallDone, ModelUsed

OPERATION = "gen_ai.operation.name"
PROVIDERS = {
    "google": "gcp.gemini",
    "gguf": "llama.cpp",
    "gemma": "llama.cpp",
}  # all other kinds of models keep their name


def request_attributes(model: ModelUsed) -> dict[str, Any]:
    """The attributes of a request that describe its model."""
    kind, _, name = model.model.partition(":")
    told = {OPERATION: "chat", "gen_ai.provider.name": PROVIDERS.get(kind, kind)}
    if kind == "local":
        url = urlsplit(name)
        name = url.fragment
        told |= {"server.address": url.hostname, "server.port": url.port or (443 if url.scheme == "https" else 80)}
    elif kind in ("gguf", "scripted"):
        name = PurePath(name).name  # a file
    told |= {"gen_ai.request.model": name or kind, "gen_ai.request.max_tokens": model.max_tokens}
    return told if model.temperature is None else told | {"gen_ai.request.temperature": model.temperature}


def content_attributes(model: ModelUsed, call: CallDone) -> dict[str, str]:
    """The messages to and from the model, as JSON: messages of parts."""
    reply = call.reply or {}
    parts = [{"type": "reasoning", "content": reply.get("thinking")}, {"type": "text", "content": reply.get("text")}]
    if tool := reply.get("tool"):
        parts.append({"type": "tool_call", "name": tool, "content": reply.get("arguments", "")})
    said = [part for part in parts if part["content"]]
    return {
        "gen_ai.system_instructions": _json([{"type": "text", "content": model.instructions}]),
        "gen_ai.input.messages": _messages("user", [{"type": "text", "content": call.prompt}]),
        **({"gen_ai.output.messages": _messages("assistant", said)} if said else {}),
    }


def error_type(call: CallDone) -> str:
    """The class of an error: an exception's name, ``timeout``, ``no_reply``, ``unusable_reply``."""
    if call.reply is not None:
        return "unusable_reply"
    named = re.match(r"([A-Z]\w+): ", call.error)
    return named[1] if named else "timeout" if call.error.startswith("no reply within") else "no_reply"


def _messages(role: str, parts: Iterable[dict]) -> str:
    return _json([{"role": role, "parts": list(parts)}])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

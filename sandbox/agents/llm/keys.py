"""Hides providers' keys in the answers of servers, so that no record, report or screen shows them.

A key is hidden when a server's answer arrives, before a parser can quote a part of it, and again in the parsed text,
because JSON can write every character as an escape. It does not find a key in pieces, or changed in other ways than
those of ``_forms``.
"""

import base64
import os
from functools import lru_cache
from urllib.parse import quote, quote_plus

KEYS = {
    "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY",
    "local": "SANDBOX_LOCAL_API_KEY",
}  # fmt: skip
ALSO = ("GEMINI_API_KEY", "ANTHROPIC_AUTH_TOKEN")  # clients read these, too
SHORTEST = 6  # characters; a shorter value is no key
HIDDEN = "***"


def without_keys(text: str) -> str:
    """The text of a server without the keys that it was sent."""
    for key in _forms(tuple(os.environ.get(name, "").strip() for name in (*KEYS.values(), *ALSO))):
        text = text.replace(key, HIDDEN)
    return text


@lru_cache(1)
def _forms(keys: tuple[str, ...]) -> list[str]:
    """The keys in plain form, in URLs, in JSON and in authorization headers; the longest first."""
    found = set()
    for key in keys:
        if len(key) >= SHORTEST:
            code = base64.b64encode(key.encode("utf-8", "surrogateescape")).decode().rstrip("=")
            found |= {key, key.replace("/", "\\/"), quote(key), quote(key, safe=""), quote(key, safe="").lower(),
                      quote_plus(key), code, code.replace("+", "-").replace("/", "_")}  # fmt: skip
    return sorted(found, key=len, reverse=True)

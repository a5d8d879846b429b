"""TOML from elsewhere, read in a time that grows with its length: ``tomllib`` takes minutes for one long dotted key."""

import re
import tomllib
from tomllib import TOMLDecodeError
from typing import Any

DEEPEST_KEY = 32  # parts of a dotted key
_TEXT = r""""(?:[^"\\\n]|\\.)*+"|'[^'\n]*+'"""
_LONG_TEXTS = r"""(?s:"{3}(?:[^\\"]|\\.|"(?!""))*+"{0,5}|'{3}(?:[^']|'(?!''))*+'{0,5})"""
_PART = rf"(?:[\w-]++|{_TEXT})"
_KEY = rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEEPEST_KEY},}}+"
_TOKEN = re.compile(rf"{_LONG_TEXTS}|(?P<key>{_KEY})|{_TEXT}|#[^\n]*+")  # what is in a text or comment is no key


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a text; raises TOMLDecodeError, a ValueError in one line, for whatever cannot be read."""
    if text.count(".") >= DEEPEST_KEY and (found := _long_key(text)):
        line = text.count("\n", 0, found.start()) + 1
        raise TOMLDecodeError(f"A key of more than {DEEPEST_KEY} parts (at line {line}, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TOMLDecodeError("Lists or tables nested too deeply") from None
    except TOMLDecodeError:
        raise
    except ValueError:  # Python does not read integers of thousands of digits
        raise TOMLDecodeError("A number of thousands of digits") from None


def _long_key(text: str) -> re.Match | None:
    return next((found for found in _TOKEN.finditer(text) if found["key"]), None)

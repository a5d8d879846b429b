"""The values of an option, in words, from its JSON schema."""

from collections.abc import Mapping
from typing import Any

WORDS = {"object": "table", "boolean": "true or false"}  # of TOML, where JSON schema has another
LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}


def kind_of(option: Mapping[str, Any], plural: str = "", quote: str = "") -> str:
    """The values that an option accepts, such as ``integer from 1``; ``plural`` is the ending for several values.

    ``quote`` is put around each listed value.
    """
    if "anyOf" in option:
        return " or ".join(kind_of(each, plural, quote) for each in option["anyOf"] if each.get("type") != "null")
    if values := option.get("enum", [option["const"]] if "const" in option else []):
        return f"one of {', '.join(f'{quote}{value}{quote}' for value in values)}"
    name = "object" if "$ref" in option else option.get("type", "anything")
    if name == "array":
        items = option.get("items") or option.get("prefixItems", [{}])[0]  # the latter of a tuple
        return f"list{plural} of {kind_of(items, 's', quote)}"
    return " ".join(filter(None, (WORDS.get(name, name) + plural, limits_of(option))))


def limits_of(option: Mapping[str, Any]) -> str:
    """The least and the largest value of a number, as text; empty if it has neither."""
    if {"minimum", "maximum"} <= option.keys():
        return f"{option['minimum']:,}..{option['maximum']:,}"
    return " and ".join(f"{word} {option[key]:,}" for key, word in LIMITS.items() if key in option)

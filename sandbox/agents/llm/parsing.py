"""Reads the replies of real servers: separates reasoning, and finds JSON objects in fences, prose and tool calls.

The time of each function is linear in the length of any text.
"""

import json
import re
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from sandbox.agents.llm.request import Reply, object_in
from sandbox.core.plain import utf8

_NAMES = "(?:think|thinking|thoughts?|reason|reasoning|reflection|analysis|scratchpad|seed:think|inner_monologue)"
_CHANNEL = r"<\|channel\|>\s{0,9}%s\b[^<]{0,99}<\|message\|>"
_TAG = re.compile(  # tags of reasoning, as families of models write them
    rf"(?P<close></{_NAMES}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|END_THINKING\|>|<unused95>"
    rf"|{_CHANNEL % 'final'})"
    rf"|<{_NAMES}(?:\s[^<>]{{0,99}})?>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|START_THINKING\|>|<unused94>"
    rf"|{_CHANNEL % '(?:analysis|commentary)'}",
    re.IGNORECASE,
)
_IN_BRACES = re.compile(r'"(?:[^"\\]|\\.?)*+(?:"|\Z)|[{}]', re.DOTALL)  # an unclosed string ends with the text
_BEGUN = re.compile(r'\{\s*"')  # the start of an object; other braces are prose
_AROUND = " \t\r\n\ufeff\u200b\x00"  # blanks, byte order mark, padding
_FENCE = re.compile(r"(?:```|~~~)[ \t]*[\w+-]{0,20}")


SEARCHED = 1_000_000  # characters of a text that are searched for reasoning
_HOLDERS = {"action", "answer", "decision", "function", "function_call", "output", "response", "result", "tool_call",
            "tool_calls"}  # fmt: skip
LONGEST = 20_000  # characters of each part of a reply that are kept; the rest is cut off first


class Named(NamedTuple):
    """An action or a tool that a reply names."""

    name: str
    arguments: str  # JSON, as the model wrote it
    ways: tuple[str, ...] = ()  # how it differs from the requested form


def tidy(reply: Reply) -> Reply:
    """A reply as it is kept: reasoning separated, parts cut to ``LONGEST``, lone surrogates replaced by "?"."""
    text, thoughts = apart(reply.text[:SEARCHED])
    thinking = "\n".join(part for part in (reply.thinking, thoughts) if part)
    parts = reply._replace(text=text, thinking=thinking)
    return Reply(*(utf8(part[:LONGEST]) for part in parts))


def apart(text: str) -> tuple[str, str]:
    """The answer in a text, and the reasoning before it: between tags, or before a closing tag without an opening one.

    Reasoning without a closing tag extends to the end of the text. A text that is one object is an answer as a whole.
    """
    if not (first := _TAG.search(text)) or object_in(text.strip(_AROUND)) is not None:
        return text, ""
    answer, thoughts, at, inside = [], [], 0, False
    for tag in _tags(text, first):
        (thoughts if inside else answer).append(text[at : tag.start()])
        if tag["close"] and not inside:
            thoughts += answer
            answer = []
        at, inside = tag.end(), not tag["close"]
    (thoughts if inside else answer).append(text[at:])
    return "".join(answer).strip(), "".join(thoughts).strip()


def _tags(text: str, first: re.Match) -> Iterator[re.Match]:
    yield first
    yield from _TAG.finditer(text, first.end())


def objects(text: str) -> list[tuple[int, int]]:
    """Start and end of each outermost {...} of a text; braces in strings are ignored.

    The search stops at an object that is never closed, because the rest of the text may be a part of it.
    """
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    at = text.find("{")
    while at >= 0 and (token := _IN_BRACES.search(text, at)):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            begin = opened.pop()
            while found and found[-1][0] > begin:
                found.pop()
            found.append((begin, token.end()))
        at = token.end() if opened else text.find("{", token.end())
    cut = next((begin for begin in opened if _BEGUN.match(text, begin)), len(text))
    return [place for place in found if place[0] < cut]


def values_in(reply: Reply) -> list[dict[str, Any]]:
    """All objects in a reply: those in its text, and the arguments of its native call."""
    text = _unquoted(reply.text.strip(_AROUND))
    found = [object_in(part) for part in (*(text[begin:end] for begin, end in objects(text)), reply.arguments)]
    return [value for value in found if value is not None]


def named_in(reply: Reply, known: Container[str], called: bool) -> list[Named]:
    """All actions and tools that a reply names: in a native call, else in its text, else at the end of its reasoning.

    ``known``: names of actions and tools. ``called``: a native call was requested, else JSON text.
    """
    found = _called(reply, known, () if called else ("tool call",)) if reply.tool else []
    found += _written(reply.text, ("text",) if called else ())
    if not found and not reply.tool and not reply.text.strip(_AROUND):
        thinking = reply.thinking.rstrip(_AROUND + "`")
        places = objects(thinking)
        if places and places[-1][1] == len(thinking):
            found = _written(thinking, ("reasoning",))
    return found


def arguments_in(text: str) -> dict | None:
    """The arguments of a call; None if they are no object. A call without arguments may omit them or say null."""
    text = text.strip(_AROUND)
    return {} if text in ("", "null") else object_in(_unquoted(text))


def _called(reply: Reply, known: Container[str], ways: tuple[str, ...]) -> list[Named]:
    """A native call of an action or tool by its name; or of any other name, with the whole object as its arguments."""
    name = reply.tool if reply.tool in known else re.sub(r"^functions\.|:\d{1,4}$", "", reply.tool)
    if name in known:
        return [Named(name, reply.arguments, ways)]
    whole = list(_named(arguments_in(reply.arguments) or {}, ways))
    return whole or [Named(name, reply.arguments, ways)]


def _written(text: str, ways: tuple[str, ...]) -> list[Named]:
    """The actions and tools that the objects in a text name."""
    quoted, text = text, _unquoted(text.strip(_AROUND))
    ways = (*ways, "quoted") if quoted.strip(_AROUND) != text else ways
    places = objects(text)
    ends = zip([0, *(end for _, end in places)], [*(begin for begin, _ in places), len(text)], strict=True)
    around = "".join(text[end:begin] for end, begin in ends)
    if around.strip(_AROUND + ",[]"):
        ways = (*ways, "prose" if _FENCE.sub("", around).strip(_AROUND + ",[]") else "fenced")
    elif around.strip(_AROUND):
        ways = (*ways, "list")
    found = [one for begin, end in places if (one := _object(text[begin:end]))]
    ways = (*ways, "repeated") if len(found) > 1 else ways
    return [one for value, more in found for one in _named(value, (*ways, *more))]


def _object(text: str) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """The object that a text consists of; its braces may be doubled, as in templates."""
    if (value := object_in(text)) is not None:
        return value, ()
    return (value, ("double braces",)) if (value := object_in(text[1:-1])) is not None else None


def _named(value: dict[str, Any], ways: tuple[str, ...]) -> Iterator[Named]:
    """The action or tool that an object or its inner object names: in the requested form, or as a native call."""
    while not _names(value) and (inner := _inner(value)) is not None:
        value, ways = inner, (*ways, "wrapped")
    verb, tool = value.get("verb"), value.get("tool")
    if isinstance(verb, str):
        yield Named(verb, json.dumps({key: part for key, part in value.items() if key != "verb"}), ways)
    if isinstance(tool, str):
        yield Named(tool, _arguments(value), ways)
    elif not isinstance(verb, str) and _names(value):
        yield Named(value["name"], _arguments(value), (*ways, "tool call as text"))


def _names(value: dict[str, Any]) -> bool:
    """Whether an object is an action, a use of a tool, or a native call as text."""
    if isinstance(value.get("verb"), str) or isinstance(value.get("tool"), str):
        return True
    return isinstance(value.get("name"), str) and not value.keys().isdisjoint(("arguments", "parameters"))


def _inner(value: dict[str, Any]) -> dict | None:
    """The object inside another one, as its action or as its only value: plain, in a list of one, or as JSON text."""
    given = {key: part for key, part in value.items() if part is not None}
    parts = [part for key, part in given.items() if key in _HOLDERS] or list(given.values())
    part = parts[0] if len(parts) == 1 else None
    if isinstance(part, list) and len(part) == 1:
        (part,) = part
    found = object_in(part) if isinstance(part, str) else part
    return found if isinstance(found, dict) else None


def _arguments(value: dict[str, Any]) -> str:
    given = value.get("arguments", value.get("parameters", {}))
    return given if isinstance(given, str) else json.dumps(given)


def _unquoted(text: str) -> str:
    """The text in a JSON string; any other text unchanged."""
    if not text.startswith('"'):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str) else text

"""Errors that a person can act on: what, where, what was expected, and the nearest valid name."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

COMPARED = 1_000  # names to compare with when looking for the nearest
LONGEST = 1_500  # characters of a list of names
SHORT = 120  # characters of a value
MOST = 4_000  # characters of an error; the middle of a longer one is cut
_REPR = Repr()
_REPR.maxstring = _REPR.maxother = 80


class SandboxError(Exception):
    """Base class of all errors of Sandbox. The message is one line; ``exit_code`` is that of the command line."""

    exit_code = 1

    def __init__(self, message: object = ""):
        text = str(message)
        text = text if len(text) <= MOST else f"{text[: MOST // 2]} ... {text[-MOST // 2 :]}"
        super().__init__(" ".join(text.splitlines()))


class UsageError(SandboxError):
    """The request cannot be run: a bad name, value, file or layout."""

    exit_code = 2


class RecordError(SandboxError):
    """A run folder cannot be written or read."""


def shown(value: object) -> str:
    """Any value in one short line."""
    try:
        text = " ".join(_REPR.repr(value).split())
    except ValueError:  # Python does not print integers of thousands of digits
        return f"a huge {type(value).__name__}"
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."


def first_problem(
    error: "ValidationError", where: str = "", named: Callable[[int | str], bool] = lambda part: True
) -> str:
    """The first problem that pydantic found, in a line: ``where``, the key, the expected value, and the actual value.

    ``named`` tells whether a part of the key is shown, because pydantic also puts names of classes into keys.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    key = ".".join([*([where] if where else []), *(str(part) for part in first["loc"] if named(part))])
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] in ("missing", "value_error") else f", got {shown(first['input'])}"
    return f"{key}: {message[:1].lower()}{message[1:]}{got}" if key else f"{message}{got}"


def unknown(kind: str, name: object, known: Iterable[str], where: str = "") -> UsageError:
    """The error for a name that is not in ``known``; it suggests the nearest one."""
    names, text = sorted(known), " ".join(name[:200].split()) if isinstance(name, str) else shown(name)
    near = get_close_matches(text, [each for each in names[:COMPARED] if len(each) <= 200], n=1, cutoff=0.5)
    listed = ", ".join(names)
    listed = listed if len(listed) < LONGEST else f"{listed[:LONGEST]} ..."
    hint = f"did you mean '{near[0]}'? " if near else ""
    place = f"{where}: " if where else ""
    return UsageError(f"{place}unknown {kind} '{text}'; {hint}known: {listed or 'none'}")

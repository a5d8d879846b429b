"""Errors a person can act on: what, where, what was expected, and the nearest valid name."""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 1_500  # characters of a list of names


class SandboxError(Exception):
    """Base of every error of ours; its message is one clear line. ``exit_code`` is what the command line ends with."""

    exit_code = 1


class UsageError(SandboxError):
    """What was asked for cannot be run: a bad name, value, file or layout."""

    exit_code = 2


class RecordError(SandboxError):
    """A run folder cannot be written or read."""


def unknown(kind: str, name: object, known: Iterable[str], where: str = "") -> UsageError:
    """The error for a name that is not among the ``known`` ones; it names the nearest."""
    names, name = sorted(known), " ".join(str(name).split())[:200]
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    listed = ", ".join(names)
    listed = listed if len(listed) < LONGEST else f"{listed[:LONGEST]} ..."
    hint = f"did you mean '{near[0]}'? " if near else ""
    place = f"{where}: " if where else ""
    return UsageError(f"{place}unknown {kind} '{name}'; {hint}known: {listed or 'none'}")

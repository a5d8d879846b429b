"""Drawing a situation into a lane: what a description must be like, whatever the world."""

from collections.abc import Mapping
from typing import Any

from sandbox.core import plain
from sandbox.core.errors import UsageError, shown, unknown


def place(stage, state, lane: int, description: Any) -> None:
    """See ``Stage.place``."""
    if not isinstance(description, Mapping):
        raise UsageError(f"place: {shown(description)}, expected keys of what describe() returns")
    known, given = stage.describe(state, lane), plain.plain(description, "place")
    for key in given:
        if key not in known:
            raise unknown("key", key, known, "place")
        _check_kind(given[key], known[key], key)
    before = stage.allocate(1)
    stage.fork(state, lane, before, 0)
    try:
        stage.world.place(state, lane, stage.rules, {**known, **given})
    except Exception as error:
        stage.fork(before, 0, state, lane)
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"place: {shown(error)}; expected what describe() returns") from None


def _check_kind(given: Any, known: Any, where: str) -> None:
    """A number stays whole and a flag a flag: arrays would take a half or True in silence, as something else."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for key in given.keys() & known.keys():
            _check_kind(given[key], known[key], f"{where}.{key}")
    elif isinstance(given, list) and isinstance(known, list):
        for k, own in enumerate(given):
            if known:  # entries are alike, so the last one stands for those that are new
                _check_kind(own, known[min(k, len(known) - 1)], f"{where}[{k}]")
    elif type(known) in (int, bool) and type(given) in (int, bool, float) and type(given) is not type(known):
        kind = "a whole number" if type(known) is int else "true or false"
        raise UsageError(f"place: {where}: {shown(given)}, expected {kind}")

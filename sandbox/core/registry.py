"""Worlds by name: ours, and those that other packages offer through the entry point group ``sandbox.worlds``."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from sandbox.core.errors import unknown
from sandbox.core.world import World

GROUP = "sandbox.worlds"
_BUILT_IN = {name: f"sandbox.worlds.{name}:WORLD" for name in ("warehouse", "kitchen", "wildfire", "craft", "web")}


def _addresses() -> dict[str, str]:
    return _BUILT_IN | {point.name: point.value for point in entry_points(group=GROUP)}


def names() -> list[str]:
    """The names of all worlds that can be made here, ours first."""
    return list(_addresses())


@cache
def find(name: str) -> World:
    """The world of that name; raises UsageError with the known names."""
    addresses = _addresses()
    if name not in addresses:
        raise unknown("world", name, addresses)
    module, _, attribute = addresses[name].partition(":")
    return getattr(import_module(module), attribute)

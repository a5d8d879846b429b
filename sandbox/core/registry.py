"""Worlds by name: ours, and those that other packages offer through the entry point group ``sandbox.worlds``."""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import World

GROUP = "sandbox.worlds"
_BUILT_IN = {name: f"sandbox.worlds.{name}.spec:WORLD" for name in ("warehouse", "kitchen", "wildfire", "craft", "web")}


def _addresses() -> dict[str, str]:
    return _BUILT_IN | {point.name: point.value for point in entry_points(group=GROUP) if point.name not in _BUILT_IN}


def names() -> list[str]:
    """The names of all worlds that can be made here, ours first."""
    return list(_addresses())


def find(name: str) -> World:
    """The world of that name; raises UsageError with the known names, or why that of another package is of no use."""
    if not isinstance(name, str):
        raise unknown("world", name, _addresses())
    return _found(name)


@cache
def _found(name: str) -> World:
    address = _BUILT_IN.get(name) or _addresses().get(name)  # to look through all that is installed takes a while
    if address is None:
        raise unknown("world", name, _addresses())
    module, _, attribute = address.partition(":")
    try:
        world = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # a package of somebody's may do anything
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"world '{name}': {address} cannot be imported ({told})") from error
    if not isinstance(world, World):
        raise UsageError(f"world '{name}': {address} is of type {type(world).__name__}; expected a World")
    return world

"""Worlds by name: built-in ones, those of other packages (entry point group ``sandbox.worlds``), and your own.

A world of your own is given by ``register``, or by the path of its file: ``sandbox.make("my_world.py")``.
"""

import sys
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TypeGuard

from sandbox.core.errors import UsageError, unknown
from sandbox.core.world import World
from sandbox.engine.defaults import completed

GROUP = "sandbox.worlds"
SUFFIX = ".py"  # suffix of names that are paths of files
OURS = {
    name: f"sandbox.worlds.{name}.spec:WORLD"
    for name in ("warehouse", "kitchen", "wildfire", "craft", "web", "office", "rooms")
}
_registered: dict[str, World] = {}


def _addresses() -> dict[str, str]:
    return OURS | {point.name: point.value for point in entry_points(group=GROUP) if point.name not in OURS}


def names() -> list[str]:
    """The names of all available worlds, the built-in ones first."""
    return list(dict.fromkeys([*_addresses(), *(name for name in _registered if not is_file(name))]))


def register(world: World) -> World:
    """Make a world known by its name in this process; returns it with its derived entries.

    Raises UsageError if another world has the name, or if an entry cannot be derived. Other processes, such as those of
    a batch, know a world by its entry point or by the path of its file.
    """
    if not isinstance(world, World):
        raise UsageError(f"register: got a {type(world).__name__}, expected a World")
    if world.name in _addresses() or _registered.get(world.name, completed(world)) is not completed(world):
        raise UsageError(f"register: there is a world '{world.name}' already; expected another name")
    _registered[world.name] = completed(world)
    return _registered[world.name]


def is_file(name: object) -> TypeGuard[str]:
    """Whether the name of a world is the path of a file of Python."""
    return isinstance(name, str) and name.endswith(SUFFIX)


def find(name: str) -> World:
    """The world of that name; raises UsageError with the known names, or with the error of another package's world.

    It imports no file, because a record may name any. ``opened`` imports files that are allowed.
    """
    if isinstance(name, str) and name in _registered:
        return _registered[name]
    if is_file(name):
        raise UsageError(f"world '{name}': its file has not been allowed; expected --allow functions={name}")
    return _found(name) if isinstance(name, str) else _unknown(name)


def opened(name: str) -> World:
    """The same, also for a file: its code is executed, and its ``WORLD`` is then known by the given path."""
    if is_file(name) and name not in _registered:
        _registered[name] = _of_file(Path(name).resolve(), name)
    return find(name)


def _unknown(name: object) -> World:
    raise unknown("world", name, names())


@cache
def _found(name: str) -> World:
    addresses = _addresses()
    if name not in addresses:
        return _unknown(name)
    module, _, attribute = addresses[name].partition(":")
    try:
        world = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # another package may raise anything
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"world '{name}': {addresses[name]} cannot be imported ({told})") from error
    return _checked(world, name, addresses[name])


@cache
def _of_file(path: Path, name: str) -> World:
    """The ``WORLD`` of a file. Its name is its path, so that records and other processes find it."""
    if not path.is_file():
        raise UsageError(f"world '{name}': no such file")
    module = f"sandbox_world_{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(module, path)
    sys.modules[module] = loaded = module_from_spec(spec)  # Numba looks up kernels by the name of their module
    try:
        spec.loader.exec_module(loaded)
        world = loaded.WORLD
    except (Exception, SystemExit) as error:
        del sys.modules[module]
        told = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"world '{name}': it cannot be imported ({told})") from error
    return replace(_checked(world, name, "WORLD"), name=name)


def _checked(world: object, name: str, address: str) -> World:
    if not isinstance(world, World):
        raise UsageError(f"world '{name}': {address} is of type {type(world).__name__}; expected a World")
    return completed(world)

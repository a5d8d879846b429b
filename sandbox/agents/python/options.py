"""``reasoner = "python:package.module:Class"``: names and options of agents that are the user's own code."""

import hashlib
import re
import sys
from functools import reduce
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from sandbox.core.errors import UsageError
from sandbox.core.trained_policy import is_trained

KIND = "python"
PREFIX = f"{KIND}:"
GROUP = "sandbox.reasoners"  # entry points of other packages
SUFFIX = ".py"
EXPECTED = f"expected {PREFIX}package.module:Class or {PREFIX}FILE.py:Class"
_TARGET = re.compile(r"[^:\s][^:]*:[^\W\d]\w*(\.[^\W\d]\w*)*")


class PythonOptions(BaseModel):
    """Options of the reasoner ``python:...``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    patience: float = Field(10.0, gt=0, le=86_400)
    """Seconds that a tick waits for the decisions of the group; then its code is stopped."""
    options: dict[str, JsonValue] = {}
    """Keywords for the class, or for each call of the function."""


def is_python(reasoner: object) -> bool:
    """Whether a reasoner is named by its code."""
    return isinstance(reasoner, str) and reasoner.startswith(PREFIX)


def target_of(reasoner: str, where: str) -> str:
    """``package.module:Class`` or ``FILE.py:Class``; raises UsageError for another form."""
    target = reasoner.removeprefix(PREFIX)
    if not _TARGET.fullmatch(target):
        raise UsageError(f"{where}: {reasoner[:200]!r}: {EXPECTED}")
    return target


def short(reasoner: str) -> str:
    """A reasoner's name for tables: of code or weights without its place, ``Greedy (greedy.py)``."""
    if is_trained(reasoner):
        kind, _, file = reasoner.partition(":")
        return f"{kind}:{Path(file).name}"
    if not is_python(reasoner):
        return reasoner
    place, _, name = reasoner.removeprefix(PREFIX).rpartition(":")
    return f"{name} ({Path(place).name})"


def is_file(target: str) -> bool:
    """Whether a target names a file rather than a module."""
    return target.rpartition(":")[0].endswith(SUFFIX)


def plugins() -> dict[str, str]:
    """The reasoners of installed packages: their short names, and the names by their code."""
    return {point.name: PREFIX + point.value for point in entry_points(group=GROUP)}


def name_of(thing: object) -> str:
    """The name by its code of a class, a function, or the class of an object."""
    made = thing if hasattr(thing, "__qualname__") else type(thing)
    name = re.sub(r"[^\w.]+", "", made.__qualname__.rpartition("<locals>.")[2]).strip(".")
    return f"{PREFIX}{made.__module__}:{name}"


def found(target: str) -> Any:
    """The class, function or object of a target, whose module is imported; any error of that code is raised."""
    place, _, name = target.rpartition(":")
    module = _of_file(Path(place)) if is_file(target) else import_module(place)
    return reduce(getattr, name.split("."), module)


def version_of(thing: Any) -> str:
    """SHA-256 of the file that defines a class, a function or the class of an object; empty if it has none."""
    module = sys.modules.get(getattr(thing, "__module__", None) or type(thing).__module__)
    path = getattr(module, "__file__", None)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else ""


def _of_file(path: Path) -> Any:
    """The module of a file, which can import its neighbours. Compiled code on disk, which may be old, is not used."""
    path = path.resolve(strict=True)
    sys.path.insert(0, str(path.parent))
    sys.modules[path.stem] = module = ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), path, "exec"), module.__dict__)
    return module

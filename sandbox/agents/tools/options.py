"""``tools = {...}``: the tools of an agent by name, each with its options."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.agents.memory.options import Embedding
from sandbox.core.errors import UsageError, first_problem, unknown

MCP = "mcp:"  # of a tool of a server, ``mcp:SERVER/TOOL``
_OF_A_SERVER = re.compile(rf"{MCP}[\w-]+/\S+")
DOCUMENTS = (".md", ".txt")
LARGEST = 5_000_000  # bytes of all documents, which become part of the scenario


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


class Plain(_Table):
    """No options: calculator, functions of your own, and tools of servers."""


class Code(_Table):
    """Programs that act over the next ticks."""

    steps: int = Field(100_000, ge=1, le=10_000_000)
    """Most rounds of loops and calls of functions that a program makes in one tick."""
    ticks: int = Field(100, ge=1, le=1_000_000)
    """Most ticks for which one program acts."""


class Retrieval(_Table):
    """A folder beside the scenario; its documents are taken into the scenario, by their paths in it."""

    folder: str = ""
    """Folder beside the scenario with Markdown and text files."""
    documents: dict[str, str] = {}
    """Texts of the documents by their paths in the folder; filled in from the folder."""
    results: int = Field(3, ge=1, le=20)
    """Passages that one search returns."""
    embedding: Embedding = "hash"
    """Vectors of a search: hashed words (hash), or learned ones (wordllama, extra embed), which find synonyms."""


class Imagine(_Table):
    """How far ahead, and how often, plans are imagined. The policy ``base`` acts after a plan, and for all others."""

    horizon: int = Field(12, ge=1, le=200)
    """Ticks of one imagined future."""
    futures: int = Field(8, ge=2, le=256)
    """Futures that are imagined for each plan."""
    plans: int = Field(4, ge=1, le=16)
    """Most plans that are compared in one call."""
    base: str = "rules"
    """Policy that goes on after a plan, and acts for all other agents."""


TOOLS: dict[str, type[_Table]] = {
    "calculator": Plain, "code": Code, "retrieval": Retrieval, "imagine": Imagine,
}  # fmt: skip


def check(tools: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Each tool with its options, checked; raises UsageError for unknown tools and options, and missing packages."""
    known = [*TOOLS]  # in a fixed order, because a record keeps none
    names = sorted(tools, key=lambda name: (known.index(name) if name in known else len(known), name))
    return {name: _checked(name, tools[name]) for name in names}


def _checked(name: str, given: Mapping[str, Any]) -> _Table:
    if name not in TOOLS and ":" not in name:
        raise unknown("tool", name, {*TOOLS, "package.module:function", f"{MCP}SERVER/TOOL"})
    if name.startswith(MCP) and not _OF_A_SERVER.fullmatch(name):
        raise UsageError(f"tools: {name[:200]!r}: expected {MCP}SERVER/TOOL")
    table = TOOLS.get(name, Plain)
    for key in given:
        if key not in table.model_fields:
            raise unknown("key", key, table.model_fields, f"tools.{name}")
    if name in ("calculator", "code") and find_spec("pydantic_monty") is None:
        raise UsageError(f"pydantic-monty is missing for the tool {name}: pip install 'sandbox[code]'")
    try:
        return table(**given)
    except ValidationError as error:
        raise UsageError(first_problem(error, f"tools.{name}")) from None


def find_function(name: str) -> Callable[..., Any]:
    """A function by ``package.module:function``; raises UsageError if there is none."""
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"tool {name}: not found ({error}); expected package.module:function") from None
    if not callable(found):
        raise UsageError(f"tool {name}: expected a function")
    return found


def take_in_documents(folder: Path, where: str, check: Callable[[Path], object]) -> dict[str, str]:
    """The documents in a folder, by their paths. ``check`` gets each path, because a link may lead elsewhere."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in DOCUMENTS and path.is_file())
    if not paths:
        raise UsageError(f"{where}: holds no documents ({', '.join(DOCUMENTS)})")
    if sum(path.stat().st_size for path in paths) > LARGEST:
        raise UsageError(f"{where}: more than {LARGEST:,} bytes of documents")
    for path in paths:
        check(path)
    try:
        return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: {error}") from None

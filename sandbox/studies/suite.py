"""The standard suite: a folder of scenarios with a version, which shows whether they were changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.agents.python.options import is_python
from sandbox.core.errors import UsageError, unknown
from sandbox.core.files import TOMLDecodeError, read_toml
from sandbox.engine.registry import find
from sandbox.scenario import AgentGroup, Scenario, load
from sandbox.scenario.capabilities import NOTHING, Grant
from sandbox.scenario.schema import REASONERS, SEARCH

VERSION = "VERSION"  # the file: a number, a blank, the hash of the scenarios


class Suite(NamedTuple):
    """Scenarios by the names of their files."""

    folder: Path
    version: str  # as stated in its file; empty without a file
    hash: str  # of the present scenarios, 12 hexadecimal digits
    scenarios: dict[str, Scenario]

    @property
    def words(self) -> str:
        number, _, stated = self.version.partition(" ")
        version = f"version {number}" + ("" if stated == self.hash else ", changed since") if number else "no version"
        return f"suite {self.folder}, {version}, hash {self.hash}"


class Entrant(NamedTuple):
    """An agent to be tested: keys that replace those of ``[[agents]]`` in every scenario."""

    name: str
    overlay: dict[str, Any]


def open_suite(folder: str | Path, allow: Grant = NOTHING) -> Suite:
    """Read a suite; raises UsageError if the folder contains no scenario, or an invalid one.

    ``allow`` grants capabilities to its scenarios, and to the agents that are put into them.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise UsageError(f"--suite {folder}: expected a folder with scenarios (*.toml)")
    stated = folder / VERSION
    version = stated.read_text(encoding="utf-8").strip() if stated.is_file() else ""
    return Suite(folder, version, hash_of(paths), {path.stem: load(path, allow=allow) for path in paths})


def hash_of(paths: list[Path]) -> str:
    """SHA-256 over names and contents, its first 12 hexadecimal digits; line ends are normalised."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        text = path.read_text(encoding="utf-8")  # line ends of Windows become \n
        digest.update(f"{path.name}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def entrant(agent: str, suite: Suite) -> Entrant:
    """An agent by its reasoner's name, such as rules or python:greedy.py:Greedy, or from a TOML file.

    The file has the keys of ``[[agents]]``.
    Raises UsageError for an invalid file, and for a reasoner that no world of the suite has.
    """
    path = Path(agent)
    overlay = _overlay(path) if path.suffix == ".toml" else {"reasoner": agent}
    known = {name for scenario in suite.scenarios.values() for name in _known(scenario)}
    reasoner = overlay.get("reasoner")
    if reasoner is not None and reasoner not in known and not is_python(reasoner):
        raise unknown("reasoner", reasoner, known, agent if path.suffix == ".toml" else f"suite {suite.folder}")
    return Entrant(path.stem if path.suffix == ".toml" else agent.rpartition(":")[2], overlay)


def _overlay(path: Path) -> dict[str, Any]:
    try:
        table = read_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: no such agent ({error.strerror})") from None
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    keys = AgentGroup.model_fields.keys() - {"count"}
    for key in table:
        if key not in keys:
            raise unknown("key", key, keys, str(path))
    return table


def seated(scenario: Scenario, who: Entrant) -> Scenario | None:
    """The scenario with these agents instead of its own; None if its world does not have their reasoner."""
    names = {who.overlay.get("reasoner", group.reasoner) for group in scenario.agents}
    if not {name for name in names if not is_python(name)} <= _known(scenario):
        return None
    changes: Mapping[str, Any] = {
        f"agents.{k}.{key}": value for k in range(len(scenario.agents)) for key, value in who.overlay.items()
    }
    named = replace(scenario.origin, name=f"the agent {who.name}")
    return load(scenario.coming_from(named), changes, allow=NOTHING)


def _known(scenario: Scenario) -> set[str]:
    return {*find(scenario.world.name).policies, SEARCH, *REASONERS}

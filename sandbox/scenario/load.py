"""Reading scenarios: a file, a table or a scenario, with overrides; errors name the place and the nearest name."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sandbox.core.errors import UsageError, unknown
from sandbox.core.world_model import WorldModel
from sandbox.scenario.schema import AgentGroup, Scenario


def parse_value(text: str) -> Any:
    """The value of ``--set key=value``: TOML if it is any, else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def load(source: str | Path | Mapping | Scenario, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """A scenario from a TOML file, a mapping or a scenario; ``overrides`` are dotted keys such as ``world.layout``.

    A layout that is a file beside the scenario is taken in as text, so that the scenario stands for itself.
    """
    where, table, folder = _table(source)
    for key, value in (overrides or {}).items():
        _override(table, key, value)
    if not isinstance(source, Scenario):
        _check_keys(table, Scenario, where)
    groups = table.get("agents")
    for k, group in enumerate(groups if isinstance(groups, list) else []):
        if isinstance(group, Mapping):
            _check_keys(group, AgentGroup, f"{where}: agents[{k}]")
            if isinstance(group.get("world_model"), Mapping):
                _check_keys(group["world_model"], WorldModel, f"{where}: agents[{k}].world_model")
    if isinstance(table.get("world"), Mapping) and "agents" in table["world"]:
        raise UsageError(f"{where}: world.agents: the team is stated in [[agents]], by count")
    try:
        scenario = Scenario.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        got = "" if first["type"] == "missing" else f", got {str(first['input'])[:60]!r}"
        raise UsageError(f"{where}: {key}: {first['msg'].lower()}{got}") from None
    _embed_layout(scenario, folder)
    return scenario


def _table(source) -> tuple[str, dict, Path]:
    if isinstance(source, Scenario):
        return "scenario", source.model_dump(), Path()
    if isinstance(source, Mapping):
        return "scenario", _copied(source), Path()
    path = Path(source)
    try:
        with path.open("rb") as file:
            return str(path), tomllib.load(file), path.parent
    except FileNotFoundError:
        raise UsageError(f"{path}: no such scenario file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from None


def _copied(value):
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _override(table: dict, key: str, value: Any) -> None:
    """Set a dotted key; ``agents.0.count`` counts groups from 0."""
    *path, last = key.split(".")
    place: Any = table
    for part in path:
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise UsageError(f"--set {key}: '{part}' is no group of agents; expected 0..{len(place) - 1}")
            place = place[int(part)]
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise UsageError(f"--set {key}: '{part}' is a value, expected a table")
    if isinstance(place, list):
        raise UsageError(f"--set {key}: expected the number of a group and a key, such as agents.0.count")
    place[last] = value


def _check_keys(table: Mapping, model: type[BaseModel], where: str) -> None:
    for key in table:
        if key not in model.model_fields:
            raise unknown("key", key, model.model_fields, where)


def _embed_layout(scenario: Scenario, folder: Path) -> None:
    layout = getattr(scenario.world, "layout", None)
    if isinstance(layout, str) and "\n" not in layout:
        for path in (folder / layout, Path(layout)):
            if path.is_file():
                scenario.world.layout = _read(path)
                return


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: expected a text file with a map ({error.__class__.__name__})") from None

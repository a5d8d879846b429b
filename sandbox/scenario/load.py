"""Reading scenarios: a file, a table or a scenario, with overrides; errors name the place and the nearest name."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.reasoners.human import HumanOptions
from sandbox.agents.reasoners.llm.options import Options
from sandbox.agents.tools.options import take_in_documents
from sandbox.core.errors import SHORT, UsageError, shown, unknown
from sandbox.core.files import looks_like, near, read_text
from sandbox.core.maps import is_text, read_map
from sandbox.core.plain import plain
from sandbox.core.toml import DEEPEST_KEY, TOMLDecodeError, read_toml
from sandbox.core.world_model import WorldModel
from sandbox.oversight.guard import Rule
from sandbox.scenario.schema import AgentGroup, Scenario
from sandbox.teams.graph_files import take_in
from sandbox.teams.options import TeamTable

EXPECTED = "a scenario (TOML)"
MODEL = "SANDBOX_MODEL"  # the variable that names another model
_LIST = re.compile(r"\[\n(?: +[^\[\]{}\n]+,\n)+\]")  # of plain values, each on a line of its own


def parse_value(text: str) -> Any:
    """The value of ``--set key=value``: TOML if it is any, else the text itself."""
    try:
        return read_toml(f"value = {text}")["value"]
    except TOMLDecodeError:
        return text


def as_toml(scenario: Mapping[str, Any]) -> str:
    """A scenario's JSON values (``Scenario.as_dict``) as a file that ``load`` reads, in the order people write it."""
    agents = [{"reasoner": AgentGroup.model_fields["reasoner"].default, **group} for group in scenario["agents"]]
    table = {key: scenario[key] for key in Scenario.model_fields if key in scenario} | {"agents": agents}
    text = tomli_w.dumps(table, multiline_strings=True)
    short = _LIST.sub(lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(", ]", "]"), text)
    return short if read_toml(short) == table else text  # a text of the scenario may look like a list


def load(
    source: str | Path | Mapping | Scenario, overrides: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Scenario:
    """A scenario from a TOML file, a mapping or a scenario; ``overrides`` are dotted keys such as ``world.layout``.

    A layout, a program, a network or a script of replies that is a file beside the scenario is taken in, so that it
    stands for itself. A table has no place of its own: ``folder`` says beside what its files are. Where the variable
    SANDBOX_MODEL is set, it is the model of all agents that have one.
    """
    where, table, beside = _table(source)
    folder = folder or beside
    if overrides is not None and not hasattr(overrides, "items"):  # a series has them, too
        raise UsageError(f"overrides: expected dotted keys and their values, got {shown(overrides)}")
    for key, value in () if overrides is None else overrides.items():
        _override(table, str(key), plain(value, where, str(key)))
    _check_tables(table, where)
    rules = table.get("guard")
    for k, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, Mapping):
            _check_keys(rule, Rule, f"{where}: guard[{k}]")
    groups = table.get("agents")
    for k, group in enumerate(groups if isinstance(groups, list) else []):
        if isinstance(group, Mapping):
            _check_keys(group, AgentGroup, f"{where}: agents[{k}]")
            if isinstance(group.get("llm"), Mapping) and not isinstance(source, Scenario):
                _complete_model(group["llm"], folder, f"{where}: agents[{k}].llm")
            if isinstance(group.get("program"), str) and not isinstance(source, Scenario):
                group["program"] = _program(group["program"], folder, f"{where}: agents[{k}].program")
            if isinstance(group.get("world_model"), Mapping):
                _check_keys(group["world_model"], WorldModel, f"{where}: agents[{k}].world_model")
            if isinstance(group.get("human"), Mapping):
                _check_keys(group["human"], HumanOptions, f"{where}: agents[{k}].human")
            if isinstance(group.get("memory"), Mapping):
                _check_keys(group["memory"], MemoryOptions, f"{where}: agents[{k}].memory")
            _take_in_tools(group, folder, f"{where}: agents[{k}].tools")
    if isinstance(table.get("team"), Mapping):
        _check_keys(table["team"], TeamTable, f"{where}: team")
        _take_in_network(table["team"], folder)
    if isinstance(table.get("world"), Mapping) and "agents" in table["world"]:
        raise UsageError(f"{where}: world.agents: the team is stated in [[agents]], by count")
    try:
        scenario = Scenario.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        got = "" if first["type"] == "missing" else f", got {str(first['input'])[:60]!r}"
        raise UsageError(f"{where}: {key}: {first['msg'].lower()}{got}") from None
    _embed_files(scenario, folder)
    return scenario


def _table(source) -> tuple[str, dict, Path]:
    if isinstance(source, Scenario):
        return "scenario", source.model_dump(), Path()
    if isinstance(source, Mapping):
        return "scenario", plain(source, "scenario"), Path()
    if not isinstance(source, str | os.PathLike):
        raise UsageError(f"scenario: {type(source).__name__}, expected a path, a table or a Scenario")
    path = Path(os.fspath(source))
    text = read_text(path, EXPECTED, "scenario file")
    try:
        return str(path), plain(read_toml(text), str(path)), path.parent
    except TOMLDecodeError as error:
        found = looks_like(text)
        told = f"looks like {found}; expected {EXPECTED}" if found not in (None, "a scenario") else f"not TOML: {error}"
        raise UsageError(f"{path}: {told}") from None


def _check_tables(table: Mapping, where: str) -> None:
    """Raises UsageError for another kind of file, for a key that no scenario has, and for a value that is no table."""
    if not table:
        raise UsageError(f"{where}: empty; expected {EXPECTED} with [world] and [[agents]]")
    if "lesson" in table:
        raise UsageError(f"{where}: a lesson, which 'sandbox app' opens; expected {EXPECTED}")
    if "page" in table and "world" not in table:
        raise UsageError(f"{where}: a site, which is a layout of the world 'web'; expected {EXPECTED}")
    if isinstance(groups := table.get("agent"), list | dict) and "agents" not in table:
        raise UsageError(
            f"{where}: unknown key 'agent'; expected [[agents]], a table for each group, got {_short(groups)}"
        )
    _check_keys(table, Scenario, where)
    for key in ("agents", "guard"):
        if not isinstance(table.get(key, []), list):
            raise UsageError(f"{where}: {key}: expected [[{key}]], a table for each, got {_short(table[key])}")
    for key in ("world", "perturb", "sweep", "trials"):
        if not isinstance(table.get(key, {}), dict):
            raise UsageError(f"{where}: {key}: expected a table [{key}], got {_short(table[key])}")


def _short(value: Any) -> str:
    return f"a table [{', '.join(value)}]"[:80] if isinstance(value, dict) else repr(value)[:80]


def _override(table: dict, key: str, value: Any) -> None:
    """Set a dotted key; ``agents.0.count`` counts groups from 0."""
    *path, last = key.split(".", DEEPEST_KEY)
    if len(path) == DEEPEST_KEY:
        raise UsageError(f"--set {key[:SHORT]}: more than {DEEPEST_KEY} parts; expected a key such as world.layout")
    place: Any = table
    for part in path:
        if isinstance(place, list):
            if not part.isdigit() or int(part) >= len(place):
                raise UsageError(f"--set {key}: there is no '{part}'; expected 0..{len(place) - 1}")
            place = place[int(part)]
        else:
            place = place.setdefault(part, {})
        if not isinstance(place, dict | list):
            raise UsageError(f"--set {key}: '{part}' is a value, expected a table")
    if isinstance(place, list):
        raise UsageError(f"--set {key}: expected a number and a key, such as agents.0.count")
    place[last] = value


def _check_keys(table: Mapping, model: type[BaseModel], where: str) -> None:
    for key in table:
        if key not in model.model_fields:
            raise unknown("key", key, model.model_fields, where)


def _embed_files(scenario: Scenario, folder: Path) -> None:
    """A layout, or the starts on it, that is a file becomes its text."""
    for key in ("layout", "starts"):
        given = getattr(scenario.world, key, None)
        if not isinstance(given, str) or is_text(given):
            continue
        if path := _beside(folder, given):
            text = read_map(path)
            setattr(scenario.world, key, text if is_text(text) else f"{text}\n")  # a single line is no name
        elif Path(given).suffix and (hint := near(folder / given)):
            raise UsageError(f"world.{key}: no such file '{given}'; {hint}")


def _beside(folder: Path, name: str) -> Path | None:
    """The file of a name, beside the scenario or where we are."""
    return next((path for path in (folder / name, Path(name)) if os.path.isfile(path)), None)


def _program(program: str, folder: Path, where: str) -> str:
    """The text of a program that is given as the name of a file, else the program itself."""
    if "\n" in program or not program.endswith(".py"):
        return program
    path = _beside(folder, program)
    if path is None:
        raise UsageError(f"{where}: {program}: no such file; {near(folder / program)}expected a program")
    return read_text(path, "a program")


def _complete_model(table: dict, folder: Path, where: str) -> None:
    """The model that is asked for from outside, if one is; the lines of a script that is a file."""
    _check_keys(table, Options, where)
    if MODEL in os.environ:
        table["model"] = os.environ[MODEL]
    kind, _, name = str(table.get("model")).partition(":")
    if kind == "scripted" and name and not table.get("replies"):
        path = _beside(folder, name)
        if path is None:
            raise UsageError(f"{where}.model: {table['model']}: no such file")
        table["replies"] = _replies(path)


def _take_in_tools(group: Mapping, folder: Path, where: str) -> None:
    """The documents of a folder become part of the scenario."""
    given = group.get("tools")
    table = given.get("retrieval") if isinstance(given, Mapping) else None
    if isinstance(table, dict) and table.get("folder") and not table.get("documents"):
        try:
            table["documents"] = take_in_documents(table, folder, f"{where}.retrieval")
        except OSError as error:  # a name that no folder can have, or one that goes meanwhile
            raise UsageError(f"{where}.retrieval.folder: cannot be read ({error.strerror})") from None


def _take_in_network(team: Mapping, folder: Path) -> None:
    """The graph of a file becomes part of the scenario."""
    given = team.get("network")
    if isinstance(given, dict) and given.get("kind") == "file" and given.get("file") and not given.get("graph"):
        name = str(given["file"])
        given["graph"] = take_in(_beside(folder, name) or folder / name, given.get("directed") is True)


def _replies(path: Path) -> list:
    """The lines of a script: a JSON list, or a TOML file with a list ``replies``."""
    text = read_text(path, "a list of replies")
    try:
        found = json.loads(text) if path.suffix == ".json" else read_toml(text).get("replies")
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a list of replies ({error})") from None
    if not isinstance(found, list):
        raise UsageError(f"{path}: expected a list of replies, in TOML below [[replies]]")
    return found

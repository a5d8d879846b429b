"""Loads scenarios from files, mappings or scenarios, with overrides; errors name the place and the nearest name."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError

from sandbox.agents.edge.options import EdgeOptions
from sandbox.agents.generalist.options import GENERALIST, GeneralistOptions
from sandbox.agents.llm.options import Options
from sandbox.agents.memory.options import MemoryOptions
from sandbox.agents.python.options import PythonOptions, plugins
from sandbox.agents.reasoners import HumanOptions
from sandbox.core.errors import SHORT, UsageError, first_problem, shown, unknown
from sandbox.core.files import DEEPEST_KEY, TOMLDecodeError, looks_like, read_text, read_toml
from sandbox.core.plain import path as a_path
from sandbox.core.plain import plain
from sandbox.core.trained_policy import WeightsOptions
from sandbox.core.world_model import WorldModel
from sandbox.oversight.guard import Rule
from sandbox.scenario.capabilities import CODE, NOTHING, Grant, Origin, calls, check_files, of_file, world_file
from sandbox.scenario.embed import Files
from sandbox.scenario.schema import AgentGroup, Scenario, others_keys
from sandbox.scenario.sweep import conditions
from sandbox.teams.options import TeamTable

EXPECTED = "a scenario (TOML)"
MODEL = "SANDBOX_MODEL"  # the variable that names another model
_OF_A_GROUP: dict[str, type[BaseModel]] = {
    "llm": Options, "world_model": WorldModel, "human": HumanOptions, "memory": MemoryOptions, "python": PythonOptions,
    "weights": WeightsOptions, "edge": EdgeOptions, GENERALIST: GeneralistOptions,
}  # fmt: skip  # tables of a group whose keys are checked
_RESEATS = re.compile(r"agents\.(\d+)\.reasoner")
_UNSTATED = AgentGroup().model_dump()  # a group in which nothing is stated
_LIST = re.compile(r"\[\n(?: +[^ \[\]{}\n][^\[\]{}\n]*,\n)+ *\]")  # a list of plain values, each on its own line
_LINE = 100  # letters of a list on one line


def parse_value(text: str) -> Any:
    """The value of ``--set key=value``: TOML if it is valid TOML, else the text itself."""
    try:
        return read_toml(f"value = {text}")["value"]
    except TOMLDecodeError:
        return text


def as_toml(scenario: Mapping[str, Any]) -> str:
    """A scenario's JSON values (``Scenario.as_dict``) as a file that ``load`` reads, in the order people write it."""
    agents = [{"reasoner": AgentGroup.model_fields["reasoner"].default, **group} for group in scenario["agents"]]
    table = {key: scenario[key] for key in Scenario.model_fields if key in scenario} | {"agents": agents}
    text = tomli_w.dumps(table, multiline_strings=True)
    short = _LIST.sub(_on_one_line, text)
    return short if read_toml(short) == table else text  # a text in the scenario may look like a list


def _on_one_line(found: re.Match) -> str:
    line = " ".join(found[0].split()).replace("[ ", "[").replace(", ]", "]")
    return line if len(line) <= _LINE else found[0]


def load(
    source: str | Path | Mapping | Scenario, overrides: Mapping[str, Any] | None = None, folder: Path | None = None,
    allow: str | Grant | None = None, origin: Origin | None = None,
) -> Scenario:  # fmt: skip
    """A scenario from a TOML file, a mapping or a scenario; ``overrides`` are dotted keys such as ``world.layout``.

    A layout, program, network or script of replies in a file beside the scenario is read, so that the scenario is
    complete without its files. The short name of a reasoner of an installed package becomes that of its code. If the
    overrides give a group another reasoner, what belongs to the old one is dropped (``Scenario.dropped``). A mapping
    has no folder: ``folder`` says where its files are. The variable SANDBOX_MODEL replaces the model of all agents that
    have one.

    The capabilities that the scenario asks for (``capabilities``) must be granted, or UsageError is raised. The origin
    of the scenario grants some (``origin`` states that of a mapping or file), and ``allow``, such as
    "functions=mytool,network", grants more. Without ``allow``, what the overrides name is granted, since the caller has
    named it.
    """
    if not isinstance(origin, Origin | None):
        raise UsageError(f"origin: {shown(origin)}, expected one of sandbox.scenario.capabilities")
    where, table, origin = _table(source, origin, folder)
    if overrides is not None and not hasattr(overrides, "items"):  # a pandas series has items, too
        raise UsageError(f"overrides: expected dotted keys and their values, got {shown(overrides)}")
    changes = {} if overrides is None else {str(k): plain(value, where, str(k)) for k, value in overrides.items()}
    origin = origin.with_grant(_granted(allow, changes, origin))
    for key, value in changes.items():
        _override(table, key, value)
    dropped = list(_drop(table, changes))
    _check_tables(table, where)
    if origin.environment and not isinstance(source, Scenario):
        origin = origin.with_grant(_name_model(table))
    files = Files(origin, table.get("files", {}))
    for place, rule in _tables_of(table, "guard", where):
        _check_keys(rule, Rule, place)
    for place, group in _tables_of(table, "agents", where):
        _check_group(group, place)
        _complete_group(group, files, place)
        if isinstance(model := group.get("world_model"), dict) and model.get("kind") == "learned":
            files.find_weights(model, f"world-model-{_name_of(table.get('world'))}", f"{place}.world_model")
        if isinstance(told := group.get(GENERALIST), dict):
            files.find_weights(told, GENERALIST, f"{place}.{GENERALIST}")
    if isinstance(table.get("team"), Mapping):
        _check_keys(table["team"], TeamTable, f"{where}: team")
        files.take_in_network(table["team"])
    if isinstance(table.get("world"), Mapping) and "agents" in table["world"]:
        raise UsageError(f"{where}: world.agents: the team is stated in [[agents]], by count")
    world_file(table, origin)
    scenario = _validated(table, where)
    files.take_in_map(scenario)
    if not scenario.sweep:
        scenario.files.clear()  # their contents are in the scenario now
    scenario._dropped = tuple(dropped)
    return _checked(scenario, replace(origin, taken=files.taken))


def _tables_of(table: Mapping, key: str, where: str) -> Iterator[tuple[str, dict]]:
    """The tables of a list, each with its place in words; the schema refuses whatever else is there."""
    found = table.get(key)
    for k, each in enumerate(found if isinstance(found, list) else []):
        if isinstance(each, dict):
            yield f"{where}: {key}[{k}]", each


def _validated(table: Mapping, where: str) -> Scenario:
    try:
        return Scenario.model_validate(table)
    except ValidationError as error:
        raise UsageError(f"{where}: {first_problem(error)}") from None


def overridden(scenario: Scenario, check: Callable[[Scenario], object] = lambda each: None) -> Iterator[Scenario]:
    """The scenario of each condition of its sweep, in order. Values of the sweep grant nothing.

    ``check`` is called with each. Raises UsageError, naming the condition, if it is invalid, asks for a capability
    that is not granted, or does not pass the check.
    """
    found, base = conditions(scenario.sweep), scenario.model_copy(update={"sweep": {}})
    for number, overrides in enumerate(found):
        try:
            each = load(base, overrides, allow=NOTHING)
            check(each)
        except UsageError as error:
            raise UsageError(f"condition {number} of {len(found)} {shown(overrides)}: {error}") from None
        yield each


def self_contained(scenario: Scenario, planned: Iterable[Scenario]) -> Scenario:
    """The scenario with all files that its conditions, ``planned``, have read, so that it needs no others."""
    files = {name: text for each in planned for name, text in each.origin.taken.items()}
    return scenario.model_copy(update={"files": scenario.files | files}) if files else scenario


def _granted(allow: str | Grant | None, changes: Mapping[str, Any], origin: Origin) -> Grant:
    """The grants that the caller adds to those of the origin."""
    if allow is None:
        return NOTHING if origin.sealed else naming(changes)
    return Grant.of(allow)


def naming(overrides: Mapping[str, Any]) -> Grant:
    """A grant of the texts in overrides, whose author has typed them."""
    return Grant.naming([[key.split(".") for key in overrides], overrides], "--set")


def _checked(scenario: Scenario, origin: Origin) -> Scenario:
    """The scenario with its origin; raises UsageError if that lacks a capability."""
    check_files(scenario, origin)
    if not origin.replayed:
        origin.check(calls(scenario))
    return scenario.coming_from(origin)


def _table(source: Any, origin: Origin | None, folder: Path | None) -> tuple[str, dict, Origin]:
    if isinstance(source, Scenario):
        return "scenario", source.model_dump(), source.origin
    if isinstance(source, Mapping):
        own = origin or CODE
        own = own if folder is None else replace(own, folder=a_path(folder, "folder"))
        return "scenario", plain(source, "scenario"), own
    if not isinstance(source, str | os.PathLike):
        raise UsageError(f"scenario: {type(source).__name__}, expected a path, a table or a Scenario")
    path = Path(os.fspath(source))
    text = read_text(path, EXPECTED, "scenario file")
    try:
        return str(path), plain(read_toml(text), str(path)), origin or of_file(path)
    except TOMLDecodeError as error:
        found = looks_like(text)
        told = f"looks like {found}; expected {EXPECTED}" if found not in (None, "a scenario") else f"not TOML: {error}"
        raise UsageError(f"{path}: {told}") from None


def _check_tables(table: Mapping, where: str) -> None:
    """Raises UsageError for a file of another kind, an unknown key, and a value that must be a table and is not."""
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
    for key in ("world", "start", "perturb", "sweep", "trials", "files"):
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
    if key.endswith((".world_model.weights", f".{GENERALIST}.weights")):
        place.pop("sha256", None)  # of the weights that these replace


def _check_keys(table: Mapping, model: type[BaseModel], where: str) -> None:
    for key in table:
        if key not in model.model_fields:
            raise unknown("key", key, model.model_fields, where)


def _check_group(group: Mapping, where: str) -> None:
    _check_keys(group, AgentGroup, where)
    for key, model in _OF_A_GROUP.items():
        if isinstance(group.get(key), Mapping):
            _check_keys(group[key], model, f"{where}.{key}")


def _drop(table: dict, changes: Mapping[str, Any]) -> Iterator[str]:
    """Remove from groups with another reasoner what belongs to the old one; yields a line for each group."""
    for key in changes:
        if found := _RESEATS.fullmatch(key):
            group = table["agents"][int(found[1])]
            if not any(each.startswith(f"agents.{found[1]}.weights") for each in changes):
                group.pop("weights", None)  # of another file
            left = [name for name in others_keys(group) if name in group and f"agents.{found[1]}.{name}" not in changes]
            stated = [name for name in left if group.pop(name) != _UNSTATED[name]]
            if stated:
                yield f"agents[{found[1]}]: the reasoner is {group['reasoner']} now; dropped: {', '.join(stated)}"


def _complete_group(group: dict, files: Files, where: str) -> None:
    if isinstance(name := group.get("reasoner"), str) and ":" not in name:
        group["reasoner"] = plugins().get(name, name)
    files.find_code(group, where)
    files.take_in_weights(group, where)
    files.take_in_program(group, where)
    files.take_in_documents(group.get("tools"), f"{where}.tools")
    if isinstance(group.get("llm"), Mapping):
        files.take_in_replies(group["llm"], f"{where}.llm")


def _name_of(world: Any) -> Any:
    return world.get("name") if isinstance(world, Mapping) else None


def _name_model(table: Mapping) -> Grant:
    """Replace the models of all agents by the one in the environment variable; returns what that grants."""
    if MODEL not in os.environ:
        return NOTHING
    groups = table.get("agents")
    for group in groups if isinstance(groups, list) else []:
        if isinstance(group, Mapping) and isinstance(group.get("llm"), Mapping):
            group["llm"]["model"] = os.environ[MODEL]
    return Grant.naming(os.environ[MODEL], MODEL)

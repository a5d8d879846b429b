"""Write docs/reference/ from the code: ``python docs/generate.py``. A test holds the pages equal to what this gives."""

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent, fill
from typing import Any, get_args, get_type_hints

import typer
from typer.models import OptionInfo, ParameterInfo

import sandbox
from sandbox.cli.main import app
from sandbox.cli.schema import scenario_schema, sentence
from sandbox.core.perturb import GENERIC
from sandbox.core.world import World
from sandbox.engine import registry
from sandbox.report.kinds import kind_of, limits_of
from sandbox.running.session import Session
from sandbox.scenario import sweep
from sandbox.teams.protocols import PROTOCOLS
from sandbox.teams.stopping import NAMES

FOLDER = Path(__file__).parent / "reference"
WIDTH = 120
NOTE = "<!-- Written by `python docs/generate.py`: change the code, not this page. -->"
ABOUT = """A scenario is a TOML file. These are all its tables and their options. `sandbox schema` prints the same as a
JSON schema, with which editors complete and check scenarios: save it as `scenario.json`, and begin a scenario with the
line `#:schema scenario.json` (taplo, Even Better TOML)."""
Schema = Mapping[str, Any]


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    worlds = [registry.find(name) for name in registry.OURS]
    schema = scenario_schema(worlds)
    found = {
        "scenario.md": _scenario(schema), "worlds.md": _worlds(worlds, schema), "command-line.md": _command_line(),
        "python.md": _python(),
    }  # fmt: skip
    return {name: "\n\n".join([NOTE, *parts]) + "\n" for name, parts in found.items()}


def _filled(words: str, behind: str = "") -> str:
    return fill(words, WIDTH, subsequent_indent=behind, break_long_words=False, break_on_hyphens=False)


def _text(words: str) -> str:
    """The first paragraph of some words."""
    return _filled(" ".join(words.split("\n\n")[0].replace("``", "`").split()))


def _item(name: str, told: str, words: str) -> str:
    """``- **`name`** (told). Words`` as lines of a list."""
    head = f"- **`{name}`**" + (f" ({told})" if told else "")
    return _filled(f"{head}: {words}", "  ")


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# -- tables of a scenario


def _scenario(schema: Schema) -> list[str]:
    stop = "\n".join(_item(_call(each), "", sentence(_first(each))) for each in NAMES.values())
    protocols = "\n".join(_item(each.name, "", sentence(each.summary)) for each in PROTOCOLS.values())
    generic = "\n".join(_item(each.name, "", sentence(each.summary)) for each in GENERIC)
    return [
        "# Options of a scenario",
        _text(ABOUT),
        "## The scenario", *_table("", schema, schema["$defs"]),
        "## Protocols", "Values of `protocol` in `[team]`.", protocols,
        "## Conditions to stop", "Values of `stop` in `[team]`. They combine with `&` and `|`.", stop,
        "## Perturbations of every world",
        "Keys of `[perturb]`. [Worlds](worlds.md) lists those that only one world has.", generic,
        "## Sweeps", "Conditions of a batch.", f"```toml\n{_after_first(sweep)}\n```",
    ]  # fmt: skip


def _first(documented: object) -> str:
    return inspect.getdoc(documented).split("\n")[0].rstrip(".")


def _call(function: Callable) -> str:
    return f"{function.__name__}({', '.join(inspect.signature(function).parameters)})"


def _after_first(documented: object) -> str:
    return inspect.getdoc(documented).partition("\n\n")[2]


def _table(path: str, table: Schema, known: Schema) -> Iterator[str]:
    """The options of a table, then those of the tables in it, each below its path."""
    yield _options(table)
    for name, option in table["properties"].items():
        below = f"{path}.{name}" if path else name
        for kind, reference, many in _tables_in(option):
            place = f"{below}.{kind}" if kind else below
            found = known[reference]
            if found.get("properties"):
                yield f"## `[[{place}]]`" if many else f"## `[{place}]`"
                yield _text(found["description"])
                yield from _table(place, found, known)


def _key(reference: Schema) -> str:
    return reference["$ref"].rpartition("/")[2]


def _tables_in(option: Schema) -> Iterator[tuple[str, str, bool]]:
    """Key, name and whether it is a list of each table that an option holds; the key is that of a tool."""
    for each in [option, *option.get("anyOf", ())]:
        for reference, many in ((each, False), (each.get("items", {}), True)):
            if "$ref" in reference:
                yield "", _key(reference), many
    if "patternProperties" in option:
        for name, reference in option["properties"].items():
            yield name, _key(reference), False


def _options(table: Schema, leave_out: Sequence[str] = ()) -> str:
    needed = table.get("required", ())
    items = []
    for name, option in table["properties"].items():
        if name not in leave_out:
            default = option.get("default")
            usual = "required" if name in needed else f"default `{json.dumps(default)}`" if _is_plain(default) else ""
            items.append(
                _item(name, ", ".join(filter(None, (kind_of(option, quote="`"), usual))), option["description"])
            )
    return "\n".join(items)


def _is_plain(default: Any) -> bool:
    return default is not None and not isinstance(default, dict | list)


# -- worlds


def _worlds(worlds: Sequence[World], schema: Schema) -> list[str]:
    parts = [
        "# Worlds",
        "What each world offers. `sandbox worlds NAME` prints it for any world, also for one of your own.",
    ]
    tables = (schema["$defs"][_key(each["then"])] for each in schema["$defs"]["WorldTable"]["allOf"])
    for world, table in zip(worlds, tables, strict=True):
        parts += _world(world, table)
    return parts


def _world(world: World, table: Schema) -> Iterator[str]:
    yield f"## {world.name}"
    yield _text(sentence(world.summary) + (f" Rules of record: {world.source}." if world.source else ""))
    yield _text(world.rules)
    yield _text(f"Layouts: {_listed(world.layouts)}, or a file. Roles: {_listed(world.roles)}.")
    sighted = _listed([name for name in world.policies if name in world.sighted])
    yield _text(f"Policies: {_listed(world.policies)}." + (f" {sighted} sees the whole state." if sighted else ""))
    yield f"### Options of {world.name}"
    yield "Keys of `[world]`, and keywords of `sandbox.make`, which takes `agents` and `perturb` besides."
    yield _options(table, leave_out=("name",))
    yield f"### Verbs of {world.name}"
    yield "\n".join(_item(tool["name"], "", tool["description"]) for tool in world.tools(None))
    for title, where, offered in (
        ("Perturbations", "Keys of `[perturb]`, beside those of [every world](scenario.md).", world.perturbations),
        ("Interventions", "What a person can do to a running episode.", world.interventions),
    ):
        if offered:
            yield f"### {title} of {world.name}"
            yield where
            yield "\n".join(_item(each.name, "", sentence(each.summary)) for each in offered)
    if world.teamwork:
        yield f"### Kinds of tasks of {world.name}"
        yield "Values of `kind` in `[[team.tasks]]`."
        yield "\n".join(_item(kind.name, "", kind.texts[0].format(what="X")) for kind in world.teamwork.kinds)


# -- the command line


def _command_line() -> list[str]:
    return ["# Command line", _text(app.info.help), *_commands("sandbox", app)]


def _commands(group: str, app: typer.Typer) -> Iterator[str]:
    for command in app.registered_commands:
        yield f"## {group} {command.name or command.callback.__name__}"
        yield _text(inspect.getdoc(command.callback))
        hints = get_type_hints(command.callback, include_extras=True)
        parameters = inspect.signature(command.callback).parameters.values()
        if items := [_parameter(each, *get_args(hints[each.name])) for each in parameters]:
            yield "\n".join(items)
    for each in app.registered_groups:
        yield from _commands(f"{group} {each.name}", each.typer_instance)


def _parameter(each: inspect.Parameter, kind: Any, info: ParameterInfo) -> str:
    """An argument or an option; Typer makes its name from that of the parameter, where none is given."""
    own = each.name.strip("_").replace("_", "-")
    name = info.metavar or own.upper()
    if isinstance(info, OptionInfo):
        flag = kind in (bool, bool | None)
        stated = [info.default] if isinstance(info.default, str) else [f"--{own}", f"--no-{own}"][: 1 + flag]
        name = "/".join([*stated, *(info.param_decls or ())]) + ("" if flag else f" {name}")
    default = "required" if each.default is each.empty else f"default `{each.default}`"
    default = "" if each.default is None or isinstance(each.default, bool) else default
    bounds = {key: limit for key, limit in (("minimum", info.min), ("maximum", info.max)) if limit is not None}
    return _item(name, ", ".join(filter(None, (limits_of(bounds), default))), info.help)


# -- Python


def _python() -> list[str]:
    parts = ["# Python", _text("What `import sandbox` offers. Everything else is internal and may change.")]
    for name in sandbox.__all__:
        parts += _exported(name, getattr(sandbox, name))
    return parts


def _exported(name: str, exported: Any) -> Iterator[str]:
    yield f"## sandbox.{name}"
    if inspect.isclass(exported):
        yield from _class(exported)
        return
    yield _code(_signature(_parsed(exported), name))
    yield _told(inspect.getdoc(exported))
    if exported is sandbox.session:
        yield from ("### Session", *_class(Session))


def _class(found: type) -> Iterator[str]:
    yield _told(inspect.getdoc(found))
    own = [each for each in found.__mro__ if each.__module__.startswith("sandbox.") and each.__name__[0] != "_"]
    if fields := {name: line for each in reversed(own) for name, line in _fields(each)}:
        yield _code("\n".join(fields.values()))
    methods: dict[str, ast.FunctionDef] = {}  # a class's own before those that it inherits
    for node in (node for each in own for node in _parsed(each).body if isinstance(node, ast.FunctionDef)):
        if _is_public(node):
            methods.setdefault(node.name, node)
    for name, node in methods.items():
        yield _code(_signature(node, name))
        yield _told(ast.get_docstring(node))


def _told(docstring: str) -> str:
    """A docstring as Markdown: numpydoc's parameters are a list."""
    text, _, parameters = docstring.replace("``", "`").partition("Parameters\n----------\n")
    return text + re.sub(r"^(\w[\w, ]*) : ", r"- `\1`: ", parameters, flags=re.MULTILINE)


def _is_public(node: ast.FunctionDef) -> bool:
    return node.name[0] != "_" and bool(ast.get_docstring(node)) and "DeprecationWarning" not in ast.unparse(node)


def _parsed(documented: Any) -> Any:
    return ast.parse(dedent(inspect.getsource(documented))).body[0]


def _fields(found: type) -> Iterator[tuple[str, str]]:
    """Name and lines of each field that a class states, as they stand in the source, comments included."""
    lines, body = dedent(inspect.getsource(found)).splitlines(), _parsed(found).body
    if any(isinstance(node, ast.FunctionDef) and node.name == "__init__" for node in body):
        return  # which says what there is
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            name = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
            if name[0] != "_":
                yield name, dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))


def _signature(node: ast.FunctionDef, name: str) -> str:
    """As in the source, on one line if it fits, else with a line for each argument."""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    if any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list):
        return f"{name}{returned.replace(' ->', ':', 1)}"
    given = [each for each in _arguments(node.args) if each != "self"]
    lines = [f"{name}({', '.join(given)}){returned}"]
    if len(lines[0]) > WIDTH:
        lines = [f"{name}(", *(f"    {each}," for each in given), f"){returned}"]
    return "\n".join(lines)


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    """Each argument with its annotation and default, in order."""
    plain = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(plain) - len(arguments.defaults)) + arguments.defaults
    yield from map(_argument, plain, defaults)
    if arguments.vararg or arguments.kwonlyargs:
        yield f"*{ast.unparse(arguments.vararg) if arguments.vararg else ''}"
    yield from map(_argument, arguments.kwonlyargs, arguments.kw_defaults)
    if arguments.kwarg:
        yield f"**{ast.unparse(arguments.kwarg)}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    sign = " = " if argument.annotation else "="
    return ast.unparse(argument) + (f"{sign}{ast.unparse(default)}" if default else "")


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for page, text in pages().items():
        (FOLDER / page).write_text(text, encoding="utf-8")

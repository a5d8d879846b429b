"""The command ``sandbox schema``: the JSON schema of scenarios, for editors and for the reference."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sandbox.cli._console import out, usable_worlds
from sandbox.report.lines import lines

if TYPE_CHECKING:
    from pydantic import BaseModel

    from sandbox.core.world import World

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> None:
    """Print the JSON schema of scenarios, with which editors complete and check them."""
    out.print(lines(*json.dumps(scenario_schema(usable_worlds()), indent=1).split("\n")))


def scenario_schema(worlds: "Iterable[World]") -> dict[str, Any]:
    """The JSON schema of a scenario file: all tables with their descriptions, and the options of each world.

    What depends on several keys at once, such as the policies of a world, is checked where a scenario is loaded.
    """
    from pydantic.json_schema import models_json_schema

    from sandbox.agents.tools.options import TOOLS, Plain
    from sandbox.core.perturb import GENERIC
    from sandbox.scenario.schema import Scenario
    from sandbox.teams.graphs import OPTIONS

    worlds = list(worlds)
    models: dict[type[BaseModel], None] = dict.fromkeys(
        [Scenario, Plain, *TOOLS.values(), *(world.options for world in worlds)]
    )
    found, schema = models_json_schema([(model, "validation") for model in models])
    references = {model: reference for (model, _), reference in found.items()}
    tables = schema["$defs"]
    tables["WorldTable"] |= _by_name({world.name: references[world.options] for world in worlds})
    tables["WorldTable"]["properties"]["name"]["pattern"] = rf"^({'|'.join(world.name for world in worlds)})$|\.py$"
    for world in worlds:
        _name(tables[_key(references[world.options])], world)
    tables["AgentGroup"]["properties"]["tools"] |= {
        "properties": {name: references[table] for name, table in TOOLS.items()},
        "patternProperties": {":": references[Plain]},
        "additionalProperties": False,
    }
    network = tables["TeamTable"]["properties"]["network"]
    network["anyOf"] = [{"enum": [*OPTIONS]}, {"$ref": network.pop("$ref")}]
    tables["NetworkTable"]["properties"]["kind"]["enum"] = [*OPTIONS]
    scenario = tables.pop(_key(references[Scenario]))
    severity = {"type": "number", "minimum": 0, "maximum": 1}
    perturbations = [*GENERIC, *(each for world in worlds for each in world.perturbations)]
    scenario["properties"]["perturb"] |= {
        "properties": {each.name: severity | {"description": sentence(each.summary)} for each in perturbations},
        "additionalProperties": severity,
    }
    return {"$schema": DIALECT, **scenario, "$defs": tables}


def _key(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def sentence(summary: str) -> str:
    """A summary, which begins with a small letter and has no full stop, as a sentence."""
    return f"{summary[0].upper()}{summary[1:]}."


def _name(table: dict[str, Any], world: "World") -> None:
    """Make the table of a scenario from a world's options, without those that other tables state."""
    options = {name: option for name, option in table["properties"].items() if name not in ("agents", "perturb")}
    table["description"] = sentence(world.summary)
    table["properties"] = {"name": {"const": world.name, "description": "Name of the world."}, **options}
    table["required"] = ["name", *table.get("required", [])]


def _by_name(references: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A table that must have the options of the world that it names, so that an error is about that world's options.

    Editors complete keys from the members of ``anyOf`` only, so these name all tables; the last one accepts anything.
    """
    chosen = {name: {"properties": {"name": {"const": name}}, "required": ["name"]} for name in references}
    return {
        "allOf": [{"if": chosen[name], "then": reference} for name, reference in references.items()],
        "anyOf": [*references.values(), {}],
    }

"""What the reference, the schema of scenarios and the descriptions of options say is what the code does."""

import json
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sandbox.engine import registry

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = [path for path in (ROOT / "scenarios").rglob("*.toml") if path.parent.name != "lessons"]
EXAMPLE = ROOT / "examples" / "minimal_world.py"


@pytest.fixture(scope="module")
def generate():
    spec = spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_what_the_generator_gives(generate):
    """``python docs/generate.py`` writes them."""
    pages, folder = generate.pages(), ROOT / "docs" / "reference"
    assert {path.name for path in folder.glob("*")} == pages.keys()
    assert not [name for name, text in pages.items() if (folder / name).read_text(encoding="utf-8") != text]
    assert not [line for text in pages.values() for line in text.splitlines() if len(line) > generate.WIDTH]


@pytest.fixture(scope="module")
def schema():
    printed = subprocess.run([sys.executable, "-m", "sandbox", "schema"], cwd=ROOT, capture_output=True, check=True)
    return json.loads(printed.stdout)


@pytest.fixture(scope="module")
def valid(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _tables(schema):
    """Those of a scenario, and those of worlds with the options that stand elsewhere in a scenario."""
    yield schema
    yield from (table for table in schema["$defs"].values() if "properties" in table)
    for name in (*registry.OURS, str(EXAMPLE)):
        yield registry.opened(name).options.model_json_schema()


def test_every_option_has_a_description(schema):
    options = [
        (table["title"], key, option) for table in _tables(schema) for key, option in table["properties"].items()
    ]
    assert len(options) > 200
    assert not [where for *where, option in options if not option.get("description", "").endswith(".")]


@pytest.mark.parametrize("path", [*SCENARIOS, EXAMPLE.with_name("minimal.toml")], ids=lambda path: path.stem)
def test_scenarios_are_valid(valid, path):
    valid.validate(tomllib.loads(path.read_text(encoding="utf-8")))


GOOD = {
    "world": {"name": "warehouse", "deliveries": 5}, "team": {"protocol": "market", "network": {"kind": "ring"}},
    "agents": [{"reasoner": "llm", "llm": {"model": "scripted"}, "tools": {"imagine": {"plans": 2}, "m:f": {}}}],
}  # fmt: skip
BAD = {
    "titel": lambda table: table.update(titel="x"),
    "an option of another world": lambda table: table["world"].update(soups=3),
    "a misspelt option": lambda table: table["world"].update(delivries=3),
    "an unknown world": lambda table: table["world"].update(name="warehaus"),
    "a value out of range": lambda table: table["world"].update(deliveries=-1),
    "the team in the world": lambda table: table["world"].update(agents=3),
    "a key of a group": lambda table: table["agents"][0].update(cuont=2),
    "a key of a model": lambda table: table["agents"][0]["llm"].update(modle="x"),
    "a tool": lambda table: table["agents"][0]["tools"].update(imagin={}),
    "an option of a tool": lambda table: table["agents"][0]["tools"]["imagine"].update(plan=2),
    "a network": lambda table: table["team"].update(network="circle"),
    "a severity": lambda table: table.update(perturb={"sensor_noise": 2}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_misspelt_is_not_valid(valid, name):
    table = json.loads(json.dumps(GOOD))
    assert valid.is_valid(table)
    BAD[name](table)
    assert not valid.is_valid(table)


@pytest.mark.parametrize(("key", "value", "told"), [("delivries", 3, "delivries"), ("name", "warehaus", "warehouse|")])
def test_what_is_wrong_with_a_world_is_said_of_that_world(valid, key, value, told):
    error = best_match(valid.iter_errors({**GOOD, "world": {**GOOD["world"], key: value}}))
    assert error.path[0] == "world" and told in error.message

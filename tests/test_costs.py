"""What comes from elsewhere is read in bounded time, or refused in one line: 100,000 characters of many kinds."""

import time
from pathlib import Path

import pytest

from sandbox.agents.programs.step_limit import with_step_limit
from sandbox.cli._options import overrides
from sandbox.core.errors import SandboxError, UsageError, unknown
from sandbox.core.files import DEEPEST_KEY, TOMLDecodeError, looks_like, read_toml
from sandbox.core.maps import read_layout
from sandbox.core.plain import plain
from sandbox.scenario import load
from sandbox.scenario.load import as_toml, parse_value
from sandbox.scenario.sweep import conditions
from sandbox.teams.graph_files import ENDINGS, take_in
from sandbox.teams.stopping import parse
from sandbox.worlds.kitchen.layouts import load as load_kitchen
from sandbox.worlds.web.layouts import load as load_site

SIZE = 100_000
LIMIT = 5.0  # seconds; all of these take a hundredth of it, and those that did not took minutes
TABLE = {"world": {"name": "warehouse"}, "agents": [{"reasoner": "rules"}]}
UNITS = (  # what is repeated
    "a.", '"a".', "'a' . ", "a", "1", "1_", "[", "{a=", "[a.", "[[a]]\n", "a={", "\\n", '"""', "'", "#\n", "\n", " ",
    "\t", "\n \t", " #", "<a>", "<!--", "&amp;", "node [ id 1 ]\n", "a [ ", "a b\n", "a,b\n", "(", "a(", "a|", "a & ",
    "not ", "-", "a<", "lambda:", "'a' ", "a if a else ", "for a in b:\n a\n", "if a:\n pass\n", "el", '{"a":', "}",
    "1.", ".g", "creator version ", "X P", "type octile\n", "height 1", "agents ", "---\n",
    "\0", "\u202e", "\u00e9", "\\ud800",
)  # fmt: skip
HEADS = ("", "a = ", 'a = "', "graph [ ", "creator ", "word(")


def scenario_with(**changed):
    return load(TABLE | changed)


READERS = {
    "TOML": read_toml,
    "--set, value": parse_value,
    "--set": lambda text: overrides([text]),
    "override": lambda text: load(TABLE, {text: 1}),
    "values": lambda text: plain({text: [1, {text: text}]}),
    "kind of file": looks_like,
    "unknown name": lambda text: unknown("name", text, [text[:-1], "a"] * 3, "here"),
    "layout's name": lambda text: read_layout(text.replace("\n", " "), ["tiny"], "world"),
    "site": lambda text: load_site(text + "\n", 1),
    "kitchen": lambda text: load_kitchen(text + "\n"),
    "kitchen's file": lambda text: load_kitchen("{" + text),
    "condition": parse,
    "program": lambda text: with_step_limit(text[: SIZE // 5]),
    "title": lambda text: scenario_with(title=text),
    "sweep": lambda text: scenario_with(sweep={text: [1]}),
    "reasoner": lambda text: scenario_with(agents=[{"reasoner": text}]),
    "network": lambda text: scenario_with(team={"network": text}),
}


def texts():
    for head in HEADS:
        for unit in UNITS:
            yield head + unit * (SIZE // len(unit)), f"{head!r} and {unit!r} again and again"


@pytest.mark.parametrize("reader", READERS)
def test_no_text_takes_long(reader):
    """Read, or refused in one line that is short; every kind of text at once is given as long as one may take."""
    for text, what in texts():
        began = time.monotonic()
        try:
            READERS[reader](text)
        except TOMLDecodeError as error:
            assert reader == "TOML" and "\n" not in str(error), what
        except SandboxError as error:
            assert len(str(error)) < 5_000 and "\n" not in str(error), what
        assert time.monotonic() - began < LIMIT, what


@pytest.mark.parametrize("ending", {kind: ending for ending, kind in ENDINGS.items()}.values())
def test_no_file_of_a_network_takes_long(ending, tmp_path: Path):
    path = tmp_path / f"network{ending}"
    for text, what in texts():
        path.write_text(text, encoding="utf-8", errors="replace")
        began = time.monotonic()
        try:
            take_in(path)
        except UsageError as error:
            assert len(str(error)) < 5_000, what
        assert time.monotonic() - began < LIMIT, what


def test_a_dotted_key_has_so_many_parts_at_most():
    key = ".".join("a" * DEEPEST_KEY)
    assert read_toml(f"{key} = 1")
    for longer in (f"{key}.a = 1", f"[{key}.a]", f"x = {{ {key} . 'a' = 1 }}", f'y = """b"""\n{key}."a" = 1'):
        with pytest.raises(TOMLDecodeError, match=f"more than {DEEPEST_KEY} parts"):
            read_toml(longer)
    with pytest.raises(UsageError, match=f"more than {DEEPEST_KEY} parts"):
        load(TABLE, {f"{key}.a": 1})


@pytest.mark.parametrize("text", ['x = """{}"""', "x = '''{}'''", 'x = "{}"', "x = '{}'", "x = 1 # {}"])
def test_a_text_with_many_dots_is_no_key(text):
    assert read_toml(text.format("a." * 100))


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a", "\ud800b"], Path("a\udc80")])
def test_text_that_no_file_can_hold_is_refused(value):
    with pytest.raises(UsageError, match="not Unicode text"):
        plain(value, "scenario", "title")


@pytest.mark.parametrize("number", [2**64, -(10**400), 10**5000], ids=["65 bits", "400 digits", "5000 digits"])
@pytest.mark.parametrize("key", ["seed", "world.max_ticks", "agents.0.count", "tick_seconds", "perturb.sensor_noise"])
def test_a_huge_number_is_one_clear_line(number, key):
    with pytest.raises(UsageError, match=f"{key}.*64 bits"):
        load(TABLE, {key: number})
    with pytest.raises(UsageError, match="expected a number"):
        parse("stall(" + "9" * 4_000 + ")")


SWEEPS = {  # what was made before it was counted, or has more entries than anybody can hold
    "10,000,000 conditions": {f"world.k{k}": list(range(10)) for k in range(7)},
    "1,000,000 conditions": {"zip": {"a": list(range(10**6)), "b": list(range(10**6))}},
    "4,001 keys": {"a": list(range(9_999)), **{f"k{k}": [1] for k in range(4_000)}},
    "200 keys": {"one_at_a_time": {f"k{k}": [1] for k in range(200)}},
    "64 bits": {"a": {"from": 0, "to": 10**400, "step": 1}},
    "expected 10,000 at most": {"a": {"from": 0, "to": 1e300, "step": 1e-300}},
}


@pytest.mark.parametrize("told", SWEEPS)
def test_a_sweep_is_counted_before_it_is_made(told):
    began = time.monotonic()
    with pytest.raises(UsageError, match=told):
        conditions(scenario_with(sweep=SWEEPS[told]).sweep)
    assert time.monotonic() - began < 2 * LIMIT


def test_a_long_name_makes_no_long_list_of_places():
    """The place of each value in an error costs as little as the value does."""
    began = time.monotonic()
    plain({"k" * 1_000_000: [0] * 100_000})
    assert time.monotonic() - began < LIMIT


def test_an_error_is_short_and_tells_its_end():
    told = str(UsageError("x" * 1_000_000 + ": expected less"))
    assert len(told) < 5_000 and told.endswith("expected less")


@pytest.mark.parametrize("last", ["[x]", "{x}", "<a> [x](y) ", "\n", " ", []])
def test_a_scenario_is_written_in_a_time_that_grows_with_its_length(last):
    """Lists of plain values are folded into a line by a pattern, which must not try them in many ways."""
    table = {**TABLE, "sweep": {"agents.0.count": [*range(2_000), last]}}
    began = time.perf_counter()
    text = as_toml(table)
    assert time.perf_counter() - began < LIMIT
    assert read_toml(text)["sweep"] == table["sweep"]

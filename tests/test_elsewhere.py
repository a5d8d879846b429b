"""Values and files that other libraries and tools make: NumPy, pandas and pathlib; maps, starts, layouts, any text."""

import pickle
import re
import time
from collections import deque
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sandbox
import sandbox.worlds.web.spec
from sandbox.core import files
from sandbox.core.errors import UsageError
from sandbox.core.plain import plain, seeds, whole
from sandbox.scenario import load
from sandbox.scenario.sweep import MOST, conditions
from sandbox.studies.certify import claim
from sandbox.worlds.warehouse import layouts
from sandbox.worlds.warehouse.state import Cell

# -- values ------------------------------------------------------------------------------------------------------------

SCENARIO = {"world": {"name": "warehouse", "deliveries": 2}, "agents": [{"count": 3}], "seed": 4}
INSIDE = []
INSIDE.append(INSIDE)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (np.int8(3), 3), (np.uint64(2**64 - 1), 2**64 - 1), (np.float64(0.5), 0.5), (np.float32(0.5), 0.5),
        (np.bool_(True), True), (np.str_("a"), "a"), (Path("a/b"), "a/b"), (range(3), [0, 1, 2]), ((1, (2,)), [1, [2]]),
        (np.arange(3), [0, 1, 2]), (np.array(3), 3), (np.array([[1.5]]), [[1.5]]), (np.array(["a"]), ["a"]),
        (pd.Series([1, 2]), [1, 2]), (pd.Index(["a"]), ["a"]), (pd.Series([1, 2]).iloc[0], 1), (deque([1]), [1]),
        ((k for k in range(2)), [0, 1]), ({"a": 1}.keys(), ["a"]), ({"a": {np.str_("b"): np.int8(1)}}, {"a": {"b": 1}}),
        (None, None),
    ],
)  # fmt: skip
def test_values_of_other_libraries_become_plain(value, found):
    made = plain(value)
    assert made == found and type(made) is type(found)
    if isinstance(made, list):
        assert [*map(type, made)] == [*map(type, found)]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [0.0, np.nan]}, "here: a.1: expected a finite number, got nan"), (float("-inf"), "finite number, got"),
        (np.float32("nan"), "finite"), (pd.NA, "NAType"), (pd.NaT, "NaT"), (np.datetime64("2020-01-01"), "date"),
        ({1, 2}, "a set, which has no order; expected a list"), ({1: 2}, "the key 1; expected a text"), (1j, "complex"),
        (b"x", "bytes b'x'"), (object(), "object"), (pd.DataFrame({"a": [1]}), "DataFrame"), (INSIDE, "inside itself"),
    ],
)  # fmt: skip
def test_what_is_no_plain_value_is_refused_in_one_line(value, told):
    with pytest.raises(UsageError) as caught:
        plain(value, "here")
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_whole_numbers():
    assert [whole(each, "n", 0) for each in (3, np.int64(3), np.uint8(0), np.array(2))] == [3, 3, 0, 2]
    for each in (True, np.bool_(True), 1.5, 1.0, "3", None, -1, [3]):
        with pytest.raises(UsageError, match="n: expected a whole number of at least 0, got "):
            whole(each, "n", 0)


def test_seeds_are_any_whole_numbers():
    alike = [3, 4], (3, 4), range(3, 5), np.arange(3, 5), np.array([3, 4], np.uint8), iter((3, 4)), pd.Series([3, 4])
    assert all(np.array_equal(found, np.array([3, 4], np.uint64)) for found in map(seeds, alike))
    assert seeds(np.int64(3)).tolist() == [3] and seeds([2**64 - 1, 1]).tolist() == [2**64 - 1, 1]
    for each in (-1, [1.0], np.array([1.5]), [True], np.array([True]), "1", None, {1: 2}, {1}, [2**64], [[1]]):
        with pytest.raises(UsageError, match=r"seeds: expected a whole number 0\.\.2\*\*64-1, got "):
            seeds(each)


def test_a_scenario_of_numpy_values_is_that_of_plain_ones(tmp_path):
    (tmp_path / "room.map").write_text("height 3\nwidth 4\nmap\n....\n.@@.\n....\n")
    odd = {
        "world": {"name": np.str_("warehouse"), "layout": tmp_path / "room.map", "deliveries": np.int16(2)},
        "agents": ({"count": np.int64(3), "reasoner": np.str_("rules")},),
        "perturb": {"action_failure": np.float64(0.25)},
        "seed": np.uint32(4),
        "sweep": {"agents.0.count": np.arange(1, 3), "world.max_ticks": range(10, 30, 10)},
        "trials": {"count": np.int64(2)},
    }
    even = {
        "world": {"name": "warehouse", "layout": (tmp_path / "room.map").read_text(), "deliveries": 2},
        "agents": [{"count": 3, "reasoner": "rules"}],
        "perturb": {"action_failure": 0.25},
        "seed": 4,
        "sweep": {"agents.0.count": [1, 2], "world.max_ticks": [10, 20]},
        "trials": {"count": 2},
    }
    assert load(odd) == load(even) and load(odd).hash == load(even).hash
    changes = pd.Series({"agents.0.count": 2, "seed": 9})
    assert load(even, changes).hash == load(even, {"agents.0.count": 2, "seed": 9}).hash


@pytest.mark.parametrize("count", [np.float64(3.5), np.bool_(True), np.float64("nan"), np.array([3, 4]), {3}])
def test_a_value_that_is_no_count_stays_an_error(count):
    with pytest.raises(UsageError, match=r"agents\.0\.count: "):
        load(SCENARIO, {"agents.0.count": count})
    with pytest.raises(UsageError, match="world 'warehouse': agents: "):
        sandbox.make("warehouse", agents=count)


def test_the_api_takes_values_of_numpy(warm_tiny, tmp_path):
    """numpy-integers.py of the reports, and its siblings."""
    assert sandbox.make("warehouse", agents=np.int64(3), layout=np.str_("tiny"), max_ticks=np.array(9)).agents == 3
    few = {**SCENARIO, "agents": [{"count": 4, "reasoner": "rules"}]}
    outcome = sandbox.run(few, seed=np.int64(5), overrides={"world.deliveries": np.int64(1)})
    plainly = sandbox.run(few, seed=5, overrides={"world.deliveries": 1})
    assert outcome.digest == plainly.digest and type(outcome.seed) is int
    folder = sandbox.batch(few, tmp_path / "batch", trials=np.int64(2), workers=np.int64(1))
    assert len(sandbox.results(folder)) == 2
    for wrong in (0, -1, 1.5, True, "2"):
        with pytest.raises(UsageError, match="trials: expected a whole number of at least 1"):
            sandbox.batch(few, tmp_path / "other", trials=wrong)
    with pytest.raises(UsageError, match="seed: expected a whole number"):
        sandbox.run(few, seed=1.5)


def test_a_range_of_seeds_may_be_long():
    assert len(seeds(range(5_000_000))) == 5_000_000 and seeds(range(5, -1, -2)).tolist() == [5, 3, 1]
    for bad in (range(-1, 3), range(2**64 - 2, 2**64 + 1), range(10**12), range(10**30)):
        with pytest.raises(UsageError, match="seeds: "):
            seeds(bad)


def test_lanes_take_any_seeds_and_values(warm_tiny):
    env = warm_tiny
    state = env.reset(np.arange(3))
    assert [env.digest(state, k) for k in range(3)] == [env.digest(env.reset(each), 0) for each in (0, [1], (2,))]
    assert np.array_equal(env.play(range(2), "rules")[0].tick, env.play(np.array([0, 1]), "rules")[0].tick)
    before = env.digest(state)
    described = env.describe(state)
    described["agents"] = [{**a, "row": np.int64(a["row"]), "col": np.int8(a["col"])} for a in described["agents"]]
    env.place(state, 0, described | {"reward": np.array(described["reward"]), "requests": tuple(described["requests"])})
    assert env.digest(state) == before
    with pytest.raises(UsageError, match="place: reward.0: expected a finite number"):
        env.place(state, 0, {"reward": [np.nan] * 4})


def test_a_claim_takes_values_of_numpy_and_nothing_that_is_no_share():
    assert claim(load(SCENARIO), np.float64(0.9), np.float64(0.95), np.int64(1)) == claim(load(SCENARIO), 0.9, 0.95, 1)
    for wrong in ((1.0, 0.95, 0), (0.9, 1, 0), (np.nan, 0.95, 0), (True, 0.95, 0), (0.9, 0.95, 1.5), (0.9, 0.95, -1)):
        with pytest.raises(UsageError, match="reliability: |confidence: |failures: "):
            claim(load(SCENARIO), *wrong)


# -- sweeps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ({str(k): list(range(10)) for k in range(7)}, "sweep: 10,000,000 conditions, expected 10,000 at most"),
        ({str(k): [0] * 100 for k in range(400)}, "conditions, expected 10,000 at most"),
        ({"zip": {"a": [0] * 200}, "one_at_a_time": {"b": [0] * 99}}, "sweep: 20,000 conditions"),
        ({"x": {"from": 0, "to": 1, "step": 0.0000001}}, "sweep.x: 10,000,001 values from 0 to 1 by 1e-07, expected"),
        ({"x": {"from": 0.0, "to": 1e308, "step": 5e-324}}, "sweep.x: "),
        ({"x": {"from": 0, "to": 1, "step": True}}, "expected numbers for from, to and step"),
    ],
)
def test_a_sweep_is_counted_before_it_is_made(sweep, told):
    with pytest.raises(UsageError) as caught:
        conditions(sweep)
    assert told in str(caught.value)
    assert len(conditions({"a": [0] * 100, "b": {"from": 1, "to": MOST // 100, "step": 1}})) == MOST


# -- maps of movingai and of the League of Robot Runners ---------------------------------------------------------------

ROWS = "....\n.@@.\n....\n"
DIALECTS = {
    "no type": "height 3\nwidth 4\nmap\n" + ROWS,
    "Type Octile": "Type Octile\nHEIGHT 3\nWidth 4\nMap\n" + ROWS,
    "width first": "type octile\nwidth 4\nheight 3\nmap\n" + ROWS,
    "tabs and blanks": "type\toctile \nheight\t3\t\nwidth  4\nmap \n....  \n.@@.\t\n.... \n\n  \n",
    "CRLF and BOM": ("\ufefftype octile\nheight 3\nwidth 4\nmap\n" + ROWS).replace("\n", "\r\n"),
    "no last line feed": "type octile\nheight 3\nwidth 4\nmap\n" + ROWS.rstrip(),
    "robot runners": "type octile\nheight 3\nwidth 4\nmap\n.E..\n.@T.\n.S..\n",
    "terrain": "type octile\nheight 3\nwidth 4\nmap\nG.S.\n.OW.\n....\n",
    "indented": "\n    type octile\n    height 3\n    width 4\n    map\n    ....\n    .@@.\n    ....\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_maps_of_every_dialect_are_one(dialect, tmp_path):
    (tmp_path / "room.map").write_bytes(DIALECTS[dialect].encode())
    for layout in (DIALECTS[dialect], str(tmp_path / "room.map")):
        found = layouts.load(layout)
        assert found.courier and found.plan.tolist() == [[0, 0, 0, 0], [0, 3, 3, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("height 4\nwidth 4\nmap\n" + ROWS, "the header says 4 x 4, the map has 3 x 4"),
        ("height 2\nwidth 4\nmap\n" + ROWS, "the header says 2 x 4, the map has 3 x 4"),
        ("height 3\nwidth 4\n" + ROWS, "expected 'height NUMBER' before the line 'map'"),
        ("height ³\nwidth 4\nmap\n" + ROWS, "expected 'height NUMBER'"),
        ("height 3\nwidth 4\nmap\n" + ROWS.replace("@@", "@?"), "line 5, column 3: '?' is not a cell"),
        ("height 3\nwidth 4\nmap\n....\n.@.\n....\n", "line 5 has 3 cells, expected 4 as in line 4"),
        ("height 1\nwidth 4\nmap\n@.@.\n", "no open cells; expected at least two"),
        ("height 0\nwidth 0\nmap\n", "1 to 20,000,000 cells, this one 0 x 0"),
    ],
)
def test_a_map_that_is_wrong_says_where(text, told):
    with pytest.raises(UsageError, match="layout: ") as caught:
        layouts.load(text)
    assert told in str(caught.value)


def test_a_large_map_loads_at_once():
    """2,000 x 2,000 cells, and 512 x 512 of which 60 % are wall (92 s before SciPy labelled the regions)."""
    for side, walls in ((512, 0.6), (2000, 0.3)):
        grid = np.where(np.random.default_rng(1).random((side, side)) < walls, "@", ".")
        text = f"height {side}\nwidth {side}\nmap\n" + "\n".join(map("".join, grid))
        fastest = min(_seconds(layouts.load, text) for _ in range(3))
        assert fastest < 1


def _seconds(call, *arguments) -> float:
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def test_a_problem_of_robot_runners_names_its_map(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "room.map").write_text(DIALECTS["robot runners"])
    (tmp_path / "problem.json").write_text('{"mapFile": "maps/room.map", "teamSize": 2}')
    assert layouts.load(str(tmp_path / "problem.json")).courier
    (tmp_path / "s.toml").write_text("[world]\nname = 'warehouse'\nlayout = 'problem.json'\n[[agents]]\n")
    assert load(tmp_path / "s.toml").world.layout == DIALECTS["robot runners"]
    (tmp_path / "problem.json").write_text('{"mapFile": "maps/rom.map"}')
    with pytest.raises(UsageError, match=r"rom.map: no such file; did you mean '.*room.map'\? expected a map"):
        layouts.load(str(tmp_path / "problem.json"))


# -- starts and goals --------------------------------------------------------------------------------------------------

HEAD = "version 1\n"
LINES = "0\troom.map\t4\t3\t0\t0\t3\t2\t5\n0\troom.map\t4\t3\t3\t0\t0\t2\t5\n1\tmy room.map\t4\t3\t0\t1\t3\t1\t5\n"
ROOM = DIALECTS["no type"]


def test_a_scen_file_says_where_robots_and_parcels_begin(tmp_path):
    (tmp_path / "a.scen").write_text(HEAD + LINES)
    (tmp_path / "room.map").write_text(ROOM)
    (tmp_path / "s.toml").write_text(
        "[world]\nname = 'warehouse'\nlayout = 'room.map'\nstarts = 'a.scen'\n[[agents]]\ncount = 2\n"
    )
    scenario = load(tmp_path / "s.toml")
    assert scenario.world.starts == HEAD + LINES and load(scenario.as_dict()).hash == scenario.hash
    env = scenario.env()
    for seed in (1, 2):
        described = env.describe(env.reset([seed]))
        assert [(a["row"], a["col"]) for a in described["agents"]] == [(0, 0), (0, 3)]
        assert [(s["row"], s["col"]) for s in described["shelves"]] == [(0, 0), (0, 3)]
        assert described["goals"] == [[2, 3], [2, 0]]
    done = env.play([1], "oracle")[0]
    assert done.delivered[0] > 2  # the first parcels, and others that are drawn
    env = load(scenario, {"perturb.blocked_aisles": 1.0}).env()
    state = env.reset(range(20))
    assert (state.grid == Cell.BLOCKED).any() and (state.grid[:, [0, 0, 2, 2], [0, 3, 0, 3]] == Cell.FLOOR).all()


@pytest.mark.parametrize(
    ("starts", "options", "told"),
    [
        (HEAD + LINES, {"agents": 4}, "3 starts, expected one for each robot and order, 4 in all"),
        (HEAD + LINES, {"agents": 2, "layout": "tiny"}, "a .scen file is for a movingai map"),
        (HEAD + LINES.replace("\t4\t3\t0\t0", "\t4\t3\t1\t1"), {}, "line 2: (1, 1) cannot be reached"),
        (HEAD + LINES.replace("\t4\t3\t0\t0", "\t4\t3\t9\t1"), {}, "line 2: (9, 1) cannot be reached"),
        (HEAD + LINES.replace("\t4\t3\t3\t0", "\t4\t3\t0\t0"), {}, "line 3: a second start at (0, 0)"),
        (HEAD + LINES.replace("\t4\t3\t0", "\t5\t3\t0"), {}, "line 2: a map of 3 x 5, but the layout has 3 x 4"),
        (HEAD + "0 room.map 4 3 0 0 -1 2 5\n" * 2, {}, "line 2: expected bucket, map, width, height, start x, y"),
        (HEAD + "nothing\n" * 2, {}, "line 2: expected bucket, map"),
        (ROOM, {}, "looks like a movingai map; expected a movingai scenario (.scen)"),
        ("gone.scen", {}, "gone.scen: no such file; expected a movingai scenario (.scen)"),
    ],
)
def test_starts_that_do_not_fit_are_told(starts, options, told):
    with pytest.raises(UsageError) as caught:
        sandbox.make("warehouse", **{"layout": ROOM, "agents": 2, "starts": starts, **options})
    assert told in str(caught.value) and "\n" not in str(caught.value)


# -- blocks of shelves -------------------------------------------------------------------------------------------------


def test_a_block_of_shelves_is_taken_and_what_is_inside_is_never_ordered():
    env = sandbox.make(
        "warehouse", layout=".......\n.xxxxx.\n.xxxxx.\n.xxxxx.\n...g...\n.......", agents=4, deliveries=30
    )
    inside = [k for k, (row, col) in enumerate(env.params.homes.tolist(), 1) if row == 2 and 2 <= col <= 4]
    state = env.play(range(20), "oracle")[0]
    assert (state.delivered >= 30).all() and not np.isin(state.request, inside).any()
    with pytest.raises(UsageError, match="15 requests, expected fewer than the layout's 12 shelves"):
        sandbox.make("warehouse", layout=".......\n.xxxxx.\n.xxxxx.\n.xxxxx.\n...g...\n.......", agents=4, requests=15)


# -- kitchens of 2019 --------------------------------------------------------------------------------------------------

OLD = """{
    "grid": \"\"\"XXPXX
               O  2O
               X1  X
               XDXSX\"\"\",
    "start_order_list": %s,
    "cook_time": 20,%s
}"""


@pytest.mark.parametrize(
    ("listed", "more", "ordered"),
    [
        ("None", "", [3, 12]), ("['onion', 'onion']", "", [3]), ("['tomato']", "", [12]),
        ("['any']", '"num_items_for_soup": 2, "delivery_reward": 30, "rew_shaping_params": None,', [2, 8]),
    ],
)  # fmt: skip
def test_kitchens_of_2019(listed, more, ordered):
    params = sandbox.make("kitchen", layout=OLD % (listed, more)).params
    assert np.flatnonzero(params.ordered).tolist() == ordered and (params.cook_time == 20).all()
    assert params.worth[ordered].tolist() == [30.0 if more else 20.0] * len(ordered)


@pytest.mark.parametrize(
    ("listed", "more", "told"),
    [
        ("['onion', 'tomato']", "", "orders that follow one another do not exist in this world"),
        ("['soup']", "", "expected None or a list of any, onion, tomato"),
        ("3", "", "expected None or a list"),
        ("['any'] * 9", "", "line 6, column 25: expected a plain value"),
        ("None", '"num_items_for_soup": 4', "num_items_for_soup: 4, expected 1, 2 or 3"),
    ],
)
def test_kitchens_of_2019_that_this_world_does_not_have(listed, more, told):
    with pytest.raises(UsageError) as caught:
        sandbox.make("kitchen", layout=OLD % (listed, more))
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_the_number_of_cooks_follows_the_layout():
    three = "XXPXX\nO1 2O\nX 3 X\nXDXSX"
    assert [sandbox.make("kitchen", layout=each).agents for each in (three, "cramped_room")] == [3, 2]
    assert pickle.loads(pickle.dumps(sandbox.make("kitchen", layout=three))).agents == 3
    with pytest.raises(UsageError, match="4 agents, but the layout has places for 3"):
        sandbox.make("kitchen", layout=three, agents=4)


def test_a_value_that_is_refused_is_shown_in_short():
    with pytest.raises(UsageError, match="layout: input should be a valid string, got ") as caught:
        sandbox.make("wildfire", layout=np.zeros((100, 100)))
    assert len(str(caught.value)) < 200


# -- any text ----------------------------------------------------------------------------------------------------------

CHARS = "xg.XPODTS12@~#,:!cidtfhb=*pCZK \n\n\n{}[]\"'=\x00\ufeff³"
START = st.sampled_from(["", "height 2\nwidth 2\nmap\n", "type octile\n", '{"grid": """', "version 1\n", "[[page]]\n"])
WORLDS = ["warehouse", "kitchen", "craft", "web", "wildfire"]


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=60)
@given(text=st.builds(str.__add__, START, st.text(CHARS, max_size=60)))
@example(text="...\n...\n.g.")
@example(text="xx\ngx")
@example(text="{" * 5000 + "\n")
@example(text="\ud800\n.")
@example(text="")
@example(text="~\0")
def test_any_text_gives_a_stage_or_one_clear_line(world, text):
    try:
        sandbox.make(world, layout=text)
    except UsageError as error:
        assert "\n" not in str(error) and len(str(error)) < 2_000


GOOD = {
    "warehouse": ["......\n.xx.x.\n.xx.x.\n..gg..", ROOM],
    "kitchen": ["XXPXX\nO  2O\nX1  X\nXDXSX", OLD % ("None", '"start_state": {"players": []}')],
    "craft": [("." * 12 + "\n") * 12],
    "wildfire": ["....\n.h*.\n.pcg"],
    "web": [
        path.read_text() for path in sorted(Path(sandbox.worlds.web.spec.__file__).parent.glob("sites/*.toml"))[:4]
    ],
}
VALUES = re.compile(r"-?\d+|\"[^\"\n]*\"|\[\]|None")
OTHER = ["-1", "1e9", "9" * 20, "[]", "{}", "None", '"x"', "true", "[1]", "nan", ""]
EDITS = st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from([*CHARS, *OTHER])), min_size=1, max_size=3)


@pytest.mark.parametrize("world", WORLDS)
@settings(max_examples=100)
@given(data=st.data(), edits=EDITS)
def test_a_good_layout_with_mistakes_gives_a_stage_or_one_clear_line(world, data, edits):
    text = data.draw(st.sampled_from(GOOD[world]))
    for place, other in edits:
        values = [found.span() for found in VALUES.finditer(text)] if other in OTHER else []
        start, stop = values[place % len(values)] if values else (place % (len(text) or 1),) * 2
        text = text[:start] + other + text[max(stop, start + place % 2) :]
    try:
        sandbox.make(world, layout=text)
    except UsageError as error:
        assert "\n" not in str(error) and len(str(error)) < 2_000


LOOKS = {
    "GraphML": "<?xml version='1.0'?>\n<graphml>", "an HTML page": "<!DOCTYPE html>\n<html>", "YAML": "a:\n  b: x",
    "a graph in JSON": '{"directed": false, "nodes":\n []}', "JSON": '{"a":\n 1}',
    "an Overcooked layout": '{\n"grid": "X"}',
    "a movingai map": "type octile\nheight 3", "a movingai scenario (.scen)": "version 1\n0 a",
    "an Overcooked map": "XPX\nXSX",
    "a lesson": "title = 'x'\n[lesson]\n", "a scenario": "seed = 3\n[[agents]]\n", "an RWARE layout": ".x.\n.g.",
    "GML": "graph [\n node [", "a League of Robot Runners problem": '{"mapFile":\n "a"}',
    "a Tiled map": "<map version='1'>\n</map>",
    "a site of the world 'web'": "title = 'x'\n[[page]]\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", LOOKS)
def test_what_is_not_read_says_what_it_looks_like(kind):
    assert files.looks_like(LOOKS[kind]) == kind
    if kind != "an RWARE layout":
        with pytest.raises(UsageError) as caught:
            sandbox.make("wildfire", layout=LOOKS[kind])
        assert f"looks like {kind}; expected a map of wildfire" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89PNG\r\n", "looks like a PNG picture"), (b"PK\x03\x04", "looks like a zip archive"),
        (b"\xff\xfe\x00", "not text in UTF-16"), (b"a\xff", "not text in UTF-8 (byte 1)"), (b"a\0b", "null characters"),
    ],
)  # fmt: skip
def test_files_that_are_no_text(tmp_path, data, told):
    (tmp_path / "a.map").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        sandbox.make("warehouse", layout=tmp_path / "a.map")
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_in_any_encoding_of_an_editor(tmp_path, encoding):
    (tmp_path / "a.map").write_bytes(ROOM.replace("\n", "\r\n").encode(encoding))
    assert layouts.load(str(tmp_path / "a.map")).plan.shape == (3, 4)
    text = "title = 'é'\r\n[world]\r\nname = 'warehouse'\r\n[[agents]]\r\n"
    (tmp_path / "s.toml").write_bytes(text.encode(encoding))
    assert load(tmp_path / "s.toml").title == "é"


@pytest.mark.parametrize(
    ("world", "text"),
    [("warehouse", "xgx"), ("warehouse", "x\rg\rx"), ("kitchen", repr({"grid": "XXPXX\nO1 2O\nXDXSX"}))],
)
def test_a_map_of_a_single_line_is_no_name(world, text, tmp_path):
    (tmp_path / "a.map").write_text(text, newline="")
    scenario = {"world": {"name": world, "layout": "a.map"}, "agents": [{}]}
    ready = load(scenario, folder=tmp_path)
    assert ready.env().agents == load(ready.as_dict()).env().agents == 1
    assert sandbox.make(world, layout=tmp_path / "a.map", agents=1).params.plan.size > 2


def test_a_missing_file_names_the_nearest_and_a_folder_is_told(tmp_path):
    (tmp_path / "room.map").write_text(ROOM)
    for given_, told in ((tmp_path / "rom.map", "did you mean"), (tmp_path, "a folder; expected a map")):
        with pytest.raises(UsageError, match=told):
            sandbox.make("warehouse", layout=given_)
    (tmp_path / "net.graphml").write_text("")
    for file, told in (("nt.graphml", "did you mean '.*net.graphml'"), ("net.graphml", "not GraphML")):
        with pytest.raises(UsageError, match=told):
            load({**SCENARIO, "team": {"network": {"kind": "file", "file": Path(file)}}}, folder=tmp_path)
    with pytest.raises(UsageError, match=r"world.layout: no such file 'rom.map'; did you mean '.*room.map'"):
        load({"world": {"name": "warehouse", "layout": "rom.map"}, "agents": [{}]}, folder=tmp_path)


def test_cells_are_named_by_line_and_column_whatever_comes_first():
    for text, told in (
        (".x\n.\n?g", "line 2 has 1"),
        (".x\n?.\n.", "line 2, column 1"),
        ("xé\ng.", "line 1, column 2: 'é'"),
    ):
        with pytest.raises(UsageError, match=told):
            layouts.load(text)

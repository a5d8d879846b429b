"""Figures of rounds, how they are printed, and trees beside each other; the speeds themselves are not tested."""

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

import benchmarks.__main__
from benchmarks import all as every
from benchmarks import machines, pace, pages, report, results, trees
from benchmarks.__main__ import BENCHMARKS
from benchmarks.machines import KINDS, WEB, Cost, Spent, computed, measured, parts
from benchmarks.report import Figure, at_least, at_most, compact, times
from benchmarks.rounds import Pace, in_turns
from sandbox.engine import registry
from sandbox.running.batch import play_chunk
from sandbox.running.episodes import LANES
from sandbox.running.workers import Workers
from sandbox.scenario import load

PEER = Figure("peer, all of it", "steps/s", [10.0, 20.0, 40.0])


def test_a_ratio_is_of_the_same_round():
    ours = Figure("ours", "steps/s", [30.0, 40.0, 200.0], beside=PEER)
    assert (ours.median, ours.ratios) == (40, [3, 2, 5])
    assert ours.cells() == ["ours", "steps/s", "40.0", "30.0 .. 200", "3.00 (2.00 .. 5.00) x peer", ""]
    with pytest.raises(ValueError):
        assert ours._replace(values=[1.0]).ratios


@pytest.mark.parametrize(
    "target, words",
    [
        (at_least(40), ">= 40: met"), (at_least(40.1), ">= 40.1: MISSED"), (at_most(40), "<= 40: met"),
        (at_most(39), "<= 39: MISSED"), (times(3), ">= 3 x: met"), (times(3.5), ">= 3.50 x: MISSED"),
        (at_most(2.5, of_ratio=True), "<= 2.50 x: MISSED"),
    ],
)  # fmt: skip
def test_the_median_of_the_rounds_decides(target, words):
    assert Figure("ours", "steps/s", [30.0, 40.0, 200.0], PEER, target).cells()[-1] == words


def test_one_round_has_no_spread():
    assert Figure("ours", "s", [0.0113]).cells() == ["ours", "s", "0.011", "", "", ""]


def test_a_compact_table_tells_a_peer_beside_ours():
    ours = Figure("ours", "steps/s", [30.0, 40.0, 200.0], beside=PEER)
    rows = compact([PEER, ours, ours._replace(name="more", beside=ours), Figure("alone", "s", [1.0])])
    assert [row[0] for row in rows] == ["ours", "more", "alone"]
    assert [row[4] for row in rows] == ["3.00 (2.00 .. 5.00) x peer (20.0)", "1.00 (1.00 .. 1.00) x ours (40.0)", ""]


def test_contestants_take_turns():
    done = []
    paces = [Pace(name, lambda name=name: done.append(name) or sum(range(100_000)) and 7) for name in "ab"]
    in_turns(3, *paces)
    assert "".join(done) == "ababab"
    figure = paces[0].figure("meals", cpu=True, beside=paces[1].figure("meals", cpu=True))
    assert (figure.unit, len(figure.ratios)) == ("meals/CPU s", 3)
    (steps, wall, cpu), *_ = paces[0].rounds
    assert steps == 7 and paces[0].rates[0] == 7 / wall and figure.values[0] == 7 / cpu


def test_figures_are_kept_as_json():
    figure = Figure("ours", "s", [1.0, 2.0], PEER._replace(values=[1.0, 2.0]), at_most(3))
    assert Figure.of(json.loads(json.dumps(figure.plain()))) == figure


# -- the commands ------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch):
    """Run ``python -m benchmarks`` here with these words."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["benchmarks", *words])
        benchmarks.__main__.main()

    return run


class Fake:
    """A benchmark of two figures."""

    PEERS, OPTIONS = (), {"--size": {"type": int, "default": 2}}
    SPEEDS = {"first": lambda quick, size: [Figure("apples", "s", [size, size], None, at_most(1))]}
    SPEEDS |= {"second": lambda quick, size: [Figure("pears", "s", [1.0 if quick else 2.0])]}
    PARTS = {"other": lambda quick: report.console.print("the other part")}


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(benchmarks.__main__, "import_module", lambda name: Fake)


def test_speeds_are_one_table_before_the_other_parts(run, fake, capsys):
    run("web", "--quick")
    told = capsys.readouterr().out
    assert told.index("apples") < told.index("pears") < told.index("at the end") < told.index("the other part")
    assert re.search(r"pears +s +1.00\s", told)


def test_one_part(run, fake, capsys):
    run("web", "--only", "first", "--size", "1")
    told = capsys.readouterr().out
    assert "<= 1: met" in told and "pears" not in told and "the other part" not in told


def test_json_has_the_speeds_alone(run, fake, capsys, tmp_path):
    run("web", "--json", str(tmp_path / "f.json"))
    names = [plain["name"] for plain in json.loads((tmp_path / "f.json").read_text())]
    assert names == ["apples", "pears"] and "the other part" not in capsys.readouterr().out


def test_a_benchmark_writes_its_rows_of_the_results(run, fake, tmp_path, monkeypatch):
    page, rows = (
        tmp_path / "RESULTS.md",
        "| | unit |\n|---|---|\n| **craft**: once | |\n| c | s |\n| **web**: old | |\n| w | s |",
    )
    page.write_text(
        f"Before.\n\n<!-- table worlds: written by `x` -->\n\n{rows}\n\n<!-- end of worlds, 0 -->\n\nAfter.\n"
    )
    monkeypatch.setattr(results, "PAGE", page)
    run("web", "--write", "--size", "1")
    run("kitchen", "--write", "--quick")
    text = pages.written(page.read_text())["worlds"].text
    when = r"\d\d \w+, \w+, load \S+ to \S+ \|( \|){5}\n"
    assert re.search(
        rf"\*\*kitchen\*\*: {when.replace(', load', ', quick, load')}\| apples .*\n\| pears .*\n\| \*\*craft", text
    )
    assert re.search(
        rf"\| c \| s \|\n\| \*\*web\*\*: {when}\| apples \| s \| 1.00 \| 1 .. 1 \| \| <= 1: met \|\n\| pears", text
    )
    assert "old" not in text and page.read_text().startswith("Before.") and page.read_text().endswith("After.\n")
    with pytest.raises(SystemExit):
        run("web", "--write", "--only", "first")


def test_the_results_have_every_area():
    found = pages.written(results.PAGE.read_text())
    assert list(found) == list(results.AREAS)
    for area, table in found.items():
        assert tuple(results.of_benchmarks(table.text)) == results.AREAS[area]
        assert pages.digest(table.text) == table.digest, f"{area}: run `{table.command}`, or change what it writes"


def test_all_tells_what_it_could_not_measure(run, monkeypatch, capsys):
    def measured(name, options):
        assert options == ["--quick", *["--beside", "there"] * (name in ("pace", "start"))]
        if name == "craft":
            raise subprocess.CalledProcessError(1, name, stderr="Traceback\nModuleNotFoundError: no crafter\n")
        return [Figure("one", "s", [1.0, 1.5])]

    monkeypatch.setattr(every, "measured", measured)
    with pytest.raises(SystemExit) as end:
        run("all", "--quick", "--beside", "there")
    told = capsys.readouterr().out
    assert end.value.code == 1 and "craft: ModuleNotFoundError: no crafter" in told
    assert all(re.search(rf"{name} +one +s +1.25 +1.00 .. 1.50", told) for name in results.SPEEDS if name != "craft")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_imported(name):
    """Unless what it is compared with is not installed."""
    try:
        module = benchmarks.__main__.module_of(name)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] in ("benchmarks", "sandbox"):
            raise
        pytest.skip(str(error))
    assert hasattr(module, "PEERS") and any(hasattr(module, name) for name in ("main", "SPEEDS", "PARTS"))


def test_all_knows_every_benchmark_with_speeds():
    sources = {path.stem: path.read_text() for path in Path(benchmarks.__main__.__file__).parent.glob("*.py")}
    own = {name for name, text in sources.items() if re.search(r"^SPEEDS = \{", text, re.MULTILINE)}
    assert own == set(results.SPEEDS) <= set(BENCHMARKS)


# -- trees -------------------------------------------------------------------------------------------------------------


def test_a_tree_runs_its_own_modules(tmp_path):
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "__init__.py").write_text("name = 'another'")
    assert list(trees.trees(str(tmp_path))) == ["this tree", tmp_path.name]
    assert trees.printed(tmp_path, "import sandbox; print(sandbox.name)") == "another\n"
    here = trees.printed(trees.HERE, "import sandbox; print(sandbox.__file__)")
    assert Path(here.strip()).parents[1] == trees.HERE


def test_pace_tells_which_tree_plays_other_episodes(monkeypatch, capsys):
    turns = []

    def measured(tree, case):
        turns.append(tree)
        done = "6f" if case[0] != "web" or tree == "here" else "7a"
        return 100.0 + len(turns), {"done": done} | ({"new": "00"} if tree == "here" else {"gone": "11"})

    monkeypatch.setattr(pace, "trees", lambda beside: {"this tree": "here", "cf78cfd": "there"})
    monkeypatch.setattr(pace, "pace", measured)
    figures = pace.steady(True, "there", "web", None)
    assert turns == ["here", "there"] * 3 * len(figures) and len(figures) == 2
    assert [figure.verdict for figure in figures] == ["MISSED"] * 2 and figures[0].beside.values == [102, 104, 106]
    assert "2 cases: other episodes than there: web random, web rules" in capsys.readouterr().out
    pace.steady(True, "there", "kitchen", 1)
    assert "2 cases: the same episodes" in capsys.readouterr().out


def test_pace_has_random_and_rules_of_every_world():
    played = {(world, policy) for world, options, policy, *_ in pace.CASES.values() if not options}
    assert played == {(world, policy) for world in registry.names() for policy in ("random", "rules")}
    assert set(pace.TARGETS) == set(pace.CASES)


# -- what reaches into the library -------------------------------------------------------------------------------------


def test_the_bare_call_of_a_model_is_the_client_s_own(monkeypatch):
    llm = import_module("benchmarks.llm")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):  # the server sets them
        monkeypatch.setenv(name, "")
    with llm.server():
        assert llm._bare(3, 2) == 6


def test_cost_by_team_size_has_a_value_a_round():
    found = import_module("benchmarks.warehouse").costs(["random"], 10, 16, quick=True)
    assert len(found["random"]) == 3 and min(found["random"]) > 0


def test_lanes_of_craft_are_stepped_until_they_die():
    craft = import_module("benchmarks.craft")
    lanes = craft.Lanes(craft.sandbox.make("craft", agents=1, goal="none", max_ticks=3), 4)
    for _ in range(2):
        lanes.set_up()
        assert [lanes.play(2), lanes.play(2), lanes.play(2)] == [8, 4, 0]


# -- machines ----------------------------------------------------------------------------------------------------------


def test_the_slowest_part_decides_what_machines_do():
    figures = computed("dask", Cost(driver=[8.0, 7.0, 9.0], workers=[1024.0, 1024.0, 500.0], scheduler=[2.0, 2.0, 2.0]))
    assert [figure.median for figure in figures] == [2_000, 20_000, 128_000]  # the last: 1,024 trials in 8 ms
    assert [figure.name.rpartition(" ")[2] for figure in figures] == ["workers", "workers", "driver"]
    assert all(figure.name.startswith("computed, not measured: dask") for figure in figures)
    *_, most = computed("ray", Cost([1.0], [10.24], [4.0]))
    assert (most.median, most.name.endswith("100 x 2 workers, limited by scheduler")) == (256_000, True)


def test_costs_are_of_spans():
    moments = [Spent(1024, 10.0, 5.0, 7.0, 1.0), Spent(3072, 12.0, 5.5, 9.0, 1.0), Spent(4096, 12.5, 6.0, 9.5, 1.25)]
    rates, cost = parts(moments)
    assert rates == [1024, 2048] and cost == Cost([250, 500], [1000, 500], [0, 250])


@pytest.mark.parametrize("kind", ["here", "dask"])
def test_a_batch_is_measured_from_its_first_tenth_to_its_end(kind):
    with KINDS[kind](1) as cluster:
        moments = measured(cluster, WEB, 1, 20_000)
    rates, cost = parts(moments)
    assert moments[0].done >= 2_000 and moments[-1].done >= 20_000 and len(rates) == 5
    assert min(rates) > 0 and min(map(min, cost)) >= 0
    if kind == "dask":
        assert sum(cost.workers) > 0 < sum(cost.scheduler)


def test_a_chunk_without_trials_travels_to_workers_and_back():
    with KINDS["dask"](1) as cluster, Workers(cluster.on, compiled=True, count=1) as crew:
        text = load(WEB).model_dump_json()
        future = crew.executor.submit(machines.result, text, 5, 6)
        assert crew.executor.submit(machines.nothing, text, 0, 1).result(60) is None
        played, own = future.result(60), play_chunk(text, 0, LANES)
    assert type(played) is type(own) and len(played[0]) == len(own[0])

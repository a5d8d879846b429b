"""A world in one file, ``examples/minimal_world.py``: it is like the others, and what it leaves out is derived."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pytest
from commands import told
from streamlit.testing.v1 import AppTest

import sandbox
from sandbox.core.errors import UsageError
from sandbox.core.world import shaped
from sandbox.engine import registry
from sandbox.scenario import load
from sandbox.scenario.schema import compiled_reasoners
from sandbox.testing import Conformance

FILE = Path(__file__).parents[1] / "examples" / "minimal_world.py"
SCENARIO = FILE.with_name("minimal.toml")


class TestMinimal(Conformance):
    world = str(FILE)
    cases = [{}, {"side": 4, "trees": 3, "agents": 3}]


@pytest.fixture(autouse=True)
def nothing_stays_registered(monkeypatch):
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


@pytest.fixture
def env():
    return sandbox.make(str(FILE), side=4, trees=3, agents=2)


def test_a_world_is_one_short_file_and_names_what_is_mandatory_only():
    mandatory = [each.name for each in dataclasses.fields(sandbox.World) if each.default is dataclasses.MISSING]
    assert len(mandatory) <= 14 and len(FILE.read_text().splitlines()) <= 150


def test_what_new_worlds_and_agents_begin_with_are_the_examples():
    folder = Path(sandbox.__file__).parent / "cli" / "templates"
    assert (folder / "world.py").read_text() == FILE.read_text()
    assert (folder / "world.toml").read_text() == SCENARIO.read_text()
    assert (folder / "agent.py").read_text() == (FILE.parent / "agents" / "greedy.py").read_text()


def test_text_is_made_of_the_columns_names_and_a_map(env):
    state = env.reset([1])
    state.grid[0], state.pos[0] = 0, [[0, 0], [2, 2]]
    state.grid[0, 1, 1] = 1
    assert env.render_text(state, 0, 0).splitlines() == [
        "You are agent 0.", "row: 0", "col: 0", "apples left: 3",
        "Around you (t tree, f fence, . nothing; you are in the middle):", "fffff", "fffff", "ff...", "ff.t.", "ff...",
        "You can: wait, south, east.",
    ]  # fmt: skip


def test_a_picture_shows_the_grid_and_the_agents(env):
    state = env.reset([1])
    state.grid[0], state.pos[0] = 0, [[0, 0], [0, 0]]
    state.grid[0, 2, 3] = 1
    picture = env.render(state, size=40)
    assert picture.shape == (40, 40, 3)
    assert picture[25, 35].tolist() == [0x4F, 0x8A, 0x3C] and picture[25, 5].tolist() == [0xE3, 0xEC, 0xD3]
    assert picture[5, 5].tolist() not in (picture[25, 35].tolist(), picture[25, 5].tolist())


def test_a_description_is_the_arrays_and_a_wrong_one_is_told(env):
    state = env.reset([1])
    assert set(env.describe(state)) == set(state._fields)
    for wrong, why in (({"grid": [[0]]}, r"grid"), ({"tree": 1}, r"unknown key 'tree'")):
        before = env.digest(state)
        with pytest.raises(UsageError, match=why):
            env.place(state, 0, wrong)
        assert env.digest(state) == before


def test_it_cannot_be_imagined_and_says_so():
    for group in ({"reasoner": "search"}, {"reasoner": "search", "world_model": {"horizon": 3}}):
        with pytest.raises(UsageError, match="has no `believe`, so no agent can imagine there"):
            sandbox.run({"world": {"name": str(FILE)}, "agents": [group]})


@pytest.mark.parametrize("name", registry.names())
def test_what_the_studio_offers_is_no_error(name):
    """A search is offered where agents can imagine only."""
    offered = compiled_reasoners(registry.find(name))
    assert ("search" in offered) == (registry.find(name).believe is not None)
    for reasoner in offered:
        load({"world": {"name": name}, "agents": [{"reasoner": reasoner}]})


def test_its_file_is_code_and_runs_only_where_that_is_allowed(tmp_path, monkeypatch):
    trace = tmp_path / "ran"
    (tmp_path / "evil.py").write_text(f"open({str(trace)!r}, 'w')\n" + FILE.read_text())
    (tmp_path / "s.toml").write_text('[world]\nname = "evil.py"\n[[agents]]\n')
    with pytest.raises(UsageError, match=r"asks for functions '.*evil.py' \(world.name\): not allowed"):
        load(tmp_path / "s.toml")
    with pytest.raises(UsageError, match="has not been allowed"):
        registry.find(str(tmp_path / "evil.py"))
    assert not trace.exists()
    load(tmp_path / "s.toml", allow=f"functions={tmp_path / 'evil.py'}")
    assert trace.exists()


def watch():
    from sandbox.studio.pages import watch

    watch.page()


def test_the_studio_says_how_its_file_is_allowed(tmp_path, monkeypatch):
    (tmp_path / "scenarios").mkdir()
    for path in (FILE, SCENARIO):
        shutil.copy(path, tmp_path / "scenarios")
    monkeypatch.chdir(tmp_path)
    page = AppTest.from_function(watch, default_timeout=120)
    page.query_params["scenario"] = SCENARIO.stem
    page.run()
    assert not page.exception
    said = page.error[0].value.replace("\\", "")  # which keeps Markdown from being read in it
    assert "sandbox app --allow functions=scenarios/minimal_world.py" in said
    assert not any("press Play" in each.value for each in page.caption)  # nothing can be played


def test_its_record_names_the_file_and_is_verified_where_that_is_allowed(tmp_path, capsys):
    allow = f"functions={FILE}"
    assert told("run", SCENARIO, "--out", tmp_path / "run", "--allow", allow, "--video", tmp_path / "v.gif") == 0
    assert (tmp_path / "v.gif").stat().st_size > 1000
    assert told("verify", tmp_path / "run") == 2 and "--allow" in capsys.readouterr().err
    assert told("verify", tmp_path / "run", "--allow", allow) == 0
    assert told("batch", SCENARIO, "--trials", 20, "--out", tmp_path / "batch", "--allow", allow) == 0
    assert told("verify", tmp_path / "batch", "--allow", allow) == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('shaped(np.int8, "side", "side")', 'shaped(np.int8, "rows", "side")'), "State.grid: a length 'rows', which"),
        (("Annotated[np.ndarray, shaped(np.int32)]", "np.ndarray"), "State.picked: expected Annotated"),
        (("WORLD = World(", "WORLD = dict("), "of type dict; expected a World"),
        (("WORLD = World(", "1 / 0\nWORLD = World("), "it cannot be imported .ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_world_is_told_in_a_line(tmp_path, change, why):
    text = FILE.read_text()
    assert change[0] in text
    (tmp_path / "wrong.py").write_text(text.replace(*change))
    with pytest.raises(UsageError, match=why) as raised:
        sandbox.make(str(tmp_path / "wrong.py"))
    assert "\n" not in str(raised.value)


def test_a_length_is_a_number_an_entry_of_params_or_a_function_of_them(env):
    class Params(NamedTuple):
        side: int
        plan: np.ndarray

    class Memory(NamedTuple):
        nothing: Annotated[np.ndarray, shaped(np.int8)]
        seen: Annotated[np.ndarray, shaped(np.float32, 3, "side", "plan", lambda params: 2 * params.side)]

    world = dataclasses.replace(env.world, memory=Memory)
    expected = {"nothing": ((), np.int8), "seen": ((3, 4, 5, 6, 8), np.float32)}
    assert world.memory_shapes(Params(4, np.zeros((5, 6)))) == expected


def test_an_edited_file_is_compiled_anew(tmp_path):
    """The kernel cache's folder does not cover a world that is given by its path; a hash of the file does."""
    code = "import sys, sandbox; env = sandbox.make('w.py'); print(env.play([1], 'rules')[0].tick[0])"
    ticks = []
    for each in ("s.grid[lane, row, col]", "2 * s.grid[lane, row, col]"):
        text = FILE.read_text().replace("s.picked[lane] += s.grid[lane, row, col]", f"s.picked[lane] += {each}")
        (tmp_path / "w.py").write_text(text.replace("s.picked[lane] == params", "s.picked[lane] >= params"))
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        ticks.append(int(done.stdout))
    assert ticks[1] < ticks[0]


def test_a_world_is_registered_by_its_name(env):
    world = dataclasses.replace(env.world, name="orchard")
    assert sandbox.register(world).name in registry.names()
    played, _ = sandbox.make("orchard").play([1, 2], "rules")
    assert (played.done > 0).all()
    with pytest.raises(UsageError, match="there is a world 'orchard' already"):
        sandbox.register(dataclasses.replace(world, summary="another"))
    with pytest.raises(UsageError, match="there is a world 'kitchen' already"):
        sandbox.register(dataclasses.replace(world, name="kitchen"))


def test_a_new_world_is_written_and_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert told("new", "world", "vineyard") == 0
    assert {"vineyard.py", "vineyard.toml"} <= {path.name for path in tmp_path.iterdir()}
    assert told("run", "vineyard.toml", "--allow", "functions=vineyard.py") == 0
    assert told("new", "world", "vineyard") == 2 and "vineyard.py: exists already" in capsys.readouterr().err
    assert told("new", "world", "No Name") == 2 and "expected a name such as" in capsys.readouterr().err
    monkeypatch.setattr(registry, "_registered", {})
    shutil.copy("vineyard.py", "again.py")
    assert np.array_equal(sandbox.make("again.py").reset([3]).grid, sandbox.make("vineyard.py").reset([3]).grid)


def test_hosted_trials_on_processes_and_certificates_know_it_too(tmp_path):
    allow = f"functions={FILE}"
    hosted = [{"count": 1, "reasoner": "scripted", "script": ["east", "south"]}, {"count": 1, "reasoner": "rules"}]
    scenario = {"world": {"name": str(FILE), "max_ticks": 30}, "agents": hosted, "trials": {"count": 4}}
    rows = sandbox.results(sandbox.batch(scenario, tmp_path / "hosted", workers=2))
    assert len(rows) == 4 and not rows["error"].notna().any()
    arguments = ("certify", SCENARIO, "--reliability", 0.5, "--out", tmp_path / "certificate", "--allow", allow)
    assert told(*arguments) == 0 and told("verify", tmp_path / "certificate", "--allow", allow) == 0


def test_a_batch_of_a_file_that_was_edited_is_not_continued(tmp_path, monkeypatch):
    """Trials of two worlds would stand in one table."""
    monkeypatch.chdir(tmp_path)
    code = "import sandbox; print(sandbox.batch({'world': {'name': 'w.py'}, 'agents': [{}]}, 'b', %d))"
    shutil.copy(FILE, "w.py")

    def run(trials: int) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", code % trials], capture_output=True, text=True)

    assert run(2).returncode == 0 and run(4).returncode == 0
    Path("w.py").write_text(FILE.read_text() + "\n")
    done = run(6)
    assert done.returncode and "were played before w.py was edited; choose another folder" in done.stderr


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("    refused: Refused\n", ""), "State has no refused; expected seed, tick, pos"),
        (("    perturb: dict", "    others: dict"), "options has no perturb; expected agents, perturb"),
        (("memory, team, dice, actions):", "memory, team, actions):"), "rules takes 6 arguments, expected view, lane"),
        (
            ("def step(s, lane, actions, params)", "def step(s, lane, params)"),
            "step takes 3 arguments",
        ),
    ],
)
def test_what_every_author_forgets_once_is_told_in_words(tmp_path, change, why):
    assert change[0] in FILE.read_text()
    (tmp_path / "wrong.py").write_text(FILE.read_text().replace(*change))
    with pytest.raises(UsageError, match=why):
        sandbox.make(str(tmp_path / "wrong.py"))


def test_a_kernel_that_does_not_compile_is_told_by_file_and_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    wrong = FILE.read_text().replace("s.picked[lane] += s.grid", "s.pickd[lane] += s.grid")
    (tmp_path / "wrong.py").write_text(wrong)
    (tmp_path / "s.toml").write_text('[world]\nname = "wrong.py"\n[[agents]]\n')
    line = wrong[: wrong.index("s.pickd[lane]")].count("\n") + 1
    assert told("run", "s.toml", "--allow", "functions=wrong.py") == 1
    assert f"wrong.py, line {line}: the kernel does not compile: Unknown attribute 'pickd'" in capsys.readouterr().err

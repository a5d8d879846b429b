"""Hostile use of the studio: what is malformed, gone or damaged is told in words, and nothing of it is executed."""

import json
import shutil
import sqlite3
import tomllib
from copy import deepcopy
from pathlib import Path

import pytest
from batches import forge
from streamlit.testing.v1 import AppTest
from studio import COMPILE, SCENARIO, moment, until

import sandbox
from sandbox.core.errors import SandboxError, UsageError
from sandbox.running import jobs
from sandbox.scenario import load
from sandbox.scenario.load import as_toml
from sandbox.studio.backend import wording
from sandbox.studio.backend.charts import Point
from sandbox.studio.backend.episode_source import Recorded
from sandbox.studio.views.charts import charts, latest
from sandbox.studio.views.upload import LARGEST, uploaded

HOSTILE = "<script>alert(1)</script> **b** [x](http://x) $x$ `c` \u202e\u200b " * 80
WORLD = '[world]\nname = "warehouse"\nlayout = "tiny"\n'
MODEL = WORLD + '[[agents]]\nreasoner = "llm"\nllm = { model = "scripted", replies = [] }\n'


def on(name: str, **address: str) -> AppTest:
    """A page of the studio, opened at an address."""

    def script(name):
        from importlib import import_module

        import_module(f"sandbox.studio.pages.{name}").page()

    page = AppTest.from_function(script, args=(name,), default_timeout=60)
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def settled(page: AppTest, name: str) -> AppTest:
    """The same when its runner has come to rest."""
    show = page.session_state[f"runner.{name}"]
    until(lambda: not show.poll().active, COMPILE)
    page.run()
    assert not page.exception
    return page


def told(page: AppTest) -> str:
    return " ".join(each.value for each in (*page.error, *page.warning)).replace("\\", "")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder to work in, with two runs and a batch below ``runs``."""
    folder = tmp_path_factory.mktemp("hostile")
    short = {**SCENARIO, "title": HOSTILE, "world": {**SCENARIO["world"], "deliveries": 1}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sandbox.run(short, seed=1, out="runs/one")
        sandbox.run(short, seed=2, out="runs/two")
        sandbox.batch({**short, "sweep": {"perturb.agent_crash": [0.0, 0.5]}}, "runs/many", trials=3, workers=1)
        yield folder / "runs"


# -- what is uploaded --------------------------------------------------------------------------------------------------

MALFORMED = {
    "empty": b"",
    "binary": bytes(range(256)),
    "large": b"#" * (LARGEST * 1_000_000 + 1),
    "digits": b"seed = " + b"9" * 5_000,
    "deep": b"x = " + b"[" * 5_000,
    "tables": b"[a" + b".a" * 20_000 + b"]",
    "no number": (WORLD + "sensor_range = nan\n[[agents]]\n").encode(),
    "infinite": (WORLD + "[[agents]]\n[perturb]\nsensor_noise = inf\n").encode(),
    "a function": (MODEL + 'tools = { "subprocess:getoutput" = {} }\n').encode(),
    "a file": (WORLD.replace("tiny", "/etc/passwd") + "[[agents]]\n").encode(),
    "a folder": (MODEL + 'tools = { retrieval = { folder = "/" } }\n').encode(),
    "a graph": (WORLD + '[[agents]]\n[team]\nnetwork = { kind = "file", file = "/etc/passwd" }\n').encode(),
}
OF_THIS_MACHINE = {"a function", "a file", "a folder", "a graph"}


@pytest.mark.parametrize("name", MALFORMED)
def test_an_upload_that_is_none_is_told_in_a_line(name):
    with pytest.raises(UsageError) as error:
        uploaded(f"{HOSTILE}.toml", MALFORMED[name])
    assert len(str(error.value)) < 600 and "\n" not in str(error.value)
    refused = any(words in str(error.value) for words in ("of this machine", "reads no file", "reads no folder"))
    assert refused == (name in OF_THIS_MACHINE)


def test_an_upload_with_a_mark_of_windows_is_taken():
    assert uploaded("a.toml", b"\xef\xbb\xbf" + WORLD.encode() + b"[[agents]]\n").world.name == "warehouse"


def test_the_pages_tell_what_is_wrong_with_an_upload(runs):
    page = on("watch", scenario="An uploaded file")
    page.file_uploader(key="upload").set_value(("a.toml", MALFORMED["a function"], "")).run()
    assert not page.exception and "gets nothing of this machine" in told(page)
    page = on("batch")
    page.file_uploader(key="upload").set_value(("a.toml", MALFORMED["tables"], "")).run()
    assert not page.exception and "more than 32 parts" in told(page)
    long = WORLD.replace("tiny", HOSTILE.replace("\u202e", "")) + "[[agents]]\n"
    page.file_uploader(key="upload").set_value(("a.toml", long.encode(), "")).run()
    assert not page.exception and "unknown layout" in told(page) and page.button(key="start").disabled


BAD = (None, HOSTILE, True, -1, 10**30, float("nan"), [], [{}], {"a": {}}, "\0", "/etc")


def _places(value, path=()):
    """The way to every value within a table."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(part, (*path, key))


@pytest.mark.parametrize("name", ["oversight", "teams/yard"])
def test_a_value_that_is_wrong_anywhere_is_told_in_words(name, root):
    path = root / "scenarios" / f"{name}.toml"
    right, seen = tomllib.loads(path.read_text("utf-8")), 0
    for way in _places(right):
        for bad in BAD:
            table = deepcopy(right)
            place = table
            for key in way[:-1]:
                place = place[key]
            place[way[-1]] = bad
            if bad is None:
                del place[way[-1]]
            try:
                scenario = load(table, folder=path.parent)
                assert load(tomllib.loads(as_toml(scenario.as_dict()))).as_dict() == scenario.as_dict()
                scenario.env()
            except SandboxError:
                seen += 1
    assert seen > 20


@pytest.mark.parametrize("text", ["", "9" * 100_000, "-1", "1e3", "１２", "²", "nan", str(2**64), "0x1"])
def test_no_seed(text):
    assert wording.seed(text) is None


def test_no_seed_is_told():
    page = on("watch", seed="9" * 100_000)
    assert "is not a whole number" in told(page) and len(told(page)) < 200
    page.session_state["runner.watch"].close()


def test_a_seed_with_noughts_before_it():
    assert wording.seed(" 00007 ") == 7 and wording.seed("0" * 6_000) == 0


# -- what is gone or damaged -------------------------------------------------------------------------------------------


def test_a_run_that_is_deleted_while_it_is_watched(runs):
    page = settled(on("watch"), "watch")
    show = page.session_state["runner.watch"]
    page.button(key="step").click().run()
    shutil.rmtree(settled(page, "watch").session_state["runner.watch"].peek().counters.folder)
    page.button(key="step").click().run()
    assert "its folder was removed or renamed while it was being written" in told(settled(page, "watch"))
    page.button(key="reset").click().run()
    assert not told(settled(page, "watch")) and show.peek().counters.tick == 0
    show.close()


DAMAGE = {
    "scenario": "UPDATE meta SET value = '[1]' WHERE key = 'scenario'",
    "no scenario": "UPDATE meta SET value = '{}' WHERE key = 'scenario'",
    "bytes": "UPDATE meta SET value = x'ff00' WHERE key = 'created'",
    "planned": "UPDATE meta SET value = '\"x\"' WHERE key = 'planned'",
    "conditions": "UPDATE condition SET overrides = '[1]'",
    "a severity": """UPDATE condition SET overrides = '{"perturb.agent_crash": {"a": [1]}}'""",
    "ticks": "UPDATE trial SET ticks = 9e999",
    "seeds": "UPDATE trial SET seed = NULL",
    "bytes of trials": "UPDATE chunk SET measures = x'ff00'",
    "a bomb": "UPDATE chunk SET stop = 1 << 40",
    "columns": "UPDATE meta SET value = '[[1]]' WHERE key = 'columns'",
    "format": "UPDATE meta SET value = '99' WHERE key = 'format'",
    "table": "DROP TABLE chunk",
}
HARMLESS = {
    "reward": "UPDATE trial SET reward = 9e999",
    "nothing": "UPDATE trial SET reward = NULL, success = NULL",
    "words": f"UPDATE trial SET finish = '{HOSTILE}'",
}


@pytest.mark.parametrize("name", [*DAMAGE, *HARMLESS])
def test_a_batch_that_is_damaged_is_told_in_words(name, runs):
    folder = runs / "damaged"
    shutil.copytree(runs / "many", folder)
    statement = (DAMAGE | HARMLESS)[name]
    if " trial " in statement:
        forge(folder, statement)
    else:
        with sqlite3.connect(folder / "run.db") as db:
            db.execute(statement)
    page = on("batch", run=str(folder))
    assert bool(page.error) or name in HARMLESS
    on("batch")  # the list of all
    replay = on("replay", run=str(folder), trial="1")
    if "runner.replay" in replay.session_state:
        replay.session_state["runner.replay"].close()
    shutil.rmtree(folder)


def test_a_job_takes_no_options_but_ours(runs):
    good = {"kind": "batch", "arguments": ["--trials", "6"]}
    assert jobs._ours(good) and jobs._ours({"kind": "certify", "arguments": ["--reliability=0.99", "--failures=0"]})
    for bad in ({}, {**good, "kind": "app"}, {**good, "arguments": ["--on", "dask://x"]}, {**good, "arguments": "6"},
                {**good, "arguments": [{}]}, {**good, "arguments": ["--trials", "6\n--on"]}):  # fmt: skip
        assert not jobs._ours(bad)


# -- numbers that are none ---------------------------------------------------------------------------------------------


def test_a_reward_that_is_no_number_is_a_gap():
    points = [Point(tick, 0, 0, None, 0, 0, 0, None, 0, 0) for tick in range(3)]
    told = json.dumps([charts(points), latest(points[0])], allow_nan=False)  # NaN would be no JSON
    assert json.loads(told)[0]["points"]["reward"] == [None] * 3 and json.loads(told)[1]["reward"] is None


# -- the page Replay ---------------------------------------------------------------------------------------------------


def test_a_run_is_chosen_and_another_beside_it(runs):
    page = on("replay")
    assert page.markdown[0].value == "### Runs" and not page.selectbox
    page = settled(on("replay", run="runs/two"), "replay")
    run = next(each for each in page.selectbox if each.label == "Run")
    run.set_value("runs/one").run()
    page = settled(page, "replay")
    show = page.session_state["runner.replay"]
    assert page.query_params["run"] in ("runs/one", ["runs/one"]) and show.order == (Recorded(Path("runs/one"), 0),)
    assert not any(label in " ".join(each.value for each in page.markdown) for label in ("<script>", "[x]("))
    beside = next(each for each in page.selectbox if each.label == "Beside it")
    beside.set_value("runs/two").run()
    page = settled(page, "replay")
    assert len(show.order) == 2 and "They part at tick 1" in moment(page)["parted"]
    beside = next(each for each in page.selectbox if each.label == "Beside it")
    beside.set_value("runs/one").run()
    assert "They are the same" in moment(settled(page, "replay"))["parted"]
    show.close()


def test_a_row_of_a_batch_is_played_again_and_another_is_chosen(runs):
    page = settled(on("replay", run="runs/many", trial="2"), "replay")
    show = page.session_state["runner.replay"]
    assert [each.seed for each in show.order] == [2] and show.peek().error is None and show.peek().counters.head > 0
    page.number_input[0].set_value(1).run()
    page = settled(page, "replay")
    assert [each.seed for each in show.order] == [1] and not page.error
    show.close()


@pytest.mark.parametrize("trial", ["-1", "inf", "9" * 100_000, "²"])
def test_a_trial_that_is_none_in_the_address(trial, runs):
    page = on("replay", run="runs/many", trial=trial, beside="../../etc", beside_trial=trial)
    assert page.error and "etc" in told(page)


@pytest.mark.parametrize("run", ["../../etc", "\0", "a" * 100_000, HOSTILE])
def test_a_folder_that_is_none_in_the_address(run, runs):
    page = on("replay", run=run)
    assert page.error or page.info and len(told(page)) < 700
    assert on("batch", run=run) and on("lessons", lesson=run)


def test_a_run_that_is_deleted_while_it_is_replayed(runs):
    shutil.copytree(runs / "one", runs / "gone")
    page = settled(on("replay", run="runs/gone"), "replay")
    show = page.session_state["runner.replay"]
    show.seek(3)
    shutil.rmtree(runs / "gone")
    page = settled(page, "replay")
    assert "runs/gone" in told(page)
    show.close()


def test_the_theme_is_the_same_however_the_studio_is_opened(root):
    own, other = ((root / path).read_text("utf-8") for path in ("sandbox/studio/theme.toml", ".streamlit/config.toml"))
    assert tomllib.loads(own)["theme"] == tomllib.loads(other)["theme"]

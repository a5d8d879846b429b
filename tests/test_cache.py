"""The kernel cache: an edit never meets a stale kernel, a second start compiles nothing, any install has a folder."""

import multiprocessing
import os
import pickle
import shutil
import stat
import sys
import time
from hashlib import sha256
from pathlib import Path
from types import FunctionType

import numba
import numpy as np
import pytest
from numba.core import event

import sandbox
from sandbox.engine import cache, dispatcher
from sandbox.engine.compiling import Step, heard, unstored
from sandbox.engine.kernel import CACHE, kernel

DRAW = "sandbox/engine/draw.py"
PACKAGE = Path(sandbox.__file__).parent


def kernels(folder) -> set[str]:
    return {str(path) for path in Path(folder).rglob("*.nbc")}


def totals(found) -> tuple:
    return found["double"]["total"], found["triple"]["total"]


def all_hit(found) -> bool:
    return all(found[name]["hits"] and not found[name]["misses"] for name in ("double", "triple"))


# -- editing sources ---------------------------------------------------------------------------------------------------


def test_an_edit_below_its_caller_is_never_served_stale(install):
    """Of a package that offers a world, two calls below the loop; then of Sandbox, four files below it as well."""
    inner = ("toy/inner.py", "x + 1000", "x + 2000")
    draws = (DRAW, "0xBF58476D1CE4E5B9", "0xBF58476D1CE4E5BB")
    first = install.run()
    assert not all_hit(first)
    assert first["triple"]["total"] * 2 == first["double"]["total"] * 3, "two loops of one template do not collide"
    written = kernels(install.cache)
    again = install.run()
    assert totals(again) == totals(first) and all_hit(again) and kernels(install.cache) == written
    found = [first]
    for path, old, new in (inner, draws):
        install.edit(path, old, new)
        found.append(install.run())
        assert not all_hit(found[-1])
    assert len({each["folder"] for each in found}) == len({totals(each) for each in found}) == 3
    for path, old, new in (inner, draws):
        install.edit(path, new, old)
    back = install.run()
    assert totals(back) == totals(first) and back["folder"] == first["folder"] and all_hit(back)


def test_numba_alone_would_serve_it_stale(install, tmp_path):
    """One folder for all sources gives the old answer: what the fingerprint is for, and proof that tests can see it."""
    folder = str(tmp_path / "one")
    one = f"sandbox.engine.cache.folder = pathlib.Path({folder!r})"
    pinned = f"import sandbox.engine.kernel, pathlib, runpy; {one}; runpy.run_module('toy')"
    first = install.run("-c", pinned)
    install.edit("toy/inner.py", "x + 1000", "x + 2000")
    assert totals(install.run("-c", pinned)) == totals(first)


def test_an_edit_between_start_and_import_leaves_nothing_stale_behind(install):
    """Worlds are imported when they are asked for; sources may have changed since the folder was chosen."""
    first = install.run()
    shutil.rmtree(install.cache)
    file = str(install.site / "toy/inner.py")
    code = (
        "import sandbox.engine.kernel, os, runpy, pathlib\n"
        f"file = pathlib.Path({file!r})\n"
        "text, at = file.read_text(), file.stat()\n"
        "file.write_text(text.replace('x + 1000', 'x + 2000'))\n"
        "os.utime(file, ns=(at.st_atime_ns, at.st_mtime_ns))\n"
        "runpy.run_module('toy')"
    )
    edited = install.run("-c", code)
    assert totals(edited) != totals(first)
    install.edit("toy/inner.py", "x + 2000", "x + 1000")
    assert totals(install.run()) == totals(first)


def test_the_second_start_of_a_world_compiles_nothing(warm_tiny, install):
    """The world itself, from the cache that this session filled; a copy elsewhere has a folder of its own."""
    code = (
        "import json, sandbox\n"
        "env = sandbox.make('warehouse', layout='tiny', agents=4)\n"
        "state, _ = env.play([1], 'rules', ticks=2)\n"
        "stats = env.assign_policies(['rules'] * 4)[1].play.stats\n"
        "print(json.dumps([sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), env.digest(state)]))"
    )
    before = kernels(CACHE)
    hits, misses, digest = install.run("-c", code, PYTHONPATH=str(PACKAGE.parent), SANDBOX_CACHE=str(CACHE.parent))
    assert (hits, misses) == (1, 0)
    assert not [name for name in kernels(CACHE) - before if "warehouse" in str(name)]  # other tests compile meanwhile
    assert digest == warm_tiny.digest(warm_tiny.play([1], "rules", ticks=2)[0])


# -- the fingerprint ---------------------------------------------------------------------------------------------------


def test_every_source_counts(tmp_path):
    copy = tmp_path / "sandbox"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    seen = {cache.fingerprint([copy])}
    assert seen == {cache.fingerprint([PACKAGE])}  # of what stands in the files, wherever they are
    for path in sorted(copy.rglob("*.py")):
        text = path.read_bytes()
        path.write_bytes(text + b"#")
        seen.add(cache.fingerprint([copy]))
        path.write_bytes(text)
    assert len(seen) == 1 + len(list(copy.rglob("*.py")))


def test_one_byte_a_name_a_root_and_numba_all_count(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("x = 1\n")
    found = [cache.fingerprint([tmp_path])]
    (tmp_path / "a.py").write_text("x = 2\n")
    found.append(cache.fingerprint([tmp_path]))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    found.append(cache.fingerprint([tmp_path]))
    found.append(cache.fingerprint([tmp_path, tmp_path / "b.py"]))
    monkeypatch.setattr(numba, "__version__", "0.0")
    found.append(cache.fingerprint([tmp_path]))
    assert len(set(found)) == len(found)


def test_what_is_no_source_does_not_count(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = cache.fingerprint([tmp_path])
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "a.pyc").write_bytes(b"0")
    assert cache.fingerprint([tmp_path]) == before


# -- where the folder is -----------------------------------------------------------------------------------------------


def _lock(folder: Path, locked: bool) -> None:
    for path in [folder, *folder.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode & ~0o222 if locked else mode | stat.S_IWUSR)


def test_a_read_only_install_without_a_home_runs_and_caches(install, tmp_path):
    """Permissions do not bind root, so no home can be made either: /proc takes no folder from anyone."""
    spare = tmp_path / "tmp"
    spare.mkdir()
    nowhere = {"HOME": "/proc/nonexistent", "XDG_CACHE_HOME": None, "SANDBOX_CACHE": None, "TMPDIR": str(spare)}
    _lock(install.site, True)
    try:
        first = install.run(**nowhere)
        again = install.run(**nowhere)
    finally:
        _lock(install.site, False)
    assert Path(first["folder"]).is_relative_to(spare) and again["folder"] == first["folder"]
    assert not all_hit(first) and all_hit(again) and totals(again) == totals(first)
    assert not kernels(install.site)


def test_the_users_cache_folder_is_the_place_by_default(install, tmp_path):
    found = install.run(SANDBOX_CACHE=None, XDG_CACHE_HOME=str(tmp_path / "xdg"), HOME=str(tmp_path))
    assert Path(found["folder"]).is_relative_to(tmp_path) and kernels(found["folder"])


# -- pruning -----------------------------------------------------------------------------------------------------------


def test_a_variable_of_numba_that_changes_does_not_move_the_cache(folder, tmp_path, monkeypatch):
    """Numba then reads all its settings anew; kernels must not be looked for, and unpickled, in the working folder."""
    monkeypatch.chdir(tmp_path)
    numba.config.reload_config()
    assert played() == 0 and played() == 1
    assert list(folder.glob("*.nbc")) and not list(tmp_path.glob("*.nbc"))


def _folder(base: Path, number: int, age: float) -> Path:
    folder = base / f"{number:016x}"
    (folder / "engine_x").mkdir(parents=True)
    (folder / "engine_x" / "play.nbc").write_bytes(b"0")
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def test_old_folders_are_pruned_new_and_recent_ones_are_not(tmp_path):
    old = [_folder(tmp_path, k, age=1000 + k) for k in range(5)]
    recent = [_folder(tmp_path, 10 + k, age=10 + k) for k in range(3)]
    cache.prune(tmp_path, keep=2, grace=100)
    assert all(folder.exists() for folder in recent)  # one more than are kept, but in use
    assert not any(folder.exists() for folder in old)
    cache.prune(tmp_path, keep=2, grace=0)
    assert [folder.exists() for folder in recent] == [True, True, False]


def test_preparing_marks_the_folder_as_used_and_prunes(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "folder", cache.folder)
    old = [_folder(tmp_path, k, age=10 * cache.GRACE + k) for k in range(cache.KEEP + 3)]
    own = _folder(tmp_path, int(cache.fingerprint(cache._packages()), 16), age=20 * cache.GRACE)
    assert cache.prepare() == own and time.time() - own.stat().st_mtime < 60
    assert sum(folder.exists() for folder in old) == cache.KEEP - 1


def test_pruning_spares_what_is_no_folder_of_ours(tmp_path):
    """Someone may point SANDBOX_CACHE at a folder that holds other things."""
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "draft.txt").write_text("years of work")
    os.utime(precious, (0, 0))
    _folder(tmp_path, 1, age=10)
    cache.prune(tmp_path, keep=1, grace=0)
    assert (precious / "draft.txt").exists()


def test_a_warm_world_is_known_as_warm(warm_tiny):
    warm_tiny.warm_up(["rules"] * 4)
    assert warm_tiny.is_warm(["rules"] * 4) and warm_tiny.is_warm(["rules"], whole=True)


def test_a_world_that_nobody_played_is_known_as_cold(tmp_path, root):
    shutil.copy(root / "examples" / "minimal_world.py", tmp_path / "lonely.py")
    env = sandbox.make(str(tmp_path / "lonely.py"))
    assert not env.is_warm(["random"] * env.agents)
    kernels = env.uncompiled(["random"] * env.agents)
    assert any(step.kernel.py_func.__name__ == "choose_one" for step in kernels) and min(kernels.values()) > 0


called = None


def calls(out, x):
    called(out, x)


def test_how_far_a_compilation_is(folder):
    inner = kernel(FunctionType(twice.__code__, {}, "inner"))
    outer, told = kernel(FunctionType(calls.__code__, {"called": inner}, "outer")), []
    found = unstored([outer])
    assert set(found) == {Step(inner, False), Step(outer, False), Step(outer, True)}
    with heard(found, told.append):
        outer(np.zeros(3), 1.0)
    assert [each.done for each in told] == [0, 0, 1, 2, 2, 3] and told[-1].share == 1 and told[-1].total == 3
    assert not unstored([outer])


# -- damage ------------------------------------------------------------------------------------------------------------


def twice(out, x):
    for k in range(len(out)):
        out[k] = 2 * x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "folder", tmp_path / "kernels")
    return tmp_path / "kernels"


def played(x=21, dtype=np.int64) -> int:
    """Call a kernel as a process that has just started does; how often it was found on disk."""
    compiled, out = kernel(twice), np.zeros(3, dtype)
    compiled(out, x)
    assert out.tolist() == [2 * x] * 3
    return sum(compiled.stats.cache_hits.values())


def linked():
    """The kernel that ``chained`` calls, by way of another."""
    inner = kernel(FunctionType(twice.__code__, {"__name__": __name__}, "inner"))
    inner.store.name = "chain.inner"
    return inner


def chained(monkeypatch) -> int:
    """Call a kernel that calls another, as a process that has just started does, without its machine code on disk.

    How many of the two parts were compiled.
    """
    monkeypatch.setattr(dispatcher, "_loaded", {})
    inner = linked()
    outer = kernel(FunctionType(calls.__code__, {"called": inner, "__name__": __name__}, "outer"))
    outer.store.name = "chain.outer"
    out = np.zeros(3)
    with event.install_listener("numba:compile", event.RecordingListener()) as listener:
        outer(out, 21.0)
        found = [each.data["entry"] for _, each in listener.buffer if not each.is_start]
    assert out.tolist() == [42] * 3
    for path in cache.folder.glob("*.entry.nbc"):
        path.unlink()
    return found.count(False)


def _a_folder(path, data):
    path.unlink()
    path.mkdir()
    (path / "x").write_bytes(b"x")


def _flip(path, data):
    path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])


def _other_content(path, data):
    content = pickle.dumps((None, ()))
    path.write_bytes(sha256(content).digest() + content)


DAMAGE = {
    "empty": lambda path, data: path.write_bytes(b""),
    "cut": lambda path, data: path.write_bytes(data[: len(data) // 2]),
    "cut in its checksum": lambda path, data: path.write_bytes(data[:7]),
    "one bit": _flip,
    "zeros, as after a power cut": lambda path, data: path.write_bytes(bytes(len(data))),
    "random": lambda path, data: path.write_bytes(os.urandom(len(data))),
    "text": lambda path, data: path.write_text("I am no kernel"),
    "folder": _a_folder,
    "no pickle": lambda path, data: path.write_bytes(sha256(b"abc").digest() + b"abc"),
    "of another kernel": _other_content,
    "missing": lambda path, data: path.unlink(),
    "nobody may read it": lambda path, data: path.chmod(0),
    "link to itself": lambda path, data: (path.unlink(), path.symlink_to(path)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_machine_code_is_compiled_again_and_kept(folder, damage):
    assert (played(), played()) == (0, 1)
    (path,) = folder.glob("*.entry.nbc")
    DAMAGE[damage](path, path.read_bytes())
    played()
    assert played() == 1 and len(kernels(folder)) == 2


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_part_is_compiled_again_and_kept(folder, damage, monkeypatch):
    """Of the kernel that is called, and of one that it calls, whose file is found by its name alone."""
    for name in ("inner", "outer"):
        shutil.rmtree(folder, ignore_errors=True)
        assert (chained(monkeypatch), chained(monkeypatch)) == (2, 0)
        (path,) = folder.glob(f"*.{name}-*.part.nbc")
        DAMAGE[damage](path, path.read_bytes())
        intact = damage == "nobody may read it" and os.access(path, os.R_OK)  # permissions do not bind root
        assert bool(chained(monkeypatch)) != intact
        assert chained(monkeypatch) == 0 and len(kernels(folder)) == 2


def test_parts_that_two_processes_wrote_fit_together(folder, monkeypatch):
    """One wrote the caller, the other the callee, each with Numba's own numbers in its names."""
    assert chained(monkeypatch) == 2
    (outer,) = folder.glob("*.outer-*.part.nbc")
    content = outer.read_bytes()
    shutil.rmtree(folder)
    linked()(np.zeros(3), 21.0)
    outer.write_bytes(content)
    assert chained(monkeypatch) == 0


def test_a_folder_that_is_a_file_or_read_only_or_full_costs_only_time(folder, monkeypatch):
    folder.write_text("")
    assert (played(), played()) == (0, 0)
    folder.unlink()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(cache.os, "replace", full)
        assert (played(), played()) == (0, 0)
    assert not kernels(folder) and (played(), played()) == (0, 1)


def test_every_signature_has_its_own_file(folder):
    """Numba numbers them in an index; of two processes at once one's entry named the other's code."""
    types = (np.int64, np.float64, np.int8, np.int32)
    assert [played(dtype=each) for each in types] == [0] * 4
    assert [played(dtype=each) for each in types] == [1] * 4 and len(kernels(folder)) == 8


def test_an_edit_of_a_script_is_seen(folder, tmp_path):
    """A constant is no part of the bytecode; the file may be in no package that is hashed."""
    for value in (1, 2):
        (tmp_path / "script.py").write_text(f"def f(out):\n    out[0] = {value}\n")
        space, out = {"__name__": "script"}, np.zeros(1)
        exec(compile((tmp_path / "script.py").read_text(), str(tmp_path / "script.py"), "exec"), space)  # as on reload
        kernel(space["f"])(out)
        assert out[0] == value


def _write(path, stop):
    while not stop.is_set():
        cache.write(path, bytes(3_000_000))


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new(tmp_path):
    path, context = tmp_path / "x-0.nbc", multiprocessing.get_context("fork")
    cache.write(path, bytes(3_000_000))
    for _ in range(5):
        writer = context.Process(target=_write, args=(path, context.Event()))
        writer.start()
        time.sleep(0.02)
        writer.kill()
        writer.join()
        assert cache.read(path) == bytes(3_000_000)


def test_a_function_that_numba_compiles_itself_cannot_call_kernels():
    """It crashed the process: Numba links machine code, and kernels have none of their own."""
    env = sandbox.make("warehouse", layout="tiny", agents=3)
    observe, params = env.world.observe, env.params

    @numba.njit
    def look(state, obs, params):
        for lane in range(len(state.tick)):
            observe(state, lane, params, obs)

    with pytest.raises(numba.core.errors.NumbaError, match="only kernels can call: decorate the caller with @kernel"):
        look(env.reset([1, 2]), env.observation(2), params)

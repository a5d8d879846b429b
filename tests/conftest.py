"""What several test files share: worlds that are compiled once, and a toy package whose kernels compile in a second."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("NUMBA_OPT", "1")  # a fifth less time to compile; floating point is exact at any level

import numba
import pytest
from hypothesis import settings
from records import record, story
from spent import Spent

import sandbox
from sandbox.engine import loops, parallel, registry

if numba.config.BOUNDSCHECK:  # all is compiled anew: to check indices, one loop for all policies of a world will do
    for name in registry.names():
        loops.share(registry.find(name), registry.find(name).policies)

parallel.WORTH = float("inf")  # the tests take all cores already; tests/test_parallel.py has a second process

settings.register_profile("sandbox", deadline=None)  # a first example may compile a kernel
settings.load_profile("sandbox")

signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs in the background may have been told to ignore it
for name in ("SANDBOX_MODEL", "SANDBOX_ALLOW"):  # tests play the models that their scenarios name
    os.environ.pop(name, None)
CONFIGURATION = tempfile.TemporaryDirectory()  # what the user of this machine has granted does not count
os.environ["XDG_CONFIG_HOME"] = CONFIGURATION.name

pytest_plugins = ["browser"]
collect_ignore = [f"test_{name}.py" for name in ("verifiers", "pm4py") if not find_spec(name)]  # .ci/run has a place
ROOT = Path(__file__).resolve().parents[1]
MAIN = sys.modules["__main__"]

TOY = {
    "__init__.py": "WORLD = None\n",
    "inner.py": "from sandbox.engine.kernel import kernel\n\n\n@kernel\ndef gain(x):\n    return x + 1000\n",
    "loops.py": (
        "from sandbox.engine.draw import below\n"
        "from sandbox.engine.kernel import kernel\n"
        "from toy.inner import gain\n\n"
        "rate = None\n\n\n"
        "@kernel\ndef double(x):\n    return 2 * gain(x)\n\n\n"
        "@kernel\ndef triple(x):\n    return 3 * gain(x)\n\n\n"
        "def total(out, seed, n):\n"
        "    for k in range(n):\n        out[k % len(out)] += rate(below(1000, seed, 0, 0, k))\n"
    ),
    "__main__.py": (
        "import json\nimport numpy as np\n"
        "from sandbox.engine.kernel import CACHE, specialise\nfrom toy import loops\n\n"
        "found = {}\n"
        "for name in ('double', 'triple'):\n"
        "    loop, out = specialise(loops.total, name, rate=getattr(loops, name)), np.zeros(4, np.int64)\n"
        "    loop(out, np.uint64(7), 100)\n"
        "    hits = sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values())\n"
        "    found[name] = {'total': int(out.sum()), 'hits': hits[0], 'misses': hits[1]}\n"
        "print(json.dumps({**found, 'folder': str(CACHE)}))\n"
    ),
}


class Install:
    """A copy of Sandbox beside a package ``toy`` that offers a world, in a folder of their own on the path."""

    def __init__(self, folder: Path):
        self.site, self.cache = folder / "site", folder / "cache"
        source, skip = Path(sandbox.__file__).parent, shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, self.site / "sandbox", ignore=skip)
        (self.site / "toy").mkdir()
        for name, text in TOY.items():
            (self.site / "toy" / name).write_text(text)
        info = self.site / "toy-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
        (info / "entry_points.txt").write_text("[sandbox.worlds]\ntoy = toy:WORLD\n")

    def run(self, *arguments: str, **environment: str | None) -> dict:
        """Run ``python *arguments`` (the toy if none) in a new process; what it printed, as JSON."""
        env = {**os.environ, "PYTHONPATH": str(self.site), "SANDBOX_CACHE": str(self.cache), **environment}
        env = {key: value for key, value in env.items() if value is not None and key != "NUMBA_CACHE_DIR"}
        command = [sys.executable, *(arguments or ("-m", "toy"))]
        done = subprocess.run(command, env=env, cwd=self.site.parent, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text of equal length and keep the file's times: nothing but the contents tells."""
        file = self.site / path
        before, text = file.stat(), file.read_text()
        assert text.count(old) == 1 and len(old) == len(new)
        file.write_text(text.replace(old, new))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def pytest_configure(config):
    config.pluginmanager.register(Spent(config), "spent")


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: who waits for a browser, a server or a child leaves its core to another."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items):
    """The conformance suite first: a worker takes a world, so no two compile the same kernels, and the rest has them.

    Then what a browser does, which waits much. Then as pytest-xdist orders by itself:
    the files and classes with most tests first.
    """
    scopes = [item.nodeid.rsplit("::", 1)[0] for item in items]
    many = Counter(scopes)
    order = {
        scope: ("test_worlds.py::" not in scope, "browser" not in scope, -many[scope], number)
        for number, scope in enumerate(many)
    }
    items[:] = [item for _, item in sorted(zip(scopes, items, strict=True), key=lambda pair: order[pair[0]])]


@pytest.fixture(autouse=True)
def own_main():
    """A page under test takes the place of the main module, which processes that are spawned later would run."""
    sys.modules["__main__"] = MAIN
    yield
    sys.modules["__main__"] = MAIN


@pytest.fixture
def install(tmp_path):
    return Install(tmp_path)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tiny():
    """RWARE's smallest warehouse with four robots, as it comes."""
    return sandbox.make("warehouse", layout="tiny", agents=4)


@pytest.fixture(scope="session")
def warm_tiny(tiny):
    """The same, with the loop of each policy compiled."""
    for policy in tiny.world.policies:
        tiny.play([1], policy, ticks=2)
    return tiny


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The folder of a recorded run of three trials; copy it before you change it."""
    folder = tmp_path_factory.mktemp("run") / "finished"
    record(folder, story())
    return folder

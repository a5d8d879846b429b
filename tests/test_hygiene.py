"""What no one should have to check by eye: lint, the order of the floors, file sizes, traces of a machine."""

import ast
import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec

import pytest
import yaml

from sandbox.engine import registry

LONGEST = 500  # lines: beyond, a module is asked whether it is two subjects
TRACES = ("/wo|rk/", "/ro|ot/", "pypi|.org", "pythonhosted|.org", "registry.npm|js", "proxy.go|lang")  # without the bar


def run(root, *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files(root):
    """All files that are or would be tracked; without git, those of the folders that are."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
        found = [root / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):
        folders = ("sandbox", "tests", "benchmarks", "scenarios", "docs", ".ci")
        found = [path for name in folders for path in (root / name).rglob("*") if "__pycache__" not in path.parts]
    return [path for path in found if path.is_file()]


def test_ruff(root):
    run(root, "-m", "ruff", "check", "--no-cache", ".")


@pytest.mark.skipif(find_spec("mypy") is None and not os.environ.get("CI"), reason="mypy comes with the extra test")
def test_types(root):
    """What pyproject.toml names under tool.mypy; a checker that has no cache takes six seconds."""
    run(root, "-m", "mypy", f"--cache-dir={os.devnull}")


def test_a_module_imports_from_floors_below_its_own_only(root):
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    assert "0 broken" in run(root, "-c", code)


def test_no_trace_of_a_machine_or_a_registry(files, root):
    found = []
    for path in files:
        text = path.read_bytes()
        found += [f"{path.relative_to(root)}: {trace}" for trace in TRACES if trace.replace("|", "").encode() in text]
    assert not found


def test_files_of_the_package_are_short(root):
    lengths = {path: len(path.read_text().splitlines()) for path in (root / "sandbox").rglob("*.py")}
    assert len(lengths) > 40
    assert not {str(path.relative_to(root)): n for path, n in lengths.items() if n > LONGEST}


def test_an_installed_package_has_every_file_of_data(root):
    """An editable install has them anyway, so nothing else would notice."""
    told = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    folders = {root.joinpath(*package.split(".")): globs for package, globs in told.items()}
    installed = {path for folder, globs in folders.items() for each in globs for path in folder.glob(each)}
    tracked = subprocess.run(["git", "ls-files", "sandbox"], cwd=root, capture_output=True, text=True, check=True)
    data = {root / name for name in tracked.stdout.splitlines() if not name.endswith(".py")}
    assert len(data) > 50 and data <= installed, data - installed


def test_only_the_kernel_module_compiles(root):
    """``engine.kernel`` decides how: nothing else calls njit, and nothing runs loops in Numba's own threads."""
    sources = {path.relative_to(root).as_posix(): path.read_text() for path in (root / "sandbox").rglob("*.py")}
    assert [name for name, text in sources.items() if "njit" in text] == ["sandbox/engine/kernel.py"]
    assert not [name for name, text in sources.items() if "parallel=True" in text or "fastmath=True" in text]


def _names_in_code(path) -> set[str]:
    """Words of the code itself, in lower case: names, attributes, modules, and texts that are no docstrings."""
    words, tree = set(), ast.parse(path.read_text())
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "module", "arg"):
            words.update(str(getattr(node, field, None) or "").lower().replace("_", ".").split("."))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""  # visited after its statement: docstrings are for people
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.update(node.value.lower().replace("_", " ").replace(".", " ").split())
    return words


def test_workflows_leave_the_list_of_what_tests_need_to_one_script(root):
    """Under CI a missing package is a failure. So the workflow calls ``.ci/run``, which installs them all."""
    jobs = yaml.safe_load((root / ".github/workflows/tests.yml").read_text())["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands["tests"] == [".ci/run"] and os.access(root / ".ci/run", os.X_OK)
    assert not [command for each in commands.values() for command in each if "pytest" in command]


def test_nothing_but_the_registry_knows_a_world_by_name(root):
    known, found = set(registry.names()) - {"web"}, {}  # "web" is a word of browsers and addresses too
    for path in (root / "sandbox").rglob("*.py"):
        name = path.relative_to(root).as_posix()
        if "worlds" not in path.parts and path.name != "registry.py":
            found[name] = _names_in_code(path) & known
    assert len(found) > 30 and not {path: words for path, words in found.items() if words}

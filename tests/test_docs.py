"""The documents' commands run as they stand, and their links lead somewhere."""

import re
import shlex
import sys
from pathlib import Path

import pytest

import sandbox
from sandbox.fronts.cli import main

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = sorted(path for path in (ROOT / "scenarios").rglob("*.toml") if path.parent.name != "lessons")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "RESULTS.md"]
MARKED = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for block in MARKED.findall(page.read_text()) for line in block.splitlines() if line]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_commands_run_in_order(page, tmp_path, monkeypatch):
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    for command in commands(page):
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code in (0, None), command


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenarios_run(path):
    outcome = sandbox.run(path)
    assert outcome.error is None and outcome.ticks > 1
    assert outcome.success or path.stem == "renamed"  # its seed shows how an agent breaks


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_documented_batches_do_not_share_a_folder():
    """The usual folder is named after the file alone, and files of several folders may be called alike."""
    texts = [path.read_text() for path in (*PAGES, *(ROOT / "scenarios").rglob("*.toml"))]
    found = re.findall(r"sandbox batch (scenarios/\S+?\.toml)([^\n`#]*)", "\n".join(texts))
    folders = {}
    for scenario, options in found:
        out = re.search(r"--out (\S+)", options)
        folders.setdefault(out[1] if out else f"runs/{Path(scenario).stem}-batch", set()).add(scenario)
    assert len(found) > 10 and not {out: files for out, files in folders.items() if len(files) > 1}

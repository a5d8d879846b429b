"""The documents' commands run as they stand, and their links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import sandbox
from benchmarks import pages
from benchmarks.stated import cell, figure, sentence, tables
from sandbox.cli.main import main
from sandbox.scenario import load
from sandbox.statistics import Estimate
from sandbox.studies.lessons import load_lesson

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = sorted(path for path in (ROOT / "scenarios").rglob("*.toml") if path.parent.name != "lessons")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "RESULTS.md"]
MARKED = re.compile(r"<!-- run -->\n```sh\n(.*?)```", re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for block in MARKED.findall(page.read_text()) for line in block.splitlines() if line]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_commands_run_in_order(page, tmp_path, monkeypatch):
    for folder in ("examples", "scenarios"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    for command in commands(page):
        words = shlex.split(command)
        while re.fullmatch(r"[A-Z_]+=\S+", words[0]):
            monkeypatch.setenv(*words.pop(0).split("=", 1))
        if words[0] == "python":
            subprocess.run(words, check=True, timeout=300)
            continue
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code in (0, None), command


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenarios_run(path):
    outcome = sandbox.run(path)
    assert outcome.error is None and outcome.ticks
    # The seed of `renamed` shows how an agent breaks, the first arm of `half-the-time` what people overlook; studies of
    # imagination start at seeds that nobody chose.
    assert outcome.success or path.stem in ("renamed", "half-the-time") or path.parent.name == "imagination"


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


STUDIES = {  # where a page states the trials of a study, and its file
    ("docs/teams.md", "until 60 parcels are delivered, n = #."): "teams/warehouse",
    ("docs/teams.md", "of village and people are saved, n = #."): "teams/wildfire",
    ("docs/teams.md", "The market of the warehouse, n = # on seeds"): "teams/loss",
    ("docs/teams.md", "each of 13 edges cut in turn, n = # on seeds"): "teams/edges",
    ("docs/teams.md", "Throughput in tasks done a tick, n = # on seeds"): "teams/sizes",
    ("docs/teams.md", "(`scenarios/teams/absent.toml`, n = # on seeds"): "teams/absent",
}


@pytest.mark.parametrize("stated", STUDIES, ids=lambda stated: stated[1])
def test_pages_give_the_trials_of_their_files(stated):
    assert figure(sentence(*stated).text).value == load(ROOT / f"scenarios/{STUDIES[stated]}.toml").trials.count


def test_tables_give_the_trials_of_their_files():
    """Of imagination by world, of lessons by title."""
    name = "docs/imagination.md"
    rows = [row for table in tables(name) if table[0][0].text == "scenario" for row, *_ in table[1:]]
    assert len(rows) > 9
    for row in rows:
        count = load(ROOT / f"scenarios/imagination/{re.split(r'[, ]', row.text)[0]}.toml").trials.count
        assert int(cell(name, row.text, "n").text) == count, row.text
    for path in (ROOT / "scenarios/lessons").glob("*.toml"):
        lesson = load_lesson(path)
        stated = cell("docs/lessons.md", lesson.plan.title, "trials of each arm").text
        assert int(stated.replace(",", "")) == lesson.scenario().trials.count, lesson.name


@pytest.mark.parametrize("name", ["imagination.md", "teams.md"])
def test_no_hand_has_changed_a_table_that_a_command_wrote(name):
    text = (ROOT / "docs" / name).read_text()
    found = pages.written(text)
    assert len(found) >= 1 and len(found) == text.count("<!-- table") == text.count("<!-- end of")
    for key, table in found.items():
        module, part = re.fullmatch(r"python -m benchmarks (\w+) --only (\w+)", table.command).groups()
        assert part in import_module(f"benchmarks.{module}").PARTS, key
        assert pages.digest(table.text) == table.digest, f"{key}: run `{table.command}`, or change what it writes"


def test_a_table_is_put_in_the_place_of_the_old_one(tmp_path, monkeypatch):
    before, after = "Before.\n\n<!-- table t: written by `x` -->\n\n", "\n\n<!-- end of t, {} -->\n\nAfter.\n"
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    (tmp_path / "p.md").write_text(before + "| a |\n|---|\n| 1 |" + after.format("none"))
    pages.show("p.md", "t", ["a", "b"], [["2", ""]], quick=True)
    assert "| 1 |" in (tmp_path / "p.md").read_text()
    pages.show("p.md", "t", ["a", "b"], [["2", ""]], quick=False)
    told = "| a | b |\n|---|---|\n| 2 | |"
    assert (tmp_path / "p.md").read_text() == before + told + after.format(pages.digest(told))
    pages.show("p.md", "t", ["a", "b"], [["1", "x"], ["2", "y"]], quick=False, kept=True)
    pages.show("p.md", "t", ["a", "b"], [["1", ""]], quick=False, kept=True)
    assert pages.written((tmp_path / "p.md").read_text())["t"].text == "| a | b |\n|---|---|\n| 2 | y |\n| 1 | |"
    with pytest.raises(KeyError):
        pages.show("p.md", "other", ["a"], [["2"]], quick=False)


@pytest.mark.parametrize(
    "estimate, better, text",
    [
        ((5.71, 2.6, 8.9), 1, "**+5.7** (+2.6 .. +8.9)"), ((5.71, 2.6, 8.9), -1, "+5.7 (+2.6 .. +8.9)"),
        ((-3.0, -4.0, -1.0), -1, "**-3.0** (-4.0 .. -1.0)"), ((0.01, -1.0, 1.0), 1, "0 (-1.0 .. +1.0)"),
        ((2535.2, 2486.0, 2589.0), -1, "+2,535.2 (+2,486.0 .. +2,589.0)"),
    ],
)  # fmt: skip
def test_a_difference_is_written_as_claims_read_it(estimate, better, text):
    assert pages.difference(Estimate(*estimate), better) == text
    found = figure(text)
    assert (found.value, found.low, found.high) == pytest.approx(estimate, abs=0.06)


def test_five_minutes_of_the_readme(tmp_path, monkeypatch):
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    part = (ROOT / "README.md").read_text().split("## Five minutes")[1].split("\n## ")[0]
    found = [line for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    assert len(found) >= 5
    for command in found:
        if command != "sandbox app":  # the tests of the studio open it
            monkeypatch.setattr(sys, "argv", shlex.split(command))
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code in (0, None), command
    for block in re.findall(r"```python\n(.*?)```", part, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})


def test_decisions_have_numbers_of_their_own_and_are_counted(root):
    text = (root / "docs/decisions.md").read_text(encoding="utf-8")
    numbers = sorted(int(number) for number in re.findall(r'<a id="(\d+)">', text))
    assert numbers == list(range(1, len(numbers) + 1))
    stated = re.findall(r"^\| \[(.+)\]\(#.+\) \| (\d+) \|$", text, re.M)
    heads = re.split(r"^## (.+)$", text, flags=re.M)[1:]
    counted = [(head, str(body.count("<a id="))) for head, body in zip(heads[::2], heads[1::2], strict=True)]
    assert stated == counted

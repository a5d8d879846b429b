"""The tutorial ``docs/add-a-world.md``: its commands and its Python run in an empty folder, in order."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from commands import told

PAGE = Path(__file__).parents[1] / "docs" / "add-a-world.md"
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def test_every_step_of_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text())
    assert [kind for kind, _ in blocks].count("sh") >= 3 and len(blocks) >= 5
    for kind, text in blocks:
        if kind == "sh":
            for line in text.strip().splitlines():
                name, *arguments = shlex.split(line)
                assert name == "sandbox" and told(*arguments) == 0, (line, capsys.readouterr().err)
        elif "Conformance" in text:
            (tmp_path / "test_vineyard.py").write_text(text)
        else:
            exec(compile(text, str(PAGE), "exec"), {})
    assert "You are agent 1." in capsys.readouterr().out and (tmp_path / "vineyard.gif").exists()
    few = "same_seed or inverse or illegal or same_digests"
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_vineyard.py", "-k", few]
    done = subprocess.run(suite, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "6 passed" in done.stdout, done.stdout + done.stderr

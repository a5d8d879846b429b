"""This tree and others, such as a worktree of an earlier commit: each runs code with its own modules."""

import os
import subprocess
import sys
from pathlib import Path

import sandbox

HERE = Path(sandbox.__file__).parents[1]
BESIDE = {"--beside": {"metavar": "PATH", "help": "another tree of Sandbox, such as a worktree of an earlier commit"}}


def trees(beside: str | None) -> dict[str, Path]:
    """The trees to be measured, by the names of their figures; of another tree this is its commit."""
    return {"this tree": HERE} | ({commit(Path(beside).resolve()): Path(beside).resolve()} if beside else {})


def commit(tree: Path) -> str:
    """The first seven digits; the folder's name where git knows of none."""
    run = subprocess.run(["git", "-C", tree, "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True)
    return run.stdout.strip() or tree.name


def printed(tree: Path, code: str, *arguments: str, cache: str | None = None) -> str:
    """What a process of its own prints that runs the code with the Sandbox of a tree.

    ``cache`` is the folder of compiled kernels, by default the usual one, where each tree finds its own.
    """
    env = os.environ | {"PYTHONPATH": str(tree)} | ({"SANDBOX_CACHE": cache} if cache else {})
    command = [sys.executable, "-c", code, *arguments]
    run = subprocess.run(command, env=env, cwd=tree, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout

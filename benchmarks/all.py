"""All speeds in one table; each benchmark in a process of its own, one after the other."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import COLUMNS, Figure, console, load, table
from benchmarks.results import SPEEDS
from benchmarks.trees import BESIDE

PEERS = ()
TREES = ("pace", "start")  # those that measure another tree too
OPTIONS = BESIDE | {"--write": {"action": "store_true", "help": "write the tables to RESULTS.md"}}


def main(arguments: Namespace) -> int:
    """Print the table; 1 if a benchmark could not be measured, such as one whose peer is not installed."""
    rows, failed = [], []
    common = [*["--quick"] * arguments.quick, *["--write"] * arguments.write]
    beside = ["--beside", arguments.beside] if arguments.beside else []
    for name in SPEEDS:
        console.print(f"{name}, load {load()}")
        try:
            rows += [[name, *figure.cells()] for figure in measured(name, common + beside * (name in TREES))]
        except subprocess.CalledProcessError as error:
            failed.append(f"{name}: {error.stderr.strip().splitlines()[-1]}")
    table("All speeds", ["benchmark", *COLUMNS], rows, right=(3,))
    for told in failed:
        console.print(told)
    return int(bool(failed))


def measured(name: str, options: list[str]) -> list[Figure]:
    """The figures of a benchmark; raises CalledProcessError with what it printed if it fails."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "benchmarks", name, "--json", str(file), *options]
        subprocess.run(command, capture_output=True, text=True, check=True)
        return [Figure.of(plain) for plain in json.loads(file.read_text())]

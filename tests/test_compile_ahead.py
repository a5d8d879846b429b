"""The compilation of all worlds in the background of a server."""

import json
import subprocess
import sys
import time

import psutil
from studio import until

from sandbox.cli._compile_ahead import LOWEST

SERVER = """import json, sys
from sandbox.cli._compile_ahead import begin
print(json.dumps(begin().pid), flush=True)
sys.stdin.read()"""


def test_it_has_the_lowest_priority_fills_the_cache_and_ends_with_its_server(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        process = psutil.Process(json.loads(server.stdout.readline()))
        until(lambda: process.nice() == LOWEST, 60)
        until(lambda: _files(tmp_path) > 3, 120)
        assert process.is_running()
        server.stdin.close()
        server.wait(10)
    until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 20)
    made = _files(tmp_path)
    time.sleep(2.0)
    assert _files(tmp_path) == made, "nothing goes on"


def _files(folder) -> int:
    return sum(path.is_file() for path in (folder / "cache").rglob("*"))

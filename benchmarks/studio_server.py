"""A server of Streamlit pages and a browser before it, for benchmarks and tests of the studio."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START = 240.0  # seconds that it may take to compile and to show a picture
ROOT = Path(__file__).parents[1]
# At SIGUSR1 it says where its threads are. (The module faulthandler can do so, but may crash: it holds no lock.)
STREAMLIT = """import runpy, signal, sys, traceback
def tell(*_):
    for thread, frame in sys._current_frames().items():
        print("thread", thread, *traceback.format_stack(frame), file=sys.stderr)
signal.signal(signal.SIGUSR1, tell)
runpy.run_module("streamlit", run_name="__main__", alter_sys=True)"""


class Server(NamedTuple):
    """A process that serves pages."""

    pid: int
    address: str
    log: Path  # what it says


@contextmanager
def served(script: Path, folder: Path, **settings: str) -> Iterator[Server]:
    """A script of pages, served from ``folder``, with more settings in its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.headless": "true", "server.port": port, "server.address": "127.0.0.1"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    command = [sys.executable, "-c", STREAMLIT, "run", str(script), *(f"--{k}={v}" for k, v in options.items())]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    own = {**os.environ, **settings, "PYTHONPATH": path}
    with tempfile.NamedTemporaryFile(prefix="studio-", suffix=".log") as said:
        server = subprocess.Popen(command, cwd=folder, env=own, stdout=said, stderr=said)

        def answers() -> bool:
            if server.poll() is not None:
                raise RuntimeError(f"the server of {script.name} ended with code {server.returncode}")
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).status == 200

        try:
            wait(answers)
            yield Server(server.pid, f"http://127.0.0.1:{port}", Path(said.name))
        finally:
            server.terminate()
            server.wait(20)


def wait(condition, seconds: float = START) -> None:
    """Until ``condition()``, which may fail to reach the server meanwhile; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"the studio did not answer within {seconds:.0f} s")


@contextmanager
def browsing() -> Iterator:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def opened(browser, address: str, script: str = ""):
    """A page in a session of its own, ready to be played; ``script`` runs in it before its own do."""
    page = browser.new_context(viewport={"width": 1280, "height": 844}).new_page()
    page.set_default_timeout(1000 * START)
    if script:
        page.add_init_script(script)
    page.goto(address)
    page.get_by_text("Ready").first.wait_for()
    return page

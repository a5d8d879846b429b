"""The studio: frames a second that a browser shows, and what that takes from the simulation behind them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.pace import Pace
from benchmarks.report import console, met, table
from sandbox.fronts.studio.show.film import Film
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ROUNDS, SECONDS = 4, 8.0
START = 240.0  # seconds that it may take to compile and to show a picture
FRAMES, SHARE = 20.0, 0.9  # distinct frames a second; of the speed without a page

# Every frame that is put on the canvas, by a hash of its pixels, before any of the page's own scripts run.
WATCH = """() => {
  window.frames_ = new Set(); window.put_ = 0;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
    const words = new Uint32Array(image.data.buffer);
    let hash = 7;
    for (let i = 0; i < words.length; i++) hash = (Math.imul(hash, 31) + words[i]) | 0;
    window.frames_.add(hash); window.put_++;
    return put.call(this, image, ...rest);
  };
}"""
COUNTS = """() => {
  const canvas = [...document.querySelectorAll('.stBidiComponent div')].map(e => e.shadowRoot).filter(Boolean)
    .map(root => root.querySelector('canvas[data-painted]')).find(Boolean);
  return canvas && {distinct: window.frames_.size, painted: window.put_, tick: +canvas.dataset.tick,
    width: canvas.width, height: canvas.height};
}"""


def hall(side: int) -> str:
    """A map of a warehouse, as text: blocks of 2 x 8 shelves, a goal at every eighth cell of two walls."""
    rows = range(side)
    goal = [[row in (0, side - 1) and col % 8 == 4 for col in rows] for row in rows]
    aisle = [[col % 3 == 0 or row % 9 == 0 or side - 1 in (row, col) for col in rows] for row in rows]
    return "\n".join("".join("g" if goal[r][c] else "." if aisle[r][c] else "x" for c in rows) for r in rows)


def scenario(side: int, agents: int) -> dict:
    world = {"name": "warehouse", "layout": hall(side), "deliveries": 0, "max_ticks": 2_000_000_000}
    return {"world": world, "agents": [{"count": agents, "reasoner": "rules"}]}


@contextmanager
def served(given: dict) -> Iterator[str]:
    """A studio that shows a scenario; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.headless": "true", "server.port": port, "server.address": "127.0.0.1"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    page = Path(__file__).with_name("studio_page.py")
    command = [sys.executable, "-m", "streamlit", "run", str(page), *(f"--{k}={v}" for k, v in options.items())]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "scenario.json"
        file.write_text(json.dumps(given))
        path = os.pathsep.join([str(page.parents[1]), os.environ.get("PYTHONPATH", "")])
        own = {**os.environ, "SANDBOX_SCENARIO": str(file), "PYTHONPATH": path}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(command, cwd=folder, env=own, **quiet)
        try:
            _wait(lambda: urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).status == 200)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(condition) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the studio did not answer in time")


@contextmanager
def opened(address: str) -> Iterator:
    """The page in a headless browser, ready to be played."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 844})
        page.add_init_script(f"({WATCH})()")
        page.goto(address)
        page.get_by_text("Ready").wait_for(timeout=1000 * START)
        yield page
        browser.close()


def watched(page) -> dict[str, float]:
    """What the browser shows in a while: frames, distinct ones, and ticks, each a second."""
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1500)
    before, start = page.evaluate(COUNTS), time.perf_counter()
    page.wait_for_timeout(1000 * SECONDS)
    after, wall = page.evaluate(COUNTS), time.perf_counter() - start
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").wait_for()
    page.wait_for_timeout(1500)
    rates = {key: (after[key] - before[key]) / wall for key in ("distinct", "painted", "tick")}
    return rates | {"width": after["width"], "height": after["height"]}


def without(given: dict) -> tuple[Pace, Pace]:
    """The same simulation with no page: stepped only, and recorded as all that is watched is."""
    model = Sandbox(given, rng=1)
    film = Film.begin(given, 1, Path(_kept.name) / f"run-{time.time_ns()}", Approvals())

    def steps(step) -> int:
        count, until = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            step()
            count += 1
        return count

    paces = Pace("step", lambda: steps(model.step)), Pace("record", lambda: steps(film.advance))
    for one in (model.step, film.advance):
        one()
    return paces


_kept = TemporaryDirectory()


def measure(side: int, agents: int, rounds: int) -> list:
    """Contestants take turns; all figures are medians of the rounds."""
    given = scenario(side, agents)
    step, record = without(given)
    shown = []
    with served(given) as address, opened(address) as page:
        for _ in range(rounds):
            step.run()
            record.run()
            shown.append(watched(page))
    middle = {key: sorted(each[key] for each in shown)[rounds // 2] for key in shown[0]}
    shares = sorted(each["tick"] / rate for each, rate in zip(shown, record.rates(), strict=True))
    console.print(
        f"  frames of {middle['width']} x {middle['height']}; distinct: {[round(s['distinct'], 1) for s in shown]}"
    )
    console.print(
        f"  ticks/s of rounds: step {_rounded(step.rates())}, recorded {_rounded(record.rates())}, "
        f"with the page {_rounded(each['tick'] for each in shown)}"
    )
    return [
        f"{side} x {side}",
        agents,
        middle["distinct"],
        step.rate,
        record.rate,
        middle["tick"],
        shares[rounds // 2],
        middle["tick"] / step.rate,
    ]


def _rounded(rates) -> list[float]:
    return [round(rate, 1) for rate in rates]


COLUMNS = ["map", "agents", "frames/s", "ticks/s stepped", "recorded", "with page", "share of recorded", "of stepped"]


def canvas(quick: bool) -> None:
    """1,000 agents on 128 x 128 cells, as fast as they can."""
    row = measure(128, 1_000, 2 if quick else ROUNDS)
    table("The studio's page in headless Chromium, as fast as it can", COLUMNS, [row])
    console.print(f"distinct frames a second: {met(row[2], FRAMES)}; share of recorded: {met(row[6], SHARE)}")


def large(quick: bool) -> None:
    """10,000 agents on 100,000 cells."""
    row = measure(316, 10_000, 1 if quick else 2)
    table("The same, large", COLUMNS, [row])
    console.print(f"distinct frames a second: {met(row[2], 8.0)}")


PEERS = ("streamlit", "mesa")
PARTS = {"canvas": canvas, "large": large}

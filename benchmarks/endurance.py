"""The studio over time and under a crowd: the first paint, twenty sessions at once, half an hour with resets."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from benchmarks.report import Figure, at_most, table
from benchmarks.studio_client import session
from benchmarks.studio_server import ROOT, Server, browsing, opened, served, wait
from sandbox.studio.backend import beside

PAINT, SOON = 3.0, 1.0  # seconds: of the first paint, of an answer to a click
VISITS, SESSIONS, SECONDS = 7, 20, 20.0
SOAK, QUICK, ROUND = 30 * 60, 3 * 60, 15.0  # seconds
GROWTH = 1.0  # MB a minute that are flat
PANELS = (beside.CHARTS, beside.EVENTS, beside.AGENT, beside.TEAM, beside.INTERVENE, beside.RECORD)
MB = 2**20

# When the canvas had its first frame, in seconds since the address was opened.
PAINTED = """() => {
  const canvas = [...document.querySelectorAll('.stBidiComponent div')].map(e => e.shadowRoot).filter(Boolean)
    .map(root => root.querySelector('canvas[data-painted]')).find(Boolean);
  return canvas ? performance.now() / 1000 : null;
}"""
TICK = """() => {
  const told = document.querySelector('.st-key-standing')?.innerText.match(/Tick ([\\d,]+)/);
  return told ? +told[1].replaceAll(',', '') : null;
}"""


@contextmanager
def studio() -> Iterator[Server]:
    """The studio as it stands, with an empty folder of runs; one session has been there, so that it is warm."""
    with TemporaryDirectory() as runs, served(ROOT / "app.py", ROOT, SANDBOX_RUNS=runs) as server:
        with browsing() as browser:
            _step(opened(browser, server.address))
        yield server


def _step(page) -> float:
    """Make a tick; seconds until the page tells it."""
    before, start = page.evaluate(TICK), time.perf_counter()
    page.get_by_role("button", name="Step").first.click()
    wait(lambda: (page.evaluate(TICK) or 0) > before)
    return time.perf_counter() - start


def paint(quick: bool) -> list[Figure]:
    """From the address to the first frame, in a fresh session each."""
    taken = []
    with studio() as server, browsing() as browser:
        for _ in range(3 if quick else VISITS):
            page = browser.new_context(viewport={"width": 1280, "height": 844}).new_page()
            page.goto(server.address, wait_until="commit")
            taken.append(page.wait_for_function(PAINTED, polling=20).json_value())
            page.context.close()
    return [Figure("first paint, a fresh session each", "s", taken, target=at_most(PAINT))]


def sessions(quick: bool) -> list[Figure]:
    """All play at the usual speed; then each pauses and plays on, one after another, while the others go on. Twenty
    browsers would take more of this machine than the server does: what they send and receive is played instead."""
    count = 5 if quick else SESSIONS
    with studio() as server:
        rates, share, answers = asyncio.run(_together(server, count))
    return [
        Figure(f"{count} sessions at once, each asks for 4", "ticks/s", rates),
        Figure(f"{count} sessions at once, server", "cores", [share]),
        Figure(f"{count} sessions at once, an answer to a click", "s", answers, target=at_most(SOON)),
    ]


async def _together(server: Server, count: int) -> tuple[list[float], float, list[float]]:
    """Ticks a second of each session, cores that the server takes, seconds of each answer."""
    process, answers = psutil.Process(server.pid), []
    async with AsyncExitStack() as stack:
        seeds = [f"layout=large&seed={k + 1}" for k in range(count)]
        all_ = [await stack.enter_async_context(session(server.address, seed)) for seed in seeds]
        await asyncio.gather(*(one.press("Play", "Playing") for one in all_))
        before, cpu, start = [one.tick for one in all_], process.cpu_times(), time.perf_counter()
        await asyncio.sleep(SECONDS)
        after, used, wall = [one.tick for one in all_], process.cpu_times(), time.perf_counter() - start
        for one in all_:
            answers.append(await one.press("Pause", "Paused"))
            await one.press("Play", "Playing")
    rates = [(b - a) / wall for a, b in zip(before, after, strict=True)]
    return rates, (used.user + used.system - cpu.user - cpu.system) / wall, answers


def soak(quick: bool) -> list[Figure]:
    """One tab that plays, looks at each panel, seeks and resets; another that is closed and opened again."""
    seconds, rows = QUICK if quick else SOAK, []
    with studio() as server, browsing() as browser:
        process, page, start = psutil.Process(server.pid), opened(browser, server.address), time.monotonic()
        while time.monotonic() - start < seconds:
            opened(browser, f"{server.address}/?protocol=market&team=6").context.close()
            _once(page, PANELS[len(rows) % len(PANELS)])
            rows.append(_held(process, (time.monotonic() - start) / 60))
    shown = rows[:: max(1, len(rows) // 12)]
    table("Half an hour with resets", ["minute", "resets", "MB resident", "threads", "files open"],
          [[row[0], rows.index(row) + 1, *row[1:]] for row in shown])  # fmt: skip
    late = np.array([row for row in rows if row[0] > rows[-1][0] / 3])
    growth = np.polyfit(late[:, 0], late[:, 1], 1)[0]
    return [Figure("memory, after a third of the time", "MB/min", [float(growth)], target=at_most(GROWTH))]


def _once(page, panel: str) -> None:
    page.get_by_role("radio", name=panel).or_(page.get_by_role("button", name=panel, exact=True)).first.click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1000 * ROUND)
    page.get_by_role("slider", name="Tick").press("Home")
    page.locator(".st-key-standing", has_text="The past").wait_for()
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("Ready").first.wait_for()


def _held(process: psutil.Process, minute: float) -> list:
    return [minute, process.memory_info().rss / MB, process.num_threads(), process.num_fds()]


PEERS = ("streamlit", "mesa")
SPEEDS = {"paint": paint, "sessions": sessions, "soak": soak}

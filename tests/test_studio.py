"""The studio: the runner by itself, the page's logic in AppTest, the canvas in a real Chromium."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import time
import weakref
from pathlib import Path
from urllib.request import urlopen

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.fronts.studio.runner import Runner

ROOT = Path(__file__).parents[1]
SCENARIO = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


def until(condition, seconds=60.0):
    """Wait for ``condition()``; returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def runner():
    show = Runner()
    show.load(SCENARIO, 1)
    until(lambda: show.poll().phase == "ready", 120)
    yield show
    show.close()


def tick(show) -> int:
    return show.poll(0.05).counters.tick


# -- the runner --------------------------------------------------------------------------------------------------------


def test_a_step_is_one_tick_and_a_pause_holds(runner):
    assert tick(runner) == 0
    for expected in (1, 2, 3):
        runner.step()
        until(lambda expected=expected: tick(runner) == expected)
    time.sleep(0.3)
    assert tick(runner) == 3


def test_play_pause_and_reset(runner):
    runner.set_speed(100)
    runner.play()
    until(lambda: tick(runner) > 10)
    runner.pause()
    until(lambda: not runner.poll().active)
    held = tick(runner)
    time.sleep(0.3)
    assert tick(runner) == held
    runner.reset()
    until(lambda: runner.poll().phase == "ready")
    assert tick(runner) == 0 and not runner.peek().playing


def test_strips_hold_frames_of_the_picture(runner):
    strip = until(lambda: runner.poll().strip)
    assert len(strip.pixels) == strip.count * strip.height * strip.width * 3
    assert len(set(strip.pixels)) > 5


def test_two_runners_are_independent(runner):
    other = Runner()
    other.load(SCENARIO, 2)
    until(lambda: other.poll().phase == "ready")
    runner.step()
    until(lambda: tick(runner) == 1)
    assert tick(other) == 0
    other.close()


def test_errors_are_words(runner):
    runner.load({**SCENARIO, "agents": [{"reasoner": "rulez"}]}, 1)
    snapshot = until(lambda: (s := runner.poll()).phase == "failed" and s)
    assert "did you mean 'rules'" in snapshot.error


def test_a_closed_runner_frees_its_model(runner):
    model = weakref.ref(runner._episode.model)
    thread = runner._thread
    runner.close()
    thread.join(10)
    until(lambda: gc.collect() >= 0 and model() is None)


def test_nobody_looking_ends_the_thread():
    show = Runner(idle=0.3)
    show.load(SCENARIO, 1)
    until(lambda: show.poll().phase == "ready")
    thread = show._thread
    thread.join(10)
    assert not thread.is_alive()
    show.step()
    until(lambda: tick(show) == 1)
    show.close()


# -- the page ----------------------------------------------------------------------------------------------------------


def ready(app):
    """Rerun the page until its runner is ready."""

    def look():
        app.run()
        assert not app.exception
        return app.session_state["runner"].peek().phase == "ready"

    until(look, 120)
    return app.session_state["runner"]


@pytest.fixture
def app():
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    yield page
    if "runner" in page.session_state:
        page.session_state["runner"].close()


def test_the_buttons(app):
    show = ready(app)
    app.button(key="step").click().run()
    until(lambda: tick(show) == 1)
    app.button(key="play").click().run()
    until(lambda: tick(show) > 3)
    app.button(key="pause").click().run()
    assert not show.peek().playing
    app.button(key="reset").click().run()
    assert tick(ready(app)) == 0


def test_another_choice_is_another_model(app):
    show = ready(app)
    app.button(key="step").click().run()
    until(lambda: tick(show) == 1)
    app.slider(key="team").set_value(7).run()
    ready(app)
    assert show.order[0]["agents"] == [{"count": 7, "reasoner": "rules"}] and tick(show) == 0


def test_a_bad_seed_is_told_in_words(app):
    ready(app)
    app.text_input(key="seed").set_value("twelve").run()
    assert not app.exception and "no whole number" in app.error[0].value


# -- the canvas, in a browser ------------------------------------------------------------------------------------------

PAINTED = """c => { if (c.width < 100) return '';
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const seen = new Set(); let hash = 7;
  for (let i = 0; i < d.length; i += 4) { const v = d[i] << 16 | d[i+1] << 8 | d[i+2]; seen.add(v);
    hash = (hash * 31 + v) | 0; } return seen.size > 5 ? String(hash) : ''; }"""


def picture(page) -> str:
    """A hash of what the canvas shows, empty while that is nothing."""
    canvas = page.locator("canvas")  # of the component, in its shadow root
    return canvas.first.evaluate(PAINTED) if canvas.count() else ""


@pytest.fixture(scope="module")
def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless=true"]
    server = subprocess.Popen([*command, f"--server.port={port}", "--server.address=127.0.0.1"], cwd=ROOT)

    def answers():
        try:
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).status == 200
        except OSError:
            return False

    until(answers)
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


@pytest.mark.skipif(not Path(CHROMIUM).exists() and not os.environ.get("CI"), reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser(address, width):
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(address)
        page.get_by_role("button", name="Step").wait_for(timeout=60_000)
        first = until(lambda: picture(page), 120)
        page.get_by_role("button", name="Play").click(timeout=120_000)
        page.get_by_role("button", name="Pause").wait_for(timeout=60_000)
        until(lambda: picture(page) not in ('', first))
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Play").wait_for(timeout=60_000)
        if folder := os.environ.get("SANDBOX_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/watch-{width}.png")
        assert "Traceback" not in page.content()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "the page is wider than the window"
        browser.close()

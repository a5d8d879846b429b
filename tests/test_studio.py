"""The studio: the runner by itself, the page's logic in AppTest, the canvas in a real Chromium."""

import gc
import os
import socket
import struct
import subprocess
import sys
import time
import weakref
import zlib
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import sandbox
from sandbox.core.registry import find
from sandbox.fronts.studio.canvas import pack
from sandbox.fronts.studio.episode import size_for
from sandbox.fronts.studio.runner import Runner
from sandbox.fronts.studio.snapshot import Strip

SCENARIO = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
COMPILE = 180  # seconds that a cold start may take on a busy machine
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def until(condition, seconds=20.0):
    """Wait for ``condition()``; returns what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def loaded(show: Runner, scenario=SCENARIO, seed=1) -> Runner:
    show.load(scenario, seed)
    until(lambda: show.poll().phase != "preparing", COMPILE)
    return show


def settled(show: Runner) -> int:
    """The tick that the runner has come to rest at."""
    until(lambda: not show.poll().active)
    return show.peek().counters.tick


@pytest.fixture
def show():
    runner = loaded(Runner())
    yield runner
    runner.close()


# -- the runner --------------------------------------------------------------------------------------------------------


def test_a_step_is_exactly_one_tick(show):
    assert settled(show) == 0
    for expected in (1, 2, 3):
        show.step()
        assert settled(show) == expected
    time.sleep(0.2)
    assert show.poll().counters.tick == 3


def test_a_pause_holds_and_a_reset_begins_anew(show):
    show.set_speed(100)
    show.play()
    until(lambda: show.poll().counters.tick > 10)
    show.pause()
    held = settled(show)
    time.sleep(0.3)
    assert show.poll().counters.tick == held and not show.peek().playing
    show.reset()
    assert settled(show) == 0


def test_it_plays_what_the_model_plays_and_stops_at_the_end(show):
    show.set_speed(100_000)
    show.play()
    until(lambda: show.poll().counters.over, 60)
    model = sandbox.Sandbox(SCENARIO, rng=1)
    while model.running:
        model.step()
    seen = until(lambda: (shot := show.poll()).active or shot)
    assert not seen.playing and seen.counters.finish == model.finish.words
    assert (seen.counters.tick, seen.counters.done) == (model.ticks, model.tasks_done)
    assert seen.counters.reward == model.reward and seen.counters.refused == model.refused_actions


def test_it_works_at_its_own_pace_and_waits_for_a_page_that_does_not_look(show):
    show.set_speed(10)
    show.play()
    time.sleep(1.0)
    assert 1 <= show.peek().counters.tick <= 15
    show.set_speed(100)
    time.sleep(1.0)
    waiting = show.peek().counters.tick
    time.sleep(0.5)
    assert show.peek().counters.tick == waiting


def test_strips_follow_one_another_and_fit_the_box(show):
    show.resize(300, 260)
    settled(show)
    show.set_speed(4)
    show.play()
    strips = []
    for _ in range(4):
        last = strips[-1] if strips else show.peek().strip
        strips.append(until(lambda last=last: (now := show.poll().strip) is not last and now))
    for before, strip in zip(strips, strips[1:], strict=False):
        assert strip.first == before.first + before.count and strip.episode == before.episode
        assert len(strip.pixels) == strip.count * strip.height * strip.width * 3
        assert strip.width <= 300 and strip.height <= 260
    assert strips[-1].count >= 5  # four ticks a second are twenty frames


def test_two_runners_are_independent(show):
    other = loaded(Runner(), seed=2)
    show.step()
    assert settled(show) == 1 and settled(other) == 0
    other.close()


def test_what_cannot_run_is_told_in_words(show):
    loaded(show, {**SCENARIO, "agents": [{"reasoner": "rulez"}]})
    shot = show.poll()
    assert shot.phase == "failed" and "did you mean 'rules'" in shot.error and "\n" not in shot.error
    assert not shot.active and shot.counters is None


def test_a_closed_runner_frees_its_model():
    show = loaded(Runner())
    model, thread = weakref.ref(show._episode.model), show._thread
    show.close()
    thread.join(10)
    assert not thread.is_alive()
    until(lambda: gc.collect() >= 0 and model() is None)


def test_nobody_looking_ends_the_thread_and_the_next_order_goes_on():
    def left_alone():
        show = loaded(Runner(idle=0.3))
        show.play()
        thread = show._thread
        thread.join(10)
        assert not thread.is_alive()
        at = show.peek().counters.tick
        until(lambda: show.poll().counters.tick > at)
        return weakref.ref(show._episode.model)

    model = left_alone()  # the runner is nobody's any more, as when its session ends
    until(lambda: gc.collect() >= 0 and model() is None)


# -- the payload -------------------------------------------------------------------------------------------------------


def test_a_payload_unpacks_to_the_frames():
    frames = np.random.default_rng(1).integers(0, 255, (3, 4, 5, 3), np.uint8)
    payload = pack(Strip(2, 70, 3, 4, 5, 20, frames.tobytes()))
    assert struct.unpack("<6I", payload[:24]) == (2, 70, 3, 4, 5, 20)
    changes = np.frombuffer(zlib.decompress(payload[24:]), np.uint8).reshape(frames.shape)
    assert np.array_equal(np.bitwise_xor.accumulate(changes), frames)
    assert pack(None) == b""


@pytest.mark.parametrize("layout", find("warehouse").layouts)
def test_pictures_fill_their_box(layout):
    stage = sandbox.make("warehouse", layout=layout, agents=2)
    for wide, tall in ((600, 600), (360, 800), (1000, 300)):
        height, width = stage.world.canvas(stage.rules, size_for(stage, (wide, tall)))
        assert height <= tall and width <= wide
        assert height > 0.8 * tall or width > 0.8 * wide


# -- the page ----------------------------------------------------------------------------------------------------------


def ready(page: AppTest) -> Runner:
    """Rerun the page until its runner has prepared."""

    def look():
        page.run()
        assert not page.exception
        return page.session_state["runner"].peek().phase != "preparing"

    until(look, COMPILE)
    settled(page.session_state["runner"])
    page.run()
    return page.session_state["runner"]


@pytest.fixture
def page(root):
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    yield app
    if "runner" in app.session_state:
        app.session_state["runner"].close()


def metric(page: AppTest, label: str) -> str:
    return next(each.value for each in page.metric if each.label == label)


def standing(page: AppTest) -> str:
    return " ".join(each.value for each in page.markdown)


def buttons(page: AppTest) -> set[str]:
    return {each.label for each in page.button if not each.disabled}


def test_the_page_says_what_to_do(page):
    ready(page)
    assert "Press **Play**" in standing(page)
    assert metric(page, "Tick") == "0" and metric(page, "Tasks done") == "0 of 10"
    assert buttons(page) == {"Play", "Step", "Reset"}
    world = find("warehouse")
    controls = {each.key: each for each in page.get("button_group")}
    assert list(controls["policy"].options) == list(world.policies)
    assert list(controls["layout"].options) == list(world.layouts)
    assert {each.name for each in world.perturbations} <= {each.key for each in page.slider}


def test_the_buttons(page):
    show = ready(page)
    page.button(key="step").click().run()
    assert settled(show) == 1
    assert metric(page.run(), "Tick") == "1"
    page.button(key="play").click().run()
    assert buttons(page) == {"Pause", "Step", "Reset"}
    until(lambda: show.poll().counters.tick > 3)
    page.button(key="play").click().run()
    held = settled(show)
    assert metric(page.run(), "Tick") == str(held) and "Play" in buttons(page)
    page.button(key="reset").click().run()
    ready(page)
    assert metric(page, "Tick") == "0"


def test_the_end_is_told_and_play_waits_for_a_reset(page):
    show = ready(page)
    show.set_speed(100_000)
    show.play()
    until(lambda: show.poll().counters.over, 60)
    settled(show)
    page.run()
    assert "Completed" in standing(page) and buttons(page) == {"Reset"}


def test_another_choice_is_another_model(page):
    show = ready(page)
    for choose in (
        lambda: page.slider(key="team").set_value(7),
        lambda: page.button_group(key="layout").set_value("small"),
        lambda: page.button_group(key="policy").set_value("random"),
        lambda: page.slider(key="sensor_noise").set_value(0.5),
        lambda: page.text_input(key="seed").set_value(str(2**64 - 1)),
    ):
        page.button(key="step").click().run()
        settled(show)
        before = show._episode.model
        choose().run()
        ready(page)
        assert show._episode.model is not before and metric(page, "Tick") == "0"
    model = show._episode.model
    assert (len(model.agents), model.seed, model.scenario.perturb) == (7, 2**64 - 1, {"sensor_noise": 0.5})
    assert (model.scenario.world.layout, model.scenario.agents[0].reasoner) == ("small", "random")


def test_bad_values_are_told_in_words(page):
    ready(page)
    page.text_input(key="seed").set_value("twelve").run()
    assert not page.exception and page.error[0].value == "seed: 'twelve' is no whole number of 0..2**64-1"
    assert buttons(page) == set()
    page.text_input(key="seed").set_value("12").run()
    ready(page)
    assert not page.error and "Play" in buttons(page)


# -- the canvas, in a browser ------------------------------------------------------------------------------------------

PICTURE = """() => {
  const canvas = [...document.querySelectorAll('.stBidiComponent div')].map(e => e.shadowRoot).filter(Boolean)
    .map(root => root.querySelector('canvas[data-painted]')).find(Boolean);
  if (!canvas) return null;
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height), colours = new Set();
  let hash = 7;
  for (let i = 0; i < data.length; i += 4) {
    const colour = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
    colours.add(colour); hash = hash * 31 + colour | 0;
  }
  return {hash, colours: colours.size, width: canvas.clientWidth, ...canvas.dataset};
}"""
WATCHED = """() => { window.faults = [];
  const look = () => {
    const canvas = document.querySelector('.stBidiComponent');
    if (!canvas) window.faults.push('gone');
    for (let e = canvas; e; e = e.parentElement) if (getComputedStyle(e).opacity < 1) window.faults.push('pale');
    requestAnimationFrame(look);
  }; look(); }"""


@pytest.fixture(scope="module")
def address(root):
    """A studio on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.headless": "true", "server.port": port, "server.address": "127.0.0.1"}
    options |= {"browser.gatherUsageStats": "false", "server.fileWatcherType": "none"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *(f"--{k}={v}" for k, v in options.items())]
    server = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        assert server.poll() is None, "the server ended"
        try:
            return urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).status == 200
        except OSError:
            return False

    try:
        until(answers, 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no browser at {CHROMIUM}: the studio's canvas is not tested")
        pytest.skip(f"no browser at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width, scale, scheme", [(1280, 1, "light"), (390, 2, "dark")])
def test_in_a_browser(address, browser, width, scale, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": 844}, device_scale_factor=scale, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_text("Ready").wait_for(timeout=1000 * COMPILE)
    first = until(lambda: page.evaluate(PICTURE))
    assert first["colours"] > 10 and 200 < first["width"] <= width

    def tick():
        return int(page.get_by_test_id("stMetricValue").first.inner_text())

    def painted():
        return int(page.evaluate(PICTURE)["painted"])

    assert tick() == 0
    page.evaluate(WATCHED)
    page.get_by_role("button", name="Play").click()
    until(lambda: tick() >= 6)
    assert page.evaluate(PICTURE)["hash"] != first["hash"]
    assert painted() > 2 * int(first["painted"]) + 6  # several frames a tick
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").wait_for()
    page.wait_for_timeout(1500)
    held = tick(), page.evaluate(PICTURE)["hash"]
    page.wait_for_timeout(800)
    assert (tick(), page.evaluate(PICTURE)["hash"]) == held
    assert page.evaluate("window.faults") == []  # never gone, never grey
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()

"""The studio's page: its logic in AppTest, the canvas in a real Chromium."""

import re
from pathlib import Path

import pytest
from browser import chromium, served
from streamlit.testing.v1 import AppTest
from studio import COMPILE, settled, until

from sandbox.core.registry import find
from sandbox.fronts.studio.show.runner import Runner


def ready(page: AppTest) -> Runner:
    """Rerun the page until its runner has prepared."""

    def look():
        page.run()
        assert not page.exception
        return page.session_state["runner.watch"].peek().phase != "preparing"

    until(look, COMPILE)
    settled(page.session_state["runner.watch"])
    page.run()
    return page.session_state["runner.watch"]


@pytest.fixture
def page(root):
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    yield app
    if "runner.watch" in app.session_state:
        app.session_state["runner.watch"].close()


def at(page: AppTest) -> int:
    """The tick that the page shows."""
    return int(re.search(r"Tick \*\*([\d,]+)", standing(page))[1].replace(",", ""))


def standing(page: AppTest) -> str:
    return " ".join(each.value for each in page.markdown)


def said(page: AppTest) -> str:
    """The first error, without what keeps it from being read as Markdown."""
    return page.error[0].value.replace("\\", "")


def buttons(page: AppTest) -> set[str]:
    return {each.label for each in page.button if not each.disabled}


def test_the_page_says_what_to_do(page):
    ready(page)
    assert "press **Play**" in standing(page) and "**0 of 10** done" in standing(page) and at(page) == 0
    assert buttons(page) == {"Play", "Step", "Reset"}
    world = find("warehouse")
    controls = {each.key: each for each in (*page.get("button_group"), *page.selectbox)}
    assert {*world.policies, "search", "human", "llm"} == set(controls["policy"].options)
    assert list(controls["layout"].options) == list(world.layouts)
    assert {f"dose.{each.name}" for each in world.perturbations} <= {each.key for each in page.slider}


def test_the_buttons(page):
    show = ready(page)
    page.button(key="step").click().run()
    assert settled(show) == 1
    assert at(page.run()) == 1
    page.button(key="play").click().run()
    assert buttons(page) == {"Pause", "Step", "Reset"}
    until(lambda: show.poll().counters.tick > 3)
    page.button(key="play").click().run()
    held = settled(show)
    assert at(page.run()) == held and "Play" in buttons(page)
    page.button(key="reset").click().run()
    ready(page)
    assert at(page) == 0


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
        lambda: page.slider(key="dose.sensor_noise").set_value(0.5),
        lambda: page.text_input(key="seed").set_value(str(2**64 - 1)),
    ):
        page.button(key="step").click().run()
        settled(show)
        before = show._showing.films[0].model
        choose().run()
        ready(page)
        assert show._showing.films[0].model is not before and at(page) == 0
    model = show._showing.films[0].model
    assert (len(model.agents), model.seed, model.scenario.perturb) == (7, 2**64 - 1, {"sensor_noise": 0.5})
    assert (model.scenario.world.layout, model.scenario.agents[0].reasoner) == ("small", "random")


def test_another_world_has_choices_of_its_own(page):
    ready(page.run())
    page.slider(key="team").set_value(7)
    page.button_group(key="layout").set_value("small").run()
    page.selectbox(key="world").set_value("kitchen").run()
    show, kitchen = ready(page), find("kitchen")
    assert not page.error and list(page.selectbox(key="layout").options) == list(kitchen.layouts)
    assert (page.selectbox(key="layout").value, page.slider(key="team").value) == ("cramped_room", 2)
    assert show._showing.films[0].model.stage.world is kitchen
    page.selectbox(key="world").set_value("web").run()
    assert page.selectbox(key="layout").value == "all" and not page.error


def test_bad_values_are_told_in_words(page):
    ready(page)
    page.text_input(key="seed").set_value("twelve").run()
    assert not page.exception and said(page) == "seed: 'twelve' is no whole number of 0..2**64-1"
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
WATCHED = """() => { window.faults = []; let missing = 0;  // a rerun on a busy machine may swap the node: 5 frames
  const look = () => {
    const canvas = document.querySelector('.stBidiComponent');
    missing = canvas ? 0 : missing + 1;
    if (missing > 5) window.faults.push('gone');
    for (let e = canvas; e; e = e.parentElement) if (getComputedStyle(e).opacity < 1) window.faults.push('pale');
    requestAnimationFrame(look);
  }; look(); }"""


@pytest.fixture(scope="module")
def address(root):
    """A studio on a free port."""
    with served(Path("app.py"), root) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


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
        return int(re.search(r"Tick ([\d,]+)", page.locator(".st-key-standing").inner_text())[1])

    def painted():
        return int(page.evaluate(PICTURE)["painted"])

    assert tick() == 0
    page.evaluate(WATCHED)
    page.get_by_role("button", name="Play").click()
    until(lambda: tick() >= 6)
    assert page.evaluate(PICTURE)["hash"] != first["hash"]
    until(lambda: painted() > 2 * int(first["painted"]) + 6)  # several frames a tick
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").wait_for()
    page.wait_for_timeout(2500)  # the frames that it is ahead by are played out
    held = tick(), page.evaluate(PICTURE)["hash"]
    page.wait_for_timeout(800)
    assert (tick(), page.evaluate(PICTURE)["hash"]) == held
    assert page.evaluate("window.faults") == []  # never gone, never grey
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()

"""The page Watch in a real browser: it plays, and what is seen is so."""

import re
from urllib.parse import urlsplit

import pytest
from browser import (
    PATIENCE,
    PICTURE,
    address,
    at_rest,
    boxes,
    choose,
    chosen,
    in_address,
    one_tick,
    one_tick_until,
    panel,
    parts,
    pick,
    picture,
    press,
    press_all,
    pressed,
    pressed_at,
    ready,
    saved,
    seen_after,
    tick,
    usual_in_address,
)  # fmt: skip
from studio import COMPILE, until

from benchmarks.studio_server import served
from sandbox.record import open_run

WATCHED = """() => { window.faults = []; let missing = 0;  // a rerun on a busy machine may swap the node: 5 frames
  const look = () => {
    const canvas = document.querySelector('.stBidiComponent');
    missing = canvas ? 0 : missing + 1;
    if (missing > 5) window.faults.push('gone');
    for (let e = canvas; e; e = e.parentElement) if (getComputedStyle(e).opacity < 1) window.faults.push('pale');
    requestAnimationFrame(look);
  }; look(); }"""


@pytest.mark.parametrize("width, scale, scheme", [(1280, 1, "light"), (390, 2, "dark")])
def test_it_is_played_paused_stepped_and_sought(visit, width, scale, scheme):
    """And meanwhile the picture never goes and never turns grey."""
    page = ready(visit("/", width, scheme, scale))
    first = until(lambda: page.evaluate(PICTURE))
    assert first["colours"] > 10 and 200 < first["width"] <= width
    assert tick(page) == 0
    page.evaluate(WATCHED)
    press(page, "Play")
    until(lambda: tick(page) >= 6)
    assert page.evaluate(PICTURE)["hash"] != first["hash"]
    until(lambda: int(page.evaluate(PICTURE)["painted"]) > 2 * int(first["painted"]) + 6)  # several frames a tick
    page.keyboard.press("Space")  # the shortcut of the same button
    page.locator(".st-key-standing", has_text="Paused").wait_for()
    at_rest(page)
    held, still = tick(page), picture(page)
    page.wait_for_timeout(800)
    assert (tick(page), picture(page)) == (held, still)
    press(page, "Step")
    until(lambda: tick(page) == held + 1)
    line = page.get_by_role("slider", name="Tick")
    for key, there in (("Home", 0), ("ArrowRight", 1), ("End", held + 1)):
        line.press(key)
        until(lambda there=there: tick(page) == there)
        if not there:
            page.get_by_text("The past").wait_for()
    press(page, "Reset")
    until(lambda: tick(page) == 0)
    assert page.evaluate("window.faults") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


FIRST = ("[class*=st-key-controls]", ".stage", "[role=slider][aria-label=Tick]", ".legend")


@pytest.mark.parametrize("width, height", [(1280, 800), (390, 844)])
def test_the_first_screen_has_it_all_and_keeps_the_picture_beside_an_agent(visit, width, height):
    page = ready(visit("/", width, height=height))
    parts = boxes(page, *FIRST)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in parts)
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= height for box in parts), parts
    picture = parts[1]
    assert picture["height"] > 0.42 * height
    names = set(page.locator(".legend .chip").all_inner_texts())
    there = {"robot", "shelf", "requested", "goal", "storage place"}
    assert names == there, "only what is in this picture: no wall, no closed aisle"
    pick(page, 0)
    page.locator(".who", has_text="robot-0").wait_for()
    panel(page, "Observation")
    page.locator("h6", has_text="Words").wait_for()
    scrolled = page.locator(".st-key-beside" if width > 640 else "[data-testid=stMain]")
    scrolled.evaluate("part => part.scrollTo(0, 300)")
    stage, beside = boxes(page, ".stage", ".st-key-beside")
    assert scrolled.evaluate("part => part.scrollTop") > 100
    assert stage["y"] >= 0 and stage["y"] + stage["height"] <= height, "the picture stays in view"
    assert stage["height"] == pytest.approx(picture["height"], abs=3)
    assert beside["y"] < height


def test_an_agent_is_followed_and_its_map_and_its_card_are_there(visit):
    page = visit("/?world=craft", height=800)
    page.set_default_timeout(1000 * COMPILE)
    ready(page)
    follow, whole = page.locator("button.follow"), page.locator("button.whole")

    def followed() -> bool:
        return follow.get_attribute("aria-pressed") == "true"

    until(followed)  # cells that are too small to be read
    until(page.locator("canvas.map").is_visible, PATIENCE)
    assert "gatherer-0" in follow.inner_text()
    for _ in range(3):
        at = tick(page)
        press(page, "Step")
        until(lambda at=at: tick(page) == at + 1)
    (stage,) = boxes(page, ".stage")
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.mouse.move(x, y)
    card = page.locator(".card")
    until(card.is_visible)  # it is in the middle
    told = card.inner_text()
    assert told.startswith("gatherer-0") and len(told.split("\n")) > 1, "its name, and what it is doing"
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=5)
    page.mouse.up()
    until(lambda: not followed())
    page.locator(".stage").focus()
    for agent in ("gatherer-0", "gatherer-1"):
        page.keyboard.press("n")
        page.get_by_role("radio", name="Agent", checked=True).wait_for()  # it opens beside the picture
        until(lambda agent=agent: agent in page.locator(".said").text_content())
        until(lambda agent=agent: page.locator(".own").inner_text().startswith(agent))
    page.keyboard.press("f")
    until(lambda: followed() and "gatherer-1" in follow.inner_text())
    page.keyboard.press("Shift+ArrowRight")
    until(lambda: not followed())
    words = page.locator("#words").text_content()
    assert words.startswith("Tick 3.") and "gatherer-1 at row" in words
    page.locator(".stage").focus()
    page.keyboard.press("0")
    until(lambda: not whole.is_visible() and not page.locator("canvas.map").is_visible())


def test_a_person_intervenes_and_all_of_it_is_in_the_record(visit):
    page = ready(visit("/"))
    panel(page, "Intervene")
    pick(page, 1)
    page.get_by_text("robot-1").first.wait_for()
    press(page, "Clear aisles")
    page.get_by_text("no aisle is blocked").wait_for()
    press(page, "Block aisle")
    press(page, "Take over")
    page.get_by_text("does what you press").wait_for()
    page.keyboard.press("ArrowLeft")
    until(lambda: tick(page) == 1)
    press(page, "Release")
    page.get_by_text("does what you press").wait_for(state="hidden")
    press(page, "Step")
    until(lambda: tick(page) == 2)
    panel(page, "Record")
    pressed(page, "Execute again", "2 ticks executed again, all equal")


def test_an_approval_is_answered(visit):
    page = ready(visit("/?scenario=oversight", 390, height=844))
    press(page, "Step")
    page.get_by_text("asks what to do").wait_for()
    answer = page.locator("[class*='st-key-answer_3_']").get_by_role("button").first

    def docked() -> bool:
        """At the foot of the window, with buttons for fingers, and the picture in sight above it."""
        stage, asked = (page.locator(each).bounding_box() for each in (".stage", ".st-key-asked"))
        button, end = answer.bounding_box(), asked["y"] + asked["height"]
        inside = asked["y"] <= button["y"] and button["y"] + button["height"] <= 844 and button["height"] >= 44
        seen = stage["y"] + stage["height"] <= asked["y"] + 1
        return asked["width"] == 390 and abs(end - 844) <= 1 and inside and seen

    until(docked)
    bar = page.locator(".countdown i")
    whole = bar.bounding_box()["width"]
    until(lambda: bar.bounding_box()["width"] < whole)
    answer.click()
    until(lambda: tick(page) == 1)


# -- one tick ----------------------------------------------------------------------------------------------------------


def test_all_parts_of_the_page_show_one_tick_and_a_pause_holds_it(visit):
    page, samples = ready(visit("/?protocol=market")), []
    line, speed = page.get_by_role("slider", name="Tick"), page.get_by_role("slider", name="Speed")
    panel(page, "Agent")
    page.get_by_text("Click an agent in the picture").wait_for()
    pick(page, 0)
    page.locator(".who", has_text="robot-0").wait_for()
    for name in ("Charts", "Events", "Agent", "Team"):
        press(page, "Reset")
        until(lambda: tick(page) == 0, PATIENCE)
        panel(page, name)
        press(page, "Play")
        until(lambda: tick(page) > 2)
        played = one_tick(page, 1.0)
        assert played == sorted(played) and played[0] < played[-1]
        at = pressed_at(page, "play")
        held = one_tick(page, 1.0)
        assert set(held) == {at}, "it stays as it was when the button was pressed"
        press(page, "Step")
        stepped = one_tick_until(page, at + 1)
        assert set(stepped) <= {at, at + 1}
        if name == "Agent":
            page.locator(".did").first.wait_for()
        samples += played + held + stepped
        for key, there in (("Home", 0), ("ArrowRight", 1), ("End", at + 1)):
            line.press(key)
            samples += one_tick_until(page, there)
        if name in ("Charts", "Events"):
            speed.press("ArrowRight")  # at 4 ticks a second, then 10, then 20
    assert len(samples) >= 100


def test_what_was_played_ahead_is_forgotten(visit, runs):
    """A pause and an intervention come at the tick that is seen, and nothing after it is in the record."""
    page = ready(visit("/"))
    speed = page.get_by_role("slider", name="Speed")
    for _ in range(2):
        speed.press("ArrowRight")
    panel(page, "Intervene")
    at_rest(page)
    press(page, "Play")
    until(lambda: tick(page) > 3)
    then = pressed_at(page, "place_block_aisle")
    until(lambda: tick(page) > then + 4)
    held = pressed_at(page, "play")
    assert set(one_tick(page, 1.0)) == {held}
    panel(page, "Record")
    pressed(page, "Execute again", f"{held} ticks executed again, all equal")
    folder = max((runs / "studio").iterdir())
    with open_run(folder) as run:
        (drawn,) = run.milestones("placed")
        assert next(run.query("SELECT MAX(tick) FROM event WHERE kind = 'tick'"))[0] == held
    assert drawn.tick == then + 1, "the tick after the one that was seen"


# -- the address -------------------------------------------------------------------------------------------------------


def test_the_address_reproduces_what_is_seen(visit):
    page = ready(visit("/?layout=tiny&team=3&policy=random&severity.sensor_noise=0.5"))
    page.get_by_role("textbox", name="Seed").fill("77")
    page.keyboard.press("Enter")
    until(lambda: parts(page).get("seed") == "77")
    at_rest(page)
    for number in (1, 2, 3):
        press(ready(page), "Step")
        until(lambda number=number: tick(page) == number, PATIENCE)
    until(lambda: parts(page).get("tick") == "3")
    there = ready(visit(f"/?{urlsplit(address(page)).query}"))  # another browser: a run of its own, at the same tick
    until(lambda: tick(there) == 3)
    until(lambda: picture(there) == picture(page), PATIENCE)  # once both have the size that the page has room for
    assert parts(there) == parts(page)
    press(there, "Step")
    until(lambda: tick(there) == 4)
    assert tick(page) == 3


def test_a_page_that_is_loaded_again_keeps_its_run(visit, runs):
    """With all that a person has done in it, which no address could say."""
    page = ready(visit("/"))
    panel(page, "Intervene")
    press(page, "Block aisle")
    press(page, "Step")
    until(lambda: tick(page) == 1)
    until(lambda: parts(page) == {"tick": "1"})
    at_rest(page)
    shown, made = picture(page), len(list((runs / "studio").iterdir()))
    page.reload()
    ready(page)
    until(lambda: tick(page) == 1)
    assert picture(page) == shown
    assert len(list((runs / "studio").iterdir())) == made
    panel(page, "Record")
    pressed(page, "Execute again", "1 ticks executed again, all equal")


def test_nothing_of_the_last_choice_carries_over(visit):
    """And the picture of the last world goes."""
    page = ready(visit("/?seed=9&severity.sensor_noise=0.5"))
    choose(page, "Scenario", "crowded")
    until(lambda: page.get_by_role("textbox", name="Seed").input_value() == "2", PATIENCE)
    until(lambda: parts(page).get("seed") == "2" and "severity.sensor_noise" not in parts(page), PATIENCE)
    choose(page, "Scenario", "Compose")
    until(lambda: page.get_by_role("textbox", name="Seed").input_value() == "1", PATIENCE)
    until(lambda: not {"scenario", "severity.agent_crash"} & parts(page).keys(), PATIENCE)
    old = picture(ready(page))
    choose(page, "World", "kitchen")
    page.get_by_text("Team size (cooks)").wait_for()
    until(lambda: page.locator("canvas.picture:visible").count() == 0 or picture(page) != old)


def test_a_long_preparation_says_how_far_it_is_and_is_cancelled(browser, root, tmp_path):
    cold = {"SANDBOX_CACHE": str(tmp_path / "cache"), "SANDBOX_RUNS": str(tmp_path / "runs"), "NUMBA_CACHE_DIR": ""}
    with served(root / "app.py", root, **cold) as server:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(1000 * COMPILE)
        page.goto(server.address)
        told = page.get_by_text(re.compile(r"Compiling, the first time on this machine: step \d+ of \d+, \d+ s so far"))
        told.wait_for()
        press(page, "Cancel")
        page.get_by_text("Cancelled").wait_for()
        choose(page, "World", "kitchen")  # which does not wait until the other world is compiled
        told.wait_for()
        assert page.locator("canvas.picture:visible").count() == 0
        context.close()


def test_every_button_does_something(visit):
    page = ready(visit("/"))
    press_all(page, {
        **{name: chosen(name) for name in ("Sight", "Belief", "Futures")},
        **{name: seen_after(words) for name, words in {
            "About": "Things to try", "Events": "No events yet", "Agent": "Click an agent", "Team": "No team here",
            "Intervene": "The world, now", "Record": "Nothing is recorded yet", "Charts": "Reward"}.items()},
        "Export TOML": saved,
        **{name: in_address(layout=name) for name in ("small", "medium", "large")},
        "tiny": usual_in_address(layout="tiny"),
        **{name: in_address(policy=name)
           for name in ("idle", "random", "oracle", "search", "human", "llm", "generalist")},
        "rules": usual_in_address(policy="rules"),
        "Step": lambda page: until(lambda: tick(page) == 1, PATIENCE), "Play": seen_after("Playing"),
        "Reset": lambda page: until(lambda: tick(page) == 0, PATIENCE), "Set up by hand": seen_after("Play it"),
    })  # fmt: skip

"""The page Lessons in a real browser: play, predict, measure; a drawn prediction; a class."""

import re

from browser import parts, press, press_all, ready, seen_after, tick
from studio import COMPILE, until

FIVE_NINES, BREAKING = "04-five-nines", "18-breaking-point"


def opened(visit, address: str, **look):
    page = visit(f"/lessons?lesson={address}", **look)
    page.get_by_text("Your prediction").wait_for()
    return page


def standing(page) -> str:
    return page.locator(".st-key-standing", has_text="Tick").inner_text()


def test_a_lesson_is_taken_to_its_answer(visit):
    """Its world is on the page; before it is measured, it is played without a score, and not to its end."""
    page = ready(opened(visit, FIVE_NINES))
    press(page, "Play")
    page.get_by_text("The preview ends").wait_for()
    assert 0 < tick(page) <= 20 and not re.search("delivered|reward", standing(page))
    assert not page.get_by_role("link", name="Watch it").count()
    page.get_by_test_id("stRadio").get_by_role("radio").first.click(force=True)
    press(page, "Measure")
    page.get_by_text("You predicted").wait_for(timeout=1000 * COMPILE)
    until(lambda: re.search("delivered.*reward", standing(page)))
    assert page.get_by_role("link", name="Watch it").count()
    page.get_by_role("radio", name="60 ticks").or_(page.get_by_role("button", name="60 ticks")).first.click()
    page.get_by_text("Measured with other settings").wait_for()
    page.wait_for_function("new URLSearchParams(location.search).get('set') === 'Time=60 ticks'")
    until(lambda: "delivered" not in standing(page))


def drawn(page) -> int:
    """In how many places something is drawn."""
    return int(page.locator(".sketch").get_attribute("data-drawn"))


def draw(page, *heights: float) -> None:
    """From left to right, at shares of the height of the paper."""
    paper = page.locator(".sketch")
    paper.scroll_into_view_if_needed()
    box = paper.bounding_box()
    for k, height in enumerate(heights):
        x = box["x"] + 56 + (box["width"] - 72) * k / (len(heights) - 1)
        page.mouse.move(x, box["y"] + box["height"] * height, steps=4)
        if not k:
            page.mouse.down()
    page.mouse.up()


def test_a_class_draws_its_predictions_and_sees_them_beside_the_answer(visit):
    """By mouse, by keys on a phone; the teacher reveals the answer for both."""
    teacher = opened(visit, BREAKING)
    ready(teacher)
    press(teacher, "Share")
    teacher.get_by_role("button", name="Teach a class").and_(teacher.locator(":enabled")).click()
    link = teacher.locator("code", has_text="class=").first.inner_text()
    pupil = ready(opened(visit, link.partition("lesson=")[2], width=390))
    assert parts(pupil)["class"] == parts(teacher)["class"]
    assert not pupil.get_by_role("button", name="Measure").count()
    pupil.locator(".sketch").focus()
    for _ in range(11):
        pupil.keyboard.press("ArrowUp")
        pupil.keyboard.press("ArrowRight")
    pupil.get_by_text("Your prediction is sent").wait_for()
    assert drawn(pupil) == 11
    teacher.get_by_text("1 prediction so far").wait_for()
    draw(teacher, 0.2, 0.3, 0.6, 0.8)
    teacher.get_by_text("2 predictions so far").wait_for()
    press(teacher, "Measure and reveal")
    for page in (teacher, pupil):
        page.get_by_text("Your curve is").wait_for(timeout=1000 * COMPILE)
        page.get_by_text("2 predictions of your class").wait_for()
        assert page.locator(".sketch path.other").count() == 2 and page.locator(".sketch path.measured").count() == 1
    pupil.reload()
    pupil.get_by_text("Your curve is").wait_for()


def test_every_button_does_something(visit):
    page = visit("/lessons")
    page.get_by_text("One claim each").wait_for()
    press_all(page, {"Open": seen_after("Your prediction")})

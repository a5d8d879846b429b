"""The page Lessons in a real browser: predict, then measure."""

from browser import press, press_all, seen_after


def test_a_lesson_is_taken_to_its_answer(visit):
    page = visit("/lessons?lesson=04-five-nines")
    page.get_by_text("Your prediction").wait_for()
    page.get_by_test_id("stRadio").get_by_role("radio").first.click(force=True)
    press(page, "Measure")
    page.get_by_text("You predicted").wait_for()


def test_every_button_does_something(visit):
    press_all(visit, "/lessons", "One claim each", {"Open": seen_after("Your prediction")})

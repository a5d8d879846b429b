"""The page Dream in a real browser: played by keys and buttons, and for everybody."""

from test_studio_access_browser import problems_by_look


def test_a_dream_is_played_by_its_codes(visit):
    page = visit("/dream")
    page.locator(".codes button").first.wait_for()
    stage, standing = page.locator(".dreaming"), page.locator(".standing")

    def press(key: str, told: str) -> None:
        stage.press(key)
        standing.get_by_text(told).wait_for()

    press("ArrowLeft", "Step 1: code")
    assert "(left). No difference so far." in standing.inner_text()
    press("ArrowUp", "Step 2: code")
    press("3", "Step 3: code 3")
    page.locator(".codes button").nth(6).click()
    standing.get_by_text("Step 4: code 7").wait_for()
    press("Backspace", "Step 3: code 3")
    assert not problems_by_look(page)

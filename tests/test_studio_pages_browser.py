"""All pages of the studio in a real browser: how one comes to them, and back."""

from browser import at_rest, go, parts, picture, press, ready
from studio import until


def test_what_is_malformed_is_told_in_words(visit, tmp_path):
    page = visit("/?scenario=An+uploaded+file")
    page.get_by_text("no file yet").wait_for()
    at_rest(page)
    bad = tmp_path / "bad.toml"
    bad.write_text("[world]\nname = 'warehuose'\n[[agents]]\nreasoner = '<script>alert(1)</script>'\n")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(bad)
    page.get_by_text("did you mean 'warehouse'").wait_for()


WRONG = {
    "/?world=warehuose": "did you mean 'warehouse'", "/?scenario=nowhere": "unknown scenario 'nowhere'",
    "/?layout=tinny": "did you mean 'tiny'", "/?team=99": "team '99'", "/?policy=rulez": "did you mean 'rules'",
    "/?severity.sensor_noise=7": "expected a number in 0..1", "/?seed=x": "'x' is not a whole number",
    "/?protocol=markt": "did you mean 'market'", "/lessons?lesson=nowhere": "no lesson nowhere",
}  # fmt: skip


def test_what_an_address_names_in_vain_is_said(visit, runs):
    wrong = {**WRONG, f"/replay?run={runs / 'many'}&trial=77": "trial '77'",
             f"/replay?run={runs / 'nowhere'}": "nowhere", f"/batch?run={runs / 'nowhere'}": "nowhere"}  # fmt: skip
    page = visit("/")
    for address, words in wrong.items():
        go(page, address)
        page.get_by_test_id("stAlert").get_by_text(words).first.wait_for()


def test_back_goes_where_one_came_from(visit, runs):
    page = visit("/lessons")
    page.get_by_role("button", name="Open").nth(2).click()
    page.get_by_test_id("stRadio").wait_for()
    at_rest(page)
    page.get_by_test_id("stRadio").get_by_role("radio").first.click(force=True)
    press(page, "Measure")
    page.get_by_text("You predicted").wait_for()
    picture(page)  # what a page that still changes sends with a press would lead back to it, here and below
    lesson = parts(page)
    page.get_by_role("link", name="Watch it").click()
    ready(page)
    until(lambda: "lesson" in parts(page).get("scenario", ""))
    page.get_by_role("textbox", name="Seed").fill("5")
    page.keyboard.press("Enter")
    until(lambda: parts(page).get("seed") == "5")
    picture(page)
    page.go_back()
    page.get_by_text("Your prediction").wait_for()
    picture(page)
    assert parts(page) == lesson
    page.go_back()
    page.get_by_text("One claim each").wait_for()
    go(page, "/batch")
    page.locator(".st-key-shelf").get_by_role("button", name="Open").first.click()
    page.get_by_text("Worst seeds").wait_for()
    page.get_by_role("link", name="Replay seed").first.click()
    ready(page)
    page.go_back()
    page.get_by_text("Worst seeds").wait_for()
    page.go_back()
    page.get_by_text("New batch").wait_for()

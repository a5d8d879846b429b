"""The table of runs in a real browser: a run is found, opened by a click, named, tagged, deleted and brought back."""

import shutil

import pytest
from browser import address, ready
from studio import until

from sandbox.running.notes import notes_of


@pytest.fixture
def own(runs):
    """A run that a test may change."""
    shutil.copytree(runs / "slips", runs / "own")
    yield runs / "own"
    shutil.rmtree(runs / "own", ignore_errors=True)


def found(page, words: str, count: int):
    """The rows with these words."""
    page.get_by_label("Find").fill(words)
    rows = page.locator("tbody tr")
    until(lambda: rows.count() == count)
    return rows


def test_a_click_opens_a_run_and_back_shows_the_table_as_it_was(visit, runs):
    page = visit("/replay")
    found(page, "warehouse RULES batch", 1)
    found(page, str(runs / "clean"), 1).get_by_text("completed").click()
    ready(page)
    assert "run=" in address(page)
    page.go_back()
    rows = page.locator("tbody tr")
    until(lambda: rows.count() == 1)
    found(page, "many", 1).get_by_role("link").click()
    page.wait_for_url("**/batch?run=*")


def test_a_run_is_named_tagged_deleted_and_brought_back(visit, own):
    page = visit("/replay")
    found(page, str(own), 1).get_by_role("checkbox").check()
    page.get_by_label("Name", exact=True).fill("my own run")
    page.get_by_label("Name", exact=True).press("Enter")
    page.get_by_role("link", name="my own run").wait_for()
    page.get_by_role("combobox", name="Tags").fill("odd")
    page.get_by_role("combobox", name="Tags").press("Enter")
    page.locator("td", has_text="odd").wait_for()
    assert notes_of(own) == ("my own run", ("odd",))
    page.get_by_role("button", name="Delete 1").click()
    until(lambda: not own.exists())
    page.get_by_role("button", name="Undo").click()
    until(lambda: own.is_dir() and notes_of(own).name == "my own run")
    page.get_by_role("link", name="my own run").wait_for()


def test_any_trial_of_a_batch_is_one_click_away(visit, runs):
    page = visit(f"/batch?run={runs / 'many'}")
    page.get_by_text("All 5 trials as a table").click()
    page.get_by_role("link", name="seed 3", exact=True).click()
    page.wait_for_url("**/replay?*trial=3*")
    ready(page)

"""The page Batch in a real browser: what a batch came to."""

import tomllib
from io import StringIO
from pathlib import Path

import pandas as pd
from browser import address, go_to_the_end, press_all, ready, saved, seen_after

import sandbox
from sandbox.scenario import load


def test_the_worst_seeds_of_a_batch_lead_to_their_replay(visit, runs):
    page = visit(f"/batch?run={runs / 'many'}")
    page.locator(".st-key-worst a").first.click()
    page.wait_for_url("**/replay?*")
    go_to_the_end(ready(page))
    assert all(part in address(page) for part in ("run=", "trial="))  # for whoever is sent the address


def test_what_a_batch_came_to_is_taken_away(visit, runs):
    page, files = visit(f"/batch?run={runs / 'many'}"), {}
    for label in ("CSV", "Report", "TOML"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        files[download.value.suggested_filename] = Path(download.value.path()).read_text()
    assert set(files) == {"many.csv", "many.html", "many.toml"}
    table = pd.read_csv(StringIO(files["many.csv"]), dtype={"digest": str})
    assert table["digest"].tolist() == sandbox.results(runs / "many")["digest"].tolist() and len(table) == 5
    played = load(tomllib.loads(files["many.toml"]))
    assert sandbox.run(played, seed=int(table["seed"][4])).digest == table["digest"][4]
    page.set_content(files["many.html"])
    assert page.locator("svg").count() > 1 and page.locator("img[onerror], script[src]").count() == 0
    page.get_by_text("Two slips <img src=x onerror=alert(1)>").first.wait_for()


def test_every_button_does_something(visit, runs):
    page = visit(f"/batch?run={runs / 'many'}")
    page.get_by_text("Figures").wait_for()
    press_all(page, {"CSV": saved, "Report": saved, "TOML": saved, "All batches": seen_after("New batch")})

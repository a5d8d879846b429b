"""A world is set up by hand in a real browser: dragged, painted, taken back, saved, played; by pointer and by keys."""

from browser import ready, tick
from studio import COMPILE, until

import sandbox
from sandbox.core.setup import place_of
from sandbox.record import open_run
from sandbox.running.replay import scenario_of
from sandbox.scenario import load
from sandbox.studio.backend.setup import Draft

TABLE = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 4, "reasoner": "rules"}]}
SEED = 1


def test_a_world_is_set_up_played_and_saved(visit, runs, tmp_path):
    draft = Draft(load(TABLE), SEED)
    start, others = place_of(draft.description["agents"][0]), [place_of(one) for one in draft.description["agents"]]
    free = [cell for cell in ((0, col) for col in range(10)) if cell not in others]
    page = visit("/?world=warehouse&setting=1")
    board = page.locator(".board")

    def at(cell):
        """The middle of a cell on the screen."""
        (rows, cols), box = draft.cells, board.locator(".picture").bounding_box()
        return box["x"] + (cell[1] + 0.5) * box["width"] / cols, box["y"] + (cell[0] + 0.5) * box["height"] / rows

    def told(cell, page=page):
        """What the page says to be in a cell, asked by the keyboard alone."""
        page.locator(".board").focus()
        page.keyboard.press("Escape")
        page.keyboard.press("Control+Home")
        for _ in range(cell[0]):
            page.keyboard.press("ArrowDown")
        for _ in range(cell[1]):
            page.keyboard.press("ArrowRight")
        return page.locator(".said").inner_text().partition(": ")[2]

    page.get_by_role("button", name="Undo").wait_for(timeout=1000 * COMPILE)
    until(lambda: board.locator(".picture").bounding_box()["width"] > 50)
    assert told(start).startswith("robot 0")

    page.mouse.move(*at(start))  # a drag
    page.mouse.down()
    page.mouse.move(*at(free[1]), steps=4)
    page.mouse.up()
    until(lambda: told(free[1]) == "robot 0, aisle" and not told(start).startswith("robot"), 60)

    page.get_by_role("radio", name="Closed aisle").click()  # a stroke
    until(lambda: "paints it" in (board.get_attribute("aria-label") or ""), 60)
    page.mouse.move(*at((9, 0)))
    page.mouse.down()
    page.mouse.move(*at((9, 2)), steps=2)
    page.mouse.up()
    until(lambda: told((9, 2)) == "closed aisle, aisle" == told((9, 1)), 60)
    page.keyboard.press("Control+z")
    until(lambda: told((9, 2)) == "aisle", 60)
    page.get_by_role("button", name="Redo").click()
    until(lambda: told((9, 2)) == "closed aisle, aisle", 60)

    page.get_by_role("radio", name="Move").click()  # by keys, to where it cannot stand
    until(lambda: "takes what is there" in (board.get_attribute("aria-label") or ""), 60)
    assert told(free[1]) == "robot 0, aisle"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight" if free[1][1] < 9 else "ArrowLeft")
    page.keyboard.press("Enter")
    beside = free[1][0], free[1][1] + (1 if free[1][1] < 9 else -1)
    if beside in others[1:]:
        page.get_by_text("is there").wait_for()
    else:
        until(lambda: told(beside) == "robot 0, aisle", 60)

    with page.expect_download() as saving:
        page.locator(".st-key-save_scenario button").first.click()
    saving.value.save_as(tmp_path / "own.toml")
    saved, address = load(tmp_path / "own.toml"), page.evaluate("location.search")
    assert saved.start["closed"] == [[9, 0], [9, 1], [9, 2]] and saved.seed == SEED
    again = visit(f"/{address}")  # the address alone
    again.get_by_role("button", name="Undo").wait_for()
    until(lambda: again.locator(".picture").bounding_box()["width"] > 50)
    assert told((9, 1), again) == "closed aisle, aisle"

    page.get_by_role("button", name="Play it").click()
    ready(page)
    page.get_by_role("button", name="Step").first.click()
    until(lambda: tick(page) == 1, 60)
    watched = sorted((runs / "studio").iterdir())[-1]
    with open_run(watched) as run:
        assert scenario_of(run).start == saved.start
        # it is written once the page has surely shown it
        played = until(lambda: next((event for event in run.events() if event.kind == "tick"), None), 60)
    model = sandbox.Sandbox(saved, rng=SEED)
    model.step()
    assert model.latest.digest == played.digest

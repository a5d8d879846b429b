"""The page Replay in a real browser: one run, or two in step."""

import re
from pathlib import Path

from browser import (
    PATIENCE,
    boxes,
    chosen,
    go_to_the_end,
    one_tick,
    panel,
    parts,
    press,
    press_all,
    pressed,
    ready,
    seen_after,
    tick,
)  # fmt: skip
from studio import until


def test_two_runs_are_replayed_in_step_and_exported(visit, runs):
    """Both pictures show the tick that all else shows."""
    page = ready(visit(f"/replay?run={runs / 'clean'}&beside={runs / 'slips'}", height=800))
    page.get_by_text(re.compile(r"They part at tick \d+")).wait_for()
    until(lambda: page.locator("canvas.picture").count() == 2)
    names = page.locator(".named")
    assert [name.split("\n")[0] for name in names.all_inner_texts()] == ["no action failure", "action failure 0.5"]
    assert all("delivered 0 of 1" in name for name in names.all_inner_texts())
    one, other = page.locator(".stage").all()
    both = [each.bounding_box() for each in (one, other)]
    assert both[0]["y"] == both[1]["y"] and both[0]["x"] + both[0]["width"] <= both[1]["x"]
    for box in (*both, *boxes(page, "[role=slider][aria-label=Tick]", ".mark.difference", ".parted")):
        assert box["y"] + box["height"] <= 800
    press(page, "Play")
    until(lambda: tick(page) > 1)
    one_tick(page, 1.0)
    press(page, "Pause")
    assert len(set(one_tick(page, 1.0))) == 1
    go_to_the_end(page)
    panel(page, "Record")
    pressed(page, "Check the chain", "chain intact")
    pressed(page, "Make a GIF", "Save the GIF")
    with page.expect_download() as download:
        press(page, "Save the GIF")
    assert Path(download.value.path()).read_bytes().startswith(b"GIF89a")


def test_every_button_does_something(visit, runs):
    page = ready(visit(f"/replay?run={runs / 'clean'}&beside={runs / 'slips'}"))
    press_all(page, {
        **{name: chosen(name) for name in ("Sight", "Belief", "Futures", "Task", "End", "Difference")},
        **{name: seen_after(words) for name, words in {
            "Charts": "Reward", "Agent": "Click an agent", "Team": "No team here", "Record": "Check the chain",
            "Transcript": "came to nothing", "Events": "Jump to"}.items()},
        "Step": lambda page: until(lambda: tick(page) == 1), "Play": seen_after("Playing"),
        "Reset": lambda page: until(lambda: tick(page) == 0, PATIENCE),
        "All runs": lambda page: until(lambda: "run" not in parts(page)),
    })  # fmt: skip

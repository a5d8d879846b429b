"""Take pictures of every page of the studio and of its states, at two widths, light and dark.

``python tests/pictures.py [--into FOLDER] [NAME...]`` in the root of a checkout; what is shown is what a page shows,
nothing is made up. With names only those. The usual folder is ``docs/pictures``; it gets those of ``DOCUMENTS``.
``card`` is the first part of the page that ``sandbox card rules semantic random`` has written.
"""

import argparse
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from browser import chromium  # noqa: E402
from playwright.sync_api import expect  # noqa: E402

import sandbox  # noqa: E402
from benchmarks.studio_server import served  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
RUNS = Path("runs") / "pictures"  # as pages name it
WIDTHS = {1280: 1, 390: 2}  # pixels, and how many of the screen's one is
SLOW = 120_000  # ms
TICKS = 12
DOCUMENTS = ("watch", "agent", "team", "compare", "runs", "transcript", "batch", "lessons", "lesson")
TEAM, SEARCH = "/?protocol=market&team=6", "/?policy=search"


def standing(page, words: str = "Tick"):
    page.locator(".st-key-standing", has_text=words).wait_for()
    page.get_by_role("button", name="Play").and_(page.locator(":enabled")).wait_for()


def played(page, panel: str) -> None:
    """A team at work, with a panel beside it."""
    standing(page)
    for tick in range(1, TICKS + 1):
        page.get_by_role("button", name="Step").first.click()
        standing(page, f"Tick {tick}")
    page.get_by_role("radio", name=panel).or_(page.get_by_role("button", name=panel, exact=True)).first.click()
    page.wait_for_timeout(1500)
    if panel == "Team":
        page.get_by_text("Wide lines").wait_for()
        page.wait_for_timeout(1500)


def watch(page) -> None:
    played(page, "Charts")
    page.get_by_role("button", name="Play").scroll_into_view_if_needed()


def agent(page) -> None:
    played(page, "Agent")
    page.locator(".st-key-agent").get_by_role("combobox").click()
    page.get_by_role("option", name="robot-1").click()
    page.locator(".did").first.wait_for()
    page.get_by_role("button", name="Futures", exact=True).click()
    page.wait_for_timeout(2500)


def beside(page, panel: str) -> None:
    """A replayed run at its end, with a panel beside it."""
    standing(page)
    page.get_by_role("slider", name="Tick").press("End")
    page.locator(".st-key-standing", has_text="Completed").wait_for()
    page.get_by_role("radio", name=panel).or_(page.get_by_role("button", name=panel, exact=True)).first.click()
    page.wait_for_timeout(1500)


def transcript(page) -> None:
    beside(page, "Transcript")
    page.get_by_role("button", name="First refusal").click()
    page.locator(".st-key-turn").wait_for()
    page.wait_for_timeout(1500)


def ticked(page) -> None:
    page.locator("tbody").get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Delete 1").wait_for()


def compare(page) -> None:
    page.get_by_text(re.compile(r"They part at tick")).wait_for()
    page.get_by_role("slider", name="Tick").press("End")
    page.locator(".st-key-standing", has_text="Completed").wait_for()
    page.wait_for_timeout(1000)


def lesson(page) -> None:
    page.get_by_text("Your prediction").wait_for()
    page.get_by_test_id("stRadio").get_by_role("radio").first.click(force=True)
    page.get_by_role("button", name="Measure").click()
    page.get_by_text("You predicted").wait_for()
    page.wait_for_timeout(1000)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("name", nargs="*", help="what is taken; default: everything")
    options.add_argument("--into", type=Path, default=PICTURES, metavar="FOLDER", help="default: docs/pictures")
    asked = options.parse_args()
    asked.into = asked.into.absolute()
    asked.into.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    shutil.rmtree(RUNS, ignore_errors=True)
    os.environ["SANDBOX_RUNS"] = str(RUNS)
    base = {"title": "Four robots", "world": {"name": "warehouse", "layout": "tiny"},
            "agents": [{"count": 4, "reasoner": "rules"}]}  # fmt: skip
    slips = {**base, "title": "Actions fail", "perturb": {"action_failure": 0.5}}
    sandbox.run(base, seed=1, out=RUNS / "clean")
    sandbox.run(slips, seed=1, out=RUNS / "slips")
    sweep = {"perturb.action_failure": [0.0, 0.5, 1.0]}
    sandbox.batch({**base, "title": "Slips", "sweep": sweep}, RUNS / "slips-batch", trials=200)
    pages = {
        "watch": ("/", watch),
        "agent": (SEARCH, agent),
        "team": (TEAM, lambda page: played(page, "Team")),
        "events": ("/", lambda page: played(page, "Events")),
        "intervene": ("/", lambda page: played(page, "Intervene")),
        "upload": ("/?scenario=An+uploaded+file", lambda page: page.get_by_text("no file yet").wait_for()),
        "unknown": ("/?world=nowhere", standing),
        "runs": ("/replay", lambda page: page.locator("tbody tr").first.wait_for()),
        "ticked": ("/replay", ticked),
        "transcript": (f"/replay?run={RUNS / 'slips'}", transcript),
        "record": (f"/replay?run={RUNS / 'slips'}", lambda page: beside(page, "Record")),
        "compare": (f"/replay?run={RUNS / 'clean'}&beside={RUNS / 'slips'}", compare),
        "batch": (
            f"/batch?run={RUNS / 'slips-batch'}",
            lambda page: page.locator(".st-key-worst a:visible").first.wait_for(),
        ),
        "batches": ("/batch", lambda page: page.get_by_text("Batches and certificates").wait_for()),
        "lessons": ("/lessons", lambda page: page.get_by_text("The same dice").wait_for()),
        "lesson": ("/lessons?lesson=03-renamed-button", lesson),
    }
    with served(ROOT / "app.py", ROOT) as server, chromium() as browser:
        for name in asked.name or (DOCUMENTS if asked.into == PICTURES else pages):
            if name == "card":
                card(browser)
            else:
                take(browser, server.address, asked.into / f"{name}.png", *pages[name])


def card(browser) -> None:
    page = browser.new_page(viewport={"width": 960, "height": 900})
    page.goto((ROOT / "runs" / "card" / "card.html").as_uri())
    last = page.locator("figure").first.bounding_box()
    below = {"x": 0, "y": 0, "width": 960, "height": last["y"] + last["height"] + 16}
    page.screenshot(path=ROOT / "docs" / "images" / "card.png", full_page=True, clip=below)
    page.close()


def take(browser, address: str, picture: Path, path: str, act) -> None:
    """The page at a path, after ``act``, at both widths, light and dark: ``watch-390-dark.png``."""
    for width, scale in WIDTHS.items():
        for scheme in ("light", "dark"):
            view = {"width": width, "height": 900}
            context = browser.new_context(viewport=view, color_scheme=scheme, device_scale_factor=scale)
            page = context.new_page()
            page.set_default_timeout(SLOW)
            page.goto(f"{address}{path}")
            act(page)
            page.mouse.move(width - 5, 895)
            for busy in ("stSpinner", "stStatusWidget"):
                expect(page.get_by_test_id(busy)).to_have_count(0, timeout=SLOW)
            page.wait_for_timeout(500)
            assert page.get_by_test_id("stException").count() == 0, f"{picture.stem}: the page shows an error"
            page.screenshot(path=picture.with_stem(f"{picture.stem}-{width}-{scheme}"))
            context.close()
            print(picture.stem, width, scheme, flush=True)


if __name__ == "__main__":
    main()

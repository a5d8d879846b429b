"""Every page for everybody: WCAG 2.2 AA as axe-core checks it, on a screen and on a phone, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PAGES = {  # address: what is there once the page is drawn
    "": "Tick",
    "replay": "Click a run to open it",
    "replay?run={runs}/slips": "Tick",
    "batch": "Batches and certificates",
    "batch?run={runs}/many": "Figures",
    "lessons": "Does a world model help?",
    "lessons?lesson=03-renamed-button": "Your prediction",
}
# What one cannot do on a page: whatever of it lies beyond the right edge and does not scroll by itself.
BEYOND = """() => [...document.querySelectorAll('.stMain *')].filter((one) => {
  const box = one.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1 || getComputedStyle(one).visibility === 'hidden') return false;
  for (let e = one.parentElement; e; e = e.parentElement)
    if (/auto|scroll|hidden|clip/.test(getComputedStyle(e).overflowX) && !e.matches('.stMain, .stApp, body, html')
        && e.getBoundingClientRect().right <= innerWidth + 1) return false;
  return true;
}).map((one) => one.outerHTML.slice(0, 120))"""


def drawn(page, words: str):
    page.locator(".stMain").get_by_text(words).first.wait_for()
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.wait_for_timeout(1000)
    return page


@pytest.mark.parametrize("width, scheme", [(1280, "dark"), (390, "light"), (390, "dark"), (1280, "light")])
def test_a_page_has_no_violation_and_nothing_is_cut_off(visit, runs, width, scheme):
    page, found = visit("/lessons", width, scheme), {}
    for path, words in PAGES.items():
        page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}/{path.format(runs=runs)}")
        drawn(page, words)
        results = Axe().run(page, options=RULES).response["violations"]
        found[path] = [
            (each["id"], node["target"], node["failureSummary"]) for each in results for node in each["nodes"]
        ]
        found[path] += page.evaluate(BEYOND)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for title in ("Watch", "Runs", "Batch", "Lessons"):
            assert page.get_by_role("link", name=title, exact=True).first.is_visible(), (path, title)
        assert width > 767 or not page.locator("kbd:visible").count(), path
    assert not {path: each for path, each in found.items() if each}

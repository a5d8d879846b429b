"""Every page for everybody: WCAG 2.2 AA as axe-core checks it, on a screen and on a phone, light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import panel, ready

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


# Words that are none for people: identifiers, values that are missing, and Markdown that was cut off. Code, and texts
# that are paths, are left out.
ODD = r"""() => {
  const roots = [document], found = [];
  for (let k = 0; k < roots.length; k++) {
    for (const node of roots[k].querySelectorAll('*')) if (node.shadowRoot) roots.push(node.shadowRoot);
    const walk = document.createTreeWalker(roots[k].body ?? roots[k], NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const text = walk.currentNode.data.trim(), above = walk.currentNode.parentElement;
      if (!text || !above || !above.checkVisibility() || above.closest('style, script, code, pre, textarea')) continue;
      if (getComputedStyle(above).fontFamily.includes('Material')) continue; // an icon
      const odd =
        /(^|[ (:])[a-z]+(_[a-z0-9]+)+($|[ ),.:])|\b(None|nan|NaN|undefined)\b|\*\*|\]\(|`/;
      if (odd.test(text)) found.push(text.slice(0, 120));
    }
  }
  return found;
}"""


def drawn(page, words: str):
    page.locator(".stMain").get_by_text(words).first.wait_for()
    page.get_by_test_id("stStatusWidget").wait_for(state="detached")
    page.wait_for_timeout(1000)
    return page


def problems(page, width: int) -> list:
    """What axe-core finds, what is cut off at the right, and what a page lacks at a width."""
    found = Axe().run(page, options=RULES).response["violations"]
    told = [(each["id"], node["target"], node["failureSummary"]) for each in found for node in each["nodes"]]
    told += [*page.evaluate(BEYOND), *page.evaluate(ODD)]
    told += ["the page is too wide"] if page.evaluate("document.documentElement.scrollWidth") > width else []
    links = (page.get_by_role("link", name=title, exact=True).first for title in ("Watch", "Runs", "Batch", "Lessons"))
    told += [] if all(link.is_visible() for link in links) else ["a page cannot be reached"]
    return told + (["keys are told on a phone"] if width < 768 and page.locator("kbd:visible").count() else [])


def problems_by_look(page) -> dict[tuple[int, str], list[str]]:
    """The problems of a page by its width and colour scheme, where it has any."""
    found = {}
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(500)
            found[width, scheme] = problems(page, width)
    return {look: each for look, each in found.items() if each}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everybody(visit, runs, path):
    page = visit(f"/{path.format(runs=runs)}")
    drawn(page, PAGES[path])
    assert page.get_by_test_id("stException").count() == 0
    assert not problems_by_look(page)


@pytest.mark.parametrize("path, panels", [
    ("?policy=search", ("Charts", "Events", "Agent", "Team", "Intervene", "Record")),
    ("replay?run={runs}/slips", ("Transcript", "Agent", "Record")),
])  # fmt: skip
def test_panels_are_in_words(visit, runs, path, panels):
    page = ready(visit(f"/{path.format(runs=runs)}"))
    page.get_by_role("button", name="Step").first.click()
    for name in panels:
        panel(page, name)
        page.wait_for_timeout(2500)
        assert page.evaluate(ODD) == [], name

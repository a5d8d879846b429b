"""The studio in a real Chromium, for tests: one server for all of them, its pages, and what a person does on them.

A plugin of pytest, for its fixtures: ``visit`` opens a page of the studio.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep, time
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from studio import COMPILE, until

import sandbox
from benchmarks.studio_server import CHROMIUM, browsing, served

SCENARIO = {
    "title": "Two slips <img src=x onerror=alert(1)>",
    "world": {"name": "warehouse", "layout": "tiny", "deliveries": 1},
    "agents": [{"count": 4, "reasoner": "rules"}],
}  # fmt: skip
SEED = 1
PATIENCE = 60  # seconds; kernels may be compiled meanwhile
# Streamlit looks for its end points below the page's address first, and complains that they are not there.
OURS = re.compile(r"^(?!.*(404 \(Not Found\)|WebGL|GPU stall))")
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    """What needs a browser is tried twice: on a busy machine it may wait too long. The summary lists what was."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@contextmanager
def chromium() -> Iterator:
    """A headless browser; without one the test is skipped, in CI it fails."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"no browser at {CHROMIUM}: the studio is not tested")
        pytest.skip(f"no browser at {CHROMIUM}")
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Path:
    """Two runs of one seed, which part at a disturbance, and a batch."""
    folder = tmp_path_factory.mktemp("runs")
    sandbox.run(SCENARIO, seed=SEED, out=folder / "clean")
    sandbox.run({**SCENARIO, "perturb": {"action_failure": 0.5}}, seed=SEED, out=folder / "slips")
    sandbox.batch(SCENARIO, folder / "many", trials=5, workers=1)
    return folder


@pytest.fixture(scope="session")
def server(root, runs):
    """The studio, once in a worker."""
    with served(root / "app.py", root, SANDBOX_RUNS=str(runs)) as server:
        yield server


@pytest.fixture(scope="module")
def browser():
    """Not for the whole session: Playwright's event loop runs in the thread of the tests, and others need theirs."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(request, browser, server):
    """Opens pages, and complains of what a page complains of. Of a test that fails, it says how its pages stand."""
    contexts, problems, said = [], [], server.log.stat().st_size

    def sent(what):
        print(f"{time():.2f} sent", what[-150:])

    def open_(path: str = "/", width: int = 1280, scheme: str = "light", scale: int = 1, height: int = 900):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: problems.append(f"a script ran: {dialog.message}"))
        page.on("websocket", lambda socket: socket.on("framesent", sent))
        page.goto(f"{server.address}{path}")
        return page

    yield open_
    if request.node.stash[FAILED]:
        for context in contexts:
            print(*(page.locator("body").aria_snapshot() for page in context.pages))
        os.kill(server.pid, signal.SIGUSR1)
        sleep(0.5)
        print(f"{time():.2f}", server.log.read_text()[-9000:])
    for context in contexts:
        context.close()
    assert [problem for problem in problems if OURS.match(problem)] == []
    assert "Traceback" not in server.log.read_bytes()[said:].decode()


# -- a page that plays -------------------------------------------------------------------------------------------------


def tick(page) -> int:
    """The tick that the page tells; while it says what it waits for, that is waited for."""

    def told():
        return re.search(r"Tick ([\d,]+)", page.locator(".st-key-standing", has_text="Tick").inner_text())

    return int(until(told)[1].replace(",", ""))  # the text may change between being found and being read


def ready(page):
    """Until it can be played; kernels may be compiled before."""
    page.get_by_role("button", name="Play").and_(page.locator(":enabled")).wait_for()
    page.locator(".st-key-standing", has_text="Tick").wait_for(timeout=1000 * COMPILE)
    return page


def at_rest(page) -> None:
    """Until all of it is drawn, and nothing is at work."""
    page.locator("[data-test-script-state=notRunning]").wait_for()


def go(page, path: str) -> None:
    """To another address, which takes half as long as a new page."""
    page.goto(urljoin(page.url, path))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def pressed(page, name: str, words: str) -> None:
    """Press, and wait until it is told what came of it."""
    press(page, name)
    page.get_by_text(words).first.wait_for()


def go_to_the_end(page) -> None:
    at_rest(page)  # one that is drawn anew may miss a key
    page.get_by_role("slider", name="Tick").press("End")
    page.locator(".st-key-standing", has_text="Completed").wait_for()
    assert tick(page) > 1


def panel(page, name: str) -> None:
    page.get_by_role("radio", name=name).click()


def pick(page, agent: int) -> None:
    """Click an agent in the picture of the default scenario, before the first tick."""
    env = sandbox.make("warehouse", layout="tiny", agents=4)
    (rows, cols), (row, col) = env.world.cells(env.params), env.reset([SEED]).pos[0, agent].tolist()
    canvas = page.locator("canvas.picture")
    canvas.wait_for()
    page.wait_for_timeout(500)  # its size settles
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] * (col + 0.5) / cols, box["y"] + box["height"] * (row + 0.5) / rows)


def boxes(page, *selectors: str) -> list[dict[str, float]]:
    """Where the first of each is, in pixels, once nothing moves any more."""

    def at_rest():
        first = [page.locator(each).first.bounding_box() for each in selectors]
        page.wait_for_timeout(600)
        then = [page.locator(each).first.bounding_box() for each in selectors]
        return then if None not in then and first == then else None

    return until(at_rest, PATIENCE)


# -- what it shows -----------------------------------------------------------------------------------------------------

PICTURE = """() => {
  const canvas = [...document.querySelectorAll('.stBidiComponent div')].map(e => e.shadowRoot).filter(Boolean)
    .map(root => root.querySelector('canvas[data-painted]')).find(Boolean);
  if (!canvas) return null;
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height), colours = new Set();
  let hash = 7;
  for (let i = 0; i < data.length; i += 4) {
    const colour = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
    colours.add(colour); hash = hash * 31 + colour | 0;
  }
  return {hash, colours: colours.size, width: canvas.clientWidth, ...canvas.dataset};
}"""


def picture(page) -> int:
    """A number that stands for the picture, once nothing moves."""

    def still():
        at_rest(page)
        first = page.evaluate(PICTURE)
        page.wait_for_timeout(200)
        return first and first["waiting"] == "0" and first["hash"] == page.evaluate(PICTURE)["hash"] and first["hash"]

    return until(still)


# The tick that each part of the page shows, read from what a person sees of it.
SHOWN = r"""() => {
  const roots = [document], all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
  for (let k = 0; k < roots.length; k++)
    for (const node of roots[k].querySelectorAll('*')) if (node.shadowRoot) roots.push(node.shadowRoot);
  const number = (text) => text === undefined ? null : +text.replaceAll(',', '');
  const read = (selector, pattern) => all(selector).map((one) => number((one.innerText.match(pattern) || [])[1]));
  return {
    picture: all('canvas.picture').map((one) => number(one.dataset.tick)), standing: read('.standing', /Tick ([\d,]+)/),
    line: all('[role=slider][aria-label=Tick]').map((one) => number(one.getAttribute('aria-valuenow'))),
    told: read('[role=slider][aria-label=Tick] output', /^([\d,]+)/),
    charts: all('[data-span]').map((one) => (one.getAttribute('aria-label').match(/tick ([\d,]+):/) || [])[1])
      .map(number),
    agent: read('.who', /tick ([\d,]+)/), team: read('.moment p', /at tick ([\d,]+)/).filter((tick) => tick !== null),
    events: Math.max(0, ...read('.event .tick', /([\d,]+)/)),
  };
}"""


SAMPLED = f"""(seconds) => new Promise((done) => {{
  const shown = {SHOWN}, found = [], end = performance.now() + 1000 * seconds;
  const look = (now) => {{ found.push(shown()); now < end ? requestAnimationFrame(look) : done(found); }};
  requestAnimationFrame(look);
}})"""


def one_tick(page, seconds: float = 0.5) -> list[int]:
    """Sample all parts of the page at each of its frames: they show the same tick, and no event of a later one.

    Returns the ticks.
    """
    found = []
    for seen in page.evaluate(SAMPLED, seconds):
        events = seen.pop("events")
        ticks = {tick for part in seen.values() for tick in part}
        assert len(ticks) == 1 and seen["picture"] and seen["standing"] and seen["line"] and seen["told"], seen
        found += ticks
        assert events <= found[-1], (events, seen)
    return found


def one_tick_until(page, there: int) -> list[int]:
    """The same until a tick is shown; returns all that were."""
    found = []
    until(lambda: found.extend(one_tick(page, 0.2)) or found[-1] == there, PATIENCE)
    return found


def pressed_at(page, key: str) -> int:
    """Press a button; the tick of the picture at that moment."""
    return page.evaluate(f"() => {{ const shown = ({SHOWN})().picture[0];"
                         f"document.querySelector('.st-key-{key} button').click(); return shown; }}")  # fmt: skip


# -- its address -------------------------------------------------------------------------------------------------------


def address(page) -> str:
    """Asked of the page: ``page.url`` changes only while something else is asked of it, so no loop may wait for it."""
    return page.evaluate("location.href")


def parts(page) -> dict[str, str]:
    """The fields of the address, without the name of the run."""
    return {key: value for key, value in parse_qsl(urlsplit(address(page)).query) if key != "tab"}


def choose(page, label: str, words: str) -> None:
    page.get_by_role("combobox", name=label).first.click()
    page.keyboard.type(words)
    page.keyboard.press("Enter")


# -- every button ------------------------------------------------------------------------------------------------------

# Names of what can be pressed on a page of ours, without the parts of Streamlit's own (menus, help, tables, headings).
PRESSED = """() => {
  const own = '[data-testid=stToolbar], [data-testid=stHeader], [data-testid=stDataFrame],'
    + '[data-testid=stElementToolbar], [data-testid=stHeading], [data-baseweb=select], [data-testid=stSidebarHeader],'
    + '[data-testid=stNumberInputContainer], [data-testid=stTextInput], [data-testid=stCodeCopyButton]';
  const kinds = 'button[kind], [data-testid=stButtonGroup] button, .whole, [data-testid=stPageLink] a,'
    + '[data-testid=stDownloadButton] button';
  return [...document.querySelectorAll(kinds)].filter((one) => one.offsetParent && !one.closest(own)).map((one) => {
    const copy = one.cloneNode(true);
    for (const icon of copy.querySelectorAll('[data-testid=stIconMaterial]')) icon.remove();
    return copy.textContent.trim();
  });
}"""
SHORTCUT = re.compile(r"(?<=Play|Step)(Space|S)$|(?<=Reset)Shift.*$")  # what stands on a button beside its name
ROLES = ("radio", "link", "button")


def names(page) -> set[str]:
    found = {SHORTCUT.sub("", name) for name in page.evaluate(PRESSED)} - {""}  # icons of Streamlit's own
    own = {name for name in found if not name.startswith("Replay seed")}  # these are links, pressed elsewhere
    return {name.lstrip("✔⚑≠✉◐✂∅✗☠ ") for name in own}


def seen_after(words: str):
    return lambda page: page.get_by_text(words).first.wait_for()


def saved(page, name: str) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    assert Path(download.value.path()).stat().st_size


def in_address(**fields: str):
    def check(page):
        until(lambda: parts(page).items() >= fields.items(), PATIENCE)

    return check


def usual_in_address(**fields: str):
    """What is usual is left out of an address, as a rule."""

    def check(page):
        until(lambda: (fields | parts(page)).items() >= fields.items(), PATIENCE)

    return check


def chosen(name: str):
    return lambda page: page.get_by_role("button", name=name, pressed=True).wait_for()


def press_all(page, known: dict) -> None:
    """Press every button of a page, in the order of ``known``: by its name, a check of what came of it.

    A button that is not known fails, as does one that is not there. What leads to another page comes last.
    """
    there = set()
    with suppress(AssertionError):
        until(lambda: there.clear() or there.update(names(page)) or there == known.keys())
    assert there == known.keys()
    for name, check in known.items():
        print("pressed", name)
        if check is saved:
            saved(page, name)
        else:
            button(page, name).click()
            check(page)


def button(page, name: str):
    """What has a name; beside it may stand an icon and a shortcut."""
    whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    ways = [(role, each) for each in (re.compile(f"^{re.escape(name)}$"), whole) for role in ROLES]
    found = [page.get_by_role(role, name=each) for role, each in ways]
    return until(lambda: next((one for one in found if one.count()), None)).first

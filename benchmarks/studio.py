"""The studio: frames a second that a browser shows, and what that takes from the simulation behind them."""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.report import Figure, at_least, times
from benchmarks.rounds import Pace
from benchmarks.studio_server import browsing, opened, served
from sandbox.model import Sandbox
from sandbox.oversight.approvals import Approvals
from sandbox.studio.backend.episode_player import EpisodePlayer

PAGE = Path(__file__).with_name("studio_page.py")
ROUNDS, SECONDS = 4, 8.0
FRAMES, FEW, SHARE = 20.0, 8.0, 0.9  # distinct frames a second, also of the large map; of the speed without a page

# Every frame that is put on the canvas, by a hash of its pixels, before any of the page's own scripts run.
WATCH = """() => {
  window.frames_ = new Set(); window.put_ = 0;
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
    const words = new Uint32Array(image.data.buffer);
    let hash = 7;
    for (let i = 0; i < words.length; i++) hash = (Math.imul(hash, 31) + words[i]) | 0;
    window.frames_.add(hash); window.put_++;
    return put.call(this, image, ...rest);
  };
}"""
COUNTS = """() => {
  const canvas = [...document.querySelectorAll('.stBidiComponent div')].map(e => e.shadowRoot).filter(Boolean)
    .map(root => root.querySelector('canvas[data-painted]')).find(Boolean);
  return canvas && {distinct: window.frames_.size, painted: window.put_, tick: +canvas.dataset.tick,
    width: canvas.width, height: canvas.height};
}"""


def hall(side: int) -> str:
    """A map of a warehouse, as text: blocks of 2 x 8 shelves, a goal at every eighth cell of two walls."""
    rows = range(side)
    goal = [[row in (0, side - 1) and col % 8 == 4 for col in rows] for row in rows]
    aisle = [[col % 3 == 0 or row % 9 == 0 or side - 1 in (row, col) for col in rows] for row in rows]
    return "\n".join("".join("g" if goal[r][c] else "." if aisle[r][c] else "x" for c in rows) for r in rows)


def yard(side: int) -> str:
    """The same for couriers: open ground with pillars of 2 x 2 cells."""
    rows = ("".join("@" if r % 12 in (5, 6) and c % 12 in (5, 6) else "." for c in range(side)) for r in range(side))
    return "\n".join(["type octile", f"height {side}", f"width {side}", "map", *rows])


def scenario(layout: str, agents: int) -> dict:
    world = {"name": "warehouse", "layout": layout, "deliveries": 0, "max_ticks": 2_000_000_000}
    return {"world": world, "agents": [{"count": agents, "reasoner": "rules"}]}


def watched(page) -> dict[str, float]:
    """What the browser shows in a while: frames, distinct ones, and ticks, each a second."""
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1500)
    before, start = page.evaluate(COUNTS), time.perf_counter()
    page.wait_for_timeout(1000 * SECONDS)
    after, wall = page.evaluate(COUNTS), time.perf_counter() - start
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").wait_for()
    page.wait_for_timeout(1500)
    rates = {key: (after[key] - before[key]) / wall for key in ("distinct", "painted", "tick")}
    return rates | {"width": after["width"], "height": after["height"]}


def without(given: dict, folder: Path) -> tuple[Pace, Pace]:
    """The same simulation with no page: stepped only, and recorded as all that is watched is."""
    model, film = Sandbox(given, rng=1), EpisodePlayer.begin(given, 1, folder, Approvals())

    def steps(step) -> int:
        count, until = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < until:
            step()
            count += 1
        return count

    for one in (model.step, film.advance):
        one()
    return Pace("stepped, no page", lambda: steps(model.step)), Pace("recorded, no page", lambda: steps(film.advance))


def measure(
    name: str, layout: str, agents: int, rounds: int, frames: float, share: float | None = None
) -> list[Figure]:
    """Contestants take turns; ``frames`` and ``share`` are targets."""
    given, shown = scenario(layout, agents), []
    with TemporaryDirectory() as folder:
        step, record = without(given, Path(folder) / "run")
        file, script = Path(folder) / "scenario.json", Path(folder) / PAGE.name
        file.write_text(json.dumps(given))
        script.write_text(PAGE.read_text())  # Streamlit looks for modules beside its script: here, for our coverage.py
        with served(script, Path(folder), SANDBOX_SCENARIO=str(file)) as server, browsing() as browser:
            page = opened(browser, server.address, f"({WATCH})()")
            for _ in range(rounds):
                step.run()
                record.run()
                shown.append(watched(page))
    stepped, recorded = (Figure(f"{name}: {each.name}", "ticks/s", each.rates) for each in (step, record))
    ticks, name = [each["tick"] for each in shown], f"{name}, {shown[0]['width']:.0f} x {shown[0]['height']:.0f} pixels"
    return [
        Figure(name, "distinct frames/s", [each["distinct"] for each in shown], target=at_least(frames)),
        stepped, recorded, Figure(name, "ticks/s", ticks, beside=stepped),
        Figure(name, "ticks/s", ticks, beside=recorded, target=times(share) if share else None),
    ]  # fmt: skip


def canvas(quick: bool) -> list[Figure]:
    """1,000 robots in a warehouse of 128 x 128 cells, headless Chromium, as fast as they can."""
    return measure("128 x 128 cells", hall(128), 1_000, 2 if quick else ROUNDS, FRAMES, SHARE)


def large(quick: bool) -> list[Figure]:
    """10,000 couriers on 100,000 cells."""
    return measure("316 x 316 cells", yard(316), 10_000, 1 if quick else 2, FEW)


PEERS = ("streamlit", "mesa")
SPEEDS = {"canvas": canvas, "large": large}

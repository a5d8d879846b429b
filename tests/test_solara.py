"""Mesa's own page shows the class as it is: parameters are sliders, in a real browser, with nothing from outside."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from browser import chromium
from mesa.visualization.solara_viz import _check_model_params

import sandbox
from benchmarks.studio_server import START, wait

PAGE = """
import solara
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

import sandbox

SCENARIO = {"world": {"name": "warehouse", "layout": "tiny"}, "agents": [{"count": 2}]}
params = {
    "scenario": SCENARIO,
    "seed": Slider("seed", 3, 0, 9),
    "world.deliveries": Slider("deliveries", 2, 1, 20),
}


@solara.component
def Told(model):
    update_counter.get()
    told = f"seed {model.seed}, {model.stage.options.deliveries} deliveries, tick {model.ticks}"
    solara.Text(f"{told}, {len(model.agents.get('pos'))} places")


model = sandbox.Sandbox(SCENARIO, seed=3, **{"world.deliveries": 2})
page = SolaraViz(model, components=[make_plot_component("tasks_done"), Told], model_params=params, name="Warehouse")
"""


@pytest.mark.parametrize(
    "params", [{"scenario": "x", "rng": 1}, {"scenario": "x"}, {"scenario": "x", "seed": 1, "world.layout": "tiny"}]
)
def test_solara_takes_the_parameters(params):
    _check_model_params(sandbox.Sandbox.__init__, params)


@contextmanager
def served(folder):
    """The address of the page, from Solara's server with Solara's assets."""
    (folder / "page.py").write_text(PAGE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {"SOLARA_ASSETS_PROXY": "True", "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False"}
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-open", "--production"]
    command, address = [sys.executable, "-m", "solara", "run", "page.py", *options], f"http://127.0.0.1:{port}/"
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)

        def answers() -> bool:
            assert server.poll() is None, (folder / "server.log").read_text()
            return urlopen(address + "readyz", timeout=5).status == 200

        try:
            wait(answers)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def test_solara_shows_the_class_in_a_browser(tmp_path):
    with served(tmp_path) as address, chromium() as browser:
        page, away = browser.new_page(), []
        page.set_default_timeout(1000 * START)  # the first step may compile kernels
        page.on("request", lambda request: away.append(request.url))
        page.goto(address)
        page.get_by_text("seed 3, 2 deliveries, tick 0, 2 places").wait_for()
        page.get_by_role("button", name="Step").click()
        page.get_by_text("seed 3, 2 deliveries, tick 1, 2 places").wait_for()
        sliders = page.locator(".v-slider__thumb-container")
        sliders.nth(2).press("ArrowRight")
        sliders.nth(3).press("ArrowRight")
        page.get_by_role("button", name="Reset").click()
        page.get_by_text("seed 4, 3 deliveries, tick 0, 2 places").wait_for()
        page.get_by_role("button", name="Step").click()
        page.get_by_text("seed 4, 3 deliveries, tick 1, 2 places").wait_for()
        assert not [url for url in away if not url.startswith((address, "data:", "blob:", "ws:"))]

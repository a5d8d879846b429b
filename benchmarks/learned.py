"""Learned world models: how far they drift from the rules, and what a search with them gains, beside its controls.

Controls that are missing in ``runs/learn`` are trained first, which needs the extra ``learn``; the model itself is the
one that the package ships.
"""

import subprocess
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from benchmarks.pages import difference, number, show
from benchmarks.report import console
from sandbox.analysis.drift import HORIZONS, drift
from sandbox.core.world_model import WorldModel
from sandbox.engine.environment import Environment, make
from sandbox.engine.learned import weights_of
from sandbox.statistics import Estimate, mean_difference

PEERS = ()
PAGE, RUNS, FRESH, SECONDS = "learning.md", Path("runs/learn"), 900_000, 120
AHEAD = {"horizon": 30, "futures": 8, "caution": 2.0}  # as in scenarios/imagination/kitchen.toml
CONTROLS = {  # options of ``sandbox learn world-model``
    "shuffled actions": ["--shuffled"],
    "another layout": ["--layout", "coordination_ring"],
    "half the data": ["--ticks", "200000"],
    "ensemble of 3": ["--members", "3"],
}
KITCHENS = {"kitchen, clean": 0.0, "kitchen, sticky floor .5": 0.5}  # severity of the sticky floor


def weights(control: str) -> str:
    """The weights of a control, which are trained if they are missing."""
    folder = RUNS / f"kitchen-{control.replace(' ', '-')}"
    if not (path := folder / "weights.safetensors").exists():
        command = [sys.executable, "-m", "sandbox", "learn", "world-model", "kitchen", "--seconds", str(SECONDS)]
        subprocess.run([*command, *CONTROLS[control], "--out", folder], check=True)
    return str(path)


def kitchen(severity: float, soups: int = 3) -> Environment:
    """The kitchen of scenarios/imagination."""
    return make("kitchen", layout="cramped_room", scattered=True, soups=soups, perturb={"sticky_floor": severity})


def models() -> dict[str, WorldModel]:
    """The exact model, the learned one, and its controls."""
    controls = {name: WorldModel(kind="learned", weights=weights(name), **AHEAD) for name in CONTROLS}
    return {"exact": WorldModel(**AHEAD), "learned": WorldModel(kind="learned", **AHEAD), **controls}


def played(row: str, name: str, model: WorldModel | str, seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Ticks and success of each seed; kept in RUNS, so that a measurement that was stopped goes on."""
    env = kitchen(KITCHENS[row])
    weights = weights_of(env.world, model).sha256 if isinstance(model, WorldModel) and model.kind == "learned" else ""
    told = f"{row}, {name}, {model if isinstance(model, str) else model.model_dump_json()}, {seeds}, {weights}"
    path = RUNS / "played" / f"{sha256(told.encode()).hexdigest()[:16]}.npy"
    if not path.exists():
        state = env.play(seeds, model)[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, [state.tick, state.done == 1])
    ticks, done = np.load(path)
    return ticks.astype(float), done.astype(bool)


def pays(row: str, quick: bool) -> None:
    """Search with each model beside its base policy, in ticks to completion, paired on seeds."""
    seeds, told = range(FRESH, FRESH + (4 if quick else 20)), []
    ticks, done = played(row, "rules", "rules", seeds)
    for name, model in models().items():
        own, finished = played(row, name, model, seeds)
        both = done & finished
        apart = mean_difference((own - ticks)[both])
        told.append(difference(apart, -1) + (f", {both.sum()} pairs" if not both.all() else ""))
        console.print(f"{row}: {name}: {told[-1]}")
    usual = f"{number(ticks.mean())} ticks"
    show(
        PAGE, "search", ["scenario", "n", "rules", *models()], [[row, str(len(seeds)), usual, *told]], quick, kept=True
    )


def drifts(quick: bool) -> None:
    """The errors by horizon, beside those of the rules with other dice, in the kitchen."""
    known = {name: model for name, model in models().items() if name != "exact"}
    for name, severity in KITCHENS.items():
        _drift(name, kitchen(severity, soups=0), known, quick)


def wilderness(quick: bool) -> None:
    """The same in craft, of the shipped model."""
    _drift("craft", make("craft", agents=1, goal="none"), {"learned": WorldModel(kind="learned")}, quick)


def _drift(name: str, env: Environment, models: dict[str, WorldModel], quick: bool) -> None:
    seeds = range(FRESH, FRESH + (3 if quick else 20))
    found = {each: drift(env, model, seeds, "oracle", 0.1) for each, model in models.items()}
    rows = [[f"{name}: rules, other dice", *(_share(row.exact) for row in found["learned"])]]
    rows += [[f"{name}: {each}", *(_share(row.learned) for row in own)] for each, own in found.items()]
    columns = ["scenario: model", *(f"{horizon} tick{'s' * (horizon > 1)}" for horizon in HORIZONS)]
    show(PAGE, "drift", columns, rows, quick, kept=True)


def _share(error: Estimate) -> str:
    value, low, high = (f"{each:.3f}".removeprefix("0") for each in error)
    return f"{value} ({low} .. {high})"


PARTS = {"drift": drifts, "craft": wilderness, **{name: partial(pays, name) for name in KITCHENS}}

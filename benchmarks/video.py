"""Spectacle and utility: how the films of models look, whether they are right, and what a search in them reaches.

Models that are missing in ``runs/learn`` are trained first, which needs the extra ``learn``; the video models
themselves are those that the package ships.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.pages import DOCS, number, share, show
from benchmarks.report import console
from sandbox.analysis.videos.imagined import Begin, Simulated, Still
from sandbox.analysis.videos.measures import HORIZONS, beginning, measured
from sandbox.analysis.videos.pictures import Camera, film, scene
from sandbox.analysis.videos.planning import Attempt, attempts
from sandbox.core.world_model import WorldModel
from sandbox.engine.arrays import copied
from sandbox.engine.learned import stepper
from sandbox.nets.video import Video
from sandbox.nets.weights import read, shipped
from sandbox.statistics import Estimate, clustered_rate

PEERS = ()
PAGE, RUNS, WORLD = "learning.md", Path("runs/learn"), "kitchen"
FRESH, POLICY, NOISE, TICKS = 960_000, "oracle", 0.1, 100
SHOWN = 8  # pictures of each film in the picture of the page
CONTROLS = {  # options of ``sandbox learn video``
    "video model, 60 CPU seconds": ["--seconds", "60"],
    "video model, shuffled actions": ["--seconds", "480", "--shuffled"],
}


def models(camera: Camera) -> dict[str, Begin]:
    """How each model begins to imagine."""
    cell, draw = stepper(camera.env, WorldModel(kind="learned"), 1), Video(read(shipped(f"video-{WORLD}-draw")))
    rules = camera.env.step
    return {
        "rules, painted": lambda state, pictures: Simulated(camera, rules, state, pictures),
        "cell model, painted": lambda state, pictures: Simulated(camera, cell, state, pictures),
        "rules, drawn by the video model": lambda state, pictures: Simulated(camera, rules, state, pictures, draw),
        "cell model, drawn by the video model": lambda state, pictures: Simulated(camera, cell, state, pictures, draw),
        "video model, 480 CPU seconds": beginning(camera, eye()),
        **{name: beginning(camera, Video(read(_trained(name)))) for name in CONTROLS},
        "copy of the last picture": lambda state, pictures: Still(pictures),
    }  # fmt: skip


def eye() -> Video:
    """The shipped video model, whose eye and album judge all."""
    return Video(read(shipped(f"video-{WORLD}-next")))


def _trained(name: str) -> Path:
    folder = RUNS / name.replace(" ", "-").replace(",", "")
    if not (path := folder / "weights.safetensors").exists():
        command = [sys.executable, "-m", "sandbox", "learn", "video", WORLD, *CONTROLS[name], "--out", folder]
        subprocess.run(command, check=True)
    return path


def films(quick: bool) -> None:
    """How the next pictures look, and whether what changes in them is right."""
    camera, rows = Camera(scene(WORLD)), []
    seeds = range(FRESH, FRESH + (3 if quick else 20))
    for name, begin in models(camera).items():
        soon, late = measured(camera, begin, eye(), seeds, POLICY, NOISE, TICKS)
        looks = [_decibels(soon.psnr), _decibels(soon.delta_psnr), number(soon.distance, 1)]
        rows.append([name, *looks, share(soon.right), share(late.right), share(soon.whole)])
    columns = ["model", "PSNR, dB", "delta-PSNR, dB", "Fréchet distance"]
    columns += [f"changed cells right, {h} tick{'s' * (h > 1)}" for h in HORIZONS]
    show(PAGE, "films", [*columns, "whole pictures"], rows, quick)


def _decibels(value: Estimate) -> str:
    if value.value > 98:
        return "equal"
    low, high = (number(each) for each in value[1:])
    return f"{number(value.value)} ({low} .. {high})"


def goals(quick: bool) -> None:
    """A search in each model: goals that its plans reach in the true kernel, and CPU seconds of a decision."""
    camera, rows, found = Camera(scene(WORLD)), [], []
    seeds = range(FRESH + 1_000, FRESH + 1_000 + (2 if quick else 10))
    for name, begin in models(camera).items():
        found = attempts(camera, begin, eye().album, seeds, POLICY, NOISE, TICKS)
        spent = np.mean([one.seconds for one in found])
        planned = share(_rate(found, [one.verbs is not None for one in found]))
        really = share(_rate(found, [one.really for one in found]))
        rows.append([name, str(len(found)), planned, really, f"{spent:.2g}"])
    rows.append(["random actions", str(len(found)), "", share(_rate(found, [one.guessed for one in found])), "0"])
    show(PAGE, "wanted", ["search in", "goals", "plans found", "goals reached", "CPU seconds a decision"], rows, quick)


def _rate(found: list[Attempt], good: list[bool]) -> Estimate:
    """A share of the goals, clustered by episode."""
    episodes, places = np.unique([one.episode for one in found], return_inverse=True)
    right, whole = np.zeros((2, len(episodes)))
    np.add.at(right, places, good)
    np.add.at(whole, places, 1)
    return clustered_rate(right, whole)


def strip(quick: bool) -> None:
    """A picture for the page: the same ticks as they were, as the video model imagines them, and as it draws them."""
    camera, ticks = Camera(scene(WORLD)), range(1, SHOWN + 1)
    played = list(film(camera, [FRESH], POLICY, np.zeros(1), SHOWN, np.random.default_rng(FRESH)))
    rows = [[shots.after[0] for _, _, shots in played]]
    for name in ("video model, 480 CPU seconds", "cell model, drawn by the video model"):
        now, made = models(camera)[name](copied(played[0][0], np.zeros(1, int)), played[0][2].before), []
        for _, actions, _ in played:
            now = now.after(actions)
            made.append(now.pictures[0])
        rows.append(made)
    figure = Figure(figsize=(1.35 * SHOWN, 3.9), layout="constrained")
    for axes, picture in zip(figure.subplots(3, SHOWN).flat, [each for row in rows for each in row], strict=True):
        axes.imshow(camera.image(picture), interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
    for axes, tick in zip(figure.axes, ticks, strict=False):
        axes.set_title(f"tick {tick}", fontsize=9)
    for axes, name in zip(figure.axes[::SHOWN], ("true", "video model\nalone", "cell model,\ndrawn"), strict=True):
        axes.set_ylabel(name, fontsize=9)
    if not quick:
        figure.savefig(DOCS / "pictures" / "video.png", dpi=100)
        console.print("written: docs/pictures/video.png")


PARTS = {"films": films, "goals": goals, "strip": strip}

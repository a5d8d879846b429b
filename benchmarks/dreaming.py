"""Learning in the dream: craft by PPO, by PPO with rollouts in a learned model, and by a recurrent latent model.

All are trained on the world's reward for as many CPU seconds, on at most 1,000,000 real steps, and counted as Crafter
counts: over all episodes of the training. What is missing in ``runs/learn`` is trained first (extra ``learn``).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.pages import number, show
from benchmarks.policies import BESIDE, SEEDS, mean
from benchmarks.report import console
from sandbox.cli.learn import needing_jax
from sandbox.engine.environment import make
from sandbox.record.whole import replacing

PEERS = ()
PAGE, RUNS = "learning.md", Path("runs/learn")
CPU, STEPS = 80, 1_000_000  # of a training, at most
ARMS = {"PPO": 0, "PPO, and 1 imagined round for each": 1, "recurrent latent model": None}  # option imagine


class Point(NamedTuple):
    """Of a training, after a round."""

    seconds: float  # of CPU
    steps: int
    imagined: int
    score: float  # of all episodes so far, %
    reward: float


def curve(imagine: int | None, seed: int, seconds: float) -> list[Point]:
    """The training of an arm, round by round, which is made if it is missing."""
    name = "latent" if imagine is None else f"imagine-{imagine}"
    folder = RUNS / f"dreaming-{name}-{seed}-{seconds:g}"
    if not (path := folder / "curve.json").exists():
        with needing_jax():
            from sandbox.learn.training import train
        points: list[Point] = []
        job = _job(imagine, seed, folder)
        train(job, folder, seconds, lambda now: points.append(_point(job, now.seconds)))
        with replacing(path) as part:
            part.write_text(json.dumps(points))
    found = [Point(*each) for each in json.loads(path.read_text())]
    console.print(f"{name}, seed {seed}: {found[-1]}")
    return found


def _job(imagine: int | None, seed: int, folder: Path) -> Any:
    from sandbox.learn.policy import WORLD, PolicyJob
    from sandbox.learn.rssm import RssmJob

    env = make("craft", agents=1, goal="none", max_ticks=10_000)
    if imagine is None:
        return RssmJob(env, seed, STEPS)
    return PolicyJob(env, folder, seed, STEPS, WORLD, imagine=imagine)


def _point(job: Any, seconds: float) -> Point:
    figures = job.episodes.figures()
    return Point(seconds, job.steps, getattr(job, "imagined", 0), figures["score"], figures["reward"])


def arms(quick: bool) -> None:
    """At equal CPU seconds, and PPO after as many real steps as each other arm; beside the published ones."""
    seeds = SEEDS[:1] if quick else SEEDS
    curves = {name: [curve(imagine, seed, 40 if quick else CPU) for seed in seeds] for name, imagine in ARMS.items()}
    rows = [_row(name, [each[-1] for each in found]) for name, found in curves.items()]
    for name in list(ARMS)[1:]:
        pairs = zip(curves["PPO"], curves[name], strict=True)
        rows.append(_row(f"PPO, at the steps of: {name}", [_at(own, other[-1].steps) for own, other in pairs]))
    for name, (score, reward, sees) in BESIDE.items():
        steps = "1,000,000" if sees.startswith("pixels") and "," not in sees else ""
        rows.append([name, sees, steps, "", f"{score:.1f}", f"{reward:.1f}", ""])
    columns = ["agent", "sees", "real steps", "imagined steps", "score, %", "reward", "CPU seconds"]
    show(PAGE, "dreaming", columns, rows, quick)


def _at(points: list[Point], steps: int) -> Point:
    """The first point after so many real steps, else the last one."""
    return next((point for point in points if point.steps >= steps), points[-1])


def _row(name: str, points: list[Point]) -> list[str]:
    columns = list(zip(*points, strict=True))
    seconds, steps, imagined = (number(sum(column) / len(points), 0) for column in columns[:3])
    return [f"{name}, {len(points)} seeds", "symbols", steps, imagined, mean(columns[3]), mean(columns[4]), seconds]


SPEEDS: dict = {}
PARTS = {"arms": arms}

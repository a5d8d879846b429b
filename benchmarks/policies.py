"""Trained policies: success on fresh seeds beside rules and chance; Crafter's score beside published agents.

What is missing in ``runs/learn`` is trained first, which needs the extra ``learn``.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import sem, t

from benchmarks.craft import PUBLISHED
from benchmarks.pages import number, share, show
from benchmarks.report import console
from sandbox.core.trained_policy import TrainedPolicy
from sandbox.engine.environment import Environment, make
from sandbox.nets.weights import read
from sandbox.statistics import success_rate

PEERS = ()
PAGE, RUNS, FRESH, TRIALS = "learning.md", Path("runs/learn"), 910_000, 200
SEEDS = range(3)


class Arm(NamedTuple):
    """A training: its options of ``sandbox learn policy``."""

    name: str
    seconds: int
    options: tuple[str, ...] = ()


class Scene(NamedTuple):
    """A task, and what is trained for it."""

    name: str
    world: str
    options: dict[str, object]
    arms: tuple[Arm, ...]

    @property
    def env(self) -> Environment:
        return make(self.world, **self.options)

    def trained(self, arm: Arm) -> Path:
        """The weights of an arm, which are trained if they are missing."""
        folder = RUNS / f"policy-{self.name}-{arm.name}".replace(" ", "-").replace(",", "")
        changed = [f"world.{key}={json.dumps(value)}" for key, value in self.options.items() if key != "agents"]
        sets = [part for each in (*changed, f"agents.0.count={self.options['agents']}") for part in ("--set", each)]
        return learned(folder, self.world, [*sets, "--seconds", str(arm.seconds), *arm.options])


PPO, TAUGHT = Arm("PPO", 90), Arm("PPO, taught by rules", 90, ("--teacher", "rules"))
SCENES = (
    Scene("kitchen", "kitchen", {"layout": "cramped_room", "agents": 2}, (PPO, TAUGHT)),
    Scene("craft, wood", "craft", {"goal": "collect_wood", "mobs": False, "max_ticks": 200, "agents": 1},
          (Arm("PPO", 30), Arm("PPO, rewards shuffled", 30, ("--shuffled",)))),
    Scene("craft, wooden tools", "craft", {"goal": "wood_tools", "agents": 1}, (PPO,)),
    Scene("warehouse", "warehouse", {"layout": "small", "agents": 2}, (Arm("PPO", 60), TAUGHT._replace(seconds=300))),
)  # fmt: skip


def learned(folder: Path, target: str, options: Sequence[str]) -> Path:
    """The weights in a folder, which are trained if they are missing."""
    if not (path := folder / "weights.safetensors").exists():
        command = [sys.executable, "-m", "sandbox", "learn", "policy", target, *options, "--out", str(folder)]
        subprocess.run(command, check=True)
    return path


def policies(quick: bool) -> None:
    """Success and parts of the task on seeds that nothing was trained or tuned on."""
    rows = []
    for scene in SCENES[1:2] if quick else SCENES:
        env, seeds = scene.env, range(FRESH, FRESH + (20 if quick else TRIALS))
        for name in ("rules", "random"):
            rows.append([scene.name, name, *_success(env, seeds, name), "", ""])
        for arm in scene.arms:
            path = scene.trained(arm)
            card = read(path).card
            spent = [number(card["cpu_seconds"], 0), number(card["steps"], 0)]
            rows.append([scene.name, arm.name, *_success(env, seeds, TrainedPolicy(str(path))), *spent])
    columns = ["task", "agent", "success", "parts of the task done", "ticks", "CPU seconds", "steps"]
    show(PAGE, "policies", columns, rows, quick)


def _success(env: Environment, seeds: range, policy: str | TrainedPolicy) -> list[str]:
    state, stats = env.play(seeds, policy)
    rate = success_rate(int((state.done == 1).sum()), len(seeds))
    done, total = stats.progress.mean(axis=0)
    return [share(rate), f"{number(done)} of {total:.0f}", number(state.tick.mean())]


def crafter(quick: bool) -> None:
    """Crafter's score over all training episodes of 1,000,000 steps, as its paper counts them, and of a longer run."""
    budget, rows = 20_000 if quick else 1_000_000, []
    cards = [_of_crafter(seed, budget) for seed in SEEDS[: 1 if quick else None]]
    rows.append(_row(f"PPO, ours, {len(cards)} seeds", "symbols", cards))
    if not quick:
        rows.append(_row("PPO, ours, 1 seed", "symbols", [_of_crafter(0, 3_700_000)]))
    for name, (score, reward, sees) in BESIDE.items():
        rows.append([name, sees, "1,000,000" if sees == "pixels" else "none", f"{score:.1f}", f"{reward:.1f}", ""])
    show(PAGE, "crafter", ["agent", "sees", "steps", "score, %", "reward", "CPU seconds"], rows, quick)


BESIDE = {
    **{name: (*PUBLISHED[name], "pixels") for name in ("random", "Rainbow", "PPO", "DreamerV2", "DreamerV3")},
    "PPO (ResNet)": (15.6, 10.3, "pixels"),  # Moon and others 2023, on the list of the package's README
    "SPRING (language model)": (*PUBLISHED["SPRING (language model)"], "text, paper"),
    "human": (*PUBLISHED["human"], "pixels, experience"),
}


def _of_crafter(seed: int, steps: int) -> dict:
    options = ["--set", "world.goal=none", "--set", "world.max_ticks=10000", "--reward", "world", "--seconds", "600"]
    path = learned(
        RUNS / f"policy-crafter-{seed}-{steps}", "craft", [*options, "--steps", str(steps), "--seed", str(seed)]
    )
    card = read(path).card
    console.print(f"crafter, seed {seed}: {card['training']}")
    return card


def _row(name: str, sees: str, cards: list[dict]) -> list[str]:
    score, reward = ([card["training"][key] for card in cards] for key in ("score", "reward"))
    steps, seconds = (np.mean([card[key] for card in cards]) for key in ("steps", "cpu_seconds"))
    return [name, sees, number(steps, 0), mean(score), mean(reward), number(seconds, 0)]


def mean(values: list[float]) -> str:
    """With its interval (Student's t), where there are several."""
    if len(values) == 1:
        return f"{values[0]:.1f}"
    low, high = t.interval(0.95, len(values) - 1, np.mean(values), sem(values))
    return f"{np.mean(values):.1f} ({low:.1f} .. {high:.1f})"


SPEEDS: dict[str, Callable] = {}
PARTS = {"policies": policies, "crafter": crafter}

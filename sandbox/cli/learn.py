"""The commands ``sandbox learn ...``: training of models, on this machine's processor, within a budget of CPU seconds.

Each kind of training is a command of this group.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli._console import check_place, err, out
from sandbox.cli._options import Allow, Set, granted, opened, overrides
from sandbox.cli._progress import Training
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.engine.environment import Environment
    from sandbox.learn.training import Job  # it needs an extra

learn = typer.Typer(help="Train models on episodes of a world; a run that was stopped continues.", no_args_is_help=True)
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "OMP_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
}  # fmt: skip  # so that a budget of CPU seconds is one of time, too

World = Annotated[str, typer.Argument(help="name of the world")]
Seconds = Annotated[float, typer.Option(min=1, help="CPU seconds of training, of all calls together")]
Seed = Annotated[int, typer.Option(min=0, help="seed of weights, episodes and samples")]
Out = Annotated[Path | None, typer.Option("--out", help="folder of the run; default: runs/learn-...")]


@contextmanager
def needing_jax() -> Iterator[None]:
    """Meanwhile, imports of the extra ``learn`` that are missing are refused in one line; JAX uses one thread."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "sandbox":
            raise
        raise UsageError(f"{error.name} is missing for training: pip install 'sandbox[learn]'") from None


def trained(job: "Job", folder: Path, seconds: float, name: str) -> tuple[float, Path]:
    """Train with a display of progress; returns the CPU seconds in all, and the place of the weights."""
    from sandbox.learn.training import train
    from sandbox.nets.weights import WEIGHTS

    check_place(folder, folder=True)
    try:
        with Training(err, name) as shown:
            return train(job, folder, seconds, shown), folder / WEIGHTS
    except KeyboardInterrupt:
        err.print(f"stopped; {folder} has a checkpoint, and the same command continues")
        raise typer.Exit(1) from None


@learn.command("world-model")
def world_model(
    world: World,
    seconds: Seconds = 300.0,
    seed: Seed = 0,
    members: Annotated[int, typer.Option(min=1, help="nets of an ensemble")] = 1,
    ticks: Annotated[int, typer.Option(min=1, help="ticks of episodes to learn from, at most")] = 400_000,
    layout: Annotated[list[str] | None, typer.Option(help="learn on these layouts only; default: several")] = None,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="the control: actions of other episodes")] = False,
    folder: Out = None,
) -> None:
    """Train a world model: what the next tick brings to each place, from what is around it (docs/learning.md)."""
    with needing_jax():
        from sandbox.learn.world_model import WorldModelJob, practice, write
    job = WorldModelJob(world, seed, members, ticks, shuffled, practice(world).options(layout or ()))
    card = _made(job, write, folder or Path("runs") / f"learn-world-model-{world}", seconds, f"world model of {world}")
    for row in card["drift"]:
        wrong = f"{row['learned'][0]:.3f} of changed facts wrong; the rules with other dice {row['exact'][0]:.3f}"
        out.print(f"after {row['horizon']:2} ticks: {wrong}  {row['options']}")


@learn.command("policy")
def policy(
    target: Annotated[str, typer.Argument(metavar="WORLD|SCENARIO", help="name of a world, or a scenario file (TOML)")],
    set_: Set = None,
    seconds: Seconds = 300.0,
    steps: Annotated[int, typer.Option(min=1, help="ticks of the world, of all lanes together, at most")] = 10**9,
    seed: Seed = 0,
    reward: Annotated[str, typer.Option(help="task: success; world: the world's own reward")] = "task",
    teacher: Annotated[str | None, typer.Option(help="a policy of the world, imitated in the beginning")] = None,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="the control: rewards of other episodes")] = False,
    wide: Annotated[int, typer.Option(min=2, max=1024, help="width of both hidden layers")] = 64,
    imagine: Annotated[int, typer.Option(min=0, help="rounds in a learned world model, for each real round")] = 0,
    folder: Out = None,
    allow: Allow = None,
) -> None:
    """Train a policy by PPO on the success of a world's task, for the reasoner policy:FILE (docs/learning.md)."""
    with needing_jax():
        from sandbox.learn.policy import PolicyJob
    env = _env(target, set_, allow)
    folder = folder or Path("runs") / f"learn-policy-{env.world.name}"
    job = PolicyJob(env, folder, seed, steps, reward, teacher, shuffled, wide, imagine)
    spent, path = trained(job, folder, seconds, f"policy of {env.world.name}")
    card = job.test(spent)
    done, test = card["training"], card["test"]
    out.print(f"weights {path}  (SHA-256 {card['sha256'][:16]}...)")
    imagined = f", {card['imagined']:,} imagined" if imagine else ""
    out.print(f"trained {card['steps']:,} steps{imagined}, {done['episodes']:,} episodes in {spent:,.0f} CPU s")
    if "score" in done:
        out.print(f"Crafter score of the training episodes: {done['score']:.2f} %, reward {done['reward']:.2f}")
    told = f"success {test['successes']} of {test['episodes']}, {test['tasks_done']:.2f} parts of the task done"
    out.print(f"on seeds of the test: {told}")


def _made(job: Any, write: Callable[..., dict[str, Any]], folder: Path, seconds: float, name: str) -> dict[str, Any]:
    """Train, write the weights, and tell where they are; returns their card."""
    spent, path = trained(job, folder, seconds, name)
    card = write(job, path, spent)
    out.print(f"weights {path}  ({path.stat().st_size / 1e6:.2f} MB, SHA-256 {card['sha256'][:16]}...)")
    out.print(f"card    {path.with_suffix('.json')}")
    return card


def _env(target: str, set_: list[str] | None, allow: list[str] | None) -> "Environment":
    """The environment of a world, whose options are set as ``world.KEY``, or of a scenario."""
    from sandbox.scenario import load

    if target.endswith(".toml"):
        return opened(Path(target), set_, allow).env()
    changes = overrides(set_)
    return load({"world": {"name": target}, "agents": [{}]}, changes, allow=granted(allow, changes)).env()


@learn.command("video")
def video(
    world: World,
    kind: Annotated[str, typer.Option(help="next: from picture and actions; draw: from the next state")] = "next",
    seconds: Seconds = 300.0,
    seed: Seed = 0,
    ticks: Annotated[int, typer.Option(min=1, help="ticks of episodes to learn from, at most")] = 20_000,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="the control: actions, or tokens, of others")] = False,
    folder: Out = None,
) -> None:
    """Train a video model: a small diffusion transformer of a world's pictures (docs/learning.md)."""
    with needing_jax():
        from sandbox.learn.video import VideoJob, write
    job = VideoJob(world, kind, seed, ticks, shuffled)
    card = _made(job, write, folder or Path("runs") / f"learn-video-{world}-{kind}", seconds, f"video model of {world}")
    for row in card["measured"]:
        told = f"{row['right'][0]:.3f} of the changed cells right; PSNR {row['psnr'][0]:.1f} dB"
        out.print(f"after {row['horizon']:2} ticks: {told}, of that by the actions {row['delta_psnr'][0]:.1f}")


@learn.command("generalist")
def generalist(
    worlds: Annotated[list[str] | None, typer.Argument(help="names of worlds; default: all with instructions")] = None,
    seconds: Seconds = 600.0,
    steps: Annotated[int, typer.Option(min=1, help="steps of learning, at most")] = 10**9,
    seed: Seed = 0,
    chunks: Annotated[int, typer.Option(min=1, help="chunks of demonstrations to learn from, at most")] = 20,
    language: Annotated[str, typer.Option(help="told; controls: none, or shuffled")] = "told",
    demonstrations: Annotated[Path | None, typer.Option(help="their folder, for several trainings")] = None,
    folder: Out = None,
) -> None:
    """Train one agent for many worlds, which is told in a sentence what to do (docs/learning.md)."""
    with needing_jax():
        from sandbox.learn.generalist import GeneralistJob, write
    folder = folder or Path("runs") / "learn-generalist"
    told = demonstrations or folder / "demonstrations"
    job = GeneralistJob(told, tuple(worlds or ()), seed, steps, chunks, language)
    card = _made(job, write, folder, seconds, "generalist")
    out.print(f"imitated {sum(card['samples'].values()):,} actions in {len(card['samples'])} worlds")


@learn.command("dream")
def dream(
    world: World,
    seconds: Seconds = 60.0,
    seed: Seed = 0,
    codes: Annotated[int, typer.Option(min=1, max=16, help="latent actions")] = 8,
    ticks: Annotated[int, typer.Option(min=1, help="ticks of episodes to learn from, at most")] = 150_000,
    shuffled: Annotated[bool, typer.Option("--shuffled", help="the control: second frames of other pairs")] = False,
    folder: Out = None,
) -> None:
    """Train a dreamed world: latent actions, from pairs of frames alone (docs/learning.md)."""
    with needing_jax():
        from sandbox.learn.dream import DreamJob, write
    job = DreamJob(world, seed, codes, ticks, shuffled)
    card = _made(job, write, folder or Path("runs") / f"learn-dream-{world}", seconds, f"dream of {world}")
    found = card["measured"]
    told = f"{found['inferred'][0]:.3f} right with the inferred code, {found['random'][0]:.3f} with a random one"
    out.print(f"changed facts: {told}; whole frames {found['frames'][0]:.3f} and {found['random_frames'][0]:.3f}")
    out.print(f"purity {found['purity'][0]:.3f}, of the four moves {found['moves'][0]:.3f}")
    out.print("codes   " + ", ".join(f"{code + 1}: {verb}" for code, verb in enumerate(card["means"])))

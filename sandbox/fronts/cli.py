"""The command line. Exit codes: 0 done, 1 the run failed, 2 unusable arguments or scenario (one clear line)."""

import itertools
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sandbox.core import registry
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.finish import Outcome
from sandbox.fronts.progress import Counting, Live
from sandbox.model import Sandbox
from sandbox.record import open_run
from sandbox.report.tables import batch_table, outcome_table, world_tables, worlds_table
from sandbox.report.video import check_suffix, frames, write_video
from sandbox.scenario import Scenario, load
from sandbox.scenario.load import parse_value
from sandbox.trials import batch as batches
from sandbox.trials import replay as replays
from sandbox.trials.results import results
from sandbox.trials.trial import outcome_of
from sandbox.trials.trial import run as run_trial

app = typer.Typer(
    help="A wind tunnel for agent teams: run a scenario, watch it, verify what was recorded.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Video = Annotated[Path | None, typer.Option("--video", help="also write the episode as a .gif or .mp4")]
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run")]


@app.command()
def worlds(name: Annotated[str | None, typer.Argument(help="one world in detail")] = None) -> None:
    """What there is: worlds, verbs, options, perturbations."""
    if name is None:
        out.print(worlds_table([registry.find(each) for each in registry.names()]))
        return
    world = registry.find(name)
    for table in world_tables(world):
        out.print(table)
    out.print(
        f"layouts: {', '.join(world.layouts)}, or a file\nroles: {', '.join(world.roles)}\n"
        f"policies: {', '.join(world.policies)} (of these see the whole state: {', '.join(sorted(world.sighted))})\n"
        f"rules of record: {world.source}"
    )


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML)")],
    seed: Annotated[int | None, typer.Option(help="seed of the trial, 0..2**64-1; default: the scenario's")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a key")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="folder of the run; default: runs/...")] = None,
    video: Video = None,
) -> None:
    """Run one trial of a scenario, record it, and say what it came to."""
    if video:
        check_suffix(video)
    chosen = load(scenario, dict(_pair(text) for text in set_ or []))
    if seed is not None:
        chosen = load(chosen, {"seed": seed})
    _warm_up(chosen)
    folder = folder or _new_folder(scenario.stem, chosen.seed)
    outcome, interrupted = _run(chosen, folder)
    out.print(outcome_table(outcome, chosen.title or scenario.stem))
    with open_run(folder) as record:
        out.print(f"run    {folder}\nroot   {record.meta.get('root', 'none')}")
        if video:
            _film(replays.replay(record), video)
    if outcome.error:
        raise SandboxError(f"the run failed at tick {outcome.ticks}: {outcome.error}")
    if interrupted:
        raise typer.Exit(1)


def _run(scenario: Scenario, folder: Path) -> tuple[Outcome, bool]:
    """The outcome, and whether Ctrl-C ended it; then what was done until there is recorded and reported."""
    try:
        with Live(err) as live:
            return run_trial(scenario, out=folder, on_tick=live), False
    except KeyboardInterrupt:
        err.print(f"stopped; what was done is kept in {folder}")
        with open_run(folder) as record:
            return Outcome(**record.outcomes[0]), True


@app.command()
def batch(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML), with [sweep] and [trials] if it has them")],
    trials: Annotated[int | None, typer.Option(min=1, help="seeds of each condition; default: the scenario's")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="default: the cores of this machine")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="override a key")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="folder of the batch; default: runs/...")] = None,
) -> None:
    """Try every condition of a scenario on many seeds. The same command again goes on where the last one ended."""
    chosen = load(scenario, dict(_pair(text) for text in set_ or []))
    for each in batches.plan(chosen):
        _warm_up(each)
    folder = folder or Path("runs") / f"{scenario.stem}-batch"
    try:
        with Counting(err, chosen.title or scenario.stem) as counting:
            batches.batch(chosen, folder, trials, workers, on_progress=counting)
    except KeyboardInterrupt:
        err.print(f"stopped; finished trials are kept in {folder}; the same command goes on from there")
        raise typer.Exit(1) from None
    out.print(batch_table(results(folder), chosen.title or scenario.stem))
    out.print(f"batch  {folder}  (sandbox.results({str(folder)!r}) opens it in pandas)")


@app.command()
def replay(
    folder: Folder,
    trial: Annotated[int, typer.Option(help="number of the trial")] = 0,
    video: Video = None,
) -> None:
    """Play a recorded trial again, from its actions, and check every state on the way."""
    if video:
        check_suffix(video)
    with open_run(folder) as record:
        if video:
            _film(replays.replay(record, trial), video)
        model = None
        with Live(err) as live:
            for model in replays.replay(record, trial):
                live(model)
        recorded = record.outcomes.get(trial)
        outcome = Outcome(**recorded) if recorded else outcome_of(model, 0.0)
        out.print(outcome_table(outcome, f"trial {trial}, replayed" + ("" if recorded else " (unfinished)")))
        out.print(f"{model.ticks} ticks replayed, every state equal to the recorded one")


@app.command()
def verify(
    folder: Folder,
    root: Annotated[str | None, typer.Option(help="the root that was printed when the run ended")] = None,
) -> None:
    """Recompute the hash chain of a run and execute its trials again."""
    verdict = replays.verify(folder, root)
    out.print(verdict.summary)
    for problem in verdict.chain.problems[1:]:
        out.print(f"  also: {problem}")
    if not verdict.passed:
        raise typer.Exit(1)


@app.command(name="app")
def studio(port: Annotated[int, typer.Option(help="port of the page")] = 8501) -> None:
    """Open the studio in the browser."""
    page = Path(__file__).with_name("studio") / "app.py"
    # Of this machine only: whoever can reach the page can run scenarios.
    options = [f"--server.port={port}", "--server.address=localhost", "--browser.gatherUsageStats=false"]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(page), *options])


def _pair(text: str) -> tuple[str, object]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageError(f"--set {text}: expected KEY=VALUE, such as world.layout=small")
    return key, parse_value(value)


def _warm_up(scenario: Scenario) -> None:
    """Compile what is not compiled yet, and say so before the wait."""
    if not scenario.stage().is_warm([group.reasoner for group in scenario.agents]):
        err.print(f"compiling the kernels of '{scenario.world.name}', once for these sources (up to 30 s) ...")
        Sandbox(scenario, rng=0).step()


def _new_folder(name: str, seed: int) -> Path:
    """runs/NAME-seedS, with a number if that is taken."""
    names = itertools.chain([f"{name}-seed{seed}"], (f"{name}-seed{seed}-{k}" for k in itertools.count(2)))
    return next(folder for folder in (Path("runs") / each for each in names) if not folder.exists())


def _film(models, path: Path) -> None:
    def caption(state) -> str:
        return f"tick {model.ticks}   done {model.tasks_done} of {model.tasks_total or 'no end'}"

    model: Sandbox = next(models)

    def states():
        yield model.state
        for each in models:
            yield each.state

    write_video(path, frames(model.stage, states(), caption=caption))
    out.print(f"video  {path}")


def main() -> None:
    """Run the command line; every error of ours is one line and an exit code."""
    try:
        app()
    except SandboxError as error:
        err.print(f"error: {error}", markup=False)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

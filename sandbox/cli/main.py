"""The command line. Exit codes: 0 done, 1 the run failed, 2 unusable arguments or scenario (one clear line).

Ctrl-C: 1 where something is kept (a line says what), else 130.
"""

import functools
import itertools
import os
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sandbox.cli import app as opening
from sandbox.cli import batch, card, prompt, schema, sign, skills
from sandbox.cli import trace as tracing
from sandbox.cli._compiling import compile, warm_up
from sandbox.cli._console import Allow, Set, check_place, err, granted, in_words, opened, out, overrides, usable_worlds
from sandbox.cli._keyboard import people_at
from sandbox.cli._process import answer_interrupts, complete_files, give_up_output
from sandbox.cli._progress import Live
from sandbox.cli._video import FPS, film
from sandbox.cli.new import new
from sandbox.core.errors import SandboxError, UsageError
from sandbox.core.finish import Outcome
from sandbox.report.lines import lines

if TYPE_CHECKING:
    from sandbox.record.signing import Root
    from sandbox.scenario import Scenario
    from sandbox.scenario.capabilities import Grant

INTERRUPTED = 130  # as shells say of a process that Ctrl-C ended

app = typer.Typer(
    help="A wind tunnel for agent teams: run scenarios, watch them, verify their records.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(batch.batch)
app.command(name="results")(batch.show)
app.command(name="app")(opening.studio)
commands = (
    compile, batch.certify, batch.compare, batch.foresight, card.card, prompt.prompt, schema.schema, sign.keygen,
    sign.sign, skills.skills, tracing.trace,
)  # fmt: skip
for command in commands:
    app.command()(command)
app.add_typer(new, name="new")

Video = Annotated[Path | None, typer.Option("--video", help="also write the episode as a .gif or .mp4")]
Fps = Annotated[float, typer.Option(min=0.5, max=50, help="frames a second of the video")]
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run")]
Again = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar="functions=MODULE", help="call functions whose answers are not in the record"),
]


@app.command()
def worlds(name: Annotated[str | None, typer.Argument(help="one world in detail")] = None) -> None:
    """List the worlds, or show the verbs, options and perturbations of one."""
    from sandbox.engine import registry
    from sandbox.report.tables import world_tables, worlds_table

    if name is None:
        out.print(worlds_table(list(usable_worlds())))
        return
    world = registry.opened(name)
    for table in world_tables(world):
        out.print(table)
    if world.layouts:
        out.print(f"layouts: {', '.join(world.layouts)}, or a file")
    out.print(f"roles: {', '.join(world.roles)}")
    sighted = ", ".join(sorted(world.sighted & world.policies.keys()))
    told = f" (with the whole state in view: {sighted})" if sighted else ""
    out.print(f"policies: {', '.join(world.policies)}{told}")
    if world.source:
        out.print(f"rules of record: {world.source}")


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML)")],
    seed: Annotated[int | None, typer.Option(help="seed of the trial, 0..2**64-1; default: the scenario's")] = None,
    set_: Set = None,
    folder: Annotated[Path | None, typer.Option("--out", help="folder of the run; default: runs/...")] = None,
    video: Video = None,
    fps: Fps = FPS,
    trace: Annotated[str | None, typer.Option(metavar="URL", help="send traces to this OTLP endpoint")] = None,
    content: tracing.Content = False,
    allow: Allow = None,
) -> None:
    """Run one trial of a scenario, record it, and print its outcome."""
    from sandbox.record import Occupied
    from sandbox.running import resume as resuming
    from sandbox.running.trial import run as run_trial
    from sandbox.scenario import load

    _check_video(video)
    chosen = opened(scenario, set_, allow)
    if seed is not None:
        chosen = load(chosen, {"seed": seed})
    folder = folder or _new_folder(scenario.stem, chosen.seed)
    check_place(folder, folder=True)
    try:
        with tracing.live(trace, content) as heard:
            warm_up(chosen, pictures=bool(video))
            play = functools.partial(run_trial, chosen, None, None, folder, on_event=heard)
            _watch(folder, chosen, video, fps, play)
    except Occupied:
        if resuming.is_begun(folder, chosen, chosen.seed):
            raise SandboxError(f"{folder} holds this run, unfinished; 'sandbox resume {folder}' continues it") from None
        raise


@app.command()
def resume(folder: Folder, set_: Set = None, video: Video = None, fps: Fps = FPS, allow: Allow = None) -> None:
    """Continue a run that was killed, stopped or failed, from its last recorded tick; --set changes its settings."""
    from sandbox.record import open_run
    from sandbox.running import resume as resuming
    from sandbox.scenario.capabilities import calls, configured, record
    from sandbox.scenario.change import changed

    _check_video(video)
    changes = overrides(set_)
    grant = granted(allow, changes)
    with open_run(folder) as begun:
        chosen = changed(resuming.scenario_now(begun, record(folder, configured() + grant)), changes)
    chosen.origin.check(calls(chosen))
    warm_up(chosen, pictures=bool(video))
    _watch(folder, chosen, video, fps, lambda live, people: resuming.resume(folder, changes, live, people, grant))


def _watch(folder: Path, scenario: "Scenario", video: Path | None, fps: float, play: Callable[..., Outcome]) -> None:
    """Play a run to its end or to Ctrl-C, and print its outcome."""
    from sandbox.record import open_run
    from sandbox.report.tables import outcome_table
    from sandbox.running.replay import replay

    outcome, interrupted = _played(folder, scenario, play)
    out.print(outcome_table(outcome, scenario.title or folder.name))
    with open_run(folder) as record:
        out.print(f"run    {folder}", f"root   {record.meta.get('root', 'none')}", sep="\n")
        if video:
            out.print(f"video  {film(replay(record, allow=scenario.origin.grant), video, fps)}")
    if outcome.error:
        raise SandboxError(f"the run failed at tick {outcome.ticks}: {outcome.error}")
    if interrupted:
        raise typer.Exit(1)


def _played(folder: Path, scenario: "Scenario", play: Callable[..., Outcome]) -> tuple[Outcome, bool]:
    """The outcome, and whether Ctrl-C ended it; the ticks until then are recorded and reported."""
    from sandbox.record import open_run

    try:
        with Live(err) as live:
            return play(live, people_at(live, scenario)), False
    except KeyboardInterrupt:
        with open_run(folder) as record:
            outcomes = record.outcomes
        if not outcomes:  # a resumed run that was still being made again: nothing was added
            raise
        err.print(f"stopped; the record is kept in {folder}; 'sandbox resume {folder}' continues it")
        return Outcome(**outcomes[0]), True


@app.command()
def replay(
    folder: Folder,
    trial: Annotated[int, typer.Option(help="number of the trial; for a batch, its row in the results")] = 0,
    record_: Annotated[Path | None, typer.Option("--out", help="for a batch: also write the whole record here")] = None,
    video: Video = None,
    fps: Fps = FPS,
    allow: Again = None,
) -> None:
    """Play a recorded trial again and check its states. Models are not called: the record has their answers."""
    from sandbox.record import open_run
    from sandbox.record.table import holds_a_run
    from sandbox.report.tables import outcome_table
    from sandbox.running import replay as replays
    from sandbox.running.trial import outcome_of

    _check_video(video)
    grant = granted(allow, {})
    if not holds_a_run(folder):
        batch.replay(folder, trial, record_, video, fps, grant)
        return
    if record_:
        raise UsageError(f"--out {record_}: {folder} is itself the whole record of a run")
    with open_run(folder) as record:
        if video:
            out.print(f"video  {film(replays.replay(record, trial, grant), video, fps)}")
        model = None
        with Live(err) as live:
            for model in replays.replay(record, trial, grant):
                live(model)
        recorded = record.outcomes.get(trial)
        outcome = Outcome(**recorded) if recorded else outcome_of(model, 0.0)
        out.print(outcome_table(outcome, f"trial {trial}, replayed" + ("" if recorded else " (unfinished)")))
        out.print(f"{model.ticks} ticks replayed, every state equal to the recorded one")


@app.command()
def verify(
    folder: Folder,
    root: Annotated[str | None, typer.Option(help="the root that was printed when it ended")] = None,
    sample: Annotated[int, typer.Option(min=1, help="for a batch: how many trials to execute again")] = 100,
    key: sign.Public = None,
    allow: Again = None,
) -> None:
    """Recompute the hashes of a run, batch or certificate, and execute its trials (or a sample of them) again."""
    from sandbox.record.signing import check, public_key
    from sandbox.record.table import holds_a_run

    public, granting = public_key(key) if key else None, granted(allow, {})
    single = holds_a_run(folder)
    signed = _verified(folder, root, granting) if single else batch.verify(folder, sample, root, granting)
    if told := check(folder, signed, public):
        out.print(told)


def _verified(folder: Path, root: str | None, allow: "Grant") -> "Root":
    from sandbox.record.signing import Root
    from sandbox.running.replay import verify

    verdict = verify(folder, root, allow=allow)
    out.print(*verdict.lines, sep="\n")
    for problem in verdict.chain.problems[1:]:
        out.print(f"  also: {problem}")
    if not verdict.passed:
        raise typer.Exit(1)
    return Root("run", verdict.chain.root)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="folders of batches, certificates, single runs")],
    page: Annotated[Path, typer.Option("--out", help="the page to write")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML page that compares runs. It works while a batch still runs."""
    from sandbox.cli.report import report_of, write_page

    check_place(page)
    write_page(page, report_of(runs, page))


def _check_video(path: Path | None) -> None:
    """Raise UsageError, before any work is done, if no video can be written."""
    if path:
        from sandbox.report.video import check_suffix

        check_suffix(path)
        check_place(path)


def _new_folder(name: str, seed: int) -> Path:
    """runs/NAME-seedS, with a number if that is taken."""
    names = itertools.chain([f"{name}-seed{seed}"], (f"{name}-seed{seed}-{k}" for k in itertools.count(2)))
    return next(folder for folder in (Path("runs") / each for each in names) if not folder.exists())


def main() -> None:
    """Run the command line; every error is one line and an exit code."""
    try:
        complete_files()
        answer_interrupts()
        app()
    except SandboxError as error:
        _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        _end("stopped", INTERRUPTED)
    except OSError as error:
        from sandbox.record.store import EXHAUSTED

        if error.filename is None and error.errno not in EXHAUSTED:
            give_up_output()
        _end(in_words(error), 1)
    except Exception as error:
        if os.environ.get("SANDBOX_DEBUG"):
            err.print(lines(*traceback.format_exc().split("\n")))
        from sandbox.engine.compiling import in_a_line

        if told := in_a_line(error):
            _end(told, 1)
        _end(f"internal error: {type(error).__name__}: {error} (SANDBOX_DEBUG=1 shows where)", 1)


def _end(words: str, code: int) -> NoReturn:
    with suppress(OSError):  # the error output is closed
        err.print(f"error: {' '.join(words.split())}")
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()

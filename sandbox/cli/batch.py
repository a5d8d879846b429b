"""Commands on many trials: batch, results, certify, compare, and checking a certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import Allow, Set, check_place, err, opened, out, overrides, settings, stoppable
from sandbox.cli._progress import Counting, Episodes, Live
from sandbox.cli._video import film
from sandbox.core.errors import SandboxError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.record.signing import Root
    from sandbox.scenario import Scenario
    from sandbox.scenario.capabilities import Grant

EXPORTS = {".csv": "to_csv", ".parquet": "to_parquet"}  # methods of a DataFrame
SHOWN = 5  # failures whose replay is spelled out

File = Annotated[Path, typer.Argument(help="a scenario file (TOML); all conditions of its sweep are tried")]
Workers = Annotated[int | None, typer.Option(min=1, help="default: the cores of this machine")]
On = Annotated[
    str | None, typer.Option(metavar="CLUSTER", help="dask://host:port, ray://host:port, or ray (on this machine)")
]
Perturb = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=FROM:TO:STEP", help="robustness curve: vary one severity at a time"),
]
Out = Annotated[Path | None, typer.Option("--out", help="folder of the results; default: runs/...")]


def batch(
    scenario: File,
    trials: Annotated[int | None, typer.Option(min=1, help="seeds of each condition; default: the scenario's")] = None,
    perturb: Perturb = None,
    workers: Workers = None,
    on: On = None,
    set_: Set = None,
    folder: Out = None,
    allow: Allow = None,
) -> None:
    """Try every condition of a scenario on many seeds. The same command continues a batch that was stopped."""
    from sandbox.analysis.measures import check_errors
    from sandbox.analysis.robustness import curves, dose_sweep
    from sandbox.report.figures import robustness, save
    from sandbox.running import batch as batches
    from sandbox.scenario import load
    from sandbox.scenario.sweep import check_free

    chosen = opened(scenario, set_, allow)
    check_free(chosen.sweep, overrides(set_))
    chosen = load(chosen, dose_sweep(chosen, perturb))
    folder = folder or Path("runs") / f"{scenario.stem}-batch"
    check_place(folder, folder=True)
    with stoppable(folder), Counting(err, chosen.title or scenario.stem) as counting:
        batches.batch(chosen, folder, trials, workers, on, on_plan=_compile, on_progress=counting)
    rows = _shown(folder)
    if drawn := curves(rows):
        save(robustness(drawn), folder / "robustness.svg")
        out.print(f"figure {folder / 'robustness.svg'}")
    out.print(f"batch  {folder}  (sandbox.results({str(folder)!r}) opens it in pandas)")
    out.print(f"root   {rows.attrs['root']}")
    check_errors(rows, str(folder))


def _shown(folder: Path) -> "pd.DataFrame":
    """Print the tables of a batch; returns its rows."""
    from sandbox.analysis.results import results
    from sandbox.analysis.robustness import curves
    from sandbox.report.tables import batch_notes, batch_table, robustness_table

    rows = results(folder)
    out.print(batch_table(rows, rows.attrs["scenario"].get("title") or folder.name))
    for note in batch_notes(rows):
        out.print(note)
    if drawn := curves(rows):
        out.print(robustness_table(drawn))
    return rows


def show(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a batch, finished or not")],
    file: Annotated[Path | None, typer.Option("--out", help="also write its rows: .csv or .parquet")] = None,
) -> None:
    """Print the tables of a batch again without running anything, and export its rows."""
    from sandbox.record.whole import replacing

    if file and file.suffix not in EXPORTS:
        raise UsageError(f"--out {file}: unknown kind of table '{file.suffix}'; expected {' or '.join(EXPORTS)}")
    if file:
        check_place(file)
    rows = _shown(folder)
    if file:
        with replacing(file) as part:
            getattr(rows, EXPORTS[file.suffix])(part, index=False)
        out.print(f"table  {file}  ({len(rows):,} rows)")


def certify(
    scenario: File,
    reliability: Annotated[float, typer.Option(min=0.5, max=0.9999999, help="the success rate to claim")],
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999999, help="confidence of the bound")] = 0.95,
    failures: Annotated[int, typer.Option(min=0, help="failures to allow; each one takes more trials")] = 0,
    workers: Workers = None,
    on: On = None,
    set_: Set = None,
    folder: Out = None,
    allow: Allow = None,
) -> None:
    """Prove a success rate: run the trials that it takes, compute an exact bound, write a certificate."""
    from sandbox.report.tables import certificate_table
    from sandbox.running.claims import FILE, claim
    from sandbox.scenario.sweep import check_free
    from sandbox.studies import certify as certificates

    chosen = opened(scenario, set_, allow)
    check_free(chosen.sweep, overrides(set_))
    stated = claim(chosen, reliability, confidence, failures)
    folder = folder or Path("runs") / f"{scenario.stem}-certificate"
    check_place(folder, folder=True)
    out.print(stated.words)
    with stoppable(folder), Counting(err, chosen.title or scenario.stem) as counting:
        found = certificates.certify(chosen, stated, folder, workers, on, on_plan=_compile, on_progress=counting)
    out.print(certificate_table(found))
    for failed in found["failed"][:SHOWN]:
        sets = settings(failed["overrides"])
        out.print(f"failed: {failed['finish']}; watch it: sandbox run {scenario} --seed {failed['seed']}{sets}")
    out.print(f"certificate  {folder / FILE}", f"root         {found['root']}", sep="\n")
    if not found["earned"]:
        raise SandboxError(f"not earned: {found['refusal']}")


def foresight(
    scenario: Annotated[Path, typer.Argument(help="a scenario file (TOML); agents[0].world_model is measured")],
    trials: Annotated[int, typer.Option(min=2, help="episodes, on as many seeds")] = 20,
    set_: Set = None,
    figure: Annotated[Path | None, typer.Option("--out", help="also draw it: .svg or .png")] = None,
    allow: Allow = None,
) -> None:
    """Measure the error of imagination by horizon: predictions of agents compared with what happens."""
    from sandbox.analysis import prediction_error as foresights
    from sandbox.report.figures import foresight as draw
    from sandbox.report.figures import save
    from sandbox.report.tables import foresight_table

    if figure and figure.suffix not in (".svg", ".png"):
        raise UsageError(f"--out {figure}: unknown kind of figure '{figure.suffix}'; expected .svg or .png")
    if figure:
        check_place(figure)
    chosen = opened(scenario, set_, allow)
    title = chosen.title or scenario.stem
    with Episodes(err, title) as shown:
        rows = foresights.foresight(chosen, trials, shown)
    out.print(foresight_table(rows, title))
    if figure:
        save(draw({title: rows}), figure)
        out.print(f"figure {figure}")


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="folders of batches; the first is the base")],
    base: Annotated[
        str | None,
        typer.Option(metavar="KEY=VALUE,...", help="for one RUN: the condition to compare its others with"),
    ] = None,
) -> None:
    """Compare batches, or the conditions of one batch, by paired differences on shared seeds."""
    from sandbox.analysis.compare import compare as compared
    from sandbox.analysis.results import results
    from sandbox.report.tables import comparison_table

    title = f"Compared with {base}" if base else "Compared with the first run"
    out.print(comparison_table(compared(runs, base), title))
    for run in runs:
        if errors := int(results(run)["error"].notna().sum()):
            out.print(f"{run}: {errors:,} trials are infrastructure errors and are left out")


def verify(folder: Path, sample: int, root: str | None, allow: "Grant") -> "Root":
    """Check a certificate or a batch, and execute a sample of its trials again; returns its root, computed anew."""
    from sandbox.record.signing import Root
    from sandbox.report.tables import certificate_table
    from sandbox.running import reexecute
    from sandbox.running.claims import lies_in
    from sandbox.studies import certify as certificates

    with Episodes(err, folder.name) as shown:
        is_certificate = lies_in(folder)
        checked = (certificates if is_certificate else reexecute).check(folder, sample, root, shown, allow)
    for problem in checked.problems:
        out.print(problem)
    if checked.problems:
        raise typer.Exit(1)
    if checked.certificate:
        out.print(certificate_table(checked.certificate))
        out.print("claim, bounds and verdict follow from the trials")
    out.print(checked.summary, f"root {checked.root}", sep="\n")
    return Root("certificate" if is_certificate else "batch", checked.root)


def replay(folder: Path, row: int, record: Path | None, video: Path | None, fps: float, allow: "Grant") -> None:
    """Play the trial in a row of a batch again, from its seed and its recorded answers."""
    from sandbox.report.tables import outcome_table
    from sandbox.running import reexecute
    from sandbox.running.replay_row import trial_of

    tried = trial_of(folder, row, allow)
    warm_up(tried.scenario, pictures=bool(video))
    if video:
        out.print(f"video  {film(tried.play(), video, fps)}")
    with Live(err) as live:
        outcome = reexecute.rerun(tried, record, live)
    out.print(outcome_table(outcome, f"row {row} of {folder.name}, played again"))
    if record:
        out.print(f"run    {record}")
    out.print(f"{outcome.ticks} ticks replayed, the final state equal to the recorded one")


def _compile(planned: "list[Scenario]") -> None:
    warm_up(*planned, batch=True)

"""The command ``sandbox verify``: check a run, a folder of runs, a batch or a certificate by executing them again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import err, out
from sandbox.cli._options import AllowAgain, granted
from sandbox.cli._progress import Episodes
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.record.signing import Root
    from sandbox.scenario.capabilities import Grant


Checked = Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run, or one with several runs")]


def verify(
    folder: Checked,
    root: Annotated[str | None, typer.Option(help="the root that was printed when it ended")] = None,
    sample: Annotated[int, typer.Option(min=1, help="for a batch: how many trials to execute again")] = 100,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="public key of the signer")] = None,
    allow: AllowAgain = None,
) -> None:
    """Recompute the hashes of a run, batch or certificate, and execute its trials (or a sample of them) again."""
    from sandbox.record.signing import check, public_key
    from sandbox.record.table import holds_a_run, runs_in

    public, grant = public_key(key) if key else None, granted(allow, {})
    if runs := runs_in(folder):
        if root or key:
            raise UsageError(f"{folder}: --root and --key are of one run; expected one such as {runs[0]}")
        return _each(runs, grant)
    signed = _run(folder, root, grant) if holds_a_run(folder) else _trials(folder, sample, root, grant)
    if told := check(folder, signed, public):
        out.print(told)


def _run(folder: Path, root: str | None, allow: "Grant") -> "Root":
    """Check a run, and execute it again; returns its root, computed anew."""
    from sandbox.record.signing import Root
    from sandbox.running.replay import verify

    verdict = verify(folder, root, allow=allow)
    out.print(*verdict.lines, sep="\n")
    for problem in verdict.chain.problems[1:]:
        out.print(f"  also: {problem}")
    if not verdict.passed:
        raise typer.Exit(1)
    return Root("run", verdict.chain.root)


def _each(runs: list[Path], allow: "Grant") -> None:
    """Check the runs of a folder, each as by itself; of one that agrees, say only what is its own."""
    from sandbox.running.replay import UNROOTED, trust_line, verify

    found = {run: verify(run, allow=allow) for run in runs}
    for run, verdict in found.items():
        for line in verdict.told if verdict.passed else verdict.lines:
            out.print(f"{run.name}: {line}")
    if wrong := sum(not verdict.passed for verdict in found.values()):
        out.print(f"{wrong} of {len(runs)} runs do not agree with their records")
        raise typer.Exit(1)
    ticks = sum(verdict.ticks for verdict in found.values())
    out.print(f"{len(runs)} runs, {ticks:,} ticks executed again, all equal")
    trusted = dict.fromkeys(what for verdict in found.values() for what in verdict.trusted)
    out.print(*trust_line(trusted), UNROOTED, sep="\n")


def _trials(folder: Path, sample: int, root: str | None, allow: "Grant") -> "Root":
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

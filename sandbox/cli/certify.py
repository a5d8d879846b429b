"""The command ``sandbox certify``: prove a lower bound of a success rate."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._compiling import warm_up_batch
from sandbox.cli._console import check_place, err, out, stoppable
from sandbox.cli._options import Allow, On, Results, Set, Swept, Workers, opened_sweep, settings
from sandbox.cli._progress import Counting
from sandbox.core.errors import SandboxError

SHOWN = 5  # failures for which the command that replays them is printed


def certify(
    scenario: Swept,
    reliability: Annotated[float, typer.Option(min=0.5, max=0.9999999, help="the success rate to claim")],
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999999, help="confidence of the bound")] = 0.95,
    failures: Annotated[int, typer.Option(min=0, help="failures to allow; each one takes more trials")] = 0,
    workers: Workers = None,
    on: On = None,
    set_: Set = None,
    folder: Results = None,
    allow: Allow = None,
) -> None:
    """Prove a success rate: run the trials that it takes, compute an exact bound, write a certificate."""
    from sandbox.report.tables import certificate_table
    from sandbox.running.claims import FILE, claim
    from sandbox.studies import certify as certificates

    chosen = opened_sweep(scenario, set_, allow)
    stated = claim(chosen, reliability, confidence, failures)
    folder = folder or Path("runs") / f"{scenario.stem}-certificate"
    check_place(folder, folder=True)
    out.print(stated.words)
    with stoppable(folder), Counting(err, chosen.title or scenario.stem) as counting:
        found = certificates.certify(chosen, stated, folder, workers, on, on_plan=warm_up_batch, on_progress=counting)
    out.print(certificate_table(found))
    for failed in found["failed"][:SHOWN]:
        sets = settings(failed["overrides"])
        out.print(f"failed: {failed['finish']}; watch it: sandbox run {scenario} --seed {failed['seed']}{sets}")
    out.print(f"certificate  {folder / FILE}", f"root         {found['root']}", sep="\n")
    if not found["earned"]:
        raise SandboxError(f"not earned: {found['refusal']}")

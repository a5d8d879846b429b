"""The command ``sandbox sign``: sign a run, a batch or a certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._console import out
from sandbox.core.errors import RecordError

if TYPE_CHECKING:
    from sandbox.record.signing import Root


def sign(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="the folder of a run, batch or certificate")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="private key, made by 'sandbox keygen'")],
) -> None:
    """Sign the root of a run, batch or certificate. It executes no trial; use 'sandbox verify' for that."""
    from sandbox.record import signing

    root = root_of(folder)
    name = signing.sign(folder, root, key)
    out.print(f"signed  {folder / signing.FILE}", f"root    {root.root}", f"key     {name}", sep="\n")


def root_of(folder: Path) -> "Root":
    """The root of the record in a folder, computed anew; raises RecordError if it is unfinished or inconsistent."""
    from sandbox.record import open_run
    from sandbox.record.signing import Root
    from sandbox.record.table import holds_a_run, read_whole
    from sandbox.record.verify import verify_chain
    from sandbox.running import reexecute
    from sandbox.running.claims import lies_in
    from sandbox.studies import certify as certificates

    if holds_a_run(folder):
        with open_run(folder) as run:
            report = verify_chain(run)
        if not report.intact:
            raise RecordError(f"{folder}: {report.summary}")
        if not report.finished:
            raise RecordError(f"{folder}: unfinished; sign it when it is done")
        return Root("run", report.root)
    if lies_in(folder):
        read = certificates.read(folder)
        if read.problems:
            raise RecordError(f"{folder}: {read.problems[0]}")
        return Root("certificate", read.certificate["root"])
    found = read_whole(folder)
    if problem := next(reexecute.misplaced(reexecute.opened(folder, found)), None):
        raise RecordError(f"{folder}: {problem}")
    if len(found.rows) < found.facts.get("planned", 0):
        raise RecordError(f"{folder}: unfinished; sign it when it is done")
    return Root("batch", found.root())

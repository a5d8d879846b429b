"""The command ``sandbox keygen``: make a pair of keys for signatures."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place, out


def keygen(
    file: Annotated[Path, typer.Option("--out", help="the private key; the public one goes beside it")] = Path(
        "sandbox-key.pem"
    ),
) -> None:
    """Make a pair of keys (Ed25519). Keep the private one secret; give the public one to people who verify."""
    from sandbox.record import signing

    check_place(file)
    public = signing.new_key(file)
    out.print(f"private key  {file}  (for 'sandbox sign')", f"public key   {public}  (for 'sandbox verify')", sep="\n")

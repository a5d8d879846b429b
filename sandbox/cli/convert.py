"""The command ``sandbox import``: a scenario from a process model."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import check_place, usable_worlds
from sandbox.cli.fit import told


def convert(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="a process in BPMN 2.0")],
    parameters: Annotated[Path, typer.Argument(metavar="PARAMETERS", help="Prosimos' simulation parameters (JSON)")],
    file: Annotated[Path, typer.Option("--out", help="the scenario")] = Path("imported.toml"),
) -> None:
    """Make a scenario that runs of a BPMN 2.0 model and Prosimos' simulation parameters."""
    check_place(file)
    told(next(own for world in usable_worlds() if (own := world.convert))(model, parameters), file)

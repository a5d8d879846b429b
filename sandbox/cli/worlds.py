"""The command ``sandbox worlds``: list the worlds, or show one in detail."""

from typing import Annotated

import typer

from sandbox.cli._console import out, usable_worlds


def worlds(name: Annotated[str | None, typer.Argument(help="one world in detail")] = None) -> None:
    """List the worlds, or show the verbs, options and perturbations of one."""
    from sandbox.core.trained_policy import PREFIX
    from sandbox.engine import registry
    from sandbox.engine.trained import shipped_policies
    from sandbox.report.tables import world_tables, worlds_table

    if name is None:
        out.print(worlds_table(list(usable_worlds())))
        return
    world = registry.opened(name)
    out.print(" ".join(world.rules.split()))
    for table in world_tables(world):
        out.print(table)
    if world.layouts:
        out.print(f"layouts: {', '.join(world.layouts)}, or a file")
    out.print(f"roles: {', '.join(world.roles)}")
    sighted = ", ".join(sorted(world.sighted & world.policies.keys()))
    told = f" (with the whole state in view: {sighted})" if sighted else ""
    out.print(f"policies: {', '.join(world.policies)}{told}")
    if trained := [f"{PREFIX}{policy.file}" for policy in shipped_policies(world)]:
        out.print(f"trained policies: {', '.join(trained)} (what each was trained with: docs/learning.md)")
    if world.source:
        out.print(f"rules of record: {world.source}")

"""The command ``sandbox compile``: compile kernels before they are needed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._compiling import Team, compile_all, policies
from sandbox.cli._console import out
from sandbox.cli._options import Allow, opened


def compile(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="WORLD...", help="worlds, or files of scenarios")
    ] = None,
    allow: Allow = None,
) -> None:
    """Compile the kernels of worlds (default: all) or scenarios, so that later runs start at once."""
    from sandbox.engine import registry

    done, seconds = compile_all([team for target in targets or registry.names() for team in _teams(target, allow)])
    out.print(f"{done} kernels compiled in {seconds:.0f} s" if done else "everything is compiled already")


def _teams(target: str, allow: list[str] | None) -> Iterator[Team]:
    """The teams to compile for a world or a scenario: hosted ticks (also for replays) and whole episodes."""
    from sandbox.engine.environment import make

    if target.endswith(".toml"):
        scenario = opened(Path(target), None, allow)
        env, chosen = scenario.env(), policies(scenario)
        yield from (Team(env, chosen, whole, True) for whole in ((False, True) if scenario.compiled else (False,)))
        return
    env = make(target)
    for policy in env.world.policies:
        yield from (Team(env, (policy,) * env.agents, whole, True) for whole in (False, True))

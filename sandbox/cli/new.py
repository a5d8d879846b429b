"""The command ``sandbox new``: write a world with its scenario, or an agent, to start from."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._console import out
from sandbox.core.errors import UsageError

new = typer.Typer(help="Write files to start from.", no_args_is_help=True)
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@new.command()
def world(name: Annotated[str, typer.Argument(help="name of the world, such as vineyard")]) -> None:
    """Write NAME.py, a complete world in one file, and NAME.toml, a scenario that plays it."""
    _check(name, "new world", "my_world")
    code, table = _template("world.py"), _template("world.toml").replace("examples/minimal_world", "minimal_world")
    texts = {
        Path(f"{name}.py"): code.replace('name="orchard"', f'name="{name}"').replace("examples/minimal", name),
        Path(f"{name}.toml"): table.replace("minimal_world", name),
    }
    _write(texts)
    out.print(
        f"wrote  {name}.py, {name}.toml",
        f"run    sandbox run {name}.toml --allow functions={name}.py",
        "next   docs/add-a-world.md",
        sep="\n",
    )


@new.command()
def agent(name: Annotated[str, typer.Argument(help="name of the agent, such as greedy")]) -> None:
    """Write NAME.py, an agent of your own that plays in any world."""
    _check(name, "new agent", "greedy")
    cls = "".join(part.capitalize() for part in name.split("_"))
    _write({Path(f"{name}.py"): _template("agent.py").replace("Greedy", cls)})
    out.print(
        f"wrote  {name}.py",
        f"run    sandbox run SCENARIO.toml --set agents.0.reasoner=python:{name}.py:{cls}",
        "next   docs/bring-your-own-agent.md",
        sep="\n",
    )


def _check(name: str, command: str, example: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"{command}: {name!r}, expected a name such as {example}: small letters, digits, _")


def _write(texts: dict[Path, str]) -> None:
    """Write new files, all or none."""
    for path in texts:
        if path.exists():
            raise UsageError(f"{path}: exists already; expected another name")
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def _template(name: str) -> str:
    return files("sandbox.cli").joinpath("templates", name).read_text(encoding="utf-8")

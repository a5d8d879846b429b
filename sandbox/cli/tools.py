"""The command ``sandbox tools``: list the tools of the user's MCP servers, and accept what has changed."""

import json
from typing import Annotated

import typer

from sandbox.cli._console import err, out

SHOWN = 8_000  # characters of what a server says of a tool; a model reads no more


def tools(
    accept: Annotated[
        str | None, typer.Option(metavar="SERVER", help="pin what this server says of its tools now")
    ] = None,
) -> None:
    """Ask the MCP servers in your own configuration for their tools, and compare these with what was pinned."""
    from sandbox.agents.tools import servers
    from sandbox.agents.tools.options import MCP
    from sandbox.core.errors import UsageError, unknown

    known, failed = servers.configured(), False
    if accept is not None and accept not in known:
        raise unknown("server", accept, known, str(servers.place()))
    err.print(f"servers: {servers.place()}", f"pins:    {servers.pins_file()}", sep="\n")
    for name, options in known.items() if accept is None else [(accept, known[accept])]:
        out.print(f"{name}: {' '.join([options.command, *options.args])}")
        try:
            told = servers.listed(name, options)
        except UsageError as error:
            out.print(f"  {error}")
            failed = True
            continue
        if accept:
            servers.pin(name, told)
        for tool, about in told.items():
            found = servers.state(name, about)
            failed |= found == "changed"
            out.print(f"  {found:8}{MCP}{name}/{tool}  {_brief(about['description'])}")
            if found == "changed":
                was = servers.pins()[name][tool]
                for part in (part for part in about if about[part] != was.get(part)):
                    out.print(
                        f"    {part} was {_brief(was.get(part))}",
                        f"    {part} is  {_brief(about[part])}",
                        sep="\n",
                    )
    if failed:
        raise typer.Exit(1)


def _brief(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."

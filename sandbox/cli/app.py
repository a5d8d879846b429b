"""The command ``sandbox app``: start the studio, for a browser on this or another machine."""

import errno
import getpass
import os
import socket
import sys
import webbrowser
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._compile_ahead import begin
from sandbox.cli._console import err, out
from sandbox.cli._options import Allow
from sandbox.core.errors import UsageError

HERE = "localhost"
PAGE = Path(__file__).resolve().parents[1] / "_studio_script.py"
OPTIONS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "theme.base": str(PAGE.with_name("studio") / "theme.toml"),
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",  # otherwise the first start on a machine waits for input
    "server.enableCORS": "true",  # these three: someone else may have written .streamlit/config.toml of the folder
    "server.enableXsrfProtection": "true",
    "server.enableStaticServing": "false",
}  # on the command line: an installed package has no configuration file of Streamlit
HIGHEST = 65_535


def app(
    port: Annotated[int, typer.Option(min=1, max=HIGHEST, help="port of the page")] = 8501,
    host: Annotated[
        str, typer.Option(help="address to listen at; everybody who can reach it can run scenarios")
    ] = HERE,
    browser: Annotated[bool | None, typer.Option(help="open a browser; default: if this machine has one")] = None,
    ahead: Annotated[
        bool, typer.Option("--compile/--no-compile", help="compile all worlds in the background, at low priority")
    ] = True,
    allow: Allow = None,
) -> None:
    """Open the studio in the browser. It uses scenarios/ and runs/ of the current folder."""
    from sandbox.scenario.capabilities import VARIABLE, Grant, configured

    _check(host, port)
    if allow and Grant.of(allow, "--allow"):  # for the server, and for the batches that it starts
        os.environ[VARIABLE] = ",".join([*allow, *filter(None, [os.environ.get(VARIABLE)])])
    opens = _has_browser() if browser is None else browser
    out.print(f"studio   http://{host if host == HERE else _shown(host)}:{port}   (Ctrl-C ends it)")
    if not opens:
        out.print(*_elsewhere(host, port).splitlines(), sep="\n")
    if host != HERE:
        err.print("anybody who can reach this address can run scenarios here; there is no password")
    if reached := configured():
        told = ", ".join(f"{rule.kind} {rule.what or '(all)'} ({rule.by})" for rule in reached)
        err.print(f"scenarios opened or composed here may reach {told}; uploaded ones may not")
    chosen = {"server.port": port, "server.address": host, "server.headless": str(not opens).lower(), **OPTIONS}
    options = [f"--{name}={value}" for name, value in chosen.items()]
    sys.stdout.flush()
    if ahead:
        begin()  # the server has the number of this process
    # -P: a file of the working directory must not replace a module of the same name.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", str(PAGE), *options])


def _has_browser() -> bool:
    """Whether a window can be opened on this machine."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        return bool(webbrowser.get())
    except webbrowser.Error:
        return False


def _elsewhere(host: str, port: int) -> str:
    """How to open the page without a browser on this machine."""
    if host != HERE:
        return f"No browser opens here. Open http://{_shown(host)}:{port} in a browser."
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        user = "USER"
    return (
        "No browser opens here. Open that address in a browser. On another machine, first run\n"
        f"  ssh -N -L {port}:{HERE}:{port} {user}@{socket.gethostname()}\n"
        f"there, then open http://{HERE}:{port} in its browser."
    )


def _shown(host: str) -> str:
    """The name by which others may reach this machine."""
    return socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host


def _check(host: str, port: int) -> None:
    """Raise UsageError if the server cannot listen there."""
    try:
        _try(host, port)
    except socket.gaierror:
        raise UsageError(f"--host {host}: no such address; expected one of this machine, such as {HERE}") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise UsageError(f"--host {host} --port {port}: cannot listen there ({error.strerror})") from None
        free = next((other for other in count(port + 1) if other > HIGHEST or _free(host, other)), HIGHEST + 1)
        hint = f"; --port {free} is free" if free <= HIGHEST else ""
        raise UsageError(f"--port {port} is in use{hint}") from None


def _free(host: str, port: int) -> bool:
    try:
        _try(host, port)
    except OSError:
        return False
    return True


def _try(host: str, port: int) -> None:
    """Listen for a moment at every address of that name; raises OSError where that fails."""
    for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # this machine has no IPv6
                    raise

"""Compiles the kernels of all worlds in the background of a server, so that the first click on a world need not wait.

It is a process of its own, at the lowest priority, and ends with its server. What it has compiled is in the cache, in
which the server finds it; until then, a page compiles what it needs by itself.
"""

import os
import subprocess
import sys
import threading
import time
from typing import Any

LOOK = 1.0  # seconds between two looks at whether the server is there
LOWEST = 19


def begin() -> subprocess.Popen:
    """Start it; the present process is the server."""
    command = [sys.executable, "-P", "-m", "sandbox.cli._compile_ahead", str(os.getpid())]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)


def main(server: int) -> None:
    """Compile while the server is there: what a page plays first, then whole episodes, for batches and lessons."""
    import psutil

    own = psutil.Process()
    own.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if os.name == "nt" else LOWEST)
    threading.Thread(target=_end_with, args=(psutil.Process(server),), daemon=True).start()
    from sandbox.cli._compiling import Team, compile_all
    from sandbox.engine import registry
    from sandbox.engine.environment import make

    teams = [(make(name), policy) for name in registry.names() for policy in registry.find(name).policies]
    for whole in (False, True):
        for env, policy in teams:
            compile_all([Team(env, (policy,) * env.agents, whole, True)])


def _end_with(server: Any) -> None:
    while server.is_running():
        time.sleep(LOOK)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))

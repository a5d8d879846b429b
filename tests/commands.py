"""The command line, in this process."""

import sys

from sandbox.cli.main import main


def told(*arguments) -> int:
    """Run ``sandbox`` with arguments; returns its exit code."""
    old, sys.argv = sys.argv, ["sandbox", *map(str, arguments)]
    try:
        main()
    except SystemExit as ended:
        return ended.code or 0
    finally:
        sys.argv = old
    return 0

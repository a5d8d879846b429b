"""``sandbox`` and ``python -m sandbox``: the command line, from before its imports."""

import gc

from sandbox.cli._process import quitting


def main() -> None:
    with quitting():
        from sandbox.cli import main as cli
    try:
        cli.main()
    finally:
        gc.freeze()  # the process ends: to look through all it has imported for garbage takes a second


if __name__ == "__main__":
    main()

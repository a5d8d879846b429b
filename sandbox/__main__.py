"""``sandbox`` and ``python -m sandbox``: the command line, from before its imports, which take seconds."""

from sandbox.fronts.process import quitting


def main() -> None:
    with quitting():
        from sandbox.fronts import cli
    cli.main()


if __name__ == "__main__":
    main()

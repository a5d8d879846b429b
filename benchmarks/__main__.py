"""``python -m benchmarks`` lists what there is; ``python -m benchmarks NAME [--quick]`` runs one."""

import argparse
from importlib import import_module

BENCHMARKS = {
    "craft": "our Craft beside crafter: steps a second, the profile of random play, Crafter scores",
    "warehouse": "our warehouse beside rware: steps a second, cost by team size, latency, starts",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHMARKS, help="which one; without it, they are listed")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller teams: a minute instead of five")
    parser.add_argument("--only", metavar="PART", help="one part of it")
    arguments = parser.parse_args()
    if arguments.name is None:
        print("\n".join(f"{name:12} {summary}" for name, summary in BENCHMARKS.items()))
        return
    import_module(f"benchmarks.{arguments.name}").main(arguments.quick, arguments.only)


if __name__ == "__main__":
    main()

"""``python -m benchmarks`` lists all; ``python -m benchmarks NAME`` runs one, ``--help`` tells its options."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType

from benchmarks import results
from benchmarks.report import console, load, machine, show, versions
from benchmarks.trees import HERE, commit

BENCHMARKS = {
    "all": "all the speeds below, in one table: figure, least and most, ratio, target, met or missed",
    "warehouse": "our warehouse beside rware: steps a second, cost by team size, latency",
    "kitchen": "our kitchen beside overcooked-ai: steps a second, soups served by policy and by its greedy pair",
    "wildfire": "our forest fire beside Mesa's, a large map with a thousand crews, what policies save",
    "craft": "our craft beside crafter: steps a second, the random profile, scores of policies",
    "office": "our queueing engine beside SimPy, Erlang's formula, the medians of procure to pay beside published ones",
    "llm": "language models: CPU time of a decision beside the bare call, and replayed; many agents at once",
    "gemma": "Gemma 3 270M: CPU seconds of a decision, with and without the kept beginning; success beside chance",
    "agents": "agents' own code: decisions a second beside PettingZoo's loop; a Greedy and a trained policy compared",
    "policies": "trained policies: success on fresh seeds beside rules and chance; Crafter's score beside published",
    "frameworks": "six agent frameworks beside our own reasoner: the same model, task and seeds; calls, tokens, time",
    "start": "the first tick of each world: cold, for a second team, warm; with --beside PATH also of another tree",
    "pace": "the steady speed of all worlds in CPU seconds; with --beside PATH also of another tree, in turns",
    "learners": "many lanes in one call, beside vector environments of other packages (extra peers)",
    "machines": "batches on Dask and Ray: one and two workers, the cost of a chunk, and what 100 machines would do",
    "claims": "every figure of the documents that can be had in twenty minutes, measured anew: does it agree?",
    "lessons": "every lesson of scenarios/lessons: the measured answers, and how surely they come out (--blocks)",
    "memory": "facts of long ago that a model is told, by kind of memory; search among 100,000 entries",
    "retrieval": "search in documents: recall of the passage that answers a question, by embedding",
    "network": "messages: rewiring and delivery from 10^3 to 10^5 agents, beside networkx with dictionaries",
    "coverage": "how often the intervals of sandbox.statistics hold the truth, simulated",
    "batch": "batches beside the bare kernel loop and mesa.batch_run; cost and memory from 10^3 to 10^6 trials",
    "record": "a recorded run beside the same without a record: time, and bytes on disk, by team size",
    "imagination": "imagined ticks a second beside the bare kernel; prediction error by horizon; does it pay?",
    "learned": "learned world models: drift beside the rules with other dice; what a search with them gains",
    "dreaming": "craft by PPO, by PPO in a learned model and by a recurrent latent model, at equal CPU seconds",
    "dream": "dreamed worlds: delta-accuracy, purity, forced codes, goals reached in the true kernel, controls",
    "video": "video models: how their pictures look, what in them is right, what a search in them reaches, controls",
    "generalist": "one agent for many worlds, told in words: does it obey, beside agents that hear less",
    "edge": "policies on devices: success against joules a decision, by size and arithmetic; how often int8 agrees",
    "teams": "protocols, lost messages and team sizes, from the sweeps of scenarios/teams, with figures",
    "studio": "frames a second that a browser shows, and what the page takes from the simulation behind it",
    "endurance": "the studio over time: its first paint, twenty sessions at once, half an hour with resets",
    "office-study": "half the time with little oversight? every arm in every condition, as docs/office.md claims it",
    "serving": "when agents call their models: burstiness beside a bulk job, and the wait of K agents for one server",
    "web": "steps a second; success against severity for each perturbation and policy, with a plot",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", metavar="NAME")
    own = {name: commands.add_parser(name, help=told, description=told) for name, told in BENCHMARKS.items()}
    named = sys.argv[1] if len(sys.argv) > 1 else None
    if named not in own:
        parser.parse_args()  # help, or an error
        parser.print_help()
        return
    module = module_of(named)  # alone: all of them take seconds
    options, command = getattr(module, "OPTIONS", {}), own[named]
    command.add_argument("--quick", action="store_true", help="fewer rounds or trials: a minute instead of five")
    for option, how in options.items():
        command.add_argument(option, **how)
    if not hasattr(module, "main"):
        speeds, parts = getattr(module, "SPEEDS", {}), getattr(module, "PARTS", {})
        which = command.add_mutually_exclusive_group()
        which.add_argument("--only", choices=[*speeds, *parts], help="one part of it")
        which.add_argument("--write", action="store_true", help="all speeds, and write their table to RESULTS.md")
        command.add_argument("--json", metavar="FILE", help="the speeds, and write their figures there")
    arguments = parser.parse_args()
    console.print(machine(*module.PEERS))
    before = load()
    if hasattr(module, "main"):
        sys.exit(module.main(arguments))
    given = {name[2:]: getattr(arguments, name[2:]) for name in options}
    if figures := [figure for part in _of(speeds, arguments) for figure in part(arguments.quick, **given)]:
        show(BENCHMARKS[named], figures)
        console.print(f"load {load()} at the end")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([figure.plain() for figure in figures]))
    if arguments.write:
        when = f"{date.today():%d %B}, {commit(HERE)}{', quick' * arguments.quick}, load {before} to {load()}"
        results.write(named, ", ".join([when, *versions(*module.PEERS)]), figures)
    if not (arguments.json or arguments.write):
        for part in _of(parts, arguments):
            part(arguments.quick)


def module_of(name: str) -> ModuleType:
    """The module of a benchmark."""
    return import_module(f"benchmarks.{name.replace('-', '_')}")


def _of(parts: dict[str, Callable], arguments: argparse.Namespace) -> list[Callable]:
    """All of them, or the one that was asked for."""
    return [part for name, part in parts.items() if arguments.only in (None, name)]


if __name__ == "__main__":
    main()

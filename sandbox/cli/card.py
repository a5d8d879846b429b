"""The command ``sandbox card``: test agents on the standard suite."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import check_place, err, out, stoppable
from sandbox.cli._options import Allow, Workers, granted
from sandbox.cli._progress import Counting
from sandbox.core.errors import UsageError

if TYPE_CHECKING:
    from sandbox.scenario import Scenario
    from sandbox.studies.suite import Suite

TRIALS = 100  # seeds of each condition

Agents = Annotated[list[str], typer.Argument(metavar="AGENT...", help="a reasoner's name, or a TOML file of its keys")]


def card(
    agents: Agents,
    suite: Annotated[Path, typer.Option(help="folder of the suite's scenarios")] = Path("scenarios/suite"),
    trials: Annotated[int, typer.Option(min=1, help="seeds of each condition")] = TRIALS,
    workers: Workers = None,
    folder: Annotated[Path, typer.Option("--out", help="folder of the card and its batches")] = Path("runs/card"),
    allow: Allow = None,
) -> None:
    """Test agents on a suite of scenarios, clean and perturbed, and compare them with the oracle."""
    from sandbox.analysis.measures import check_errors
    from sandbox.report.card import card_table, standing
    from sandbox.running.batch import plan
    from sandbox.studies import card as cards
    from sandbox.studies.suite import entrant, open_suite

    chosen = open_suite(suite, granted(allow, {"agents": agents}))
    names = list(dict.fromkeys([*agents, cards.YARDSTICK]))
    entrants = [entrant(name, chosen) for name in names]
    if len({who.name for who in entrants}) < len(entrants):
        raise UsageError(f"two agents of one name among {', '.join(names)}; rename a file")
    check_place(folder, folder=True)
    planned = [one for each in cards.seats(chosen, entrants) for one in plan(each)]
    warm_up(*planned, batch=True)
    with stoppable(folder):
        played = cards.play(chosen, entrants, folder, trials, workers, _progress)
    rows = cards.card(chosen, entrants, played)
    out.print(card_table(rows, chosen.words, trials))
    for each in cards.standings(rows):
        out.print(standing(each))
    options = ["--suite", str(suite), "--trials", str(trials), "--out", str(folder)]
    again = shlex.join(["sandbox", "card", *agents, *options])
    _write(folder, chosen, trials, rows, again)
    for where, found in played.items():
        check_errors(found, " in ".join(where))


def _progress(agent: str, scenario: "Scenario") -> Counting:
    err.print(f"{agent} in '{scenario.title or scenario.world.name}'")
    return Counting(err, agent)


def _write(folder: Path, suite: "Suite", trials: int, rows: list, again: str) -> None:
    from sandbox.cli._page import write_page
    from sandbox.record.whole import write_text
    from sandbox.report.card import card_page
    from sandbox.running.trial import versions
    from sandbox.studies import card as cards

    told = versions()
    origin = ", ".join(f"{name} {version}" for name, version in told.items())
    write_page(folder / "card.html", card_page(rows, cards.standings(rows), suite.words, trials, again, origin))
    figures = cards.as_json(suite, trials, rows, told)
    write_text(folder / "card.json", json.dumps(figures, indent=2, allow_nan=False) + "\n")
    out.print(f"card   {folder / 'card.json'}")

"""The command ``sandbox prompt``: print the first requests to language models without sending them."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._compiling import warm_up
from sandbox.cli._console import out
from sandbox.cli._options import Allow, File, Set, opened
from sandbox.core.errors import SandboxError, UsageError
from sandbox.report.lines import lines

if TYPE_CHECKING:
    from sandbox.agents.llm.request import Request, Setup
    from sandbox.scenario import Scenario

NOTHING = (
    "No request in the first tick: it is not their turn, they have no choice, or another agent makes the same request."
)


def prompt(
    scenario: File,
    agent: Annotated[int | None, typer.Option(help="number of an agent; default: the first of each group")] = None,
    set_: Set = None,
    allow: Allow = None,
) -> None:
    """Print the requests to language models of the first tick, perturbations included. No model is called."""
    checked = opened(scenario, set_, allow)
    warm_up(checked)
    for request in first_requests(checked, agent):
        for title, text in request.items():
            out.print(f"# {title}", style="bold")
            out.print(lines(*text.split("\n")))
            out.print()


def first_requests(scenario: "Scenario", agent: int | None = None) -> Iterator[dict[str, str]]:
    """The parts of an agent's first request, by their titles, in the order in which they are sent.

    Without ``agent``, those of the first agent of each group with a language model. The scenario's own model makes
    the requests, in its first tick.
    """
    from sandbox.agents.llm.offline import Captured
    from sandbox.model import Sandbox
    from sandbox.reasoning import groups_of

    groups = [rows for rows, group in groups_of(scenario.agents) if group.llm]
    able = [row for rows in groups for row in rows]
    if agent is not None and agent not in able or not able:
        having = ", ".join(map(str, able[:20])) or "none"
        raise UsageError(f"agent {agent or 0} has no language model; agents that have one: {having}")
    captured = Captured()
    model = Sandbox(scenario, rng=scenario.seed, recorded=captured)
    made = ((rows, getattr(reasoner, "setup", None)) for rows, reasoner in model.reasoners)
    setups = {row: setup for rows, setup in made if setup for row in rows if row in able}
    model.step()
    model.close()
    if model.error:
        raise SandboxError(model.error)
    for rows in [range(agent, agent + 1)] if agent is not None else groups:
        asked = next((captured.requests[row] for row in rows if row in captured.requests), None)
        yield _parts(setups[asked.agent], asked) if asked else {f"agents {', '.join(map(str, rows[:20]))}": NOTHING}


def _parts(setup: "Setup", request: "Request") -> dict[str, str]:
    form = ("tools", setup.tools) if setup.tools else ("schema of the reply", request.schema)
    return {
        f"instructions to {setup.model}, the same in every tick": setup.instructions,
        f"tick {request.tick}, agent {request.agent}": request.prompt,
        form[0]: json.dumps(form[1], indent=1),
    }

"""One trial of a batch or a certificate, played again from its row."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.agents.llm.offline import Recorded
from sandbox.core.errors import RecordError
from sandbox.model import Sandbox
from sandbox.record.table import read_trial
from sandbox.running.recorded_answers import recorded_of
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import NOTHING, Grant, record
from sandbox.scenario.recorded import read_scenario


class Tried(NamedTuple):
    """One trial of a batch or a certificate, and what it takes to play it again."""

    scenario: Scenario  # of its condition
    seed: int
    digest: str  # of the last state, hexadecimal: what it must come to again
    outcome: dict[str, Any]  # by measure
    recorded: Recorded | None  # recorded answers of its language models and functions; None: no calls

    def play(self) -> Iterator[Sandbox]:
        """The model after reset and after every tick; RecordError where it does not come to the recorded state."""
        with closing(Sandbox(self.scenario, rng=int(self.seed), recorded=self.recorded)) as model:
            yield model
            while model.running:
                model.step()
                yield model
            self.check(model.env.digest(model.state))

    def check(self, digest: str) -> None:
        """Raise RecordError where the last state is not the recorded one."""
        if self.digest and digest != self.digest:
            raise RecordError(f"seed {self.seed}: it does not reach the state that the batch recorded")


def trial_of(folder: str | Path, row: int, allow: Grant = NOTHING) -> Tried:
    """The trial in a row of ``results`` of a batch, counted from 0, to be played again without asking anybody.

    Functions of which nothing is recorded are called where they are allowed, and nowhere else. Raises RecordError where
    there is no such batch or row, or where what was answered in it was not kept.
    """
    scenario, overrides, columns, asked = read_trial(folder, row)
    base = read_scenario({**scenario, "sweep": {}}, record(folder, allow))
    outcome = {name: value for name, value in columns.items() if name not in ("condition", "trial")}
    chosen = load(base, overrides, allow=NOTHING)
    if "llm" in chosen.reasoners and not asked:
        raise RecordError(f"{folder}: row {row}: the calls of its models were not kept (trials.keep_calls)")
    answers = recorded_of(asked, allow=allow) if asked else None
    return Tried(chosen, outcome["seed"], outcome["digest"], outcome, answers)

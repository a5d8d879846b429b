"""Sources of episodes: a scenario to play, a trial of a run, a row of a batch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.agents.llm.offline import Recorded as Answered
from sandbox.core.errors import RecordError
from sandbox.engine.compiling import Step, unstored
from sandbox.oversight.approvals import Approvals
from sandbox.record import open_run
from sandbox.running.listing import look
from sandbox.running.reexecute import trial_of
from sandbox.running.replay import scenario_of
from sandbox.scenario import Scenario, load
from sandbox.scenario.capabilities import page, record
from sandbox.studio.backend.episode_player import EpisodePlayer
from sandbox.studio.backend.places import new_folder


class Live(NamedTuple):
    """Play a scenario."""

    scenario: Scenario | Mapping[str, Any]  # a table composed on a page
    seed: int
    whole: bool = False  # play it to the end at once, then go back
    digest: str = ""  # digest of the final state, if known; checked
    recorded: Answered | None = None  # answers instead of its language models
    until: int = 0  # if not 0: it is not played beyond this tick

    def uncompiled(self) -> dict[Step, int]:
        """The steps of compiling that its pictures and ticks need, each with its size."""
        return _uncompiled(load(self.scenario, origin=page()))

    def film(self, people: Approvals) -> EpisodePlayer:
        scenario = load(self.scenario, origin=page())
        folder = new_folder(scenario.world.name, self.seed)
        player = EpisodePlayer.begin(scenario, self.seed, folder, people, self.recorded)
        player.until = self.until
        return player


class Recorded(NamedTuple):
    """Show a trial of a run."""

    folder: Path
    trial: int = 0
    whole: bool = True
    digest: str = ""

    def uncompiled(self) -> dict[Step, int]:
        """The same."""
        with open_run(self.folder) as run:
            return _uncompiled(scenario_of(run, record(self.folder)))

    def film(self, _: Approvals) -> EpisodePlayer:
        return EpisodePlayer.open(self.folder, self.trial)


def _uncompiled(scenario: Scenario) -> dict[Step, int]:
    env, policies = scenario.env(), [group.policy for group in scenario.roster()]
    return unstored([env.world.render]) | env.uncompiled(policies)


Order = tuple[Live | Recorded, ...]


def order_of(folder: Path, trial: int) -> Live | Recorded:
    """The source for a trial of a run, or for a row of a batch, played again from its seed; raises RecordError."""
    entry = look(folder)
    if entry.kind == "broken":
        raise RecordError(entry.problem)
    if entry.kind == "run":
        return Recorded(folder, trial)
    tried = trial_of(folder, trial)
    return Live(tried.scenario, tried.seed, True, tried.digest, tried.recorded)

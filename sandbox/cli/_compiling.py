"""Compile missing kernels before anything is played, with a progress display."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sandbox.cli._console import check_extras, err, tell_reached
from sandbox.cli._process import quitting
from sandbox.cli._progress import Compiling

if TYPE_CHECKING:
    from sandbox.engine.environment import Environment
    from sandbox.engine.search import Policy
    from sandbox.scenario import Scenario


class Team(NamedTuple):
    """The kernels to compile: for ``whole`` episodes or hosted ticks, and for ``pictures`` of them."""

    env: "Environment"
    policies: "tuple[Policy | None, ...]"
    whole: bool
    pictures: bool

    @property
    def kernels(self) -> dict:
        """The kernels that are not compiled yet, with their sizes."""
        from sandbox.engine.compiling import unstored

        painted = unstored([self.env.world.render]) if self.pictures else {}
        return self.env.uncompiled(self.policies, self.whole) | painted

    def compile(self) -> None:
        self.env.warm_up(self.policies, self.whole)
        if self.pictures:
            self.env.render(self.env.reset([0]))


def warm_up(*scenarios: "Scenario", batch: bool = False, pictures: bool = False) -> None:
    """Compile the kernels of scenarios, once for each world and set of policies; print what the scenarios use."""
    for scenario in scenarios:
        check_extras(scenario)
    tell_reached(scenarios)
    distinct = {(each.world.name, each.policies, each.team and each.team.protocol): each for each in scenarios}
    teams = [Team(each.env(), policies(each), batch and each.compiled, pictures) for each in distinct.values()]
    _share(teams)
    compile_all(teams)


def warm_up_batch(planned: "Sequence[Scenario]") -> None:
    """The same for the conditions of a batch. An episode is compiled as a whole if its agents allow it."""
    warm_up(*planned, batch=True)


def policies(scenario: "Scenario") -> "tuple[Policy | None, ...]":
    return tuple(group.policy for group in scenario.roster())


def _share(teams: Iterable[Team]) -> None:
    """Let several teams of a world share one loop, for whole episodes that are not compiled yet."""
    from sandbox.engine.loops import share

    wanted: dict[str, list[Team]] = defaultdict(list)
    for team in teams:
        if team.whole and team.env.team is None and all(isinstance(policy, str) for policy in team.policies):
            wanted[team.env.world.name].append(team)
    for own in wanted.values():
        cold = [team for team in own if team.kernels]
        if len(cold) > 1:
            share(cold[0].env.world, {each for team in cold for each in team.policies if isinstance(each, str)})


def compile_all(teams: list[Team]) -> tuple[int, float]:
    """Compile with a progress display; returns the number of kernels, and the seconds."""
    from sandbox.engine.compiling import heard
    from sandbox.engine.parallel import TeamKernels, compile_teams

    kernels = {kernel: size for team in teams for kernel, size in team.kernels.items()}
    if not kernels:
        return 0, 0.0
    names = ", ".join(dict.fromkeys(team.env.world.name for team in teams if team.kernels))
    with Compiling(err, f"compiling {names}") as compiling, heard(kernels, compiling), quitting():
        compile_teams([TeamKernels(team.env, team.policies, team.whole) for team in teams])
        for team in teams:
            if team.kernels:
                team.compile()
    return len(kernels), compiling.seconds

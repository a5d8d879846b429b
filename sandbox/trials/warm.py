"""Kernels are ready before the clock of a trial starts."""

from contextlib import suppress

from sandbox.engine.stage import Stage
from sandbox.scenario import Scenario

_READY: set[tuple] = set()  # in this process


def warm(scenario: Scenario, stage: Stage, whole: bool) -> None:
    """Compile the kernels of a team, or read them from their cache, once: no ``seconds`` of a trial hold that."""
    team = scenario.world.name, scenario.policies, scenario.team and scenario.team.protocol, whole
    if team not in _READY:
        with suppress(Exception):  # a trial that cannot be played says itself why
            stage.warm_up([group.policy for group in scenario.roster()], whole)
        _READY.add(team)

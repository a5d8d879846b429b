"""Who follows which compiled policy: the policies of a team, checked, and the loops that play them."""

from collections.abc import Iterable, Sequence, Set
from typing import Any

import numpy as np

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.world import World
from sandbox.core.world_model import WorldModel, check_base
from sandbox.engine.loops import Loops, loops, sharing
from sandbox.engine.play import Cast
from sandbox.engine.search import SEARCH, Policy, looks_ahead, policy_name
from sandbox.engine.team import Team
from sandbox.engine.workspace import workspace


def cast(stage, policies: Any, memory, tally, team) -> tuple[Cast, Loops]:
    """See ``Stage.cast``."""
    policies = known(stage.world, policies, "cast", stage.agents)
    _check_arrays(stage, memory, tally, team)
    names = [policy_name(policy) for policy in policies]
    parts = used(stage.world, names)
    groups = [[i for i, own in enumerate(names) if own == name] for name in parts]
    agents, bounds = [i for group in groups for i in group], np.cumsum([0, *map(len, groups)])
    search = any(map(looks_ahead, parts))
    if search and (memory is None or tally is None):
        raise UsageError("cast: an agent that searches, expected the memory and the tally of its lanes")
    work = workspace(stage, policies, memory, tally.imagined) if search else ()
    compiled = loops(stage.world, parts, stage.team.protocol if len(team) else None)
    return Cast(np.array(agents, np.int32), bounds.astype(np.int32), work, team), compiled


def _check_arrays(stage, memory, tally, team) -> None:
    lanes = None if memory is None else stage.memories.lanes(memory, "cast: memory")
    if tally is not None:
        lanes = stage.tallies.lanes(tally, "cast: tally", lanes)
    if not isinstance(team, tuple) or (len(team) and (stage.team is None or type(team) is not Team)):
        raise UsageError(f"cast: team {shown(team)}, expected what company() of this world returns")
    if len(team) and (team.own.shape[1] != stage.agents or lanes not in (None, len(team.own))):
        raise UsageError(f"cast: team of (lanes, agents, ...) {team.own.shape}, expected {lanes}, {stage.agents}")


def known(world: World, policies: Any, where: str, agents: int | None = None) -> list[Policy]:
    """The policies as a list, one for each of so many ``agents``; raises UsageError for what is not a policy."""
    if not isinstance(policies, Sequence | Set) or isinstance(policies, str | bytes):
        raise UsageError(f"{where}: policies {shown(policies)}, expected a list of names or WorldModels")
    if agents is not None and len(policies) != agents:
        raise UsageError(f"{where}: {len(policies)} policies, expected {agents}, one for each agent")
    for policy in policies:
        if isinstance(policy, WorldModel):
            check_base(policy.base, world, f"{where}: world_model.base")
        elif policy is not None and not (isinstance(policy, str) and policy in world.policies):
            raise unknown("policy", policy, world.policies, f"world '{world.name}'")
    return list(policies)


def used(world: World, names: Iterable[str | None]) -> tuple[str, ...]:
    """The policies among ``names``, in one order whatever the team: those that search come last."""
    wanted = sharing(world, set(names) - {None})
    return tuple(name for name in (*world.policies, *(SEARCH + policy for policy in world.policies)) if name in wanted)

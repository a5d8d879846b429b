"""The keys that may change in the middle of a trial: reasoners, guard rules, perturbations, options of team, world."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.core.errors import UsageError, shown, unknown
from sandbox.core.plain import whole
from sandbox.engine.registry import find
from sandbox.scenario.load import load
from sandbox.scenario.schema import REASONERS, Scenario, others_keys

OF_A_GROUP = ("reasoner", "script", "program", "llm", "human", "python", "generalist", "fallback", "world_model")
OF_THE_TEAM = ("protocol", "lead", "patience", "stop", "absent", "network.cut", "network.loss")
LAID_OUT = "message_delay"  # the perturbation whose arrays must exist from the beginning
_MAY = re.compile(
    rf"agents\.\d+\.({'|'.join(OF_A_GROUP)})(\..+)?|guard(\..+)?|perturb\.(?!{LAID_OUT}$).+"
    rf"|team\.({'|'.join(map(re.escape, OF_THE_TEAM))})"
)

MAY_RESEAT = (*OF_A_GROUP, "memory", "tools")


def changed(scenario: Scenario, overrides: Mapping[str, Any]) -> Scenario:
    """The scenario with dotted keys set; a group that leaves its reasoner leaves what belongs to it.

    Raises UsageError for a key that cannot change in the middle of a run.
    """
    if not isinstance(overrides, Mapping):
        raise UsageError(f"--set {shown(overrides)}: expected a mapping of keys and values")
    live = find(scenario.world.name).live
    for key in overrides:
        key = key if isinstance(key, str) else shown(key)
        if not _MAY.fullmatch(key) and key not in {f"world.{option}" for option in live}:
            own = f"agents.K.({', '.join(OF_A_GROUP)}), team.({', '.join(OF_THE_TEAM)})"
            may = f"{own}, world.({', '.join(live)}), guard, perturb.NAME, but for {LAID_OUT}"
            raise UsageError(f"--set {key}: it cannot change in the middle of a run; what can: {may}")
    return load(scenario, overrides)


def reseated(scenario: Scenario, agent: int, reasoner: str, **options: Any) -> Scenario:
    """The scenario in which one agent, by its row, has another reasoner: its group is split, all names stay.

    ``options`` are further keys of its group, such as ``llm``, ``fallback`` or ``world_model``. All others
    keep their values, except those that belong to the old reasoner. Raises UsageError.
    """
    groups, roster = scenario.model_dump()["agents"], scenario.roster()
    agent = whole(agent, "agent")
    if not 0 <= agent < len(roster):
        raise UsageError(f"agent {agent}, expected 0..{len(roster) - 1}")
    if not isinstance(reasoner, str):
        raise unknown("reasoner", reasoner, REASONERS, f"agent {agent}")
    for key in options:
        if key not in MAY_RESEAT:
            raise unknown("key", key, MAY_RESEAT, f"agent {agent}")
    split, row = [], 0
    for group in groups:
        at, count = agent - row, group["count"]
        row += count
        if not 0 <= at < count:
            split.append(group)
            continue
        own = group | {"reasoner": reasoner, "count": 1}
        own = {key: value for key, value in own.items() if key not in others_keys(own)} | options
        parts = group | {"count": at}, own, group | {"count": count - at - 1}
        split += [part for part in parts if part["count"]]
    return load(scenario, {"agents": split})

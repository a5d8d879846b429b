"""What may change in the middle of a trial: who decides and how, what is forbidden, what goes wrong; no more."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.core.errors import UsageError
from sandbox.core.perturb import OF_MESSAGES
from sandbox.scenario.load import load
from sandbox.scenario.schema import Scenario

OF_A_GROUP = ("reasoner", "script", "program", "llm", "human", "fallback", "world_model")
OF_THE_TEAM = ("protocol", "lead", "patience", "stop", "absent")
_MAY = re.compile(
    rf"agents\.\d+\.({'|'.join(OF_A_GROUP)})(\..+)?|guard(\..+)?|perturb\.(?!{'|'.join(OF_MESSAGES)}).+"
    rf"|team\.({'|'.join(OF_THE_TEAM)})"
)

_LEAVES = re.compile(r"agents\.\d+\.reasoner")


def changed(scenario: Scenario, overrides: Mapping[str, Any]) -> Scenario:
    """The scenario with dotted keys set; a group that leaves its language model leaves memory and tools with it.

    Raises UsageError for a key that cannot change in the middle.
    """
    for key in overrides:
        if not _MAY.fullmatch(key):
            own = f"agents.K.({', '.join(OF_A_GROUP)}), team.({', '.join(OF_THE_TEAM)})"
            may = f"{own}, guard, perturb.NAME, but for messages"
            raise UsageError(f"--set {key}: it cannot change in the middle of a run; what can: {may}")
    left = [key[: -len(".reasoner")] for key, who in overrides.items() if _LEAVES.fullmatch(key) and who != "llm"]
    none = {f"{group}.{key}": value for group in left for key, value in (("llm", None), ("memory", {}), ("tools", {}))}
    return load(scenario, {**overrides, **none})

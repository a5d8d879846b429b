"""Interventions in a running office: a new policy, a forged document."""

from random import Random

from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim, Intervention, changed
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import Check, Params


def _new_policy(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """The policy's values become those after a change."""
    values = dict(zip(labels(params).policies, params.policy[1].tolist(), strict=True))
    if values == given["policy"]:
        raise UsageError("new_policy: the new policy is in force already")
    return {"policy": values}


def _forge(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """What tells who the other side is, on a document of an open case, becomes another number."""
    forged = {int(row[Check.LEFT]) for row in params.check if row[Check.LEAK]}
    names = [labels(params).fields[field] for field in sorted(forged)]
    able = [
        (k, name) for k, case in enumerate(given["cases"]) if case["status"] == "open"
        for name in names if case["documents"][name] == case["truth"][name]
    ]  # fmt: skip
    if not able:
        raise UsageError("forged_document: expected an open case with an account or identity that is right")
    k, name = dice.choice(able)
    case = given["cases"][k]
    documents = {**case["documents"], name: case["truth"][name] % 99_999 + 1}
    return {"cases": changed(given["cases"], k, documents=documents)}


INTERVENTIONS = (
    Intervention("new_policy", "the policy changes: other tolerances and limits", "world", _new_policy),
    Intervention("forged_document", "an account or identity on a document of an open case is changed", "world", _forge),
)

"""Interventions in a running office: a new policy, a rush."""

from random import Random

from sandbox.core.errors import UsageError
from sandbox.core.intervention import Aim, Intervention, changed
from sandbox.worlds.office.compiler import labels
from sandbox.worlds.office.state import Params


def _new_policy(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """The policy's values become those after a change."""
    values = dict(zip(labels(params).policies, params.policy[1].tolist(), strict=True))
    if values == given["policy"]:
        raise UsageError("new_policy: the new policy is in force already")
    return {"policy": values}


def _new_account(params: Params, given: dict, aim: Aim, dice: Random) -> dict:
    """A code on a document of an open case is changed, such as a bank account."""
    able = [
        (k, field) for k, case in enumerate(given["cases"]) if case["status"] == "open"
        for field, truth in case["truth"].items() if field.endswith(".account") and case["documents"][field] == truth
    ]  # fmt: skip
    if not able:
        raise UsageError("changed_account: no open case has an account that is still right")
    k, field = dice.choice(able)
    case = given["cases"][k]
    documents = {**case["documents"], field: case["truth"][field] % 99_999 + 1}
    return {"cases": changed(given["cases"], k, documents=documents)}


INTERVENTIONS = (
    Intervention("new_policy", "the policy changes: other tolerances and limits", "world", _new_policy),
    Intervention("changed_account", "an account on a document of an open case is changed", "world", _new_account),
)

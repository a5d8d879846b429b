"""Perturbations: disturbances with a severity in 0..1, and the generic ones, which all worlds share."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from sandbox.core.errors import UsageError, unknown


@dataclass(frozen=True)
class Perturbation:
    """A disturbance with a severity in 0..1; ``summary`` says what severity 1 means."""

    name: str
    summary: str


class Fault(IntEnum):
    """The generic perturbations, in the order of ``GENERIC``: index of each one's severity."""

    SENSOR_NOISE = 0
    ACTION_FAILURE = 1
    AGENT_CRASH = 2
    MESSAGE_LOSS = 3
    MESSAGE_DELAY = 4
    TOOL_TIMEOUT = 5  # this one and the next ones disturb replies, so only hosted reasoners
    RATE_LIMIT = 6
    PARTIAL_REPLY = 7
    CHANGED_SCHEMA = 8


WRONG_AT_MOST = 0.2  # severity 1 of sensor_noise
FAIL_AT_MOST = 0.3  # severity 1 of action_failure
DOWN_AT_MOST, DOWN_FOR = 0.3, 10  # severity 1 of agent_crash; ticks until an agent is back
LATE_AT_MOST = 10  # severity 1 of message_delay, ticks
REPLIES_AT_MOST = 0.5  # severity 1 of each fault of replies

GENERIC = (
    Perturbation("sensor_noise", "visible cells show the content of another cell; severity 1: 20 % of them"),
    Perturbation("action_failure", "actions do nothing; severity 1: 30 % of them"),
    Perturbation("agent_crash", "agents do nothing for 10 ticks at a time; severity 1: 30 % of the time"),
    Perturbation("message_loss", "messages, if the world has any, are lost; severity 1: all of them"),
    Perturbation("message_delay", "messages, if the world has any, arrive late; severity 1: by 10 ticks"),
    Perturbation("tool_timeout", "hosted reasoners get no reply and wait; severity 1: every second reply"),
    Perturbation("rate_limit", "no replies for 10 ticks at a time; severity 1: half of the time"),
    Perturbation("partial_reply", "replies end before they name the target; severity 1: every second one"),
    Perturbation(
        "changed_schema", "from a drawn tick on, verbs have swapped places; severity 1: in half of the episodes"
    ),
)
OF_REPLIES = frozenset(perturbation.name for perturbation in GENERIC[Fault.TOOL_TIMEOUT :])
OF_MESSAGES = frozenset({"message_loss", "message_delay"})


def generic_doses(perturb: Mapping[str, float]) -> np.ndarray:
    """The severities of the generic perturbations as (F,) float64 in the order of ``Fault``."""
    return np.array([perturb.get(each.name, 0.0) for each in GENERIC])


def severities(perturb: Mapping[str, float], known: type[IntEnum], where: str) -> np.ndarray:
    """The severity of each perturbation of the enum ``known`` as (P,) float64, in its order.

    Raises UsageError for a severity outside 0..1, and for a name that is neither in ``known`` nor generic.
    """
    severity, generic = np.zeros(len(known)), {each.name for each in GENERIC}
    for name, value in perturb.items():
        if not 0 <= value <= 1:
            raise UsageError(f"{where}: perturb.{name}: severity {value}, expected 0..1")
        if name.upper() in known.__members__:
            severity[known[name.upper()]] = value
        elif name not in generic:
            raise unknown("perturbation", name, generic | {d.name.lower() for d in known}, where)
    return severity

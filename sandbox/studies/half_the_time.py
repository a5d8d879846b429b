"""Half the time with little oversight? The arithmetic of the office's study; the claim is in ``docs/office.md``.

An arm is who runs the process. All arms work on the same cases, by seed: arrivals, documents, outside delays and
service times are equal, so arms are compared case by case, and the seeds are the units of every interval. The first
cases find an empty office and the last ones an office that runs dry, so only cases between ``WINDOW`` count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sandbox.core.errors import UsageError
from sandbox.statistics import CONFIDENCE, Estimate, lower_bound, mean_difference, ratio
from sandbox.worlds.office.state import DAY, TEAM, Case, Params, Phase, State, Status, Time

ARMS = (  # in the order of scenarios/office/half-the-time.toml
    "people only", "nobody", "people + macro", "people + one more",
    "agents + 1 person, review 0", "agents + 1 person, review .25", "agents + 1 person, review .5",
    "agents + 1 person, review 1", "agents only", "agents only, ten times as fast",
    "uneven agents + 1 person, review 0", "uneven agents + 1 person, review .25", "uneven agents + 1 person, review .5",
    "uneven agents + 1 person, review 1", "uneven agents only",
)  # fmt: skip
PEOPLE, NOBODY = ARMS[:2]
CONTROLS, CLAIMED = ARMS[2:4], ARMS[4:]
WINDOW = 0.45, 0.65  # of the cases, in the order of arrival

# The claim, stated before it was measured.
HALF = 0.5  # the least reduction of the time to correct completion
CAP = 25.0  # people's minutes a case
LIMITS = {True: 365 * DAY, False: 60 * DAY}  # minutes up to which a time is counted: with outside wait, without it


class Balance(NamedTuple):
    """What became of the measured cases of an arm: S seeds, C cases."""

    right: np.ndarray  # (S, C) bool       closed, and correctly
    parts: np.ndarray  # (S, C, 5) float64 minutes in each Phase; they add up to the time from arrival to closing
    people: np.ndarray  # (S, C) float64   minutes of people's work
    agents: np.ndarray  # (S, C) float64   minutes of agents' work
    escaped: np.ndarray  # (S, C) bool     an error that its activity let through
    euros: np.ndarray  # (S, C) float64    paid or owed wrongly
    refused: np.ndarray  # (S, C) bool     rejected, or closed, though the opposite was right, without an escape


def measured(state: State) -> Balance:
    """The balance of the lanes of a state at the end of their episodes.

    Raises UsageError if an episode ended before a measured case had the longest time that is counted.
    """
    window = slice(*(round(share * state.case.shape[1]) for share in WINDOW))
    case, time = state.case[:, window], state.time[:, window]
    status = case[..., Case.STATUS]
    waited = state.clock[:, None] - time[..., Time.ARRIVED]
    if ((status <= Status.OPEN) & ((waited < max(LIMITS.values())) | (status == Status.COMING))).any():
        raise UsageError("half the time: an episode ended with open cases; expected a higher world.max_ticks")
    missed = case[..., Case.MISSED] != 0
    return Balance(
        status == Status.RIGHT, time[..., Time.TOUCH : Time.TOUCH + len(Phase)].copy(), time[..., Time.PEOPLE].copy(),
        time[..., Time.AGENTS].copy(), missed & (status == Status.WRONG), case[..., Case.CENTS] / 100,
        (status == Status.WRONG) & ~missed,
    )  # fmt: skip
